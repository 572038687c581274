"""Opens map files of the user and the program's own, PMTiles (version 3) and MBTiles, vector and raster."""

from __future__ import annotations

from pathlib import Path

from georapp.errors import MapError
from georapp.mbtiles import MBTiles
from georapp.pmtiles import PMTiles
from georapp.tile_file import TileFile, shown_name


def read(path: Path) -> TileFile:
    """Open a map file of either kind; its first bytes say which. Raises MapError."""
    if path.exists() and not path.is_file():
        raise MapError(f"{shown_name(path)} is not a file.")
    try:
        with path.open("rb") as file:
            start = file.read(16)
    except OSError as error:
        raise MapError(f"{shown_name(path)} cannot be opened: {error.strerror or 'no reason given'}.") from error
    if start[:7] == b"PMTiles":
        return PMTiles(path)
    if start == b"SQLite format 3\0":
        return MBTiles(path)
    raise MapError(
        f"{shown_name(path)} is not a map file.",
        hint="Maps can be added as PMTiles (version 3) or MBTiles, with vector tiles or pictures.",
    )
