"""Gives every province polygon of Natural Earth the GeoNames code that most of its towns have, and splits those that hold several.

Natural Earth draws 101 French départements and 110 Italian provinces, GeoNames' first level has 13 and 20 regions; in Kenya it is
the other way round. The towns know both: where they lie and which code they have.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import Any

import numpy as np
import shapely
from scipy.spatial import cKDTree
from sources import Province, Shapes, Town

from georapp.chain import folded
from georapp.geo import Coordinate, distance_km
from georapp.regions import on_sphere

OVERSEAS_KM = 3000
ASHORE = 0.05  # degrees: a town that lies in no polygon votes for the nearest within this distance (the coast is simplified)


@dataclass(frozen=True, slots=True)
class Piece:
    """Land of one region. `code` is a province code like "FR.11", or a bare country code where no province is known."""

    code: str
    shape: Any


def pieces(provinces: list[Province], towns: list[Town], named: dict[str, list[str]]) -> list[Piece]:
    """Every polygon with its code; those with towns of several codes are split by nearness to these towns.

    `named`: province code -> names. Codes without a name are obsolete or city districts and count as no code.
    """
    voters = [town for town in towns if town.province in named]
    points = shapely.points([town.lon for town in voters], [town.lat for town in voters])
    inside = residents(provinces, voters, points)
    elected = [elect(province, [voters[i].province for i in inside[n]], named) for n, province in enumerate(provinces)]
    covered = set(filter(None, elected))
    found: list[Piece] = []
    for n, (province, code) in enumerate(zip(provinces, elected, strict=True)):
        if code is None:
            found.append(Piece(without_towns(province, voters, named), province.shape))
            continue
        counts = Counter(voters[i].province for i in inside[n])
        keep = {code} | {
            other for other, votes in counts.items() if other != code and stands_alone(other, votes, counts, covered)
        }
        seats = [i for i in inside[n] if voters[i].province in keep]
        found += (
            split(province.shape, points[seats], [voters[i].province for i in seats])
            if len(keep) > 1
            else [Piece(code, province.shape)]
        )
    return found


def residents(provinces: list[Province], towns: list[Town], points: Shapes) -> dict[int, list[int]]:
    """Polygon -> the towns of its own country that lie in it, or within 5 km of it and in no other."""
    tree = shapely.STRtree([province.shape for province in provinces])
    pairs = list(zip(*tree.query(points, predicate="intersects"), strict=True))
    homeless = sorted(set(range(len(towns))) - {town for town, _ in pairs})
    near = tree.query_nearest(points[homeless], max_distance=ASHORE, all_matches=False)
    pairs += [(homeless[i], polygon) for i, polygon in zip(*near, strict=True)]
    inside: dict[int, list[int]] = defaultdict(list)
    for town, polygon in pairs:
        if towns[town].country == provinces[polygon].country:
            inside[int(polygon)].append(int(town))
    return inside


def elect(province: Province, votes: list[str], named: dict[str, list[str]]) -> str | None:
    """The code that has the polygon's own name, else that of most towns; of equals the first in the alphabet. None without towns."""
    counts = Counter(votes)
    namesakes = {code: counts[code] for code in counts if own_names(province) & set(map(folded, named[code]))}
    chosen = namesakes or counts
    return min(chosen, key=lambda code: (-chosen[code], code)) if chosen else None


def own_names(province: Province) -> set[str]:
    """What Natural Earth calls it, folded."""
    return {folded(province.name), folded(province.geonames_name)} - {""}


def stands_alone(code: str, votes: int, counts: Counter[str], covered: set[str]) -> bool:
    """Whether a minority gets land: one town if it has no polygon anywhere else, else an eighth of the towns and at least six."""
    return code not in covered or votes >= max(6, 0.12 * counts.total())


def without_towns(province: Province, voters: list[Town], named: dict[str, list[str]]) -> str:
    """The code of the same name in the same country, else that of most of the five nearest towns of it, else the bare country.

    The bare country too where the nearest town is in another part of the world, as it is from Clipperton Island.
    """
    for code, names in sorted(named.items()):
        if code.startswith(f"{province.country}.") and own_names(province) & set(map(folded, names)):
            return code
    own = [town for town in voters if town.country == province.country]
    if not own:
        return province.country
    middle = shapely.point_on_surface(province.shape)
    nearest = Nearest(own).to(middle.y, middle.x, count=5)
    if distance_km(Coordinate(nearest[0].lat, nearest[0].lon), Coordinate(middle.y, middle.x)) > OVERSEAS_KM:
        return province.country
    return Counter(town.province for town in nearest).most_common(1)[0][0]


class Nearest:
    """The nearest of some towns, on the sphere."""

    def __init__(self, towns: list[Town]) -> None:
        self.towns = towns
        self.tree = cKDTree(on_sphere(np.array([town.lat for town in towns]), np.array([town.lon for town in towns])))

    def to(self, lat: float, lon: float, *, count: int = 1) -> list[Town]:
        """The `count` nearest, nearest first; fewer where there are not so many."""
        _, found = self.tree.query(on_sphere(np.array([lat]), np.array([lon]))[0], k=range(1, min(count, len(self.towns)) + 1))
        return [self.towns[i] for i in found]


def split(outline: Any, points: Shapes, codes: list[str]) -> list[Piece]:
    """The polygon divided between codes: every point of it goes to the code of the nearest town (in degrees)."""
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.multipoints(points), extend_to=outline))
    owners: dict[str, list[Any]] = defaultdict(list)
    for point, cell in zip(*shapely.STRtree(cells).query(points, predicate="within"), strict=True):
        owners[codes[point]].append(cells[cell])
    found = []
    for code, own in sorted(owners.items()):
        land = polygons_of(shapely.intersection(shapely.union_all(own), outline))
        if not land.is_empty:
            found.append(Piece(code, land))
    return found


def polygons_of(outline: Any) -> Any:
    """Only the polygons of a geometry; lines and points that an intersection leaves behind are dropped."""
    return shapely.union_all([part for part in shapely.get_parts(outline) if part.geom_type.endswith("Polygon")])
