"""A thread that asks the worker process, so that the window never waits for it.

It owns the supervisor. A photo whose worker died, hung or ran out of memory is asked once more with less (one sample, nothing on the
GPU) and then fails; stopping is polite for STOP_PATIENCE_S and then kills the worker. A model that is not wanted any more while it is
being loaded is not waited for.

The thread is Python's and not Qt's: Qt ends the program when a QThread is deleted that is still running, and a worker that the system
keeps, or a mistake while the window is being made, can bring that about.
"""

from __future__ import annotations

import queue
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, QTimer, Signal, SignalInstance
from shiboken6 import isValid

from georapp import events
from georapp.errors import GeorappError, WorkerDied, WorkerStuck
from georapp.gui.gathered import Gathered
from georapp.printable import printable
from georapp.supervisor import Supervisor

STOP_PATIENCE_S = 1.5
_LOOK_MS = 100  # whether something that should have ended has to be killed; a worker may be between ending and starting
_END_S = 10.0  # the system may keep a process that waits for a disk
_STOPPED = events.Failed("", "It was stopped.", "Stopped")


@dataclass(frozen=True, slots=True)
class Job:
    """One photo and how to ask. `ticket` is a number that no other job has; `sha256` is what the file was when it was added."""

    ticket: int
    path: Path
    sha256: str = ""
    samples: int = 0
    seed: int = 0


