"""The photo that was asked about, its true place, and the whole text of the answer that is chosen."""

from __future__ import annotations

import functools
from pathlib import Path

from PIL import Image
from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QColor, QImage, QPainter, QPainterPath, QPaintEvent
from PySide6.QtWidgets import QFrame, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from georapp import photo
from georapp.errors import PhotoError
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.plain import label, shown, tooltip

_SIDE = 640  # pixels of a photo that is kept
_NOT_HERE = "The photo is not on this machine."


class _Picture(QWidget):
    """Fills its place, cut at the longer side."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.image, self.text = QImage(), ""
        self.setMinimumHeight(52)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def sizeHint(self) -> QSize:
        """Three to two."""
        return QSize(240, 150)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """With round corners above."""
        painter = QPainter(self)
        painter.setRenderHints(QPainter.RenderHint.Antialiasing | QPainter.RenderHint.SmoothPixmapTransform)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()), 6, 6)
        painter.fillPath(shape, QColor(look.current().raised))
        if self.image.isNull():
            painter.setPen(QColor(look.current().dim))
            painter.drawText(
                self.rect().adjusted(8, 0, -8, 0), Qt.AlignmentFlag.AlignCenter | Qt.TextFlag.TextWordWrap, self.text
            )
            return
        painter.setClipPath(shape)
        scale = max(self.width() / self.image.width(), self.height() / self.image.height())
        wide, high = self.width() / scale, self.height() / scale
        part = QRectF((self.image.width() - wide) / 2, (self.image.height() - high) / 2, wide, high)
        painter.drawImage(QRectF(self.rect()), self.image, part)


class PhotoCard(QFrame):
    """Of one group of answers."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "chart")
        self._path = ""
        self._picture = _Picture(self)
        self._name = label("", "strong", wrap=False)
        self._name.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._facts = label("", "dim")
        self._answer = QPlainTextEdit(self)
        self._answer.setReadOnly(True)
        self._answer.setFixedHeight(76)
        self._answer.setAccessibleName("Text of the chosen answer")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 10, 10, 10)
        column.setSpacing(6)
        column.addWidget(self._picture, 1)
        for widget in (self._name, self._facts, self._answer):
            column.addWidget(widget)
        self._answer.hide()

    def show_photo(self, path: str, facts: str) -> None:
        """The photo at a path of the machine that trains, which may be another one."""
        self._facts.setText(facts)
        if path == self._path:
            return
        self._path = path
        self._name.setText(shown(Path(path).name, longest=40))
        self._name.setToolTip(tooltip(path))
        self._show(QImage(), "")
        run(functools.partial(_load, Path(path)), functools.partial(self._loaded, path), parent=self)

    def show_answer(self, text: str) -> None:
        """What the model wrote, as it is, in place of the facts; "" hides it."""
        self._facts.setVisible(not text)
        self._answer.setPlainText(text)
        self._answer.setVisible(bool(text))

    def answer(self) -> str:
        """The text that is shown."""
        return self._answer.toPlainText()

    def _loaded(self, path: str, image: QImage) -> None:
        if path == self._path:
            self._show(image, _NOT_HERE if image.isNull() else "")

    def _show(self, image: QImage, text: str) -> None:
        self._picture.image, self._picture.text = image, text
        self._picture.setAccessibleName(text or "Photo")
        self._picture.update()


def _load(path: Path) -> QImage:
    """A null image for what cannot be read here. On the other thread."""
    try:
        pixels = photo.read(path).pixels()
    except (PhotoError, OSError, ValueError):
        return QImage()
    pixels.thumbnail((_SIDE, _SIDE), Image.Resampling.BICUBIC, reducing_gap=2.0)
    return QImage(pixels.tobytes(), pixels.width, pixels.height, 3 * pixels.width, QImage.Format.Format_RGB888).copy()
