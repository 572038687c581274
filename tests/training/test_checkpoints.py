"""Checkpoints under kills and turned bits: what is found afterwards is whole, or it is not found."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from georapp.errors import RunError
from training import checkpoints
from training.checkpoints import MANIFEST, adopt, best, listed, newest, problem_of, prune, recover, writing

# Forks once for every file operation of a write and kills the child just before that operation.
KILL_AT_EVERY_OPERATION = """
import os, signal, sys
from pathlib import Path
from training import checkpoints

folder = Path(sys.argv[1])
ops = ("open", "os.mkdir", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree")

def write_and_die_at(number):
    count = 0
    def hook(event, arguments):
        nonlocal count
        if event in ops:
            count += 1
            if count == number:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.addaudithook(hook)
    with checkpoints.writing(folder, 20) as fresh:
        (fresh / "new").write_bytes(b"new" * 1000)
        (fresh / "inner").mkdir()
        (fresh / "inner" / "more").write_bytes(b"more")
    checkpoints.prune(folder, keep=2)

number = 0
while True:
    number += 1
    if not (folder / "checkpoint-10").exists():
        with checkpoints.writing(folder, 10) as fresh:
            for name in ("a", "b", "c"):
                (fresh / name).write_bytes(b"old")
    child = os.fork()
    if not child:
        write_and_die_at(number)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    before = checkpoints.newest(folder)
    halves = sum(bool(checkpoints.problem_of(path)) for path in checkpoints.listed(folder))
    said = checkpoints.recover(folder)
    after = checkpoints.newest(folder)
    print(number, os.WIFSIGNALED(status), before.checkpoint.step if before.checkpoint else 0, after.checkpoint.step, len(said),
          len([entry for entry in os.listdir(folder) if entry.startswith(".")]), halves, flush=True)
    if not os.WIFSIGNALED(status):
        break
    if sys.argv[2] == "fresh" and (folder / "checkpoint-20").exists():
        checkpoints._delete(folder / "checkpoint-20")
"""

WRITE_FOREVER = """
import random, sys
from pathlib import Path
from training import checkpoints

folder = Path(sys.argv[1])
chance = random.Random(int(sys.argv[2]))
checkpoints.recover(folder)
found = checkpoints.newest(folder).checkpoint
step = found.step if found else 0
while True:
    step += 1
    with checkpoints.writing(folder, step, error_km=chance.random()) as fresh:
        for n in range(4):
            (fresh / f"part-{n}").write_bytes(chance.randbytes(chance.randrange(200_000)))
    print(step, flush=True)
    checkpoints.prune(folder)
"""


def write(folder: Path, step: int, content: bytes = b"weights", *, error_km: float | None = None) -> Path:
    with writing(folder, step, error_km=error_km) as fresh:
        (fresh / "weights").write_bytes(content)
        (fresh / "inner").mkdir()
        (fresh / "inner" / "state.json").write_text("{}", "utf-8")
    return folder / f"checkpoint-{step}"


def steps(folder: Path) -> list[int]:
    return [int(path.name.rpartition("-")[2]) for path in listed(folder)]


# ---- writing and finding ----


def test_the_newest_is_found_by_number(tmp_path: Path) -> None:
    for step in (2, 10, 9):
        write(tmp_path, step)
    found = newest(tmp_path)
    assert found.checkpoint is not None
    assert (found.checkpoint.step, found.checkpoint.path.name, found.passed_over) == (10, "checkpoint-10", ())
    assert (found.checkpoint.path / "inner" / "state.json").read_text("utf-8") == "{}"


def test_nothing_is_found_where_nothing_is(tmp_path: Path) -> None:
    assert newest(tmp_path).checkpoint is None
    assert newest(tmp_path / "gone").checkpoint is None
    assert best(tmp_path / "gone") is None
    assert recover(tmp_path / "gone") == ()
    prune(tmp_path / "gone")


def test_the_manifest_names_every_file(tmp_path: Path) -> None:
    manifest = json.loads((write(tmp_path, 3, error_km=12.5) / MANIFEST).read_text("utf-8"))
    assert set(manifest["files"]) == {"weights", "inner/state.json"}
    assert (manifest["step"], manifest["error_km"]) == (3, 12.5)


def test_a_write_that_fails_leaves_nothing(tmp_path: Path) -> None:
    write(tmp_path, 1)
    with pytest.raises(TypeError, match="bytes"):
        write(tmp_path, 2, "text")  # type: ignore[arg-type]
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]


def test_a_full_disk_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, 1)

    def full(_file: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoints.os, "fsync", full)
    with pytest.raises(RunError, match="Checkpoint 2 could not be written to .*: no space left on device") as caught:
        write(tmp_path, 2)
    assert "Make room" in caught.value.hint
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-1"]


def test_links_are_refused(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="elsewhere is a link"), writing(tmp_path, 1) as fresh:
        (fresh / "elsewhere").symlink_to(tmp_path)


def test_what_a_trainer_wrote_is_adopted(tmp_path: Path) -> None:
    written = tmp_path / "trainer" / "checkpoint-7"
    (written / "inner").mkdir(parents=True)
    (written / "inner" / "state").write_bytes(b"abc")
    path = adopt(written, tmp_path / "sft", 7, error_km=3.0)
    assert not written.exists()
    assert (path / "inner" / "state").read_bytes() == b"abc"
    assert newest(tmp_path / "sft").checkpoint == checkpoints.Checkpoint(path, 7, 3.0)


def test_a_step_that_is_done_again_takes_its_place(tmp_path: Path) -> None:
    write(tmp_path, 5, b"old")
    write(tmp_path, 5, b"new")
    assert (tmp_path / "checkpoint-5" / "weights").read_bytes() == b"new"
    assert [path.name for path in tmp_path.iterdir()] == ["checkpoint-5"]


# ---- damage ----


@pytest.mark.parametrize(
    ("harm", "why"),
    [
        ("no manifest", "it was not finished"),
        ("half a manifest", "its manifest is damaged"),
        ("another manifest", "it was written as step 9"),
        ("flipped byte", "weights was changed or damaged"),
        ("cut off", "weights was changed or damaged"),
        ("file missing", "inner/state.json is missing"),
        ("list as a manifest", "its manifest is damaged"),
    ],
)
def test_a_damaged_one_is_passed_over_with_a_sentence(tmp_path: Path, harm: str, why: str) -> None:
    older, path = write(tmp_path, 9), write(tmp_path, 10)
    if harm == "no manifest":
        (path / MANIFEST).unlink()
    elif harm == "half a manifest":
        (path / MANIFEST).write_bytes((path / MANIFEST).read_bytes()[:40])
    elif harm == "another manifest":
        (path / MANIFEST).write_bytes((older / MANIFEST).read_bytes())
    elif harm == "flipped byte":
        (path / "weights").write_bytes(b"weightz")
    elif harm == "cut off":
        (path / "weights").write_bytes(b"")
    elif harm == "file missing":
        (path / "inner" / "state.json").unlink()
    else:
        (path / MANIFEST).write_text("[]", "utf-8")
    found = newest(tmp_path)
    assert found.checkpoint is not None
    assert found.checkpoint.path == older
    assert found.passed_over == (f"checkpoint-10 was passed over: {why}.",)


def test_an_empty_one_does_not_count(tmp_path: Path) -> None:
    with writing(tmp_path, 1):
        pass
    assert problem_of(tmp_path / "checkpoint-1") == "it is empty"


def test_any_turned_bit_is_noticed(tmp_path: Path) -> None:
    path = write(tmp_path, 10, bytes(range(64)), error_km=2.5)
    for file in [file for file in path.rglob("*") if file.is_file()]:
        content = file.read_bytes()
        for bit in range(0, 8 * len(content), 3):  # every byte, and every place in a byte
            turned = bytearray(content)
            turned[bit // 8] ^= 1 << bit % 8
            file.write_bytes(turned)
            assert problem_of(path), (file.name, bit)
        file.write_bytes(content)
        assert not problem_of(path)


@pytest.mark.parametrize("name", ["checkpoint-", "checkpoint-x", "checkpoint--1", "checkpoint-١", "checkpoint-1.5", "other"])
def test_other_folders_are_none(tmp_path: Path, name: str) -> None:
    (tmp_path / name).mkdir()
    assert listed(tmp_path) == []


# ---- keeping ----


def test_the_newest_and_the_best_are_kept(tmp_path: Path) -> None:
    for step, error in ((10, 90.0), (20, 30.0), (30, 60.0), (40, None), (50, 31.0)):
        write(tmp_path, step, error_km=error)
    prune(tmp_path, keep=2)
    assert steps(tmp_path) == [20, 40, 50]
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_only_whole_ones_are_counted(tmp_path: Path) -> None:
    for step in (10, 20, 30, 40):
        write(tmp_path, step)
    (tmp_path / "checkpoint-40" / MANIFEST).unlink()
    prune(tmp_path, keep=3)
    assert steps(tmp_path) == [10, 20, 30, 40]
    prune(tmp_path, keep=2)
    assert steps(tmp_path) == [20, 30, 40]


def test_the_best_is_whole(tmp_path: Path) -> None:
    for step, error in ((1, 5.0), (2, 1.0), (3, 5.0), (4, None), (5, float("nan"))):
        write(tmp_path, step, error_km=error)
    found = best(tmp_path)
    assert found is not None
    assert found.step == 2
    (tmp_path / "checkpoint-2" / "weights").write_bytes(b"WEIGHTS")
    found = best(tmp_path)
    assert found is not None
    assert found.step == 3  # of equals the newest


# ---- kills ----


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the process is forked for every kill")
@pytest.mark.parametrize("way", ["fresh", "again"])
def test_killed_before_every_file_operation(tmp_path: Path, way: str) -> None:
    """`fresh`: checkpoint 20 is not there yet; `again`: it is being replaced."""
    write(tmp_path, 10)
    write(tmp_path, 15)
    if way == "again":
        write(tmp_path, 20)
    done = subprocess.run(
        [sys.executable, "-c", KILL_AT_EVERY_OPERATION, str(tmp_path), way], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in done.stdout.splitlines()]
    assert len(rows) > 15
    assert [row[1] for row in rows] == ["True"] * (len(rows) - 1) + ["False"]
    allowed = {"15", "20"} if way == "fresh" else {"20"}
    assert {row[3] for row in rows} <= allowed, done.stdout
    assert {row[2] for row in rows} <= {"15", "20"}, done.stdout  # without cleaning, too, something whole is found
    assert all(row[5] == "0" for row in rows), "recover leaves nothing behind"
    assert all(row[6] == "0" for row in rows), "nothing half-written or half-deleted is ever called a checkpoint"
    assert problem_of(tmp_path / "checkpoint-20") == ""


def test_killed_at_random_moments(tmp_path: Path) -> None:
    chance = random.Random(20261121)
    done = 0
    for seed in range(12):
        program = [sys.executable, "-c", WRITE_FOREVER, str(tmp_path), str(seed)]
        with subprocess.Popen(program, stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            first = child.stdout.readline()
            time.sleep(chance.random() * 0.1)
            child.send_signal(signal.SIGKILL)
            said = [int(line) for line in [first, *child.stdout.read().splitlines(keepends=True)] if line.endswith("\n")]
        found = newest(tmp_path).checkpoint
        assert found is not None
        assert found.step >= said[-1] > done
        assert problem_of(found.path) == ""
        done = found.step
    recover(tmp_path)
    prune(tmp_path)
    assert len(steps(tmp_path)) <= 3
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []
