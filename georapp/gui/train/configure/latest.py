"""Work on another thread of which only the latest result counts: a question that was asked anew meanwhile makes the older answer stale."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal

from georapp.errors import GeorappError, RunError
from georapp.gui.background import run


class Latest(QObject):
    """`done` with a result, or `failed` with a GeorappError. `rest_ms`: how long nothing more may be asked before it is begun."""

    done = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject, *, rest_ms: int = 0, silent: str = "") -> None:
        super().__init__(parent)
        self._silent = silent  # said when a disk does not answer
        self._turn = 0
        self._waiting: Callable[[], Any] | None = None
        self._busy = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(rest_ms)
        self._timer.timeout.connect(self._begin)

    @property
    def busy(self) -> bool:
        """An answer is to come."""
        return self._busy or self._timer.isActive()

    def ask(self, function: Callable[[], Any]) -> None:
        """An earlier question is not answered any more."""
        self._turn += 1
        self._busy = False
        self._waiting = function
        self._timer.start()

    def drop(self) -> None:
        """No answer is wanted any more."""
        self._turn += 1
        self._busy, self._waiting = False, None
        self._timer.stop()

    def _begin(self) -> None:
        function, self._waiting = self._waiting, None
        if function is None:
            return
        self._busy = True
        turn = self._turn
        silent = functools.partial(self._complain, turn) if self._silent else None
        run(function, functools.partial(self._take, turn), parent=self, failed=functools.partial(self._fail, turn), silent=silent)

    def _take(self, turn: int, outcome: Any) -> None:
        if turn == self._turn:
            self._busy = False
            self.done.emit(outcome)

    def _fail(self, turn: int, error: GeorappError) -> None:
        if turn == self._turn:
            self._busy = False
            self.failed.emit(error)

    def _complain(self, turn: int) -> None:
        """It may still answer; until then this is what is known."""
        if turn == self._turn and self._busy:
            self._busy = False
            self.failed.emit(RunError(self._silent, hint="Check its disk or network. The answer is shown when it comes."))
