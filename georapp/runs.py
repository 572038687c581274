"""Run folders, seen from outside: make one, start it, follow it, pause and stop it, list them all. No Qt and no torch.

A run is a folder. What state it is in is never stored: it follows from its last messages and from whether its process lives, so that
a process that was killed cannot leave a run "running" or "stopping" behind. A process lives when this machine has one with its pid and
its start time; of a process on another machine only the heartbeat is seen.
"""

from __future__ import annotations

import enum
import os
import shutil
import signal
import subprocess
import threading
import time
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from georapp import paths, run_events
from georapp.chain import folded
from georapp.errors import RunError
from georapp.run_events import CONFIG, EVENTS, LAST, LOG, PAUSE, STOP, Heartbeat, RunEvent
from georapp.training_process import environment

FRESH_S = 60.0  # a heartbeat from another machine that is older means that its process is gone
TAIL = 256 * 1024  # bytes at the end of events.jsonl from which the state is read
CHUNK = 2**20  # bytes that are read at once when a run is followed: some 1,000 steps
GRACE_S = 15.0  # to save and end, before a run is ended that should stop now
_POLL_S = 0.1
_SPAWN_LOCK = ".start.lock"


class State(enum.Enum):
    """What a run is doing."""

    CREATED = "created"  # never started
    STARTING = "starting"  # its process lives and has not spoken yet
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"  # asked to stop, still saving
    STOPPED = "stopped"  # can be resumed
    FAILED = "failed"
    DIED = "died"  # its process is gone without a word: killed, crashed, power loss; can be resumed
    FINISHED = "finished"

    @property
    def alive(self) -> bool:
        """Whether a process works on it."""
        return self in (State.STARTING, State.RUNNING, State.PAUSED, State.STOPPING)


@dataclass(frozen=True, slots=True)
class Run:
    """A run as it was a moment ago. `said`: why it paused, failed or died, and `hint` what to do; `at`: Unix time of its last message."""

    folder: Path
    state: State
    stage: str = ""
    step: int = 0
    total: int = 0
    said: str = ""
    hint: str = ""
    at: float = 0.0

    @property
    def name(self) -> str:
        """Of its folder."""
        return self.folder.name


# ---- folders ----


def home() -> Path:
    """Where runs lie when nothing else is said."""
    return paths.home() / "runs"


def create(name: str, config: str, *, parent: Path | None = None, day: str = "") -> Path:
    """A new run folder, like 2026-11-21-lisbon, with `config` as its run.toml. Raises RunError."""
    parent = parent or home()
    stem = "-".join([day or time.strftime("%Y-%m-%d"), *folded(name).split()])[:60]
    fresh = parent / f".new-{uuid.uuid4().hex}"
    try:
        parent.mkdir(parents=True, exist_ok=True)
        fresh.mkdir()
        _write(fresh / CONFIG, config)
        return _placed(fresh, parent / stem)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RunError(f"No run can be made in {parent}: {_why(error)}.", hint="Choose another folder.") from error


def _placed(fresh: Path, wanted: Path) -> Path:
    """Rename to the first free name: a folder with something in it is never replaced."""
    for number in range(1, 1000):
        target = wanted if number == 1 else wanted.with_name(f"{wanted.name}-{number}")
        try:
            return fresh.rename(target)
        except OSError:
            if not target.exists():
                raise
    raise RunError(f"There are a thousand runs called {wanted.name}.", hint="Choose another name.")


def _write(path: Path, text: str) -> None:
    with path.open("w", encoding="utf-8", newline="\n") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())


def list_runs(parent: Path | None = None) -> list[Run]:
    """All runs in a folder, newest name first. Folders without a run.toml are none."""
    try:
        folders = sorted((parent or home()).iterdir(), reverse=True)
    except OSError:
        return []
    return [look(folder) for folder in folders if not folder.name.startswith(".") and (folder / CONFIG).is_file()]


def going_on(parent: Path | None = None) -> Run | None:
    """The run whose process lives; None when none does. Quick, also with many runs: the others are not read."""
    try:
        folders = sorted((parent or home()).iterdir(), reverse=True)
    except OSError:
        return None
    for folder in folders:
        beat = run_events.read_heartbeat(folder) if not folder.name.startswith(".") else None
        if beat and _lives(beat, time.time()) and (run := look(folder)).state.alive:
            return run
    return None


# ---- state ----


