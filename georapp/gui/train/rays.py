"""Answers as rays to the truth on a plain outline of the land: how a group gathers around the place, or does not."""

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
from georapp.geo import Coordinate, distance_km
from georapp.gui import look, words
from georapp.gui.background import run

_DOT, _RING = 4.0, 7.0
_LEAST_DEGREES = 2.0  # of height that are shown
_AROUND = 0.2  # of the height, on every side
_BORDERS_BELOW = 0.06  # degrees for a pixel: borders of provinces are drawn, which would be a thicket on a map of the world
_CAPTION = "Ring: the truth. Dots: answers."


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

    def box(self, size: QSize) -> tuple[float, float, float, float]:
        """South, west, north, east."""
        high, wide = self.pixel * size.height() / 2, self.pixel / self.narrow * size.width() / 2
        return self.lat - high, self.lon - wide, self.lat + high, self.lon + wide


def frame_of(ways: Sequence[Sequence[Sequence[float]]], size: QSize) -> Frame:
    """Around all points (lat, lon) of these lines."""
    points = np.array([point for way in ways for point in way])
    (south, west), (north, east) = points.min(0), points.max(0)
    lat, lon = (south + north) / 2, (west + east) / 2
    narrow = max(0.3, math.cos(math.radians(lat))) if north - south < 60 else 1.0
    high, wide = max(north - south, _LEAST_DEGREES), max(east - west, _LEAST_DEGREES) * narrow
    room = 1 + 2 * _AROUND
    return Frame(lat, lon, room * max(high / max(1, size.height()), wide / max(1, size.width())), narrow)


class Rays(QWidget):
    """A group of answers; without any, the hint why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._truth: Coordinate | None = None
        self._points: Sequence[Coordinate | None] = ()
        self._ways: dict[int, list[list[float]]] = {}
        self._chosen = -1
        self._frame: Frame | None = None
        self._land: tuple[object, QImage] | None = None  # what it was painted for
        self._wanted: object = None
        self.setMinimumSize(200, 140)
        self.setAccessibleName("Map of the answers")

    def show_group(self, truth: Coordinate | None, points: Sequence[Coordinate | None]) -> None:
        """Where the photo was taken, and where each answer points; None for one that names no place."""
        self._truth, self._points, self._chosen = truth, points, -1
        self._ways = {n: map_shapes.great_circle(truth, p) for n, p in enumerate(points) if p and truth}
        self.setAccessibleDescription(self.summary())
        self._fit()

    def choose(self, number: int) -> None:
        """One answer stands out; -1: none."""
        if number != self._chosen:
            self._chosen = number
            self.update()

    def summary(self) -> str:
        """The picture in a sentence."""
        if not self._truth:
            return "No answers."
        there = [distance_km(self._truth, point) for point in self._points if point]
        if not there:
            return f"None of {len(self._points)} answers names a place."
        nearest, farthest = words.kilometres(min(there)), words.kilometres(max(there))
        return f"{len(there)} of {len(self._points)} answers name a place, {nearest} to {farthest} from the truth."

    def _fit(self) -> None:
        if not self._truth:
            self._frame = None
        else:
            here = [[self._truth.lat, self._truth.lon]]
            self._frame = frame_of([here, *self._ways.values()], self.size())
        self._ask_for_land()
        self.update()

    # ---- the land, on another thread ----

    def _key(self) -> tuple[Frame | None, QSize, float, bool]:
        return self._frame, self.size(), self.devicePixelRatioF(), look.current().dark

    def _ask_for_land(self) -> None:
        key = self._key()
        if self._frame is None or self._wanted == key or (self._land and self._land[0] == key):
            return
        self._wanted = key
        job = functools.partial(_painted, self._frame, QSize(self.size()), self.devicePixelRatioF(), look.current())
        run(job, functools.partial(self._keep, key), parent=self, failed=lambda _: None)

    def _keep(self, key: object, image: QImage) -> None:
        if key == self._wanted:
            self._land, self._wanted = (key, image), None
            self.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The same group in another size."""
        super().resizeEvent(event)
        self._fit()

    # ---- painting ----

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Land, rays, answers, truth, caption."""
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
        if self._frame and self._truth:
            self._paint_group(painter, self._frame, self._truth)
        self._paint_caption(painter)
        painter.setClipping(False)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(QColor(colours.line), 1))
        painter.drawPath(shape)

    def _paint_group(self, painter: QPainter, frame: Frame, truth: Coordinate) -> None:
        colours, size = look.current(), self.size()
        for number, way in sorted(self._ways.items(), key=lambda item: item[0] == self._chosen):
            chosen = number == self._chosen
            colour = QColor(colours.accent)
            colour.setAlphaF(1.0 if chosen or self._chosen < 0 else 0.35)
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 2.5 if chosen else 1.2))
            line = QPolygonF([frame.at(lat, lon, size) for lat, lon in way])
            painter.drawPolyline(line)
            painter.setPen(QPen(QColor(colours.panel), 1.5))
            painter.setBrush(colour)
            painter.drawEllipse(line.last(), _DOT + 2 * chosen, _DOT + 2 * chosen)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        for shade, width in ((colours.panel, 5.0), (colours.truth, 2.5)):
            painter.setPen(QPen(QColor(shade), width))
            painter.drawEllipse(frame.at(truth.lat, truth.lon, size), _RING, _RING)

    def _paint_caption(self, painter: QPainter) -> None:
        colours, font = look.current(), QFont(self.font())
        font.setPixelSize(11)
        painter.setFont(font)
        text = _CAPTION if self._ways else self.summary()
        wide = painter.fontMetrics().horizontalAdvance(text) + 16
        place = QRectF(8, self.height() - 30, min(wide, self.width() - 16), 22)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.raised))
        painter.drawRoundedRect(place, 6, 6)
        painter.setPen(QColor(colours.text))
        painter.drawText(place, Qt.AlignmentFlag.AlignCenter, text)


def _painted(frame: Frame, size: QSize, ratio: float, colours: look.Colours) -> QImage:
    """The land. On the other thread."""
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(QColor(colours.background))
    south, west, north, east = frame.box(size)
    try:
        rings = map_shapes.land(max(-90.0, south), max(-540.0, west), min(90.0, north), min(540.0, east), frame.pixel)
    except GazetteerError:
        return image  # the rays are there without it
    path = QPainterPath()
    for ring in rings:
        x = (ring[:, 0] - frame.lon) * frame.narrow / frame.pixel + size.width() / 2
        y = (frame.lat - ring[:, 1]) / frame.pixel + size.height() / 2
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
