"""Names, aliases and codes of countries and provinces; chains, labels, cities and places; on the program's own data."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from georapp import gazetteer, places
from georapp.chain import Chain, Level
from georapp.gazetteer import Place
from georapp.geo import Coordinate, distance_km

GAZETTEER = gazetteer.load()


def best(name: str, country: str | None = None) -> Place:
    return GAZETTEER.search(name, country=country, kind="city", limit=1)[0].place


def chain(*, country: str | None = None, province: str | None = None, city: str | None = None) -> Chain:
    return Chain.of([(Level.COUNTRY, country), (Level.PROVINCE, province), (Level.CITY, city)])


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
