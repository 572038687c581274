"""Mapbox Vector Tile 2.1: features of a tile -> bytes. Only what the base map needs: strings and integers as attributes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely

EXTENT = 4096  # units across a tile
POINT, LINE, POLYGON = 1, 2, 3
MOVE_TO, LINE_TO, CLOSE_PATH = 1, 2, 7
SMALLEST_RING = 16  # square units; smaller polygons cannot be seen

Units = npt.NDArray[np.int64]
Attributes = dict[str, str | int]


@dataclass(frozen=True, slots=True)
class Feature:
    """A geometry in units of the tile (y downwards) and what is known of it."""

    shape: Any
    attributes: Attributes


def encode(layers: dict[str, list[Feature]]) -> bytes:
    """A whole tile; empty when nothing in it can be seen."""
    return b"".join(field(3, body) for name, features in layers.items() if (body := layer(name, features)))


def layer(name: str, features: Iterable[Feature]) -> bytes:
    """One layer, or nothing when none of its features can be seen."""
    keys: dict[str, int] = {}
    values: dict[tuple[type, str | int], int] = {}
    bodies = []
    for feature in features:
        kind, commands = geometry(feature.shape)
        if not commands:
            continue
        tags = []
        for key, value in feature.attributes.items():
            tags += [keys.setdefault(key, len(keys)), values.setdefault((type(value), value), len(values))]
        bodies.append(field(2, field(2, varints(tags)) + b"\x18" + varint(kind) + field(4, varints(commands))))
    if not bodies:
        return b""
    found = [field(1, name.encode()), *bodies, *(field(3, key.encode()) for key in keys)]
    found += [field(4, field(1, str(value).encode()) if kind is str else b"\x28" + varint(int(value))) for kind, value in values]
    return b"".join([*found, b"\x28" + varint(EXTENT), b"\x78" + varint(2)])


def geometry(shape: Any) -> tuple[int, list[int]]:
    """The type and the commands of a geometry; no commands when nothing of it can be seen."""
    parts = [part for part in shapely.get_parts(shape) if not part.is_empty]
    dimension = max((shapely.get_dimensions(part) for part in parts), default=0)
    rows: list[tuple[Units, bool]]
    if dimension == 0:
        rows = [(rounded(part), False) for part in parts]
    elif dimension == 1:
        rows = [(row, False) for part in parts if shapely.get_dimensions(part) == 1 and len(row := rounded(part)) > 1]
    else:
        rows = [(ring, True) for part in parts if shapely.get_dimensions(part) == 2 for ring in rings(part)]
    return (POINT, LINE, POLYGON)[dimension], list(commands(rows))


def rings(polygon: Any) -> Iterator[Units]:
    """Rings without their closing point: the outer one clockwise on the screen, holes the other way."""
    outer = rounded(polygon.exterior)[:-1]
    if len(outer) < 3 or abs(twice_area(outer)) < 2 * SMALLEST_RING:
        return
    yield outer if twice_area(outer) > 0 else outer[::-1]
    for hole in map(rounded, polygon.interiors):
        inner = hole[:-1]
        if len(inner) >= 3 and abs(twice_area(inner)) >= 2 * SMALLEST_RING:
            yield inner if twice_area(inner) < 0 else inner[::-1]


def twice_area(ring: Units) -> int:
    """By the surveyor's formula; positive is clockwise where y points downwards."""
    following = np.roll(ring, -1, axis=0)
    return int(np.sum(ring[:, 0] * following[:, 1] - following[:, 0] * ring[:, 1]))


def rounded(line: Any) -> Units:
    """Vertices in whole units, without repetitions."""
    vertices = np.round(shapely.get_coordinates(line)).astype(np.int64)
    kept = np.ones(len(vertices), bool)
    kept[1:] = np.any(vertices[1:] != vertices[:-1], axis=1)
    return np.asarray(vertices[kept])


def commands(rows: Iterable[tuple[Units, bool]]) -> Iterator[int]:
    """Move to the first vertex, lines to the others, close if it is a ring; all as differences, zigzag-coded."""
    pen = np.zeros(2, np.int64)
    for vertices, closed in rows:
        steps = np.diff(vertices, axis=0, prepend=pen[None])
        zigzag = ((steps << 1) ^ (steps >> 63)).tolist()
        yield from (MOVE_TO | 1 << 3, *zigzag[0])
        if len(zigzag) > 1:
            yield LINE_TO | (len(zigzag) - 1) << 3
            for step in zigzag[1:]:
                yield from step
        if closed:
            yield CLOSE_PATH | 1 << 3
        pen = vertices[-1]


def field(number: int, body: bytes) -> bytes:
    """A length-delimited field of protocol buffers."""
    return varint(number << 3 | 2) + varint(len(body)) + body


def varints(values: Iterable[int]) -> bytes:
    """Several integers, packed."""
    return b"".join(map(varint, values))


def varint(value: int) -> bytes:
    """An integer in groups of seven bits, lowest first."""
    found = bytearray()
    while value > 127:
        found.append(value & 127 | 128)
        value >>= 7
    found.append(value)
    return bytes(found)
