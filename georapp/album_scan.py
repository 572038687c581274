"""What an album would be made of: the album stage of a run folder, done in a process of its own and watched."""

from __future__ import annotations

import contextlib
import shutil
import sys
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from georapp.printable import printable
from georapp.training_process import TrainingProcess

Progress = Callable[[int, int], None]

READINGS = Path("album", "read.jsonl")  # of a run folder: what photo files say of themselves


@dataclass(frozen=True, slots=True)
class Country:
    """Photos of a country on both sides of the split. `code`: ISO 3166-1 alpha-2; `name`: in English."""

    code: str
    name: str
    train: int
    held_out: int


@dataclass(frozen=True, slots=True)
class AlbumSeen:
    """What the album stage found. `photos`: everything that sources name; `train` + `held_out` are what is used."""

    photos: int
    with_place: int
    train: int
    held_out: int
    countries: tuple[Country, ...]  # the largest first
    places: tuple[tuple[float, float, bool], ...]  # lat, lon, whether held out; thinned evenly to 20,000
    left_out: tuple[str, ...]  # "61 without a place"
    notes: tuple[str, ...]
    warnings: tuple[tuple[str, str], ...] = ()  # sentences and hints: too few photos, a split that gave way
    groups: int = 0  # of photos that hang together and lie on one side
    probe: int = 0  # of the held-out ones, those on which progress is measured


class Scan:
    """One scan. `python`: None for the one that runs this program, which has what a scan needs."""

    def __init__(self, folder: Path, python: Path | None = None) -> None:
        run = str(folder.absolute())
        self._process = TrainingProcess([str(python or sys.executable), "-m", "training.scan", run])

    def run(self, progress: Progress) -> AlbumSeen:
        """Blocks; `progress` is told photos that were read, of how many, on the calling thread. Raises RunError; Cancelled after `cancel`.

        Files that were read by an earlier scan of this folder, and did not change, are not read again.
        """
        seen: AlbumSeen | None = None
        with contextlib.closing(self._process.messages()) as messages:
            for said in messages:
                if "album" in said:
                    seen = _seen(said["album"])
                elif "done" in said:
                    progress(int(said["done"]), int(said["of"]))
        if seen is None:
            raise RunError("The photos were looked at, but nothing was said about them.", hint="Look at them again.")
        return seen

    def cancel(self) -> None:
        """From any thread; `run` then ends at once."""
        self._process.cancel()


def keep_readings(scanned: Path, run: Path) -> None:
    """Give a new run what a scan has read, so that its album takes seconds. Nothing happens when that is not possible: it reads again."""
    part = run / READINGS.parent / f".{uuid.uuid4().hex}.part"
    try:
        part.parent.mkdir(exist_ok=True)
        shutil.copyfile(scanned / READINGS, part)
        part.replace(run / READINGS)
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)


def _seen(said: Mapping[str, Any]) -> AlbumSeen:
    try:
        return AlbumSeen(
            photos=int(said["photos"]),
            with_place=int(said["with_place"]),
            train=int(said["train"]),
            held_out=int(said["held_out"]),
            countries=tuple(Country(str(code), printable(str(name)), int(a), int(b)) for code, name, a, b in said["countries"]),
            places=tuple((float(lat), float(lon), part == "held_out") for lat, lon, part in said["places"]),
            left_out=_texts(said["left_out"]),
            notes=_texts(said["notes"]),
            warnings=tuple((printable(str(sentence)), printable(str(hint))) for sentence, hint in said["warnings"]),
            groups=int(said["groups"]),
            probe=int(said["probe"]),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise RunError("What was said about the photos cannot be understood.", hint="Update this program.") from error


def _texts(found: Any) -> tuple[str, ...]:
    return tuple(printable(str(text)) for text in found)
