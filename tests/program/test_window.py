"""The window as a process of its own: killed in the middle of its queue, and opened again."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from georapp.case import Answer, Case, State
from georapp.errors import CaseError
from georapp.paths import home
from tests.conftest import textured
from tests.program.conftest import Run, command

pytest.importorskip("PySide6.QtWebEngineWidgets", reason="the libraries of the window are not installed", exc_type=ImportError)

PHOTOS = 8
PATIENCE_S = 120.0
CASE = "My photos.georapp"


def opened(*arguments: Path) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "QT_QPA_PLATFORM": "offscreen", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen(command(["gui", *arguments]), env=environment, stderr=subprocess.DEVNULL, start_new_session=True)


def answers() -> dict[int, list[Answer]]:
    """Of each photo in the case; read beside the window, which writes it."""
    try:
        with Case.look(home() / "cases" / CASE) as case:
            return of(case)
    except CaseError:  # it is not there yet, or is being written at this moment
        return {}


def of(case: Case) -> dict[int, list[Answer]]:
    return {row.number: case.answers(row.number) for row in case.rows()}


def wait_for(what: Callable[[dict[int, list[Answer]]], bool], window: subprocess.Popen[bytes]) -> dict[int, list[Answer]]:
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        assert window.poll() is None, "the window has closed"
        found = answers()
        if what(found):
            return found
        time.sleep(0.1)
    raise AssertionError("the window has not done it in time")


def located(found: dict[int, list[Answer]]) -> int:
    return sum(bool(some) for some in found.values())


def test_a_window_that_is_killed_goes_on_where_it_was(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(PHOTOS):
        textured(320, 240, i).save(folder / f"{i}.jpg")
    window = opened(folder)
    try:
        wait_for(lambda found: len(found) == PHOTOS and located(found) >= 2, window)
    finally:
        os.killpg(window.pid, signal.SIGKILL)
        window.wait()
    with Case.open(home() / "cases" / CASE) as case:  # may roll back what was half written
        before = of(case)
    assert 2 <= located(before) < PHOTOS
    window = opened()
    try:
        after = wait_for(lambda found: located(found) == PHOTOS, window)
    finally:
        os.killpg(window.pid, signal.SIGKILL)
        window.wait()
    assert all(after[number][: len(some)] == some for number, some in before.items())
    assert all(len(some) == 1 for some in after.values())
    with Case.open(home() / "cases" / CASE) as case:
        assert case.problems() == []
        assert case.counts()[State.LOCATED] == PHOTOS


def test_a_worker_ends_with_its_window(tmp_path: Path) -> None:
    textured(320, 240).save(tmp_path / "a.jpg")
    window = opened(tmp_path / "a.jpg")
    try:
        wait_for(lambda found: located(found) == 1, window)
        workers = children(window.pid)
        assert workers
    finally:
        os.kill(window.pid, signal.SIGKILL)
        window.wait()
    end = time.monotonic() + PATIENCE_S
    while any(alive(pid) for pid in workers) and time.monotonic() < end:
        time.sleep(0.05)
    assert not any(alive(pid) for pid in workers)


def children(pid: int) -> list[int]:
    """Inference processes that this process has started."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            words = (folder / "cmdline").read_bytes()
            parent = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
        if parent == pid and b"georapp\0worker" in words:
            found.append(int(folder.name))
    return found


def alive(pid: int) -> bool:
    try:
        return (Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]) != "Z"
    except (OSError, IndexError):
        return False


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only there a missing screen can be told beforehand")
@pytest.mark.parametrize("arguments", [["gui"], []])
def test_without_a_screen_it_says_so(arguments: list[str], georapp: Run) -> None:
    ran = georapp(*arguments, DISPLAY="", WAYLAND_DISPLAY="", QT_QPA_PLATFORM="")
    assert ran.code == 1
    assert ran.sentences == ["georapp: There is no screen to open a window on."]
