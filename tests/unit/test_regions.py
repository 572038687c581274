"""The polygon labeller on the program's own data: places that everybody can check on a map, and properties of all coordinates."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from georapp import paths, places, regions
from georapp.chain import Level
from georapp.errors import GazetteerError
from georapp.gazetteer import Gazetteer, Label
from georapp.geo import Coordinate, distance_km

GAZETTEER = Gazetteer()
CONTINENTS = {"Africa", "Antarctica", "Asia", "Europe", "North America", "Oceania", "South America"}

coordinates = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))


def label(lat: float, lon: float) -> Label:
    return GAZETTEER.label(Coordinate(lat, lon))


def test_the_eiffel_tower_is_labelled_with_the_city_and_not_with_its_quarter() -> None:
    tower = label(48.8584, 2.2945)

    assert (tower.continent, tower.country, tower.country_code) == ("Europe", "France", "FR")
    assert (tower.province, tower.province_code, tower.city, tower.how) == ("Île-de-France", "FR.11", "Paris", "inside")
    assert tower.city_km == pytest.approx(4.0, abs=0.2)


@pytest.mark.parametrize(
    ("lat", "lon", "code", "province", "city"),
    [
        (35.6586, 139.7454, "JP", "Tokyo", "Tokyo"),
        (40.7580, -73.9855, "US", "New York", "New York City"),
        (-33.8568, 151.2153, "AU", "New South Wales", "Sydney"),
        (-22.9519, -43.2105, "BR", "Rio de Janeiro", "Rio de Janeiro"),
        (30.0444, 31.2357, "EG", "Cairo", "Cairo"),
        (55.7525, 37.6231, "RU", "Moscow", "Moscow"),
        (17.3616, 78.4747, "IN", "Telangana", "Hyderabad"),
        (-1.2921, 36.8219, "KE", "Nairobi County", "Nairobi"),
        (64.1466, -21.9426, "IS", "Capital Region", "Reykjavík"),
        (22.2800, 114.1588, "HK", "Central and Western", "Hong Kong"),
        (48.1372, 11.5755, "DE", "Bavaria", "Munich"),
        (47.5622, 7.5781, "CH", "Basel-City", "Basel"),
    ],
)
def test_well_known_places(lat: float, lon: float, code: str, province: str, city: str) -> None:
    found = label(lat, lon)

    assert (found.country_code, found.province, found.city, found.how) == (code, province, city, "inside")


@pytest.mark.parametrize(("lat", "lon"), [(0, 0), (0, -140), (90, 0), (90, 180), (41.5, 50.5), (-30, 80), (0, -30), (-60, 0)])
def test_the_open_sea_and_the_middle_of_the_caspian_are_nowhere(lat: float, lon: float) -> None:
    sea = label(lat, lon)

    assert sea == Label(None, None, None, None, None, None, None, "none")
    assert str(sea.chain(Coordinate(lat, lon))) == str(Coordinate(lat, lon))


def test_the_south_pole_lies_in_antarctica_where_no_town_is() -> None:
    pole = label(-90, 0)

    assert (pole.continent, pole.country_code, pole.province, pole.city, pole.how) == ("Antarctica", "AQ", None, None, "inside")


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (-29.3142, 27.4833, "LS"),  # Maseru, Lesotho in South Africa
        (43.9356, 12.4473, "SM"),  # San Marino in Italy
        (41.9022, 12.4533, "VA"),  # St Peter's in Rome
        (41.8902, 12.4922, "IT"),  # the Colosseum, 3 km away
        (43.7384, 7.4246, "MC"),
        (47.1410, 9.5209, "LI"),
        (42.5063, 1.5218, "AD"),
        (35.8894, -5.3198, "ES"),  # Ceuta in Africa
        (54.7104, 20.4522, "RU"),  # Kaliningrad
        (64.8378, -147.7164, "US"),  # Alaska
        (-13.4432, 22.7, "ZM"),
        (1.2868, 103.8545, "SG"),
        (36.1408, -5.3536, "GI"),
        (32.2949, -64.7814, "BM"),
        (42.6629, 21.1655, "XK"),
        (78.2232, 15.6267, "SJ"),
        (60.0971, 19.9348, "AX"),
    ],
)
def test_enclaves_exclaves_and_small_countries(lat: float, lon: float, code: str) -> None:
    assert label(lat, lon).country_code == code


@pytest.mark.parametrize(
    ("lat", "lon", "code", "city"),
    [
        (47.5800, 7.6500, "CH", "Riehen"),  # a mile from Germany
        (47.6147, 7.6614, "DE", "Lörrach"),  # on the other side
        (43.0896, -79.0849, "CA", "Niagara Falls"),
        (43.0962, -79.0377, "US", "Niagara Falls"),
        (32.5149, -117.0382, "MX", "Tijuana"),
        (48.5734, 7.7521, "FR", "Strasbourg"),
        (48.5740, 7.8150, "DE", "Kehl"),
        (-25.5163, -54.5854, "BR", "Foz do Iguaçu"),
        (-25.5097, -54.6111, "PY", "Ciudad del Este"),
    ],
)
def test_towns_at_a_border_keep_their_country(lat: float, lon: float, code: str, city: str) -> None:
    found = label(lat, lon)

    assert (found.country_code, found.city) == (code, city)


@pytest.mark.parametrize("lon", [179.99, -179.99, 180.0, -180.0])
def test_fiji_goes_on_across_the_antimeridian(lon: float) -> None:
    assert label(-16.83, lon).country_code == "FJ"


@pytest.mark.parametrize(("lat", "lon"), [(66.5, 180), (66.5, -180), (66.5, 179.9), (66.5, -179.9)])
def test_chukotka_goes_on_across_the_antimeridian(lat: float, lon: float) -> None:
    assert label(lat, lon).country_code == "RU"


def test_the_shore_is_found_across_the_antimeridian_and_near_the_pole() -> None:
    assert label(-16.75, 179.6).country_code == label(-16.6, -179.9).country_code == "FJ"
    assert label(83.75, -32.0).country_code == "GL"
    assert label(83.75, -32.0).how == "coast"


def test_a_pier_belongs_to_its_coast_and_is_flagged() -> None:
    offshore = label(50.80, -0.13)  # 2 km off Brighton

    assert (offshore.country_code, offshore.province, offshore.how) == ("GB", "England", "coast")
    assert label(49.9, -1.5).how == "coast"
    assert label(58.5, 3.0).how == "none"


@pytest.mark.parametrize(
    ("lat", "lon", "code"),
    [
        (44.9521, 34.1024, "UA"),  # Simferopol
        (44.6054, 33.5220, "UA"),  # Sevastopol
        (27.1536, -13.2033, "EH"),  # Laayoune, west of the berm
        (26.1448, -10.5657, "EH"),  # Bir Lehlou, east of it
        (27.9377, -12.9268, "MA"),  # Tarfaya, north of 27°40'
        (35.3364, 33.3182, "CY"),  # Kyrenia
        (9.5600, 44.0650, "SO"),  # Hargeisa
        (25.0330, 121.5654, "TW"),
        (31.5017, 34.4668, "PS"),
        (45.9647, 63.3050, "KZ"),  # Baikonur
        (34.0837, 74.7973, "IN"),  # Srinagar
        (35.9208, 74.3089, "PK"),  # Gilgit
    ],
)
def test_disputed_areas_follow_the_stated_policy(lat: float, lon: float, code: str) -> None:
    assert label(lat, lon).country_code == code


@pytest.mark.parametrize(
    ("lat", "lon", "code", "continent"),
    [(4.9224, -52.3135, "GF", "South America"), (-20.8789, 55.4481, "RE", "Africa"), (12.1443, -68.2655, "BQ", "North America")],
)
def test_islands_with_a_code_of_their_own_do_not_lie_in_europe(lat: float, lon: float, code: str, continent: str) -> None:
    assert (label(lat, lon).country_code, label(lat, lon).continent) == (code, continent)


def test_lakes_belong_to_the_countries_that_share_them() -> None:
    assert {label(46.45, 6.55).country_code, label(46.40, 6.55).country_code} <= {"CH", "FR"}
    assert label(46.45, 6.55).how == "inside"
    assert label(-1.0, 33.0).country_code in {"UG", "TZ"}


def test_a_chain_holds_the_names_and_leaves_out_a_far_town() -> None:
    tower, dune = Coordinate(48.8584, 2.2945), Coordinate(26.0, 19.0)
    desert = GAZETTEER.label(dune)

    assert str(GAZETTEER.label(tower).chain(tower)) == "Europe > France > Île-de-France > Paris (48.8584, 2.2945)"
    assert desert.country_code == "LY"
    assert desert.city_km is not None
    assert desert.city_km > places.CITY_KM
    assert desert.chain(dune).name(Level.CITY) is None
    assert desert.chain(dune).name(Level.COUNTRY) == "Libya"


@settings(deadline=None)
@given(coordinates)
def test_every_coordinate_has_a_label_that_is_consistent(coordinate: Coordinate) -> None:
    found = GAZETTEER.label(coordinate)
    named = found.chain(coordinate)

    assert found.how in {"inside", "coast", "none"}
    assert (found.country is None) == (found.continent is None) == (found.country_code is None) == (found.how == "none")
    assert found.continent is None or found.continent in CONTINENTS
    assert (found.city is None) == (found.city_km is None)
    assert found.province is None or str(found.province_code).startswith(f"{found.country_code}.")
    assert named.coordinate == coordinate


@settings(deadline=None)
@given(st.lists(coordinates, min_size=1, max_size=20))
def test_labels_of_many_are_the_labels_of_each(several: list[Coordinate]) -> None:
    together = GAZETTEER.labels([one.lat for one in several], [one.lon for one in several])

    assert together == [GAZETTEER.label(one) for one in several]


def test_more_points_than_are_taken_at_once() -> None:
    count = regions.AT_ONCE + 7
    found = GAZETTEER.labels(np.full(count, 48.8584), np.full(count, 2.2945))

    assert len(found) == count
    assert set(found) == {label(48.8584, 2.2945)}


def test_no_points_have_no_labels() -> None:
    assert GAZETTEER.labels([], []) == []


@pytest.mark.parametrize(("lat", "lon"), [([np.nan], [0.0]), ([0.0], [np.inf]), ([91.0], [0.0]), ([0.0], [-180.1])])
def test_impossible_values_are_refused(lat: list[float], lon: list[float]) -> None:
    with pytest.raises(ValueError, match="lies between"):
        GAZETTEER.labels(lat, lon)


def test_rows_of_different_length_are_refused() -> None:
    with pytest.raises(ValueError, match="equal length"):
        GAZETTEER.labels([1.0, 2.0], [1.0])


def test_every_town_lies_in_its_country_or_hardly_beside_it() -> None:
    """GeoNames and Natural Earth are off by a few hundred metres from each other, so a few towns at borders may differ."""
    table = places.towns()
    rows = np.random.default_rng(5).choice(len(table), 5000, replace=False)
    found = GAZETTEER.labels(table.lat[rows], table.lon[rows])
    codes = [table.codes[code] for code in table.code[rows]]
    wrong = [code for code, one in zip(codes, found, strict=True) if one.country_code != code.partition(".")[0]]
    astray = [code for code, one in zip(codes, found, strict=True) if "." in code and one.province_code != code]

    assert len(wrong) < 0.006 * len(rows)
    assert len(astray) < 0.025 * len(rows)


def test_the_distance_to_the_town_is_the_great_circle() -> None:
    here = Coordinate(45.9871, 9.2572)
    found = GAZETTEER.label(here)
    bellagio = next(place for place in GAZETTEER.cities() if place.name == "Bellagio")

    assert found.city == "Bellagio"
    assert found.city_km == pytest.approx(distance_km(here, bellagio.coordinate), abs=0.001)


def test_regions_neither_overlap_nor_leave_gaps() -> None:
    own = regions.read_regions()
    benelux = [own.outline(code) for code in own.codes if code[:2] in {"BE", "NL", "LU"}]

    assert shapely.coverage_is_valid(benelux)


def test_outlines_of_provinces_and_countries() -> None:
    own = regions.read_regions()
    eiffel, marseille = shapely.Point(2.2945, 48.8584), shapely.Point(5.37, 43.30)

    assert own.outline("FR.11").contains(eiffel)
    assert not own.outline("FR.11").contains(marseille)
    assert own.outline("FR").contains(marseille)
    assert own.outline("XX") is None


@pytest.fixture
def other_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of resources/places in use, to be damaged."""
    copy = tmp_path / "places"
    copy.mkdir()
    for file in places.folder().iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    return copy


def test_missing_polygons_are_told_in_a_sentence(other_folder: Path) -> None:
    (other_folder / "regions.npz.xz").unlink()

    with pytest.raises(GazetteerError, match=r"The place data .*regions\.npz\.xz is missing\.") as caught:
        regions.read_regions()
    assert "again" in caught.value.hint


@pytest.mark.parametrize("damage", [b"", b"nonsense", b"\xfd7zXZ\x00"])
def test_foreign_bytes_instead_of_polygons_are_told_in_a_sentence(other_folder: Path, damage: bytes) -> None:
    (other_folder / "regions.npz.xz").write_bytes(damage)

    with pytest.raises(GazetteerError, match="is damaged and cannot be read"):
        regions.read_regions()


@pytest.mark.parametrize("position", [0.01, 0.5, 0.99])
def test_one_flipped_bit_is_noticed(other_folder: Path, position: float) -> None:
    data = bytearray((other_folder / "regions.npz.xz").read_bytes())
    data[int(position * len(data))] ^= 1
    (other_folder / "regions.npz.xz").write_bytes(data)

    with pytest.raises(GazetteerError, match="is damaged and cannot be read"):
        regions.read_regions()
