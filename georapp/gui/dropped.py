"""What a person drops or pastes, as files."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from PySide6.QtCore import QMimeData
from PySide6.QtGui import QClipboard, QImage

from georapp import paths
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


def from_mime(data: QMimeData, image: QImage | None = None) -> list[Path]:
    """Local files; addresses of the network are left out. A picture without a file becomes one."""
    files = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile() and url.toLocalFile()]
    if not files and image is not None and not image.isNull():
        return _as_file(image)
    return files


def from_clipboard(clipboard: QClipboard) -> list[Path]:
    """Files or a picture."""
    data = clipboard.mimeData()
    return from_mime(data, clipboard.image() if data.hasImage() else None)


def _as_file(image: QImage) -> list[Path]:
    """A pasted picture lies in the user's folder from now on."""
    folder = paths.home() / "pasted"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"pasted {datetime.now(UTC):%Y-%m-%d %H.%M.%S.%f}.png"
    return [path] if image.save(str(path)) else []
