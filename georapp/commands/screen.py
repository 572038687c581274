"""What is shown while photos are located: the ladder live in a terminal, JSON lines in a pipe."""

from __future__ import annotations

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Protocol

from rich.console import Console
from rich.live import Live
from rich.text import Text

from georapp import events, terminal
from georapp.chain import Level
from georapp.printable import printable
from georapp.results import Result


class Screen(Protocol):
    """Whatever shows results; used as a context manager around the work."""

    def __enter__(self) -> Screen: ...

    def __exit__(
        self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None
    ) -> None: ...

    def begin(self, number: int, total: int, path: Path) -> None:
        """Photo `number` (from 0) of `total` is next."""

    def event(self, event: events.Event) -> None:
        """Something happened to the photo in progress."""

    def show(self, result: Result) -> None:
        """The photo is done or failed."""

    def skipped(self, path: Path) -> None:
        """The photo was done in an earlier run."""

    def summary(self, done: int, failed: int, total: int) -> None:
        """The end."""


class JsonScreen:
    """One result a line on stdout; progress on stderr when that is a terminal."""

    def __init__(self) -> None:
        self._clock = _Clock()
        self._progress = sys.stderr.isatty()

    def __enter__(self) -> JsonScreen:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        if self._progress:
            sys.stderr.write("\r\033[K")

    def begin(self, number: int, total: int, path: Path) -> None:
        """As in Screen."""
        if self._progress:
            sys.stderr.write(f"\r\033[K{self._clock.progress(number, total)} {printable(path.name)[:60]}")
            sys.stderr.flush()

    def event(self, event: events.Event) -> None:
        """As in Screen; nothing is shown before it is complete."""

    def show(self, result: Result) -> None:
        """As in Screen."""
        self._clock.tick()
        sys.stdout.write(result.to_line() + "\n")
        sys.stdout.flush()

    def skipped(self, path: Path) -> None:
        """As in Screen."""

    def summary(self, done: int, failed: int, total: int) -> None:
        """As in Screen; nothing: the lines say it all."""


class TextScreen:
    """For people. `live`: the ladder of the photo in progress is redrawn in place."""

    def __init__(self, *, live: bool) -> None:
        self._console = Console(highlight=False)
        self._live = Live(console=self._console, auto_refresh=False, transient=True) if live else None
        self._clock = _Clock()
        self._rungs: list[tuple[Level, str]] = []
        self._head = ""

    def __enter__(self) -> TextScreen:
        if self._live:
            self._live.start()
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        if self._live:
            self._live.update(Text(""), refresh=True)
            self._live.stop()

    def begin(self, number: int, total: int, path: Path) -> None:
        """As in Screen."""
        self._rungs = []
        name = path.name
        self._head = f"{self._clock.progress(number, total)} {printable(name)}"
        self._draw()

    def event(self, event: events.Event) -> None:
        """As in Screen."""
        if isinstance(event, events.RegionRead):
            self._rungs.append((Level[event.level.upper()], event.name))
            self._draw()

    def _draw(self) -> None:
        if self._live:
            line = Text(self._head, style="dim").append("  ").append_text(terminal.ladder(self._rungs))
            self._live.update(line, refresh=True)

    def show(self, result: Result) -> None:
        """As in Screen."""
        self._clock.tick()
        if isinstance(result.outcome, events.Located):
            notes = result.photo.notes if result.photo else ()
            self._console.print(terminal.prediction_view(result.path, result.outcome.prediction, result.truth, notes))
            self._console.print()

    def skipped(self, path: Path) -> None:
        """As in Screen."""
        self._console.print(Text(f"{printable(str(path))}: done already", style="dim"))

    def summary(self, done: int, failed: int, total: int) -> None:
        """As in Screen."""
        if total > 1:
            skipped = total - done - failed
            parts = [f"{done} of {total} photos located"]
            parts += [f"{failed} failed"] if failed else []
            parts += [f"{skipped} done already"] if skipped else []
            self._console.print(Text(", ".join(parts) + ". Answers are leads, not proof."))


class _Clock:
    """How long the rest will take, from the photos so far."""

    def __init__(self) -> None:
        self._start, self._done = time.monotonic(), 0

    def tick(self) -> None:
        self._done += 1

    def progress(self, number: int, total: int) -> str:
        if not self._done:
            return f"{number + 1} of {total}"
        left = (time.monotonic() - self._start) / self._done * (total - number)
        return f"{number + 1} of {total}, {_duration(left)} left"


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
