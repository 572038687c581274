"""queue.json: which runs wait, in which order, and why some could not be started. Changed under a lock, all or nothing."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from georapp import runs
from georapp.errors import RunError
from georapp.events import from_plain, to_plain

FILE = "queue.json"
_LOCK, _DAMAGED = ".queue.lock", "queue.damaged.json"
_PATIENCE_S = 10.0  # for the lock, which is held for a moment


@dataclass(frozen=True, slots=True)
class Waiting:
    """A run that waits. `folder`: its name, where it lies among all runs, else its path; `added`: Unix time."""

    folder: str
    added: float = 0.0


@dataclass(frozen=True, slots=True)
class Complaint:
    """A run whose turn it was and that could not be started: why, what to do, when."""

    folder: str
    sentence: str
    hint: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Queue:
    """queue.json."""

    waiting: tuple[Waiting, ...] = ()
    complaints: tuple[Complaint, ...] = ()


def read() -> Queue:
    """Empty where there is none, or a damaged one: the next change puts that aside."""
    try:
        queue: Queue = from_plain(Queue, json.loads((runs.home() / FILE).read_bytes()))
    except (OSError, ValueError, TypeError, RecursionError):
        return Queue()
    return queue


@contextlib.contextmanager
def changed() -> Iterator[Callable[[Callable[[Queue], Queue]], None]]:
    """Nobody else reads and writes meanwhile. Raises RunError."""
    try:
        runs.home().mkdir(parents=True, exist_ok=True)
        with FileLock(runs.home() / _LOCK).acquire(timeout=_PATIENCE_S):
            yield lambda change: _write(change(read()))
    except Timeout as error:
        raise RunError("The queue of runs is being changed by another window.", hint="Try again in a moment.") from error
    except OSError as error:
        raise RunError(
            f"The queue of runs in {runs.home()} cannot be changed: {why(error)}.",
            hint="Make room on that disk, or start the run alone.",
        ) from error


def _write(queue: Queue) -> None:
    target = runs.home() / FILE
    if target.exists() and not _is_whole(target):
        target.replace(target.with_name(_DAMAGED))
    part = target.with_name(f".{FILE}.{os.getpid()}.part")
    with part.open("w", encoding="utf-8") as out:
        json.dump(to_plain(queue), out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    part.replace(target)


def _is_whole(path: Path) -> bool:
    try:
        from_plain(Queue, json.loads(path.read_bytes()))
    except (ValueError, TypeError, RecursionError):
        return False
    return True


def why(error: OSError) -> str:
    """For a sentence."""
    return (error.strerror or str(error)).lower()