class Locating(QObject):
    """Takes one job after another. Signals arrive on the thread that made it."""

    loaded = Signal(object)  # events.Ready
    not_loaded = Signal(str, str)  # sentence, hint
    heard = Signal(int, object)  # ticket, events.Event
    tried_again = Signal(int, str)  # ticket, why
    done = Signal(int, object)  # ticket, events.Located or events.Failed

    def __init__(self, parent: QObject | None = None, *, patience_s: float | None = None) -> None:
        super().__init__(parent)
        self._jobs: queue.SimpleQueue[Job | tuple[int, events.Load | None] | None] = queue.SimpleQueue()
        self._how: dict[str, Any] = {"steps_back": True} | ({} if patience_s is None else {"patience_s": patience_s})
        self._load: events.Load | None = None
        self._supervisor: Supervisor | None = None
        self._stopped: dict[int, float] = {}  # ticket -> when
        self._current: int | None = None
        self._newest = 0  # of the models that were asked for
        self._loading: int | None = None
        self._ending = False
        self._turn = threading.Lock()  # nothing is killed for what is over
        self._looking = QTimer(self, interval=_LOOK_MS)
        self._looking.timeout.connect(self._look)
        self._thread = threading.Thread(target=self._work, name="asking the worker", daemon=True)

    # ---- called by the window's thread ----

    def start(self) -> None:
        """Begin the thread."""
        self._thread.start()

    def use(self, load: events.Load | None) -> None:
        """Use this model from now on, or none. One that is still being loaded is given up, and nothing more is said of it."""
        self._newest += 1
        self._jobs.put((self._newest, load))
        self._looking.start()

    def ask(self, job: Job) -> None:
        """Locate a photo."""
        self._jobs.put(job)

    def stop(self, ticket: int) -> None:
        """End this photo, also when it is in the middle of an image."""
        self._stopped.setdefault(ticket, time.monotonic())
        if self._supervisor and self._current == ticket:
            self._supervisor.stop_asked()
        self._looking.start()

    def end(self) -> bool:
        """End thread and worker; whether both are gone. May be called twice."""
        self._ending = True
        self._looking.stop()
        self._jobs.put(None)
        until = time.monotonic() + _END_S
        while self.running and time.monotonic() < until:
            self._thread.join(_LOOK_MS / 1000)
            if self.running and self._supervisor:
                self._supervisor.kill()
        return not self.running

    @property
    def running(self) -> bool:
        """Whether the thread is there."""
        return self._thread.is_alive()

    def _look(self) -> None:
        """Kill what should have ended by now."""
        with self._turn:
            superseded = self._loading is not None and self._loading != self._newest
            stopped_at = self._stopped.get(self._current) if self._current is not None else None
            late = stopped_at is not None and time.monotonic() - stopped_at > STOP_PATIENCE_S
            if (superseded or late) and self._supervisor:
                self._supervisor.kill()
            if self._loading is None and stopped_at is None and self._jobs.empty():
                self._looking.stop()

    # ---- the thread ----

    def _work(self) -> None:
        """Until `end`."""
        while (job := self._jobs.get()) is not None and not self._ending:
            if isinstance(job, Job):
                self._current = job.ticket
                outcome = self._located(job)
                with self._turn:
                    self._current = None
                self._tell(self.done, job.ticket, outcome)
            elif job[0] == self._newest:
                self._use(*job)
        if self._supervisor:
            self._supervisor.close()

    def _tell(self, signal: SignalInstance, *values: object) -> None:
        """Nobody listens after the end, and a window that was never closed may be gone."""
        if not self._ending and isValid(self):
            signal.emit(*values)

    def _use(self, number: int, load: events.Load | None) -> None:
        if self._supervisor:
            self._supervisor.close()
        if load is None:
            self._load = self._supervisor = None
            return
        self._load, self._supervisor, self._loading = load, Supervisor(load, **self._how), number
        try:
            ready = self._supervisor.start()
        except Exception as error:  # noqa: BLE001 - `_failed` reports what is a bug
            if number == self._newest and not self._ending:
                failed = _failed(error)
                self._tell(self.not_loaded, failed.reason, failed.hint)
        else:
            if number == self._newest:
                self._tell(self.loaded, ready)
        finally:
            with self._turn:
                self._loading = None

    def _located(self, job: Job) -> events.Located | events.Failed:
        try:
            return self._once(job)
        except (WorkerDied, WorkerStuck) as error:
            if self._is_stopped(job):
                return _STOPPED
            self._tell(self.tried_again, job.ticket, printable(str(error)))
            return self._with_less(job, error)
        except Exception as error:  # noqa: BLE001 - `_failed` reports what is a bug; the next photo is asked for
            return _STOPPED if self._is_stopped(job) else _failed(error)

    def _is_stopped(self, job: Job) -> bool:
        return self._ending or job.ticket in self._stopped

    def _with_less(self, job: Job, first: GeorappError) -> events.Located | events.Failed:
        """Once more, with one sample and without a GPU; the usual settings hold again afterwards."""
        usual = self._supervisor
        assert self._load is not None
        try:
            with Supervisor(replace(self._load, gpu_layers=0, max_samples=1), **self._how) as small:
                self._supervisor = small
                return self._once(replace(job, samples=1))
        except Exception as error:  # noqa: BLE001 - `_failed` reports what is a bug
            if self._is_stopped(job):
                return _STOPPED
            if not isinstance(error, GeorappError):
                return _failed(error)
            hint = f"It was tried twice, the second time with one answer only. {first.hint}".strip()
            return replace(_failed(first), hint=hint)
        finally:
            self._supervisor = usual

    def _once(self, job: Job) -> events.Located | events.Failed:
        assert self._supervisor is not None
        changed = False
        if self._is_stopped(job):
            return _STOPPED
        gathered = Gathered(lambda event: self._tell(self.heard, job.ticket, event))
        try:
            for event in self._supervisor.locate(job.path, samples=job.samples, seed=job.seed):
                if isinstance(event, events.Located | events.Failed):
                    outcome = _safe(event) if isinstance(event, events.Failed) else event
                    return _changed(job) if changed and not self._is_stopped(job) else outcome
                if isinstance(event, events.Began):
                    changed = bool(job.sha256 and event.sha256) and event.sha256 != job.sha256
                if not changed:
                    gathered.hear(event)
                if changed or self._is_stopped(job):  # also where it was stopped before the worker knew of it
                    self._supervisor.stop_asked()
        finally:
            gathered.flush()
        raise AssertionError("a photo ends with an answer or a failure")


def _failed(error: Exception) -> events.Failed:
    """A sentence for every error; what is a bug is reported too."""
    if isinstance(error, GeorappError):
        return _safe(events.Failed("", str(error), type(error).__name__, error.hint))
    if isinstance(error, OSError):
        why = (error.strerror or str(error)).lower()
        hint = "Close other programs, then try it again."
        return events.Failed("", printable(f"The model's process could not be started: {why}."), "OSError", hint)
    sys.excepthook(type(error), error, error.__traceback__)
    return events.Failed("", printable(f"A mistake of this program: {error!r}."), type(error).__name__)


def _changed(job: Job) -> events.Failed:
    sentence = printable(
        f"{job.path} has changed since it was added, so that an answer would not be about the photo of the case."
    )
    return events.Failed("", sentence, "PhotoError", "Add it again: it is another photo now.")


def _safe(event: events.Failed) -> events.Failed:
    """File names in sentences may hold anything; a case holds text."""
    return replace(event, reason=printable(event.reason), hint=printable(event.hint))
