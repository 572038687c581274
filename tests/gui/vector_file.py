"""A map file of one vector tile, made in the test: Mapbox Vector Tile 2.1, gzip, in MBTiles."""

from __future__ import annotations

import gzip
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

POINT, LINE, AREA = 1, 2, 3
EXTENT = 4096


@dataclass(frozen=True)
class Feature:
    """`points` from the upper left, 0 to 4096; an area is closed by itself."""

    shape: int
    points: Sequence[tuple[int, int]]
    says: dict[str, str] = field(default_factory=dict)


def write(path: Path, layers: dict[str, list[Feature]], at: tuple[int, int, int], bounds: str) -> Path:
    """`at`: zoom, column and row from the north-west; `bounds`: west,south,east,north."""
    z, x, y = at
    about = {"vector_layers": [{"id": name} for name in layers]}
    with sqlite3.connect(path) as database:
        database.execute("create table metadata (name text, value text)")
        database.execute("create table tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
        rows = [("format", "pbf"), ("bounds", bounds), ("json", json.dumps(about))]
        database.executemany("insert into metadata values (?, ?)", rows)
        body = gzip.compress(b"".join(_piece(3, _layer(name, features)) for name, features in layers.items()))
        database.execute("insert into tiles values (?, ?, ?, ?)", (z, x, (1 << z) - 1 - y, body))
    database.close()
    return path


def _layer(name: str, features: list[Feature]) -> bytes:
    keys = sorted({key for feature in features for key in feature.says})
    values = sorted({value for feature in features for value in feature.says.values()})
    body = _number(15, 2) + _piece(1, name.encode())
    for feature in features:
        tags = [number for key, value in feature.says.items() for number in (keys.index(key), values.index(value))]
        shape = _piece(2, _varints(tags)) + _number(3, feature.shape) + _piece(4, _varints(_commands(feature)))
        body += _piece(2, shape)
    body += b"".join(_piece(3, key.encode()) for key in keys)
    body += b"".join(_piece(4, _piece(1, value.encode())) for value in values)
    return body + _number(5, EXTENT)


def _commands(feature: Feature) -> list[int]:
    """Move to the first point, lines to the others, close what is an area."""
    steps, before = [], (0, 0)
    for point in feature.points:
        steps.append([_zigzag(point[n] - before[n]) for n in (0, 1)])
        before = point
    found = [1 << 3 | 1, *steps[0]]
    if len(steps) > 1:
        found += [(len(steps) - 1) << 3 | 2, *(number for step in steps[1:] for number in step)]
    return [*found, 1 << 3 | 7] if feature.shape == AREA else found


def _zigzag(number: int) -> int:
    return number * 2 if number >= 0 else -number * 2 - 1


def _varints(numbers: Sequence[int]) -> bytes:
    octets = bytearray()
    for number in numbers:
        while number >= 0x80:
            octets.append(number & 0x7F | 0x80)
            number >>= 7
        octets.append(number)
    return bytes(octets)


def _number(key: int, value: int) -> bytes:
    return _varints([key << 3, value])


def _piece(key: int, body: bytes) -> bytes:
    return _varints([key << 3 | 2, len(body)]) + body
