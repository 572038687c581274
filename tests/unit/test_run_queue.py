"""The queue: order, locks, a damaged file; and the process that works through it, with real processes as runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from filelock import FileLock

from georapp import run_events, run_queue, run_queue_file, runs
from georapp.errors import RunError
from georapp.run_events import Began, Failed, Finished, Heartbeat, to_line
from georapp.runs import State

# A run without any training: waits until somebody lets it, or ends at once.
RUN = """
import os, sys, time
from pathlib import Path
from georapp.run_events import Failed, Finished, Stage
from training.report import EventWriter
folder, how = Path(sys.argv[1]), sys.argv[2]
with EventWriter(folder, beat_s=0.05) as out:
    out.write(Stage("sft", "began", 0, 10))
    with (folder.parent / "order").open("a") as order:
        order.write(f"{folder.name}\\n")
    if how == "die":
        os._exit(9)
    while how == "wait" and not (folder / "go").exists():
        time.sleep(0.01)
    out.write(Failed("The disk is full.", "Make room.") if how == "fail" else Finished())
"""
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")


def make(name: str) -> Path:
    return runs.create(name, f'name = "{name}"\n', day="")


def command(how: dict[str, str]) -> Callable[[Path], list[str]]:
    """What starts a run, by how it shall end."""
    return lambda folder: [sys.executable, "-c", RUN, str(folder), how.get(folder.name.rpartition("-")[2], "finish")]


def wait_for(done: Callable[[], bool], seconds: float = 60.0) -> None:
    deadline = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < deadline, "It did not happen in time."
        time.sleep(0.02)


@pytest.fixture
def three() -> list[Path]:
    return [make(name) for name in ("one", "two", "three")]


def order() -> list[str]:
    return (runs.home() / "order").read_text().split()


# ---- order ----


def test_the_first_comes_first(three: list[Path]) -> None:
    for folder in three:
        run_queue.add(folder)
    assert run_queue.waiting() == three
    run_queue.add(three[0])  # keeps its place
    assert run_queue.waiting() == three
    assert not run_queue.is_working()


def test_moving_and_removing(three: list[Path]) -> None:
    one, two, last = three
    for folder in three:
        run_queue.add(folder)
    run_queue.move(last, 0)
    assert run_queue.waiting() == [last, one, two]
    run_queue.move(last, 99)
    assert run_queue.waiting() == [one, two, last]
    run_queue.move(two, -5)
    assert run_queue.waiting() == [two, one, last]
    run_queue.remove(one)
    run_queue.remove(one)
    run_queue.move(one, 0)
    assert run_queue.waiting() == [two, last]


def test_a_run_that_lies_elsewhere(tmp_path: Path) -> None:
    folder = runs.create("far", "", parent=tmp_path / "other disk")
    run_queue.add(folder)
    assert run_queue.waiting() == [folder]
    run_queue.remove(folder)
    assert run_queue.waiting() == []


def test_what_cannot_wait(three: list[Path], tmp_path: Path) -> None:
    one, two, _ = three
    with pytest.raises(RunError, match="is no run"):
        run_queue.add(tmp_path)
    (one / run_events.EVENTS).write_bytes(to_line(Began(1, "m")) + to_line(Finished()))
    with pytest.raises(RunError, match="has finished already"):
        run_queue.add(one)
    pid = os.getpid()
    run_events.write_heartbeat(two, Heartbeat(pid, run_events.started(pid), run_events.machine(), 1, time.time()))
    with pytest.raises(RunError, match="is running already"):
        run_queue.add(two)
    assert run_queue.waiting() == []


@pytest.mark.parametrize("text", ["{", "[]", '{"waiting": 3}', '{"waiting": [{"added": 1}]}', "[" * 5000, "\x00"])
def test_a_damaged_file_is_put_aside(three: list[Path], text: str) -> None:
    (runs.home() / run_queue_file.FILE).write_text(text)
    assert run_queue.waiting() == []
    run_queue.add(three[0])
    assert run_queue.waiting() == [three[0]]
    assert (runs.home() / "queue.damaged.json").read_text() == text


def test_fields_of_a_newer_version_do_no_harm(three: list[Path]) -> None:
    plain = {"waiting": [{"folder": three[1].name, "added": 3.5, "quiet": True}], "priority": 1}
    (runs.home() / run_queue_file.FILE).write_text(json.dumps(plain))
    assert run_queue.waiting() == [three[1]]


def test_many_windows_at_once_lose_nothing() -> None:
    folders = [make(f"run {n}") for n in range(12)]
    threads = [threading.Thread(target=run_queue.add, args=(folder,)) for folder in folders]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run_queue.waiting()) == sorted(folders)


def test_a_disk_that_takes_nothing(three: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(run_queue_file, "_write", full)
    with pytest.raises(RunError, match="no space left on device"):
        run_queue.add(three[0])


# ---- working through it ----


@needs_proc
def test_one_after_the_other_also_when_one_fails_or_dies(three: list[Path]) -> None:
    for folder in three:
        run_queue.add(folder)
    how = command({"one": "fail", "two": "die"})
    assert run_queue.work(sys.executable, arguments=how, poll_s=0.02) == 3
    assert order() == [folder.name for folder in three]
    states = [runs.look(folder).state for folder in three]
    assert states[:1] + states[1:2] == [State.FAILED, State.DIED]
    wait_for(lambda: runs.look(three[2]).state is State.FINISHED)
    assert run_queue.waiting() == []
    assert run_queue.complaints() == []


@needs_proc
def test_only_one_trains_and_only_one_process_sees_to_it(three: list[Path]) -> None:
    one, two, _ = three
    run_queue.add(one)
    run_queue.add(two)
    worker = threading.Thread(target=run_queue.work, args=("",), kwargs={"arguments": command({"one": "wait"}), "poll_s": 0.02})
    worker.start()
    wait_for(lambda: runs.look(one).state is State.RUNNING)
    wait_for(lambda: run_queue.waiting() == [two])
    assert run_queue.is_working()
    assert runs.look(two).state is State.CREATED
    run_queue.start("nothing is started: it is being worked on")
    (one / "go").touch()
    worker.join(60)
    wait_for(lambda: runs.look(two).state is State.FINISHED)
    assert order() == [one.name, two.name]
    assert not run_queue.is_working()


def test_a_second_process_leaves_it_alone(three: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    run_queue.add(three[0])
    monkeypatch.setattr(run_queue, "_TAKEOVER_S", 0.1)
    holder = "import sys, time; from filelock import FileLock; lock = FileLock(sys.argv[1]); lock.acquire(); print('held', flush=True); time.sleep(99)"  # noqa: E501
    other = subprocess.Popen([sys.executable, "-c", holder, str(runs.home() / ".queue-work.lock")], stdout=subprocess.PIPE)
    try:
        assert other.stdout
        other.stdout.readline()
        assert run_queue.is_working()
        assert run_queue.work(sys.executable) == 0
        assert run_queue.waiting() == [three[0]]
    finally:
        other.kill()
        other.wait()
        other.stdout.close() if other.stdout else None
    assert not run_queue.is_working()


@needs_proc
def test_what_cannot_be_started_is_told_and_holds_up_nobody(three: list[Path]) -> None:
    one, two, _ = three
    run_queue.add(one)
    run_queue.add(two)
    good = command({})
    assert run_queue.work("", arguments=lambda folder: ["/no/such/python"] if folder == one else good(folder), poll_s=0.02) == 1
    (complaint,) = run_queue.complaints()
    assert complaint.folder == one.name
    assert "cannot be started" in complaint.sentence
    wait_for(lambda: runs.look(two).state is State.FINISHED)
    run_queue.forgive()
    assert run_queue.complaints() == []


def test_a_run_that_was_deleted_meanwhile(three: list[Path]) -> None:
    run_queue.add(three[0])
    (three[0] / run_events.CONFIG).unlink()
    assert run_queue.work("", arguments=command({}), poll_s=0.02) == 0
    assert "is no run" in run_queue.complaints()[0].sentence
    assert run_queue.waiting() == []


def test_a_run_that_finished_before_it_was_taken_out_is_not_done_again(three: list[Path]) -> None:
    run_queue.add(three[0])
    (three[0] / run_events.EVENTS).write_bytes(to_line(Began(1, "m")) + to_line(Finished()))
    assert run_queue.work("", arguments=command({}), poll_s=0.02) == 0
    assert not (runs.home() / "order").exists()
    assert run_queue.waiting() == []


def test_a_failed_run_can_wait_again(three: list[Path]) -> None:
    (three[0] / run_events.EVENTS).write_bytes(to_line(Began(1, "m")) + to_line(Failed("The disk is full.")))
    run_queue.add(three[0])
    assert run_queue.waiting() == [three[0]]


def test_the_right_to_work_is_free_for_who_adds_the_next_one(three: list[Path]) -> None:
    """Between the last look at an empty queue and its end a process holds no right that a new one would need."""
    lock = FileLock(runs.home() / ".queue-work.lock")
    lock.acquire()
    assert run_queue._next(lock) is None
    assert not run_queue.is_working()
    run_queue.add(three[0])
    lock.acquire()
    assert run_queue._next(lock) == three[0]
    assert run_queue.is_working()
    lock.release()


def test_the_command_of_the_process() -> None:
    assert run_queue.command("/some/python")[1:] == ["-m", "georapp", "run-queue", "--python", "/some/python"]


@needs_proc
def test_a_process_of_its_own_goes_on_by_itself(three: list[Path], monkeypatch: pytest.MonkeyPatch) -> None:
    script = "import sys; from georapp import run_queue; run_queue.work(sys.argv[1], arguments=lambda f: [sys.executable, '-c', sys.argv[2], str(f), 'finish'], poll_s=.02)"  # noqa: E501
    monkeypatch.setattr(run_queue, "command", lambda python: [sys.executable, "-c", script, str(python), RUN])
    for folder in three:
        run_queue.add(folder)
    run_queue.start("python")
    wait_for(lambda: all(runs.look(folder).state is State.FINISHED for folder in three))
    wait_for(lambda: not run_queue.is_working())
    assert order() == [folder.name for folder in three]
