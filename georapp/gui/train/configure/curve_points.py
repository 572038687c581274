"""Points of a reward curve as they are drawn, moved, added and removed. Without Qt.

Whatever is done to points that make a curve, they make one afterwards: a point stays between its neighbours. Points that make none (they
may be typed, or come with a file) are shown and changed all the same; `problem` says what is wrong with them.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from georapp.geo import HALF_CIRCUMFERENCE_KM
from georapp.gui.train.curves import Floats
from georapp.reward_curves import CURVES, Curve, Knots, as_knots
from georapp.run_settings import OWN_CURVE

Points = tuple[tuple[float, float], ...]

FARTHEST_KM = round(HALF_CIRCUMFERENCE_KM, 3)
MARKED_KM = (1.0, 25.0, 200.0, 750.0, 2500.0)  # street, city, region, country, continent
WORDS: Mapping[str, str] = {
    "geo-r": "Geo-R, as in the paper",
    "geo-r-code": "Geo-R, as in its code",
    "geoagent": "GeoAgent, exponential",
    "gre": "GRE, logistic",
    "geoscore": "GeoGuessr's score",
    "steps": "Thinking with Map, in steps",
    OWN_CURVE: "Own points",
}
_NEAR = 0.45  # width of the part from 0 to 1 km, in powers of ten
_LEAST_FALL = 0.01  # between the first reward and the last one
_NEAR_ENOUGH = 0.005  # reward
_SAMPLES = 480  # points of a drawn line


# ---- the axis: 0 km at the left edge, even up to 1 km, powers of ten from there ----

LEFT, RIGHT = -_NEAR, math.log10(FARTHEST_KM)


def position(km: float) -> float:
    """Where a distance stands on the axis."""
    return _NEAR * (max(0.0, km) - 1) if km < 1 else math.log10(km)


def kilometres_at(place: float) -> float:
    """The distance that stands there, rounded to what a pixel can say."""
    if place < 0:
        return round(max(0.0, place / _NEAR + 1), 2)
    return min(FARTHEST_KM, _rounded(10.0 ** min(place, RIGHT)))


def _rounded(km: float) -> float:
    """To three figures."""
    return round(km, 2 - math.floor(math.log10(km))) if km > 0 else 0.0


def line(curve: Curve) -> tuple[Floats, Floats]:
    """A curve as places on the axis and rewards: even over the axis, and with every corner."""
    places = set(np.linspace(LEFT, RIGHT, _SAMPLES).tolist())
    if isinstance(curve, Knots):
        if curve.steps:
            return _stairs(curve.points)
        places |= {position(km) for km, _ in curve.points if km <= FARTHEST_KM}
    x = np.array(sorted(places))
    return x, np.array([curve(_unrounded(place)) for place in x.tolist()])


def polyline(points: Points, *, steps: bool) -> tuple[Floats, Floats]:
    """Points that make no curve, joined in their order."""
    if steps:
        return _stairs(points)
    return np.array([position(km) for km, _ in points]), np.array([reward for _, reward in points])


def _unrounded(place: float) -> float:
    return place / _NEAR + 1 if place < 0 else 10.0**place


def _stairs(points: Points) -> tuple[Floats, Floats]:
    """Each reward from its distance on."""
    ends = [*(position(km) for km, _ in points[1:]), RIGHT]
    x = [place for (km, _), end in zip(points, ends, strict=True) for place in (position(km), end)]
    return np.array(x), np.array([reward for _, reward in points for _ in range(2)])


# ---- what a curve is made of ----


def points_of(curve: Curve) -> Points:
    """Any curve as points to edit; of a formula as few as are needed to stay near it."""
    points = as_knots(curve).points
    if isinstance(curve, Knots):
        return points
    distances = [km if km >= FARTHEST_KM else round(km, 0 if km >= 10 else 1) for km, _ in points]
    return _fewest(tuple((km, round(curve(km), 3)) for km in distances))


def _fewest(points: Points) -> Points:
    """The ends, and between them the point that is farthest from a straight line, as long as there is one."""
    (start, high), (end, low) = points[0], points[-1]
    off = [abs(reward - high - (low - high) * (km - start) / (end - start)) for km, reward in points]
    n = off.index(max(off))
    return (*_fewest(points[: n + 1])[:-1], *_fewest(points[n:])) if off[n] > _NEAR_ENOUGH else (points[0], points[-1])


def curve_of(name: str, points: Points, *, steps: bool) -> Curve | None:
    """The curve of a name or of own points; None for points that make none."""
    if name in CURVES:
        return CURVES[name]
    try:
        return Knots(points, steps)
    except ValueError:
        return None


def sound(points: Sequence[Sequence[float]]) -> Points:
    """Those that can be drawn at all: pairs of numbers."""
    return tuple((float(point[0]), float(point[1])) for point in points if len(point) == 2 and all(map(math.isfinite, point)))


def problem(points: Points, *, steps: bool) -> str:
    """Why these points make no curve, and what to do; "" for a curve."""
    try:
        Knots(points, steps)
    except ValueError as error:
        return f"{error} Change the points, or choose one of the published curves."
    return ""


# ---- changes ----


def moved(points: Points, n: int, km: float, reward: float) -> Points:
    """Point `n` as near to there as its neighbours let it: distances rise, rewards never do, and the first point stays at 0 km."""
    if problem(points, steps=False):
        return changed(points, n, km, reward)
    reward = min(max(round(reward, 3), _floor(points, n)), _ceiling(points, n))
    if n == 0:
        return _with(points, n, (0.0, reward))
    before, after = points[n - 1][0], points[n + 1][0] if n + 1 < len(points) else math.inf
    if km <= before:
        km = before + _gap(before)
    elif km >= after:
        km = after - _gap(after)
    km = round(min(km, FARTHEST_KM), 3)
    return _with(points, n, (km if before < km < after else points[n][0], reward))


def changed(points: Points, n: int, km: float, reward: float) -> Points:
    """Point `n` exactly there, as it was typed, whether that makes a curve or not."""
    return _with(points, n, (km, reward))


def added(points: Points, km: float, reward: float) -> tuple[Points, int]:
    """With another point as near to there as is possible, and its number; the same points where there is one at this distance."""
    same = next((n for n, point in enumerate(points) if point[0] == km), None)
    if same is not None or not 0 < km <= FARTHEST_KM:
        return points, same or 0
    n = next((n for n, point in enumerate(points) if point[0] > km), len(points))
    high = points[n - 1][1] if n else 1.0
    low = points[n][1] if n < len(points) else 0.0
    reward = min(max(round(reward, 3), min(low, high)), high)
    return (*points[:n], (km, reward), *points[n:]), n


def added_after(points: Points, n: int, *, steps: bool) -> tuple[Points, int]:
    """With another point halfway to the next one, as the axis has it, on the curve; after the last one twice as far away."""
    if n + 1 == len(points) and 2 * points[n][0] > FARTHEST_KM:
        n -= 1
    km, reward = points[n]
    if n + 1 == len(points):
        return added(points, max(1.0, 2 * km), reward / 2)
    halfway = kilometres_at((position(km) + position(points[n + 1][0])) / 2)
    curve = curve_of(OWN_CURVE, points, steps=steps)
    return added(points, halfway, curve(halfway) if curve else reward)


def removed(points: Points, n: int) -> Points:
    """Without point `n`; the same points where it is needed: the first one, one of two, or the only one that falls."""
    rest = (*points[:n], *points[n + 1 :])
    may_go = len(rest) > 1 and bool(problem(points, steps=False) or not problem(rest, steps=False))
    return rest if may_go else points


def nudged(km: float, share: float) -> float:
    """The distance that lies a part of a power of ten farther, or nearer."""
    return kilometres_at(position(km) + share)


def _floor(points: Points, n: int) -> float:
    """The least reward that point `n` may have."""
    least = points[n + 1][1] if n + 1 < len(points) else 0.0
    return least if n else min(1.0, max(least, round(points[-1][1] + _LEAST_FALL, 4)))


def _ceiling(points: Points, n: int) -> float:
    """The highest one."""
    most = points[n - 1][1] if n else 1.0
    return max(0.0, min(most, round(points[0][1] - _LEAST_FALL, 4))) if n == len(points) - 1 else most


def _gap(km: float) -> float:
    """How near a point may come to another one."""
    return max(0.01, km / 100)


def _with(points: Points, n: int, point: tuple[float, float]) -> Points:
    return (*points[:n], point, *points[n + 1 :])
