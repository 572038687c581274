"""A run from beginning to end: album, sft, hard, grpo, export. Start and resume are the same thing.

A stage that is done is skipped; one that was interrupted goes on; one whose setting `enabled` is false is left out. Every error ends
as a sentence: in the run's events, and in log.txt.
"""

from __future__ import annotations

import hashlib
import importlib
import json
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

import datasets
import transformers

from georapp import run_toml
from georapp.errors import GeorappError, RunError, Stopped
from georapp.run_events import CONFIG, VERSIONS, Alert, Failed, Finished, RunEvent, Stage
from georapp.run_events import Stopped as StoppedEvent
from training import changes, checkpoints, doctor, ranks
from training.doctor import NEEDED, OPTIONAL
from training.memory import in_words
from training.report import EventWriter
from training.rows import FILE
from training.work import ALBUM, EXPORT, GRPO, HARD, MADE, SFT, Work

MODULES = {ALBUM: "training.gather", SFT: "training.sft", HARD: "training.hard", GRPO: "training.grpo", EXPORT: "training.gguf"}
COLLECTIVE = frozenset({SFT, GRPO})  # stages in which all ranks work; the others are the first rank's
SAYS_ITSELF = COLLECTIVE  # stages that know from which step they go on


def run(folder: Path) -> int:
    """Do what is left of a run. 0: finished, or stopped because somebody asked; 1: failed, and said why."""
    _quiet()
    try:
        settings = run_toml.read(folder / CONFIG)
        with _writer(folder) as events, _stoppable(events):
            _note_versions(folder)
            return _run(Work(folder.resolve(), settings, events))
    except GeorappError as error:  # also of the writer: another process may be working on this run
        _say(error)
        return 1


def _run(work: Work) -> int:
    name = ""
    try:
        for name in MODULES:
            _do(work, name)
        work.events.write(Finished())
        return 0
    except Stopped:
        work.events.write(StoppedEvent(name, _last_step(work.folder / name)))
        return 0
    except Exception as error:  # noqa: BLE001 - whatever it was, the run must say so before it ends
        known = in_words(error, work.config)
        if known is None:
            traceback.print_exc()
            known = RunError(
                f"The training program made a mistake: {type(error).__name__}: {error}",
                hint="Its log.txt says where. Start the run again to go on from the last checkpoint; report it if it comes again.",
            )
        _say(known)
        _write_last(work.events, Failed(str(known), known.hint))
        return 1


def _do(work: Work, name: str) -> None:
    """One stage, as far as this process has a part in it."""
    if not getattr(getattr(work.config, name), "enabled", True):
        work.events.write(Stage(name, "skipped"))
        return
    if work.is_done(name):
        _check_unchanged(work, name)
        work.events.write(Stage(name, "skipped"))
        return
    if ranks.agreed(work.events.stop_asked()):
        raise Stopped
    if name not in COLLECTIVE and ranks.rank() > 0:
        if not ranks.wait_for_first(work.folder, lambda: work.is_done(name)):
            raise Stopped
        return
    if name not in COLLECTIVE:
        ranks.forget_sharding()
    if name not in SAYS_ITSELF:
        work.events.write(Stage(name, "began"))
    _call(work, name)
    if name not in SAYS_ITSELF:
        work.events.write(Stage(name, "done"))


def _call(work: Work, name: str) -> None:
    module = importlib.import_module(MODULES[name])
    if name == ALBUM:
        module.run(work.config, work.stage(ALBUM), work.events)
        work.done(ALBUM, **{MADE: [FILE]}, **changes.record(work.config, ALBUM))
    else:
        module.run(work)


def _check_unchanged(work: Work, name: str) -> None:
    """Settings that were changed after their stage was finished have no effect any more; that should be known.

    Raises RunError for those that later stages would stumble over.
    """
    before = (work.facts(name) or {}).get("settings")
    if not before:
        return
    if said := changes.since({"settings": before}, changes.record(work.config, name)):
        hint = f"It has no effect. To do stage {name} again with it, delete {work.folder / name} and what came after it, or make a new run."
        work.events.write(Alert("settings", f"After stage {name} was finished: {' '.join(said)}", hint))


def _last_step(folder: Path) -> int:
    """Of a stage's newest checkpoint, from which it will go on."""
    found = checkpoints.newest(folder).checkpoint
    return found.step if found else 0


# ---- around it ----


def _note_versions(folder: Path) -> None:
    """For those who compare runs, and for who wants to know why a resume was not exact."""
    if ranks.rank() == 0:
        found = {name: version for name in (*NEEDED, *OPTIONAL) if (version := doctor.version(name))}
        with suppress(OSError):  # a full disk is said by those who cannot do without
            (folder / VERSIONS).write_text(json.dumps(found, indent=1) + "\n", "ascii")


def _writer(folder: Path) -> EventWriter:
    if ranks.rank() > 0:
        return ranks.MutedWriter()
    return EventWriter(folder, config=hashlib.sha256((folder / CONFIG).read_bytes()).hexdigest())


@contextmanager
def _stoppable(events: EventWriter) -> Iterator[None]:
    """SIGTERM and Ctrl+C mean the same as the stop file: save and end after this step. A second Ctrl+C ends at once."""

    def stop(number: int, _: FrameType | None) -> None:
        events.request_stop()
        if number == signal.SIGINT:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    before = {number: signal.signal(number, stop) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _quiet() -> None:
    """Bars, and notes that are for programmers, would fill log.txt."""
    bars: Any = transformers.utils.logging
    bars.disable_progress_bar()
    datasets.disable_progress_bars()
    datasets.logging.set_verbosity_error()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)  # what peft asks transformers


def _write_last(events: EventWriter, event: RunEvent) -> None:
    try:
        events.write(event)
    except RunError as error:  # a full disk: then standard error is all that is left
        _say(error)


def _say(error: GeorappError) -> None:
    print(" ".join(part for part in (str(error), error.hint) if part), file=sys.stderr, flush=True)
