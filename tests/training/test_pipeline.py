"""Whole runs of the pipeline on a tiny model: what they say, and what they leave behind."""

from __future__ import annotations

import dataclasses
import itertools
import json
import shutil
import statistics
from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp import run_size  # noqa: E402
from georapp.run_events import CONFIG, EVENTS, CheckpointSaved, Finished, Probe, Sample, Stage  # noqa: E402
from georapp.run_settings import Grpo, Sft  # noqa: E402
from georapp.run_toml import read  # noqa: E402
from tests.training.short_runs import GRPO_SHORT, QUIET, SFT_SHORT, alerts, change, new_run, of_kind, steps  # noqa: E402
from tests.training.toy_world import ToyWorld, said  # noqa: E402
from training import checkpoints, guards, pipeline, preview, tiny  # noqa: E402
from training.__main__ import main  # noqa: E402
from training.base import load  # noqa: E402
from training.report import EventWriter  # noqa: E402
from training.rewards import Reward  # noqa: E402
from training.rows import Part, read_rows, write_rows  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)


# ---- what a run says, and leaves behind ----


def test_every_stage_and_step_is_said_in_order(finished: Path) -> None:
    stages = [(stage.name, stage.state, stage.step) for stage in of_kind(finished, Stage)]

    assert stages == [
        ("album", "skipped", 0),
        ("sft", "began", 0),
        ("sft", "done", 7),
        ("hard", "skipped", 0),
        ("grpo", "began", 0),
        ("grpo", "done", 6),
        ("export", "skipped", 0),
    ]
    assert [list(steps(finished, stage)) for stage in ("sft", "grpo")] == [list(range(1, 8)), list(range(1, 7))]
    assert [(probe.stage, probe.step) for probe in of_kind(finished, Probe)] == [
        ("sft", 0), ("sft", 7), ("grpo", 0), ("grpo", 3), ("grpo", 6),
    ]  # fmt: skip
    assert isinstance(said(finished)[-1], Finished)


def test_sft_learns_what_the_model_does_not_know(toy: ToyWorld, tmp_path: Path) -> None:
    long = Sft(max_steps=8, batch=8, accumulate=1, learning_rate=5e-3, probe_every=0)
    run = new_run(tmp_path / "run", toy, known=False, sft=long, grpo=Grpo(enabled=False))

    assert pipeline.run(run) == 0
    losses = [values["loss"] for values in steps(run, "sft").values()]
    assert losses[-1] < 0.8 * losses[0]  # type: ignore[operator]


def test_grpo_begins_at_the_sft_model_and_moves_away(finished: Path) -> None:
    values = steps(finished, "grpo")

    assert values[1]["kl"] == 0
    assert values[6]["kl"] > 0  # type: ignore[operator]
    assert all(step["grad_norm"] for step in values.values())


def test_reward_is_the_product_and_its_parts_do_not_count(finished: Path) -> None:
    for values in steps(finished, "grpo").values():
        assert values["reward"] == pytest.approx(values["rewards/reward/mean"])
        assert {f"rewards/{part}/mean" for part in ("r_distance", "r_format", "km")} <= values.keys()


def test_the_guards_find_what_they_watch(finished: Path) -> None:
    watched = {guards.ENTROPY, guards.KL, guards.NO_SIGNAL, guards.CLIPPED, *guards.MUST_BE_FINITE}

    assert all(watched <= values.keys() for values in steps(finished, "grpo").values())


def test_of_every_step_one_group_is_shown(finished: Path, toy: ToyWorld) -> None:
    samples = of_kind(finished, Sample)
    places = {row.path: (row.lat, row.lon) for row in toy.album if row.part is Part.TRAIN}

    assert [sample.step for sample in samples] == [step for step in range(1, 7) for _ in range(4)]
    for _, group in itertools.groupby(samples, key=lambda sample: sample.step):
        shown = list(group)
        rewards = [sample.reward for sample in shown]
        assert len({sample.photo for sample in shown}) == 1
        assert (shown[0].true_lat, shown[0].true_lon) == places[shown[0].photo]
        assert rewards == [sample.parts["r_distance"] * sample.parts["r_format"] for sample in shown]
        expected = [(reward - statistics.fmean(rewards)) / (statistics.stdev(rewards) + 1e-4) for reward in rewards]
        assert [sample.advantage for sample in shown] == pytest.approx(expected)
    assert any(sample.reward for sample in samples)


def test_the_newest_checkpoints_and_the_best_are_kept(finished: Path) -> None:
    kept = [path.name for path in checkpoints.listed(finished / "grpo")]
    best = checkpoints.best(finished / "grpo")

    assert kept[-2:] == ["checkpoint-4", "checkpoint-6"]
    assert best is not None
    assert set(kept) == {best.path.name, "checkpoint-4", "checkpoint-6"}
    assert not list(finished.rglob(".trainer"))
    said_of = [(saved.stage, saved.path) for saved in of_kind(finished, CheckpointSaved)]
    assert said_of == [
        ("sft", f"sft/checkpoint-{step}") for step in (3, 6, 7)
    ] + [("grpo", f"grpo/checkpoint-{step}") for step in (2, 4, 6)]  # fmt: skip


def test_each_stage_leaves_an_adapter_for_the_base(finished: Path, toy: ToyWorld) -> None:
    settings = read(finished / CONFIG).model
    weights = []
    for stage in ("sft", "grpo"):
        base = load(toy.taught, settings, adapter=finished / stage / "model")
        weights.append({name: value for name, value in base.model.state_dict().items() if "lora_B" in name})

    assert all(value.abs().sum() > 0 for value in weights[0].values())
    assert all(not torch.equal(value, weights[1][name]) for name, value in weights[0].items())
    assert not (finished / "grpo" / "model" / "ref").exists()


