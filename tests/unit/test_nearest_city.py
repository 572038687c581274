"""The paper's labels: what reverse_geocoder says, with the rules for distance, missing names and borders."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import reverse_geocoder
from hypothesis import given, settings
from hypothesis import strategies as st

from georapp import nearest_city
from georapp.chain import Level
from georapp.errors import GazetteerError
from georapp.geo import Coordinate
from georapp.places import SEA, Label

LABELLER = nearest_city.load()

coordinates = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))


def label(lat: float, lon: float) -> Label:
    return LABELLER.label(Coordinate(lat, lon))


def test_the_eiffel_tower_has_the_name_of_the_nearest_place() -> None:
    tower = label(48.8584, 2.2945)

    assert (tower.continent, tower.country, tower.country_code) == ("Europe", "France", "FR")
    assert (tower.province, tower.province_code, tower.city, tower.how) == ("Ile-de-France", None, "Vanves", "nearest")
    assert tower.city_km == pytest.approx(3.9, abs=0.1)


def test_the_place_in_the_figure_of_the_paper() -> None:
    assert label(43.452, 142.615).city == "Shimo-furano"


@pytest.mark.parametrize(("lat", "lon"), [(0, -30), (-90, 0), (0, -140), (0, 0)])
def test_nothing_within_300_km_is_no_label(lat: float, lon: float) -> None:
    assert label(lat, lon) == SEA


def test_a_place_more_than_50_km_away_is_left_out_of_the_chain() -> None:
    desert = Coordinate(25.0, 12.0)
    found = LABELLER.label(desert)

    assert found.city_km is not None
    assert 50 < found.city_km < 300
    assert found.chain(desert).name(Level.CITY) is None
    assert found.chain(desert).name(Level.COUNTRY) == found.country


def test_a_missing_province_is_not_invented() -> None:
    singapore = label(1.29, 103.85)

    assert (singapore.country_code, singapore.province, singapore.city) == ("SG", None, "Singapore")


def test_a_border_town_is_flagged_and_the_middle_of_a_country_is_not() -> None:
    assert label(47.5950, 7.6550).how == "border"  # between Riehen in Switzerland and Lörrach in Germany
    assert label(52.52, 13.40).how == "nearest"


@settings(deadline=None)
@given(coordinates)
def test_every_coordinate_has_a_label_that_is_consistent(coordinate: Coordinate) -> None:
    found = LABELLER.label(coordinate)

    assert found.how in {"nearest", "border", "none"}
    assert (found.how == "none") == (found == SEA)
    assert found.city_km is None or found.city_km <= nearest_city.FARTHEST_KM


def test_labels_of_many_are_the_labels_of_each() -> None:
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(-60, 80, 50), rng.uniform(-180, 180, 50)

    assert LABELLER.labels(lat, lon) == [label(*point) for point in zip(lat, lon, strict=True)]
    assert LABELLER.labels([], []) == []


def test_the_first_choice_is_reverse_geocoders_own() -> None:
    points = [(48.8584, 2.2945), (-33.86, 151.21), (19.43, -99.13), (47.59, 7.63)]
    own = reverse_geocoder.search(points, mode=1, verbose=False)

    assert [label(*point).city for point in points] == [row["name"] for row in own]


@pytest.mark.parametrize(("lat", "lon"), [([np.nan], [0.0]), ([0.0], [np.inf]), ([91.0], [0.0])])
def test_impossible_values_are_refused(lat: list[float], lon: list[float]) -> None:
    with pytest.raises(ValueError, match="lies between"):
        LABELLER.labels(lat, lon)


@pytest.mark.parametrize("content", [None, "a,b\n1,2\n", "lat,lon,name,admin1,admin2,cc\nnorth,2,Here,,,FR\n"])
def test_missing_and_damaged_data_is_told_in_a_sentence_and_not_fetched(
    content: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "rg_cities1000.csv"
    if content is not None:
        file.write_text(content)
    monkeypatch.setattr(nearest_city, "data_file", lambda: file)
    # reverse_geocoder makes one geocoder for the whole process; here it has to make another.
    monkeypatch.setattr(reverse_geocoder, "RGeocoder", reverse_geocoder.singleton(type(LABELLER._geocoder)))
    nearest_city.load.cache_clear()

    with pytest.raises(GazetteerError, match="are missing or damaged"):
        nearest_city.load()
