"""The map's page, its messages, and the shapes in them."""

from __future__ import annotations

import itertools
import json
import math
import re
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp import gazetteer, map_page, map_shapes, paths
from georapp.chain import Chain, Level
from georapp.geo import EARTH_RADIUS_KM, Coordinate, distance_km
from georapp.map_page import Shown, Spot
from georapp.notation import kilometres
from georapp.prediction import Candidate

PLACES = st.builds(Coordinate, st.floats(-89.9, 89.9), st.floats(-180, 180))


@pytest.fixture(scope="module")
def places() -> gazetteer.Gazetteer:
    return gazetteer.load()


def lons(shape: Any) -> list[float]:
    """All longitudes of rings in rings."""
    return [shape[1]] if isinstance(shape[0], float) else [lon for part in shape for lon in lons(part)]


def test_the_page_asks_for_nothing_but_its_own() -> None:
    html = map_page.page(dark=True)

    assert not re.search(r"https?://|//cdn|file:", html)
    assert set(re.findall(r'(?:src|href)="([^"]+)"', html)) == {
        f"georapp://app/{name}" for name in (*map_page.SCRIPTS, *map_page.STYLES)
    }
    assert "default-src 'none'" in html
    assert "unsafe" not in html


def test_the_same_page_twice() -> None:
    assert map_page.page(dark=False) == map_page.page(dark=False)
    assert map_page.page(dark=False) != map_page.page(dark=True)


def test_every_asset_of_the_page_is_there() -> None:
    assert {*map_page.SCRIPTS, *map_page.STYLES} - set(map_page.assets()) == {"qwebchannel.js"}  # that one Qt brings


def test_every_file_of_the_page_says_where_it_comes_from() -> None:
    folder = paths.resources() / "map" / "page"
    said = (folder / "README.md").read_text(encoding="utf-8")
    unnamed = [path.name for path in folder.iterdir() if path.name != "README.md" and path.name not in said]

    assert [name for name in unnamed if not name.startswith("inter-")] == []  # named together, as inter-*.woff2


def test_importing_does_not_import_folium() -> None:
    code = "import sys, georapp.map_page; sys.exit('folium' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_chain_becomes_outlines(places: gazetteer.Gazetteer) -> None:
    chain = ((Level.CONTINENT, "Europe"), (Level.COUNTRY, "France"), (Level.PROVINCE, "Île-de-France"), (Level.CITY, "Paris"))
    continent, country, province, city = map_page.outlines(chain, places)

    assert [continent["level"], country["code"], province["code"], city["name"]] == ["continent", "FR", "FR.11", "Paris"]
    assert "polygons" not in continent
    south, west, north, east = country["box"]
    assert 41 < south < 44 < 50 < north < 52
    assert -6 < west < 0 < 7 < east < 10
    assert city["at"] == pytest.approx([48.85, 2.35], abs=0.05)
    json.dumps([continent, country, province, city], allow_nan=False)


@pytest.mark.parametrize(
    "chain", [((Level.COUNTRY, "Atlantis"),), ((Level.CONTINENT, "<b>"),), ((Level.PROVINCE, "Bavaria"),), ()]
)
def test_unknown_names_give_nothing(places: gazetteer.Gazetteer, chain: tuple[tuple[Level, str], ...]) -> None:
    assert map_page.outlines(chain, places) == []


def test_a_province_of_another_country_gives_nothing(places: gazetteer.Gazetteer) -> None:
    found = map_page.outlines(((Level.COUNTRY, "France"), (Level.PROVINCE, "Bavaria")), places)

    assert [region["level"] for region in found] == ["country"]


@pytest.mark.parametrize(("name", "widest"), [("Fiji", 8), ("Russia", 175), ("New Zealand", 20), ("United States", 130)])
def test_countries_across_the_antimeridian_stay_in_one_piece(places: gazetteer.Gazetteer, name: str, widest: float) -> None:
    (country,) = map_page.outlines(((Level.COUNTRY, name),), places)

    found = lons(country["polygons"])
    assert max(found) - min(found) < widest
    assert country["box"][3] - country["box"][1] < widest


def test_no_seam_at_the_antimeridian() -> None:
    whole = map_shapes.outline("RU", 9)
    crossing = [ring for polygon in whole for ring in polygon if min(lons(ring)) < 179 and max(lons(ring)) > 181]
    assert len(crossing) >= 2  # the mainland and Wrangel Island


