"""The tables of resources/places: countries, provinces and towns, and what the rest of the program hears of them.

The files are made by packaging/geodata/build.py; their format is described in resources/places/README.md. Everything that is
wrong with a file ends in a GazetteerError with a sentence.
"""

from __future__ import annotations

import functools
import io
import json
import lzma
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from georapp import paths
from georapp.chain import Chain, Level
from georapp.errors import GazetteerError
from georapp.geo import Coordinate

REINSTALL = "Install georapp again, or build the place data with packaging/geodata/build.py."
CITY_KM = 50.0  # a town farther away is not named in a chain (the same rule as for reverse_geocoder's labels)

Ints = npt.NDArray[np.int32]
Floats = npt.NDArray[np.float64]
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Label:
    """What a coordinate lies in; None where nothing is known, everything None at sea."""

    continent: str | None
    country: str | None  # GeoNames' English name
    country_code: str | None  # ISO 3166-1 alpha-2, and XK
    province: str | None  # GeoNames' English name; None where a country has no provinces, as in Singapore
    province_code: str | None  # GeoNames' code, like "FR.11"
    city: str | None
    city_km: float | None  # from the coordinate to the town's centre
    how: str  # "inside"; "coast": outside every polygon, nearest within 60 km; "none". `nearest_city` says "nearest" and "border"

    def chain(self, coordinate: Coordinate) -> Chain:
        """As the model is trained to write it. A town more than 50 km away is left out."""
        near = self.city if self.city_km is not None and self.city_km <= CITY_KM else None
        names = (self.continent, self.country, self.province, near)
        return Chain.of(zip(Level, names, strict=True), coordinate)


SEA = Label(None, None, None, None, None, None, None, "none")


@dataclass(frozen=True, slots=True)
class Place:
    """Something with a name and a position. Of provinces and countries the position is the town in the middle of their people."""

    id: int  # of GeoNames; 0 where it has none
    name: str
    coordinate: Coordinate
    country_code: str
    country: str
    province: str | None
    province_code: str | None
    population: int
    kind: str  # "city", "province" or "country"


@dataclass(frozen=True, slots=True)
class Country:
    """A row of countries.json."""

    code: str  # ISO 3166-1 alpha-2
    iso3: str
    name: str
    continent: str
    id: int
    population: int
    lat: float
    lon: float
    names: tuple[str, ...]  # in other languages, and what people also say


@dataclass(frozen=True, slots=True)
class Province:
    """A row of provinces.tsv."""

    code: str  # like "FR.11"
    id: int
    population: int
    lat: float
    lon: float
    name: str
    names: tuple[str, ...]  # in the country's own languages

    @property
    def country_code(self) -> str:
        """ "FR" of "FR.11"."""
        return self.code.partition(".")[0]


@dataclass(frozen=True, slots=True)
class Towns:
    """The rows of towns.npz.xz as columns, ordered by country and province."""

    id: Ints
    lat: Floats
    lon: Floats
    population: Ints
    code: Ints  # index into `codes`
    codes: list[str]  # "FR.11", or "SG" alone where GeoNames gives no province
    section: npt.NDArray[np.bool_]  # a quarter of a town, or no town any more: found by name, never a label
    names: Lines

    def __len__(self) -> int:
        return len(self.id)


class Lines:
    """Many short texts in one block of UTF-8, so that a million names take megabytes and no time to load."""

    def __init__(self, block: bytes) -> None:
        self.block = block
        ends = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
        self.starts = np.concatenate([[0], ends + 1, [len(block) + 1]]).astype(np.int32)

    def __len__(self) -> int:
        return len(self.starts) - 1

    def __getitem__(self, index: int) -> str:
        return self.block[self.starts[index] : self.starts[index + 1] - 1].decode()


def folder() -> Path:
    """Where the files lie."""
    return paths.resources() / "places"


@functools.cache
def countries() -> dict[str, Country]:
    """ISO code -> country."""

    def parse(data: bytes) -> dict[str, Country]:
        rows = [Country(**row | {"names": tuple(row["names"])}) for row in json.loads(data)]
        return {row.code: row for row in some(rows)}

    return read_file("countries.json", parse)


