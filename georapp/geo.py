"""Points on the sphere: one coordinate, distances, and what several coordinates have in common.

Distances are great circles on a sphere of radius 6371 km, as in Geo-R; against the WGS84 ellipsoid they are off by at most 0.5 %.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

EARTH_RADIUS_KM = 6371.0
GEOSCORE_KM = 1492.7  # of the game's world map
HALF_CIRCUMFERENCE_KM = math.pi * EARTH_RADIUS_KM  # no two points are farther apart


@dataclass(frozen=True, slots=True)
class Coordinate:
    """Degrees north and east. Impossible values are refused with a ValueError, so that a Coordinate is always a real place."""

    lat: float
    lon: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.lat) and -90 <= self.lat <= 90):
            raise ValueError(f"A latitude lies between -90 and 90, not at {self.lat}.")
        if not (math.isfinite(self.lon) and -180 <= self.lon <= 180):
            raise ValueError(f"A longitude lies between -180 and 180, not at {self.lon}.")

    def __str__(self) -> str:
        return f"({self.lat:.4f}, {self.lon:.4f})"


def distance_km(a: Coordinate, b: Coordinate) -> float:
    """Great-circle distance by the haversine formula (Geo-R, section 3.2)."""
    lat_a, lon_a, lat_b, lon_b = map(math.radians, (a.lat, a.lon, b.lat, b.lon))
    half_chord = math.sin((lat_b - lat_a) / 2) ** 2 + math.cos(lat_a) * math.cos(lat_b) * math.sin((lon_b - lon_a) / 2) ** 2
    return 2 * EARTH_RADIUS_KM * math.asin(math.sqrt(min(1.0, half_chord)))  # min(): rounding, at antipodes


def geoscore(distance: float | None) -> float:
    """GeoGuessr's score: 5000 exp(-d / 1492.7 km), not rounded; 0 without an answer."""
    return 0.0 if distance is None else 5000.0 * math.exp(-distance / GEOSCORE_KM)


def medoid(points: Sequence[Coordinate]) -> int:
    """Index of the point with the smallest sum of distances to all others: a mean that outliers do not move.

    The first of equals wins, so the same input gives the same answer. Raises ValueError for no points.
    """
    if not points:
        raise ValueError("No points have no medoid.")
    sums = [math.fsum(distance_km(a, b) for b in points) for a in points]
    return sums.index(min(sums))


def radius_km(centre: Coordinate, points: Sequence[Coordinate], share: float) -> float:
    """Radius in km of the smallest circle around `centre` that holds at least `share` (0 to 1) of `points`.

    Raises ValueError for no points.
    """
    if not points:
        raise ValueError("No points lie in any circle.")
    distances = sorted(distance_km(centre, point) for point in points)
    needed = max(1, math.ceil(share * len(distances) - 1e-9))
    return distances[needed - 1]


def clusters(points: Sequence[Coordinate], within_km: float) -> list[list[int]]:
    """Indices of `points` grouped by single link: points closer than `within_km` share a group, also through others.

    Largest group first; of equals the one that begins first.
    """
    left = list(range(len(points)))
    groups: list[list[int]] = []
    while left:
        group = [left.pop(0)]
        for member in group:  # grows while it is walked
            near = [i for i in left if distance_km(points[member], points[i]) <= within_km]
            group += near
            left = [i for i in left if i not in near]
        groups.append(sorted(group))
    return sorted(groups, key=lambda group: (-len(group), group[0]))
