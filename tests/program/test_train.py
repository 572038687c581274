"""`georapp train`: a run is started, followed, stopped and left, and every end is said."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from georapp import runs
from georapp.run_events import CONFIG
from tests.program import standin_run
from tests.program.conftest import Run, command

pytestmark = pytest.mark.skipif(not hasattr(os, "killpg"), reason="the stand-in is a shell script")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "a run"
    made.mkdir()
    (made / CONFIG).write_text("")
    return made


def python(tmp_path: Path, how: str) -> Path:
    """A "Python" for --python that is called as `PYTHON -m training FOLDER`."""
    script = tmp_path / f"python that will {how}"
    program = Path(standin_run.__file__)
    paths = os.pathsep.join(path for path in sys.path if path)
    script.write_text(f'#!/bin/sh\nPYTHONPATH="{paths}" exec "{sys.executable}" "{program}" {how} "$3"\n')
    script.chmod(0o755)
    return script


def test_a_run_is_followed_to_its_end(georapp: Run, folder: Path, tmp_path: Path) -> None:
    ran = georapp("train", folder, "--python", python(tmp_path, "finish"))
    assert ran.code == 0
    lines = ran.out.splitlines()
    assert lines[0] == "sft: began"
    assert "sft 5 of 5: loss 0.2" in lines
    assert (
        "sft 5, 8 held-out photos within 25 km: model 25.0 %, random place 1.0 %, most frequent place 12.5 %, "
        "1,234 km off in the middle" in lines
    )
    assert lines[-1] == "finished"
    assert "\x1b" not in ran.out


@pytest.mark.parametrize(("how", "said"), [("fail", "The disk is full. Make room."), ("die", "ended without a word")])
def test_a_run_that_ends_badly_says_so(how: str, said: str, georapp: Run, folder: Path, tmp_path: Path) -> None:
    ran = georapp("train", folder, "--python", python(tmp_path, how))
    assert ran.code == 1
    assert said in ran.out + ran.complaints


def test_interrupted_it_lets_the_run_save_and_end(folder: Path, tmp_path: Path) -> None:
    arguments = command(["train", folder, "--python", python(tmp_path, "wait")])
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as following:
        assert following.stdout
        assert following.stdout.readline() == "sft: began\n"
        following.send_signal(signal.SIGINT)
        rest, _ = following.communicate(timeout=60)
    assert following.returncode == 0
    assert "It saves and ends after this step." in rest
    assert rest.splitlines()[-1].startswith("stopped")


def test_detached_it_goes_on_by_itself(georapp: Run, folder: Path, tmp_path: Path) -> None:
    ran = georapp("train", folder, "--python", python(tmp_path, "wait"), "--detach")
    assert ran.code == 0
    assert "goes on by itself" in ran.out
    again = georapp("train", folder, "--python", python(tmp_path, "wait"))
    assert again.code == 1
    assert "running already" in again.complaints
    runs.stop(folder)
    end = time.monotonic() + 60
    while runs.look(folder).state.alive and time.monotonic() < end:
        time.sleep(0.05)
    assert runs.look(folder).state is runs.State.STOPPED


def test_what_is_no_run_is_a_sentence(georapp: Run, tmp_path: Path) -> None:
    ran = georapp("train", tmp_path, "--python", python(tmp_path, "finish"))
    assert ran.code == 1
    assert "is no run: it has no run.toml" in ran.complaints
