"""A thread that asks the worker process, so that the window never waits for it.

It owns the supervisor. A photo whose worker died, hung or ran out of memory is asked once more with less (one sample, nothing on the
GPU) and then fails; stopping is polite for STOP_PATIENCE_S and then kills the worker.
"""

from __future__ import annotations

import queue
from dataclasses import dataclass, replace
from pathlib import Path

from PySide6.QtCore import QObject, QThread, QTimer, Signal

from georapp import events
from georapp.errors import GeorappError, WorkerDied, WorkerStuck
from georapp.supervisor import Supervisor

STOP_PATIENCE_S = 1.5


@dataclass(frozen=True, slots=True)
class Job:
    """One photo and how to ask. `ticket` is a number that no other job has."""

    ticket: int
    path: Path
    samples: int = 0
    seed: int = 0


class Locating(QThread):
    """Takes one job after another. Signals arrive on the thread that made it."""

    loaded = Signal(object)  # events.Ready
    not_loaded = Signal(str, str)  # sentence, hint
    heard = Signal(int, object)  # ticket, events.Event
    tried_again = Signal(int, str)  # ticket, why
    done = Signal(int, object)  # ticket, events.Located or events.Failed

    def __init__(self, parent: QObject | None = None, *, patience_s: float | None = None) -> None:
        super().__init__(parent)
        self._jobs: queue.SimpleQueue[Job | events.Load | None] = queue.SimpleQueue()
        self._patience = {} if patience_s is None else {"patience_s": patience_s}
        self._load: events.Load | None = None
        self._supervisor: Supervisor | None = None
        self._stopped: set[int] = set()
        self._current: int | None = None

    # ---- called by the window's thread ----

    def use(self, load: events.Load) -> None:
        """Use this model from now on."""
        self._jobs.put(load)

    def ask(self, job: Job) -> None:
        """Locate a photo."""
        self._jobs.put(job)

    def stop(self, ticket: int) -> None:
        """End this photo, also when it is in the middle of an image."""
        self._stopped.add(ticket)
        if self._supervisor and self._current == ticket:
            self._supervisor.stop_asked()
            QTimer.singleShot(int(STOP_PATIENCE_S * 1000), self, lambda: self._kill_if_still(ticket))

    def end(self) -> None:
        """End thread and worker. Returns when both are gone."""
        self._jobs.put(None)
        if self._current is not None:
            self._stopped.add(self._current)
        if self._supervisor:
            self._supervisor.kill()
        self.wait()

    def _kill_if_still(self, ticket: int) -> None:
        if self._current == ticket and ticket in self._stopped and self._supervisor:
            self._supervisor.kill()

    # ---- the thread ----

    def run(self) -> None:
        """Until `end`."""
        while (job := self._jobs.get()) is not None:
            if isinstance(job, events.Load):
                self._use(job)
            else:
                self._current = job.ticket
                try:
                    outcome = self._located(job)
                finally:
                    self._current = None
                self.done.emit(job.ticket, outcome)
        if self._supervisor:
            self._supervisor.close()

    def _use(self, load: events.Load) -> None:
        if self._supervisor:
            self._supervisor.close()
        self._load, self._supervisor = load, Supervisor(load, **self._patience)
        try:
            self.loaded.emit(self._supervisor.start())
        except GeorappError as error:
            self.not_loaded.emit(str(error), error.hint)

    def _located(self, job: Job) -> events.Located | events.Failed:
        try:
            return self._once(job)
        except (WorkerDied, WorkerStuck) as error:
            if job.ticket in self._stopped:
                return events.Failed("", "It was stopped.", "Stopped")
            self.tried_again.emit(job.ticket, str(error))
            return self._with_less(job, error)
        except GeorappError as error:
            return events.Failed("", str(error), type(error).__name__, error.hint)

    def _with_less(self, job: Job, first: GeorappError) -> events.Located | events.Failed:
        """Once more, with one sample and without a GPU; the usual settings hold again afterwards."""
        usual = self._supervisor
        assert self._load is not None
        try:
            with Supervisor(replace(self._load, gpu_layers=0, max_samples=1), **self._patience) as small:
                self._supervisor = small
                return self._once(replace(job, samples=1))
        except GeorappError:
            if job.ticket in self._stopped:
                return events.Failed("", "It was stopped.", "Stopped")
            hint = f"It was tried twice, the second time with one answer only. {first.hint}".strip()
            return events.Failed("", str(first), type(first).__name__, hint)
        finally:
            self._supervisor = usual

    def _once(self, job: Job) -> events.Located | events.Failed:
        assert self._supervisor is not None
        if job.ticket in self._stopped:
            return events.Failed("", "It was stopped.", "Stopped")
        for event in self._supervisor.locate(job.path, samples=job.samples, seed=job.seed):
            if isinstance(event, events.Located | events.Failed):
                return event
            self.heard.emit(job.ticket, event)
            if job.ticket in self._stopped:  # it was stopped before the worker knew of it
                self._supervisor.stop_asked()
        raise AssertionError("a photo ends with an answer or a failure")
