"""Opens cases on threads of their own, so that the window goes on while a disk or a network is waited for.

A case that does not answer for PATIENCE_S is given up, which is said. When it answers later it is not put in the place of what a person
works on by then: it is closed again, and said to be there. One case is opened at a time, because the right to write is given once.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from georapp.case import Case, State
from georapp.errors import CaseError, CaseSilent, GeorappError
from georapp.gui.case_thread import CaseThread
from georapp.printable import printable

PATIENCE_S = 5.0
_LOOK_MS = 10


@dataclass(frozen=True, slots=True)
class Way:
    """A case, and how it is opened or made."""

    path: Path
    open: Callable[[Path], Case] = Case.open


@dataclass(frozen=True, slots=True)
class Opened:
    """A case with its thread, the only one that may use it. `path`: without links, as it is remembered."""

    case: Case
    path: Path
    identity: os.stat_result
    counts: Mapping[State, int]
    thread: CaseThread


@dataclass
class _Attempt:
    way: Way
    thread: CaseThread
    future: Future[Opened | None]
    wanted: bool = True
    since: float = field(default_factory=time.monotonic)


class Opening(QObject):
    """Tries one way after the other until a case is open."""

    changed = Signal()  # `path`
    ended = Signal(object, object)  # Opened, or None for the same case as before; GeorappError of the first way, or None
    late = Signal(object)  # Path of a case that was given up and answers now

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.patience_s = PATIENCE_S
        self._ways: list[Way] = []
        self._complaints: list[GeorappError] = []
        self._now: Opened | None = None  # the case that is open
        self._attempt: _Attempt | None = None
        self._given_up: list[_Attempt] = []
        self._leaving: list[CaseThread] = []  # those of closed cases that may still be waiting for a disk
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self._look)

    @property
    def path(self) -> Path | None:
        """What is being opened."""
        if self._attempt and self._attempt.wanted:
            return self._attempt.way.path
        return self._ways[0].path if self._ways else None

    def begin(self, ways: Sequence[Way], now: Opened | None) -> None:
        """Open the first that can be opened, in place of what is being opened. `now`: the case that is open, which is not opened twice."""
        if self._attempt and self._attempt.wanted and [self._attempt.way] == list(ways):  # a double click
            return
        self._ways, self._complaints, self._now = list(ways), [], now
        if self._attempt:
            self._attempt.wanted = False  # it holds the right to write; the next one begins when it is closed
        else:
            self._next()
        self._looking.start()
        self.changed.emit()

    def open(self, way: Way, now: Opened | None) -> Opened | None:
        """The same for callers that wait, however long it takes; None when it is the case that is open. Raises CaseError."""
        self._drop()
        attempt = self._begun(way, now)
        try:
            opened = attempt.future.result()
        except BaseException:
            self._let_go(attempt)
            raise
        if opened is None:
            self._let_go(attempt)
        return opened

    def close(self, opened: Opened) -> None:
        """Let go of a case; a silent one is not waited for."""
        self._leave(opened.thread, opened.case.close)

    def end(self) -> bool:
        """Begin nothing more; whether all threads are gone."""
        self._looking.stop()
        self._drop()
        while self._given_up:
            self._let_go(self._given_up.pop())
        return not any(thread.is_alive() for thread in self._leaving)

    # ---- one after the other ----

    def _next(self) -> None:
        """The next way, or the end."""
        if not self._ways:
            self._end(None)
            return
        way = self._ways.pop(0)
        waiting = next((attempt for attempt in self._given_up if attempt.way == way), None)
        if waiting:  # two threads would take the right to write from each other
            self._given_up.remove(waiting)
            waiting.wanted, waiting.since = True, time.monotonic()
        self._attempt = waiting or self._begun(way, self._now)
        self.changed.emit()

    def _look(self) -> None:
        for attempt in [attempt for attempt in self._given_up if attempt.future.done()]:
            self._hear_late(attempt)
        if now := self._attempt:
            if now.future.done():
                self._attempt = None
                self._finish(now)
            elif time.monotonic() - now.since > self.patience_s:
                self._attempt = None
                self._give_up(now)
        if not self._attempt and not self._given_up:
            self._looking.stop()

    def _finish(self, attempt: _Attempt) -> None:
        error = attempt.future.exception()
        opened = None if error else attempt.future.result()
        if not (attempt.wanted and opened):
            self._let_go(attempt)
        if not attempt.wanted:
            self._next()
        elif error:
            self._complaints.append(_sentence(attempt.way.path, error))
            self._next()
        else:
            self._ways.clear()
            self._end(opened)

    def _give_up(self, attempt: _Attempt) -> None:
        attempt.thread.silent = True  # so that nobody waits for it
        self._given_up.append(attempt)
        if attempt.wanted:
            sentence = printable(f"The case {attempt.way.path} does not answer: is its disk or network there?")
            self._complaints.append(CaseSilent(sentence, hint="The window goes on without it."))
        self._next()

    def _end(self, opened: Opened | None) -> None:
        self.changed.emit()
        self.ended.emit(opened, self._complaints[0] if self._complaints else None)

    def _hear_late(self, attempt: _Attempt) -> None:
        self._given_up.remove(attempt)
        self._let_go(attempt)
        if attempt.wanted and not attempt.future.exception():
            self.late.emit(attempt.way.path)

    def _drop(self) -> None:
        """Nothing of what is being opened is wanted any more."""
        self._ways.clear()
        attempt, self._attempt = self._attempt, None
        if attempt:
            self._let_go(attempt)
            self.changed.emit()

    def _let_go(self, attempt: _Attempt) -> None:
        """Close its case, also one that is opened later, and end its thread."""
        self._leave(attempt.thread, lambda: _close(attempt.future))

    def _leave(self, thread: CaseThread, last: Callable[[], None]) -> None:
        thread.leave(last)
        self._leaving = [other for other in (*self._leaving, thread) if other.is_alive()]

    def _begun(self, way: Way, now: Opened | None) -> _Attempt:
        thread = CaseThread(way.path)
        before = [other for other in self._leaving if other.path == way.path]
        return _Attempt(way, thread, thread.begin(lambda: _open(way, now, thread, before)))


def _open(way: Way, now: Opened | None, thread: CaseThread, before: Sequence[CaseThread]) -> Opened | None:
    """None when it is the case that is open. Raises CaseError, also for damage that only shows when a case is read."""
    for other in before:  # it still has the right to write
        other.join()
    if now and _same_file(now.identity, way.path) and way.open == Case.open:
        return None
    case = way.open(way.path)
    try:
        thread.path = case.path.resolve()
        return Opened(case, thread.path, thread.path.stat(), case.counts(), thread)
    except OSError as error:
        case.close()
        raise CaseError(f"{way.path} cannot be opened: {(error.strerror or str(error)).lower()}.") from error
    except BaseException:
        case.close()
        raise


def _same_file(one: os.stat_result, other: Path) -> bool:
    """By what was known of the open case when it was opened: it may not answer by now, and the other one should be opened all the same."""
    try:
        return os.path.samestat(one, other.stat())
    except OSError:  # there is none
        return False


def _close(opened: Future[Opened | None]) -> None:
    """On the thread of a case that nobody wants any more."""
    if not opened.exception() and (found := opened.result()):
        found.case.close()


def _sentence(path: Path, error: BaseException) -> GeorappError:
    """What is a bug is reported too."""
    if isinstance(error, GeorappError):
        return error
    sys.excepthook(type(error), error, error.__traceback__)
    return CaseError(printable(f"{path} cannot be opened: a mistake of this program, {error!r}."))
