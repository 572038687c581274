"""The small pictures of the rows on the screen: read in the background, the newest request first, at most 300 kept."""

from __future__ import annotations

import functools
from collections import OrderedDict
from pathlib import Path

from PySide6.QtCore import QObject, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QBrush, QImage, QImageReader, QPainter, QPixmap

from georapp.gui.background import run
from georapp.intake import small_picture

MOST_KEPT = 300
_MOST_WANTED = 64  # older requests are of rows that were scrolled away
_AT_ONCE = 2


class SmallPictures(QObject):
    """Pixmaps of one size by SHA-256. Ask for one with `pixmap`; `ready` says when it can be asked for again."""

    ready = Signal(str)

    def __init__(self, size: QSize, *, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._size, self._ratio = size, 1.0
        self._kept: OrderedDict[str, QPixmap | None] = OrderedDict()  # None: there is no such picture
        self._wanted: OrderedDict[str, None] = OrderedDict()
        self._busy: set[str] = set()

    def __len__(self) -> int:
        """Pixmaps that are kept."""
        return sum(pixmap is not None for pixmap in self._kept.values())

    def pixmap(self, sha256: str, ratio: float = 1.0) -> QPixmap | None:
        """`ratio`: pixels of the screen for each of ours. None: not there yet, or missing."""
        if ratio != self._ratio:
            self._ratio = ratio
            self._kept.clear()
        if sha256 in self._kept:
            self._kept.move_to_end(sha256)
            return self._kept[sha256]
        if sha256 not in self._busy:
            self._wanted[sha256] = None
            self._wanted.move_to_end(sha256)
            if len(self._wanted) > _MOST_WANTED:
                self._wanted.popitem(last=False)
            self._read_next()
        return None

    def _read_next(self) -> None:
        while self._wanted and len(self._busy) < _AT_ONCE:
            sha256, _ = self._wanted.popitem(last=True)
            self._busy.add(sha256)
            path, size, ratio = small_picture(sha256), self._size, self._ratio
            run(functools.partial(_read, path, size, ratio), functools.partial(self._keep, sha256, ratio), parent=self)

    def _keep(self, sha256: str, ratio: float, image: QImage) -> None:
        self._busy.discard(sha256)
        if ratio == self._ratio:
            self._kept[sha256] = None if image.isNull() else QPixmap.fromImage(image)
            while len(self._kept) > MOST_KEPT:
                self._kept.popitem(last=False)
        self._read_next()
        self.ready.emit(sha256)


def _read(path: Path, size: QSize, ratio: float) -> QImage:
    return rounded(read_small(path), size, ratio)


def read_small(path: Path) -> QImage:
    """A small picture as it is; a null image when it is missing. For any thread."""
    reader = QImageReader(str(path), b"jpg")  # our own files have no other kind
    return reader.read()


def rounded(image: QImage, size: QSize, ratio: float) -> QImage:
    """Cut and scaled so that it fills `size` logical pixels, with round corners. A null image stays one."""
    if image.isNull():
        return image
    pixels = size * ratio
    cover = image.scaled(pixels, Qt.AspectRatioMode.KeepAspectRatioByExpanding, Qt.TransformationMode.SmoothTransformation)
    cut = cover.copy(
        (cover.width() - pixels.width()) // 2, (cover.height() - pixels.height()) // 2, pixels.width(), pixels.height()
    )
    found = QImage(pixels, QImage.Format.Format_ARGB32_Premultiplied)
    found.fill(Qt.GlobalColor.transparent)
    painter = QPainter(found)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QBrush(cut))
    painter.drawRoundedRect(QRectF(found.rect()), 5 * ratio, 5 * ratio)
    painter.end()
    found.setDevicePixelRatio(ratio)
    return found
