"""What SFT and GRPO share: find the checkpoint to go on from, train, and make of the last checkpoint what the stage leaves behind."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import PrinterCallback
from trl.trainer.utils import RepeatSampler

from georapp.errors import GeorappError, RunError, Stopped
from georapp.run_events import Alert, Stage
from training import changes, checkpoints, ranks
from training.ahead import Ahead
from training.arguments import SCRATCH
from training.callback import Watch
from training.checkpoints import Checkpoint
from training.work import MADE, MODEL, Work

# of a checkpoint: what belongs to the training and not to the model
OF_TRAINING = frozenset(
    {checkpoints.MANIFEST, changes.FILE, "optimizer.pt", "scheduler.pt", "scaler.pt", "trainer_state.json", "training_args.bin"}
    | {"ref", "README.md"}
    | {"optimizer.bin", "pytorch_model_fsdp.bin", "latest", "zero_to_fp32.py"}  # of weights that are shared out
)
_PARTS_OF_TRAINING = ("rng_state", "global_step")  # and the rank, or the step: DeepSpeed makes a folder of it


class GuardStop(RunError):
    """A guard ended the stage. The sentence and the hint are its alert's."""


@dataclass(frozen=True, slots=True)
class Start:
    """Where a stage begins: at 0, or behind a checkpoint."""

    checkpoint: Checkpoint | None = None

    @property
    def path(self) -> Path | None:
        """Of the checkpoint."""
        return self.checkpoint.path if self.checkpoint else None

    @property
    def step(self) -> int:
        """Steps that are done."""
        return self.checkpoint.step if self.checkpoint else 0


def begin(work: Work, stage: str, record: Mapping[str, Any]) -> Start:
    """Clean up after a killed process, find the newest whole checkpoint, and say where the stage begins. Raises RunError, Stopped."""
    folder = work.stage(stage)
    if ranks.rank() == 0:
        for sentence in _cleaned(folder):
            work.events.write(Alert("checkpoint", sentence, "Nothing is to be done."))
    _gather_ranks(work, folder)
    found = checkpoints.newest(folder)
    for sentence in found.passed_over:
        work.events.write(Alert("checkpoint", sentence, "The run goes on from an older checkpoint; its steps are done again."))
    start = Start(found.checkpoint)
    if start.checkpoint:
        _say_changes(work, changes.read(start.checkpoint.path), record)
    work.events.write(Stage(stage, "resumed" if start.checkpoint else "began", start.step))
    return start


def _gather_ranks(work: Work, folder: Path) -> None:
    """Go on when the first rank has cleaned up. Raises Stopped when it has ended instead."""
    if ranks.together():
        ranks.wait_for_all()
    elif ranks.alone():
        return
    elif ranks.rank() == 0:
        ranks.enter(work.folder, folder)
    elif not ranks.wait_for_first(work.folder, lambda: ranks.has_entered(work.folder, folder)):
        raise Stopped


def _cleaned(folder: Path) -> Sequence[str]:
    shutil.rmtree(folder / SCRATCH, ignore_errors=True)
    return checkpoints.recover(folder)


def _say_changes(work: Work, before: Mapping[str, Any], now: Mapping[str, Any]) -> None:
    if sentences := changes.since(before, now):
        hint = "It goes on with them; its numbers are not those of a run that had them from the beginning."
        work.events.write(Alert("settings", f"Since this run's last checkpoint: {' '.join(sentences)}", hint))


def train(trainer: Any, watch: Watch, start: Start) -> None:
    """All steps that are left. Raises Stopped when somebody asked for it, GuardStop, and RunError when a checkpoint cannot be written."""
    if start.checkpoint and start.step >= total_steps(trainer):
        return
    path = str(start.path) if start.path else None
    trainer.remove_callback(PrinterCallback)  # events.jsonl has it all
    _keep_order(trainer, start)
    try:
        with Ahead(trainer.get_batch_samples) as ahead:
            trainer.get_batch_samples = watch.timed(ahead)
            trainer.train(resume_from_checkpoint=path)
    except (GeorappError, torch.OutOfMemoryError):
        raise
    except Exception as error:
        if problem := _unwritable(trainer, error):
            raise problem from error
        raise
    _check_end(trainer, watch)


