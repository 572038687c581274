"""Which line belongs to which run: a sample of the line, its letter, the run's name. As many lines as there is no room for less."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from georapp.gui import look
from georapp.gui.plain import tooltip
from georapp.gui.train.history.overlay import tone
from georapp.gui.train.legend import DASHES
from georapp.printable import printable
from georapp.run_compare import letter

_SAMPLE, _GAP, _BETWEEN, _LINE, _SIDE = 26, 8, 20, 20, 14
_LONGEST = 320  # pixels of a name


class RunKey(QWidget):
    """`show_runs`: their names, in the order of their letters, and for each whether it has a line in the chart."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._runs: list[tuple[str, int | None]] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def show_runs(self, names: Sequence[str], lines: Sequence[int]) -> None:
        """`lines`: the numbers of the runs that have a line, in the order of the lines."""
        self._runs = [(printable(name), lines.index(n) if n in lines else None) for n, name in enumerate(names)]
        words = "\n".join(
            f"{letter(n)}: {name}{'' if line is not None else ' (no such values)'}" for n, (name, line) in enumerate(self._runs)
        )
        self.setToolTip(tooltip(words))
        self.setAccessibleName(words)
        self.updateGeometry()
        self.update()

    def _places(self, width: int) -> list[tuple[QRectF, str]]:
        """Where each entry stands, and its words."""
        metrics, found, left, top = self.fontMetrics(), [], float(_SIDE), 0.0
        for number, (name, line) in enumerate(self._runs):
            words = f"{letter(number)}  {name}{'' if line is not None else ' (no such values)'}"
            words = metrics.elidedText(
                words, Qt.TextElideMode.ElideMiddle, min(_LONGEST, max(60, width - 2 * _SIDE - _SAMPLE - _GAP))
            )
            wide = _SAMPLE + _GAP + metrics.horizontalAdvance(words) + 2
            if left > _SIDE and left + wide > width - _SIDE:
                left, top = float(_SIDE), top + _LINE
            found.append((QRectF(left, top, wide, _LINE), words))
            left += wide + _BETWEEN
        return found

    def sizeHint(self) -> QSize:
        """Of the width that it has."""
        places = self._places(max(200, self.width()))
        return QSize(200, int(places[-1][0].bottom()) + 4 if places else 0)

    def minimumSizeHint(self) -> QSize:
        """All of it."""
        return self.sizeHint()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width makes other lines."""
        super().resizeEvent(event)
        if event.oldSize().width() != self.width():
            self.updateGeometry()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Samples and names."""
        painter, colours = QPainter(self), look.current()
        for number, (place, words) in enumerate(self._places(self.width())):
            line = self._runs[number][1]
            if line is not None:
                painter.setPen(QPen(QColor(getattr(colours, tone(number))), 2, DASHES[line % len(DASHES)]))
                middle = place.center().y()
                painter.drawLine(QPointF(place.left(), middle), QPointF(place.left() + _SAMPLE, middle))
            painter.setPen(QColor(colours.text if line is not None else colours.dim))
            painter.drawText(place.adjusted(_SAMPLE + _GAP, 0, 0, 0), Qt.AlignmentFlag.AlignVCenter, words)
