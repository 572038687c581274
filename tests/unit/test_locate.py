"""From the text of a sample to a coordinate, and what is checked about it. No model: the texts are given."""

from __future__ import annotations

import pytest

from georapp import gazetteer
from georapp.chain import Chain, Level
from georapp.decoding import decoded
from georapp.geo import Coordinate, distance_km
from georapp.locate import checks, complete_regions
from georapp.prompt import Decode, profile_named
from georapp.reading import Reading

PARIS = [(Level.CONTINENT, "Europe"), (Level.COUNTRY, "France"), (Level.PROVINCE, "Ile-de-France"), (Level.CITY, "Paris")]


def sample(chain: Chain, decode: Decode) -> tuple[Coordinate | None, str, Coordinate | None, tuple[str, ...]]:
    found = decoded(Reading(chain), "text", True, decode, gazetteer.load(), strict=True)
    return found.coordinate, found.decoded_by, found.other, found.notes


def test_the_written_pair_is_used_where_it_fits_the_country() -> None:
    pair = Coordinate(48.86, 2.35)
    coordinate, by, other, notes = sample(Chain.of(PARIS, pair), Decode.AUTO)
    assert (coordinate, by, notes) == (pair, "coordinates", ())
    assert other is not None
    assert distance_km(pair, other) < 25


def test_a_pair_in_another_country_gives_way_to_the_named_place() -> None:
    pair = Coordinate(-33.87, 151.21)
    coordinate, by, other, notes = sample(Chain.of(PARIS, pair), Decode.AUTO)
    assert by == "name"
    assert coordinate is not None
    assert distance_km(coordinate, Coordinate(48.86, 2.35)) < 25
    assert other == pair
    assert "another country" in notes[0]


@pytest.mark.parametrize(("decode", "by"), [(Decode.COORDINATES, "coordinates"), (Decode.NAME, "name")])
def test_a_chosen_way_is_kept_even_where_it_contradicts(decode: Decode, by: str) -> None:
    assert sample(Chain.of(PARIS, Coordinate(-33.87, 151.21)), decode)[1] == by


def test_a_place_without_pair_is_looked_up_and_neither_gives_nothing() -> None:
    assert sample(Chain.of(PARIS, None), Decode.AUTO)[1] == "name"
    assert sample(Chain.of(PARIS, None), Decode.COORDINATES)[:2] == (None, "")
    assert sample(Chain.of([(Level.CITY, "Xyzzyqwx")], None), Decode.AUTO)[:2] == (None, "")


def test_checks_compare_each_level_with_the_polygon() -> None:
    found = {check.level: check for check in checks(Chain.of(PARIS, None), Coordinate(48.8566, 2.3522), gazetteer.load())}
    assert all(check.agrees for check in found.values())
    there = {check.level: check for check in checks(Chain.of(PARIS, None), Coordinate(45.76, 4.84), gazetteer.load())}
    assert there[Level.COUNTRY].agrees is True
    assert there[Level.PROVINCE].agrees is False
    assert there[Level.CITY].agrees is False
    assert there[Level.CITY].lies_in == "Lyon"


def test_other_names_of_a_country_agree() -> None:
    (check,) = [
        c for c in checks(Chain.of([(Level.COUNTRY, "USA")], None), Coordinate(40.7, -74.0), gazetteer.load()) if c.written
    ]
    assert check.agrees is True


def test_at_sea_nothing_can_agree() -> None:
    found = checks(Chain.of(PARIS, None), Coordinate(-40.0, -120.0), gazetteer.load())
    assert [check.agrees for check in found] == [None] * len(found)


def test_only_complete_lines_are_rungs() -> None:
    profile = profile_named("mini")
    assert complete_regions("Continent: Eur", profile) == ()
    assert [r.name for r in complete_regions("Continent: Europe\nCountry: Fra", profile)] == ["Europe"]
    assert complete_regions("Dear user,\n", profile) == ()
