"""Work that takes longer than the window may stand still, on Qt's thread pool.

A disk or a network may never answer. Whoever asks for something that touches one is told so after some seconds, and the thread that waits
does not count as one of the pool any more.
"""

from __future__ import annotations

import contextlib
import functools
import sys
import threading
from collections.abc import Callable
from typing import Any, cast

from PySide6.QtCore import QObject, QRunnable, Qt, QThreadPool, QTimer, Signal
from shiboken6 import isValid

from georapp.errors import GeorappError

Done = Callable[[Any], None]
Failed = Callable[[GeorappError], None]
Silent = Callable[[], None]

PATIENCE_S = 5.0


class _Task:
    """One piece of work. No QObject: the other thread may be the last to let go of it, and Qt destroys an object under a lock for which
    the window may be waiting while it holds Python's, which the destroying thread needs too: both would wait for ever.
    """

    def __init__(self, function: Callable[[], Any], done: Done, failed: Failed | None, asker: QObject) -> None:
        self._function: Callable[[], Any] | None = function
        self._done: Done | None = done
        self._failed, self._asker = failed, cast(QObject | None, asker)
        self._working = self._waits = self._broken = False

    def work(self, mail: _Mail) -> None:
        """On the other thread."""
        self._working = True
        assert self._function is not None
        try:
            outcome = self._function()
        except GeorappError as error:
            mail.ended.emit(self, None, error)
        except Exception:
            self._broken = True
            raise
        else:
            mail.ended.emit(self, outcome, None)

    def complain(self, silent: Silent) -> None:
        """After some seconds: when it is being worked on and not done, say so, and let others have the place in the pool."""
        if self in _going_on and _is_there(self._asker) and not self._broken:
            if self._working:
                self._waits = True
                QThreadPool.globalInstance().releaseThread()
            silent()

    def deliver(self, outcome: object, error: GeorappError | None) -> None:
        """On the window's thread. What belongs to widgets is let go of here, and not by the other thread."""
        _going_on.discard(self)
        if self._waits:
            QThreadPool.globalInstance().reserveThread()
        asker, done, failed = self._asker, self._done, self._failed
        self._function = self._done = self._failed = self._asker = None
        if not _is_there(asker):  # its window was closed meanwhile
            return
        if error is None and done:
            done(outcome)
        elif error is not None and failed:
            failed(error)


def _is_there(asker: QObject | None) -> bool:
    return asker is not None and isValid(asker)


class _Mail(QObject):
    """Carries outcomes to the thread on which it was made, and is there as long as the program."""

    ended = Signal(object, object, object)  # _Task, outcome, GeorappError or None

    def __init__(self) -> None:
        super().__init__()
        self.ended.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def _deliver(self, task: _Task, outcome: object, error: GeorappError | None) -> None:
        task.deliver(outcome, error)


@functools.cache
def _mail() -> _Mail:
    """First asked for by the window's thread."""
    return _Mail()


class _Runnable(QRunnable):
    def __init__(self, task: _Task, mail: _Mail) -> None:
        super().__init__()
        self._task, self._mail = task, mail

    def run(self) -> None:
        try:
            self._task.work(self._mail)
        except Exception:  # noqa: BLE001 - a bug, which is reported like every other one
            if not isValid(self._mail):  # the program is ending
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


def finish(function: Callable[[], object]) -> None:
    """Call it at the end of the program, when nobody is left to be told what goes wrong; wait for it, but not for ever."""

    def work() -> None:
        with contextlib.suppress(GeorappError):
            function()

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    thread.join(_END_MS / 1000)


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
    pool.start(_Runnable(task, _mail()))
    if silent:
        QTimer.singleShot(round(PATIENCE_S * 1000), parent, lambda: task.complain(silent))
