"""The lines of one chart, in pyqtgraph. What does not fit the pixels is thinned out so that spikes and gaps stay."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pyqtgraph
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QColor, QFont, QPen
from PySide6.QtWidgets import QWidget

from georapp.gui import look
from georapp.gui.train import curves
from georapp.gui.train.axes import LEFT_PX, Plot
from georapp.gui.train.chart_plan import ChartPlan
from georapp.gui.train.curves import Floats
from georapp.gui.train.legend import DASHES

_FEW = 60  # points that are drawn as dots too
_AROUND = 0.08  # of the height, above and below the lines
_FLAT = 1e-6
_RAW = 0.42  # how much of its colour a line of raw values has
_ROUGH_PX = 6_000  # a line that goes up and down farther takes 200 ms with round edges and dashes, and 8 ms without
_MARK_PX = 8  # a mark of what was no number takes so much room

Thin = Callable[[Floats, Floats, int], tuple[Floats, Floats]]


@dataclass(frozen=True, slots=True)
class ChartView:
    """How all charts show their values. `last`: so many steps, 0 for all; `smooth`: the mean of so many values, 1 for none."""

    last: int = 0
    smooth: int = 25
    raw: bool = True
    log: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """One line: steps, values as measured and as smoothed, and the steps at which they were no number."""

    x: Floats
    raw: Floats
    main: Floats
    odd: Floats


def curve_of(x: Floats, y: Floats, odd: Floats, view: ChartView, plan: ChartPlan) -> Curve:
    """What is visible of a column: smoothed before it is cut, so that its left end is right too."""
    n = int(np.searchsorted(x, x[-1] - view.last, "right")) if view.last and len(x) else 0
    main = curves.smoothed(y, view.smooth if plan.smooth else 1)
    first = x[n] if n else -np.inf
    return Curve(x[n:], y[n:] * plan.scale, main[n:] * plan.scale, odd[odd >= first])


class Drawing:
    """Items on a plot, from the lowest to the highest: raw lines, lines, dots, marks, the cursor."""

    def __init__(self, plan: ChartPlan, parent: QWidget) -> None:
        self._plan = plan
        self._plot = Plot(parent)
        add = self._plot.add
        count = range(len(plan.series))
        self._pens: dict[int, list[QPen]] = {}  # of each line: as the legend has it, and for a rough line
        self._raw = [add(pyqtgraph.PlotCurveItem(antialias=True)) for _ in count]
        self._lines = [add(pyqtgraph.PlotCurveItem(antialias=True)) for _ in count]
        self._dots = [add(pyqtgraph.ScatterPlotItem(size=5, pxMode=True)) for _ in count]
        self._odd = add(pyqtgraph.ScatterPlotItem(symbol="x", size=9, pxMode=True))
        self._cursor = add(pyqtgraph.InfiniteLine(angle=90, movable=False))
        self._cursor.hide()

    @property
    def widget(self) -> QWidget:
        """To be laid out."""
        plot: QWidget = self._plot
        return plot

    @property
    def ground(self) -> QWidget:
        """What the pointer moves over."""
        viewport: QWidget = self._plot.viewport()
        return viewport

    def step_at(self, place: QPoint) -> float:
        """The step below a point of the ground."""
        return self._plot.step_at(place)

    def point(self, step: float | None) -> None:
        """Move the cursor; None takes it away."""
        self._cursor.setVisible(step is not None)
        if step is not None:
            self._cursor.setValue(step)

    def draw(self, found: Sequence[Curve], view: ChartView) -> bool:
        """All lines anew; whether the axis is logarithmic, which needs values above zero."""
        self._plot.catch_up()
        span = curves.bounds([curve.x for curve in found])
        if span is None:
            return False
        with_raw = view.raw and len(found) == 1 and self._plan.smooth and view.smooth > 1
        height = curves.bounds([part for curve in found for part in (curve.main, *([curve.raw] if with_raw else []))])
        logarithmic = view.log and height is not None and height[0] > 0
        self._plot.left.setLogMode(x=False, y=logarithmic)
        low, high = self._heights(height, logarithmic)
        for number, curve in enumerate(found):
            self._draw_line(number, curve, with_raw, logarithmic, self._plot.height() / (high - low))
        around = 0.01 * max(span[1] - span[0], 1.0)
        self._plot.show_range((span[0] - around, max(span[1], span[0] + 1) + around), (low, high))
        self._mark(np.unique(np.concatenate([curve.odd for curve in found])), low + 0.05 * (high - low))
        return logarithmic

    def _draw_line(self, number: int, curve: Curve, with_raw: bool, logarithmic: bool, scale: float) -> None:
        """`scale`: pixels for a unit of height."""
        self._raw[number].setVisible(with_raw)
        if with_raw:
            self._raw[number].setData(*self._points(curves.decimated, curve.x, curve.raw, logarithmic), connect="finite")
        x, y = self._points(curves.means if with_raw else curves.decimated, curve.x, curve.main, logarithmic)
        rough = curves.travel(y) * scale > _ROUGH_PX
        self._lines[number].setPen(self._pens[number][rough])
        self._lines[number].setData(x, y, connect="finite", antialias=not rough)
        seen = np.isfinite(y) if len(x) <= _FEW else curves.alone(y)
        self._dots[number].setVisible(bool(seen.any()))
        self._dots[number].setData(x[seen], y[seen])

    def _points(self, thin: Thin, x: Floats, y: Floats, logarithmic: bool) -> tuple[Floats, Floats]:
        x, y = thin(x, y, max(100, self._plot.width() - LEFT_PX))
        return x, curves.logarithms(y) if logarithmic else y

    def _heights(self, found: tuple[float, float] | None, logarithmic: bool) -> tuple[float, float]:
        if found is None:
            return 0.0, 1.0
        low, high = (float(np.log10(value)) for value in found) if logarithmic else found
        from_zero = self._plan.from_zero and not logarithmic
        if from_zero:
            low = min(0.0, low)
        flat = high - low <= _FLAT * abs(high)  # what is left of a sum of equal numbers is no curve
        around = (max(abs(high) * _AROUND, 1e-9) if high else 1.0) if flat else _AROUND * (high - low)
        return (low if from_zero and low == 0 else low - around), high + around

    def _mark(self, steps: Floats, height: float) -> None:
        """Where values were no number; marks that would touch become one."""
        if len(steps):
            width = (steps[-1] - steps[0]) / max(1, self._plot.width() // _MARK_PX)
            steps = steps[np.unique((steps - steps[0]) // max(width, 1e-9), return_index=True)[1]]
        self._odd.setVisible(len(steps) > 0)
        self._odd.setData(steps, np.full(len(steps), height))

    def dress(self, font: QFont) -> None:
        """In the colours of the theme."""
        colours = look.current()
        self._plot.setBackground(QColor(colours.panel))
        for axis in (self._plot.left, self._plot.bottom):
            axis.dress(font)
        for number, series in enumerate(self._plan.series):
            colour = QColor(getattr(colours, series.tone))
            self._raw[number].setPen(pyqtgraph.mkPen(_mixed(colour, QColor(colours.panel)), width=1))
            self._pens[number] = [QPen(colour, 2, style) for style in (DASHES[number % len(DASHES)], Qt.PenStyle.SolidLine)]
            for pen in self._pens[number]:
                pen.setCosmetic(True)
            self._lines[number].setPen(self._pens[number][0])
            self._dots[number].setPen(None)
            self._dots[number].setBrush(colour)
        self._odd.setPen(pyqtgraph.mkPen(QColor(colours.bad), width=2))
        self._cursor.setPen(pyqtgraph.mkPen(QColor(colours.dim), width=1))


def _mixed(colour: QColor, ground: QColor) -> QColor:
    """A colour that lets the ground through, mixed beforehand: pens that are half transparent are slow."""
    pairs = ((colour.redF(), ground.redF()), (colour.greenF(), ground.greenF()), (colour.blueF(), ground.blueF()))
    return QColor.fromRgbF(*(_RAW * a + (1 - _RAW) * b for a, b in pairs))
