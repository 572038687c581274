"""Shapes on the sphere as the map draws them: outlines of regions, circles, great circles.

A point is [lat, lon]. Longitudes may leave -180 to 180, so that a shape across the antimeridian stays in one piece; the page draws
every shape three times, 360 degrees apart. A box is [south, west, north, east].
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely import affinity

from georapp.geo import EARTH_RADIUS_KM, Coordinate, distance_km

if TYPE_CHECKING:
    from georapp.regions import Regions

Point = list[float]
Ring = list[Point]
Box = list[float]

EDGE = 85.0511  # of a Mercator map
FINEST = 9  # zoom from which an outline is drawn with all its points
MAIN_SHARE = 0.92  # of a region's land that its box must hold; far islands may lie outside
STEPS = 180  # points of a circle


def bearing(a: Coordinate, b: Coordinate) -> float:
    """Degrees from north, clockwise, in which `b` lies seen from `a`: 0 to 360."""
    lat_a, lat_b, turn = math.radians(a.lat), math.radians(b.lat), math.radians(b.lon - a.lon)
    east = math.sin(turn) * math.cos(lat_b)
    north = math.cos(lat_a) * math.sin(lat_b) - math.sin(lat_a) * math.cos(lat_b) * math.cos(turn)
    return math.degrees(math.atan2(east, north)) % 360


def great_circle(a: Coordinate, b: Coordinate) -> list[Point]:
    """The shortest way from `a` to `b`, at most about 100 km a step where it is long. For antipodes one of many."""
    steps = max(2, min(200, math.ceil(distance_km(a, b) / 100)))
    start, heading, length = a, bearing(a, b), distance_km(a, b)
    way = [(a.lat, a.lon), *(_away(start, heading, length * n / steps) for n in range(1, steps)), (b.lat, b.lon)]
    return _joined(np.array(way))


def circle(centre: Coordinate, radius_km: float) -> dict[str, Any]:
    """All points at most `radius_km` away: `fill`, a list of rings, and `edge`, the line around them.

    They differ where a circle holds a pole: on the map it then reaches to the upper or lower end and its sides are no edge.
    """
    rim = np.array([_away(centre, 360 * n / STEPS, radius_km) for n in range(STEPS)])
    edge = _joined(np.vstack([rim, rim[:1]]))
    north, south = (math.radians(90 - sign * centre.lat) * EARTH_RADIUS_KM <= radius_km for sign in (1, -1))
    if north and south:  # everything but a small circle around the antipode
        middle = centre.lon + 180
        world = [[EDGE, middle - 180], [EDGE, middle + 180], [-EDGE, middle + 180], [-EDGE, middle - 180]]
        return {"fill": [world, _near(edge, middle)], "edge": edge}
    if north or south:
        pole = 90.0 if north else -90.0
        return {"fill": [[*edge, [pole, edge[-1][1]], [pole, edge[0][1]]]], "edge": edge}
    return {"fill": [edge], "edge": edge}


def circle_box(centre: Coordinate, radius_km: float) -> Box:
    """The box of a circle; the whole width of the map where it holds a pole."""
    reach = math.degrees(radius_km / EARTH_RADIUS_KM)
    south, north = max(-EDGE, centre.lat - reach), min(EDGE, centre.lat + reach)
    if centre.lat + reach >= 90 or centre.lat - reach <= -90:
        return [south, centre.lon - 180, north, centre.lon + 180]
    wide = math.degrees(math.asin(min(1.0, math.sin(math.radians(reach)) / math.cos(math.radians(centre.lat)))))
    return [south, centre.lon - wide, north, centre.lon + wide]


def outline(code: str, zoom: int) -> list[list[Ring]]:
    """Polygons of a province ("FR.11") or a country ("FR"), rings each, for a zoom; nothing for an unknown code."""
    return [[_points(ring) for ring in (part.exterior, *part.interiors)] for part in _parts(code, min(zoom, FINEST))]


@functools.lru_cache(maxsize=16)
def land(south: float, west: float, north: float, east: float, pixel: float) -> tuple[npt.NDArray[np.float64], ...]:
    """Outlines of all land in a box, rows of (lon, lat), simplified to half a pixel, given in degrees, without parts smaller than one.

    The whole world takes a second, in which other threads go on.
    """
    rings = []
    for turn in (-360.0, 0.0, 360.0):
        parts = _all_regions().inside(south, west - turn, north, east - turn)
        size = shapely.bounds(parts).reshape(-1, 4)
        large = np.maximum(size[:, 2] - size[:, 0], size[:, 3] - size[:, 1]) >= pixel
        lines = shapely.simplify(shapely.get_exterior_ring(parts[large]), pixel / 2)
        rings += [shapely.get_coordinates(line) + np.array([turn, 0.0]) for line in lines]
    return tuple(rings)


def main_box(code: str) -> Box | None:
    """The box of a region without its far islands; None for an unknown code."""
    whole = _region(code)
    if whole is None:
        return None
    parts = shapely.get_parts(whole)
    area = shapely.area(parts) * np.cos(np.radians(shapely.get_y(shapely.centroid(parts))))
    order = np.argsort(-area, kind="stable")
    count = int(np.searchsorted(np.cumsum(area[order]), MAIN_SHARE * area.sum())) + 1
    west, south, east, north = shapely.total_bounds(parts[order[:count]])
    return [float(max(-EDGE, south)), float(west), float(min(EDGE, north)), float(east)]


def union_box(boxes: list[Box], around: float) -> Box:
    """The box around all boxes, each first moved by whole turns to where its middle is nearest to the longitude `around`."""
    moved = [_moved(box, around) for box in boxes]
    south, west = (min(box[n] for box in moved) for n in (0, 1))
    north, east = (max(box[n] for box in moved) for n in (2, 3))
    return _moved([south, west, north, min(east, west + 360)], 0)


def _all_regions() -> Regions:
    """The polygons, which take 0.2 s when they are first used."""
    from georapp.regions import regions  # brings scipy, which takes its time

    return regions()


@functools.lru_cache(maxsize=64)
def _region(code: str) -> Any:
    """A region in one piece, across the antimeridian too; None for an unknown code."""
    found = _all_regions().outline(code)
    return None if found is None or found.is_empty else _contiguous(found)


def _contiguous(shape: Any) -> Any:
    """Cut at its widest gap in longitude instead of at 180 degrees."""
    parts = shapely.get_parts(shape)
    bounds = shapely.bounds(parts)
    west, _, east, _ = shapely.total_bounds(parts)
    if east - west < 180:
        return shape
    order = np.argsort(bounds[:, 0])
    reached = np.maximum.accumulate(bounds[order, 2])
    gaps = bounds[order[1:], 0] - reached[:-1]
    if not len(gaps) or gaps.max() <= 360 - (east - west):
        return shape
    cut = reached[int(np.argmax(gaps))]
    moved = [affinity.translate(part, xoff=360) if box[2] <= cut else part for part, box in zip(parts, bounds, strict=True)]
    return shapely.union_all(shapely.set_precision(np.array(moved), 1e-4))


@functools.lru_cache(maxsize=64)
def _parts(code: str, zoom: int) -> tuple[Any, ...]:
    """The polygons of a region, simplified to half a pixel of a zoom, without those smaller than a pixel."""
    whole = _region(code)
    if whole is None:
        return ()
    parts = shapely.get_parts(whole)
    if zoom < FINEST:
        _, south, _, north = whole.bounds
        pixel = 360 / 256 / 2**zoom * math.cos(math.radians(min(75.0, max(abs(south), abs(north)))))
        size = shapely.bounds(parts)
        large = np.maximum(size[:, 2] - size[:, 0], size[:, 3] - size[:, 1]) >= pixel
        large[int(np.argmax(shapely.area(parts)))] = True
        parts = shapely.get_parts(shapely.simplify(parts[large], pixel / 2, preserve_topology=True))
    return tuple(part for part in parts if not part.is_empty)


def _points(ring: Any) -> Ring:
    return [[round(lat, 4), round(lon, 4)] for lon, lat in shapely.get_coordinates(ring).tolist()]


def _away(start: Coordinate, heading: float, km: float) -> tuple[float, float]:
    """(lat, lon) of the point that lies `km` from `start` in the direction `heading`, degrees from north."""
    lat, turn, arc = math.radians(start.lat), math.radians(heading), km / EARTH_RADIUS_KM
    up = math.sin(lat) * math.cos(arc) + math.cos(lat) * math.sin(arc) * math.cos(turn)
    east = math.sin(turn) * math.sin(arc) * math.cos(lat)
    lon = start.lon + math.degrees(math.atan2(east, math.cos(arc) - math.sin(lat) * up))
    return math.degrees(math.asin(max(-1.0, min(1.0, up)))), lon


def _joined(points: npt.NDArray[np.float64]) -> list[Point]:
    """Points (lat, lon) with longitudes that never jump."""
    lon = np.degrees(np.unwrap(np.radians(points[:, 1])))
    return [[round(float(lat), 5), round(float(x), 5)] for lat, x in zip(points[:, 0], lon, strict=True)]


def _near(ring: Ring, around: float) -> Ring:
    """A ring moved by whole turns to where its middle is nearest to a longitude."""
    middle = (min(lon for _, lon in ring) + max(lon for _, lon in ring)) / 2
    turn = 360 * round((around - middle) / 360)
    return [[lat, lon + turn] for lat, lon in ring]


def _moved(box: Box, around: float) -> Box:
    """The same for a box."""
    turn = 360 * round((around - (box[1] + box[3]) / 2) / 360)
    return [box[0], box[1] + turn, box[2], box[3] + turn]
