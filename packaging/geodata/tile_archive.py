"""Writes PMTiles version 3: many tiles in one file, found by their place on a Hilbert curve. The same tiles give the same bytes."""

from __future__ import annotations

import gzip
import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from vector_tile import varints

from georapp.pmtiles import tile_id

Entry = tuple[int, int, int, int]  # tile id, offset, length in bytes, how many tiles in a row share it (0: a further directory)
HEADER = 127  # bytes
ROOT_AT_MOST = 16_384 - HEADER  # a reader fetches header and root directory together
LEAF = 4096  # entries
GZIP, MVT = 2, 1


def write(file: Path, tiles: dict[tuple[int, int, int], bytes], metadata: dict[str, Any]) -> None:
    """An archive of gzipped vector tiles by (zoom, column, row)."""
    entries, data, contents = arranged(sorted((tile_id(*place), body) for place, body in tiles.items()))
    root, leaves = directories(entries)
    described = packed(json.dumps(metadata, ensure_ascii=False, sort_keys=True).encode())
    zooms = [z for z, _, _ in tiles]
    offsets = [HEADER, HEADER + len(root), HEADER + len(root) + len(described)]
    offsets.append(offsets[2] + len(leaves))
    lengths = [len(root), len(described), len(leaves), len(data)]
    places = [number for pair in zip(offsets, lengths, strict=True) for number in pair]
    header = b"PMTiles\x03" + struct.pack("<8Q", *places) + struct.pack("<3Q", len(tiles), len(entries), contents)
    header += struct.pack("<6B", 1, GZIP, GZIP, MVT, min(zooms), max(zooms))
    header += struct.pack("<4i", -1_800_000_000, -850_511_287, 1_800_000_000, 850_511_287) + struct.pack(
        "<B2i", 2, 0, 200_000_000
    )
    file.write_bytes(b"".join([header, root, described, leaves, data]))


def arranged(tiles: Iterable[tuple[int, bytes]]) -> tuple[list[Entry], bytes, int]:
    """Entries, all contents one after the other, and how many different contents there are. Equal tiles are stored once."""
    entries: list[Entry] = []
    known: dict[bytes, tuple[int, int]] = {}
    data = bytearray()
    for number, body in tiles:
        if body not in known:
            known[body] = (len(data), len(body))
            data += body
        offset, length = known[body]
        if entries and (entries[-1][0] + entries[-1][3], entries[-1][1]) == (number, offset):
            entries[-1] = (*entries[-1][:3], entries[-1][3] + 1)
        else:
            entries.append((number, offset, length, 1))
    return entries, bytes(data), len(known)


def directories(entries: list[Entry]) -> tuple[bytes, bytes]:
    """The root directory, and the leaves if it would be too large for all entries."""
    root = directory(entries)
    if len(root) <= ROOT_AT_MOST:
        return root, b""
    upper: list[Entry] = []
    leaves = b""
    for n in range(0, len(entries), LEAF):
        leaf = directory(entries[n : n + LEAF])
        upper.append((entries[n][0], len(leaves), len(leaf), 0))
        leaves += leaf
    return directory(upper), leaves


def directory(entries: list[Entry]) -> bytes:
    """Columns of integers; an offset is 0 where the content follows the one before."""
    numbers = [entry[0] for entry in entries]
    steps = [after - before for before, after in zip([0, *numbers], numbers, strict=False)]
    offsets, end = [], -1
    for _, offset, length, _ in entries:
        offsets.append(0 if offset == end else offset + 1)
        end = offset + length
    columns = [[len(entries)], steps, [entry[3] for entry in entries], [entry[2] for entry in entries], offsets]
    return packed(b"".join(map(varints, columns)))


def packed(data: bytes) -> bytes:
    """gzip without a date."""
    return gzip.compress(data, 9, mtime=0)
