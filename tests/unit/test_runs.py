"""Both sides of a run folder: the process that writes it, and the window that starts, follows and stops it."""

from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from georapp import run_events, runs
from georapp.errors import RunError
from georapp.run_events import Began, Failed, Finished, Heartbeat, Paused, RunEvent, Stage, Step, Stopped, Unpaused, to_line
from georapp.runs import State, Tail, look
from training.report import EventWriter

# A run without any training: steps until it is told to stop or to pause.
STEPS = """
import sys, time
from pathlib import Path
from georapp.run_events import Stage, Step, Stopped
from training.report import EventWriter
with EventWriter(Path(sys.argv[1]), beat_s=0.05) as out:
    out.write(Stage("sft", "began", 0, 1000))
    step = 0
    while not out.stop_asked():
        out.wait_while_paused(poll_s=0.01)
        step += 1
        out.write(Step("sft", step, 1000, {"loss": 1 / step}))
        time.sleep(0.01)
    out.write(Stopped("sft", step))
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return runs.create("Lisbon", 'name = "Lisbon"\n', parent=tmp_path / "runs", day="2026-11-21")


@pytest.fixture
def going(folder: Path) -> Iterator[Path]:
    """A run that goes on by itself."""
    pid = runs.start(folder, [sys.executable, "-c", STEPS, str(folder)])
    born = run_events.started(pid)
    wait_for(lambda: look(folder).step >= 3)
    yield folder
    end(pid, born)


def end(pid: int, born: str) -> None:
    """Kill a process of this test, and no later one with its pid, and wait until it is gone."""
    if born and run_events.started(pid) == born:
        os.kill(pid, signal.SIGKILL)
    wait_for(lambda: run_events.started(pid) != born or not born)


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


def say(folder: Path, *events: RunEvent) -> None:
    with (folder / run_events.EVENTS).open("ab") as out:
        out.writelines(to_line(event) for event in events)


def beat(folder: Path, *, pid: int | None = None, machine: str = "", started: str = "", beats: int = 1, ago: float = 0.0) -> None:
    pid = pid or os.getpid()
    machine, started = machine or run_events.machine(), started or run_events.started(pid)
    run_events.write_heartbeat(folder, Heartbeat(pid, started, machine, beats, time.time() - ago))


# ---- folders ----


def test_a_new_run(folder: Path) -> None:
    assert folder.name == "2026-11-21-lisbon"
    assert (folder / "run.toml").read_text("utf-8") == 'name = "Lisbon"\n'
    assert look(folder) == runs.Run(folder, State.CREATED)
    assert [file.name for file in folder.parent.iterdir()] == [folder.name]


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("Lisbon", "lisbon-2"),
        ("../../etc", "etc"),
        ("São Paulo, 1.ª vez", "sao-paulo-1-a-vez"),
        ("東京", "東京"),
        ("🙂", ""),
        ("x" * 300, None),
    ],
)
def test_names_of_folders(folder: Path, name: str, called: str | None) -> None:
    made = runs.create(name, "", parent=folder.parent, day="2026-11-21")
    assert made.parent == folder.parent
    assert made.is_dir()
    if called is not None:
        assert made.name == "-".join(part for part in ("2026-11-21", called) if part)


def test_a_place_where_no_run_can_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="No run can be made"):
        runs.create("Lisbon", "", parent=tmp_path / "file")


def test_runs_lie_in_the_users_folder() -> None:
    assert runs.list_runs() == []
    made = runs.create("Lisbon", "")
    assert made.parent == runs.home()
    assert [run.folder for run in runs.list_runs()] == [made]


def test_the_newest_run_comes_first(folder: Path) -> None:
    later = runs.create("Porto", "", parent=folder.parent, day="2026-12-01")
    (folder.parent / "no run").mkdir()
    (folder.parent / ".new-1").mkdir()
    (folder.parent / "file").touch()
    assert [run.name for run in runs.list_runs(folder.parent)] == [later.name, folder.name]


# ---- state ----


BEGAN = (Began(1, "here"), Stage("sft", "began", 0, 9), Step("sft", 4, 9))
AGAIN = (*BEGAN, Stopped("sft", 4), *BEGAN)


@pytest.mark.parametrize(
    ("events", "alive", "state"),
    [
        ((), False, State.DIED),  # it never spoke
        (BEGAN, True, State.RUNNING),
        (BEGAN, False, State.DIED),
        ((*BEGAN, Finished()), True, State.FINISHED),  # it is just ending
        ((*BEGAN, Finished()), False, State.FINISHED),
        ((*BEGAN, Stopped("sft", 4)), False, State.STOPPED),
        ((*BEGAN, Failed("It broke.", "Mend it.")), False, State.FAILED),
        (AGAIN, True, State.RUNNING),
        (AGAIN, False, State.DIED),
        ((*BEGAN, Paused("Disk.")), True, State.PAUSED),
        ((*BEGAN, Paused("Disk.")), False, State.DIED),
        ((*BEGAN, Paused("Disk."), Unpaused()), True, State.RUNNING),
        ((*BEGAN, Paused("Disk."), Step("sft", 5, 9)), True, State.RUNNING),
        ((Began(1, "here"),), True, State.RUNNING),
    ],
)
@needs_proc
def test_the_state_follows_from_messages_and_process(
    folder: Path, events: tuple[RunEvent, ...], alive: bool, state: State
) -> None:
    say(folder, *events)
    beat(folder, started="" if alive else "1")
    assert look(folder).state is state
    assert bool(look(folder).said) == (state in (State.DIED, State.FAILED, State.PAUSED))


@needs_proc
def test_a_dead_process_is_not_stopping(folder: Path) -> None:
    say(folder, *BEGAN)
    beat(folder)
    (folder / "stop").touch()
    assert look(folder).state is State.STOPPING
    beat(folder, started="1")  # another process has that pid now
    assert look(folder).state is State.DIED


@needs_proc
def test_a_start_that_never_spoke(folder: Path) -> None:
    say(folder, *BEGAN, Stopped("sft", 4))
    beat(folder, beats=0)
    assert look(folder).state is State.STARTING
    beat(folder, beats=0, started="1")
    assert look(folder).state is State.DIED
    assert "log.txt" in look(folder).hint


@pytest.mark.parametrize(("ago", "state"), [(5, State.RUNNING), (-5, State.RUNNING), (600, State.DIED), (-600, State.DIED)])
def test_on_another_machine_only_the_heartbeat_is_seen(folder: Path, ago: float, state: State) -> None:
    say(folder, *BEGAN)
    beat(folder, machine="node17 boot pid:[1]", started="1", ago=ago)
    assert look(folder).state is state


@needs_proc
@pytest.mark.parametrize("ago", [-1e6, 1e6])
def test_a_jumping_clock_kills_nobody(folder: Path, ago: float) -> None:
    say(folder, *BEGAN)
    beat(folder, ago=ago)
    assert look(folder).state is State.RUNNING


def test_where_a_run_is(folder: Path) -> None:
    say(folder, *BEGAN, Step("sft", 5, 9, at=12.5))
    run = look(folder)
    assert (run.stage, run.step, run.total, run.at) == ("sft", 5, 9, 12.5)
    say(folder, Failed("It broke.", "Mend it."))
    run = look(folder)
    assert (run.said, run.hint, run.step) == ("It broke.", "Mend it.", 5)


@pytest.mark.parametrize("damage", [b"\0\0\n", b'{"kind": "st', b"\xff\n\n[]\n", b'{"kind": "sing"}\n'])
def test_lines_that_cannot_be_read_are_passed_over(folder: Path, damage: bytes) -> None:
    say(folder, *BEGAN, Finished())
    with (folder / "events.jsonl").open("ab") as out:
        out.write(damage)
    assert look(folder).state is State.FINISHED


@pytest.mark.parametrize("lost", ["run.toml", "events.jsonl", "process.json"])
def test_half_a_folder(folder: Path, lost: str) -> None:
    say(folder, *BEGAN)
    beat(folder, beats=3)
    (folder / lost).unlink()
    assert isinstance(look(folder).state, State)


def test_the_state_of_a_long_run_is_read_from_its_end(folder: Path) -> None:
    line = to_line(Step("grpo", 7, 9, {f"value {n}": 0.1 * n for n in range(40)}))
    say(folder, Began(1, "here"))
    with (folder / "events.jsonl").open("ab") as out:
        out.write(line * 50_000)  # 50 MB
    before = time.process_time()
    assert look(folder).step == 7
    assert time.process_time() - before < 0.3  # reading all of it takes seconds


# ---- following ----


def test_only_whole_lines_are_read(folder: Path) -> None:
    tail = Tail(folder)
    assert tail.read() == []
    data = b"".join(map(to_line, (*BEGAN, Finished())))
    seen: list[RunEvent] = []
    with (folder / "events.jsonl").open("ab", buffering=0) as out:
        for n in range(0, len(data), 7):
            out.write(data[n : n + 7])
            seen += tail.read()
    assert seen == [*BEGAN, Finished()]
    assert (tail.offset, tail.skipped) == (len(data), 0)
    assert tail.read() == []


def test_following_again_gives_the_same(folder: Path) -> None:
    say(folder, *BEGAN)
    first = Tail(folder)
    assert first.read() == Tail(folder).read() == list(BEGAN)
    say(folder, Finished())
    assert Tail(folder, offset=first.offset).read() == [Finished()]


def test_torn_and_unknown_lines_spoil_only_themselves(folder: Path) -> None:
    say(folder, *BEGAN)
    with (folder / "events.jsonl").open("ab") as out:
        out.write(b'{"kind": "st\n{"kind": "sing"}\n\n')
    say(folder, Finished())
    tail = Tail(folder)
    assert tail.read() == [*BEGAN, Finished()]
    assert tail.skipped == 1


def test_a_file_that_was_replaced_is_read_anew(folder: Path) -> None:
    say(folder, *BEGAN)
    tail = Tail(folder)
    tail.read()
    (folder / "events.jsonl").write_bytes(to_line(Finished()))
    assert tail.read() == [Finished()]
    assert tail.restarted
    tail.read()
    assert not tail.restarted


def test_a_long_run_is_read_in_pieces(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "CHUNK", 1000)
    long = Step("grpo", 1, 9, {"x" * 3000: 1.0})
    say(folder, *BEGAN * 50, long, *BEGAN * 50)
    tail = Tail(folder)
    pieces = list(itertools.takewhile(bool, iter(tail.read, None)))
    assert len(pieces) > 10
    assert list(itertools.chain(*pieces)) == [*BEGAN * 50, long, *BEGAN * 50]


# ---- the writer ----


def test_a_writer_says_that_it_began_and_lives(folder: Path) -> None:
    with EventWriter(folder, config="ab", beat_s=0.01) as out:
        assert look(folder).state is State.RUNNING
        first = run_events.read_heartbeat(folder)
        assert first is not None
        wait_for(lambda: (now := run_events.read_heartbeat(folder)) is not None and now.beats > first.beats)
        out.write(Finished())
    (began, finished) = Tail(folder).read()
    assert isinstance(began, Began)
    assert (began.pid, began.config) == (os.getpid(), "ab")
    assert abs(finished.at - time.time()) < 60
    assert look(folder).state is State.FINISHED


def test_one_writer_at_a_time(folder: Path) -> None:
    with EventWriter(folder), pytest.raises(RunError, match="Another process"):
        EventWriter(folder)
    EventWriter(folder).close()
    assert [type(event) for event in Tail(folder).read()] == [Began, Began]


def test_a_line_that_was_torn_by_a_crash_is_closed_first(folder: Path) -> None:
    (folder / "events.jsonl").write_bytes(b'{"kind": "st')
    with EventWriter(folder) as out:
        out.write(Step("sft", 1, 2, {"loss": float("nan")}))
    tail = Tail(folder)
    assert [type(event) for event in tail.read()] == [Began, Step]
    assert tail.skipped == 1
    assert json.loads((folder / "events.jsonl").read_bytes().splitlines()[-1])["values"] == {"loss": None}


def test_a_full_disk_is_a_sentence_and_the_next_line_is_whole(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with EventWriter(folder) as out:
        real = out._file

        class Full:
            """Takes ten bytes, then nothing."""

            def __init__(self) -> None:
                self.taken = 0

            def write(self, data: bytes) -> int:
                if self.taken:
                    raise OSError(28, "No space left on device")
                self.taken = real.write(data[:10]) or 0
                return self.taken

        monkeypatch.setattr(out, "_file", Full())
        with pytest.raises(RunError, match="no space left") as caught:
            out.write(Step("sft", 1, 2))
        assert "Make room" in caught.value.hint
        monkeypatch.setattr(out, "_file", real)
        out.write(Step("sft", 2, 2))
    assert [getattr(event, "step", None) for event in Tail(folder).read()] == [None, 2]


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        EventWriter(tmp_path / "file" / "run")


def test_asked_to_stop(folder: Path) -> None:
    with EventWriter(folder) as out:
        assert not out.stop_asked()
        runs.stop(folder)
        assert out.stop_asked()
        out.write(Stopped())
        assert not out.stop_asked()
        out.request_stop()
        assert out.stop_asked()


def test_a_run_that_pauses_itself_says_why(folder: Path) -> None:
    with EventWriter(folder) as out:
        out.ask_to_pause("The disk is nearly full.")
        out.request_stop()
        out.wait_while_paused()  # a stop ends a pause
        assert out.pause_asked()
    (folder / "pause").unlink()
    with EventWriter(folder) as out:
        out.wait_while_paused()
    assert [type(event) for event in Tail(folder).read()] == [Began, Began]


# ---- a real process ----


@needs_proc
def test_a_run_is_started_followed_and_stopped(going: Path) -> None:
    assert look(going).state is State.RUNNING
    with pytest.raises(RunError, match="running already"):
        runs.start(going, ["true"])
    tail = Tail(going)
    events = tail.read()
    runs.stop(going)
    wait_for(lambda: look(going).state is State.STOPPED)
    events += tail.read()
    steps = [event.step for event in events if isinstance(event, Step)]
    assert steps == list(range(1, len(steps) + 1))
    assert tail.skipped == 0
    wait_for(lambda: not (going / "stop").exists())


@needs_proc
def test_pause_and_go_on(going: Path) -> None:
    runs.pause(going)
    wait_for(lambda: look(going).state is State.PAUSED)
    before = look(going).step
    time.sleep(0.1)
    assert look(going).step == before
    runs.unpause(going)
    wait_for(lambda: look(going).step > before)
    assert look(going).state is State.RUNNING


@needs_proc
def test_killed_and_started_again(going: Path) -> None:
    beating = run_events.read_heartbeat(going)
    assert beating is not None
    runs.stop(going)
    end(beating.pid, beating.started)
    assert look(going).state in (State.DIED, State.STOPPED)  # it may have been quick
    pid = runs.start(going, [sys.executable, "-c", STEPS, str(going)])
    born = run_events.started(pid)
    try:
        assert not (going / "stop").exists()
        wait_for(lambda: look(going).state is State.RUNNING and look(going).step >= 2)
        assert sum(isinstance(event, Began) for event in Tail(going).read()) == 2
    finally:
        end(pid, born)
    assert look(going).state is State.DIED


@needs_proc
def test_a_run_outlives_its_window(folder: Path) -> None:
    window = (
        f"from georapp import runs; from pathlib import Path; import sys\nprint(runs.start(Path({str(folder)!r}), sys.argv[1:]))"
    )
    arguments = [sys.executable, "-c", STEPS, str(folder)]
    said = subprocess.run([sys.executable, "-c", window, *arguments], capture_output=True, text=True, check=True)
    pid = int(said.stdout)
    born = run_events.started(pid)
    try:
        wait_for(lambda: look(folder).step >= 3)
        assert os.getsid(pid) == pid
    finally:
        end(pid, born)


@needs_proc
def test_a_program_that_ends_at_once(folder: Path) -> None:
    runs.start(folder, [sys.executable, "-c", "raise SystemExit('no torch here')"])
    wait_for(lambda: look(folder).state is State.DIED)
    assert "no torch here" in (folder / "log.txt").read_text("utf-8")


def test_what_cannot_be_started_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be started: no such file"):
        runs.start(folder, [str(tmp_path / "no python"), "-m", "training"])
    with pytest.raises(RunError, match="no run"):
        runs.start(tmp_path / "nothing", ["true"])
    assert not (tmp_path / "nothing").exists()


def test_the_command_of_a_run(folder: Path) -> None:
    assert runs.command(folder, "/env/bin/python") == ["/env/bin/python", "-m", "training", str(folder.resolve())]


@needs_proc
def test_a_process_that_is_just_ending_is_waited_for(folder: Path) -> None:
    with EventWriter(folder) as out:
        out.write(Stopped())
    with pytest.raises(RunError, match="not quite ended"):  # this process lives, whatever it said
        runs.start(folder, ["true"])


def test_other_machines_see_at_once_that_it_is_over(folder: Path) -> None:
    EventWriter(folder).close()
    beat = run_events.read_heartbeat(folder)
    assert beat is not None
    assert not runs._lives(replace(beat, machine="node17"), time.time())


def test_asking_a_run_that_does_not_run_leaves_nothing_behind(folder: Path) -> None:
    runs.stop(folder)
    runs.pause(folder)
    assert sorted(file.name for file in folder.iterdir()) == ["run.toml"]


DEAF = """
import signal, subprocess, sys, time
from pathlib import Path
from georapp.run_events import Stage
from training.report import EventWriter
signal.signal(signal.SIGTERM, signal.SIG_IGN)
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
with EventWriter(Path(sys.argv[1])) as out:
    out.write(Stage("sft", "began", child.pid, 1000))
    time.sleep(600)
