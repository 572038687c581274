"""A plain outline of the land, and the part of the world that is shown; painted on another thread."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPainterPath, QPaintEvent, QPen, QPolygonF, QResizeEvent
from PySide6.QtWidgets import QWidget

from georapp import map_shapes
from georapp.errors import GazetteerError
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.train.curves import Floats

_LEAST_DEGREES = 2.0  # of height that are shown
_AROUND = 0.2  # of the height, on every side
_BORDERS_BELOW = 0.06  # degrees for a pixel: borders of provinces are drawn, which would be a thicket on a map of the world


@dataclass(frozen=True, slots=True)
class Frame:
    """The part of the world that is shown: its middle, degrees of latitude for a pixel, and by how much longitudes are narrowed."""

    lat: float
    lon: float
    pixel: float
    narrow: float

    def at(self, lat: float, lon: float, size: QSize) -> QPointF:
        """Where a place is in a picture of this size."""
        x = (lon - self.lon) * self.narrow / self.pixel + size.width() / 2
        return QPointF(x, (self.lat - lat) / self.pixel + size.height() / 2)

    def pixels(self, lat: Floats, lon: Floats, size: QSize) -> tuple[Floats, Floats]:
        """The same for many places: x and y."""
        return (lon - self.lon) * self.narrow / self.pixel + size.width() / 2, (self.lat - lat) / self.pixel + size.height() / 2

    def box(self, size: QSize) -> tuple[float, float, float, float]:
        """South, west, north, east."""
        high, wide = self.pixel * size.height() / 2, self.pixel / self.narrow * size.width() / 2
        return self.lat - high, self.lon - wide, self.lat + high, self.lon + wide


def frame_of(ways: Sequence[Sequence[Sequence[float]]], size: QSize, *, around: float = _AROUND) -> Frame:
    """Around all points (lat, lon) of these lines, with a part of their height to spare on every side."""
    points = np.array([point for way in ways for point in way])
    (south, west), (north, east) = points.min(0), points.max(0)
    lat, lon = (south + north) / 2, (west + east) / 2
    narrow = max(0.3, math.cos(math.radians(lat))) if north - south < 60 else 1.0
    high, wide = max(north - south, _LEAST_DEGREES), max(east - west, _LEAST_DEGREES) * narrow
    room = 1 + 2 * around
    return Frame(lat, lon, room * max(high / max(1, size.height()), wide / max(1, size.width())), narrow)


class LandMap(QWidget):
    """A part of the world with something on it. Who inherits says what: `_content`, `_paint_content`, `_caption`."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._frame: Frame | None = None
        self._land: tuple[object, QImage] | None = None  # what it was painted for
        self._wanted: object = None
        self.setMinimumSize(200, 140)

    # ---- of who inherits ----

    def _content(self) -> Sequence[Sequence[Sequence[float]]]:
        """Lines of points (lat, lon) to be shown; () for no map."""
        raise NotImplementedError

    def _paint_content(self, painter: QPainter, frame: Frame) -> None:
        raise NotImplementedError

    def _caption(self) -> str:
        raise NotImplementedError

    def _frame_around(self, content: Sequence[Sequence[Sequence[float]]], size: QSize) -> Frame:
        return frame_of(content, size)

    def _fit(self) -> None:
        """Show other content, or the same one in another size."""
        content = self._content()
        self._frame = self._frame_around(content, self.size()) if content else None
        self._ask_for_land()
        self.update()

    # ---- the land, on another thread ----

    def _key(self) -> tuple[object, ...]:
        return self._frame, self.size(), self.devicePixelRatioF(), look.current().dark

    def _ask_for_land(self) -> None:
        key = self._key()
        if self._frame is None or self._wanted == key or (self._land and self._land[0] == key):
            return
        self._wanted = key
        job = functools.partial(painted, self._frame, QSize(self.size()), self.devicePixelRatioF(), look.current())
        run(job, functools.partial(self._keep, key), parent=self, failed=lambda _: None)

    def _keep(self, key: object, image: QImage) -> None:
        if key == self._wanted:
            self._land, self._wanted = (key, image), None
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The same content in another size."""
        super().resizeEvent(event)
        self._fit()

    # ---- painting ----

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Land, content, caption."""
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        shape = QPainterPath()
        shape.addRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 8, 8)
        painter.fillPath(shape, QColor(colours.background))
        painter.setClipPath(shape)
        if self._land and self._land[0] == self._key():
            painter.drawImage(self.rect(), self._land[1])
        elif self._frame:
            self._ask_for_land()
        if self._frame:
            self._paint_content(painter, self._frame)
        self._paint_caption(painter)
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawPath(shape)

    def _paint_caption(self, painter: QPainter) -> None:
        font, text = QFont(self.font()), self._caption()
        font.setPixelSize(11)
        painter.setFont(font)
        place = self._caption_ground(painter, painter.fontMetrics().horizontalAdvance(text) + 16)
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)

    def _caption_ground(self, painter: QPainter, wide: float) -> QRectF:
        """Painted; the pen is that of text afterwards."""
        place = QRectF(8, self.height() - 30, min(wide, self.width() - 16), 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.current().raised))
        painter.drawRoundedRect(place, 6, 6)
        painter.setPen(QColor(look.current().text))
        return place


def painted(frame: Frame, size: QSize, ratio: float, colours: look.Colours) -> QImage:
    """The land, and behind it the colour of the window. Takes its time: on another thread."""
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(colours.background))
    south, west, north, east = frame.box(size)
    try:
        rings = map_shapes.land(max(-90.0, south), max(-540.0, west), min(90.0, north), min(540.0, east), frame.pixel)
    except GazetteerError:
        return image  # what is drawn on it is there without it
    path = QPainterPath()
    for ring in rings:
        x, y = frame.pixels(ring[:, 1], ring[:, 0], size)
        path.addPolygon(QPolygonF([QPointF(a, b) for a, b in zip(x.tolist(), y.tolist(), strict=True)]))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    ground = QColor(colours.raised if colours.dark else colours.panel)
    painter.setPen(QPen(QColor(colours.line) if frame.pixel < _BORDERS_BELOW else ground, 0.7))
    painter.setBrush(ground)
    path.setFillRule(Qt.FillRule.WindingFill)
    painter.drawPath(path)
    painter.end()
    return image
