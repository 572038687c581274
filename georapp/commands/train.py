"""`georapp train`: starts or resumes a training run and says how it goes, until it ends or somebody has seen enough."""

from __future__ import annotations

import argparse
import importlib.util
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from georapp import runs
from georapp.errors import RunError
from georapp.printable import printable
from georapp.run_events import LAST, LOG, STOP, Album, Alert, Failed, Finished, ModelMade, Paused, Probe, RunEvent, Stage, Step

POLL_S = 0.5
STEPS_APART_S = 10.0  # between the lines of two steps, except the last of a stage
NEEDED = ("torch", "transformers", "trl", "peft")


def run(options: argparse.Namespace) -> int:
    """0: it finished, was stopped as asked, or goes on by itself; 1: it failed. Raises RunError."""
    folder: Path = options.run
    python = options.python or sys.executable
    if python == sys.executable:
        _check_own_python()
    tail = runs.Tail(folder)
    tail.read()  # what earlier processes have said
    runs.start(folder, runs.command(folder, python))
    if options.detach:
        _say(f"{folder} goes on by itself. A file called {STOP} in that folder lets it save and end; what it says is in {LOG}.")
        return 0
    return _follow(folder, tail)


def _check_own_python() -> None:
    if missing := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise RunError(
            f"This Python cannot train: {', '.join(missing)} {'is' if len(missing) == 1 else 'are'} not installed.",
            hint="Install them: pip install torch==2.13.0, then pip install '.[train]'. Or name a Python that has them with --python.",
        )


def _follow(folder: Path, tail: runs.Tail) -> int:
    """Until its last word. Ctrl-C asks it to save and end, a second one leaves it alone. Raises RunError when it ends without a word."""
    asked, lines = False, Lines()
    while True:
        try:
            alive = runs.look(folder).state.alive  # before reading: what it says at last is read then
            for event in tail.read():
                for line in lines.of(event):
                    _say(line)
                if isinstance(event, LAST):
                    return int(isinstance(event, Failed))
            if not alive:
                raise RunError(f"{folder} ended without a word.", hint=f"Its {LOG} may say why. Start it again to go on.")
            time.sleep(POLL_S)
        except KeyboardInterrupt:
            if asked:
                _say("It goes on by itself.")
                return 0
            asked = True
            runs.stop(folder)
            _say("It saves and ends after this step. Ctrl-C again leaves it alone.")


class Lines:
    """Messages of a run as lines for a terminal."""

    def __init__(self) -> None:
        self._said_at = -STEPS_APART_S

    def of(self, event: RunEvent) -> Iterator[str]:
        """None for most steps, and for what only a chart can show."""
        if isinstance(event, Step):
            if event.step == event.total or time.monotonic() >= self._said_at + STEPS_APART_S:
                self._said_at = time.monotonic()
                yield f"{event.stage} {event.step:,} of {event.total:,}: {_values(event.values, ('loss', 'reward', 'kl', 'entropy'))}"
        elif isinstance(event, Probe):
            yield _probe(event)
        elif isinstance(event, Stage):
            yield f"{event.name}: {event.state}{f' from step {event.step:,}' if event.state == 'resumed' else ''}"
        elif isinstance(event, Album):
            yield f"album: {event.with_place:,} of {event.photos:,} photos can be used, in {event.countries:,} countries"
            yield from (f"  {sentence}" for sentence in (*event.left_out, *event.notes))
        elif isinstance(event, Alert):
            yield f"{'  ' if event.over else '! '}{event.reason} {event.hint}".rstrip()
        elif isinstance(event, Paused):
            yield f"paused: {event.reason}"
        elif isinstance(event, ModelMade):
            yield f"model: {event.path}"
        elif isinstance(event, Failed):
            yield f"failed: {event.reason} {event.hint}"
        elif isinstance(event, LAST):
            yield "finished" if isinstance(event, Finished) else "stopped; start it again to go on"


def _probe(event: Probe) -> str:
    """Never without its baselines."""
    shares = {name: event.values.get(key) for name, key in _WITHIN.items()}
    within = ", ".join(f"{name} {100 * share:.1f} %" for name, share in shares.items() if share is not None)
    median = event.values.get("median_km")
    middle = "" if median is None else f", {median:,.0f} km off in the middle"
    return f"{event.stage} {event.step:,}, {event.photos:,} held-out photos within 25 km: {within}{middle}"


_WITHIN = {"model": "within_25_km", "random place": "random/within_25_km", "most frequent place": "frequent/within_25_km"}


def _values(values: Mapping[str, float | None], wanted: tuple[str, ...]) -> str:
    return ", ".join(f"{name} {value:.4g}" for name in wanted if (value := values.get(name)) is not None)


def _say(line: str) -> None:
    sys.stdout.write(f"{printable(line)}\n")
    sys.stdout.flush()
