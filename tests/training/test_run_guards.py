"""What a run does when something is wrong: pause or stop by its guards, and sentences about a full disk."""

from __future__ import annotations

import dataclasses
import math
import resource
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.run_events import PAUSE, STOP, CheckpointSaved, Failed, Paused, Step, Stopped  # noqa: E402
from georapp.run_settings import Guards  # noqa: E402
from tests.training.short_runs import QUIET, SFT_SHORT, alerts, change, from_sft, is_paused, meanwhile, new_run, of_kind  # noqa: E402
from tests.training.toy_world import ToyWorld, said  # noqa: E402
from training import checkpoints, pipeline, tiny  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)


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
