"""Where the photos of an album were taken, on a plain outline of the land: training photos as discs, held-out ones as rings."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QImage, QPainter, QPen, QPolygonF
from PySide6.QtWidgets import QWidget

from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.train.curves import Floats
from georapp.gui.train.land import Frame, LandMap, frame_of

_DOT_PX, _RING_PX, _RING_LINE_PX = 4.5, 6.0, 1.5
_CAPTION_PX, _MARK_PX = 34, 24  # room for the caption, and in it for a mark
_AROUND = 0.08  # of the height, on every side
_NEARLY_AS_NARROW = 30.0  # degrees that a cut elsewhere than in the Pacific must save
_KINDS = ("training", "held out")
_CAPTION = "Discs: training. Rings: held out."
_EMPTY = "No photos yet."


class AlbumMap(LandMap):
    """All places, with some room around them."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._places: Floats = np.zeros((0, 3))  # rows of lat, lon, whether held out (1 or 0)
        self._dots: tuple[object, QImage] | None = None  # what it was painted for
        self._asked: object = None
        self._number = 0  # of what is shown: another album, another image
        self.setAccessibleName("Map of the album")
        self.show_places(())

    def show_places(self, places: Sequence[tuple[float, float, bool]]) -> None:
        """(lat, lon, held out) each; () for none. Fast for 20,000, which are drawn on another thread."""
        found = np.array(places, dtype=np.float64).reshape(-1, 3)
        found[:, 1] = unrolled(found[:, 1])
        self._places, self._number = found, self._number + 1
        self.setAccessibleDescription(self.summary())
        self._fit()

    def summary(self) -> str:
        """The picture in a sentence."""
        if not len(self._places):
            return _EMPTY
        south, north = (self._latitude(value) for value in (self._places[:, 0].min(), self._places[:, 0].max()))
        held_out = int(self._places[:, 2].sum())
        return f"{len(self._places) - held_out:,} training and {held_out:,} held-out photos, from {south} to {north}."

    @staticmethod
    def _latitude(value: float) -> str:
        return f"{abs(value):.0f}° {'north' if value >= 0 else 'south'}"

    # ---- as LandMap asks for it ----

    def _content(self) -> Sequence[Sequence[Sequence[float]]]:
        """The corners of the box around all places."""
        if not len(self._places):
            return ()
        points = self._places[:, :2]
        return [[points.min(0).tolist(), points.max(0).tolist()]]

    def _frame_around(self, content: Sequence[Sequence[Sequence[float]]], size: QSize) -> Frame:
        """Above the caption, which would hide places."""
        frame = frame_of(content, QSize(size.width(), size.height() - _CAPTION_PX), around=_AROUND)
        return replace(frame, lat=frame.lat - frame.pixel * _CAPTION_PX / 2)

    def _paint_content(self, painter: QPainter, frame: Frame) -> None:
        """The places, as soon as they are drawn: before the land, which takes longer."""
        key = (*self._key(), self._number)
        if self._dots and self._dots[0] == key:
            painter.drawImage(self.rect(), self._dots[1])
        elif self._asked != key:
            self._asked = key
            job = functools.partial(_painted, self._places, frame, QSize(self.size()), self.devicePixelRatioF(), look.current())
            run(job, functools.partial(self._keep_dots, key), parent=self)

    def _keep_dots(self, key: object, image: QImage) -> None:
        if key == self._asked:
            self._dots, self._asked = (key, image), None
            self.update()

    def _caption(self) -> str:
        return _CAPTION if len(self._places) else _EMPTY

    def _paint_caption(self, painter: QPainter) -> None:
        """What disc and ring mean."""
        if not len(self._places):
            super()._paint_caption(painter)
            return
        font, left = QFont(self.font()), 18.0
        font.setPixelSize(11)
        painter.setFont(font)
        advance = painter.fontMetrics().horizontalAdvance
        place = self._caption_ground(painter, _MARK_PX + sum(advance(word) for word in _KINDS) + 30)
        for word, paint in zip(_KINDS, (_paint_discs, _paint_rings), strict=True):
            paint(painter, [QPointF(left, place.center().y())], look.current())
            painter.setPen(QColor(look.current().text))
            painter.drawText(QPointF(left + 8, place.center().y() + painter.fontMetrics().ascent() / 2 - 1), word)
            left += _MARK_PX + advance(word)


def unrolled(lon: Floats) -> Floats:
    """Longitudes as they lie side by side when the globe is cut where nobody took a photo: Fiji's two halves stay together."""
    if len(lon) < 2:
        return lon
    sides = np.sort(lon)
    gaps = np.diff(sides)
    widest = int(gaps.argmax())
    if gaps[widest] - (360 - (sides[-1] - sides[0])) < _NEARLY_AS_NARROW:
        return lon
    moved = np.where(lon <= sides[widest], lon + 360, lon)
    return moved - 360 if moved.mean() > 180 else moved


def _painted(places: Floats, frame: Frame, size: QSize, ratio: float, colours: look.Colours) -> QImage:
    """The places alone. On the other thread."""
    image = QImage(size * ratio, QImage.Format.Format_ARGB32_Premultiplied)
    image.setDevicePixelRatio(ratio)
    image.fill(Qt.GlobalColor.transparent)
    x, y = frame.pixels(places[:, 0], places[:, 1], size)
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    held_out = places[:, 2] > 0
    _paint_discs(painter, _apart(x[~held_out], y[~held_out], _DOT_PX / 2), colours)
    _paint_rings(painter, _apart(x[held_out], y[held_out], _RING_PX), colours)
    painter.end()
    return image


def _apart(x: Floats, y: Floats, cell: float) -> list[QPointF]:
    """One point of each cell of so many pixels: others would cover it."""
    cells = np.round(np.column_stack([x, y]) / cell).astype(np.int64)
    first = np.unique(cells, axis=0, return_index=True)[1]
    return [QPointF(a, b) for a, b in zip(x[first].tolist(), y[first].tolist(), strict=True)]


def _paint_discs(painter: QPainter, points: list[QPointF], colours: look.Colours) -> None:
    """First all edges and then all discs: in a heap of them the edge is that of the heap."""
    polygon = QPolygonF(points)
    for tone, width in ((colours.panel, _DOT_PX + 1.5), (colours.accent, _DOT_PX)):
        painter.setPen(QPen(QColor(tone), width, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
        painter.drawPoints(polygon)


def _paint_rings(painter: QPainter, points: list[QPointF], colours: look.Colours) -> None:
    painter.setBrush(Qt.BrushStyle.NoBrush)
    for tone, width in ((colours.panel, _RING_LINE_PX + 1.6), (colours.province, _RING_LINE_PX)):
        painter.setPen(QPen(QColor(tone), width))
        for point in points:
            painter.drawEllipse(point, _RING_PX / 2, _RING_PX / 2)
