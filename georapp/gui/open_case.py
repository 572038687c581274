"""The case of a window with its rows: opened, read and changed on a thread of its own, for which the window's waits some milliseconds.

What goes wrong is said. A case that does not answer is left alone until it does, and is read anew then.
"""

from __future__ import annotations

import collections
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from georapp.case import Case, Row, State
from georapp.errors import CaseError, CaseSilent, GeorappError
from georapp.gui.opening import Opened, Opening, Way
from georapp.printable import printable

T = TypeVar("T")

_PART = 200  # rows that are read before the window may breathe
_FIRST_PART = 400  # rows that are shown at once, the first ones
_LISTEN_MS = 100  # whether a case that was silent answers again
_COLLECT_MS = 2  # whether what was put into the case is there


@dataclass(frozen=True, slots=True)
class _Put:
    """Something that is being put into the case; `at`: since when."""

    future: Future[Any]
    done: Callable[[Any], None]
    failed: Callable[[CaseError], None]
    at: float = field(default_factory=time.monotonic)


class OpenCase(QObject):
    """One at a time; none before the first is opened."""

    opening_changed = Signal()  # `opening`
    opened = Signal(object)  # Path, without links
    opening_ended = Signal()  # with another case or without one
    answers_again = Signal()  # its rows follow as after `case_opened`
    case_opened = Signal()  # another case, or the same read anew; its rows follow
    rows_added = Signal(list)  # of Row
    rows_read = Signal()  # all rows of the opened case have been given
    row_changed = Signal(object)  # Row
    said = Signal(str, str)  # something went wrong: a sentence, and what to do

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.rows: dict[int, Row] = {}
        self._opened: Opened | None = None
        self._counts: collections.Counter[State] = collections.Counter()
        self._reading: Iterator[list[Row]] = iter(())
        self._opening = Opening(self)
        self._opening.changed.connect(self.opening_changed)
        self._opening.ended.connect(self._take_opened)
        self._opening.late.connect(self._say_late)
        self._putting: collections.deque[_Put] = collections.deque()
        self._collecting = QTimer(self, interval=_COLLECT_MS)
        self._collecting.timeout.connect(self._collect)
        self._listening = QTimer(self, interval=_LISTEN_MS)
        self._listening.timeout.connect(self._listen)

    # ---- opening and closing ----

    def open(self, path: Path, *, new: bool = False) -> None:
        """Use this case in place of the one that is open, which stays open when this one cannot be opened; wait for it. Raises CaseError."""
        way = Way(path, Case.create if new else Case.open)
        self._take_opened(self._opening.open(way, self._opened), None)

    def begin_opening(self, *ways: Way) -> None:
        """The same without waiting: the first of these that can be opened. What is wrong is said."""
        self._opening.begin(ways, self._opened)

    @property
    def opening(self) -> Path | None:
        """The case that is being opened."""
        return self._opening.path

    def _take_opened(self, opened: Opened | None, complaint: GeorappError | None) -> None:
        if opened:
            self.close()
            self._opened = opened
            self._show_case(opened.case, collections.Counter(opened.counts))
            self.opened.emit(opened.path)
        if complaint:  # the case that was opened instead is no reason to hide why
            self.said.emit(str(complaint), complaint.hint)
        self.opening_ended.emit()

    def _say_late(self, path: Path) -> None:
        self.said.emit(printable(f"The case {path} answers now."), "It can be opened: Case, Open case.")

    def close(self) -> None:
        """Let go of the case."""
        self._listening.stop()
        self._collecting.stop()
        self._putting.clear()
        self._reading = iter(())
        self.rows.clear()
        opened, self._opened = self._opened, None
        if opened:
            self._opening.close(opened)

    def end(self) -> bool:
        """Close everything; whether all threads are gone. May be called twice."""
        self.close()
        return self._opening.end()

    @property
    def case(self) -> Case | None:
        """The open case; its file may only be touched with `read` and `change`, which know what to do when it does not answer."""
        return self._opened.case if self._opened else None

    @property
    def writable(self) -> bool:
        """Whether the case can be changed by this window."""
        return bool(self.case and self.case.writable)

    # ---- its rows ----

    def _show_case(self, case: Case, counts: collections.Counter[State]) -> None:
        """From its first row on."""
        self.rows.clear()
        self._reading, self._counts = case.parts(_PART), counts
        self.case_opened.emit()
        self._read_on(self._reading, [])

    def _read_on(self, reading: Iterator[list[Row]], unseen: list[Row]) -> None:
        """The next rows of the case that was opened. They are shown in ever larger parts: each has its price in every list."""
        if reading is not self._reading:  # of a case that was closed
            return
        part = self.read(lambda _case: next(reading, None))
        unseen += part or ()
        if part is None or len(unseen) >= max(_FIRST_PART, len(self.rows)):
            new = [row for row in unseen if row.number not in self.rows]
            unseen = []
            self.rows.update((row.number, row) for row in new)
            self.rows_added.emit(new)
        if part is None:
            self.rows_read.emit()
        else:
            QTimer.singleShot(0, self, lambda: self._read_on(reading, unseen))

    def count(self, state: State) -> int:
        """Photos in this state."""
        return self._counts[state]

    def _rows(self, numbers: Sequence[int]) -> list[Row]:
        """Those that are there: a dialog may have been open while the case was changed for another one."""
        return [self.rows[number] for number in numbers if number in self.rows]

    def _show(self, row: Row) -> None:
        self.rows[row.number] = row
        self.row_changed.emit(row)

    # ---- reading and changing ----

    def read(self, what: Callable[[Case], T]) -> T | None:
        """What the case says; None where there is none, or where it cannot be read, which is said."""
        known = self._listening.isActive()
        try:
            return self.ask(what) if self.case else None
        except CaseError as error:
            if known and isinstance(error, CaseSilent):  # every widget would say it once more
                return None
            self.said.emit(*self.about_the_case(error))
        except (ValueError, TypeError) as error:  # rows that fit the tables and nothing else
            why = str(error).rstrip(".")
            sentence = (
                printable(f"{self.case.path} holds something that this program did not write: {why}.") if self.case else why
            )
            self.said.emit(sentence, "What can be read is shown; use the newest copy of it.")
        return None

    def change(self, change: Callable[[Case], object]) -> bool:
        """Whether the case took it; otherwise it is said why."""
        try:
            if not self.case:
                return False
            self.ask(change, keep=True)
        except CaseError as error:
            self.said.emit(*self.about_the_case(error))
            return False
        return True

    def ask(self, what: Callable[[Case], T], *, keep: bool = False) -> T:
        """On the thread of the case, which must be open. Raises CaseError, CaseSilent where it does not answer."""
        assert self._opened is not None
        case = self._opened.case
        try:
            return self._opened.thread.ask(lambda: what(case), keep=keep)
        except CaseSilent:
            if not self._listening.isActive():
                self._listening.start()
            raise

    def about_the_case(self, error: CaseError, more: str = "") -> tuple[str, str]:
        """Sentence and hint; a file that is gone is a cause of its own, which SQLite does not name."""
        if self._opened and not isinstance(error, CaseSilent) and self._is_gone(self._opened):
            sentence = printable(f"{self._opened.case.path} is gone: it was deleted, moved, or its disk is not there.")
            return sentence + more, "What is still open can be saved: Case, Save a copy."
        return f"{error}{more}", error.hint

    @staticmethod
    def _is_gone(opened: Opened) -> bool:
        try:
            return not opened.thread.ask(opened.case.path.exists)
        except (CaseSilent, OSError):  # nobody knows
            return False

    def put(self, what: Callable[[Case], T], done: Callable[[T], None], failed: Callable[[CaseError], None]) -> None:
        """The same for what nobody has to wait for: a disk takes some tenths of a second now and then. `done` is called with what it
        returns, or `failed`, unless the case is closed before; it is done also then, and by a silent case as soon as that answers.
        """
        assert self._opened is not None
        opened = self._opened
        self._putting.append(_Put(opened.thread.begin(lambda: what(opened.case)), done, failed))
        self._collecting.start()

    def _collect(self) -> None:
        """What is done now, in order."""
        while self._putting and self._opened:
            put, thread = self._putting[0], self._opened.thread
            if not put.future.done() and not thread.silent and time.monotonic() - put.at < thread.patience_s:
                return
            self._putting.popleft()
            try:
                thread.wait_no_more(put.future)
                outcome = put.future.result()
            except CaseError as error:
                if isinstance(error, CaseSilent) and not self._listening.isActive():
                    self._listening.start()
                put.failed(error)
            else:
                put.done(outcome)
        if not self._putting:
            self._collecting.stop()

    # ---- silence ----

    def _listen(self) -> None:
        """What was asked for meanwhile was done or was not; so everything is read anew."""
        if not self._opened or self._opened.thread.silent:
            return
        self._listening.stop()
        counts = self.read(lambda case: case.counts())
        if counts is not None:
            self._show_case(self._opened.case, collections.Counter(counts))
            self.said.emit(printable(f"The case {self._opened.path} answers again."), "")
            self.answers_again.emit()
