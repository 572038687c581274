"""The probe: figures of a model beside those of no model, by the code of `georapp evaluate`."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.dataset import Reference
from georapp.errors import RunError
from georapp.evaluate import THRESHOLDS_KM, figures, most_frequent_place, random_prior
from georapp.geo import HALF_CIRCUMFERENCE_KM, Coordinate
from georapp.prompt import profile_named
from georapp.run_events import Probe, from_line, to_line
from georapp.run_settings import Model
from tests.training.toy_world import SETTINGS, ToyWorld, is_known, run_of
from training.base import Base, load
from training.probe import (
    ERROR_KM,
    FREQUENT,
    MISSING,
    RANDOM,
    ProbeSet,
    baselines,
    distance_of,
    error_km,
    measure,
    place_of,
    probes_in,
)
from training.rows import AlbumRow, Part

MINI = profile_named("mini")


@pytest.fixture(scope="module")
def taught(toy: ToyWorld) -> Base:
    return load(toy.taught, Model(**SETTINGS))


def probe_rows(toy: ToyWorld) -> list[AlbumRow]:
    return [row for row in toy.album if row.part is Part.PROBE]


def test_a_taught_model_is_near_where_it_knows_the_city_and_far_where_not(toy: ToyWorld, taught: Base) -> None:
    event = measure(taught, probe_rows(toy), MINI, stage="sft", step=7, batch=4)

    assert (event.stage, event.step, event.photos) == ("sft", 7, 8)
    assert event.values["within_25_km"] == 6 / 8  # the cities that it was taught
    assert event.values["within_200_km"] == 6 / 8
    assert event.values["reward"] > 0.7
    assert event.values[ERROR_KM] == event.values["median_km"] < 25


def test_a_model_that_writes_no_chain_misses_everything(toy: ToyWorld) -> None:
    event = measure(load(toy.base, Model(**SETTINGS)), probe_rows(toy), MINI, stage="sft", step=0, batch=8)

    assert event.values["unanswered"] == 8
    assert event.values["median_km"] is None
    assert event.values["reward"] == event.values["geoscore"] == event.values["within_2500_km"] == 0
    assert event.values[ERROR_KM] == HALF_CIRCUMFERENCE_KM


def test_the_same_model_is_measured_alike_twice(toy: ToyWorld, taught: Base) -> None:
    first, again = (measure(taught, probe_rows(toy), MINI, stage="sft", step=0, batch=batch) for batch in (8, 3))

    assert first == again


def test_photos_that_are_gone_are_counted_and_are_no_misses(toy: ToyWorld, taught: Base) -> None:
    known = [row for row in probe_rows(toy) if is_known(row)]
    rows = [*known, dataclasses.replace(known[0], path="gone.png")]

    event = measure(taught, rows, MINI, stage="sft", step=0, batch=8)

    assert event.values[MISSING] == 1
    assert event.photos == len(known)
    assert event.values["within_25_km"] == 1


def test_a_probe_without_photos_is_an_error(toy: ToyWorld, taught: Base) -> None:
    gone = [dataclasses.replace(row, path="gone.png") for row in probe_rows(toy)]

    with pytest.raises(RunError, match="None of the 8 probe photos"):
        measure(taught, gone, MINI, stage="sft", step=0, batch=8)


def test_every_measurement_of_a_run_carries_its_baselines(toy: ToyWorld, taught: Base, tmp_path: Path) -> None:
    with run_of(tmp_path / "run", toy.album, toy.taught) as work:
        event = ProbeSet.of(work).measure(taught, stage="sft", step=0)
        work.events.write(event)
        later = dataclasses.replace(event, values={ERROR_KM: 1.0})
        work.events.write(later)

    names = {f"within_{km}_km" for km in THRESHOLDS_KM} | {"median_km", "geoscore", "reward"}
    assert names <= event.values.keys()
    assert {prefix + name for prefix in (RANDOM, FREQUENT) for name in names} <= event.values.keys()
    read = from_line(to_line(event))
    assert isinstance(read, Probe)
    assert read.values == event.values
    assert probes_in(tmp_path / "run")["sft", 0].values == later.values  # a step that was done again


def test_baselines_are_those_of_evaluate(toy: ToyWorld) -> None:
    rows, taught_on = probe_rows(toy), [row for row in toy.album if row.part is Part.TRAIN]
    references = [Reference(row.coordinate, row.country) for row in taught_on]
    truths = [row.coordinate for row in rows]

    found = baselines(rows, taught_on)

    prior, frequent = random_prior(truths, references), most_frequent_place(truths, references)
    for km in THRESHOLDS_KM:
        assert found[f"random/within_{km}_km"] == prior.within[km].value
        assert found[f"frequent/within_{km}_km"] == frequent.within[km].value
    assert found["random/median_km"] == prior.median_km
    assert found["frequent/geoscore"] == frequent.geoscore
    assert 0 < found["random/reward"] < 1


def test_a_large_album_is_compared_with_a_part_of_it_that_stays_the_same(toy: ToyWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, taught_on = probe_rows(toy), [row for row in toy.album if row.part is Part.TRAIN]
    monkeypatch.setattr("training.probe.MOST_REFERENCES", 5)

    assert baselines(rows, taught_on) == baselines(rows, taught_on)
    assert baselines([], taught_on) == baselines(rows, []) == {}


@pytest.mark.parametrize("distances", [[1.0, 2.0, 3.0], [1.0, None, 3.0], [None, 5.0, None]])
def test_the_error_is_the_median_with_the_other_side_of_the_earth_for_no_answer(distances: list[float | None]) -> None:
    filled = [HALF_CIRCUMFERENCE_KM if km is None else km for km in distances]

    assert error_km(distances) == sorted(filled)[1]
    median = figures("", distances).median_km
    assert median in (None, error_km(distances))


def test_answers_are_decoded_as_georapp_decodes_them() -> None:
    """A pair that lies in another country than the one written is replaced by the named place, unless the profile takes pairs alone."""
    text = "Continent: Europe\nCountry: France\nState: Ile-de-France\nCity: Paris\nCoordinates: (40.0, -100.0)"

    in_paris = place_of(text, MINI)

    assert in_paris is not None
    assert abs(in_paris.lat - 48.86) < 0.1
    assert place_of(text, profile_named("geo-r")) == Coordinate(40.0, -100.0)
    assert distance_of("nothing to be read", Coordinate(0, 0), MINI) is None