def look(folder: Path) -> Run:
    """The run in a folder, as it is now."""
    beat = run_events.read_heartbeat(folder)
    alive = beat is not None and _lives(beat, time.time())
    events = _recent(folder / EVENTS)  # after the heartbeat: a process that ended in between has said so
    last = next((event for event in events if isinstance(event, LAST)), None)
    pause = next((event for event in events if isinstance(event, run_events.Paused | run_events.Unpaused)), None)
    paused = pause if isinstance(pause, run_events.Paused) else None
    state = _state(beat, alive, last, paused is not None, (folder / STOP).exists()) if beat or events else State.CREATED
    said, hint = _said(state, last, paused)
    stage, step, total = _progress(events)
    return Run(folder, state, stage, step, total, said, hint, events[0].at if events else 0.0)


def _state(beat: Heartbeat | None, alive: bool, last: RunEvent | None, paused: bool, stop_asked: bool) -> State:
    if beat and not beat.beats:
        return State.STARTING if alive else State.DIED
    if last:
        ends = {run_events.Stopped: State.STOPPED, run_events.Failed: State.FAILED, run_events.Finished: State.FINISHED}
        return ends[type(last)]
    if not alive:
        return State.DIED
    if stop_asked:
        return State.STOPPING
    return State.PAUSED if paused else State.RUNNING


def _said(state: State, last: RunEvent | None, paused: run_events.Paused | None) -> tuple[str, str]:
    if state is State.FAILED and isinstance(last, run_events.Failed):
        return last.reason, last.hint
    if state is State.DIED:
        return (
            "The training process is gone without a word: it was killed, it crashed, or the machine went down.",
            f"Start it again, it goes on from its last checkpoint. Its last words may stand in {LOG}.",
        )
    return (paused.reason, "") if state is State.PAUSED and paused else ("", "")


def _progress(events: Sequence[RunEvent]) -> tuple[str, int, int]:
    """Stage, step and total of the latest message that says so."""
    for event in events:
        if isinstance(event, run_events.Step):
            return event.stage, event.step, event.total
        if isinstance(event, run_events.Stage):
            return event.name, event.step, event.total
    return "", 0, 0


