"""What the text model is trained on: evidence and the answer to it.

Real examples are photos of `fit` as the tower of their fold saw them: each photo twice, with all reference photos, and with those of
its own place taken away, so that places which the tower does not know are half of what the model meets.

Examples from the gazetteer are real ones that were moved: the truth becomes another town, the neighbours that were right move along,
those of the same country move to other towns of the new country, all others stay. So the model learns the names and places of the
world's towns, and how evidence is right and wrong, from far more examples than there are photos.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from georapp.chain import Chain, ChainFormat, Level, render
from georapp.gazetteer import Gazetteer
from georapp.geo import EARTH_RADIUS_KM, Coordinate
from training.album import SAME_PLACE_KM, AlbumPhoto, unit_vectors
from training.mini.evidence import DECIMALS, Neighbours, country_numbers, describe, place_features

REGION_KM = 200.0
KM_PER_DEGREE = math.pi * EARTH_RADIUS_KM / 180
Floats = npt.NDArray[np.float64]


def answer_text(chain: Chain) -> str:
    """The target, in the five-level format."""
    return render(chain, ChainFormat.FIVE, decimals=DECIMALS)


@dataclass(frozen=True, slots=True)
class Records:
    """Evidence of n examples: neighbours, and the photo (row of `fit`) that each example is about."""

    found: Neighbours
    photo: Tensor  # [n]

    def __len__(self) -> int:
        return len(self.photo)

    def take(self, rows: Tensor) -> Records:
        """Some of the examples."""
        f = self.found
        return Records(Neighbours(f.index[rows], f.similarity[rows], f.share[rows], f.mass[rows]), self.photo[rows])


def joined(parts: Sequence[Records]) -> Records:
    """One after another."""
    fields = [torch.cat([getattr(p.found, name) for p in parts]) for name in ("index", "similarity", "share", "mass")]
    return Records(Neighbours(*fields), torch.cat([p.photo for p in parts]))


class RealExamples:
    """Records -> (evidence [k, FEATURES], text)."""

    def __init__(self, records: Records, photos: Sequence[AlbumPhoto]) -> None:
        self.records = records
        self._places = described(photos)
        self._texts = [answer_text(photo.chain) for photo in photos]

    def evidence(self, rows: Tensor) -> Tensor:
        """[n, k, FEATURES]."""
        part = self.records.take(rows)
        return describe(self._places[part.found.index], part.found)

    def texts(self, rows: Tensor) -> list[str]:
        """The answers."""
        return [self._texts[i] for i in self.records.photo[rows].tolist()]


class Towns:
    """Towns of the gazetteer as arrays, grouped by country."""

    def __init__(self, places: Gazetteer, smallest: int) -> None:
        towns = [town for town in places.cities(min_population=smallest) if town.country]
        self.lat = np.array([town.coordinate.lat for town in towns])
        self.lon = np.array([town.coordinate.lon for town in towns])
        self.country = np.array([town.country_code for town in towns])
        self.number = country_numbers(self.country.tolist()).numpy()
        weight = np.sqrt([max(town.population, 1) for town in towns])
        self.weight = weight / weight.sum()
        self._of = {code: np.flatnonzero(self.country == code) for code in set(self.country.tolist())}
        self._names = [(places.continent_of(town.country_code), town.country, town.province, town.name) for town in towns]

    def __len__(self) -> int:
        return len(self.lat)

    def draw(self, rng: np.random.Generator, n: int) -> npt.NDArray[np.int64]:
        """Rows of n towns, larger ones more often: by the root of their people."""
        return rng.choice(len(self), n, p=self.weight)

    def others(self, rng: np.random.Generator, towns: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """For each town another one of its country."""
        return np.array([rng.choice(self._of[self.country[town]]) for town in towns], np.int64)

    def text(self, town: int, lat: float, lon: float) -> str:
        """The answer for a photo taken in a town, at a coordinate near its middle."""
        names = zip(Level, self._names[town], strict=True)
        return answer_text(Chain.of(names, Coordinate(lat, lon)))

    def every_text(self) -> Iterator[str]:
        """Each town once."""
        return (self.text(i, float(self.lat[i]), float(self.lon[i])) for i in range(len(self)))


class MovedExamples:
    """Draws moved examples without end. `favour`: how much more often than in truth the evidence holds the right place."""

    def __init__(self, records: Records, photos: Sequence[AlbumPhoto], towns: Towns, *, seed: int, favour: float = 1.0) -> None:
        self._records, self._towns, self._rng = records, towns, np.random.default_rng(seed)
        self._lat, self._lon = degrees(photos)
        points = unit_vectors(photos)
        index, photo = records.found.index.numpy(), records.photo.numpy()
        self._km = EARTH_RADIUS_KM * np.arccos(
            np.clip((points[index] * points[photo][:, None]).sum(-1), -1, 1)
        )  # [n, k] from the truth
        self._country = country_numbers([p.label.country_code for p in photos]).numpy()
        self._same_country = self._country[index] == self._country[photo][:, None]
        weight = np.where((self._km <= SAME_PLACE_KM).any(1), favour, 1.0)
        self._probability = weight / weight.sum()

    def draw(self, n: int) -> tuple[Tensor, list[str]]:
        """Evidence [n, k, FEATURES] and texts."""
        rng = self._rng
        rows = rng.choice(len(self._records), n, p=self._probability)
        towns = self._towns.draw(rng, n)
        lat, lon = _shifted(self._towns.lat[towns], self._towns.lon[towns], rng.uniform(0, 4, n), rng)
        found = self._records.take(torch.from_numpy(rows)).found
        near_lat, near_lon, country = self._moved_places(rows, towns, lat, lon, found.index.numpy())
        places = place_features(torch.from_numpy(near_lat).float(), torch.from_numpy(near_lon).float(), torch.from_numpy(country))
        texts = [self._towns.text(int(t), float(a), float(o)) for t, a, o in zip(towns, lat, lon, strict=True)]
        return describe(places, found), texts

    def _moved_places(
        self, rows: npt.NDArray[np.int64], towns: npt.NDArray[np.int64], lat: Floats, lon: Floats, index: npt.NDArray[np.int64]
    ) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
        """Where the neighbours stand after the move: latitudes, longitudes, numbers of countries [n, k]."""
        new_lat, new_lon, new_country = self._lat[index].copy(), self._lon[index].copy(), self._country[index].copy()
        km = self._km[rows]
        close = km <= REGION_KM
        along = _shifted(np.broadcast_to(lat[:, None], km.shape), np.broadcast_to(lon[:, None], km.shape), km, self._rng)
        new_lat[close], new_lon[close] = along[0][close], along[1][close]
        country = self._same_country[rows] & ~close
        others = self._towns.others(self._rng, np.broadcast_to(towns[:, None], km.shape)[country])
        new_lat[country], new_lon[country] = self._towns.lat[others], self._towns.lon[others]
        moved = close | country
        new_country[moved] = np.broadcast_to(self._towns.number[towns][:, None], km.shape)[moved]
        return new_lat, new_lon, new_country


def _shifted(lat: Floats, lon: Floats, km: Floats, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Points at these distances in random directions; flat, which is good enough below 200 km and away from the poles."""
    bearing = rng.uniform(0, 2 * np.pi, np.shape(km))
    north = np.clip(lat + km * np.cos(bearing) / KM_PER_DEGREE, -89.9, 89.9)
    east = lon + km * np.sin(bearing) / (KM_PER_DEGREE * np.maximum(np.cos(np.radians(north)), 0.01))
    return north, (east + 180) % 360 - 180


def described(photos: Sequence[AlbumPhoto]) -> Tensor:
    """What rows say of where these photos were taken [n, STATIC]."""
    lat, lon = degrees(photos)
    numbers = country_numbers([photo.label.country_code for photo in photos])
    return place_features(torch.from_numpy(lat).float(), torch.from_numpy(lon).float(), numbers)


def degrees(photos: Sequence[AlbumPhoto]) -> tuple[Floats, Floats]:
    """Latitudes and longitudes [n]."""
    return np.array([p.coordinate.lat for p in photos]), np.array([p.coordinate.lon for p in photos])


__all__ = ["SAME_PLACE_KM", "MovedExamples", "RealExamples", "Records", "Towns", "answer_text", "degrees", "described", "joined"]
