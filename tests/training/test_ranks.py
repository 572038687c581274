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

from safetensors.torch import load_file  # noqa: E402
from transformers.integrations import deepspeed  # noqa: E402

from georapp import run_events  # noqa: E402
from georapp.errors import RunError  # noqa: E402
from georapp.prompt import profile_named  # noqa: E402
from georapp.run_events import CONFIG, EVENTS, PAUSE, STOP, Began, Heartbeat, Probe, Step, Stopped  # noqa: E402
from georapp.run_settings import Model  # noqa: E402
from georapp.run_toml import read  # noqa: E402
from tests.training.short_runs import QUIET, change, is_paused, new_run, of_kind, steps  # noqa: E402
from tests.training.toy_world import PROFILE, SETTINGS, ToyWorld, said  # noqa: E402
from training import pipeline, ranks  # noqa: E402
from training.answering import answers, join_in  # noqa: E402
from training.base import load  # noqa: E402
from training.launch import Plan  # noqa: E402
from training.launch_files import accelerate, yaml  # noqa: E402
from training.measuring import answers_of_all, is_sharded  # noqa: E402
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


def test_weights_that_are_shared_out_learn_the_same(toy: ToyWorld, tmp_path: Path) -> None:
    """FSDP2 on two processes, and one process that has as many photos a step: the same losses, figures and adapter."""
    same = {"lora_dropout": 0.0}  # which photos' numbers are dropped depends on the process
    shared, alone = new_run(tmp_path / "shared", toy, model=same), new_run(tmp_path / "alone", toy, model=same)
    change(shared, sft={"max_steps": 1}, grpo={"max_steps": 1})
    change(alone, sft={"max_steps": 1, "accumulate": 4}, grpo={"enabled": False})
    config = tmp_path / "fsdp2.yaml"
    plan = Plan(shared, read(shared / CONFIG), gpus=2, strategy="fsdp2")
    config.write_text(yaml(accelerate(plan) | {"use_cpu": True, "mixed_precision": "no"}))
    script = Path(__file__).with_name("fsdp_on_cpu.py")
    command = [sys.executable, "-m", "accelerate.commands.launch", "--config_file", str(config), "--main_process_port", "0"]
    quiet = {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(Path.cwd())}
    done = subprocess.run(
        [*command, str(script), str(shared)], env=os.environ | quiet, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert pipeline.run(alone) == 0

    for number, values in steps(alone, "sft").items():
        assert steps(shared, "sft")[number]["loss"] == pytest.approx(values["loss"], rel=1e-4)
        assert steps(shared, "sft")[number]["grad_norm"] == pytest.approx(values["grad_norm"], rel=1e-3)
    before, after = of_kind(shared, Probe)[:2]
    assert before.values == of_kind(alone, Probe)[0].values
    assert after.values["error_km"] == pytest.approx(of_kind(alone, Probe)[1].values["error_km"])
    ours, theirs = (load_file(run / "sft" / "model" / "adapter_model.safetensors") for run in (shared, alone))
    assert ours.keys() == theirs.keys()
    assert max(float((ours[name] - theirs[name]).abs().max()) for name in ours) < 1e-5
    assert len(of_kind(shared, Began)) == 1
    assert [(step.stage, step.step) for step in of_kind(shared, Step)] == [("sft", 1), ("grpo", 1)]


def test_a_whole_model_is_loaded_after_a_stage_that_shares_weights_out() -> None:
    class Sharing:
        def is_zero3(self) -> bool:
            return True

    mark = Sharing()
    deepspeed.set_hf_deepspeed_config(mark)
    assert deepspeed.is_deepspeed_zero3_enabled()
    ranks.forget_sharding()
    assert not deepspeed.is_deepspeed_zero3_enabled()


def test_answers_of_all_are_those_of_one(toy: ToyWorld) -> None:
    base, profile = load(toy.taught, Model(**SETTINGS)), profile_named(PROFILE)
    photos = [*(shot.path for shot in toy.shots[:5]), toy.shots[0].path.with_name("gone.png")]
    asked = {"max_tokens": profile.max_tokens, "batch": 4}
    assert answers_of_all(base, photos, profile.question, **asked) == answers(base, photos, profile.question, **asked)
    assert not is_sharded(base.model)
    join_in(base, profile.question, max_tokens=4)


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