def test_a_closer_outline_has_more_points() -> None:
    counts = [len(lons(map_shapes.outline("NO", zoom))) for zoom in (2, 5, 9)]
    assert 0 < counts[0] < counts[1] < counts[2]


def test_an_unknown_code_has_no_outline() -> None:
    assert map_shapes.outline("ZZ", 5) == []
    assert map_shapes.main_box("../etc") is None


@given(centre=PLACES, km=st.floats(1, 19_000))
def test_all_points_of_a_circle_are_as_far(centre: Coordinate, km: float) -> None:
    edge = map_shapes.circle(centre, km)["edge"]

    for lat, lon in edge[::10]:
        assert distance_km(centre, Coordinate(lat, (lon + 180) % 360 - 180)) == pytest.approx(km, abs=0.01)
    assert all(abs(after[1] - before[1]) <= 180 for before, after in itertools.pairwise(edge))


@given(centre=PLACES, km=st.floats(100, 18_000))
def test_a_circle_that_holds_a_pole_reaches_it(centre: Coordinate, km: float) -> None:
    rings, quarter = map_shapes.circle(centre, km)["fill"], math.pi / 2 * EARTH_RADIUS_KM
    to_north = quarter - math.radians(centre.lat) * EARTH_RADIUS_KM
    held = [to_north < km - 1, 2 * quarter - to_north < km - 1]

    assert len(rings) == (2 if all(held) else 1)
    if held == [True, False]:
        assert max(lat for lat, _ in rings[0]) == 90
    if held == [False, True]:
        assert min(lat for lat, _ in rings[0]) == -90


@given(a=PLACES, b=PLACES)
def test_a_great_circle_is_as_long_as_the_distance(a: Coordinate, b: Coordinate) -> None:
    way = [Coordinate(lat, (lon + 180) % 360 - 180) for lat, lon in map_shapes.great_circle(a, b)]
    steps = sum(distance_km(p, q) for p, q in itertools.pairwise(way))

    assert steps == pytest.approx(distance_km(a, b), abs=1)


def test_bearings() -> None:
    here = Coordinate(0, 0)
    assert [map_shapes.bearing(here, Coordinate(*to)) for to in [(1, 0), (0, 1), (-1, 0), (0, -1)]] == pytest.approx(
        [0, 90, 180, 270]
    )
    assert map_page.measured([Coordinate(48.8566, 2.3522), Coordinate(52.52, 13.405)]) == "877 km, bearing 58° NE"
    assert map_page.measured([here]) == ""


def test_an_answer_that_is_not_exact_has_areas_and_no_pin() -> None:
    best = Coordinate(43.9, 4.8)
    message = map_page.answer(Shown(best=best, radius_50_km=90, radius_90_km=420), None)

    assert [area["share"] for area in message["areas"]] == [90, 50]
    assert message["marks"] == []
    south, west, north, east = message["box"]
    assert south < 41 < 46 < north
    assert west < 0 < 9 < east


def test_an_exact_answer_with_truth_and_correction() -> None:
    best, truth, human = Coordinate(10, 179), Coordinate(12, -178), Coordinate(11, 178)
    candidates = tuple(Candidate(Coordinate(10 + n, 179), Chain(), 3 - n, 0.3) for n in range(2))
    message = map_page.answer(Shown(best=best, candidates=candidates, truth=truth, human=human, exact=True), None)

    assert [(mark["kind"], mark["text"]) for mark in message["marks"]] == [
        ("candidate", "2"),
        ("candidate", "1"),
        ("prediction", ""),
        ("truth", ""),
        ("human", ""),
    ]
    assert message["line"]["label"] == kilometres(distance_km(best, truth))
    assert message["box"][3] - message["box"][1] < 10  # it does not go around the world
    json.dumps(message, allow_nan=False)


def test_nothing_known_shows_the_world() -> None:
    assert map_page.answer(Shown(), None)["box"] == map_page.WORLD
    assert map_page.follow((), None)["box"] == map_page.WORLD
    assert map_page.spots(())["box"] == map_page.WORLD


def test_spots_on_both_sides_of_the_antimeridian_are_near() -> None:
    message = map_page.spots([Spot(1, Coordinate(-17, 179), "a", "truth"), Spot(2, Coordinate(-18, -179), "b\x1b", "human")])

    assert message["box"][3] - message["box"][1] < 10
    assert message["spots"][1] == [-18, -179, 2, "human", "b\N{REPLACEMENT CHARACTER}"]


def test_a_spot_of_an_unknown_kind_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="pin"):
        map_page.spots([Spot(1, Coordinate(0, 0), "a", "pin")])
