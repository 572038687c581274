"""Coordinates -> labels, and names -> places, from the tables of resources/places and without any network.

Two halves that are loaded when they are first used: the labeller (polygons and towns, 0.5 s) and the names (0.8 s).
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from georapp import places
from georapp.chain import Chain, Level, folded
from georapp.geo import Coordinate
from georapp.places import KINDS, Label, Place, code_of, place_of

if TYPE_CHECKING:  # both import libraries that take their time
    from georapp.placenames import NameIndex
    from georapp.regions import Labeller

__all__ = ["Gazetteer", "Label", "Match", "Place", "load"]

STRIPPED_SCORE = 0.99  # of a name that is equal when words like "Province of" are left out
SURE = 0.8  # a score from which a name with typing errors is taken without asking
LONGEST = 200  # characters; nothing longer is a name

_DIVISION = (
    "province|state|prefecture|region|county|department|district|oblast|krai|governorate|canton|territory|municipality|city"
)
_REALM = "republic|kingdom|state|commonwealth|principality|sultanate|union"
_WITH_DIVISION = re.compile(rf"^(?:the )?(?:(?:{_DIVISION}) of (?:the )?)?(.+?)(?: (?:{_DIVISION}))?$")
_WITH_REALM = re.compile(rf"^(?:the )?(?:(?:\w+ ){{0,3}}(?:{_REALM}) of (?:the )?)?(.+)$")


@dataclass(frozen=True, slots=True)
class Match:
    """A place whose name was looked up."""

    place: Place
    matched: str  # the name that matched, as GeoNames writes it
    score: float  # 1 when the folded names are equal, less with typing errors


class Gazetteer:
    """Where coordinates lie and what names mean. Made by `load`."""

    def label(self, coordinate: Coordinate) -> Label:
        """What a coordinate lies in."""
        return self.labels(np.array([coordinate.lat]), np.array([coordinate.lon]))[0]

    def labels(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> list[Label]:
        """The same for rows of degrees, ten times faster a point. Raises ValueError for NaN and impossible values."""
        north, east = np.atleast_1d(np.asarray(lat, np.float64)), np.atleast_1d(np.asarray(lon, np.float64))
        if north.ndim != 1 or north.shape != east.shape:
            raise ValueError("Latitudes and longitudes are two rows of equal length.")
        if not (np.all(np.abs(north) <= 90) and np.all(np.abs(east) <= 180)):  # also false for NaN
            raise ValueError("A latitude lies between -90 and 90, a longitude between -180 and 180.")
        return self._labeller.labels(north, east)

    def search(
        self,
        name: str,
        *,
        country: str | None = None,
        province: str | None = None,
        kind: str | None = None,
        limit: int = 10,
        fuzzy: bool = True,
    ) -> list[Match]:
        """Places called `name`: equal names first, then the fewest typing errors, then the most people.

        `country` is a code or a name in any language, `province` a code or a name; one that is not known finds nothing.
        """
        code = self.country_code(country) if country else None
        if (country and not code) or not key_of(name) or limit < 1:
            return []
        inside = self._provinces_called(province, code) if province else None
        best: dict[tuple[str, int], tuple[float, str]] = {}
        for step in (self._equal, self._stripped, self._similar)[: 3 if fuzzy else 2]:
            for one in KINDS if len(best) < limit else ():
                for score, matched, row in step(one, name) if kind in (None, one) else ():
                    if (one, row) not in best and self._lies_in(one, row, code, inside):
                        best[one, row] = (score, matched)
        matches = [Match(place_of(one, row), matched, score) for (one, row), (score, matched) in best.items()]
        return sorted(matches, key=lambda match: (-match.score, -match.place.population, match.place.id))[:limit]

    def country_code(self, name: str) -> str | None:
        """ISO 3166-1 alpha-2 (and XK) of a country's name in any language, of an alias, or of its 2- or 3-letter code.

        A code in capitals is a code before it is a name: NGA is Nigeria, Nga is Vietnamese for Russia.
        """
        codes = {text: row.code for row in places.countries().values() for text in (row.code, row.iso3)}
        written = name.strip()
        by_name = [row for _, _, row in self._equal("country", name)]
        if written in codes or (not by_name and written.upper() in codes):
            return codes[written.upper()]
        if by_name:
            return code_of("country", by_name[0])
        for step in (self._stripped, self._similar):
            found = [(score, place_of("country", row).population, row) for score, _, row in step("country", name)]
            if found and max(found)[0] >= SURE:
                return code_of("country", max(found)[2])
        return None

    def country_name(self, code: str) -> str | None:
        """GeoNames' English name of an ISO code."""
        country = places.countries().get(code)
        return country.name if country else None

    def continent_of(self, code: str) -> str | None:
        """One of the seven continents for an ISO code: GeoNames', one for the whole country (Russia lies in Europe, Turkey in Asia)."""
        country = places.countries().get(code)
        return country.continent if country else None

    def province_code(self, name: str, country_code: str) -> str | None:
        """GeoNames' code like "FR.11" of a province's name in a country; of several the one with the most people."""
        if name in places.provinces() and name.startswith(f"{country_code}."):
            return name
        found = self.search(name, country=country_code, kind="province", limit=1)
        return found[0].place.province_code if found and found[0].score >= SURE else None

    def locate(self, chain: Chain) -> Place | None:
        """The most exact level of a chain that can be found by its name: the city, else the province, else the country.

        A city is looked for in its province, then in its country. Where no country is named, or none of that name exists, it is
        looked for in the whole world, and without one then only by its exact name.
        """
        country, province, city = (chain.name(level) for level in (Level.COUNTRY, Level.PROVINCE, Level.CITY))
        code = self.country_code(country) if country else None
        lost = country is not None and code is None
        full = self.country_name(code) if code else None
        tries = [("city", city, province), ("city", city, None), ("province", province, None), ("country", full, None)]
        for kind, name, inside in tries:
            found = self.search(name, country=code, province=inside, kind=kind, limit=1, fuzzy=not lost) if name else []
            if found and found[0].score >= SURE:
                return found[0].place
        return None

    def cities(self, *, min_population: int = 0) -> Iterator[Place]:
        """All towns with at least so many people, by country and province; no quarters of towns, no abandoned places."""
        table = places.towns()
        for row in np.flatnonzero((table.population >= min_population) & ~table.section):
            yield place_of("city", int(row))

    @functools.cached_property
    def _labeller(self) -> Labeller:
        from georapp.regions import labeller

        return labeller()

    @functools.cached_property
    def _names(self) -> dict[str, NameIndex]:
        from georapp.placenames import indices

        return indices()

    def _equal(self, kind: str, name: str) -> Iterator[tuple[float, str, int]]:
        """(score, name that matched, row) of places of one kind that are called exactly so."""
        index, key = self._names[kind], key_of(name)
        for number in index.equal(key):
            yield 1.0, index.names[number], int(index.row[number])

    def _stripped(self, kind: str, name: str) -> Iterator[tuple[float, str, int]]:
        """The same without words like "Province of" and "Republic of"."""
        frame = _WITH_REALM if kind == "country" else _WITH_DIVISION
        bare = frame.sub(r"\1", key_of(name))
        for _, matched, row in self._equal(kind, bare) if bare != key_of(name) else ():
            yield STRIPPED_SCORE, matched, row

    def _similar(self, kind: str, name: str) -> Iterator[tuple[float, str, int]]:
        """The same with typing errors, the fewest first."""
        index, key = self._names[kind], key_of(name)
        for number, errors in sorted(index.similar(key), key=lambda hit: hit[1]):
            yield 1 - errors / len(key), index.names[number], int(index.row[number])

    def _provinces_called(self, name: str, country_code: str | None) -> set[str]:
        """Codes of all provinces with this name or code."""
        if name in places.provinces():
            return {name}
        found = self.search(name, country=country_code, kind="province", limit=100)
        return {str(match.place.province_code) for match in found if match.score == found[0].score}

    def _lies_in(self, kind: str, row: int, country_code: str | None, provinces: set[str] | None) -> bool:
        """Whether a row of a table belongs to a country and to one of some provinces."""
        code = code_of(kind, row)
        return country_code in (None, code.partition(".")[0]) and (provinces is None or code in provinces)


def key_of(name: str) -> str:
    """The folded name; empty for what cannot be one."""
    return folded(name) if len(name) <= LONGEST else ""


@functools.cache
def load() -> Gazetteer:
    """The gazetteer on the program's own data. Raises GazetteerError, here or at first use, when a file is missing or damaged."""
    places.check_files()
    return Gazetteer()
