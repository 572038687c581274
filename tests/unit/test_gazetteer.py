"""Names in all scripts, aliases, typing errors, filters, ranking, and the most exact level of a chain; on the program's own data."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georapp import gazetteer, paths, placenames, places
from georapp.chain import Chain, Level, folded
from georapp.errors import GazetteerError
from georapp.gazetteer import Place
from georapp.geo import Coordinate, distance_km

GAZETTEER = gazetteer.load()


def best(name: str, country: str | None = None) -> Place:
    return GAZETTEER.search(name, country=country, kind="city", limit=1)[0].place


def chain(*, country: str | None = None, province: str | None = None, city: str | None = None) -> Chain:
    return Chain.of([(Level.COUNTRY, country), (Level.PROVINCE, province), (Level.CITY, city)])


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


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("USA", "US"),
        ("U.S.", "US"),
        ("America", "US"),
        ("UK", "GB"),
        ("England", "GB"),
        ("Deutschland", "DE"),
        ("日本", "JP"),
        ("中国", "CN"),
        ("대한민국", "KR"),
        ("Россия", "RU"),
        ("مصر", "EG"),
        ("भारत", "IN"),
        ("Côte d'Ivoire", "CI"),
        ("Ivory Coast", "CI"),
        ("Holland", "NL"),
        ("Burma", "MM"),
        ("Czech Republic", "CZ"),
        ("Türkiye", "TR"),
        ("Turkey", "TR"),
        ("Republic of Korea", "KR"),
        ("Federal Republic of Germany", "DE"),
        ("The Gambia", "GM"),
        ("Congo", "CG"),
        ("DR Congo", "CD"),
        ("Niger", "NE"),
        ("Nigeria", "NG"),
        ("Guinea", "GN"),
        ("Dominica", "DM"),
        ("Somaliland", "SO"),
        ("fr", "FR"),
        ("FRA", "FR"),
        ("NA", "NA"),
        ("NGA", "NG"),
        ("Nga", "RU"),  # Vietnamese
        ("Germny", "DE"),
        ("Unted States", "US"),
        ("Atlantis", None),
        ("Mars", None),
    ],
)
def test_countries_are_known_by_names_aliases_codes_and_with_typing_errors(name: str, code: str | None) -> None:
    assert GAZETTEER.country_code(name) == code


def test_every_country_is_known_by_its_own_name_and_codes() -> None:
    for code, country in places.countries().items():
        assert GAZETTEER.country_code(country.name) == code
        assert GAZETTEER.country_code(country.iso3) == code
        assert GAZETTEER.country_name(code) == country.name
    assert GAZETTEER.country_name("ZZ") is None


def test_continents_are_seven() -> None:
    continents = {GAZETTEER.continent_of(code) for code in places.countries()}

    assert continents == {"Africa", "Antarctica", "Asia", "Europe", "North America", "Oceania", "South America"}
    assert (GAZETTEER.continent_of("TR"), GAZETTEER.continent_of("ZZ")) == ("Asia", None)


@pytest.mark.parametrize(
    ("name", "country", "code"),
    [
        ("Bavaria", "DE", "DE.02"),
        ("Bayern", "DE", "DE.02"),
        ("State of Bavaria", "DE", "DE.02"),
        ("Ile de France", "FR", "FR.11"),
        ("FR.11", "FR", "FR.11"),
        ("Toscana", "IT", "IT.16"),
        ("Hokkaido Prefecture", "JP", "JP.12"),
        ("北海道", "JP", "JP.12"),
        ("Californa", "US", "US.CA"),
        ("Bavaria", "FR", None),
        ("FR.11", "DE", None),
    ],
)
def test_provinces_are_known_by_names_and_codes(name: str, country: str, code: str | None) -> None:
    assert GAZETTEER.province_code(name, country) == code


@pytest.mark.parametrize(
    ("wanted", "kind", "name", "code"),
    [
        (chain(country="France", province="Île-de-France", city="Paris"), "city", "Paris", "FR"),
        (chain(country="USA", province="Illinois", city="Springfield"), "city", "Springfield", "US"),
        (chain(country="Italy", province="Toscana", city="Florenz"), "city", "Florence", "IT"),
        (chain(country="Italy", province="Lombardy", city="Florence"), "city", "Florence", "IT"),  # the province is wrong
        (chain(country="Japan", province="Hokkaido", city="Nirgendwo"), "province", "Hokkaido", "JP"),
        (chain(country="Japan", city="Nirgendwo"), "country", "Japan", "JP"),
        (chain(city="東京"), "city", "Tokyo", "JP"),
        (chain(country="Narnia", city="Vienna"), "city", "Vienna", "AT"),
        (chain(country="Canada", city="London"), "city", "London", "CA"),
    ],
)
def test_the_most_exact_level_that_is_known_is_located(wanted: Chain, kind: str, name: str, code: str) -> None:
    found = GAZETTEER.locate(wanted)

    assert found is not None
    assert (found.kind, found.name, found.country_code) == (kind, name, code)


def test_a_province_is_respected_where_a_country_has_several_towns_of_a_name() -> None:
    found = GAZETTEER.locate(chain(country="USA", province="Illinois", city="Springfield"))

    assert found is not None
    assert distance_km(found.coordinate, Coordinate(39.80, -89.64)) < 5


def test_a_chain_without_a_known_name_is_nowhere() -> None:
    assert GAZETTEER.locate(chain()) is None
    assert GAZETTEER.locate(chain(country="Narnia", city="Cair Paravel")) is None
    assert GAZETTEER.locate(Chain.of([(Level.CONTINENT, "Europe")])) is None


@pytest.mark.parametrize(
    ("lat", "lon"), [(48.8584, 2.2945), (35.6586, 139.7454), (-33.8568, 151.2153), (1.29, 103.85), (30.04, 31.24)]
)
def test_a_label_leads_back_to_its_town(lat: float, lon: float) -> None:
    here = Coordinate(lat, lon)
    named = GAZETTEER.label(here)
    found = GAZETTEER.locate(named.chain(here))

    assert found is not None
    assert (found.name, found.country_code) == (named.city, named.country_code)
    assert distance_km(found.coordinate, here) == pytest.approx(named.city_km, abs=0.01)


def test_provinces_and_countries_lie_in_themselves() -> None:
    """Their position is a town of theirs. A few small ones are drawn astray or have no polygon."""
    rows = [place for place in provinces_and_countries() if place.population]
    found = GAZETTEER.labels([place.coordinate.lat for place in rows], [place.coordinate.lon for place in rows])
    astray = [place for place, label in zip(rows, found, strict=True) if place.country_code != label.country_code]

    assert len(rows) > 3500
    assert len(astray) < 0.01 * len(rows)


def provinces_and_countries() -> Iterator[Place]:
    for kind in ("province", "country"):
        yield from (places.place_of(kind, row) for row in range(len(places.codes(kind))))


def test_cities_are_towns_with_so_many_people() -> None:
    large = list(GAZETTEER.cities(min_population=1_000_000))

    assert 300 < len(large) < 1000
    assert all(place.population >= 1_000_000 and place.kind == "city" for place in large)
    assert {"Tokyo", "Paris", "Lagos", "Lima"} <= {place.name for place in large}
    assert len(large) == len({place.id for place in large})


def test_a_place_knows_where_it_lies() -> None:
    paris = best("Paris")

    assert (paris.id, paris.country, paris.province, paris.province_code) == (2988507, "France", "Île-de-France", "FR.11")
    assert paris.population > 2_000_000
    assert distance_km(paris.coordinate, Coordinate(48.8566, 2.3522)) < 2
    assert best("Singapore").province is None


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


def test_the_gazetteer_costs_nothing_until_it_is_used() -> None:
    """`georapp --help` imports it; shapely, scipy and rapidfuzz may wait."""
    script = "import sys, georapp.gazetteer; print([name for name in ('shapely', 'scipy', 'rapidfuzz') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert answer.stdout.strip() == "[]"


def test_labels_do_not_load_names_and_names_do_not_load_polygons() -> None:
    script = (
        "import sys, json; from georapp import gazetteer; from georapp.geo import Coordinate; g = gazetteer.load(); "
        "loaded = lambda: [n for n in ('georapp.placenames', 'georapp.regions') if n in sys.modules]; "
        "{}; print(json.dumps(loaded()))"
    )
    for use, expected in (("g.label(Coordinate(0, 0))", ["georapp.regions"]), ("g.search('Paris')", ["georapp.placenames"])):
        answer = subprocess.run([sys.executable, "-c", script.format(use)], check=True, capture_output=True, text=True)
        assert json.loads(answer.stdout) == expected


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of resources/places in use, to be damaged. What was read of the real one is forgotten for a while."""
    copy = tmp_path / "places"
    copy.mkdir()
    for file in places.folder().iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    caches = [gazetteer.load, placenames.indices, places.countries, places.provinces, places.towns, places.codes]
    for cache in caches:
        cache.cache_clear()
    yield copy
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("name", ["countries.json", "provinces.tsv", "regions.npz.xz", "towns.npz.xz", "names.npz.xz"])
def test_a_missing_file_is_told_when_the_gazetteer_is_loaded(damaged: Path, name: str) -> None:
    (damaged / name).unlink()

    with pytest.raises(GazetteerError, match=rf"The place data .*{name} is missing\."):
        gazetteer.load()


@pytest.mark.parametrize("name", ["countries.json", "provinces.tsv", "towns.npz.xz", "names.npz.xz"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00nonsense\n", b"[1, 2]", b"[{}]"])
def test_a_damaged_file_is_told_in_a_sentence(damaged: Path, name: str, content: bytes) -> None:
    (damaged / name).write_bytes(content)

    with pytest.raises(GazetteerError, match=r"The place data .* is damaged and cannot be read\.") as caught:
        gazetteer.load().search("Paris")
    assert caught.value.hint


def test_names_of_other_towns_are_refused(damaged: Path) -> None:
    names = places.arrays((damaged / "names.npz.xz").read_bytes())
    assert names["names_of_town"].shape[1] == len(places.towns())
    (damaged / "names.npz.xz").write_bytes((damaged / "towns.npz.xz").read_bytes())

    with pytest.raises(GazetteerError, match="damaged"):
        gazetteer.load().search("Paris")
