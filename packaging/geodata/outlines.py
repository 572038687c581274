"""Writes regions.npz.xz: the polygons of all regions, simplified together so that they still fit."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from coverage import GRID
from packing import packed, text, write

# Root of the area of the smallest triangle that a vertex may make with its neighbours, in degrees: moves a line by 100 m at most
# where vertices are 3 km apart, as Natural Earth's are. 0.004 leaves 80 % of the vertices.
TOLERANCE = 0.004


def simplified(regions: dict[str, Any]) -> dict[str, Any]:
    """The same regions with fewer vertices; no gap and no overlap comes about."""
    shapes = shapely.coverage_simplify(np.array(list(regions.values()), dtype=object), TOLERANCE)
    if not shapely.coverage_is_valid(shapes):
        raise ValueError("The regions do not fit together.")
    return dict(zip(regions, shapes, strict=True))


def write_regions(file: Path, regions: dict[str, Any]) -> int:
    """The columns of `georapp.regions`. Returns the number of vertices."""
    parts = [shapely.get_parts(shape) for shape in regions.values()]
    polygons = np.concatenate(parts)
    rings, polygon_of_ring = shapely.get_rings(polygons, return_index=True)
    coordinates, ring_of_vertex = shapely.get_coordinates(rings, return_index=True)
    grid = np.round(coordinates / GRID).astype(np.int64)
    table = {
        "codes": text(list(regions)),
        "polygons_of_region": packed([len(own) for own in parts]),
        "rings_of_polygon": packed(np.bincount(polygon_of_ring)),
        "vertices_of_ring": packed(np.bincount(ring_of_vertex)),
        "lon": packed(grid[:, 0]),
        "lat": packed(grid[:, 1]),
        "shore": np.packbits(without_neighbour(grid, ring_of_vertex)),
    }
    write(file, table)
    return len(grid)


def without_neighbour(grid: npt.NDArray[np.int64], ring: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """For every vertex whether the edge to the next vertex of its ring belongs to one polygon only; False for a ring's last vertex."""
    start = np.flatnonzero(ring[:-1] == ring[1:])
    point = grid @ np.array([10_000_000, 1])
    edges = np.sort(np.column_stack([point[start], point[start + 1]]), axis=1)
    _, index, times = np.unique(edges, axis=0, return_inverse=True, return_counts=True)
    found = np.zeros(len(grid), bool)
    found[start] = times[index] == 1
    return found


def inner_borders(regions: dict[str, Any]) -> npt.NDArray[np.object_]:
    """The lines between provinces of the same country."""
    shapes = np.array(list(regions.values()), dtype=object)
    rings, polygon = shapely.get_rings(shapely.get_parts(shapes), return_index=True)
    owner = shapely.get_parts(shapes, return_index=True)[1][polygon]
    vertices, ring = shapely.get_coordinates(rings, return_index=True)
    start = np.flatnonzero(ring[:-1] == ring[1:])
    point = np.round(vertices / GRID).astype(np.int64) @ np.array([10_000_000, 1])
    edges = np.sort(np.column_stack([point[start], point[start + 1]]), axis=1)
    order = np.lexsort(edges.T)
    first, second = (order[np.flatnonzero(np.all(edges[order[1:]] == edges[order[:-1]], axis=1)) + n] for n in (0, 1))
    country = np.array([code.partition(".")[0] for code in regions])[owner[ring[start]]]
    start = start[first[country[first] == country[second]]]
    lines = shapely.linestrings(np.stack([vertices[start], vertices[start + 1]], axis=1))
    return np.asarray(shapely.get_parts(shapely.line_merge(shapely.multilinestrings(lines))))
