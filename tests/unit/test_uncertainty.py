"""From samples to what may be stated."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.chain import Chain, Level
from georapp.geo import Coordinate, distance_km
from georapp.prediction import Agreement, Sample
from georapp.uncertainty import DEFAULT_NEEDED, agreements, candidates, circle_km, stated

PARIS, LYON, ROME, LIMA = Coordinate(48.85, 2.35), Coordinate(45.76, 4.84), Coordinate(41.9, 12.5), Coordinate(-12.05, -77.04)


def sample(*names: str, at: Coordinate | None = None) -> Sample:
    chain = Chain.of(zip(Level, names, strict=False), at)
    return Sample("text", True, chain, True, at, "coordinates" if at else "")


NOTHING = Sample("zzz", True)
FRENCH = [
    sample("Europe", "France", "Île-de-France", "Paris", at=PARIS),
    sample("Europe", "France", "Ile-de-France", "Paris", at=PARIS),
    sample("Europe", "France", "Rhône", "Lyon", at=LYON),
    sample("Europe", "Italy", "Lazio", "Rome", at=ROME),
]


def test_agreement_narrows_from_level_to_level() -> None:
    assert [(a.level, a.name, a.count, a.of) for a in agreements([*FRENCH, NOTHING])] == [
        (Level.CONTINENT, "Europe", 4, 5),
        (Level.COUNTRY, "France", 3, 5),
        (Level.PROVINCE, "Île-de-France", 2, 5),
        (Level.CITY, "Paris", 2, 5),
    ]


def test_only_samples_that_agree_above_count_below() -> None:
    mixed = [
        sample("Europe", "Spain", "A", "Cordoba"),
        sample("South America", "Argentina", "B", "Cordoba"),
        sample("Europe", "Spain", "C", "Vigo"),
    ]
    assert [a.count for a in agreements(mixed)] == [2, 2, 1, 1]


def test_four_levels_without_a_continent_work_too() -> None:
    chain = Chain.of([(Level.COUNTRY, "Peru"), (Level.CITY, "Lima")], LIMA)
    found = agreements([Sample("t", True, chain, True, LIMA, "coordinates")] * 2)
    assert [(a.level, a.name) for a in found] == [(Level.COUNTRY, "Peru")]


def test_what_is_stated_ends_where_agreement_ends() -> None:
    levels = agreements(FRENCH)
    assert [r.name for r in stated(levels, PARIS, DEFAULT_NEEDED).regions] == ["Europe", "France", "Île-de-France", "Paris"]
    strict = dict.fromkeys(Level, 0.7)
    chain = stated(levels, PARIS, strict)
    assert [r.name for r in chain.regions] == ["Europe", "France"]
    assert chain.coordinate is None  # a pin needs a city
    assert stated(levels, PARIS, DEFAULT_NEEDED).coordinate == PARIS


def test_no_agreement_is_not_localisable() -> None:
    scattered = [sample(c, c, c, c) for c in ("Europe", "Asia", "Africa", "Oceania")]
    assert stated(agreements(scattered), PARIS).regions == ()
    assert agreements([NOTHING, NOTHING]) == ()


def test_candidates_have_shares_of_all_samples() -> None:
    found = candidates([*FRENCH, NOTHING])
    assert [(c.coordinate, c.count, c.share) for c in found] == [(PARIS, 2, 0.4), (LYON, 1, 0.2), (ROME, 1, 0.2)]
    assert candidates([NOTHING]) == ()


def test_circles_hold_their_share_of_all_samples() -> None:
    samples = [*FRENCH, NOTHING]
    assert circle_km(PARIS, samples, 0.4) == 0
    assert circle_km(PARIS, samples, 0.5) == pytest.approx(distance_km(PARIS, LYON))
    assert circle_km(PARIS, samples, 0.8) == pytest.approx(distance_km(PARIS, ROME))
    assert circle_km(PARIS, samples, 0.9) is None  # the fifth sample has no coordinate


points = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))
names = st.lists(st.sampled_from("ABC"), max_size=4)


@given(st.lists(st.builds(lambda n, p: sample(*n, at=p), names, st.none() | points), min_size=1, max_size=8))
def test_agreement_never_rises_and_shares_stay_within_one(samples: list[Sample]) -> None:
    counts = [a.count for a in agreements(samples)]
    assert counts == sorted(counts, reverse=True)
    assert sum(c.share for c in candidates(samples)) <= 1 + 1e-9
    assert all(0 < a.share <= 1 for a in agreements(samples))


def test_share_of_an_agreement() -> None:
    assert Agreement(Level.CITY, "Paris", 3, 8).share == 0.375
