"""Several processes train one model: they find each other, stop together, and only the first one speaks."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp import run_events  # noqa: E402
from georapp.errors import RunError  # noqa: E402
from georapp.run_events import EVENTS, PAUSE, STOP, Began, Heartbeat, Step, Stopped  # noqa: E402
from tests.training.short_runs import QUIET, is_paused, new_run, of_kind, steps  # noqa: E402
from tests.training.toy_world import ToyWorld, said  # noqa: E402
from training import ranks  # noqa: E402
from training.report import EventWriter  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)


def test_two_processes_pause_and_stop_together(toy: ToyWorld, tmp_path: Path, finished: Path) -> None:
    run = new_run(tmp_path / "run", toy)
    (run / PAUSE).touch()
    quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "training", str(run)]
    with subprocess.Popen(
        command, env=os.environ | quiet, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        while process.poll() is None and not ((run / EVENTS).exists() and is_paused(said(run))):
            time.sleep(0.1)
        (run / STOP).touch()
        output, _ = process.communicate()

    assert process.returncode == 0, output
    assert len(of_kind(run, Began)) == 1
    assert [step.step for step in of_kind(run, Step)] == [1]
    assert said(run)[-1] == Stopped("sft", 1, at=said(run)[-1].at)
    assert {path.name for path in (run / "sft" / "checkpoint-1").glob("rng_state*")} == {"rng_state_0.pth", "rng_state_1.pth"}
    assert steps(run, "sft")[1]["loss"] != steps(finished, "sft")[1]["loss"]  # twice the photos


def test_alone_everything_is_agreed_at_once() -> None:
    done = []
    ranks.first_does(lambda: done.append(1))
    ranks.wait_for_all()

    assert (ranks.agreed(True), ranks.agreed(False), done) == (True, False, [1])
    assert (ranks.alone(), ranks.together(), ranks.rank()) == (True, False, 0)


def test_other_ranks_write_nothing(tmp_path: Path) -> None:
    writer = ranks.MutedWriter()
    writer.write(Step("sft", 1, 1))
    writer.ask_to_pause("why")
    writer.wait_while_paused()
    assert not writer.stop_asked()
    writer.request_stop()
    assert writer.stop_asked()
    writer.close()
    assert list(tmp_path.iterdir()) == []


def test_others_wait_for_the_first_rank_and_not_for_an_earlier_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stage = tmp_path / "sft"
    stage.mkdir()
    run_events.write_heartbeat(tmp_path, Heartbeat(1, "long ago", "here", 5, 0.0))
    os.utime(tmp_path / "process.json", (0, 0))  # of an earlier run, which is over
    monkeypatch.setattr(ranks, "SILENT_S", 0.2)
    with pytest.raises(RunError, match="has not begun"):
        ranks.wait_for_first(tmp_path, lambda: ranks.has_entered(tmp_path, stage), poll_s=0.01)

    with EventWriter(tmp_path):
        assert not ranks.has_entered(tmp_path, stage)
        ranks.enter(tmp_path, stage)
        assert ranks.wait_for_first(tmp_path, lambda: ranks.has_entered(tmp_path, stage))
    assert not ranks.wait_for_first(tmp_path, lambda: ranks.has_entered(tmp_path, stage))  # it has ended
    shutil.rmtree(stage)
    assert not ranks.has_entered(tmp_path, stage)
