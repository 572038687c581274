"""What photo files say of themselves and look like. Kept in RUN/album/read.jsonl as it comes, so that no start reads a file again."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from georapp import photo
from georapp.errors import PhotoError, RunError, Stopped
from georapp.events import from_plain, to_plain
from georapp.geo import Coordinate
from training.gates import Gate
from training.looks import difference_hash, sharpness, small_grey

FILE = "read.jsonl"
TOGETHER = 64  # files between two looks at whether somebody asked to stop


@dataclass(frozen=True, slots=True)
class Reading:
    """A photo file. `trouble`: the name of the gate that its own place did not pass, "" where it has one."""

    sha256: str
    place: Coordinate | None
    trouble: str
    taken_at: str  # ISO 8601, without zone where the file names none, "" where unknown
    look: int  # 128 bits, see `looks`
    sharpness: float


@dataclass(frozen=True, slots=True)
class Unread:
    """A file that is no photo, and why; or that is not there."""

    gate: Gate
    reason: str


@dataclass(frozen=True, slots=True)
class _Noted:
    """A line of the file. It counts as long as the photo's size and time of change are these."""

    path: str
    size: int
    changed_ns: int
    reading: Reading


def read_all(
    files: Iterable[Path],
    folder: Path,
    *,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> dict[Path, Reading | Unread]:
    """Every file, with as many threads as cores; `progress` is told how many are done, of how many.

    Raises Stopped, and RunError when what was read cannot be noted in `folder`.
    """
    known = _known(folder / FILE)
    found: dict[Path, Reading | Unread] = {}
    wanted = list(dict.fromkeys(files))
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / FILE).open("a", encoding="ascii", newline="\n") as notes, ThreadPoolExecutor(os.cpu_count()) as readers:
            notes.write("\n")  # after a line that a kill cut off
            for some in _batches(wanted, TOGETHER):
                if stopped():
                    raise Stopped
                for path, noted in zip(some, readers.map(lambda path: _noted(path, known), some), strict=True):
                    found[path] = noted if isinstance(noted, Unread) else noted.reading
                    _note(notes, noted, known)
                progress(len(found), len(wanted))
    except OSError as error:
        raise RunError(f"The album cannot be written to {folder}: {(error.strerror or str(error)).lower()}.") from error
    return found


def _batches(paths: list[Path], size: int) -> Iterator[list[Path]]:
    for start in range(0, len(paths), size):
        yield paths[start : start + size]


def _known(path: Path) -> dict[str, _Noted]:
    """What earlier starts noted; damaged lines are read again from the photos."""
    known: dict[str, _Noted] = {}
    try:
        lines = path.read_bytes().splitlines()
    except OSError:
        return known
    for line in lines:
        try:
            noted: _Noted = from_plain(_Noted, json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
        known[noted.path] = noted
    return known


def _note(notes: TextIO, noted: _Noted | Unread, known: dict[str, _Noted]) -> None:
    if isinstance(noted, _Noted) and known.get(noted.path) != noted:
        notes.write(json.dumps(to_plain(noted)) + "\n")


def _noted(path: Path, known: dict[str, _Noted]) -> _Noted | Unread:
    try:
        status = path.stat()
    except (OSError, ValueError) as error:
        return Unread(Gate.MISSING, f"{path} is not there: {error}.")
    before = known.get(str(path))
    if before and (before.size, before.changed_ns) == (status.st_size, status.st_mtime_ns):
        return before
    reading = read(path)
    return reading if isinstance(reading, Unread) else _Noted(str(path), status.st_size, status.st_mtime_ns, reading)


def read(path: Path, data: bytes | None = None) -> Reading | Unread:
    """One file, or one photo of a shard, of which these are the bytes."""
    try:
        return _read(path, data)
    except PhotoError as error:
        return Unread(Gate.UNREADABLE, str(error))
    except MemoryError:
        return Unread(Gate.UNREADABLE, f"{path} needs more memory than there is.")
    except Exception as error:  # noqa: BLE001 - whatever a file does to a decoder, the next one is read
        return Unread(Gate.UNREADABLE, f"{path} could not be read, which is a mistake of this program: {error!r}.")


def _read(path: Path, data: bytes | None) -> Reading:
    found = photo.read(path, data)
    grey = small_grey(found)
    metadata = found.metadata
    trouble = "" if metadata.place else _trouble(metadata.notes).title
    return Reading(found.sha256, metadata.place, trouble, metadata.taken_at, difference_hash(grey), sharpness(grey))


def _trouble(notes: Iterable[str]) -> Gate:
    """Why there is no place, out of what `photo` says about a position that it left out."""
    text = " ".join(notes)
    if "(0, 0)" in text:
        return Gate.ZERO
    return Gate.IMPOSSIBLE if "impossible" in text else Gate.NO_PLACE
