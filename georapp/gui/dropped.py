"""What a person drops or pastes, as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QImage

from georapp import paths
from georapp.errors import PhotoError
from georapp.photo import ENDINGS

PHOTOS = f"Photos ({' '.join(f'*{ending} *{ending.upper()}' for ending in sorted(ENDINGS))});;All files (*)"
_CASE, _MAPS = ".georapp", (".pmtiles", ".mbtiles")


@dataclass(frozen=True, slots=True)
class Sorted:
    """Files by what they are to be used for."""

    cases: list[Path]
    maps: list[Path]
    others: list[Path]


def sorted_by_kind(files: Sequence[Path]) -> Sorted:
    """By their endings."""
    cases = [path for path in files if path.suffix.lower() == _CASE]
    maps = [path for path in files if path.suffix.lower() in _MAPS]
    return Sorted(cases, maps, [path for path in files if path not in cases and path not in maps])


def from_mime(data: QMimeData) -> list[Path]:
    """Local files; addresses of the network are left out."""
    return [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]


def from_text(data: QMimeData) -> list[Path]:
    """Files whose whole names were copied as text, one in a line; none if there is any other text."""
    lines = [line.strip() for line in data.text().splitlines() if line.strip()]
    found = [Path(QUrl(line).toLocalFile() if line.startswith("file://") else line) for line in lines]
    return found if all(path.is_absolute() for path in found) else []


def image(data: QMimeData) -> QImage | None:
    """A picture without a file."""
    found = data.imageData() if data.hasImage() else None
    return found if isinstance(found, QImage) and not found.isNull() else None


def what_happens(data: QMimeData, *, may_add: bool) -> str:
    """What dropping this does, in a few words."""
    sorts = sorted_by_kind(from_mime(data))
    if sorts.cases and not sorts.others:
        return "Drop to open this case"
    if sorts.maps and not sorts.others:
        return "Drop to show this map"
    return "Drop to add" if may_add else "This case is only read here; nothing can be added"


def as_file(image: QImage) -> Path:
    """A pasted picture lies in the user's folder from now on. For any thread. Raises PhotoError when it cannot be written."""
    folder = paths.home() / "pasted"
    path = folder / f"pasted {datetime.now(UTC):%Y-%m-%d %H.%M.%S.%f}.png"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        written = image.save(str(path))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise PhotoError(f"The picture could not be kept in {folder}: {why}.", hint="Save it as a file and add that.") from error
    if not written:
        path.unlink(missing_ok=True)
        raise PhotoError(f"The picture could not be kept in {folder}.", hint="Free some room on its disk.")
    return path
