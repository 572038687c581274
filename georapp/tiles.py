"""Reads map tiles out of PMTiles (version 3) and MBTiles files, vector and raster.

A file is somebody's gift: everything read from it is bounded, and what does not fit together ends in a MapError with a sentence.
Tiles are counted from the north-west, as PMTiles does; rows of MBTiles, which count from the south, are turned around here.
"""

from __future__ import annotations

import json
import re
import sqlite3
import struct
import threading
import urllib.parse
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from georapp.errors import MapError
from georapp.printable import printable

MAX_ZOOM = 24
TILE_BYTES = 8 << 20  # of one tile, also unpacked
DIRECTORY_BYTES = 8 << 20  # of one PMTiles directory, unpacked
METADATA_BYTES = 4 << 20
LEAVES_KEPT = 64
SQL_STEPS = 5_000_000  # of SQLite's machine for one question: a few tenths of a second

_HEADER = struct.Struct("<7sB8Q3Q6B4iB2i")
_TYPES = {1: "application/x-protobuf", 2: "image/png", 3: "image/jpeg", 4: "image/webp", 5: "image/avif"}
_FORMATS = {"pbf": 1, "mvt": 1, "png": 2, "jpg": 3, "jpeg": 3, "webp": 4, "avif": 5}
_NOT, _NONE, _GZIP = 0, 1, 2
_WORLD = (-180.0, -85.0511, 180.0, 85.0511)

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
        return self.mime == _TYPES[1]


class TileFile(Protocol):
    """An open file. Its methods may be called from any thread."""

    path: Path
    about: About

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """One tile, unpacked; None where the file has none. Raises MapError when the file is damaged."""

    def close(self) -> None:
        """Give the file back; it is also given back when nobody has it any more."""


def read(path: Path) -> TileFile:
    """Open a map file of either kind; its first bytes say which. Raises MapError."""
    if path.exists() and not path.is_file():
        raise MapError(f"{_name(path)} is not a file.")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise MapError(f"{_name(path)} cannot be opened: {error.strerror or 'no reason given'}.") from error
    if start[:7] == b"PMTiles":
        return PMTiles(path)
    if start == b"SQLite format 3\0":
        return MBTiles(path)
    raise MapError(
        f"{_name(path)} is not a map file.",
        hint="Maps can be added as PMTiles (version 3) or MBTiles, with vector tiles or pictures.",
    )


