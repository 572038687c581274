"""The thread on which one case is opened, read and written. Its disk or network may stop answering, and then only this thread waits.

Nothing of Qt is known here, whose objects may be gone when the disk comes back. Python does not wait for it at the end of the program.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from pathlib import Path
from typing import Any, TypeVar

from georapp.errors import CaseSilent
from georapp.printable import printable

T = TypeVar("T")

PATIENCE_S = 2.0  # for what takes milliseconds on a disk that is well; the window stands still so long, and only once


class CaseThread(threading.Thread):
    """Does one thing after another. `silent`: something was not done in time, and is still not done."""

    def __init__(self, path: Path) -> None:
        super().__init__(name=f"case {path}", daemon=True)
        self.path, self.patience_s = path, PATIENCE_S
        self.silent = False
        self._calls: queue.SimpleQueue[tuple[Future[Any], Callable[[], Any]] | None] = queue.SimpleQueue()
        self._turn = threading.Lock()
        self.start()

    # ---- called by the window's thread ----

    def begin(self, what: Callable[[], T]) -> Future[T]:
        """Do this when its turn comes; nobody waits."""
        future: Future[T] = Future()
        self._calls.put((future, what))
        return future

    def ask(self, what: Callable[[], T], *, keep: bool = False) -> T:
        """What this returns. `keep`: it is done also by a silent case, as soon as that answers.

        Raises CaseSilent when it is not done in time, at once where the case is known to be silent, and whatever `what` raises.
        """
        if self.silent and not keep:
            raise self._silence()
        future = self.begin(what)
        if not self.silent:
            wait([future], self.patience_s)
        self.wait_no_more(future)
        return future.result()

    def wait_no_more(self, future: Future[Any]) -> None:
        """The case is silent from now on, and CaseSilent is raised, unless this is done."""
        with self._turn:
            self.silent = self.silent or not future.done()
            if not future.done():
                raise self._silence()

    def leave(self, last: Callable[[], object]) -> None:
        """Do this as the last thing, then end. A silent case is not waited for."""
        self.begin(last)
        self._calls.put(None)
        self.join(0.0 if self.silent else self.patience_s)

    def _silence(self) -> CaseSilent:
        return CaseSilent(
            printable(f"The case {self.path} does not answer: is its disk or network there?"),
            hint="The window goes on without it; what is begun is saved as soon as it answers.",
        )

    # ---- the thread ----

    def run(self) -> None:
        """Until `leave`."""
        while (call := self._calls.get()) is not None:
            future, what = call
            outcome: Any = None
            wrong: BaseException | None = None
            try:
                outcome = what()
            except BaseException as error:  # noqa: BLE001 - whoever asked gets it
                wrong = error
            with self._turn:
                future.set_exception(wrong) if wrong else future.set_result(outcome)
                self.silent = self.silent and not self._calls.empty()
