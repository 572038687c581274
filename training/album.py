"""Photos with a known place for training: rows, Chain-of-Region labels, and a split in which nothing is on both sides.

The folder holds photos.csv (id, file, lat, lon, precision, photographer_or_group, licence, split, ...) and the photos.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from georapp import gazetteer
from georapp.chain import Chain
from georapp.errors import DatasetError
from georapp.gazetteer import Label
from georapp.geo import EARTH_RADIUS_KM, Coordinate

SAME_PLACE_KM = 25.0
SAME_SIGHT_KM = 1.0


@dataclass(frozen=True, slots=True)
class AlbumPhoto:
    """One photo. `author` is folded, so that two spellings of a photographer are one."""

    id: str
    path: Path
    coordinate: Coordinate
    author: str
    precision: str  # "datafile", "landmark", or "city": good to about 25 km
    split: str
    licence: str
    label: Label

    @property
    def chain(self) -> Chain:
        """What a model should answer."""
        return self.label.chain(self.coordinate)


@dataclass(frozen=True, slots=True)
class Album:
    """Three parts. Photographers lie in one part each; places of `new` lie in no other part."""

    fit: tuple[AlbumPhoto, ...]  # what models are trained on, and chosen on by cross-fitting
    known: tuple[AlbumPhoto, ...]  # places of `fit`, other photographers: only for reporting
    new: tuple[AlbumPhoto, ...]  # other places, other photographers: only for reporting
    unused: int  # photos of reserved photographers at places that are in no other part


def read_album(folder: Path, *, known_percent: int = 15) -> Album:
    """Read and split. `known_percent` of the photographers of the train split are reserved, chosen by a hash of their names.

    Raises DatasetError when the table is missing or a photo is not there.
    """
    photos = _rows(folder)
    train = [photo for photo in photos if photo.split == "train"]
    fit = [photo for photo in train if bucket(photo.author, "georapp") >= known_percent]
    reserved = [photo for photo in train if bucket(photo.author, "georapp") < known_percent]
    near = distances_km(reserved, fit).min(1) <= SAME_PLACE_KM if reserved and fit else np.zeros(len(reserved), bool)
    known = [photo for photo, is_near in zip(reserved, near, strict=True) if is_near]
    new = [photo for photo in photos if photo.split == "val"]
    return Album(tuple(fit), tuple(known), tuple(new), len(reserved) - len(known))


def _rows(folder: Path) -> list[AlbumPhoto]:
    table = folder / "photos.csv"
    try:
        with table.open(encoding="utf-8", newline="") as file:
            lines = sorted(csv.DictReader(file), key=lambda line: line["id"])
    except OSError as error:
        raise DatasetError(f"{table} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    coordinates = [Coordinate(float(line["lat"]), float(line["lon"])) for line in lines]
    labels = gazetteer.load().labels(np.array([c.lat for c in coordinates]), np.array([c.lon for c in coordinates]))
    rows = []
    for line, coordinate, label in zip(lines, coordinates, labels, strict=True):
        path = folder / line["file"]
        if not path.is_file():
            raise DatasetError(f"{path} is named in {table.name} and is not there.")
        author = " ".join(line["photographer_or_group"].casefold().split())
        rows.append(AlbumPhoto(line["id"], path, coordinate, author, line["precision"], line["split"], line["licence"], label))
    return rows


def write_table(photos: Sequence[AlbumPhoto], path: Path, folder: Path) -> None:
    """A table of these photos, for `georapp evaluate TABLE FOLDER`."""
    with path.open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file, lineterminator="\n")
        table.writerow(("id", "file", "lat", "lon", "photographer"))
        for photo in photos:
            place = photo.coordinate
            table.writerow((photo.id, photo.path.relative_to(folder).as_posix(), place.lat, place.lon, photo.author))


def bucket(text: str, salt: str, buckets: int = 100) -> int:
    """A number from 0 that depends on the text alone: splits stay the same when photos are added."""
    return int(hashlib.sha256(f"{salt}:{text}".encode()).hexdigest(), 16) % buckets


def distances_km(a: Sequence[AlbumPhoto], b: Sequence[AlbumPhoto]) -> npt.NDArray[np.float64]:
    """Great-circle km [len(a), len(b)]."""
    cosines = np.clip(unit_vectors(a) @ unit_vectors(b).T, -1.0, 1.0)
    km: npt.NDArray[np.float64] = EARTH_RADIUS_KM * np.arccos(cosines)
    return km


def unit_vectors(photos: Sequence[AlbumPhoto]) -> npt.NDArray[np.float64]:
    """Places as points on the unit sphere [n, 3]."""
    lat, lon = np.radians([p.coordinate.lat for p in photos]), np.radians([p.coordinate.lon for p in photos])
    vectors: npt.NDArray[np.float64] = np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)
    return vectors
