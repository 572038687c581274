"""The base map of the world as vector tiles, zoom 0 to 7: land, lakes, borders, names. Layers: resources/map/README.md."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from outlines import inner_borders
from policy import WESTERN_SAHARA_NORTH
from sources import feature_codes, frames, natural_earth
from tile_archive import packed
from tile_archive import write as write_archive
from vector_tile import EXTENT, Attributes, Feature, encode

from georapp.places import provinces, towns

MAX_ZOOM = 7
BUFFER = 80 / EXTENT  # of a tile: lines are drawn past its edge, so that they join
LANGUAGES = ("en", "fr", "de", "es", "ru", "zh", "ar", "ja")
MERCATOR_NORTH = 85.0511
LAYERS = ("earth", "water", "boundaries", "places")


@dataclass(frozen=True, slots=True)
class Drawn:
    """Something on the map, in Mercator coordinates from 0 to 1, and the first zoom of the data that has it."""

    layer: str
    shape: Any
    attributes: Attributes
    zoom: int


def write_basemap(file: Path, sources: Path, regions: dict[str, Any]) -> int:
    """All tiles; `regions` are the polygons of resources/places. Returns how many tiles there are."""
    drawn = [*land(sources), *lakes(sources), *borders(sources), *province_borders(regions)]
    drawn += [*country_labels(sources), *province_labels(regions), *town_labels(sources)]
    encoded: dict[tuple[int, int, int], bytes] = {}
    for zoom in range(MAX_ZOOM + 1):
        tiles: dict[tuple[int, int], dict[str, list[Feature]]] = defaultdict(lambda: defaultdict(list))
        for feature in drawn:
            for place, shape in on_tiles(feature, zoom) if zoom >= feature.zoom else ():
                tiles[place][feature.layer].append(Feature(shape, feature.attributes))
        for (x, y), layers in tiles.items():
            body = encode({name: layers[name] for name in LAYERS if name in layers})
            if body:
                encoded[zoom, x, y] = packed(body)
        print(f"zoom {zoom}: {len(tiles)} tiles", flush=True)
    write_archive(file, encoded, METADATA)
    return len(encoded)


METADATA = {
    "name": "georapp base map",
    "attribution": "Natural Earth (public domain), GeoNames (CC BY 4.0)",
    "vector_layers": [
        {"id": "earth", "fields": {}},
        {"id": "water", "fields": {"kind": "String", "name": "String"}},
        {"id": "boundaries", "fields": {"kind": "String"}},
        {"id": "places", "fields": {"kind": "String", "name": "String", "min_zoom": "Number", "pop": "Number", "cap": "Number"}},
    ],
}


def land(sources: Path) -> Iterator[Drawn]:
    """Natural Earth's land, part by part."""
    for _, shape in natural_earth(sources, "physical/ne_10m_land"):
        for part in shapely.get_parts(shape):
            yield Drawn("earth", mercator(part), {}, 0)


def lakes(sources: Path) -> Iterator[Drawn]:
    """Natural Earth's lakes."""
    for row, shape in natural_earth(sources, "physical/ne_10m_lakes"):
        first = math.floor(float(row.get("min_zoom") or 4))
        yield Drawn("water", mercator(shape), {"kind": "lake", "name": row.get("name") or ""}, max(1, first))


def borders(sources: Path) -> Iterator[Drawn]:
    """Borders of countries as Natural Earth draws them, and that of Western Sahara with Morocco. "disputed": not agreed."""
    for row, shape in natural_earth(sources, "cultural/ne_10m_admin_0_boundary_lines_land"):
        kind = "country" if row["featurecla"].startswith("International") else "disputed"
        yield Drawn("boundaries", mercator(shape), {"kind": kind}, 1)
    morocco = next(frame.shape for frame in frames(sources) if frame.adm0 == "MAR")
    parallel = shapely.LineString([(-20, WESTERN_SAHARA_NORTH), (0, WESTERN_SAHARA_NORTH)])
    yield Drawn("boundaries", mercator(shapely.intersection(parallel, morocco)), {"kind": "disputed"}, 1)


def province_borders(regions: dict[str, Any]) -> Iterator[Drawn]:
    """Borders of the provinces that the labels speak of."""
    for line in inner_borders(regions):
        yield Drawn("boundaries", mercator(line), {"kind": "region"}, 4)


def country_labels(sources: Path) -> Iterator[Drawn]:
    """Names of countries in a few languages, where Natural Earth puts them."""
    for row, _ in natural_earth(sources, "cultural/ne_10m_admin_0_countries"):
        first = math.floor(min(7.0, float(row["min_label"])))
        attributes: Attributes = {
            "kind": "country",
            "name": row["name_long"] or row["name"],
            "min_zoom": first,
            "rank": int(row["labelrank"]),
        }
        attributes |= {f"name:{language}": row[f"name_{language}"] or "" for language in LANGUAGES}
        yield Drawn("places", mercator(shapely.Point(row["label_x"], row["label_y"])), attributes, data_zoom(first))


