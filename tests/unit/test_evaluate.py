"""Figures by hand: failures stay in the denominator, baselines are what they say."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.chain import Level
from georapp.evaluate import (
    Reference,
    Share,
    figures,
    is_known,
    most_frequent_country,
    most_frequent_place,
    random_prior,
)
from georapp.geo import Coordinate, geoscore

PARIS, LYON, TOKYO = Coordinate(48.85, 2.35), Coordinate(45.76, 4.84), Coordinate(35.68, 139.69)
REFERENCES = [Reference(PARIS, "FR"), Reference(Coordinate(48.86, 2.36), "FR"), Reference(LYON, "FR"), Reference(TOKYO, "JP")]


def test_thresholds_median_and_score() -> None:
    line = figures("m", [0.5, 25.0, 100.0, None])
    assert {km: share.count for km, share in line.within.items()} == {1: 1, 25: 2, 200: 3, 750: 3, 2500: 3}
    assert line.within[25].value == 0.5
    assert line.unanswered == 1
    assert line.median_km == pytest.approx(62.5)
    assert line.geoscore == pytest.approx((geoscore(0.5) + geoscore(25) + geoscore(100)) / 4)


def test_no_median_when_half_have_no_answer() -> None:
    assert figures("m", [1.0, None, None]).median_km is None
    assert figures("m", [1.0, 2.0, None]).median_km == 2.0


@pytest.mark.parametrize(
    ("km", "score"), [(0, 5000), (1, 4996.65), (25, 4916.96), (200, 4373.01), (750, 3025.25), (1492.7, 1839.40), (10000, 6.16)]
)
def test_geoscore_vectors(km: float, score: float) -> None:
    assert geoscore(km) == pytest.approx(score, abs=0.01)


def test_wilson_interval() -> None:
    low, high = Share(16, 19).interval
    assert (low, high) == (pytest.approx(0.624, abs=2e-3), pytest.approx(0.945, abs=2e-3))
    assert Share(0, 0).interval == (0.0, 1.0)


@given(st.integers(0, 500), st.integers(1, 500))
def test_wilson_interval_holds_the_share(count: int, n: int) -> None:
    share = Share(min(count, n), n)
    low, high = share.interval
    assert 0 <= low <= share.value + 1e-12
    assert share.value - 1e-12 <= high <= 1


def test_levels_without_truth_leave_the_denominator() -> None:
    line = figures(
        "m",
        [1.0, 2.0, None],
        [{Level.COUNTRY: True, Level.CITY: None}, {Level.COUNTRY: False, Level.CITY: True}, {Level.COUNTRY: False}],
    )
    assert line.levels is not None
    assert (line.levels[Level.COUNTRY].count, line.levels[Level.COUNTRY].n) == (1, 3)
    assert (line.levels[Level.CITY].count, line.levels[Level.CITY].n) == (1, 1)


def test_random_prior_is_an_expectation() -> None:
    line = random_prior([PARIS], REFERENCES)
    assert line.within[25].value == 0.5  # two of the four training places
    assert line.within[750].value == 0.75
    assert line.within[2500].count == 0.75


def test_most_frequent() -> None:
    assert most_frequent_place([PARIS, TOKYO], REFERENCES).within[25].value == 0.5
    country = most_frequent_country([PARIS, TOKYO, LYON], REFERENCES)
    assert country.name == "most frequent country (FR)"
    assert country.within[750].count == 2


def test_known_places() -> None:
    assert is_known(Coordinate(48.95, 2.35), REFERENCES)
    assert not is_known(Coordinate(49.2, 2.35), REFERENCES)


@given(st.lists(st.none() | st.floats(0, 20015), min_size=1, max_size=30))
def test_shares_rise_with_the_threshold(distances: list[float | None]) -> None:
    values = [share.value for share in figures("m", distances).within.values()]
    assert values == sorted(values)
    assert all(math.isfinite(value) for value in values)
