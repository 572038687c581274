"""Runs that wait for their turn: one run trains at a time, the next one begins when it has ended, also when every window is closed.

    run_queue.add(folder)        it waits behind the others
    run_queue.start(python)      a process of its own, `georapp run-queue`, starts one after the other; nothing happens when one does already

The order lies in the folder of all runs, in queue.json. A run leaves it when its process was started, so that whatever is killed in
between, nothing is lost and nothing is started twice.
"""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from filelock import FileLock, Timeout

from georapp import run_events, runs
from georapp.errors import GeorappError, RunError
from georapp.run_queue_file import Complaint, Queue, Waiting, changed, read, why
from georapp.runs import State

_WORK_LOCK = ".queue-work.lock"
POLL_S = 2.0  # between two looks at the run that goes on
_TAKEOVER_S = 3.0  # for another process that is about to end
_MOST_COMPLAINTS = 20


# ---- what people do with it ----


def add(folder: Path) -> None:
    """Behind the others; one that waits already keeps its place. Raises RunError for what cannot be started."""
    _refuse(folder)
    name = _name(folder)
    with changed() as change:
        change(lambda queue: queue if name in _names(queue) else _with(queue, [*queue.waiting, Waiting(name, time.time())]))


def remove(folder: Path) -> None:
    """It waits no longer. The run itself stays as it is. Raises RunError."""
    name = _name(folder)
    with changed() as change:
        change(lambda queue: _with(queue, [one for one in queue.waiting if one.folder != name]))


def move(folder: Path, place: int) -> None:
    """To a place in the queue: 0 is next. Raises RunError."""
    name = _name(folder)

    def moved(queue: Queue) -> Queue:
        rest = [one for one in queue.waiting if one.folder != name]
        mine = [one for one in queue.waiting if one.folder == name]
        n = max(0, place)
        return _with(queue, [*rest[:n], *mine, *rest[n:]])

    with changed() as change:
        change(moved)


def waiting() -> list[Path]:
    """The folders that wait, the next one first. None when the file is damaged: the next change puts it aside."""
    return [runs.home() / one.folder for one in read().waiting]


def complaints() -> list[Complaint]:
    """Why runs could not be started, the latest last."""
    return list(read().complaints)


def forgive() -> None:
    """Forget the complaints: somebody has read them. Raises RunError."""
    with changed() as change:
        change(lambda queue: replace(queue, complaints=()))


def is_working() -> bool:
    """Whether a process starts one run after the other."""
    if not (runs.home() / _WORK_LOCK).exists():
        return False
    try:
        with FileLock(runs.home() / _WORK_LOCK).acquire(timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a disk that cannot be written to: nobody works there
        return False


def command(python: Path | str) -> list[str]:
    """What works through the queue; `python` is the one that trains."""
    return [sys.executable, "-m", "georapp", "run-queue", "--python", str(python)]


def start(python: Path | str) -> None:
    """See to it that a process works through the queue: one that goes on when this one ends. Raises RunError."""
    if is_working() or not waiting():
        return
    try:
        process = subprocess.Popen(
            command(python),
            cwd=Path(__file__).resolve().parent.parent,  # where Python finds georapp, installed or not
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError as error:
        raise RunError(f"The queue cannot be worked through: {why(error)}.", hint="Start the runs one by one.") from error
    threading.Thread(target=process.wait, daemon=True).start()  # or it would stay as a zombie


# ---- the process that works through it ----


def work(python: Path | str, *, arguments: Callable[[Path], Sequence[str]] | None = None, poll_s: float = POLL_S) -> int:
    """Start one run after the other until none waits; how many were started.

    0 at once when another process does it already. A run that fails, or that cannot be started, holds up nobody. `arguments`: the
    command of a run, that of `runs.command` when it is left out. Raises RunError when the queue cannot be read or written.
    """
    runs.home().mkdir(parents=True, exist_ok=True)
    lock, started = FileLock(runs.home() / _WORK_LOCK), 0
    try:
        lock.acquire(timeout=_TAKEOVER_S)
    except Timeout:
        return 0
    try:
        while True:
            _wait_until_nothing_runs(poll_s)
            folder = _next(lock)
            if folder is None:
                return started
            started += _begin(folder, arguments(folder) if arguments else runs.command(folder, python))
    finally:
        lock.release(force=True)


def _wait_until_nothing_runs(poll_s: float) -> None:
    while runs.going_on() is not None:
        time.sleep(poll_s)


def _next(lock: FileLock) -> Path | None:
    """Whose turn it is. When nobody's, the right to work is given back before anybody else can add one and find it taken."""
    with changed():
        queue = read()
        if not queue.waiting:
            lock.release(force=True)
            return None
        return runs.home() / queue.waiting[0].folder


def _begin(folder: Path, arguments: Sequence[str]) -> bool:
    """Start a run, then take it out of the queue."""
    try:
        if not (done := runs.look(folder).state is State.FINISHED):  # this process was killed between both, and the run went on
            runs.start(folder, arguments)
    except GeorappError as error:
        complaint = Complaint(_name(folder), str(error), error.hint, time.time())
        with changed() as change:
            change(lambda queue: replace(queue, complaints=(*queue.complaints, complaint)[-_MOST_COMPLAINTS:]))
        done = True
    remove(folder)
    return not done


# ---- parts ----


def _refuse(folder: Path) -> None:
    if not (folder / run_events.CONFIG).is_file():
        raise RunError(f"{folder} is no run: it has no {run_events.CONFIG}.", hint="Make a new run.")
    state = runs.look(folder).state
    if state.alive:
        raise RunError(f"{folder.name} is running already.", hint="It needs no place in the queue.")
    if state is State.FINISHED:
        raise RunError(f"{folder.name} has finished already.", hint="Make a new run of its settings.")


def _name(folder: Path) -> str:
    return folder.name if folder.parent == runs.home() else str(folder.absolute())


def _names(queue: Queue) -> list[str]:
    return [one.folder for one in queue.waiting]


def _with(queue: Queue, waiting: Sequence[Waiting]) -> Queue:
    return replace(queue, waiting=tuple(waiting))
