"""The album of a run as it is trained on: one row for each photo, in RUN/album/rows.jsonl. No torch, so that anything may read it."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from georapp.errors import RunError
from georapp.events import from_plain, to_plain
from georapp.geo import Coordinate
from training import shards

FILE = "rows.jsonl"


class Part(StrEnum):
    """What a photo is for. No place, burst, near-duplicate or photographer lies in two parts."""

    TRAIN = "train"
    PROBE = "probe"  # held out: progress is measured on it
    HELD_OUT = "held out"  # held out, and more than the probe needs


@dataclass(frozen=True, slots=True)
class AlbumRow:
    """A photo with its label. `id`: SHA-256 of its bytes. `answer`: the text that a model should write, without an end token."""

    id: str
    path: str
    lat: float
    lon: float
    country: str  # ISO 3166-1 alpha-2, "" at sea
    answer: str
    part: Part
    author: str = ""  # folded; "" where nobody is named
    taken_at: str = ""  # as EXIF writes it, "" where unknown
    block: int = 0  # photos of one place have one number

    @property
    def coordinate(self) -> Coordinate:
        """Where it was taken."""
        return Coordinate(self.lat, self.lon)


def write_rows(rows: Iterable[AlbumRow], folder: Path) -> None:
    """All or nothing. Raises RunError."""
    part = folder / f".{FILE}.{os.getpid()}.part"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8", errors="surrogatepass", newline="\n") as out:
            out.writelines(json.dumps(to_plain(row)) + "\n" for row in rows)
            out.flush()
            os.fsync(out.fileno())
        part.replace(folder / FILE)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunError(
            f"The album of the run cannot be written to {folder}: {(error.strerror or str(error)).lower()}."
        ) from error


def read_rows(folder: Path, *parts: Part) -> list[AlbumRow]:
    """Those of these parts, or all. Raises RunError when the file is missing or was damaged."""
    try:
        lines = (folder / FILE).read_text("utf-8").splitlines()
        rows = [from_plain(AlbumRow, json.loads(line)) for line in lines]
    except (OSError, ValueError, TypeError, RecursionError) as error:
        raise RunError(
            f"The album of the run, {folder / FILE}, cannot be read.",
            hint="Delete that folder: it is made again at the next start.",
        ) from error
    return [row for row in rows if not parts or row.part in parts]


def without_file(row: AlbumRow) -> bool:
    """Whether the photo has gone since: a drive was moved, or a file or the shard in which it lies deleted."""
    return not shards.file_of(Path(row.path)).is_file()
