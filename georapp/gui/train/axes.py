"""Axes of the charts: the window's font and colours, numbers as people read them."""

from __future__ import annotations

import math
from typing import Any

import pyqtgraph
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QResizeEvent
from PySide6.QtWidgets import QWidget

from georapp.gui import look
from georapp.gui.train import figures

LEFT_PX, BOTTOM_PX = 56, 20
_SIZE_PX = 11
_GRID = 90  # of 255


class FigureAxis(pyqtgraph.AxisItem):  # type: ignore[misc]
    """An axis with few, plain numbers."""

    def __init__(self, orientation: str) -> None:
        super().__init__(orientation, maxTickLength=0)
        self.enableAutoSIPrefix(False)
        self.setStyle(tickTextOffset=6, autoExpandTextSpace=False, maxTickLevel=0, hideOverlappingLabels=True)
        if orientation == "left":
            self.setWidth(LEFT_PX)
            self.setGrid(_GRID)
        else:
            self.setHeight(BOTTOM_PX)

    def dress(self, font: QFont) -> None:
        """In the colours of the theme."""
        small = QFont(font)
        small.setPixelSize(_SIZE_PX)
        colours = look.current()
        self.setStyle(tickFont=small)
        self.setPen(pyqtgraph.mkPen(QColor(colours.line)))
        self.setTextPen(QColor(colours.dim))

    def tickStrings(self, values: list[float], scale: float, spacing: float) -> list[str]:
        """As pyqtgraph asks for them; of a logarithmic axis `values` are powers of ten."""
        if self.logMode:
            return [figures.number(10.0**value) for value in values]
        return figures.axis([value * scale for value in values], spacing * scale)

    def tickSpacing(self, lowest: float, highest: float, size: float) -> list[tuple[float, float]]:
        """Marks of one rank only, with room between them."""
        levels: list[tuple[float, float]] = super().tickSpacing(lowest, highest, size)
        if self.orientation == "bottom":  # steps, of which there is no half
            levels = [level for level in levels if level[0] >= 1] or [(1.0, 0.0)]
        wanted = max(2.0, size / (34 if self.orientation == "left" else 90))
        span = highest - lowest
        fitting: list[tuple[float, float]] = [level for level in levels if span / level[0] <= wanted]
        return fitting[-1:] or levels[:1]

    def tickValues(self, lowest: float, highest: float, size: float) -> list[tuple[float, list[float]]]:
        """Of a logarithmic axis 1, 2 and 5 of every power of ten, or fewer, or on a short one even steps."""
        if not self.logMode:
            values: list[tuple[float, list[float]]] = super().tickValues(lowest, highest, size)
            return values
        return [(1.0, _log_marks(lowest, highest, max(3, int(size / 26))))]


def _log_marks(lowest: float, highest: float, most: int) -> list[float]:
    """Powers of ten between two powers of ten."""
    first, last = math.floor(lowest), math.ceil(highest)
    for steps in ((1, 2, 5), (1,)):
        marks = [power + math.log10(step) for power in range(first, last + 1) for step in steps]
        there = [mark for mark in marks if lowest <= mark <= highest]
        if 3 <= len(there) <= most:
            return there
    if last - first > most:
        return [float(power) for power in range(first, last + 1, math.ceil((last - first) / most))]
    low, high = 10.0**lowest, 10.0**highest
    step = 10.0 ** math.floor(math.log10((high - low) / 2))
    step *= next(factor for factor in (1, 2, 5, 10) if (high - low) / (step * factor) <= most)
    even = [step * n for n in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [math.log10(mark) for mark in even if mark > 0]


class Plot(pyqtgraph.GraphicsView):  # type: ignore[misc]
    """A plot that only shows: no menus, no buttons, no dragging. Without pyqtgraph's PlotItem, whose menus take longer to make than the rest."""

    _late = False

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, background=None)
        self.left, self.bottom = FigureAxis("left"), FigureAxis("bottom")
        self.box = pyqtgraph.ViewBox(enableMenu=False, enableMouse=False, defaultPadding=0.0)
        self.box.disableAutoRange()
        layout = pyqtgraph.GraphicsLayout(border=None)
        layout.setContentsMargins(0, 2, 6, 0)
        layout.setSpacing(0)
        layout.addItem(self.left, 0, 0)
        layout.addItem(self.box, 0, 1)
        layout.addItem(self.bottom, 1, 1)
        self.left.linkToView(self.box)
        self.bottom.linkToView(self.box)
        self.setCentralItem(layout)
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)

    def resizeEvent(self, event: QResizeEvent | None) -> None:
        """What is scrolled out of sight is laid out when it comes back: twenty plots at once take too long for a frame."""
        self._late = event is not None and self.visibleRegion().isEmpty()
        if not self._late:
            super().resizeEvent(event)

    def catch_up(self) -> None:
        """Before it is drawn on."""
        if self._late:
            self.resizeEvent(None)

    def add(self, item: Any) -> Any:
        """Put a line or a mark on it."""
        self.box.addItem(item, ignoreBounds=True)
        return item

    def show_range(self, x: tuple[float, float], y: tuple[float, float]) -> None:
        """What the edges stand for."""
        self.box.setRange(xRange=x, yRange=y, padding=0, disableAutoRange=True)

    def step_at(self, place: QPoint) -> float:
        """The step below a point of the viewport."""
        return float(self.box.mapSceneToView(self.mapToScene(place)).x())
