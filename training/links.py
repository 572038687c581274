"""What ties photos together, so that they must lie on one side of a split: place, looks, time, photographer.

Every function gives pairs of indices, an array [n, 2]; `groups` makes groups of them, also through others.
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from datetime import datetime

import numpy as np
import numpy.typing as npt
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components
from scipy.spatial import cKDTree

from georapp.geo import EARTH_RADIUS_KM

SAME_LOOK_BITS = 14  # of 128. Of 1,582 photos saved again at half size 99.9 % are that near, of their 1,250,571 pairs one is
_CELLS = 20_000_000  # of a table of bits that are compared at once: 160 MB

Pairs = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
NONE: Pairs = np.empty((0, 2), np.int64)


def groups(count: int, links: Iterable[Pairs]) -> npt.NDArray[np.int64]:
    """A number for each of `count` photos, from 0 and in the order of their first members: linked ones have the same."""
    pairs = np.concatenate([NONE, *links])
    table = coo_array((np.ones(len(pairs), bool), (pairs[:, 0], pairs[:, 1])), (count, count))
    numbers = connected_components(table, directed=False)[1]
    _, first, inverse = np.unique(numbers, return_index=True, return_inverse=True)
    ranks: npt.NDArray[np.int64] = np.argsort(np.argsort(first))
    return ranks[inverse]


def members(numbers: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """The indices of each group, by its number."""
    order = np.argsort(numbers, kind="stable")
    return np.split(order, np.flatnonzero(np.diff(numbers[order])) + 1) if len(order) else []


def same(keys: Sequence[Hashable]) -> Pairs:
    """Photos with one key; None is nobody's."""
    first: dict[Hashable, int] = {}
    pairs = [(first.setdefault(key, i), i) for i, key in enumerate(keys) if key is not None]
    return _pairs(pair for pair in pairs if pair[0] != pair[1])


# ---- places ----


def points(lat: npt.ArrayLike, lon: npt.ArrayLike) -> Floats:
    """Degrees as points on the unit sphere [n, 3]."""
    north, east = np.radians(np.asarray(lat, np.float64)), np.radians(np.asarray(lon, np.float64))
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], -1)


def chord(km: float) -> float:
    """A distance on the ground as a straight line through the unit sphere."""
    return 2 * float(np.sin(min(km / EARTH_RADIUS_KM, np.pi) / 2))


def near(place: Floats, km: float) -> Pairs:
    """Enough pairs to hold everything together that lies within `km`: not all of them, which in one town would be millions.

    The sphere is cut into cubes so small that what lies in one is near; then neighbouring cubes are tied where their photos are.
    """
    reach = chord(km)
    cubes = np.floor(place / (reach / np.sqrt(3))).astype(np.int64)
    inside: dict[tuple[int, ...], list[int]] = defaultdict(list)
    for i, cube in enumerate(map(tuple, cubes.tolist())):
        inside[cube].append(i)
    chains = itertools.chain.from_iterable(itertools.pairwise(some) for some in inside.values())
    return np.concatenate([_pairs(chains), _pairs(_across(place, inside, reach))])


def _across(place: Floats, inside: dict[tuple[int, ...], list[int]], reach: float) -> Iterator[tuple[int, int]]:
    cubes = np.array(list(inside), np.float64).reshape(-1, 3)
    some = list(inside.values())
    trees = [cKDTree(place[indices]) for indices in some]
    for a, b in cKDTree(cubes).query_pairs(np.sqrt(12) + 1e-6):  # at most two cubes away in each direction
        if trees[a].count_neighbors(trees[b], reach):
            yield some[a][0], some[b][0]


def nearest_km(of: Floats, to: Floats) -> Floats:
    """Ground distance from each of some points to the nearest of others; infinite where there are none."""
    if not len(to):
        return np.full(len(of), np.inf)
    straight, _ = cKDTree(to).query(of) if len(of) else (np.empty(0), None)
    km: Floats = 2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(straight / 2, 1))
    return km


# ---- looks ----


def alike(looks: Sequence[int], bits: int = SAME_LOOK_BITS) -> Pairs:
    """Near-duplicates: pairs whose hashes of 128 bits differ in at most so many. All are compared: a minute for 100,000."""
    halves = np.array([(look >> 64, look & (2**64 - 1)) for look in looks], np.uint64).reshape(-1, 2)
    rows = max(1, _CELLS // max(1, len(halves)))
    found = [NONE]
    for start in range(0, len(halves), rows):
        some = halves[start : start + rows]
        apart = sum(np.bitwise_count(some[:, None, half] ^ halves[None, start:, half]).astype(np.uint8) for half in (0, 1))
        i, j = np.nonzero(apart <= bits)
        found.append(np.stack([i, j], 1)[i < j] + start)
    return np.concatenate(found)


# ---- time ----


def bursts(taken_at: Sequence[str], rolls: Sequence[Hashable], seconds: float) -> Pairs:
    """Photos of one roll, each taken within `seconds` of the one before."""
    if not seconds:
        return NONE
    clocks = [clock(text) for text in taken_at]
    order = sorted(
        (roll_number, when, i) for i, (roll_number, when) in enumerate(zip(_numbers(rolls), clocks, strict=True)) if when
    )
    return _pairs(
        (i, j)
        for (roll_a, before, i), (roll_b, after, j) in itertools.pairwise(order)
        if roll_a == roll_b and (after - before).total_seconds() <= seconds
    )


def clock(taken_at: str) -> datetime | None:
    """What the camera's clock showed, without its zone; None where it showed nothing possible."""
    try:
        return datetime.fromisoformat(taken_at).replace(tzinfo=None)
    except ValueError:
        return None


def days(taken_at: Sequence[str], rolls: Sequence[Hashable]) -> Pairs:
    """Photos of one roll and one day."""
    dates = (when.date() if (when := clock(text)) else None for text in taken_at)
    return same([None if date is None else (roll, date) for roll, date in zip(rolls, dates, strict=True)])


def _numbers(keys: Sequence[Hashable]) -> list[int]:
    first: dict[Hashable, int] = {}
    return [first.setdefault(key, len(first)) for key in keys]


def _pairs(pairs: Iterable[tuple[int, int]]) -> Pairs:
    return np.array(list(pairs), np.int64).reshape(-1, 2)
