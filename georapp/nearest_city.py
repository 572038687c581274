"""Labels as in Geo-R's paper: the nearest populated place of reverse_geocoder (GeoNames of 2016, 144,563 places, ASCII names).

Kept beside the polygons of `regions` because the paper's labels came from here. It errs on the country in 6 % of all land and in
44 % within 5 km of a land border (packaging/geodata/measure.py), so a label says "border" where the second-nearest place lies
in another country and is hardly farther away.

reverse_geocoder is used in mode 1 only: mode 2, its default, starts processes, is never faster, and where processes are spawned
it can answer Andorra for Paris without an error. Its file is opened here, because it would fetch a missing one from the network.
"""

from __future__ import annotations

import csv
import functools
import io
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Any

import numpy as np
import numpy.typing as npt
import reverse_geocoder

from georapp.errors import GazetteerError
from georapp.geo import Coordinate, distance_km
from georapp.places import SEA, Label, countries

FARTHEST_KM = 300.0  # nothing nearer than this: the sea or Antarctica, no label
BORDER = 1.5  # a second place at most so many times as far as the first, in another country, makes a label doubtful


class NearestCity:
    """The paper's labeller. Made by `load`."""

    def __init__(self, geocoder: Any) -> None:
        self._geocoder = geocoder

    def label(self, coordinate: Coordinate) -> Label:
        """Names of the nearest place; `how` is "nearest", "border" or "none". reverse_geocoder knows no province codes."""
        return self.labels(np.array([coordinate.lat]), np.array([coordinate.lon]))[0]

    def labels(self, lat: npt.ArrayLike, lon: npt.ArrayLike) -> list[Label]:
        """The same for rows of degrees. Raises ValueError for NaN and impossible values."""
        rows = zip(np.atleast_1d(lat).tolist(), np.atleast_1d(lon).tolist(), strict=True)
        points = [Coordinate(north, east) for north, east in rows]
        if not points:
            return []
        # reverse_geocoder measures in degrees, as if the Earth were flat; its own query() asks this tree for the first only.
        _, nearest = self._geocoder.tree.query([(point.lat, point.lon) for point in points], k=2)
        places = self._geocoder.locations
        return [named(point, places[first], places[second]) for point, (first, second) in zip(points, nearest, strict=True)]


def named(point: Coordinate, first: dict[str, str], second: dict[str, str]) -> Label:
    """The label that the nearest place gives, and the second-nearest may make doubtful."""
    away, farther = distance_km(point, position(first)), distance_km(point, position(second))
    country = countries().get(first["cc"])
    if away > FARTHEST_KM or country is None:
        return SEA
    how = "border" if second["cc"] != first["cc"] and farther <= BORDER * away else "nearest"
    return Label(country.continent, country.name, country.code, first["admin1"] or None, None, first["name"], away, how)


def position(row: dict[str, str]) -> Coordinate:
    """Where a place of reverse_geocoder lies."""
    return Coordinate(float(row["lat"]), float(row["lon"]))


@functools.cache
def load() -> NearestCity:
    """The labeller on reverse_geocoder's own data. Raises GazetteerError when that is missing or damaged."""
    file = data_file()
    try:
        table = file.read_text(encoding="utf-8")
        if not table.startswith(",".join(reverse_geocoder.RG_COLUMNS)):
            raise ValueError("other columns than expected")
        return NearestCity(reverse_geocoder.RGeocoder(mode=1, verbose=False, stream=io.StringIO(table)))
    except (OSError, ValueError, KeyError, csv.Error) as error:
        sentence = f"The places of reverse_geocoder, {file}, are missing or damaged."
        raise GazetteerError(sentence, hint="Install georapp again.") from error


def data_file() -> Traversable:
    """The table that comes with reverse_geocoder."""
    return resources.files(reverse_geocoder).joinpath(str(reverse_geocoder.RG_FILE))
