"""Watches whether a run of this machine goes on, whoever started it."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from georapp import runs
from georapp.gui.background import run
from georapp.runs import Run

EVERY_MS = 3000


class RunWatch(QObject):
    """`run`: the one that goes on, as it was a moment ago."""

    seen = Signal(object)  # Run or None, now and then
    changed = Signal(object)  # Run or None: another one begins, or none goes on any more

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.run: Run | None = None
        self._looking = False
        self._timer = QTimer(self, interval=EVERY_MS)
        self._timer.timeout.connect(self.look_soon)

    def begin(self) -> None:
        """Look at once, and again and again."""
        self._timer.start()
        self.look_soon()

    def look_soon(self) -> None:
        """Now, unless somebody is looking."""
        if not self._looking:
            self._looking = True
            run(runs.going_on, self._take, parent=self)

    def _take(self, found: Run | None) -> None:
        self._looking = False
        before, self.run = self.run, found
        if (before and before.folder) != (found and found.folder):
            self.changed.emit(found)
        self.seen.emit(found)
