"""What a training process says while it runs: lines in events.jsonl and a heartbeat; and what it is asked: to stop, or to wait.

Only one process of a run writes; of several ranks the first.
"""

from __future__ import annotations

import itertools
import os
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import TracebackType

from filelock import FileLock, Timeout

import georapp
from georapp import run_events
from georapp.errors import RunError
from georapp.run_events import EVENTS, LAST, LOCK, PAUSE, STOP, Began, Heartbeat, RunEvent

BEAT_S = 5.0
POLL_S = 0.5
_TELLING = (b'{"kind": "stage"', b'{"kind": "alert"')
_PASSING = (run_events.Step, run_events.Sample)  # frequent; a power loss may take the last of them, but never a checkpoint's


class EventWriter:
    """The one writer of a run. Every line is in the file when `write` returns; all but steps and samples are also on the disk.

    Raises RunError when another process works on this run, or when its folder cannot be written to.
    """

    def __init__(self, folder: Path, *, config: str = "", beat_s: float = BEAT_S, clock: Callable[[], float] = time.time) -> None:
        self._folder, self._clock, self._beat_s = folder, clock, beat_s
        self._asked_to_stop = threading.Event()
        self._paused_for = ""
        self._closed = threading.Event()
        self._lock = _locked(folder)
        try:
            self._file = (folder / EVENTS).open("ab", buffering=0)
            self._torn = _ends_torn(folder / EVENTS)
            self.write(Began(os.getpid(), run_events.machine(), georapp.__version__, config))
            self._beat(1, at=clock())
        except OSError as error:
            self._lock.release()
            raise _unwritable(folder, error) from error
        self._heart = threading.Thread(target=self._beat_on, name="heartbeat", daemon=True)
        self._heart.start()

    def write(self, event: RunEvent) -> None:
        """Append one message, with the time. Raises RunError when the disk does not take it; the file stays readable."""
        line = run_events.to_line(replace(event, at=round(self._clock(), 3)))
        try:
            self._append(b"\n" + line if self._torn else line)
            if not isinstance(event, _PASSING):
                os.fsync(self._file.fileno())
            if isinstance(event, LAST):  # it was answered; the next start is not for it
                (self._folder / STOP).unlink(missing_ok=True)
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def request_stop(self) -> None:
        """As if somebody had made the stop file. Safe in a signal handler, which should do nothing else."""
        self._asked_to_stop.set()

    def stop_asked(self) -> bool:
        """Whether to save and end after this step."""
        return self._asked_to_stop.is_set() or (self._folder / STOP).exists()

    def pause_asked(self) -> bool:
        """Whether to wait after this step."""
        return (self._folder / PAUSE).exists()

    def ask_to_pause(self, reason: str) -> None:
        """Make the pause file, which a person deletes. Raises RunError."""
        self._paused_for = reason
        try:
            (self._folder / PAUSE).touch()
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def wait_while_paused(self, *, poll_s: float = POLL_S) -> None:
        """Return when there is no pause file, or when the run is asked to stop."""
        if not self.pause_asked() or self.stop_asked():
            return
        self.write(run_events.Paused(self._paused_for or "Somebody asked for it."))
        while self.pause_asked() and not self.stop_asked():
            time.sleep(poll_s)
        self._paused_for = ""
        self.write(run_events.Unpaused())

    def close(self) -> None:
        """End the heartbeat and let others write. May be called twice."""
        if self._closed.is_set():
            return
        self._closed.set()
        self._heart.join()
        self._beat_quietly(1, at=0.0)  # so that other machines see at once that it is over
        self._file.close()
        self._lock.release()

    def __enter__(self) -> EventWriter:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close()

    def _append(self, data: bytes) -> None:
        """A nearly full disk takes a part of a line; the next line then begins by closing it."""
        while data:
            self._torn = True
            data = data[self._file.write(data) :]
        self._torn = False

    def _beat_on(self) -> None:
        for beats in itertools.count(2):
            if self._closed.wait(self._beat_s):
                return
            self._beat_quietly(beats, at=self._clock())

    def _beat_quietly(self, beats: int, *, at: float) -> None:
        try:
            self._beat(beats, at=at)
        except OSError:  # a full disk: the pid still tells that this process lives, on its own machine
            pass

    def _beat(self, beats: int, *, at: float) -> None:
        pid = os.getpid()
        beat = Heartbeat(pid, run_events.started(pid), run_events.machine(), beats, at)
        run_events.write_heartbeat(self._folder, beat)


def unsettled(folder: Path, stage: str, step: int) -> frozenset[str]:
    """The guards whose last word in a stage, up to a step, was an alert and not that it is over."""
    now, alerts = "", list[run_events.Alert]()
    with (folder / EVENTS).open("rb") as lines:
        for line in lines:
            if not line.startswith(_TELLING):
                continue
            try:
                event = run_events.from_line(line)
            except ValueError:  # half a line, of a process that was killed
                continue
            if isinstance(event, run_events.Stage) and event.state in ("began", "resumed"):
                now = event.name
                alerts = [alert for alert in alerts if now != stage or alert.step <= event.step]
            elif isinstance(event, run_events.Alert) and now == stage:
                alerts.append(event)
    last = {alert.guard: alert for alert in alerts if alert.step <= step}
    return frozenset(guard for guard, alert in last.items() if not alert.over)


def _locked(folder: Path) -> FileLock:
    lock = FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except Timeout as error:
        raise RunError(
            f"Another process is training in {folder}.", hint="Follow that one, or stop it before this one is started."
        ) from error
    except OSError as error:
        raise _unwritable(folder, error) from error
    return lock


def _ends_torn(path: Path) -> bool:
    with path.open("rb") as file:
        size = file.seek(0, os.SEEK_END)
        file.seek(max(0, size - 1))
        return file.read(1) not in (b"", b"\n")


def _unwritable(folder: Path, error: OSError) -> RunError:
    why = (error.strerror or str(error)).lower()
    hint = "Make room on that disk, or give the right to write, and start the run again: it goes on from its last checkpoint."
    return RunError(f"The messages of the run cannot be written to {folder}: {why}.", hint=hint)
