"""What the lines of a chart mean: a sample of each line, its word, its newest value."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QWidget

from georapp.gui import look
from georapp.gui.plain import tooltip

DASHES = (
    Qt.PenStyle.SolidLine,
    Qt.PenStyle.DashLine,
    Qt.PenStyle.DotLine,
    Qt.PenStyle.DashDotLine,
    Qt.PenStyle.DashDotDotLine,
)
_SAMPLE_PX, _GAP_PX, _SIZE_PX = 11, 6, 11
_NARROW = str.maketrans({" ": "\N{NARROW NO-BREAK SPACE}"})


class Legend(QWidget):
    """In one row, as many as there is room for; all of them in the tooltip."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[tuple[str, str]] = []

    def show_entries(self, entries: Sequence[tuple[str, str]]) -> None:
        """(text, colour of the theme) each, in the order of the lines."""
        if self._entries != list(entries):
            self._entries = list(entries)
            self.setToolTip(tooltip("\n".join(text for text, _ in entries)))
            self.update()

    def sizeHint(self) -> QSize:
        """A line of small text."""
        return QSize(100, 18)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Samples and words."""
        font, colours = QFont(self.font()), look.current()
        font.setPixelSize(_SIZE_PX)
        painter = QPainter(self)
        painter.setFont(font)
        left, middle, metrics = 0.0, self.height() / 2, painter.fontMetrics()
        for number, (words, tone) in enumerate(self._entries):
            text = words.translate(_NARROW)
            wide = metrics.horizontalAdvance(text)
            if left + _SAMPLE_PX + 4 + wide > self.width():
                painter.setPen(QColor(colours.dim))
                painter.drawText(QPointF(left, middle + metrics.ascent() / 2 - 1), "…")
                return
            painter.setPen(QPen(QColor(getattr(colours, tone)), 2, DASHES[number % len(DASHES)]))
            painter.drawLine(QPointF(left, middle), QPointF(left + _SAMPLE_PX, middle))
            painter.setPen(QColor(colours.dim))
            place = QRectF(left + _SAMPLE_PX + 4, 0, wide + 2, self.height())
            painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, text)
            left += _SAMPLE_PX + 4 + wide + _GAP_PX
