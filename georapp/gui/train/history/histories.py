"""The whole histories of a few runs, to lay them over each other. Read in turns: another thread parses a piece, the window takes it in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from georapp.gui.background import run
from georapp.run_history import History
from georapp.run_reader import Chunk, RunReader

_PAUSE_MS = 4  # between two pieces, for the window


@dataclass(slots=True)
class _Followed:
    reader: RunReader
    history: History = field(default_factory=History)
    whole: bool = False
    offset: int = 0
    size: int = 0


class Histories(QObject):
    """`want` some runs; `grew` when there is more of them, `rested` when there is no more for now."""

    grew, rested = Signal(), Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._followed: dict[Path, _Followed] = {}
        self._round: list[Path] = []
        self._reading = False

    def want(self, folders: Sequence[Path]) -> None:
        """These and no others; those that were wanted before are not read again."""
        self._followed = {folder: self._followed.get(folder) or _Followed(RunReader(folder)) for folder in folders}
        self.go_on()

    def go_on(self) -> None:
        """Look for what is new."""
        self._round = [*self._followed]
        self._read()

    def history(self, folder: Path) -> History | None:
        """As far as it was read."""
        found = self._followed.get(folder)
        return found.history if found else None

    @property
    def percent(self) -> int | None:
        """How much was read; None when all was."""
        if all(one.whole for one in self._followed.values()):
            return None
        size = sum(one.size for one in self._followed.values())
        return min(99, 100 * sum(one.offset for one in self._followed.values()) // size) if size else 0

    def _read(self) -> None:
        if self._reading:
            return
        self._round = [folder for folder in self._round if folder in self._followed]
        if not self._round:
            self.rested.emit()
            return
        folder = self._round[0]
        self._reading = True
        followed = self._followed[folder]
        run(followed.reader.read, lambda chunk: self._take(folder, followed, chunk), parent=self)

    def _take(self, folder: Path, followed: _Followed, chunk: Chunk) -> None:
        self._reading = False
        if chunk.restarted:
            followed.history = History()
        followed.history.take(chunk.seen)
        followed.history.places.clear()  # where answers stand, a million of them; nobody looks at answers here
        followed.whole = followed.whole or not chunk.seen or chunk.offset >= chunk.size
        followed.offset, followed.size = chunk.offset, max(1, chunk.size)
        if not chunk.seen or chunk.offset >= chunk.size:
            self._round = [other for other in self._round if other != folder]
        if chunk.seen or chunk.restarted:
            self.grew.emit()
        QTimer.singleShot(_PAUSE_MS, self, self._read)
