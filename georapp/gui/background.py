"""Work that takes longer than the window may stand still, on Qt's thread pool.

A disk or a network may never answer. Whoever asks for something that touches one is told so after some seconds, and the thread that waits
does not count as one of the pool any more.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal
from shiboken6 import isValid

from georapp.errors import GeorappError

Done = Callable[[Any], None]
Failed = Callable[[GeorappError], None]
Silent = Callable[[], None]

PATIENCE_S = 5.0


class _Task(QObject):
    """Carries the outcome to the window's thread. It belongs to nobody that may be deleted while the work is going on."""

    ended = Signal(object, object)  # outcome, GeorappError or None

    def __init__(self, function: Callable[[], Any], done: Done, failed: Failed | None, asker: QObject) -> None:
        super().__init__()
        self._function, self._done, self._failed, self._asker = function, done, failed, asker
        self.ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)
        self._working = self._waits = self._broken = False

    def work(self) -> None:
        """On the other thread."""
        self._working = True
        try:
            outcome = self._function()
        except GeorappError as error:
            self.ended.emit(None, error)
        except Exception:
            self._broken = True
            raise
        else:
            self.ended.emit(outcome, None)

    def complain(self, silent: Silent) -> None:
        """After some seconds: when it is being worked on and not done, say so, and let others have the place in the pool."""
        if self in _going_on and isValid(self._asker) and not self._broken:
            if self._working:
                self._waits = True
                QThreadPool.globalInstance().releaseThread()
            silent()

    def _deliver(self, outcome: object, error: GeorappError | None) -> None:
        _going_on.discard(self)
        if self._waits:
            QThreadPool.globalInstance().reserveThread()
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


def run(
    function: Callable[[], Any], done: Done, *, parent: QObject, failed: Failed | None = None, silent: Silent | None = None
) -> None:
    """Call `function` on another thread, then `done` with its result, or `failed` with a GeorappError, on this one.

    `silent` is called before that when it takes longer than PATIENCE_S. None of them is called when `parent` is gone by then. Other
    exceptions are bugs and reach sys.excepthook.
    """
    task = _Task(function, done, failed, parent)
    _going_on.add(task)
    pool = QThreadPool.globalInstance()
    pool.setMaxThreadCount(max(_AT_ONCE, pool.maxThreadCount()))
    pool.start(_Runnable(task))
    if silent:
        QTimer.singleShot(round(PATIENCE_S * 1000), parent, lambda: task.complain(silent))