@functools.cache
def provinces() -> dict[str, Province]:
    """Code -> province, for all that GeoNames names."""

    def parse(data: bytes) -> dict[str, Province]:
        rows = [province(*line.split("\t")) for line in data.decode().splitlines()]
        return {row.code: row for row in some(rows)}

    return read_file("provinces.tsv", parse)


def some(rows: list[T]) -> list[T]:
    """The rows; ValueError when there are none."""
    if not rows:
        raise ValueError("an empty table")
    return rows


def province(code: str, id: str, population: str, lat: str, lon: str, name: str, names: str) -> Province:
    """One line of provinces.tsv; `names` are divided by bars."""
    return Province(code, int(id), int(population), float(lat), float(lon), name, tuple(filter(None, names.split("|"))))


@functools.cache
def towns() -> Towns:
    """All towns of GeoNames' cities500."""

    def parse(data: bytes) -> Towns:
        table = arrays(data)
        codes = table["codes"].tobytes().decode().split("\n")
        found = Towns(
            id=unpacked(table["id"]),
            lat=unpacked(table["lat"]) / 1e4,
            lon=unpacked(table["lon"]) / 1e4,
            population=joined(table["population"]),
            code=np.repeat(np.arange(len(codes), dtype=np.int32), unpacked(table["towns_of_code"])),
            codes=codes,
            section=np.unpackbits(table["section"], count=table["id"].shape[1]).astype(bool),
            names=Lines(table["names"].tobytes()),
        )
        if not len(found) == len(found.code) == len(found.names):
            raise ValueError("the columns differ in length")
        return found

    return read_file("towns.npz.xz", parse)


KINDS = ("city", "province", "country")


@functools.cache
def codes(kind: str) -> list[str]:
    """The codes of all provinces or countries, in the order of their rows."""
    return list(provinces()) if kind == "province" else list(countries())


def code_of(kind: str, row: int) -> str:
    """ "FR.11" of a province or of a town in it; "FR" of a country, or of a town without a province."""
    return towns().codes[towns().code[row]] if kind == "city" else codes(kind)[row]


def place_of(kind: str, row: int) -> Place:
    """A row of one of the three tables."""
    code = code_of(kind, row)
    country, division = countries()[code.partition(".")[0]], provinces().get(code)
    where = (country.code, country.name, division.name if division else None, division.code if division else None)
    if kind == "city":
        table = towns()
        position = Coordinate(float(table.lat[row]), float(table.lon[row]))
        return Place(int(table.id[row]), table.names[row], position, *where, int(table.population[row]), kind)
    own = country if division is None else division
    return Place(own.id, own.name, Coordinate(own.lat, own.lon), *where, own.population, kind)


def check_files() -> None:
    """Raises GazetteerError when a file is missing; reads the two small ones."""
    for name in ("regions.npz.xz", "towns.npz.xz", "names.npz.xz"):
        if not (folder() / name).is_file():
            raise missing(folder() / name)
    countries()
    provinces()


def arrays(data: bytes) -> dict[str, npt.NDArray[np.uint8]]:
    """The arrays of an .npz file that was packed with xz."""
    with np.load(io.BytesIO(lzma.decompress(data)), allow_pickle=False) as archive:
        return {name: archive[name] for name in archive.files}


def unpacked(planes: npt.NDArray[np.uint8]) -> Ints:
    """Integers from the bytes of their differences, laid out as in `joined`."""
    return np.cumsum(joined(planes), dtype=np.int32)


def joined(planes: npt.NDArray[np.uint8]) -> Ints:
    """Integers from their (4, n) bytes: first the lowest byte of all, and so on, because these planes pack best."""
    return np.ascontiguousarray(planes.T).view("<i4").ravel()


def read_file(name: str, parse: Callable[[bytes], T]) -> T:
    """`parse` of a file in resources/places. Raises GazetteerError when it is missing or `parse` cannot make sense of it."""
    file = folder() / name
    try:
        return parse(file.read_bytes())
    except FileNotFoundError as error:
        raise missing(file) from error
    except (OSError, EOFError, lzma.LZMAError, zipfile.BadZipFile, ValueError, KeyError, TypeError, IndexError) as error:
        raise GazetteerError(f"The place data {file} is damaged and cannot be read.", hint=REINSTALL) from error


def missing(file: Path) -> GazetteerError:
    """The error for a file that is not there."""
    return GazetteerError(f"The place data {file} is missing.", hint=REINSTALL)
