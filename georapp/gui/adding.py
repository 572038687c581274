"""A thread that reads files into facts and small pictures, so that the window goes on while folders are walked."""

from __future__ import annotations

import queue
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QThread, Signal

from georapp import intake

_BATCH_S = 0.1  # what was found is handed over so often
_BATCH = 64


class Adding(QThread):
    """Takes files and folders in the order in which they were dropped, also while it is working."""

    found = Signal(list)  # of intake.Taken and intake.Refused
    busy = Signal(bool)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._asked: queue.SimpleQueue[list[Path] | None] = queue.SimpleQueue()
        self._ending = False

    def add(self, files: Sequence[Path]) -> None:
        """Read these files, and the photos in these folders."""
        self._asked.put(list(files))

    def forget(self) -> None:
        """Leave out what was not read yet."""
        self._ending = True
        self._asked.put([])

    def end(self) -> None:
        """End the thread. Returns when it is gone."""
        self._ending = True
        self._asked.put(None)
        self.wait()

    def run(self) -> None:
        """Until `end`."""
        while (files := self._asked.get()) is not None:
            if not files:
                self._ending = False
                continue
            self.busy.emit(True)
            self._take(files)
            if self._asked.empty():
                self.busy.emit(False)

    def _take(self, files: list[Path]) -> None:
        batch: list[intake.Taken | intake.Refused] = []
        since = time.monotonic()
        for entry in intake.take(files, lambda: self._ending):
            batch.append(entry)
            if len(batch) >= _BATCH or time.monotonic() - since > _BATCH_S:
                self.found.emit(batch)
                batch, since = [], time.monotonic()
        if batch:
            self.found.emit(batch)
