"""The toy worlds of the proof, and that its runs still work: a small one goes through all of it, too short to learn anything."""

from __future__ import annotations

import dataclasses
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.run_events import CONFIG
from georapp.run_settings import RunConfig
from georapp.run_toml import read
from tests.proof import plan, runs, world
from tests.proof.figures import CONTROL_MODEL, GREEDY, GRPO_MODEL, SAMPLED, SFT_MODEL
from tests.training.short_runs import QUIET
from tests.training.toy_world import CITIES
from training import gather
from training.report import EventWriter
from training.rows import Part, read_rows

pytestmark = pytest.mark.filterwarnings(QUIET)

SMALL = world.World(train_each=3, held_out_each=2, haze=0.5, grain=10)


def test_the_same_seed_draws_the_same_world_and_another_one_another(tmp_path: Path) -> None:
    first, again, other = (world.make(tmp_path / name, SMALL, seed=seed) for name, seed in (("a", 1), ("b", 1), ("c", 2)))

    assert first == again
    assert first != other
    assert (tmp_path / "a" / "00007.png").read_bytes() == (tmp_path / "b" / "00007.png").read_bytes()
    assert (tmp_path / "a" / world.TABLE).read_bytes() == (tmp_path / "b" / world.TABLE).read_bytes()
    assert len({(spot.place.lat, spot.place.lon) for spot in first}) == len(first) == 5 * len(CITIES)
    assert all(len({spot.answer.partition("\nCoordinates")[0] for spot in first if spot.city == city}) == 1 for city in range(16))


def test_the_album_holds_out_the_spots_that_the_world_holds_out(tmp_path: Path) -> None:
    spots = world.make(tmp_path / "photos", SMALL, seed=3)
    config = plan.settings(tmp_path / "photos" / world.TABLE, tmp_path, seed=3, control=False)
    (tmp_path / "run").mkdir()
    with EventWriter(tmp_path / "run") as events:
        gather.run(config, tmp_path / "album", events)
    rows = read_rows(tmp_path / "album")

    assert len(rows) >= 0.95 * len(spots)  # two photos may happen to look alike, and then stand on one side
    by_place = {(spot.place.lat, spot.place.lon): spot for spot in spots}
    as_said = [by_place[row.lat, row.lon].held_out is (row.part is not Part.TRAIN) for row in rows]
    assert sum(as_said) >= 0.95 * len(rows)
    assert all(row.answer == by_place[row.lat, row.lon].answer for row in rows)


SETTINGS = plan.settings


def short(*of: Any, **more: Any) -> RunConfig:
    config = SETTINGS(*of, **more)
    return dataclasses.replace(
        config,
        album=dataclasses.replace(config.album, probe_photos=4),
        sft=dataclasses.replace(config.sft, max_steps=1, batch=4),
        grpo=dataclasses.replace(config.grpo, max_steps=1, batch=16, max_answer_tokens=8),
    )


def test_a_seed_goes_through_all_of_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plan, "WORLD", SMALL)
    monkeypatch.setattr(plan, "BEGINNING", dataclasses.replace(plan.BEGINNING, photos_each=2, steps=40))
    monkeypatch.setattr(plan, "settings", short)
    said: list[str] = []
    found = runs.models_of(tmp_path / "seed-5", 5, say=said.append)

    photos = runs.held_out(tmp_path / "seed-5" / "proof")
    assert list(found) == [SFT_MODEL, GRPO_MODEL, CONTROL_MODEL]
    for measured in found.values():
        assert {name: len(answers) for name, answers in measured.items()} == {GREEDY: len(photos), SAMPLED: len(photos)}
        assert Counter(len(one.rewards) for one in measured[SAMPLED]) == {plan.SAMPLES: len(photos)}
    shuffled = [read(tmp_path / "seed-5" / name / CONFIG).grpo.shuffle_truth for name in ("proof", "control")]
    assert shuffled == [False, True]
    assert sum("python -m training" in line for line in said) == 2

    before = len(said)
    assert runs.models_of(tmp_path / "seed-5", 5, say=said.append) == found  # nothing is done twice
    assert len(said) == before