def _check_end(trainer: Any, watch: Watch) -> None:
    """What the ranks have agreed on."""
    if watch.ended:
        alert = watch.ended_by
        raise GuardStop(alert.reason if alert else "A guard ended the stage.", hint=alert.hint if alert else "")
    if watch.stopped and (watch.spoiled or trainer.state.global_step < trainer.state.max_steps):
        raise Stopped
    if watch.spoiled:
        raise GuardStop(
            "The model's numbers are none any more, and nothing was saved since.",
            hint="Lower the learning rate to a third and start again: the run goes on from its last checkpoint.",
        )


def _unwritable(trainer: Any, error: Exception) -> RunError | None:
    """A sentence for a checkpoint that transformers could not write; None for any other error."""
    step, scratch = trainer.state.global_step, Path(trainer.args.output_dir)
    if not (scratch / f"checkpoint-{step}").exists():
        return None
    shutil.rmtree(scratch, ignore_errors=True)  # a full disk should not stay full by this
    why = (error.strerror or str(error)) if isinstance(error, OSError) else str(error).partition("\n")[0]
    return RunError(
        f"Checkpoint {step} could not be written to {scratch.parent}: {why.lower()}.",
        hint="Make room on that disk and start the run again: it goes on from the checkpoint before.",
    )


def total_steps(trainer: Any) -> int:
    """How many steps the whole stage has, as transformers counts them."""
    *_, most = trainer.set_initial_training_values(trainer.args, trainer.get_train_dataloader())
    return int(most)


def _keep_order(trainer: Any, start: Start) -> None:
    """Let a resume in a later epoch take the photos as an unbroken run does.

    TRL's sampler of GRPO draws an order for every epoch, one after another, and begins with the first one in every process.
    """
    _, steps_of_epoch, *_ = trainer.set_initial_training_values(trainer.args, trainer.get_train_dataloader())
    ordinary = trainer._get_train_sampler

    def sampler(*arguments: Any) -> Any:
        found = ordinary(*arguments)
        if isinstance(found, RepeatSampler) and found.shuffle:
            for _ in range(start.step // steps_of_epoch):
                torch.randperm(found.num_samples, generator=found.generator)
        return found

    trainer._get_train_sampler = sampler


# ---- what a stage leaves behind ----


def finish(work: Work, stage: str, record: Mapping[str, Any], **facts: Any) -> None:
    """Make <stage>/model of the best checkpoint, note that the stage is done, and say so. Raises RunError.

    The best is the one that comes nearest to the truth on the probe photos, not the one with the smallest loss; the last one where
    nothing was measured.
    """
    ranks.wait_for_all()
    if ranks.rank() == 0:
        folder = work.stage(stage)
        last = checkpoints.newest(folder).checkpoint
        if last is None:
            raise RunError(f"Stage {stage} left no whole checkpoint.", hint="Start the run again.")
        chosen = checkpoints.best(folder) or last
        _extract(chosen.path, folder / MODEL)
        shutil.rmtree(folder / SCRATCH, ignore_errors=True)
        work.done(stage, **{MADE: [MODEL]}, steps=last.step, chosen=chosen.step, **record, **facts)
        work.events.write(Stage(stage, "done", last.step, last.step))
    ranks.wait_for_all()


def _extract(checkpoint: Path, target: Path) -> None:
    """Copy the model out of a checkpoint, all or nothing."""
    fresh = target.with_name(f".{target.name}.part")
    try:
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir()
        for path in sorted(checkpoint.iterdir()):
            if path.name not in OF_TRAINING and not path.name.startswith(_PARTS_OF_TRAINING):
                _copy(path, fresh / path.name)
        shutil.rmtree(target, ignore_errors=True)
        fresh.rename(target)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RunError(
            f"The model of this stage could not be written to {target}: {(error.strerror or str(error)).lower()}.",
            hint="Make room on that disk and start the run again: no step has to be done again.",
        ) from error


def _copy(source: Path, target: Path) -> None:
    with source.open("rb") as reading, target.open("xb") as writing:
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
