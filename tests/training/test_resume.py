"""No interruption changes a number: kills, stops, pauses, damaged and deleted files; and what may be changed meanwhile."""

from __future__ import annotations

import dataclasses
import os
import shutil
import signal
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.run_events import CONFIG, PAUSE, STOP, CheckpointSaved, Failed, Stage, Step, Stopped  # noqa: E402
from georapp.run_toml import read  # noqa: E402
from tests.training.short_runs import (  # noqa: E402
    GRPO_SHORT,
    QUIET,
    SFT_SHORT,
    alerts,
    change,
    from_sft,
    is_paused,
    killed,
    meanwhile,
    new_run,
    of_kind,
    steps,
)
from tests.training.toy_world import ToyWorld, said  # noqa: E402
from training import pipeline, tiny  # noqa: E402
from training.base import load  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)


# ---- interruptions ----


def test_kills_and_a_damaged_checkpoint_change_no_number(finished: Path, toy: ToyWorld, tmp_path: Path) -> None:
    run = new_run(tmp_path / "killed", toy)
    killed(run, "sft", 5)
    killed(run, "grpo", 4, after=CheckpointSaved)
    newest = run / "grpo" / "checkpoint-4" / "adapter_model.safetensors"
    data = bytearray(newest.read_bytes())
    data[len(data) // 2] ^= 1
    newest.write_bytes(data)

    assert pipeline.run(run) == 0
    resumed = [(stage.name, stage.step) for stage in of_kind(run, Stage) if stage.state == "resumed"]
    assert resumed == [("sft", 3), ("grpo", 2)]
    assert "checkpoint-4 was passed over: adapter_model.safetensors was changed" in alerts(run)["checkpoint"].reason
    for stage in ("sft", "grpo"):
        assert steps(run, stage) == steps(finished, stage)
        file = f"{stage}/model/adapter_model.safetensors"
        assert (run / file).read_bytes() == (finished / file).read_bytes()


def test_stop_file_sigterm_and_pauses_change_no_number(finished: Path, toy: ToyWorld, tmp_path: Path) -> None:
    run = new_run(tmp_path / "stopped", toy)
    (run / PAUSE).touch()
    with meanwhile(run, is_paused, (run / STOP).touch):
        assert pipeline.run(run) == 0
    assert said(run)[-1] == Stopped("sft", 1, at=said(run)[-1].at)
    assert not (run / STOP).exists()

    with meanwhile(run, is_paused, lambda: os.kill(os.getpid(), signal.SIGTERM)):
        assert pipeline.run(run) == 0
    assert said(run)[-1] == Stopped("sft", 2, at=said(run)[-1].at)

    with meanwhile(run, is_paused, (run / PAUSE).unlink):
        assert pipeline.run(run) == 0
    for stage in ("sft", "grpo"):
        assert steps(run, stage) == steps(finished, stage)


def test_what_was_deleted_by_hand_is_made_again_from_the_checkpoint(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "halved")
    shutil.rmtree(run / "sft" / "model")
    (run / "grpo" / "done.json").write_text("{ half")
    before = len(said(run))

    assert pipeline.run(run) == 0
    assert not [event for event in said(run)[before:] if isinstance(event, Step)]
    file = "sft/model/adapter_model.safetensors"
    assert (run / file).read_bytes() == (finished / file).read_bytes()


def test_all_weights_can_be_trained_and_a_stop_changes_no_number(toy: ToyWorld, tmp_path: Path) -> None:
    sections: dict[str, Any] = {
        "model": {"method": "full", "freeze_vision": False},
        "sft": dataclasses.replace(SFT_SHORT, max_steps=2, learning_rate=1e-4),
        "grpo": dataclasses.replace(GRPO_SHORT, max_steps=2, learning_rate=1e-4, probe_every=0),
    }
    run, broken = new_run(tmp_path / "whole", toy, **sections), new_run(tmp_path / "broken", toy, **sections)
    assert pipeline.run(run) == 0
    (broken / PAUSE).touch()
    for last in (Stopped("sft", 1), Stopped("grpo", 0), Stopped("grpo", 1)):
        with meanwhile(broken, is_paused, (broken / STOP).touch):
            assert pipeline.run(broken) == 0
        assert dataclasses.replace(said(broken)[-1], at=0.0) == last
    (broken / PAUSE).unlink()
    assert pipeline.run(broken) == 0

    assert steps(run, "grpo")[1]["kl"] == pytest.approx(0, abs=1e-6)
    before = load(toy.taught, read(run / CONFIG).model).model.state_dict()
    after = load(toy.taught, read(run / CONFIG).model, adapter=run / "grpo" / "model").model.state_dict()
    assert [name for name, value in before.items() if torch.equal(value, after[name])] == []
    for stage in ("sft", "grpo"):
        assert steps(broken, stage) == steps(run, stage)


def test_a_resume_in_a_later_epoch_changes_no_number(toy: ToyWorld, tmp_path: Path) -> None:
    """Both stages draw an order of their photos for every epoch; with 30 photos these are four steps here, and three."""
    run = new_run(
        tmp_path / "whole",
        toy,
        keep_checkpoints=100,
        sft=dataclasses.replace(SFT_SHORT, max_steps=7, epochs=5, save_every=1),
        grpo=dataclasses.replace(GRPO_SHORT, batch=16, max_steps=6, epochs=5, save_every=1, probe_every=0, max_answer_tokens=16),
    )
    assert pipeline.run(run) == 0
    broken = shutil.copytree(run, tmp_path / "broken")
    for stage, last in (("sft", 5), ("grpo", 4)):
        (broken / stage / "done.json").unlink()
        for checkpoint in (broken / stage).glob("checkpoint-*"):
            if int(checkpoint.name.rpartition("-")[2]) > last:
                shutil.rmtree(checkpoint)

    assert pipeline.run(broken) == 0
    assert [(stage.name, stage.step) for stage in of_kind(broken, Stage) if stage.state == "resumed"] == [("sft", 5), ("grpo", 4)]
    for stage in ("sft", "grpo"):
        assert steps(broken, stage) == steps(run, stage)
        assert max(steps(run, stage)) > 5


# ---- settings that were changed meanwhile ----


def test_a_lower_learning_rate_counts_after_a_resume(finished: Path, tmp_path: Path) -> None:
    run = from_sft(finished, tmp_path / "slower")
    change(run, grpo={"learning_rate": 1e-4})

    assert pipeline.run(run) == 0
    assert steps(run, "grpo")[6]["learning_rate"] == pytest.approx(1e-4)
    assert "grpo.learning_rate was changed from 0.001 to 0.0001." in alerts(run)["settings"].reason


def test_a_change_that_comes_too_late_is_said(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "late")
    change(run, sft={"learning_rate": 0.5})

    assert pipeline.run(run) == 0
    assert "sft.learning_rate was changed from 0.001 to 0.5." in alerts(run)["settings"].reason
    assert "It has no effect" in alerts(run)["settings"].hint


def test_a_base_model_may_move_but_not_become_another_one(finished: Path, toy: ToyWorld, tmp_path: Path) -> None:
    run = from_sft(finished, tmp_path / "moved")
    shutil.copytree(toy.taught, tmp_path / "elsewhere")
    change(run, model={"base": str(tmp_path / "elsewhere")}, grpo={"probe_every": 0})

    assert pipeline.run(run) == 0
    assert steps(run, "grpo")[6] == steps(finished, "grpo")[6]
    shutil.rmtree(run / "grpo" / "model")
    tiny.build("qwen2vl", tmp_path / "other")
    change(run, model={"base": str(tmp_path / "other")})
    assert pipeline.run(run) == 1
    assert "another model than before" in said(run)[-1].reason  # type: ignore[union-attr]


def test_an_adapter_of_another_rank_is_refused_with_a_sentence(
    finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = from_sft(finished, tmp_path / "wider")
    change(run, model={"lora_rank": 16})

    assert pipeline.run(run) == 1
    last = said(run)[-1]
    assert isinstance(last, Failed)
    assert "model.lora_rank was changed from 4 to 16" in last.reason
    assert last.reason in capsys.readouterr().err