def _recent(path: Path) -> list[RunEvent]:
    """The last messages of the last process, newest first, back to one that says how far it is."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - TAIL))
            lines = file.read().split(b"\n")[1 if size > TAIL else 0 : -1]
    except OSError:
        return []
    found: list[RunEvent] = []
    for line in reversed(lines):
        if event := _event(line):
            found.append(event)
        if isinstance(event, run_events.Began | run_events.Stage | run_events.Step):
            break
    return found


def _event(line: bytes) -> RunEvent | None:
    """None for lines of a newer version, and for those that were torn by a crash."""
    try:
        return run_events.from_line(line)
    except ValueError:
        return None


def _lives(beat: Heartbeat, now: float) -> bool:
    if beat.machine == run_events.machine() and run_events.started(os.getpid()):  # its processes can be seen
        return bool(beat.started) and run_events.started(beat.pid) == beat.started
    return abs(now - beat.at) < FRESH_S


# ---- following ----


class Tail:
    """Reads what is new in events.jsonl, whole lines only; a line that is not complete yet is read when it is.

    `skipped` counts lines that could not be read. A file that was replaced by a shorter one is read from its beginning, and
    `restarted` says so until the next `read`.
    """

    def __init__(self, folder: Path, *, offset: int = 0, chunk: int = 0) -> None:
        self._path, self._chunk = folder / EVENTS, chunk or CHUNK
        self.offset = offset  # bytes that were read
        self.skipped = 0
        self.restarted = False

    def read(self) -> list[RunEvent]:
        """The next messages, a MB at most; none when there is nothing new. Call again as long as there are some."""
        self.restarted = False
        events: list[RunEvent] = []
        while not events and (lines := self.lines()):
            events = [event for line in lines if (event := self._event(line))]
        return events

    def _event(self, line: bytes) -> RunEvent | None:
        try:
            return run_events.from_line(line)
        except ValueError:
            self.skipped += bool(line.strip())
            return None

    def lines(self) -> list[bytes]:
        """The next whole lines as they are, without their ends, for who reads a few kinds of messages only; `restarted` stays as it was."""
        try:
            with self._path.open("rb") as file:
                self._notice_a_new_file(file.seek(0, os.SEEK_END))
                file.seek(self.offset)
                data = file.read(self._chunk)
                while data and b"\n" not in data and (more := file.read(self._chunk)):  # a line longer than a chunk
                    data += more
        except OSError:
            return []
        whole = data[: data.rfind(b"\n") + 1]
        self.offset += len(whole)
        return whole.split(b"\n")[:-1]

    def _notice_a_new_file(self, size: int) -> None:
        if size < self.offset:
            self.offset, self.restarted = 0, True


# ---- starting and stopping ----


def command(folder: Path, python: Path | str) -> list[str]:
    """What starts or resumes a run on this machine, for people to read and for `start`."""
    return [str(python), "-m", "training", str(folder.resolve())]


def start(folder: Path, arguments: Sequence[str]) -> int:
    """Start a run, or resume it: the same thing. Its process goes on when this one ends. Returns its pid.

    `arguments` is a command with its arguments, like that of `command`. Raises RunError when the run is going on already, or when the
    command cannot be started.
    """
    if not (folder / CONFIG).is_file():
        raise RunError(f"{folder} is no run: it has no {CONFIG}.", hint="Make a new run.")
    try:
        with FileLock(folder / _SPAWN_LOCK).acquire(timeout=10):
            _refuse_a_second(folder)
            unpause(folder)
            (folder / STOP).unlink(missing_ok=True)
            return _spawn(folder, arguments)
    except Timeout as error:
        raise RunError(f"{folder.name} is being started by another window.", hint="Wait a moment.") from error
    except OSError as error:
        raise RunError(
            f"{folder.name} cannot be started: {_why(error)}.", hint=f"Check {arguments[0]} and the folder."
        ) from error


def _refuse_a_second(folder: Path) -> None:
    beat = run_events.read_heartbeat(folder)
    if look(folder).state.alive:
        raise RunError(f"{folder.name} is running already.", hint="Stop it first, or follow it.")
    if beat and _lives(beat, time.time()):
        raise RunError(f"{folder.name} has not quite ended yet.", hint="Wait a moment and start it again.")


def _spawn(folder: Path, arguments: Sequence[str]) -> int:
    with (folder / LOG).open("ab") as log:
        process = subprocess.Popen(
            arguments,
            cwd=folder.resolve().anchor,  # Python would import modules out of a run folder that somebody made
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # neither Ctrl+C nor a closed terminal reaches it
            env=environment(),  # in which any Python finds the program's own training code
        )
    threading.Thread(target=process.wait, daemon=True).start()  # or a process that ended would stay as a zombie
    beat = run_events.read_heartbeat(folder)
    if not (beat and beat.pid == process.pid and beat.beats):  # it may have spoken already
        new = Heartbeat(process.pid, run_events.started(process.pid), run_events.machine(), 0, time.time())
        run_events.write_heartbeat(folder, new)
    return process.pid


def stop(folder: Path) -> None:
    """Ask the run to save and end after the step that it is in. Nothing happens to one that does not run. Raises RunError."""
    _ask(folder, STOP)


def stop_now(folder: Path, *, grace_s: float = GRACE_S) -> bool:
    """Ask the run to save and end; after the grace end it with all its processes, saved or not. Waits; True when it had to be ended.

    Raises RunError for a run on another machine, which can only be asked.
    """
    beat = run_events.read_heartbeat(folder)
    if beat is None or not _lives(beat, time.time()):
        return False
    if beat.machine != run_events.machine():
        raise RunError(f"{folder.name} runs on another machine.", hint="Stop it there, or ask it to save and end.")
    _signal(beat, signal.SIGTERM)
    until = time.monotonic() + grace_s
    while run_events.started(beat.pid) == beat.started and time.monotonic() < until:
        time.sleep(_POLL_S)
    return _signal(beat, signal.SIGKILL)


def _signal(beat: Heartbeat, number: signal.Signals) -> bool:
    """To the process, at the end to its whole group; never to a later one with its pid. False when it is gone."""
    if run_events.started(beat.pid) != beat.started:
        return False
    try:
        if number == signal.SIGKILL and os.getpgid(beat.pid) == beat.pid:  # `start` gives every run a group of its own
            os.killpg(beat.pid, number)
        else:
            os.kill(beat.pid, number)
    except ProcessLookupError:
        return False
    return True


def pause(folder: Path) -> None:
    """Ask the run to wait after the step that it is in; it keeps its memory. Raises RunError."""
    _ask(folder, PAUSE)


def unpause(folder: Path) -> None:
    """Let it go on."""
    (folder / PAUSE).unlink(missing_ok=True)


def _ask(folder: Path, file: str) -> None:
    if not look(folder).state.alive:
        return
    try:
        (folder / file).touch()
    except OSError as error:
        raise RunError(f"{folder.name} cannot be asked to {file}: {_why(error)}.", hint="End its process by hand.") from error


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
