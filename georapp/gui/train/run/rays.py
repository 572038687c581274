"""Answers as rays to the truth on a plain outline of the land: how a group gathers around the place, or does not."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from georapp import map_shapes
from georapp.geo import Coordinate, distance_km
from georapp.gui import look, words
from georapp.gui.train.land import Frame, LandMap
from georapp.gui.train.land import frame_of as frame_of  # so that who measures rays finds it here

_DOT, _RING = 4.0, 7.0
_CAPTION = "Ring: the truth. Dots: answers."


class Rays(LandMap):
    """A group of answers; without any, the hint why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._truth: Coordinate | None = None
        self._points: Sequence[Coordinate | None] = ()
        self._ways: dict[int, list[list[float]]] = {}
        self._chosen = -1
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

    def _content(self) -> Sequence[Sequence[Sequence[float]]]:
        """The truth and all ways to it."""
        return [[[self._truth.lat, self._truth.lon]], *self._ways.values()] if self._truth else ()

    def _caption(self) -> str:
        return _CAPTION if self._ways else self.summary()

    def _paint_content(self, painter: QPainter, frame: Frame) -> None:
        """Rays, answers, truth."""
        colours, size, truth = look.current(), self.size(), self._truth
        if truth is None:
            return
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
