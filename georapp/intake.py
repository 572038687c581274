"""Files into a case: each is read once, its facts and a small upright picture are kept, and one that is no photo is one sentence.

Small pictures lie in the user's folder under the photo's SHA-256, so that they are made once, whatever the file is called, and may
be thrown away at any time.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from georapp import events, paths, photo
from georapp.errors import PhotoError
from georapp.printable import printable

SIDE = 256  # pixels of a small picture's longer side


@dataclass(frozen=True, slots=True)
class Refused:
    """A file that is no photo, or a folder that cannot be opened, and why."""

    path: Path
    reason: str
    hint: str


@dataclass(frozen=True, slots=True)
class Taken:
    """A photo's facts; its small picture lies in `small_picture(sha256)`, unless there was no room for it."""

    path: Path
    facts: events.Began


def facts(name: str, found: photo.Photo) -> events.Began:
    """What is known of a photo without asking a model."""
    metadata = found.metadata
    place = metadata.place
    return events.Began(
        name,
        found.sha256,
        found.width,
        found.height,
        found.format,
        len(found.data),
        metadata.taken_at,
        metadata.heading,
        place.lat if place else None,
        place.lon if place else None,
        metadata.place_from,
        metadata.notes,
    )


def take(files: Sequence[Path], stopped: Callable[[], bool] = lambda: False) -> Iterator[Taken | Refused]:
    """All photos of these files and folders, one by one. Ends early when `stopped` says so."""
    for path, error in photo.find(list(files)):
        if stopped():
            return
        yield _refused(path, error) if error else _take(path)


def _take(path: Path) -> Taken | Refused:
    try:
        found = photo.read(path)
        _keep_small(found)
    except PhotoError as error:
        return _refused(path, error)
    except MemoryError:
        return _refused(path, PhotoError(f"{path} needs more memory than there is.", hint="Close other programs, and try again."))
    except Exception as error:  # noqa: BLE001 - whatever a file does to a decoder, the next one is read
        return _refused(path, PhotoError(f"{path} could not be read, which is a mistake of this program: {error!r}."))
    return Taken(path, facts("", found))


def _refused(path: Path, error: PhotoError) -> Refused:
    return Refused(path, printable(str(error)), error.hint)


def small_picture(sha256: str) -> Path:
    """Where the small picture of a photo lies, if it was made."""
    return paths.home() / "small" / sha256[:2] / f"{sha256}.jpg"


def _keep_small(found: photo.Photo) -> None:
    """A missing small picture is no reason to refuse a photo, so a full disk is passed over."""
    target = small_picture(found.sha256)
    with contextlib.suppress(OSError):
        if target.exists():
            return
    image = found.pixels()
    image.thumbnail((SIDE, SIDE), Image.Resampling.BILINEAR, reducing_gap=2.0)
    part = target.with_suffix(f".{os.getpid()}.part")
    with contextlib.suppress(OSError):
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            image.save(part, "JPEG", quality=85)
            part.replace(target)
        finally:
            part.unlink(missing_ok=True)
