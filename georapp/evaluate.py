"""How good a model is: distances, shares within 1/25/200/750/2500 km, GeoScore, levels; and what needs no model at all, beside it.

A photo without an answer has no distance: it is a miss at every threshold, has GeoScore 0, and stays in every denominator.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from georapp.chain import Level
from georapp.dataset import Reference
from georapp.geo import GEOSCORE_KM, Coordinate, distance_km, geoscore

THRESHOLDS_KM = (1, 25, 200, 750, 2500)  # street, city, region, country, continent
KNOWN_KM = 25.0  # a place is known when a training photo was taken nearer than this


@dataclass(frozen=True, slots=True)
class Share:
    """`count` of `n`, with the 95 % Wilson interval, all as shares from 0 to 1."""

    count: float
    n: int

    @property
    def value(self) -> float:
        """The share itself."""
        return self.count / self.n if self.n else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Wilson score interval; photos are taken as independent, which flatters sets with many photos a photographer."""
        if not self.n:
            return 0.0, 1.0
        z = 1.959964
        centre = (self.value + z * z / (2 * self.n)) / (1 + z * z / self.n)
        half = z * math.sqrt(self.value * (1 - self.value) / self.n + z * z / (4 * self.n**2)) / (1 + z * z / self.n)
        return max(0.0, centre - half), min(1.0, centre + half)


@dataclass(frozen=True, slots=True)
class Figures:
    """One line of a report. `median_km` is None when more than half have no answer; `levels` as far as they were compared."""

    name: str
    n: int
    within: Mapping[int, Share]
    median_km: float | None
    geoscore: float
    unanswered: int = 0
    levels: Mapping[Level, Share] | None = None


def figures(name: str, distances: Sequence[float | None], levels: Sequence[Mapping[Level, bool | None]] | None = None) -> Figures:
    """Distances in km, None for no answer. `levels`: for each photo whether the answer lies in the true region; None is left out."""
    n = len(distances)
    within = {km: Share(sum(d is not None and d <= km for d in distances), n) for km in THRESHOLDS_KM}
    ordered = sorted(math.inf if d is None else d for d in distances)
    median = float(np.median(ordered)) if n and math.isfinite(ordered[n // 2]) else None
    score = math.fsum(map(geoscore, distances)) / n if n else 0.0
    shares = {level: _share([photo.get(level) for photo in levels]) for level in Level} if levels is not None else None
    return Figures(name, n, within, median, score, sum(d is None for d in distances), shares)


def _share(values: Sequence[bool | None]) -> Share:
    known = [value for value in values if value is not None]
    return Share(sum(known), len(known))


# ---- baselines ----


Judge = Callable[[Coordinate | None, Coordinate], Mapping[Level, bool | None]]  # answer, truth -> same region at each level?


def random_prior(truths: Sequence[Coordinate], references: Sequence[Reference]) -> Figures:
    """The expected figures of answering with the place of a training photo drawn at random. Exact: nothing is drawn."""
    table = _distances([r.coordinate for r in references], truths)  # [references, truths]
    n = len(truths)
    within = {km: Share(float((table <= km).mean(0).sum()), n) for km in THRESHOLDS_KM}
    score = float((5000.0 * np.exp(-table / GEOSCORE_KM)).mean()) if table.size else 0.0
    return Figures("random training place", n, within, float(np.median(table)) if table.size else None, score)


def most_frequent_place(truths: Sequence[Coordinate], references: Sequence[Reference], judge: Judge | None = None) -> Figures:
    """Always the place with the most training photos within 25 km."""
    return _constant("most frequent place", fullest_place(references), truths, judge)


def fullest_place(references: Sequence[Reference]) -> Coordinate:
    """Of the training photo with the most others within 25 km."""
    points = [r.coordinate for r in references]
    near = (_distances(points, points) <= KNOWN_KM).sum(1)
    return points[int(near.argmax())]


def most_frequent_country(truths: Sequence[Coordinate], references: Sequence[Reference], judge: Judge | None = None) -> Figures:
    """Always the most central training photo of the country with the most training photos."""
    country = Counter(r.country for r in references).most_common(1)[0][0]
    points = [r.coordinate for r in references if r.country == country]
    answer = points[int(_distances(points, points).sum(1).argmin())]
    return _constant(f"most frequent country ({country})", answer, truths, judge)


def _constant(name: str, answer: Coordinate, truths: Sequence[Coordinate], judge: Judge | None) -> Figures:
    levels = [judge(answer, truth) for truth in truths] if judge else None
    return figures(name, [distance_km(answer, truth) for truth in truths], levels)


def is_known(truth: Coordinate, references: Sequence[Reference]) -> bool:
    """Whether a training photo was taken within 25 km."""
    return any(distance_km(truth, r.coordinate) <= KNOWN_KM for r in references)


def _distances(a: Sequence[Coordinate], b: Sequence[Coordinate]) -> npt.NDArray[np.float64]:
    """Great-circle km [len(a), len(b)], the same haversine as geo.distance_km."""
    lat_a, lon_a = np.radians([[p.lat for p in a], [p.lon for p in a]])[..., None]
    lat_b, lon_b = np.radians([[p.lat for p in b], [p.lon for p in b]])
    half = np.sin((lat_b - lat_a) / 2) ** 2 + np.cos(lat_a) * np.cos(lat_b) * np.sin((lon_b - lon_a) / 2) ** 2
    km: npt.NDArray[np.float64] = 2 * 6371.0 * np.arcsin(np.sqrt(np.minimum(1.0, half)))
    return km
