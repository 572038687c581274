"""Reads PMTiles archives (version 3): directories of tiles in the order of a Hilbert curve."""

from __future__ import annotations

import struct
import threading
import weakref
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from georapp.errors import MapError
from georapp.tile_file import (
    GZIP,
    NONE,
    NOT_SAID,
    TILE_BYTES,
    About,
    damaged,
    describe,
    exists,
    json_object,
    shown_name,
    unpacked,
)

DIRECTORY_BYTES = 8 << 20  # of one directory, unpacked
METADATA_BYTES = 4 << 20
LEAVES_KEPT = 64

_HEADER = struct.Struct("<7sB8Q3Q6B4iB2i")


class PMTiles:
    """A PMTiles archive: directories of tiles in the order of a Hilbert curve."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        self._leaves: dict[int, Directory] = {}
        try:
            self._file = path.open("rb")
        except OSError as error:
            raise MapError(f"{shown_name(path)} cannot be opened: {error.strerror or 'no reason given'}.") from error
        self._closing = weakref.finalize(self, self._file.close)
        try:
            self._size = path.stat().st_size
            self.about = self._begin()
        except MapError:
            self.close()
            raise
        except (OSError, ValueError, struct.error, zlib.error) as error:
            self.close()
            raise damaged(path) from error

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """See TileFile."""
        if not exists(z, x, y) or not self.about.min_zoom <= z <= self.about.max_zoom:
            return None
        try:
            found = self._find(tile_id(z, x, y))
            if found is None:
                return None
            body = self._slice(self._data, found, TILE_BYTES)
            return unpacked(body, self._packing, TILE_BYTES)
        except (OSError, ValueError, zlib.error) as error:
            raise damaged(self.path) from error

    def close(self) -> None:
        """See TileFile."""
        with self._lock:
            self._closing()

    def _begin(self) -> About:
        """Header, metadata and root directory."""
        fields = _HEADER.unpack(self._bytes(0, _HEADER.size))
        if fields[1] != 3:
            raise MapError(f"{shown_name(self.path)} is a PMTiles file of version {fields[1]}; only version 3 can be read.")
        root, metadata, self._leaf, self._data = (fields[n : n + 2] for n in (2, 4, 6, 8))
        self._inner, self._packing, kind, low, high = fields[14:19]
        if {self._inner, self._packing} - {NOT_SAID, NONE, GZIP}:
            raise MapError(f"{shown_name(self.path)} is packed with Brotli or Zstandard; only gzip can be read.")
        self._root = parse_directory(unpacked(self._slice(root, (0, root[1]), DIRECTORY_BYTES), self._inner, DIRECTORY_BYTES))
        text = unpacked(self._slice(metadata, (0, metadata[1]), METADATA_BYTES), self._inner, METADATA_BYTES)
        box = tuple(number / 1e7 for number in fields[19:23])
        return describe(self.path, kind=kind, zooms=(low, high), box=box, metadata=json_object(text))

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
            known = parse_directory(unpacked(body, self._inner, DIRECTORY_BYTES))
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
