"""Tables of photos with known places: CSV as IM2GPS, YFCC4k, GeoCLIP and others write it, columns found by their usual names."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from georapp.errors import DatasetError
from georapp.geo import Coordinate

_COLUMNS = {
    "photo": ("file", "path", "filename", "img_file", "image", "img_id", "id"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
    "author": ("author", "photographer_or_group", "photographer", "ownernsid", "creator_id", "user"),
    "split": ("split",),
}
_ENDINGS = ("", ".jpg", ".jpeg", ".png", ".webp")
MAX_ROWS = 5_000_000


@dataclass(frozen=True, slots=True)
class Row:
    """One photo: its name in the table, its file, where it was taken."""

    name: str
    path: Path
    coordinate: Coordinate
    author: str
    split: str


@dataclass(frozen=True, slots=True)
class Reference:
    """A photo that a model was trained on: where it was taken, country as ISO 3166-1 alpha-2."""

    coordinate: Coordinate
    country: str


@dataclass(frozen=True, slots=True)
class Table:
    """The usable rows, and how many were left out for which reason."""

    rows: tuple[Row, ...]
    left_out: Mapping[str, int]


def read_table(path: Path, folder: Path | None = None, *, split: str | None = None) -> Table:
    """Rows of a CSV file whose photos lie in `folder` (default: beside the table).

    Rows without a file or a possible position are counted and left out. Raises DatasetError when the table cannot be read, lacks a
    column, has no usable row, or has latitudes beyond 90 degrees, which means that the columns are swapped.
    """
    folder = folder or path.parent
    rows: list[Row] = []
    left_out: dict[str, int] = {}
    for number, values in enumerate(_lines(path), 2):
        if split is not None and values.get("split", "") != split:
            continue
        row = _row(values, folder, path, number)
        if isinstance(row, str):
            left_out[row] = left_out.get(row, 0) + 1
        else:
            rows.append(row)
    if not rows:
        reasons = ", ".join(f"{count} {reason}" for reason, count in left_out.items()) or "it has no rows" + (
            f" of split {split}" if split else ""
        )
        raise DatasetError(f"{path} has no usable photo: {reasons}.", hint="Name the folder of the photos after the table.")
    return Table(tuple(rows), left_out)


def _lines(path: Path) -> Iterator[dict[str, str]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file)
            header = [name.strip().casefold() for name in next(reader, [])]
            columns = {key: _column(header, names) for key, names in _COLUMNS.items()}
            missing = [key for key in ("photo", "lat", "lon") if columns[key] is None]
            if missing:
                raise DatasetError(
                    f"{path} has no column for {' and '.join(missing)}.", hint=f"Its columns are: {', '.join(header)[:200]}."
                )
            for number, line in enumerate(reader):
                if number >= MAX_ROWS:
                    raise DatasetError(f"{path} has more than {MAX_ROWS:,} rows.")
                yield {key: line[i].strip() for key, i in columns.items() if i is not None and i < len(line)}
    except OSError as error:
        raise DatasetError(f"{path} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise DatasetError(f"{path} is not a CSV table in UTF-8.") from error


def _column(header: list[str], names: tuple[str, ...]) -> int | None:
    return next((header.index(name) for name in names if name in header), None)


def _row(values: dict[str, str], folder: Path, table: Path, number: int) -> Row | str:
    try:
        lat, lon = float(values["lat"]), float(values["lon"])
    except (KeyError, ValueError):
        return "without a position"
    if 90 < abs(lat) <= 180 and abs(lon) <= 90:
        raise DatasetError(
            f"Row {number} of {table} has the latitude {lat:g}: its columns lat and lon seem to be swapped.", hint="Rename them."
        )
    try:
        coordinate = Coordinate(lat, lon)
    except ValueError:
        return "with an impossible position"
    if lat == 0 and lon == 0:
        return "at (0, 0)"
    name = values.get("photo", "")
    found = _file(folder, name)
    if found is None:
        return "without a file"
    return Row(name, found, coordinate, values.get("author", ""), values.get("split", ""))


def _file(folder: Path, name: str) -> Path | None:
    """The file of that name in the folder; some tables leave the ending out, some write "/" where files have "_"."""
    if not name or "\0" in name:
        return None
    for variant in dict.fromkeys((name, name.replace("/", "_"))):
        for ending in _ENDINGS:
            path = folder / (variant + ending)
            if path.is_file() and path.resolve().is_relative_to(folder.resolve()):
                return path
    return None
