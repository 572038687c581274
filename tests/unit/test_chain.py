"""The wire format: what is rendered is parsed again, and nothing else is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.chain import UNKNOWN, Chain, ChainFormat, Level, Region, folded, parse, render, strict_pair
from georapp.geo import Coordinate

BIEI = "Country: Japan\nState: Hokkaidō\nCity: Biei\nCoordinates: (43.452002, 142.615358)"

names = st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), min_size=1, max_size=30).filter(
    lambda name: bool(name.strip()) and " ".join(name.split()) != UNKNOWN
)
points = st.builds(lambda lat, lon: Coordinate(round(lat, 4), round(lon, 4)), st.floats(-90, 90), st.floats(-180, 180))


def chains(chain_format: ChainFormat) -> st.SearchStrategy[Chain]:
    levels = list(chain_format.labels)
    values = st.lists(st.none() | names, min_size=len(levels), max_size=len(levels))
    return st.builds(lambda v, p: Chain.of(zip(levels, v, strict=True), p), values, st.none() | points)


@given(st.sampled_from(ChainFormat).flatmap(lambda f: st.tuples(st.just(f), chains(f))))
def test_parse_is_the_inverse_of_render(case: tuple[ChainFormat, Chain]) -> None:
    chain_format, chain = case
    assert parse(render(chain, chain_format), chain_format) == chain


def test_the_papers_example() -> None:
    chain = parse(BIEI, ChainFormat.FOUR)
    assert chain is not None
    assert [region.name for region in chain.regions] == ["Japan", "Hokkaidō", "Biei"]
    assert chain.coordinate == Coordinate(43.452002, 142.615358)
    assert render(chain, ChainFormat.FOUR, decimals=6) == BIEI


def test_five_levels_begin_with_the_continent() -> None:
    chain = Chain.of([(Level.CITY, "Paris"), (Level.CONTINENT, "Europe"), (Level.COUNTRY, "France")], Coordinate(48.8566, 2.3522))
    assert render(chain) == "Continent: Europe\nCountry: France\nState: —\nCity: Paris\nCoordinates: (48.8566, 2.3522)"
    assert parse(render(chain), ChainFormat.FOUR) is None


@pytest.mark.parametrize(
    "text",
    [
        BIEI.replace("Country", "country"),
        BIEI.replace("City: Biei\n", ""),
        BIEI + "\nI am sure.",
        "City: Biei\nState: Hokkaidō\nCountry: Japan\nCoordinates: (43.4, 142.6)",
        BIEI.replace("Biei", ""),
        BIEI.replace("(43.452002, 142.615358)", "(143.452002, 142.615358)"),
        BIEI.replace("(43.452002, 142.615358)", "43.452002, 142.615358"),
        "",
    ],
)
def test_anything_else_is_not_parsed(text: str) -> None:
    assert parse(text, ChainFormat.FOUR) is None


@pytest.mark.parametrize(
    "text",
    [
        "(95, 10)",
        "(1, 2) or (3, 4)",
        "[1.0, 2.0]",
        "lat 1, lon 2",
        "(1234.5, 2)",
        "(\u221233.9, 18.4)",
        "I think of (1, 2).\nCoordinates: (3, 4)",
        "(1, \u0661\u0662)",
        "",
    ],
)
def test_strict_pair_refuses(text: str) -> None:
    assert strict_pair(text) is None


def test_strict_pair_accepts_whole_numbers() -> None:
    assert strict_pair("(43, 142)") == Coordinate(43, 142)


@given(st.text())
def test_strict_pair_never_raises(text: str) -> None:
    assert strict_pair(text) is None or isinstance(strict_pair(text), Coordinate)


def test_regions_are_equal_by_folded_name() -> None:
    assert Region(Level.CITY, "São Paulo") == Region(Level.CITY, "sao  PAULO")
    assert Region(Level.CITY, "Paris") != Region(Level.PROVINCE, "Paris")
    assert hash(Region(Level.CITY, "São Paulo")) == hash(Region(Level.CITY, "SAO PAULO"))


def test_folding_keeps_every_script() -> None:
    assert folded("  Île-de-France ") == "ile de france"
    assert folded("Санкт-Петербург") == "санкт петербург"
    assert folded("東京") == "東京"
    assert (
        folded("\u0926\u093f\u0932\u094d\u0932\u0940") == "\u0926\u093f\u0932\u094d\u0932\u0940"
    )  # Delhi in Hindi stays one word
    assert len(folded("กรุงเทพ").split()) == 1
    assert folded("الرِّيَاض") == folded("الرياض")


@pytest.mark.parametrize(
    "regions",
    [(Region(Level.CITY, "Paris"), Region(Level.COUNTRY, "France")), (Region(Level.CITY, "Paris"), Region(Level.CITY, "Lyon"))],
)
def test_a_chain_goes_from_general_to_exact(regions: tuple[Region, ...]) -> None:
    with pytest.raises(ValueError, match="general to exact"):
        Chain(regions)


@pytest.mark.parametrize("name", ["", "   ", UNKNOWN])
def test_a_region_needs_a_name(name: str) -> None:
    with pytest.raises(ValueError, match="needs a name"):
        Region(Level.CITY, name)
