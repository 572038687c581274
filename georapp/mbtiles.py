"""Reads MBTiles files: a SQLite table of tiles, whose rows count from the south and are turned around here."""

from __future__ import annotations

import math
import sqlite3
import threading
import urllib.parse
import weakref
import zlib
from pathlib import Path
from typing import Any

from georapp.errors import MapError
from georapp.tile_file import (
    GZIP,
    NONE,
    TILE_BYTES,
    WORLD,
    About,
    Box,
    damaged,
    describe,
    exists,
    json_object,
    shown_name,
    unpacked,
)

SQL_STEPS = 5_000_000  # of SQLite's machine for one question: a few tenths of a second

_FORMATS = {"pbf": 1, "mvt": 1, "png": 2, "jpg": 3, "jpeg": 3, "webp": 4, "avif": 5}


class MBTiles:
    """An MBTiles file: a SQLite table of tiles. It is opened so that nothing is ever written, not even beside it."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        uri = f"file:{urllib.parse.quote(str(path.resolve()))}?mode=ro&immutable=1"
        try:
            self._database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        except sqlite3.Error as error:
            raise damaged(path) from error
        self._closing = weakref.finalize(self, self._database.close)
        try:
            self._guard()
            self.about = self._begin()
        except MapError:
            self.close()
            raise
        except (sqlite3.Error, ValueError, TypeError) as error:
            self.close()
            raise damaged(path) from error

    def tile(self, z: int, x: int, y: int) -> bytes | None:
        """See TileFile."""
        if not exists(z, x, y):
            return None
        question = "select tile_data from tiles where zoom_level = ? and tile_column = ? and tile_row = ? limit 1"
        try:
            rows = self._ask(question, (z, x, (1 << z) - 1 - y))
            if not rows or rows[0][0] is None:
                return None
            body = rows[0][0]
            if not isinstance(body, bytes):
                raise ValueError("a tile that is no bytes")
            packing = GZIP if body[:2] == b"\x1f\x8b" else NONE
            return unpacked(body, packing, TILE_BYTES)
        except (sqlite3.Error, ValueError, zlib.error) as error:
            raise damaged(self.path) from error

    def close(self) -> None:
        """See TileFile."""
        with self._lock:
            self._closing()

    def _guard(self) -> None:
        """No functions of the schema, no long rows, no question without an end."""
        self._database.execute("pragma trusted_schema = off")
        self._database.execute("pragma query_only = on")
        self._database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 2 * TILE_BYTES)

    def _ask(self, question: str, values: tuple[int, ...] = ()) -> list[tuple[Any, ...]]:
        with self._lock:
            self._database.set_progress_handler(lambda: 1, SQL_STEPS)  # set anew, it counts from here
            return self._database.execute(question, values).fetchmany(200)

    def _begin(self) -> About:
        said = {str(name): str(value) for name, value in self._ask("select name, value from metadata limit 200")}
        kind = _FORMATS.get(said.get("format", "").lower())
        if kind is None:
            raise MapError(f"{shown_name(self.path)} does not say what its tiles are.", hint="Its metadata has no known format.")
        lowest, highest = (self._ask(f"select {which}(zoom_level) from tiles")[0][0] for which in ("min", "max"))
        if lowest is None:
            raise MapError(f"{shown_name(self.path)} holds no tiles.")
        try:
            box: tuple[float, ...] = tuple(float(part) for part in said.get("bounds", "").split(","))
        except ValueError:
            box = self._box_of_tiles(int(highest))
        metadata = json_object(said.get("json", "{}").encode()) | {"attribution": said.get("attribution", "")}
        return describe(self.path, kind=kind, zooms=(int(lowest), int(highest)), box=box, metadata=metadata)

    def _box_of_tiles(self, zoom: int) -> Box:
        """Where a file has tiles that does not say it; the world where there are too many to look at."""
        question = "select min(tile_column), max(tile_column), min(tile_row), max(tile_row) from tiles where zoom_level = ?"
        try:
            left, right, below, above = map(int, self._ask(question, (zoom,))[0])
        except sqlite3.OperationalError:
            return WORLD
        side = 360 / (1 << zoom)
        south, north = (math.degrees(math.atan(math.sinh(math.radians(row * side - 180)))) for row in (below, above + 1))
        return left * side - 180, south, (right + 1) * side - 180, north
