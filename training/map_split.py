"""A split that is decided photo by photo, for albums too large to be looked at as a whole: cells of a map, drawn by a hash.

A cell is CELL_BLOCKS blocks high and about as wide, and held out with everything in it. A photo of another cell that lies within a block
of a held-out one is on neither side, so no photo that is trained on lies within album.block_km of one that is held out. Photographers
stand on both sides: who they are would have to be known of all photos before the first one is decided.
"""

from __future__ import annotations

import functools
import math
from dataclasses import dataclass

from georapp.geo import EARTH_RADIUS_KM, Coordinate
from training.album import bucket
from training.rows import Part

CELL_BLOCKS = 8  # a wider cell loses fewer photos at its edges
_DRAWS = 10**9
_KM = math.pi * EARTH_RADIUS_KM / 180  # of a degree of latitude
_POLE = 89.0  # degrees: nearer to it a block would reach around the Earth


@dataclass(frozen=True, slots=True)
class MapSplit:
    """`held_percent`: of the cells, and by and large of the photos."""

    block_km: float
    held_percent: float
    seed: int

    def part(self, place: Coordinate) -> Part | None:
        """TRAIN or HELD_OUT; None for a photo near both."""
        if self._held(self.cell(place)):
            return Part.HELD_OUT
        return None if any(self._held(cell) for cell in self._around(place)) else Part.TRAIN

    def cell(self, place: Coordinate) -> int:
        """The number of the cell in which a place lies; the same for every album with blocks of this size."""
        height = self._height
        band = math.floor((place.lat + 90) / height)
        column = math.floor((place.lon + 180) % 360 / 360 * self._columns(band))
        return band * 1_000_000 + column

    @property
    def _height(self) -> float:
        """Of a cell, in degrees of latitude; the bands fill the Earth from pole to pole."""
        return 180 / max(1, round(180 * _KM / (CELL_BLOCKS * self.block_km)))

    def _columns(self, band: int) -> int:
        """How many cells a band has: about as wide as they are high, measured where the band is widest."""
        low, high = band * self._height - 90, (band + 1) * self._height - 90
        nearest = 0.0 if low < 0 < high else min(abs(low), abs(high))
        return max(1, round(360 / self._height * math.cos(math.radians(nearest))))

    def _around(self, place: Coordinate) -> set[int]:
        """Cells within a block: those of a grid of points no farther from each other than a cell is wide."""
        up = self.block_km / _KM
        lats = [min(90.0, max(-90.0, place.lat + step * up)) for step in (-1, 0, 1)]
        widest = max(abs(lat) for lat in lats)
        if widest > _POLE:
            return {self.cell(Coordinate(lat, lon)) for lat in lats for lon in range(-180, 180)}
        across = up / math.cos(math.radians(widest))
        return {self.cell(Coordinate(lat, _wrapped(place.lon + step * across))) for lat in lats for step in (-1, 0, 1)}

    def _held(self, cell: int) -> bool:
        return _draw(cell, self.seed) * 100 < self.held_percent


@functools.lru_cache(maxsize=1 << 16)
def _draw(cell: int, seed: int) -> float:
    return bucket(str(cell), f"cell {seed}", _DRAWS) / _DRAWS


def _wrapped(lon: float) -> float:
    return (lon + 180) % 360 - 180
