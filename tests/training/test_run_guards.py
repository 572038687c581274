"""What a run does when something is wrong: pause or stop by its guards, and sentences about a full disk."""

from __future__ import annotations

import dataclasses
import math
import resource
from pathlib import Path
from typing import NamedTuple

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.run_events import PAUSE, STOP, Alert, CheckpointSaved, Failed, Paused, Stage, Step, Stopped  # noqa: E402
from georapp.run_settings import Guards  # noqa: E402
from tests.training.short_runs import QUIET, SFT_SHORT, alerts, change, from_sft, is_paused, meanwhile, new_run, of_kind  # noqa: E402
from tests.training.toy_world import ToyWorld, said  # noqa: E402
from training import checkpoints, pipeline, tiny  # noqa: E402
from training.report import EventWriter  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)


class Usage(NamedTuple):
    """Of a disk."""

    free: float


# ---- guards ----


def test_a_guard_ends_the_stage_and_keeps_the_checkpoint_before(finished: Path, tmp_path: Path) -> None:
    run = from_sft(finished, tmp_path / "drifting")
    kept = [path.name for path in checkpoints.listed(run / "grpo")]
    change(run, guards={"kl_ceiling": 0.001}, grpo={"learning_rate": 0.05, "beta": 0.0401})

    assert pipeline.run(run) == 1
    alert, last = alerts(run)["kl"], said(run)[-1]
    assert alert.action == "stop"
    assert isinstance(last, Failed)
    assert (last.reason, last.hint) == (alert.reason, alert.hint)
    assert [path.name for path in checkpoints.listed(run / "grpo")][: len(kept)] == kept
    assert f"checkpoint-{alert.step}" not in [path.name for path in checkpoints.listed(run / "grpo")]


@pytest.fixture(scope="module")
def broken_base(toy: ToyWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in which one weight is no number."""
    folder = tmp_path_factory.mktemp("models") / "broken"
    model, processor = tiny.load(toy.taught)
    with torch.no_grad():
        next(model.parameters()).view(-1)[0] = math.nan
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return folder


def test_no_number_pauses_and_is_never_saved(toy: ToyWorld, broken_base: Path, tmp_path: Path) -> None:
    run = new_run(tmp_path / "nan", toy, base=broken_base, sft=dataclasses.replace(SFT_SHORT, save_every=1))
    with meanwhile(run, is_paused, (run / STOP).touch):
        assert pipeline.run(run) == 0

    assert alerts(run)["nan"].action == "pause"
    assert of_kind(run, Step)[-1].not_finite
    assert isinstance(said(run)[-1], Stopped)
    assert not of_kind(run, CheckpointSaved)
    assert not checkpoints.listed(run / "sft")


def test_a_run_that_may_not_act_still_says_that_it_failed(toy: ToyWorld, broken_base: Path, tmp_path: Path) -> None:
    short = dataclasses.replace(SFT_SHORT, max_steps=2)
    run = new_run(tmp_path / "nan", toy, base=broken_base, sft=short, guards=Guards(act=False))

    assert pipeline.run(run) == 1
    assert "numbers are none any more" in said(run)[-1].reason  # type: ignore[union-attr]
    assert not checkpoints.listed(run / "sft")


def test_a_disk_that_gets_full_pauses_the_run(finished: Path, tmp_path: Path) -> None:
    run = from_sft(finished, tmp_path / "full")
    change(run, guards={"disk_gb": 1e6})
    with meanwhile(run, is_paused, (run / PAUSE).unlink):
        assert pipeline.run(run) == 0

    assert "GB are free" in alerts(run)["disk"].reason
    assert [paused.reason for paused in of_kind(run, Paused)] == [alerts(run)["disk"].reason]


def test_room_that_was_made_is_said_and_steps_go_on(finished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = from_sft(finished, tmp_path / "fuller")
    free = iter([1e9])
    monkeypatch.setattr("training.callback.shutil.disk_usage", lambda _: Usage(next(free, 90e9)))
    with meanwhile(run, is_paused, (run / PAUSE).unlink):
        assert pipeline.run(run) == 0

    full, room = (alert for alert in of_kind(run, Alert) if alert.guard == "disk")
    assert (full.action, full.over, room.over, room.step) == ("pause", False, True, full.step + 1)
    assert "has room again: 90.0 GB" in room.reason


def test_a_resume_says_what_is_over(finished: Path, tmp_path: Path) -> None:
    """Somebody stopped the run while it waited for room, made some, and started it again."""
    run = from_sft(finished, tmp_path / "restarted")
    with EventWriter(run) as events:
        events.write(Stage("grpo", "resumed"))
        events.write(Alert("disk", "Only 1.0 GB are free.", "Make room.", "pause", 2))
    change(run, guards={"disk_gb": 0.001})

    assert pipeline.run(run) == 0
    assert alerts(run)["disk"].over


# ---- how fast it is ----


def test_steps_say_how_fast_they_were(finished: Path) -> None:
    found = {stage: [step.values for step in of_kind(finished, Step) if step.stage == stage] for stage in ("sft", "grpo")}
    for values in found["sft"]:
        tokens = values["tokens_per_s"] * values["step_time"]
        assert tokens == pytest.approx(round(tokens))
        assert 8 * 20 < tokens < 8 * 100  # of 8 answers
    for values in found["grpo"]:
        assert values["tokens_per_s"] * values["step_time"] == pytest.approx(8 * values["completions/mean_length"])
    assert all("gpu_memory_gb" in values for values in found["grpo"]) == torch.cuda.is_available()


def test_a_checkpoint_that_does_not_fit_on_the_disk_is_a_sentence(toy: ToyWorld, tmp_path: Path) -> None:
    run = new_run(tmp_path / "full", toy)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (30_000, before[1]))  # the adapter is larger than a file may get now
    try:
        code = pipeline.run(run)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)

    assert code == 1
    assert f"Checkpoint 3 could not be written to {run / 'sft'}" in said(run)[-1].reason  # type: ignore[union-attr]
    assert not list((run / "sft").iterdir())
