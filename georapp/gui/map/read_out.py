"""The map's scale and coordinates."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QToolButton, QWidget

from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.map.card import Card, decimal, named

Formatter = Callable[[Coordinate], str]

SCALE_PX = 80  # at most


class Scale(QWidget):
    """A bar of a round length."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._metres = 0.0
        self._text = ""
        self.setAccessibleName("Scale")
        self.setFixedSize(SCALE_PX + 8, 24)

    def show_scale(self, metres_a_pixel: float) -> None:
        """In the middle of the view."""
        self._metres = metres_a_pixel
        length = round_length(metres_a_pixel * SCALE_PX)
        self._text = f"{length / 1000:,.0f} km" if length >= 1000 else f"{length:.0f} m"
        self.setAccessibleDescription(self._text)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """The bar below its length."""
        del event
        if not self._metres:
            return
        painter, wide = QPainter(self), round_length(self._metres * SCALE_PX) / self._metres
        painter.setPen(QPen(QColor(look.current().dim), 1))
        painter.drawText(QRectF(0, 0, SCALE_PX + 8, 16), Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, self._text)
        painter.setPen(QPen(QColor(look.current().dim), 2))
        painter.drawPolyline([QPointF(1, 16), QPointF(1, 20), QPointF(wide, 20), QPointF(wide, 16)])


def round_length(metres: float) -> float:
    """The largest of 1, 2, 5, 10, 20 ... that is not longer."""
    power = 10.0 ** math.floor(math.log10(max(metres, 1e-3)))
    return next(power * step for step in (5, 2, 1) if power * step <= metres * 1.0000001)


class ReadOut(Card):
    """Scale, and the coordinates under the pointer, else of the last place that was clicked; a click changes the notation."""

    copied = Signal(str)

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, name="mapReadOut")
        self._formatters: tuple[Formatter, ...] = (decimal,)
        self._which = 0
        self._kept: Coordinate | None = None
        self._pointed: Coordinate | None = None
        self._note = ""
        self.scale = Scale(self)
        self.text = named(QToolButton(self), "Coordinates", "Coordinates; a click shows the next notation (F)")
        self.text.clicked.connect(self.cycle)
        self.copy = named(QToolButton(self), "Copy coordinates", "Copy the coordinates of the last place (Ctrl+Shift+C)")
        self.copy.setText("Copy")
        self.copy.clicked.connect(self.copy_text)
        self.note = QLabel(textFormat=Qt.TextFormat.PlainText)
        self._row = layout = QHBoxLayout(self)
        layout.setContentsMargins(12, 4, 8, 4)
        layout.setSpacing(4)
        for widget in (self.scale, self.note, self.text, self.copy):
            layout.addWidget(widget)
        self._refresh()

    def set_formatters(self, formatters: Sequence[Formatter]) -> None:
        """The notations, in the order in which a click shows them."""
        self._formatters, self._which = tuple(formatters) or (decimal,), 0
        self._refresh()

    def point(self, coordinate: Coordinate | None) -> None:
        """Under the pointer; None when it left."""
        self._pointed = coordinate
        self._refresh()

    def keep(self, coordinate: Coordinate | None) -> None:
        """To be shown and copied when the pointer is elsewhere."""
        self._kept = coordinate
        self._refresh()

    def tell(self, note: str) -> None:
        """Words before the coordinates: what was measured, what to click."""
        self._note = note
        self._refresh()

    def fit(self, width: int) -> None:
        """Leave out the scale, then the coordinates beside words, where there is less room than `width`."""
        place = self._pointed or self._kept
        for scale, text in ((True, place is not None), (False, place is not None), (False, not self._note and place is not None)):
            self.scale.setVisible(scale)
            self.text.setVisible(text)
            self.copy.setVisible(text)
            self._row.activate()
            if self.sizeHint().width() <= width:
                break
        self.resize(self.sizeHint())

    def cycle(self) -> None:
        """The next notation."""
        self._which = (self._which + 1) % len(self._formatters)
        self._refresh()

    def copy_text(self) -> None:
        """The kept place in the notation that is shown."""
        if self._kept:
            self.copy_place(self._kept)

    def copy_place(self, coordinate: Coordinate) -> None:
        """A place in the notation that is shown."""
        text = self._write(coordinate)
        QGuiApplication.clipboard().setText(text)
        self.copied.emit(text)

    def _write(self, coordinate: Coordinate) -> str:
        return self._formatters[self._which](coordinate)

    def _refresh(self) -> None:
        place = self._pointed or self._kept
        self.text.setText(self._write(place) if place else "")
        self.text.setVisible(place is not None)
        self.copy.setEnabled(self._kept is not None)
        self.copy.setVisible(place is not None)
        self.note.setText(self._note)
        self.note.setVisible(bool(self._note))
        self._row.activate()
        self.resize(self.sizeHint())