class PMTiles:
    """A PMTiles archive: directories of tiles in the order of a Hilbert curve."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._leaves: dict[int, Directory] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise MapError(f"{_name(path)} cannot be opened: {error.strerror or 'no reason given'}.") from error
        self._closing = weakref.finalize(self, self._file.close)
        try:
            self._size = path.stat().st_size
            self.about = self._begin()
        except MapError:
            self.close()
            raise
        except (OSError, ValueError, struct.error, zlib.error) as error:
            self.close()
            raise _damaged(path) from error

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """See TileFile."""
        if not _exists(z, x, y) or not self.about.min_zoom <= z <= self.about.max_zoom:
            return None
        try:
            found = self._find(tile_id(z, x, y))
            if found is None:
                return None
            body = self._slice(self._data, found, TILE_BYTES)
            return _unpacked(body, self._packing, TILE_BYTES)
        except (OSError, ValueError, zlib.error) as error:
            raise _damaged(self.path) from error

    def close(self) -> None:
        """See TileFile."""
        with self._lock:
            self._closing()

    def _begin(self) -> About:
        """Header, metadata and root directory."""
        fields = _HEADER.unpack(self._bytes(0, _HEADER.size))
        if fields[1] != 3:
            raise MapError(f"{_name(self.path)} is a PMTiles file of version {fields[1]}; only version 3 can be read.")
        root, metadata, self._leaf, self._data = (fields[n : n + 2] for n in (2, 4, 6, 8))
        self._inner, self._packing, kind, low, high = fields[14:19]
        if {self._inner, self._packing} - {_NOT, _NONE, _GZIP}:
            raise MapError(f"{_name(self.path)} is packed with Brotli or Zstandard; only gzip can be read.")
        self._root = parse_directory(_unpacked(self._slice(root, (0, root[1]), DIRECTORY_BYTES), self._inner, DIRECTORY_BYTES))
        text = _unpacked(self._slice(metadata, (0, metadata[1]), METADATA_BYTES), self._inner, METADATA_BYTES)
        box = tuple(number / 1e7 for number in fields[19:23])
        return _about(self.path, kind=kind, zooms=(low, high), box=box, metadata=_object(text))

    def _find(self, number: int) -> tuple[int, int] | None:
        """Offset and length of a tile. Directories lie at most four deep."""
        directory = self._root
        for _ in range(4):
            entry = directory.entry(number)
            if entry is None:
                return None
            offset, length, run = entry
            if run:
                return offset, length
            directory = self._directory(offset, length)
        raise ValueError("too many directories")

    def _directory(self, offset: int, length: int) -> Directory:
        known = self._leaves.get(offset)
        if known is None:
            body = self._slice(self._leaf, (offset, length), DIRECTORY_BYTES)
            known = parse_directory(_unpacked(body, self._inner, DIRECTORY_BYTES))
            if len(self._leaves) >= LEAVES_KEPT:
                self._leaves.pop(next(iter(self._leaves)), None)
            self._leaves[offset] = known
        return known

    def _slice(self, section: tuple[int, int], part: tuple[int, int], most: int) -> bytes:
        """A part (offset, length) of a section (offset, length) of the file."""
        offset, length = part
        if not (offset >= 0 and 0 <= length <= most and offset + length <= section[1]):
            raise ValueError("outside its section")
        return self._bytes(section[0] + offset, length)

    def _bytes(self, offset: int, length: int) -> bytes:
        if offset + length > self._size:
            raise ValueError("outside the file")
        with self._lock:
            self._file.seek(offset)
            body = self._file.read(length)
        if len(body) != length:
            raise ValueError("the file ends early")
        return body


class MBTiles:
    """An MBTiles file: a SQLite table of tiles. It is opened so that nothing is ever written, not even beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        uri = f"file:{urllib.parse.quote(str(path.resolve()))}?mode=ro&immutable=1"
        try:
            self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise _damaged(path) from error
        self._closing = weakref.finalize(self, self._database.close)
        try:
            self._guard()
            self.about = self._begin()
        except MapError:
            self.close()
            raise
        except (sqlite3.Error, ValueError, TypeError) as error:
            self.close()
            raise _damaged(path) from error

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """See TileFile."""
        if not _exists(z, x, y):
            return None
        question = "select tile_data from tiles where zoom_level = ? and tile_column = ? and tile_row = ? limit 1"
        try:
            rows = self._ask(question, (z, x, (1 << z) - 1 - y))
            if not rows or rows[0][0] is None:
                return None
            body = rows[0][0]
            if not isinstance(body, bytes):
                raise ValueError("a tile that is no bytes")
            packing = _GZIP if body[:2] == b"\x1f\x8b" else _NONE
            return _unpacked(body, packing, TILE_BYTES)
        except (sqlite3.Error, ValueError, zlib.error) as error:
            raise _damaged(self.path) from error

    def close(self) -> None:
        """See TileFile."""
        with self._lock:
            self._closing()

    def _guard(self) -> None:
        """No functions of the schema, no long rows, no question without an end."""
        self._database.execute("pragma trusted_schema = off")
        self._database.execute("pragma query_only = on")
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * TILE_BYTES)

    def _ask(self, question: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            self._database.set_progress_handler(lambda: 1, SQL_STEPS)  # set anew, it counts from here
            return self._database.execute(question, values).fetchmany(200)

    def _begin(self) -> About:
        said = {str(name): str(value) for name, value in self._ask("select name, value from metadata limit 200")}
        kind = _FORMATS.get(said.get("format", "").lower())
        if kind is None:
            raise MapError(f"{_name(self.path)} does not say what its tiles are.", hint="Its metadata has no known format.")
        lowest, highest = (self._ask(f"select {which}(zoom_level) from tiles")[0][0] for which in ("min", "max"))
        if lowest is None:
            raise MapError(f"{_name(self.path)} holds no tiles.")
        try:
            box: tuple[float, ...] = tuple(float(part) for part in said.get("bounds", "").split(","))
        except ValueError:
            box = _WORLD
        metadata = _object(said.get("json", "{}").encode()) | {"attribution": said.get("attribution", "")}
        return _about(self.path, kind=kind, zooms=(int(lowest), int(highest)), box=box, metadata=metadata)


@dataclass(frozen=True, slots=True)
class Directory:
    """Entries of a PMTiles directory, ordered by tile."""

    first: npt.NDArray[np.int64]
    run: npt.NDArray[np.int64]  # tiles in a row that share the entry; 0: a further directory
    length: npt.NDArray[np.int64]
    offset: npt.NDArray[np.int64]

    def entry(self, number: int) -> tuple[int, int, int] | None:
        """(offset, length, run) of the entry that holds a tile."""
        at = int(np.searchsorted(self.first, number, side="right")) - 1
        if at < 0:
            return None
        run = int(self.run[at])
        if run and number >= int(self.first[at]) + run:
            return None
        return int(self.offset[at]), int(self.length[at]), run


def parse_directory(data: bytes) -> Directory:
    """From the bytes of a directory. Raises ValueError when the columns do not fit together."""
    numbers = varints(data)
    count = int(numbers[0]) if len(numbers) else -1
    if len(numbers) != 1 + 4 * count:
        raise ValueError("a directory of the wrong length")
    steps, run, length, raw = numbers[1:].reshape(4, count)
    index = np.arange(count)
    anchor = np.maximum.accumulate(np.where(raw > 0, index, 0))  # the last entry before this one whose offset is written
    before = np.cumsum(length) - length
    return Directory(np.cumsum(steps), run, length, raw[anchor] - 1 + before - before[anchor])


def varints(data: bytes) -> npt.NDArray[np.int64]:
    """Numbers below 2^56 in groups of seven bits, the lowest first. Raises ValueError for anything else."""
    octets = np.frombuffer(data, np.uint8)
    if not len(octets) or octets[-1] >= 0x80:
        raise ValueError("a number without an end")
    ends = np.flatnonzero(octets < 0x80)
    starts = np.concatenate([[0], ends[:-1] + 1])
    sizes = ends - starts + 1
    if sizes.max() > 8:
        raise ValueError("a number that is too large")
    places = np.arange(len(octets)) - np.repeat(starts, sizes)
    return np.add.reduceat((octets & 0x7F).astype(np.int64) << (7 * places), starts)


def tile_id(z: int, x: int, y: int) -> int:
    """All tiles of lower zooms, then the place of (x, y) on the Hilbert curve of this zoom."""
    found: int = (4**z - 1) // 3
    side = 1 << z >> 1
    while side:
        right, below = int(x & side > 0), int(y & side > 0)
        found += side * side * ((3 * right) ^ below)
        if not below:
            if right:
                x, y = side - 1 - x, side - 1 - y
            x, y = y, x
        side >>= 1
    return found


def _exists(z: int, x: int, y: int) -> bool:
    return 0 <= z <= MAX_ZOOM and 0 <= x < 1 << z and 0 <= y < 1 << z


def _unpacked(body: bytes, packing: int, most: int) -> bytes:
    """Raises ValueError when it would be longer than `most`, zlib.error when it is torn."""
    if packing != _GZIP:
        return body
    stream = zlib.decompressobj(wbits=31)
    data = stream.decompress(body, most)
    if stream.unconsumed_tail:
        raise ValueError("too long when unpacked")
    if not stream.eof:
        raise ValueError("the packed data end early")
    return data


def _about(path: Path, *, kind: int, zooms: tuple[int, int], box: tuple[float, ...], metadata: dict[str, Any]) -> About:
    low, high = zooms
    if kind not in _TYPES:
        raise MapError(f"{_name(path)} holds tiles of a kind that cannot be drawn.")
    if not 0 <= low <= high <= MAX_ZOOM:
        raise ValueError("impossible zooms")
    schema = _schema(metadata) if kind == 1 else ""
    if kind == 1 and not schema:
        raise MapError(
            f"{_name(path)} holds vector tiles whose layers have names that this map does not know.",
            hint="Vector tiles can be drawn in the layers of Protomaps or OpenMapTiles.",
        )
    return About(_TYPES[kind], low, high, _possible(box), schema, _plain(metadata.get("attribution", "")))


def _schema(metadata: dict[str, Any]) -> str:
    layers = metadata.get("vector_layers")
    names = {layer.get("id") for layer in layers if isinstance(layer, dict)} if isinstance(layers, list) else set()
    if "earth" in names or "roads" in names:
        return "protomaps"
    return "openmaptiles" if names & {"transportation", "landcover", "water"} else ""


def _possible(box: tuple[float, ...]) -> Box:
    """The box, or the whole world where it cannot be meant."""
    if len(box) != 4:
        return _WORLD
    west, south, east, north = box
    right = -180 <= west < east <= 180 and -90 <= south < north <= 90
    return (west, south, east, north) if right else _WORLD


def _object(text: bytes) -> dict[str, Any]:
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


def _name(path: Path) -> str:
    return printable(path.name)


def _damaged(path: Path) -> MapError:
    return MapError(f"{_name(path)} is damaged or not a whole map file.", hint="Copy or download it again.")
