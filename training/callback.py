"""What happens beside the training steps: messages, guards, measurements, sealing of checkpoints, pause and stop.

All of it happens after a step, in this order: its values are written; the guards look at them; the model is measured on the probe
photos, when it is time; the run waits while it is paused; and when it is asked to stop, it saves and ends. Nothing happens in the
middle of a step, so what a resumed run does is what an unbroken one would have done.
"""

from __future__ import annotations

import random
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from georapp.run_events import Alert, CheckpointSaved, Step
from training import changes, checkpoints, ranks
from training.ahead import BatchSamples
from training.gpu import Gpu
from training.guards import SPOILED, Guards
from training.report import unsettled
from training.work import SFT, Work

Measure = Callable[[int], float | None]  # step -> the error in km by which checkpoints are compared
NOT_OURS = frozenset({"step", "num_tokens"})  # said already; SFTTrainer counts tokens anew after every start
WATCHED_IN_SFT = frozenset({"loss", "grad_norm"})  # its entropy falls by right
STEP_TIME, TOKENS_PER_S = "step_time", "tokens_per_s"
_ANSWER_LENGTH = "completions/mean_length"  # in tokens, as TRL's GRPOTrainer logs it, of all ranks


class Watch(TrainerCallback):
    """Of one stage. `stopped`: somebody asked for it; `ended`: by a guard, perhaps with its alert; `spoiled`: not worth a checkpoint."""

    def __init__(
        self, work: Work, stage: str, record: Mapping[str, Any], *, measure: Measure | None = None, probe_every: int = 0
    ) -> None:
        self._work, self._stage, self._record = work, stage, record
        self._measure, self._probe_every = measure, probe_every
        self._guards = Guards(work.config.guards)
        self._pace = Pace()
        self._gpu = Gpu()
        self._measured: tuple[int, float | None] = (-1, None)
        self.ended_by: Alert | None = None
        self.ended = self.stopped = self.spoiled = False

    # ---- what the trainer calls ----

    def on_train_begin(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        """Measure what the training begins with. After a resume, the guards know what was before, and a changed learning rate counts."""
        steps = [self._step(state, entry, int(entry["step"])) for entry in state.log_history if "loss" in entry]
        before = unsettled(self._work.folder, self._stage, state.global_step) if state.global_step else frozenset()
        self._guards.replay((self._watched(step) for step in steps), unsettled=before)
        if state.global_step:
            set_rate(more["optimizer"], more["lr_scheduler"], args.learning_rate)
        elif self._measure:
            undisturbed(self._measure, 0)

    def on_log(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, logs: Any = None, **more: Any
    ) -> None:
        """After every step; what is logged at the end of the training has no loss."""
        if not logs or "loss" not in logs:
            return
        step = self._step(state, {**logs, **self._pace.values(args, logs), **self._gpu.values()}, state.global_step)
        self._work.events.write(step)
        self._guard(step)
        self._measure_if_time(state)
        if ranks.agreed(self._work.events.pause_asked()):
            ranks.first_does(self._work.events.wait_while_paused)
        self.stopped = ranks.agreed(self._work.events.stop_asked())
        self._end_if_asked(control)

    def on_save(self, args: TrainingArguments, state: TrainerState, control: TrainerControl, **more: Any) -> None:
        """Make what transformers has written into a checkpoint that counts."""
        ranks.wait_for_all()  # every rank writes into one folder
        if ranks.rank() == 0:
            self._seal(Path(str(args.output_dir)), state.global_step)

    # ---- parts ----

    def timed(self, batches: BatchSamples) -> BatchSamples:
        """The same, from which this learns when a step begins, and how many tokens are learned in it."""
        return self._pace.timed(batches)

    def _step(self, state: TrainerState, values: Mapping[str, object], number: int) -> Step:
        return Step.of(
            self._stage, number, state.max_steps, {name: value for name, value in values.items() if name not in NOT_OURS}
        )

    def _watched(self, step: Step) -> Step:
        """What the guards see of a step. In 16 bits some gradients overflow by right: the scale is then halved, and the step left out."""
        odd = step.not_finite
        if self._work.config.model.precision == "fp16":
            odd = tuple(name for name in odd if name != "grad_norm")
        values = {name: value for name, value in step.values.items() if self._stage != SFT or name in WATCHED_IN_SFT}
        return Step(step.stage, step.step, step.total, values, odd)

    def _guard(self, step: Step) -> None:
        """The ranks agree, or those that saw nothing would wait for the others for ever."""
        free = shutil.disk_usage(self._work.folder).free
        for alert in (*self._guards.see(self._watched(step)), *self._guards.see_disk(free, step.step)):
            self._work.events.write(alert)
            self.spoiled = self.spoiled or alert.guard in SPOILED
            if alert.action == "pause":
                self._work.events.ask_to_pause(alert.reason)
            elif alert.action == "stop":
                self.ended_by = self.ended_by or alert
        self.ended, self.spoiled = ranks.agreed(self.ended_by is not None), ranks.agreed(self.spoiled)

    def _measure_if_time(self, state: TrainerState) -> None:
        """Not when somebody asked to stop, and waits: it takes longer than a step."""
        last = state.global_step >= state.max_steps
        due = self._probe_every > 0 and state.global_step % self._probe_every == 0
        if not self._measure or self.spoiled or not (last or due):
            return
        if last or not ranks.agreed(self._work.events.stop_asked()):
            self._measured = (state.global_step, undisturbed(self._measure, state.global_step))

    def _end_if_asked(self, control: TrainerControl) -> None:
        """What a guard ended is not worth a checkpoint."""
        if self.stopped or self.ended:
            control.should_training_stop = True
        if self.stopped:
            control.should_save = True
        if self.ended or self.spoiled:
            control.should_save = False

    def _seal(self, scratch: Path, step: int) -> None:
        folder = scratch.parent
        changes.write(self._record, scratch / f"checkpoint-{step}")
        measured_at, error_km = self._measured
        path = checkpoints.adopt(scratch / f"checkpoint-{step}", folder, step, error_km=error_km if measured_at == step else None)
        self._work.events.write(CheckpointSaved(self._stage, step, path.relative_to(self._work.folder).as_posix()))
        checkpoints.prune(folder, keep=self._work.config.keep_checkpoints)


class Pace:
    """How long a step takes, from the moment at which it asks for its photos; and how many tokens of answers it goes through."""

    def __init__(self) -> None:
        self._began: float | None = None
        self._learned: Any = None  # by SFT; a number on the GPU, for which nobody should wait in the middle of a step

    def timed(self, batches: BatchSamples) -> BatchSamples:
        """As `Watch.timed`."""

        def timed(source: Iterator[Any], count: int, device: Any) -> tuple[list[Any], Any]:
            self._began = time.perf_counter()
            found, self._learned = batches(source, count, device)
            return found, self._learned

        return timed

    def values(self, args: TrainingArguments, logs: Mapping[str, Any]) -> dict[str, float]:
        """Seconds of the step that ends now, and tokens a second: of answers that SFT learned, or that GRPO sampled and learned."""
        if self._began is None:
            return {}
        seconds = time.perf_counter() - self._began
        tokens = self._tokens(args, logs)
        return {STEP_TIME: seconds} | ({TOKENS_PER_S: tokens / seconds} if tokens and seconds else {})

    def _tokens(self, args: TrainingArguments, logs: Mapping[str, Any]) -> float:
        if self._learned is not None:
            return float(self._learned)
        answers: int = args.per_device_train_batch_size * args.gradient_accumulation_steps * args.world_size
        return answers * float(logs.get(_ANSWER_LENGTH) or 0.0)


def undisturbed(measure: Measure, step: int) -> float | None:
    """Measure without a trace: random numbers drawn meanwhile would make the next steps other ones."""
    python, numbers = random.getstate(), np.random.get_state()
    devices = list(range(torch.cuda.device_count()))
    try:
        with torch.random.fork_rng(devices=devices):
            return measure(step)
    finally:
        random.setstate(python)
        np.random.set_state(numbers)


def set_rate(optimizer: Any, schedule: Any, rate: float) -> None:
    """Let a learning rate that was changed in run.toml count: a checkpoint brings the old one back."""
    schedule = getattr(schedule, "scheduler", schedule)  # accelerate wraps it
    for number, group in enumerate(optimizer.param_groups):
        if group["initial_lr"] != rate:
            group["initial_lr"] = rate
            schedule.base_lrs[number] = rate
            group["lr"] = rate * schedule.lr_lambdas[number](schedule.last_epoch)
