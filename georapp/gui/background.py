"""Work that takes longer than the window may stand still, on Qt's thread pool."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, Signal
from shiboken6 import isValid

from georapp.errors import GeorappError

Done = Callable[[Any], None]
Failed = Callable[[GeorappError], None]


class _Task(QObject):
    """Carries the outcome to the window's thread. It belongs to nobody that may be deleted while the work is going on."""

    ended = Signal(object, object)  # outcome, GeorappError or None

    def __init__(self, function: Callable[[], Any], done: Done, failed: Failed | None, asker: QObject) -> None:
        super().__init__()
        self._function, self._done, self._failed, self._asker = function, done, failed, asker
        self.ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def work(self) -> None:
        """On the other thread."""
        try:
            outcome = self._function()
        except GeorappError as error:
            self.ended.emit(None, error)
        else:
            self.ended.emit(outcome, None)

    def _deliver(self, outcome: object, error: GeorappError | None) -> None:
        _going_on.discard(self)
        if not isValid(self._asker):  # its window was closed meanwhile
            return
        if error is None:
            self._done(outcome)
        elif self._failed:
            self._failed(error)


class _Runnable(QRunnable):
    def __init__(self, task: _Task) -> None:
        super().__init__()
        self._task = task

    def run(self) -> None:
        try:
            self._task.work()
        except Exception:  # noqa: BLE001 - a bug, which is reported like every other one
            if not isValid(self._task):  # the program is ending
                return
            sys.excepthook(*sys.exc_info())


_going_on: set[_Task] = set()
_AT_ONCE = 8  # some may wait for a disk
_END_MS = 3000


def end() -> bool:
    """Begin nothing more; whether everything that was begun is done."""
    pool = QThreadPool.globalInstance()
    pool.clear()
    return pool.waitForDone(_END_MS)


def run(function: Callable[[], Any], done: Done, *, parent: QObject, failed: Failed | None = None) -> None:
    """Call `function` on another thread, then `done` with its result, or `failed` with a GeorappError, on this one.

    Neither is called when `parent` is gone by then. Other exceptions are bugs and reach sys.excepthook.
    """
    task = _Task(function, done, failed, parent)
    _going_on.add(task)
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(_AT_ONCE, pool.maxThreadCount()))
    pool.start(_Runnable(task))
