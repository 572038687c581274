"""Reads a photo's pixels for the screen, and says whether the file is still the one that was added. For any thread."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QSize
from PySide6.QtGui import QImage, QPainter

from georapp import photo
from georapp.errors import PhotoError
from georapp.printable import printable

CHANGED = "The file has changed since it was added."
GONE = "The file is gone."
_STRIP_PIXELS = 500_000


@dataclass(frozen=True, slots=True)
class Loaded:
    """`drift` is a sentence where the file is not the one that was added; then there are no pixels. `size`: of the whole photo."""

    image: QImage = field(default_factory=QImage)
    size: QSize = field(default_factory=QSize)
    drift: str = ""


def load(path: Path, sha256: str, *, side: int, wanted: Callable[[], bool]) -> Loaded | None:
    """Upright, at most `side` pixels long. None when it was not `wanted` any more."""
    if not wanted():
        return None
    try:
        found = photo.read(path)
        if found.sha256 != sha256:
            return Loaded(drift=CHANGED)
        if not wanted():
            return None
        pixels = found.pixels()
    except PhotoError as error:
        return Loaded(drift=_sentence(path, error))
    pixels.thumbnail((side, side), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return Loaded(to_qt(pixels), QSize(found.width, found.height))


def to_qt(pixels: Image.Image) -> QImage:
    """An RGB picture as an image with memory of its own. In strips: whoever copies 200 MB at once stops all threads meanwhile."""
    image = QImage(pixels.width, pixels.height, QImage.Format.Format_RGB32)
    painter = QPainter(image)
    height = max(1, _STRIP_PIXELS // pixels.width)
    for top in range(0, pixels.height, height):
        strip = pixels.crop((0, top, pixels.width, min(top + height, pixels.height)))
        borrowed = QImage(strip.tobytes(), strip.width, strip.height, 3 * strip.width, QImage.Format.Format_RGB888)
        painter.drawImage(0, top, borrowed)
    painter.end()
    return image


def _sentence(path: Path, error: PhotoError) -> str:
    try:
        there = path.exists()
    except (OSError, ValueError):  # a closed folder, or a name that this system does not allow
        return printable(str(error))
    return printable(str(error)) if there else GONE
