"""Short runs of the whole pipeline on the toy world's tiny model, ways to interrupt them, and to read what they said."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from georapp import run_events
from georapp.run_events import CONFIG, EVENTS, Alert, Paused, RunEvent, Step
from georapp.run_settings import Export, Grpo, Hard, Model, RunConfig, Sft
from georapp.run_toml import read, write
from tests.training.toy_world import SETTINGS, ToyWorld, is_known, said
from training.rows import write_rows

# what peft's and transformers' own code say to each other
QUIET = "ignore:.is_gradient_checkpointing. is deprecated:FutureWarning"

LORA = SETTINGS | {"method": "lora", "lora_rank": 4, "lora_alpha": 8, "freeze_vision": True}
SFT_SHORT = Sft(max_steps=7, batch=4, accumulate=2, learning_rate=1e-3, save_every=3, probe_every=0)
GRPO_SHORT = Grpo(
    max_steps=6, batch=4, accumulate=2, generations=4, learning_rate=1e-3, warmup_steps=1, save_every=2, probe_every=3, max_answer_tokens=48
)  # fmt: skip
NO_STAGE = {"hard": Hard(enabled=False), "export": Export(enabled=False)}


SPEEDS = frozenset({"step_time", "tokens_per_s", "gpu_memory_gb", "gpu_temperature_c"})  # no two runs have the same


# ---- runs ----


def new_run(
    folder: Path, toy: ToyWorld, *, base: Path | None = None, known: bool = True, model: Any = None, **sections: Any
) -> Path:
    """A run whose album is made: of cities that the taught model knows, or of those that it does not know."""
    settings = Model(base=str(base or toy.taught), **(LORA | (model or {})))
    config = RunConfig(name="toy run", model=settings, **(NO_STAGE | {"sft": SFT_SHORT, "grpo": GRPO_SHORT} | sections))
    folder.mkdir()
    write(config, folder / CONFIG)
    write_rows([row for row in toy.album if is_known(row) == known], folder / "album")
    (folder / "album" / "done.json").write_text("{}")
    return folder


def change(run: Path, **sections: Any) -> None:
    """Of run.toml, as a person edits it."""
    config = read(run / CONFIG)
    changed = {name: dataclasses.replace(getattr(config, name), **values) for name, values in sections.items()}
    write(dataclasses.replace(config, **changed), run / CONFIG)


def steps(run: Path, stage: str) -> dict[int, dict[str, float | None]]:
    """step -> its values, without how fast it was."""
    found = run_events.steps_of(said(run), stage)
    return {number: {name: value for name, value in step.values.items() if name not in SPEEDS} for number, step in found.items()}


def of_kind(run: Path, kind: type[Any]) -> list[Any]:
    return [event for event in said(run) if isinstance(event, kind)]


def alerts(run: Path) -> dict[str, Alert]:
    return {alert.guard: alert for alert in of_kind(run, Alert)}


KILLER = """
import os, signal, sys
from pathlib import Path
from training import pipeline, report
folder, stage, step, kind = sys.argv[1:]
write = report.EventWriter.write
def write_and_die(self, event):
    write(self, event)
    if type(event).__name__ == kind and event.stage == stage and event.step == int(step):
        os.kill(os.getpid(), signal.SIGKILL)
report.EventWriter.write = write_and_die
sys.exit(pipeline.run(Path(folder)))
"""


def killed(run: Path, stage: str, step: int, *, after: type[Any] = Step) -> None:
    """Run in a process of its own, which dies by SIGKILL when it has said this."""
    quiet = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", KILLER, str(run), stage, str(step), after.__name__],
        env=os.environ | quiet,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL, done.stderr


@contextmanager
def meanwhile(run: Path, condition: Callable[[list[RunEvent]], bool], action: Callable[[], object]) -> Iterator[None]:
    """Act once in another thread, when the messages of this start of the run say so."""
    over, begun = threading.Event(), len(said(run)) if (run / EVENTS).exists() else 0

    def watch() -> None:
        while not over.wait(0.02):
            if (run / EVENTS).exists() and condition(said(run)[begun:]):
                action()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def is_paused(events: list[RunEvent]) -> bool:
    return bool(events) and isinstance(events[-1], Paused)


def from_sft(finished: Path, folder: Path) -> Path:
    """A run whose first stage is done, and whose second one was interrupted at its second step."""
    run = shutil.copytree(finished, folder)
    shutil.rmtree(run / "grpo")
    for name in ("checkpoint-2", "checkpoint-4"):
        if (finished / "grpo" / name).exists():
            shutil.copytree(finished / "grpo" / name, run / "grpo" / name)
            return run
    raise AssertionError("no checkpoint is left to begin with")
