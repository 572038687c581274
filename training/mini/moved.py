"""Examples from the gazetteer: real evidence, moved to other towns.

1,204 answers do not teach a text model to write. So the candidates and the truth of a real example are moved: each continent, country,
province and place becomes another one, and what was the same stays the same. The model learns the names and places of the world's
towns, and how evidence is right and wrong; and it cannot tell by a candidate's name whether it is the right one.
"""

from __future__ import annotations

import math
import random
from collections import defaultdict
from collections.abc import Iterator, Sequence
from itertools import accumulate

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from georapp.chain import Chain, Level
from georapp.gazetteer import Gazetteer
from georapp.geo import EARTH_RADIUS_KM, Coordinate
from training.album import SAME_PLACE_KM, AlbumPhoto, unit_vectors
from training.mini.corpus import Records, answer_text
from training.mini.evidence import NUMBERS, Candidates, RowWriter, rows_of

KM_PER_DEGREE = math.pi * EARTH_RADIUS_KM / 180
_TOWN_KM = 4.0  # photos lie up to so far from the middle of their town
Names = tuple[str | None, ...]  # continent, country, province, city


class Towns:
    """Towns of the gazetteer, grouped by continent, country and province."""

    def __init__(self, places: Gazetteer, smallest: int) -> None:
        towns = [town for town in places.cities(min_population=smallest) if town.country]
        self.points = [town.coordinate for town in towns]
        self.names: list[Names] = [(places.continent_of(t.country_code), t.country, t.province, t.name) for t in towns]
        weight = [math.sqrt(max(town.population, 1)) for town in towns]
        self._inside: dict[Names, tuple[list[int], list[float]]] = {}
        groups: dict[Names, list[int]] = defaultdict(list)
        for i, names in enumerate(self.names):
            for depth in range(4):
                groups[names[:depth]].append(i)
        for key, rows in groups.items():
            self._inside[key] = rows, list(accumulate(weight[i] for i in rows))

    def __len__(self) -> int:
        return len(self.points)

    def draw(self, rng: random.Random, inside: Names = ()) -> int:
        """A town inside these regions, larger ones more often: by the root of their people."""
        rows, summed = self._inside[inside]
        return rng.choices(rows, cum_weights=summed)[0]

    def chain(self, town: int, point: Coordinate) -> Chain:
        """Of a photo taken there."""
        return Chain.of(zip(Level, self.names[town], strict=True), point)

    def every_text(self) -> Iterator[str]:
        """The answer for the middle of each town."""
        return (answer_text(self.chain(i, point)) for i, point in enumerate(self.points))


class MovedExamples:
    """Draws moved examples without end. `favour`: how much more often than in truth the evidence holds the right place; infinity for
    evidence that holds nothing else."""

    def __init__(
        self,
        records: Records,
        photos: Sequence[AlbumPhoto],
        towns: Towns,
        writer: RowWriter,
        *,
        seed: int,
        favour: float,
    ) -> None:
        self._towns, self._writer, self._rng = towns, writer, random.Random(seed)
        points = unit_vectors(photos)
        km = _distances_km(points, records)
        if math.isinf(favour):
            records = _right_alone(records, km)
            km = _distances_km(points, records)
        self._records, self._km = records, km
        self._names: list[Names] = [tuple(p.chain.name(level) for level in Level) for p in photos]
        right = (km <= SAME_PLACE_KM).any(1)
        self._weight = np.cumsum(np.where(right, favour, 1.0) if math.isfinite(favour) else right).tolist()

    def draw(self, n: int) -> tuple[Tensor, list[str]]:
        """Evidence [n, rows, FEATURES] and texts."""
        rows = self._rng.choices(range(len(self._records)), cum_weights=self._weight, k=n)
        found = self._records.take(torch.tensor(rows))
        words, texts = [], []
        for row, index, photo in zip(rows, found.found.index.tolist(), found.photo.tolist(), strict=True):
            chains, truth = self._moved(index, photo, self._km[row])
            words.append(self._writer.table(chains))
            texts.append(answer_text(truth))
        return rows_of(torch.stack(words), found.found.numbers), texts

    def _moved(self, index: Sequence[int], photo: int, km: Sequence[float]) -> tuple[list[Chain], Chain]:
        """The candidates and the truth, elsewhere."""
        move, towns, rng = _Move(self._towns, self._rng), self._towns, self._rng
        right = next((j for j, far in enumerate(km) if far <= SAME_PLACE_KM), None)
        placed = [move.town(self._names[i]) for i in index]
        town = move.town(self._names[photo]) if right is None else placed[right]
        truth = _shifted(towns.points[town], rng.uniform(0, _TOWN_KM), rng)
        points = [
            _shifted(truth, km[j], rng) if j == right else _shifted(towns.points[t], rng.uniform(0, _TOWN_KM), rng)
            for j, t in enumerate(placed)
        ]
        return [towns.chain(t, point) for t, point in zip(placed, points, strict=True)], towns.chain(town, truth)


def _distances_km(points: npt.NDArray[np.float64], records: Records) -> npt.NDArray[np.float64]:
    """[n, c], of candidates from the truth; `points` [m, 3] of the photos on the unit sphere."""
    index, photo = records.found.index.numpy(), records.photo.numpy()
    cosine = (points[index] * points[photo][:, None]).sum(-1)
    km: npt.NDArray[np.float64] = EARTH_RADIUS_KM * np.arccos(np.clip(cosine, -1, 1))
    return km


def _right_alone(records: Records, km: npt.NDArray[np.float64]) -> Records:
    """The examples with a right candidate, and of their candidates that one."""
    rows = torch.from_numpy(np.flatnonzero((km <= SAME_PLACE_KM).any(1)))
    best = torch.from_numpy(km.argmin(1))[rows][:, None]
    some, found = records.photo[rows], records.found.take(rows)
    numbers = found.numbers.gather(1, best[..., None].expand(-1, -1, NUMBERS))
    return Records(Candidates(found.index.gather(1, best), numbers), some)


class _Move:
    """One example's map of regions: what was the same region before is the same one after."""

    def __init__(self, towns: Towns, rng: random.Random) -> None:
        self._towns, self._rng = towns, rng
        self._moved: dict[Names, Names] = {(): ()}

    def town(self, names: Names) -> int:
        """A town in the regions that continent, country and province became."""
        return self._towns.draw(self._rng, self._region(names[:3]))

    def _region(self, names: Names) -> Names:
        if names not in self._moved:
            above = self._region(names[:-1])
            self._moved[names] = self._towns.names[self._towns.draw(self._rng, above)][: len(names)]
        return self._moved[names]


def _shifted(point: Coordinate, km: float, rng: random.Random) -> Coordinate:
    """The point at this distance in a random direction; flat, which is good enough below 200 km and away from the poles."""
    bearing = rng.uniform(0, 2 * math.pi)
    north = min(89.9, max(-89.9, point.lat + km * math.cos(bearing) / KM_PER_DEGREE))
    east = point.lon + km * math.sin(bearing) / (KM_PER_DEGREE * max(math.cos(math.radians(north)), 0.01))
    return Coordinate(north, (east + 180) % 360 - 180)
