"""Where a coordinate lies: the polygons of provinces and countries, the shore, and the town that gives its name.

The province is the polygon that holds the point. Outside every polygon (the sea, a pier, a coast drawn too tight) it is the
nearest within 60 km, flagged "coast"; farther out there is no answer, never a far town. The town is chosen inside that province
by the power distance d - 0.012 km * sqrt(people): a city reaches over its quarters, so the Eiffel Tower lies in Paris.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from scipy.spatial import cKDTree

from georapp.geo import EARTH_RADIUS_KM
from georapp.places import SEA, Label, Towns, arrays, countries, provinces, read_file, towns, unpacked

COAST_KM = 60.0
SHORE_STEP_KM = 3.0  # the shore is a row of points no farther apart than this
REACH_KM = 0.012  # times the square root of the population: Paris 18 km, a town of 100,000 people 4 km
CANDIDATES = ((0, 12), (50_000, 4), (500_000, 2))  # the 12 nearest towns, the 4 nearest with 50,000 people and more, and so on
AT_ONCE = 20_000  # points; more at once take more memory and no less time

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.intp]
Shapes = npt.NDArray[np.object_]


class Regions:
    """Polygons of provinces, and of countries where no province is known. Regions are numbered; -1 is none."""

    def __init__(self, codes: list[str], polygons: Shapes, owner: Indices, shore: npt.NDArray[np.bool_]) -> None:
        """`owner[i]`: the region of `polygons[i]`. `shore[v]`: whether the edge from vertex v to the next one has no neighbour."""
        self.codes = codes  # like "FR.11", or "SG" alone
        self._polygons = polygons
        self._owner = owner
        self._is_shore = shore
        self._tree = shapely.STRtree(polygons)

    def holding(self, lat: Floats, lon: Floats) -> Indices:
        """The region that each point lies in; on a common edge the one with the lowest number."""
        found = np.full(len(lat), len(self.codes))
        point, polygon = self._tree.query(shapely.points(lon, lat), predicate="intersects")
        np.minimum.at(found, point, self._owner[polygon])
        return np.where(found < len(self.codes), found, -1)

    def outline(self, code: str) -> Any:
        """The polygons of a province, or of a whole country ("FR"), x east and y north in degrees. None for an unknown code."""
        own = [n for n, region in enumerate(self.codes) if code in (region, region.partition(".")[0])]
        parts = self._polygons[np.isin(self._owner, own)]
        return shapely.coverage_union_all(parts) if len(parts) else None

    def inside(self, south: float, west: float, north: float, east: float) -> Shapes:
        """All polygons that reach into a box."""
        found: Shapes = self._polygons[np.sort(self._tree.query(shapely.box(west, south, east, north)))]
        return found

    def ashore(self, lat: Floats, lon: Floats) -> Indices:
        """The region whose shore is nearest to each point and not farther than `COAST_KM`."""
        tree, owner = self._shore
        away, nearest = tree.query(on_sphere(lat, lon), distance_upper_bound=chord(COAST_KM))
        return np.where(np.isfinite(away), owner[np.minimum(nearest, len(owner) - 1)], -1)

    @functools.cached_property
    def _shore(self) -> tuple[cKDTree, Indices]:
        """Points along the shore and the region of each. Made when first needed, in 0.3 s."""
        vertices, polygon = shapely.get_coordinates(self._polygons, return_index=True)
        start = np.flatnonzero(self._is_shore)
        first, step = vertices[start], vertices[start + 1] - vertices[start]
        km = np.radians(np.hypot(step[:, 0] * np.cos(np.radians(first[:, 1])), step[:, 1])) * EARTH_RADIUS_KM
        parts = np.maximum(1, np.ceil(km / SHORE_STEP_KM)).astype(np.intp)
        edge = np.repeat(np.arange(len(start)), parts)
        share = (np.arange(len(edge)) - np.repeat(np.cumsum(parts) - parts, parts)) / parts[edge]
        points = first[edge] + step[edge] * share[:, None]
        return cKDTree(on_sphere(points[:, 1], points[:, 0])), self._owner[polygon[start[edge]]]


class TownFinder:
    """Chooses the town that gives a place its name."""

    def __init__(self, table: Towns, regions: Regions) -> None:
        number = {code: n for n, code in enumerate(regions.codes)}
        country = {code: n for n, code in enumerate(sorted(countries()))}
        self._country_of_region = np.array([country[code.partition(".")[0]] for code in regions.codes])
        # A town whose province has no polygon, or that has none (GeoNames gives Hong Kong none), may serve its whole country.
        self._region = np.array([number.get(code, -1) for code in table.codes])[table.code]
        self._country = np.array([country[code.partition(".")[0]] for code in table.codes])[table.code]
        self._points = on_sphere(table.lat, table.lon)
        self._reach = REACH_KM * np.sqrt(table.population)
        towns_only = ~table.section
        members = [np.flatnonzero(towns_only & (table.population >= least)) for least, _ in CANDIDATES]
        self._trees = [(own, cKDTree(self._points[own]), count) for own, (_, count) in zip(members, CANDIDATES, strict=True)]
        self._of_region = dict(zip(*grouped(self._region[members[0]], members[0]), strict=True))

    def find(self, lat: Floats, lon: Floats, region: Indices) -> tuple[Indices, Floats]:
        """The town of each point and its distance in km; -1 and NaN where its region (>= 0) has none."""
        points = on_sphere(lat, lon)
        nearest = np.hstack([own[tree.query(points, k=range(1, count + 1))[1]] for own, tree, count in self._trees])
        km = self._km(points[:, None], nearest)
        serves = (self._region[nearest] == region[:, None]) | (
            (self._region[nearest] < 0) & (self._country[nearest] == self._country_of_region[region][:, None])
        )
        power = np.where(serves, km - self._reach[nearest], np.inf)
        rows, best = np.arange(len(lat)), np.argmin(power, axis=1)
        town, away = nearest[rows, best], km[rows, best]
        for i in np.flatnonzero(np.isinf(power[rows, best])):
            town[i], away[i] = self._far(points[i], int(region[i]))
        return town, away

    def _far(self, point: Floats, region: int) -> tuple[int, float]:
        """The nearest town of a region by power distance, however far."""
        own = self._of_region.get(region)
        if own is None:
            return -1, np.nan
        km = self._km(point, own)
        best = int(np.argmin(km - self._reach[own]))
        return int(own[best]), float(km[best])

    def _km(self, point: Floats, town: Indices) -> Floats:
        """Great-circle distances between points on the unit sphere and towns."""
        chords = np.linalg.norm(self._points[town] - point, axis=-1)
        return np.asarray(2 * EARTH_RADIUS_KM * np.arcsin(np.minimum(1.0, chords / 2)))


class Labeller:
    """Coordinates -> labels."""

    def __init__(self, regions: Regions, table: Towns) -> None:
        self._regions = regions
        self._towns = table
        self._finder = TownFinder(table, regions)
        self._upper = [self._names_of(code) for code in regions.codes]

    def labels(self, lat: Floats, lon: Floats) -> list[Label]:
        """The label of each point; `lat` and `lon` are possible values in degrees."""
        return [
            label for n in range(0, len(lat), AT_ONCE) for label in self._some_labels(lat[n : n + AT_ONCE], lon[n : n + AT_ONCE])
        ]

    def _some_labels(self, lat: Floats, lon: Floats) -> list[Label]:
        region = self._regions.holding(lat, lon)
        off = np.flatnonzero(region < 0)
        how = np.full(len(lat), "inside", dtype=object)
        how[off] = "coast"
        if len(off):
            region[off] = self._regions.ashore(lat[off], lon[off])
        known = np.flatnonzero(region >= 0)
        found = [SEA] * len(lat)
        for i, town, km in zip(known, *self._finder.find(lat[known], lon[known], region[known]), strict=True):
            city, away = (self._towns.names[town], float(km)) if town >= 0 else (None, None)
            found[i] = Label(*self._upper[int(region[i])], city, away, how[i])
        return found

    @staticmethod
    def _names_of(code: str) -> tuple[str, str, str, str | None, str | None]:
        """Continent, country, its code, province, its code."""
        country, province = countries()[code.partition(".")[0]], provinces().get(code)
        return country.continent, country.name, country.code, province.name if province else None, code if province else None


def grouped(keys: Indices, values: Indices) -> tuple[list[int], list[Indices]]:
    """Distinct keys, and the values of each."""
    order = np.argsort(keys, kind="stable")
    distinct, first = np.unique(keys[order], return_index=True)
    return distinct.tolist(), np.split(values[order], first[1:])


def on_sphere(lat: Floats, lon: Floats) -> Floats:
    """(n, 3) points on the unit sphere."""
    lat, lon = np.radians(lat), np.radians(lon)
    return np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])


def chord(km: float) -> float:
    """Length of the straight line through the unit sphere between two points `km` apart on it."""
    return float(2 * np.sin(km / EARTH_RADIUS_KM / 2))


def read_regions() -> Regions:
    """The polygons of resources/places/regions.npz.xz. Raises GazetteerError when the file is missing or damaged."""

    def parse(data: bytes) -> Regions:
        table = arrays(data)
        codes = table["codes"].tobytes().decode().split("\n")
        vertices = np.column_stack([unpacked(table["lon"]), unpacked(table["lat"])]) / 1e4
        offsets = [offsets_of(unpacked(table[name])) for name in ("vertices_of_ring", "rings_of_polygon")]
        polygons = shapely.from_ragged_array(shapely.GeometryType.POLYGON, vertices, tuple(offsets))
        owner = np.repeat(np.arange(len(codes)), unpacked(table["polygons_of_region"]))
        shore = np.unpackbits(table["shore"], count=len(vertices)).astype(bool)
        if not len(owner) == len(polygons) or not set(codes) <= set(provinces()) | set(countries()):
            raise ValueError("the columns do not fit together")
        return Regions(codes, polygons, owner, shore)

    return read_file("regions.npz.xz", parse)


def offsets_of(counts: npt.NDArray[np.int32]) -> Indices:
    """Where each group begins, and the end of the last."""
    return np.concatenate([[0], np.cumsum(counts, dtype=np.intp)])


@functools.cache
def regions() -> Regions:
    """The polygons of the program, read once: they take 40 MB."""
    return read_regions()


@functools.cache
def labeller() -> Labeller:
    """The labeller on the program's own data."""
    return Labeller(regions(), towns())
