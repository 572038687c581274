"""Follows a run's folder: reads on another thread, a piece at a time, and waits until the window has taken it in.

In turns, because two threads that work at once hold each other up: while this one reads, the window only listens.
"""

from __future__ import annotations

import functools
import os
import time
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from georapp import runs
from georapp.gui.background import run
from georapp.run_events import LOG, PAUSE
from georapp.run_reader import Chunk, RunReader
from georapp.runs import Run

POLL_MS = 250
LOOK_S = 1.0  # between two looks at the state
LOG_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Look:
    """The run as it was a moment ago. `there`: whether its folder is; `log`: the end of log.txt, None where it was not asked for."""

    run: Run
    there: bool
    pause_asked: bool = False
    log: str | None = None


class Follower(QObject):
    """Of one folder at a time. After `grew`, `go_on` asks for more; nothing is read until then."""

    grew = Signal(object)  # Chunk
    looked = Signal(object)  # Look

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self._turn = 0  # answers of an earlier folder are dropped
        self._looked_at = 0.0
        self._offset = -1
        self.log_wanted = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.timeout.connect(self._begin)

    def follow(self, folder: Path) -> None:
        """From its beginning."""
        self.leave()
        self._folder, self._reader = folder, RunReader(folder)
        self._begin()

    def leave(self) -> None:
        """Read no more."""
        self._turn += 1
        self._folder, self._looked_at, self._offset = None, 0.0, -1
        self._timer.stop()

    def go_on(self) -> None:
        """At once when there is more, a little later when everything was read."""
        if self._folder and not self._timer.isActive():
            self._timer.start(0 if self._more else POLL_MS)

    def look_soon(self) -> None:
        """Something was asked of the run: look at its state with the next turn."""
        self._looked_at = 0.0

    _more = False

    def _begin(self) -> None:
        if self._folder is None:
            return
        due = time.monotonic() - self._looked_at > LOOK_S
        if due:
            self._looked_at = time.monotonic()
        job = functools.partial(_read, self._reader, self._folder, due, self.log_wanted)
        run(job, functools.partial(self._take, self._turn), parent=self)

    def _take(self, turn: int, found: tuple[Chunk, Look | None]) -> None:
        if turn != self._turn:
            return
        chunk, seen = found
        self._more, self._offset = chunk.offset != self._offset and chunk.offset < chunk.size, chunk.offset
        if seen:
            self.looked.emit(seen)
        self.grew.emit(chunk)


def _read(reader: RunReader, folder: Path, due: bool, log_wanted: bool) -> tuple[Chunk, Look | None]:
    """On the other thread. State first: what a process said before it ended is in the messages that are read after."""
    seen = _look(folder, log_wanted) if due else None
    return reader.read(), seen


def _look(folder: Path, log_wanted: bool) -> Look:
    there = folder.is_dir()
    log = _end_of(folder / LOG) if log_wanted else None
    return Look(runs.look(folder), there, (folder / PAUSE).exists(), log)


def _end_of(path: Path) -> str:
    try:
        with path.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - LOG_BYTES))
            return file.read(LOG_BYTES).decode("utf-8", "replace")
    except OSError:
        return ""
