"""What all map files have in common: what they say of themselves, how a tile is asked for and unpacked, and how they are refused.

A file is somebody's gift: everything read from it is bounded, and what does not fit together ends in a MapError with a sentence.
"""

from __future__ import annotations

import json
import re
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from georapp.errors import MapError
from georapp.printable import printable

MAX_ZOOM = 24
TILE_BYTES = 8 << 20  # of one tile, also unpacked

# By their number in PMTiles.
TYPES = {1: "application/x-protobuf", 2: "image/png", 3: "image/jpeg", 4: "image/webp", 5: "image/avif"}
NOT_SAID, NONE, GZIP = 0, 1, 2  # how tiles are packed
WORLD = (-180.0, -85.0511, 180.0, 85.0511)

Box = tuple[float, float, float, float]  # west, south, east, north in degrees


@dataclass(frozen=True, slots=True)
class About:
    """What a file says of itself."""

    mime: str
    min_zoom: int
    max_zoom: int
    box: Box
    schema: str  # of vector tiles: "protomaps" or "openmaptiles"; "" for pictures
    attribution: str  # plain text, may be empty

    @property
    def vector(self) -> bool:
        """Lines and areas, not pictures."""
        return self.mime == TYPES[1]


class TileFile(Protocol):
    """An open file. Its methods may be called from any thread."""

    path: Path
    about: About

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """One tile, unpacked; None where the file has none. Raises MapError when the file is damaged."""

    def close(self) -> None:
        """Give the file back; it is also given back when nobody has it any more."""


def exists(z: int, x: int, y: int) -> bool:
    """Whether there can be such a tile; they are counted from the north-west."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z


def unpacked(body: bytes, packing: int, most: int) -> bytes:
    """Raises ValueError when it would be longer than `most`, zlib.error when it is torn."""
    if packing != GZIP:
        return body
    stream = zlib.decompressobj(wbits=31)
    data = stream.decompress(body, most)
    if stream.unconsumed_tail:
        raise ValueError("too long when unpacked")
    if not stream.eof:
        raise ValueError("the packed data end early")
    return data


def describe(path: Path, *, kind: int, zooms: tuple[int, int], box: tuple[float, ...], metadata: dict[str, Any]) -> About:
    """From what a file says of itself. Raises MapError for what cannot be drawn, ValueError for what cannot be."""
    low, high = zooms
    if kind not in TYPES:
        raise MapError(f"{shown_name(path)} holds tiles of a kind that cannot be drawn.")
    if not 0 <= low <= high <= MAX_ZOOM:
        raise ValueError("impossible zooms")
    schema = _schema(metadata) if kind == 1 else ""
    if kind == 1 and not schema:
        raise MapError(
            f"{shown_name(path)} holds vector tiles whose layers have names that this map does not know.",
            hint="Vector tiles can be drawn in the layers of Protomaps or OpenMapTiles.",
        )
    return About(TYPES[kind], low, high, _possible(box), schema, _plain(metadata.get("attribution", "")))


def _schema(metadata: dict[str, Any]) -> str:
    layers = metadata.get("vector_layers")
    names = {layer.get("id") for layer in layers if isinstance(layer, dict)} if isinstance(layers, list) else set()
    if "earth" in names or "roads" in names:
        return "protomaps"
    return "openmaptiles" if names & {"transportation", "landcover", "water"} else ""


def _possible(box: tuple[float, ...]) -> Box:
    """The box, or the whole world where it cannot be meant."""
    if len(box) != 4:
        return WORLD
    west, south, east, north = box
    right = -180 <= west < east <= 180 and -90 <= south < north <= 90
    return (west, south, east, north) if right else WORLD


def json_object(text: bytes) -> dict[str, Any]:
    """A JSON object; empty for anything else: what a file says of itself is not needed to draw it."""
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _plain(text: object) -> str:
    """Attributions are often HTML; here they are shown as text."""
    bare = re.sub(r"<[^<>]{0,500}>", "", text[:2000]) if isinstance(text, str) else ""
    return printable(" ".join(bare.replace("&copy;", "©").replace("&amp;", "&").split()))[:200]


def shown_name(path: Path) -> str:
    """For sentences."""
    return printable(path.name)


def damaged(path: Path) -> MapError:
    """The error to raise for a file whose parts do not fit together."""
    return MapError(f"{shown_name(path)} is damaged or not a whole map file.", hint="Copy or download it again.")