"""


@needs_proc
def test_stop_now_asks_first(folder: Path) -> None:
    listening = STEPS.replace("with EventWriter", "import signal\nwith EventWriter").replace(
        "    step = 0", "    signal.signal(signal.SIGTERM, lambda *_: out.request_stop())\n    step = 0"
    )
    pid = runs.start(folder, [sys.executable, "-c", listening, str(folder)])
    born = run_events.started(pid)
    try:
        wait_for(lambda: look(folder).step >= 3)
        assert not runs.stop_now(folder, grace_s=60)
        assert look(folder).state is State.STOPPED
    finally:
        end(pid, born)


@needs_proc
def test_stop_now_ends_a_run_that_does_not_listen_with_its_children(folder: Path) -> None:
    pid = runs.start(folder, [sys.executable, "-c", DEAF, str(folder)])
    born = run_events.started(pid)
    try:
        wait_for(lambda: look(folder).step > 0)
        child = look(folder).step
        assert runs.stop_now(folder, grace_s=0.2)
        wait_for(lambda: not run_events.started(pid) and not run_events.started(child))
        assert look(folder).state is State.DIED
    finally:
        end(pid, born)


def test_stop_now_of_a_run_that_does_not_run(folder: Path) -> None:
    assert not runs.stop_now(folder)
    beat(folder, machine="elsewhere", started="1")
    with pytest.raises(RunError, match="another machine"):
        runs.stop_now(folder)


def test_the_run_that_is_going_on_is_found_among_others(folder: Path) -> None:
    assert runs.going_on(folder.parent / "nowhere") is None
    runs.create("Porto", "", parent=folder.parent)
    assert runs.going_on(folder.parent) is None
    beat(folder)
    say(folder, *BEGAN)
    found = runs.going_on(folder.parent)
    assert found is not None
    assert (found.folder, found.step) == (folder, 4)
    say(folder, Finished())
    assert runs.going_on(folder.parent) is None