def province_labels(regions: dict[str, Any]) -> Iterator[Drawn]:
    """Names of provinces, in the middle of their largest part."""
    for code, shape in regions.items():
        if code in provinces():
            first = 4 + sum(shape.area < limit for limit in (60, 12, 2, 0.5, 0.1))  # square degrees
            attributes: Attributes = {
                "kind": "region",
                "name": provinces()[code].name,
                "min_zoom": first,
                "cc": code.partition(".")[0],
            }
            yield Drawn("places", mercator(label_point(shape)), attributes, data_zoom(first))


def label_point(shape: Any) -> Any:
    """The centre of the largest part, or a point inside it where the centre lies outside."""
    largest = max(shapely.get_parts(shape), key=lambda part: part.area)
    return largest.centroid if largest.contains(largest.centroid) else shapely.point_on_surface(shapely.simplify(largest, 0.02))


def town_labels(sources: Path) -> Iterator[Drawn]:
    """Names of towns; the larger the earlier, capitals earlier still."""
    codes, table = feature_codes(sources), towns()
    for row in np.flatnonzero(~table.section).tolist():
        people, capital = int(table.population[row]), codes.get(int(table.id[row])) == "PPLC"
        first = 3 + sum(people < limit for limit in (6_000_000, 1_500_000, 500_000, 150_000, 50_000, 15_000, 5_000, 1_500))
        if capital:
            first = min(first, 4 if people > 500_000 else 5)
        attributes: Attributes = {"kind": "city", "name": table.names[row], "min_zoom": first, "pop": people, "cap": int(capital)}
        yield Drawn("places", mercator(shapely.Point(table.lon[row], table.lat[row])), attributes, data_zoom(first))


def data_zoom(first: int) -> int:
    """Drawing programs show the data of zoom z - 1 at zoom z; a name that is first shown at zoom m must be in the data of m - 1."""
    return min(max(0, first - 1), MAX_ZOOM)


def mercator(shape: Any) -> Any:
    """Degrees to the unit square of Web Mercator, x to the right and y downwards."""
    return shapely.transform(shape, projected)


def projected(degrees: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """(n, 2) longitudes and latitudes -> x and y from 0 to 1."""
    sine = np.sin(np.radians(np.clip(degrees[:, 1], -MERCATOR_NORTH, MERCATOR_NORTH)))
    return np.column_stack([(degrees[:, 0] + 180) / 360, 0.5 - np.log((1 + sine) / (1 - sine)) / (4 * math.pi)])


def on_tiles(feature: Drawn, zoom: int) -> Iterator[tuple[tuple[int, int], Any]]:
    """(column, row) of every tile that a feature touches, and its shape in units of that tile."""
    side, shape = 1 << zoom, feature.shape
    unit = 1 / (EXTENT * side)
    if shape.geom_type == "Point":
        x, y = (min(side - 1, max(0, int(value * side))) for value in (shape.x, shape.y))
        yield (x, y), in_units(shape, side, x, y)
        return
    west, north, east, south = shape.bounds
    if feature.layer in ("earth", "water") and max(east - west, south - north) < 10 * unit:
        return
    shape = shapely.simplify(shape, unit * (2 if zoom == MAX_ZOOM else 6), preserve_topology=False)
    if not shape.is_valid:
        shape = shapely.make_valid(shape, method="structure", keep_collapsed=False)
    for (x, y), part in quartered(shape, zoom):
        yield (x, y), in_units(part, side, x, y)


def quartered(shape: Any, zoom: int) -> Iterator[tuple[tuple[int, int], Any]]:
    """The parts of a shape on the tiles of a zoom, found by cutting the world into four, each quarter into four, and so on."""
    margin = BUFFER / (1 << zoom)
    waiting = [(0, 0, 0, shape)]
    while waiting:
        depth, x, y, part = waiting.pop()
        if depth == zoom:
            yield (x, y), part
            continue
        side = 1 << depth + 1
        for column, row in ((2 * x + right, 2 * y + below) for right in (0, 1) for below in (0, 1)):
            box = (column / side - margin, row / side - margin, (column + 1) / side + margin, (row + 1) / side + margin)
            quarter = shapely.clip_by_rect(part, *box)
            if not quarter.is_empty:
                waiting.append((depth + 1, column, row, quarter))


def in_units(shape: Any, side: int, x: int, y: int) -> Any:
    """Mercator coordinates to units of the tile in column x and row y."""
    return shapely.transform(shape, lambda points: (points * side - (x, y)) * EXTENT)