def test_a_finished_run_does_nothing_more(finished: Path, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "again")
    before = len(said(run))

    assert pipeline.run(run) == 0
    assert {stage.state for stage in said(run)[before:] if isinstance(stage, Stage)} == {"skipped"}


# ---- other ways to train ----


def test_the_control_run_rewards_for_another_photo(finished: Path, toy: ToyWorld, tmp_path: Path) -> None:
    run = shutil.copytree(finished, tmp_path / "control")
    shutil.rmtree(run / "grpo")
    change(run, grpo={"shuffle_truth": True, "max_steps": 2})
    (run / EVENTS).unlink()

    assert pipeline.run(run) == 0
    places = {row.path: (row.lat, row.lon) for row in toy.album}
    assert all((sample.true_lat, sample.true_lon) != places[sample.photo] for sample in of_kind(run, Sample))


def test_answers_may_be_written_a_few_at_a_time(
    finished: Path, toy: ToyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = shutil.copytree(finished, tmp_path / "few")
    shutil.rmtree(run / "grpo")
    change(run, grpo={"together": 4, "max_steps": 0})
    (run / EVENTS).unlink()
    at_once: list[int] = []
    asked = Reward.__call__
    monkeypatch.setattr(
        Reward, "__call__", lambda self, answers, **more: (at_once.append(len(answers)), asked(self, answers, **more))[1]
    )

    assert pipeline.run(run) == 0
    photos = len([row for row in read_rows(run / "album", Part.TRAIN)])
    made = len(steps(run, "grpo"))
    assert made == run_size.steps(read(run / CONFIG), "grpo", photos)
    assert set(at_once) == {4}
    assert [sample.step for sample in of_kind(run, Sample)] == [step for step in range(1, made + 1) for _ in range(4)]


def test_three_photos_are_enough_to_go_through_all_of_it(toy: ToyWorld, tmp_path: Path) -> None:
    run = new_run(
        tmp_path / "run",
        toy,
        sft=dataclasses.replace(SFT_SHORT, max_steps=0),
        grpo=dataclasses.replace(GRPO_SHORT, batch=16, max_steps=0, shuffle_truth=True),
    )
    write_rows([row for row in toy.album if row.part is Part.TRAIN][:3], run / "album")

    assert pipeline.run(run) == 0
    assert alerts(run)["photos"].reason == "A step has room for 8 photos, and there are 3: each is taken 3 times."
    assert (len(steps(run, "sft")), len(steps(run, "grpo"))) == (1, 1)
    assert of_kind(run, Probe) == []  # nothing was held out
    places = {row.path: (row.lat, row.lon) for row in toy.album}
    assert all((sample.true_lat, sample.true_lon) != places[sample.photo] for sample in of_kind(run, Sample))


@pytest.mark.parametrize("family", ["qwen25vl", "smolvlm"])
def test_other_families_are_trained_alike(family: str, toy: ToyWorld, tmp_path: Path) -> None:
    tiny.build(family, tmp_path / "base")
    run = new_run(
        tmp_path / "run",
        toy,
        base=tmp_path / "base",
        known=False,
        model={"max_pixels": 20_000},
        sft=Sft(max_steps=1, batch=2, accumulate=1, probe_every=0),
        grpo=Grpo(max_steps=1, batch=2, accumulate=1, generations=2, max_answer_tokens=8, probe_every=0),
    )

    assert pipeline.run(run) == 0
    assert steps(run, "sft")[1]["loss"] > 0  # type: ignore[operator]
    assert steps(run, "grpo")[1]["kl"] == 0


# ---- the program ----


def test_a_second_process_is_refused(finished: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = shutil.copytree(finished, tmp_path / "twice")
    with EventWriter(run):
        before = len(said(run))
        assert pipeline.run(run) == 1
        assert len(said(run)) == before

    assert "Another process is training in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "sentence"),
    [("version = 99\n", "newer version"), ("[grpo]\nbeta = 'much'\n", "grpo.beta"), ("[model\n", "TOML")],
)
def test_an_impossible_run_toml_is_a_sentence(
    text: str, sentence: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / CONFIG).write_text(text)

    assert main([str(tmp_path)]) == 1
    assert sentence in capsys.readouterr().err


def test_wrong_calls_are_told_apart_from_failures(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (main([]), main(["a", "b"]), main(["--fast"]), main(["--help"])) == (2, 2, 2, 0)
    assert main([str(tmp_path / "nowhere")]) == 1
    assert "cannot be read" in capsys.readouterr().err


def test_an_unknown_mistake_still_ends_with_a_message(toy: ToyWorld, tmp_path: Path) -> None:
    run = new_run(tmp_path / "run", toy)
    (run / "sft").write_text("a file where a folder belongs")

    assert pipeline.run(run) == 1
    assert "cannot be made" in said(run)[-1].reason  # type: ignore[union-attr]


def test_a_preview_shows_what_is_learned(finished: Path, toy: ToyWorld, capsys: pytest.CaptureFixture[str]) -> None:
    assert preview.main([str(finished), "2"]) == 0
    first, second = [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    assert (first["photo"], second["photo"]) == (toy.album[0].path, toy.album[1].path)
    assert "".join(text for text, learned in first["tokens"] if learned) == toy.album[0].answer + "<|im_end|>"
    assert (preview.main([]), preview.main(["a", "many"]), preview.main(["nowhere"])) == (2, 2, 1)


def test_done_notes_say_what_the_stage_was_made_with(finished: Path) -> None:
    facts = json.loads((finished / "grpo" / "done.json").read_text())

    assert facts["made"] == ["model"]
    assert facts["settings"]["grpo.beta"] == 0.04
    assert facts["steps"] == 6
