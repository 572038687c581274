"""A photo of the album, whole, with the pixels that the model gets."""

from __future__ import annotations

import functools
import math
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QVBoxLayout, QWidget

from georapp import photo
from georapp.errors import PhotoError
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.plain import label, shown, tooltip

_SIDE_PX = 216  # on the screen
_NOT_HERE = "The photo is not on this machine."


class _Picture(QWidget):
    """The whole photo, as large as there is room."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.image, self.text = QImage(), ""
        self.setFixedSize(_SIDE_PX, round(_SIDE_PX * 0.75))

    def show_image(self, image: QImage, text: str) -> None:
        """A null image: `text` says why."""
        self.image, self.text = image, text
        self.setAccessibleName(text or f"Photo, {image.width()} × {image.height()} pixels")
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """In the middle, on the ground of a card."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.current().raised))
        painter.drawRoundedRect(QRectF(self.rect()), 6, 6)
        if self.image.isNull():
            painter.setPen(QColor(look.current().dim))
            middle = Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap
            painter.drawText(self.rect().adjusted(8, 0, -8, 0), middle, self.text)
            return
        size = QSize(self.image.size()).scaled(self.size(), Qt.AspectRatioMode.KeepAspectRatio)
        place = QRectF((self.width() - size.width()) / 2, (self.height() - size.height()) / 2, size.width(), size.height())
        painter.drawImage(place, self.image)


class SamplePhoto(QWidget):
    """Picture, name, size."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked: tuple[Path, int] | None = None
        self._picture = _Picture(self)
        self._name, self._size = label("", "strong", wrap=False), label("", "dim")
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        for part in (self._picture, self._name, self._size):
            column.addWidget(part)
        column.addStretch()
        self.setFixedWidth(_SIDE_PX)

    def show_photo(self, path: Path, *, max_pixels: int) -> None:
        """Scaled down to so many pixels; 0: as it is."""
        self._asked = path, max_pixels
        self._name.setText(shown(path.name, longest=60))
        self._name.setToolTip(tooltip(str(path)))
        self._picture.show_image(QImage(), "")
        self._size.setText("")
        run(functools.partial(_pixels, path, max_pixels), functools.partial(self._loaded, self._asked), parent=self)

    def _loaded(self, asked: tuple[Path, int], image: QImage) -> None:
        if asked != self._asked:
            return
        self._picture.show_image(image, _NOT_HERE if image.isNull() else "")
        about = "as the model gets it" if asked[1] else "as it is"
        self._size.setText("" if image.isNull() else f"{image.width():,} × {image.height():,} pixels, {about}")

    def words(self) -> str:
        """The size, or why there is no photo."""
        return self._picture.text or self._size.text()


def _pixels(path: Path, max_pixels: int) -> QImage:
    """Upright, scaled down as the model gets it; a null image for what cannot be read here. On the other thread."""
    try:
        pixels = photo.read(path).pixels()
    except (PhotoError, OSError, ValueError):
        return QImage()
    if max_pixels and pixels.width * pixels.height > max_pixels:
        scale = math.sqrt(max_pixels / (pixels.width * pixels.height))
        size = (max(1, int(pixels.width * scale)), max(1, int(pixels.height * scale)))
        pixels = pixels.resize(size, Image.Resampling.BICUBIC, reducing_gap=2.0)
    return QImage(pixels.tobytes(), pixels.width, pixels.height, 3 * pixels.width, QImage.Format.Format_RGB888).copy()
