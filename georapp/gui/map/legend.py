"""What the shapes on the map mean, drawn as the page draws them."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from georapp.gui import look
from georapp.gui.map.card import Card


class Legend(Card):
    """What the shapes on the map mean; only those that are there."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, name="mapLegend")
        self._entries: tuple[str, ...] = ()
        self.setAccessibleName("Legend")
        self.hide()

    def show_entries(self, entries: Sequence[str]) -> None:
        """Of `ENTRIES`, in this order."""
        self._entries = tuple(entries)
        self.setAccessibleDescription(", ".join(_WORDS[entry] for entry in entries))
        self.update()

    def fit(self, width: int) -> None:
        """In one row, or below each other where the row would be wider than `width`."""
        row = sum(self._widths()) + 12
        self.resize(row, 30) if row <= width else self.resize(max(self._widths(), default=0) + 12, 22 * len(self._entries) + 10)

    def _widths(self) -> list[int]:
        metrics = self.fontMetrics()
        return [metrics.horizontalAdvance(_WORDS[entry]) + _MARK_WIDTH.get(entry, 16) + 18 for entry in self._entries]

    def paintEvent(self, event: QPaintEvent) -> None:
        """Card, shapes and words."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left, top, in_row = 12, 0 if self.height() <= 30 else 5, self.height() <= 30
        high = self.height() if in_row else 22
        for entry, width in zip(self._entries, self._widths(), strict=True):
            mark = _MARK_WIDTH.get(entry, 16)
            draw_mark(painter, entry, QRectF(left, top, mark, high))
            painter.setPen(QColor(look.current().text))
            box = QRectF(left + mark + 6, top, width, high)
            painter.drawText(box, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignLeft, _WORDS[entry])
            left, top = (left + width, top) if in_row else (left, top + high)


_WORDS = {
    "areas": "50 % and 90 % of samples",
    "prediction": "prediction",
    "candidates": "candidates",
    "truth": "known place",
    "human": "correction",
    "photos": "photos together",
}
_MARK_WIDTH = {"areas": 20}
ENTRIES = tuple(_WORDS)


def draw_mark(painter: QPainter, entry: str, box: QRectF) -> None:
    """The shape of an entry in the middle of a box, as georapp-map.css draws it."""
    colours, middle = look.current(), box.center()
    prediction, wide = QColor(colours.accent), QPen(QColor(colours.accent), 1.5)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    if entry == "areas":
        soft = QColor(prediction)
        soft.setAlphaF(0.25)
        painter.setPen(QPen(prediction, 1.2, Qt.PenStyle.DashLine))
        painter.drawEllipse(middle, 9, 9)
        painter.setPen(wide)
        painter.setBrush(soft)
        painter.drawEllipse(middle, 4.5, 4.5)
    elif entry == "truth":
        painter.setPen(QPen(QColor(colours.truth), 3))
        painter.drawEllipse(middle, 5.5, 5.5)
    elif entry == "human":
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.human))
        painter.drawRoundedRect(QRectF(middle.x() - 6, middle.y() - 6, 12, 12), 2, 2)
    else:
        _draw_dot(painter, entry, middle, wide)


def _draw_dot(painter: QPainter, entry: str, middle: QPointF, line: QPen) -> None:
    """A filled dot, or one with a number."""
    colours = look.current()
    number = {"candidates": "1", "photos": "9"}.get(entry, "")
    painter.setPen(line)
    painter.setBrush(QColor(colours.panel if entry == "candidates" else colours.accent))
    painter.drawEllipse(middle, 8 if number else 5.5, 8 if number else 5.5)
    if number:
        font = painter.font()
        small = painter.font()
        small.setPixelSize(10)
        painter.setFont(small)
        painter.setPen(QColor(colours.text if entry == "candidates" else colours.on_accent))
        painter.drawText(QRectF(middle.x() - 8, middle.y() - 8, 16, 16), Qt.AlignmentFlag.AlignCenter, number)
        painter.setFont(font)
