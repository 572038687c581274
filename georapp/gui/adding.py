"""Reads files into facts and small pictures on a thread of their own, so that the window goes on while folders are walked.

A folder of a network may never answer, and nobody can end a thread that waits for it. Such a thread is given up: what it was reading
becomes a sentence, another thread goes on with the rest, and the program ends without it.
"""

from __future__ import annotations

import collections
import contextlib
import queue
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from georapp import intake
from georapp.printable import printable

PATIENCE_S = 60.0  # for one file; a slow network needs some seconds
_END_S = 2.0
_EVERY_MS = 50  # what was found is handed over so often
_BATCH = 16  # entries; each change of a case takes some milliseconds, in which the window stands still

Entry = intake.Taken | intake.Refused


class Adding(QObject):
    """Takes files and folders in the order in which they were dropped, also while it is working."""

    found = Signal(list)  # of intake.Taken and intake.Refused
    busy = Signal(bool)

    def __init__(self, parent: QObject | None = None, *, patience_s: float = PATIENCE_S) -> None:
        super().__init__(parent)
        self._patience_s = patience_s
        self._reader: _Reader | None = None
        self._left: list[_Reader] = []  # those that may still be waiting for something
        self._handing_over = QTimer(self, interval=_EVERY_MS)
        self._handing_over.timeout.connect(self._hand_over)

    def add(self, files: Sequence[Path]) -> None:
        """Read these files, and the photos in these folders."""
        if self._reader is None:
            self._reader = _Reader()
            self._reader.start()
            self.busy.emit(True)
        self._reader.ask(files)
        self._handing_over.start()

    def hold(self, entries: Sequence[Entry]) -> None:
        """Keep these, which could not be put anywhere, and all that is found from now on, until `go_on`."""
        if self._reader:
            self._reader.found.extendleft(reversed(entries))
        self._handing_over.stop()

    def go_on(self) -> None:
        """Hand over again."""
        if self._reader:
            self._handing_over.start()

    @property
    def held(self) -> int:
        """Entries that nobody has taken yet."""
        return len(self._reader.found) if self._reader else 0

    def forget(self) -> None:
        """Leave out what was not handed over yet."""
        self._handing_over.stop()
        if self._reader:
            self._reader.leave()
            self._left = [*(reader for reader in self._left if reader.is_alive()), self._reader]
            self._reader = None
            self.busy.emit(False)

    def end(self) -> bool:
        """Whether all threads are gone. One that hangs is left alone."""
        self.forget()
        until = time.monotonic() + _END_S
        for reader in self._left:
            reader.join(max(0.0, until - time.monotonic()))
        return not any(reader.is_alive() for reader in self._left)

    def _hand_over(self) -> None:
        reader = self._reader
        if reader is None:
            return
        finished, silent = reader.finished, reader.silent_for
        if batch := reader.some(_BATCH):
            self.found.emit(batch)
        if reader is not self._reader or not self._handing_over.isActive():  # whoever took them wants no more
            return
        if finished and not reader.found:
            self.forget()
        elif silent > self._patience_s and not reader.found:
            self._give_up(reader)

    def _give_up(self, reader: _Reader) -> None:
        """Go on with the rest on another thread."""
        path, rest = reader.at, reader.rest()
        self.forget()
        self.add(rest)
        self.found.emit([_silent(path, self._patience_s)])


class _Reader(threading.Thread):
    """Knows nothing of Qt, whose objects may be gone when it comes back. Python does not wait for it at the end of the program."""

    def __init__(self) -> None:
        super().__init__(name="reading photos", daemon=True)
        self.found: collections.deque[Entry] = collections.deque()
        self.at = Path()
        self._asked: queue.SimpleQueue[Path | None] = queue.SimpleQueue()
        self._asked_for = self._done = 0
        self._since = time.monotonic()
        self._left = False

    # ---- called by the window's thread ----

    def ask(self, files: Sequence[Path]) -> None:
        """Files and folders, after those that were asked for before."""
        self._asked_for += len(files)
        for path in files:
            self._asked.put(path)

    def some(self, most: int) -> list[Entry]:
        """What was found, in order; it is not in `found` any more."""
        return [self.found.popleft() for _ in range(min(most, len(self.found)))]

    def rest(self) -> list[Path]:
        """What was asked for and not begun."""
        rest = []
        with contextlib.suppress(queue.Empty):
            while path := self._asked.get_nowait():
                rest.append(path)
        return rest

    def leave(self) -> None:
        """Find nothing more, and end as soon as that is possible."""
        self._left = True
        self._asked.put(None)

    @property
    def finished(self) -> bool:
        """Whether everything that was asked for is in `found`, or was."""
        return self._done == self._asked_for

    @property
    def silent_for(self) -> float:
        """Seconds since something was found."""
        return time.monotonic() - self._since

    # ---- the thread ----

    def run(self) -> None:
        """Until `leave`."""
        while (path := self._asked.get()) is not None and not self._left:
            self.at, self._since = path, time.monotonic()
            try:
                self._read(path)
            except Exception as error:  # noqa: BLE001 - a bug, which is reported; the files after it are read
                self.found.append(intake.Refused(path, printable(f"{path} could not be read: {error!r}."), ""))
                sys.excepthook(*sys.exc_info())
            self._done += 1

    def _read(self, path: Path) -> None:
        for entry in intake.take([path], lambda: self._left):
            if self._left:
                return
            self.found.append(entry)
            self._since = time.monotonic()


def _silent(path: Path, patience_s: float) -> intake.Refused:
    sentence = printable(f"{path} has not answered for {patience_s:.0f} seconds; it, or the rest of it, was left out.")
    return intake.Refused(path, sentence, "Check the disk or the network, then try again.")
