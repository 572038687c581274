"""Names in all scripts, typing errors, filters and ranking; and the index of names behind them; on the program's own data."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georapp import gazetteer, placenames, places
from georapp.chain import folded

GAZETTEER = gazetteer.load()


@pytest.mark.parametrize(
    ("name", "english", "country"),
    [
        ("Paris", "Paris", "FR"),
        ("München", "Munich", "DE"),
        ("MUNCHEN", "Munich", "DE"),
        ("Мюнхен", "Munich", "DE"),
        ("東京", "Tokyo", "JP"),
        ("北京", "Beijing", "CN"),
        ("Bombay", "Mumbai", "IN"),
        ("Saigon", "Ho Chi Minh City", "VN"),
        ("القاهرة", "Cairo", "EG"),
        ("NYC", "New York City", "US"),
        ("Kiev", "Kyiv", "UA"),
        ("Київ", "Kyiv", "UA"),
        ("서울", "Seoul", "KR"),
        ("Αθήνα", "Athens", "GR"),
        ("กรุงเทพ", "Bangkok", "TH"),
        ("Sao Paulo", "São Paulo", "BR"),
        ("saint petersburg", "Saint Petersburg", "RU"),
        ("Cuzco", "Cusco", "PE"),
        ("Reykjavik", "Reykjavík", "IS"),
    ],
)
def test_towns_are_found_by_their_names_in_all_scripts(name: str, english: str, country: str) -> None:
    match = GAZETTEER.search(name, kind="city", limit=1)[0]

    assert (match.place.name, match.place.country_code, match.score) == (english, country, 1.0)
    assert folded(match.matched) == folded(name)


def test_towns_of_the_same_name_are_ranked_by_population() -> None:
    found = [match.place for match in GAZETTEER.search("Springfield", kind="city", limit=40, fuzzy=False)]

    assert len(found) > 20
    assert [place.province for place in found[:3]] == ["Missouri", "Massachusetts", "Illinois"]
    assert [place.population for place in found] == sorted((place.population for place in found), reverse=True)


@pytest.mark.parametrize("country", ["AU", "AUS", "Australia", "Australien", "オーストラリア"])
def test_a_country_leaves_only_its_own_towns(country: str) -> None:
    found = [match.place for match in GAZETTEER.search("Springfield", country=country, limit=20, fuzzy=False)]

    assert found
    assert {place.country_code for place in found} == {"AU"}


def test_a_province_leaves_only_its_own_towns() -> None:
    for province in ("US.IL", "Illinois"):
        found = [match.place for match in GAZETTEER.search("Springfield", country="USA", province=province, kind="city")]
        assert {place.province_code for place in found} == {"US.IL"}
    assert GAZETTEER.search("Springfield", province="Atlantis") == []
    assert GAZETTEER.search("Springfield", country="Atlantis") == []


@pytest.mark.parametrize(
    ("typed", "country", "meant"),
    [("Pariss", "FR", "Paris"), ("Barcelonna", "ES", "Barcelona"), ("Melborne", "AU", "Melbourne"), ("Мосвка", "RU", "Moscow")],
)
def test_typing_errors_are_forgiven_and_seen_in_the_score(typed: str, country: str, meant: str) -> None:
    matches = GAZETTEER.search(typed, country=country, kind="city")

    assert meant in [match.place.name for match in matches]
    assert all(match.score < 1 for match in matches)
    assert GAZETTEER.search(typed, country=country, kind="city", fuzzy=False) == []


def test_equal_names_come_before_similar_ones_however_small() -> None:
    scores = [match.score for match in GAZETTEER.search("Londres", kind="city", limit=20)]

    assert scores == sorted(scores, reverse=True)
    assert scores[0] == 1.0
    assert scores[-1] < 1.0


def test_the_limit_holds() -> None:
    assert len(GAZETTEER.search("San Antonio", limit=3)) == 3
    assert GAZETTEER.search("San Antonio", limit=0) == []


def test_every_kind_is_found_and_told_apart() -> None:
    kinds = {match.place.kind: match.place for match in reversed(GAZETTEER.search("Georgia", fuzzy=False))}

    assert (kinds["country"].country_code, kinds["province"].province_code) == ("GE", "US.GA")
    assert GAZETTEER.search("Georgia", kind="planet") == []


@pytest.mark.parametrize(
    "hostile",
    [
        "",
        " ",
        "\x00\x1b[2J\n",
        "😀",
        "x" * 10_000,
        "' OR 1=1 --",
        "\ud800",
        "%s%n",
        "../../etc/passwd",
        "\u202e",
        "a" * 200,
        "-" * 50,
    ],
)
def test_hostile_names_find_nothing_and_do_no_harm(hostile: str) -> None:
    assert GAZETTEER.search(hostile) == []
    assert GAZETTEER.country_code(hostile) is None
    assert GAZETTEER.province_code(hostile, "FR") is None
    assert GAZETTEER.search("Paris", country=hostile or "?") == []


@settings(deadline=None)
@given(st.text(max_size=40))
def test_any_text_can_be_looked_up(name: str) -> None:
    for match in GAZETTEER.search(name, limit=5):
        assert 0 < match.score <= 1
        assert (match.score == 1) == (folded(match.matched) == folded(name))


@settings(deadline=None)
@given(
    st.sampled_from(sorted(places.countries())),
    st.sampled_from(["San Juan", "Santa Maria", "Victoria", "Kota", "Nova", "Alexandria"]),
)
def test_what_is_found_lies_in_the_wanted_country(code: str, name: str) -> None:
    assert {match.place.country_code for match in GAZETTEER.search(name, country=code)} <= {code}


def test_names_are_folded_in_one_block_as_one_by_one() -> None:
    table = places.towns()
    others, _ = placenames.alternates()
    rng = np.random.default_rng(3)
    names = [table.names[i] for i in rng.choice(len(table), 3000)] + [others[i] for i in rng.choice(len(others), 3000)]

    assert placenames.folded_block("\n".join(names).encode()).decode().split("\n") == [folded(name) for name in names]


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"]), max_size=12), min_size=1, max_size=8))
def test_any_names_are_folded_in_one_block_as_one_by_one(names: list[str]) -> None:
    assert placenames.folded_block("\n".join(names).encode()).decode().split("\n") == [folded(name) for name in names]


def test_similar_names_are_those_within_the_allowed_errors() -> None:
    index = placenames.NameIndex.of([["Lyon", "Lugdunum"], ["Lyn"], ["Ly"], ["Marseille"], ["Marseiles"]])

    assert [index.names[number] for number in index.equal("lyon")] == ["Lyon"]
    assert {(index.names[number], errors) for number, errors in index.similar("lyon")} == {("Lyn", 1)}
    assert {(index.names[number], errors) for number, errors in index.similar("marseile")} == {("Marseille", 1), ("Marseiles", 1)}
    assert index.similar("ly") == []
    assert list(index.row) == [0, 0, 1, 2, 3, 4]


def test_masks_are_those_of_each_name_also_across_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = places.Lines("\n".join(["paris", "", "mu nchen", "東京", "a1"] * 7).encode())
    whole = placenames.masks_of(lines)
    monkeypatch.setattr(placenames, "MASKED_AT_ONCE", 10)

    assert placenames.masks_of(lines).tolist() == whole.tolist()
    assert whole[0] == sum(1 << "abcdefghijklmnopqrstuvwxyz".index(letter) for letter in "paris")
    assert whole[1] == 0
