"""Finds names among many: equal when folded, or with a few typing errors.

Half a million names as Python strings would take 40 MB and a second. Here they stay blocks of UTF-8: the folded names are found
by their hash, and typing errors by a mask of the letters that a name is made of, which leaves few names to compare letter by letter.
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from rapidfuzz import process
from rapidfuzz.distance import OSA

from georapp.chain import folded
from georapp.places import Ints, Lines, arrays, countries, provinces, read_file, towns, unpacked

LONGEST = 100  # characters of a folded name; nothing longer is a place
MASKED_AT_ONCE = 1 << 20  # bytes of names


class NameIndex:
    """Names, and for each of them the row of a table that it belongs to."""

    def __init__(self, names: Lines, row: Ints) -> None:
        if len(names) != len(row):
            raise ValueError("Every name belongs to one row.")
        self.names = names  # as they are written
        self.row = row
        self._folded = Lines(folded_block(names.block))
        hashes = np.fromiter(map(hash, self._folded.block.split(b"\n")), np.int64, len(names))
        self._order = np.argsort(hashes, kind="stable").astype(np.int32)
        self._hashes = hashes[self._order]

    @classmethod
    def of(cls, groups: Iterable[Iterable[str]]) -> NameIndex:
        """The names of row 0, of row 1, and so on."""
        rows = [(name, row) for row, names in enumerate(groups) for name in names]
        return cls(Lines("\n".join(name for name, _ in rows).encode()), np.array([row for _, row in rows], np.int32))

    def equal(self, key: str) -> list[int]:
        """Numbers of the names that are `key` when folded."""
        wanted = hash(key.encode())
        first, last = np.searchsorted(self._hashes, wanted, "left"), np.searchsorted(self._hashes, wanted, "right")
        return [int(i) for i in self._order[first:last] if self._folded[i] == key]

    def similar(self, key: str) -> list[tuple[int, int]]:
        """(number, typing errors) of names that come near to `key`; those that are equal are not among them."""
        errors = allowed_errors(key)
        if not errors:
            return []
        # An error changes two bits of the mask and one byte of the length; beyond ASCII a letter has several bytes, mostly two.
        bits, width = (2, 1) if key.isascii() else (4, 2)
        encoded = key.encode()
        near = np.abs(self._lengths - len(encoded)) <= errors * width
        near &= np.bitwise_count(self._masks ^ masks_of(Lines(encoded))[0]) <= errors * bits
        candidates = {int(i): self._folded[int(i)] for i in np.flatnonzero(near)}
        found = process.extract(key, candidates, scorer=OSA.distance, score_cutoff=errors, limit=None, processor=None)
        return [(number, int(distance)) for _, distance, number in found if distance > 0]

    @functools.cached_property
    def _lengths(self) -> Ints:
        return np.diff(self._folded.starts) - 1

    @functools.cached_property
    def _masks(self) -> npt.NDArray[np.uint64]:
        return masks_of(self._folded)


def allowed_errors(key: str) -> int:
    """How many typing errors a name of this length may have: none up to 3 letters, then 1, from 8 on 2, from 13 on 3."""
    length = len(key)
    if length > LONGEST:
        return 0
    return (length > 3) + (length > 7) + (length > 12)


def folded_block(block: bytes) -> bytes:
    """`chain.folded` of every line. What a character becomes does not depend on its neighbours, so it is worked out once for each."""
    text = block.decode()
    table = {ord(character): folded(f"x{character}x")[1:-1] for character in set(text) - {"\n"}}
    found = text.translate(table).encode()
    while b"  " in found:
        found = found.replace(b"  ", b" ")
    return found.replace(b" \n", b"\n").replace(b"\n ", b"\n").strip(b" ")


def masks_of(lines: Lines) -> npt.NDArray[np.uint64]:
    """For every line the set of its bytes as 64 bits: 26 letters, the digits together, all other bytes spread over the rest."""
    block = np.frombuffer(lines.block + b"\n", np.uint8)
    found = np.zeros(len(lines), np.uint64)
    first = 0
    while first < len(lines):
        last = int(np.searchsorted(lines.starts, lines.starts[first] + MASKED_AT_ONCE, "right"))
        last = min(max(last - 1, first + 1), len(lines))
        begin, end = lines.starts[first], lines.starts[last]
        found[first:last] = np.bitwise_or.reduceat(BITS[block[begin:end]], lines.starts[first:last] - begin)
        first = last
    return found


def _bits() -> npt.NDArray[np.uint64]:
    """The bit of every byte; a space and the end of a line have none."""
    position = [27 + byte % 37 for byte in range(256)]
    position[ord("a") : ord("z") + 1] = range(26)
    position[ord("0") : ord("9") + 1] = [26] * 10
    bits = np.left_shift(np.uint64(1), np.array(position, np.uint64))
    bits[[ord(" "), ord("\n")]] = 0
    return bits


BITS = _bits()


def alternates() -> tuple[Lines, Ints]:
    """The other names of towns in all scripts, and how many each town has."""

    def parse(data: bytes) -> tuple[Lines, Ints]:
        table = arrays(data)
        names, counts = Lines(table["names"].tobytes()), unpacked(table["names_of_town"])
        if len(names) != counts.sum() or len(counts) != len(towns()):
            raise ValueError("the names do not belong to these towns")
        return names, counts

    return read_file("names.npz.xz", parse)


@functools.cache
def indices() -> dict[str, NameIndex]:
    """The names of towns, provinces and countries, by kind."""
    main, (others, counts) = towns().names, alternates()
    row = np.arange(len(main), dtype=np.int32)
    return {
        "city": NameIndex(Lines(main.block + b"\n" + others.block), np.concatenate([row, np.repeat(row, counts)])),
        "province": NameIndex.of((division.name, *division.names) for division in provinces().values()),
        "country": NameIndex.of((country.name, *country.names) for country in countries().values()),
    }
