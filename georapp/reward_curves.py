"""From distance to reward: the published curves, and own ones. A curve is what GRPO is told to care about."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, Protocol

from georapp.geo import GEOSCORE_KM, HALF_CIRCUMFERENCE_KM


class Curve(Protocol):
    """Kilometres -> reward: from 0 to 1, never rising with distance, 0 for what is no distance."""

    def __call__(self, km: float) -> float: ...


@dataclass(frozen=True, slots=True)
class Knots:
    """A curve through (km, reward), in straight lines and flat after the last; or in `steps`, each from its km on.

    Raises ValueError, with a sentence, for points that make no falling curve between 1 and 0.
    """

    points: tuple[tuple[float, float], ...]
    steps: bool = False

    def __post_init__(self) -> None:
        if problem := _problem(self.points):
            raise ValueError(problem)

    def __call__(self, km: float) -> float:
        """The reward at `km`."""
        if not math.isfinite(km):
            return 0.0
        for (start, high), (end, low) in pairwise(self.points):
            if km < end:
                return high if self.steps else high + (low - high) * max(0.0, km - start) / (end - start)
        return self.points[-1][1]


def _problem(points: Sequence[tuple[float, float]]) -> str:
    """What is wrong with the points of a curve; "" for nothing."""
    if len(points) < 2 or any(len(point) != 2 for point in points):
        return "A reward curve needs two points (km, reward) or more."
    if not all(math.isfinite(number) for point in points for number in point):
        return "The points of a reward curve are numbers."
    if points[0][0] != 0:
        return f"A reward curve begins at 0 km, not at {points[0][0]:g} km."
    if any(before[0] >= after[0] for before, after in pairwise(points)):
        return "The distances of a reward curve rise from point to point."
    if any(before[1] < after[1] for before, after in pairwise(points)):
        return "The rewards of a reward curve never rise with distance."
    if points[0][1] > 1 or points[-1][1] < 0:
        return "The rewards of a reward curve lie between 1 and 0."
    return "" if points[0][1] > points[-1][1] else "A reward curve falls somewhere; a flat one teaches nothing."


@dataclass(frozen=True, slots=True)
class Decay:
    """A curve by formula, 1 at 0 km and 0 from `zero_from_km` on: exp(-d/scale), or 2 / (1 + exp(d/scale))."""

    formula: Literal["exponential", "logistic"]
    scale_km: float
    zero_from_km: float = math.inf

    def __call__(self, km: float) -> float:
        """The reward at `km`."""
        if not math.isfinite(km) or km >= self.zero_from_km:
            return 0.0
        fallen = math.exp(-max(0.0, km) / self.scale_km)
        return fallen if self.formula == "exponential" else 2 * fallen / (1 + fallen)  # this way round nothing overflows


GEO_R_PAPER = Knots(((0, 1.0), (750, 0.5), (2500, 0.2), (20000, 0.0)))  # Geo-R, section 3.2
CURVES: Mapping[str, Curve] = {
    "geo-r": GEO_R_PAPER,
    "geo-r-code": Knots(((0, 1.0), (750, 0.5), (3000, 0.2), (20000, 0.0))),  # as in the code that the authors released
    "geoagent": Decay("exponential", 200.0, zero_from_km=2000.0),  # GeoAgent, 2026
    "gre": Decay("logistic", 200.0),  # GRE, 2025; its scale was not published
    "geoscore": Decay("exponential", GEOSCORE_KM),  # GeoGuessr's score / 5000
    # as in Thinking with Map
    "steps": Knots(((0, 1.0), (0.5, 0.8), (2, 0.6), (10, 0.4), (25, 0.2), (200, 0.1), (750, 0.0)), steps=True),
}


def as_knots(curve: Curve, count: int = 24) -> Knots:
    """Any curve as points to edit: dense near 0 km, where formulas bend. Straight lines through `count` points and 0 km."""
    if isinstance(curve, Knots):
        return curve
    distances = [0.0, *(round(HALF_CIRCUMFERENCE_KM ** (n / count), 3) for n in range(1, count + 1))]
    return Knots(tuple((km, curve(km)) for km in distances))
