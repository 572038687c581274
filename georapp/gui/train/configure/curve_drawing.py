"""A reward curve with points that can be dragged, or moved with the keys, over the paper's curve."""

from __future__ import annotations

from dataclasses import dataclass

import pyqtgraph
from PySide6.QtCore import QEvent, QObject, QPoint, QPointF, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QKeyEvent, QMouseEvent, QShowEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label, tooltip
from georapp.gui.train.axes import Plot
from georapp.gui.train.configure import curve_points
from georapp.gui.train.configure.curve_points import LEFT, MARKED_KM, RIGHT, Points
from georapp.reward_curves import GEO_R_PAPER, Curve

HEIGHT_PX = 268
_HIT_PX = 12  # how near to a point the pointer takes it
_DOT_PX, _CHOSEN_PX = 9, 14
_ABOVE, _BELOW = 1.06, -0.05  # rewards at the edges
_STEP, _FINE = (0.05, 0.05), (0.005, 0.005)  # that the keys move a point: powers of ten of a km, reward
_MARKS = [(0.0, "0"), (1, "1 km"), (10, "10"), (100, "100"), (1000, "1,000"), (10_000, "10,000")]
_REWARDS = [(n / 4, f"{n / 4:g}") for n in range(5)]
_HELP = (
    "Drag a point; double-click for a new one.\n"
    "Keys: Page up and Page down choose a point, the arrows move it (with Shift a little), Insert adds one, Delete removes it."
)


@dataclass(frozen=True, slots=True)
class Drawn:
    """What is drawn. `curve`: None where the points make none."""

    points: Points
    steps: bool
    curve: Curve | None
    chosen: int


class CurveDrawing(QFrame):
    """Says what is wished with a point; whoever has the points draws them anew."""

    chosen = Signal(int)
    moved = Signal(int, float, float)  # point, km, reward
    added = Signal(float, float)  # km, reward
    added_after = Signal(int)
    removed = Signal(int)
    let_go = Signal()  # after a point was dragged

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._drawn = Drawn((), False, None, 0)
        self._held: int | None = None
        self.setObjectName("reward curve")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(HEIGHT_PX)
        self.setMinimumWidth(260)
        self.setAccessibleName("Reward curve")
        self.setToolTip(tooltip(_HELP))
        look.set_role(self, "chart")
        self._plot = Plot(self)
        self._plot.viewport().installEventFilter(self)
        self._plot.viewport().setMouseTracking(True)
        self._title, self._value = label("Reward by distance", "strong", wrap=False), label("", "strong", wrap=False)
        self._lay_out()
        self._make_items()
        self._dress()

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(10, 0, 2, 0)
        head.addWidget(self._title, 1)
        head.addWidget(self._value)
        column = QVBoxLayout(self)
        column.setContentsMargins(4, 8, 6, 4)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._plot)

    def _make_items(self) -> None:
        add = self._plot.add
        self._plot.bottom.setTicks([[(curve_points.position(km), text) for km, text in _MARKS]])
        self._plot.left.setTicks([_REWARDS])
        self._plot.bottom.setStyle(hideOverlappingLabels=False)
        for axis in (self._plot.left, self._plot.bottom):
            axis.setZValue(-1000)  # below the view box: its lines lie under the curve
        self._guides = [add(pyqtgraph.InfiniteLine(curve_points.position(km), angle=90)) for km in MARKED_KM]
        self._paper = add(pyqtgraph.PlotCurveItem(*curve_points.line(GEO_R_PAPER), antialias=True))
        self._line = add(pyqtgraph.PlotCurveItem(antialias=True))
        self._dots = add(pyqtgraph.ScatterPlotItem(pxMode=True, size=_DOT_PX))
        self._ring = add(pyqtgraph.ScatterPlotItem(pxMode=True, size=_CHOSEN_PX))
        self._plot.show_range((LEFT - 0.1, RIGHT + 0.06), (_BELOW, _ABOVE))

    def draw(self, drawn: Drawn) -> None:
        """All of it anew."""
        self._drawn = drawn
        points, steps = drawn.points, drawn.steps
        self._line.setData(*(curve_points.line(drawn.curve) if drawn.curve else curve_points.polyline(points, steps=steps)))
        x = [curve_points.position(km) for km, _ in points]
        y = [reward for _, reward in points]
        self._dots.setData(x, y)
        n = drawn.chosen
        self._ring.setData(x[n : n + 1], y[n : n + 1])
        self._value.setText(f"{points[n][0]:,g} km: {points[n][1]:g}" if n < len(points) else "")
        self._tint()

    # ---- pointer ----

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Points are taken, dragged, let go; the wheel scrolls the page."""
        if isinstance(event, QMouseEvent):
            return self._mouse(event) or super().eventFilter(watched, event)
        if event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _mouse(self, event: QMouseEvent) -> bool:
        """Whether that was for a point."""
        place, kind = event.position().toPoint(), event.type()
        if kind == QEvent.Type.MouseMove:
            self._drag(place)
        elif kind == QEvent.Type.MouseButtonRelease:
            self._let_go()
        elif event.button() != Qt.MouseButton.LeftButton:
            return False
        elif kind == QEvent.Type.MouseButtonDblClick and self._below(place) is None:
            self.added.emit(*self._at(place))
        elif kind == QEvent.Type.MouseButtonPress:
            self.setFocus(Qt.FocusReason.MouseFocusReason)
            self._held = self._below(place)
            if self._held is not None:
                self.chosen.emit(self._held)
        return True

    def _drag(self, place: QPoint) -> None:
        if self._held is None:
            over = self._below(place) is not None
            self._plot.viewport().setCursor(Qt.CursorShape.PointingHandCursor if over else Qt.CursorShape.ArrowCursor)
        elif self._held < len(self._drawn.points):
            self.moved.emit(self._held, *self._at(place))

    def _let_go(self) -> None:
        held, self._held = self._held, None
        if held is not None:
            self.let_go.emit()

    @property
    def holds(self) -> bool:
        """Whether a point is being dragged."""
        return self._held is not None

    def place_of(self, n: int) -> QPoint:
        """Where a point is drawn, in the coordinates of `ground`."""
        km, reward = self._drawn.points[n]
        there: QPoint = self._plot.mapFromScene(self._plot.box.mapViewToScene(QPointF(curve_points.position(km), reward)))
        return there

    @property
    def ground(self) -> QWidget:
        """What the pointer moves over."""
        viewport: QWidget = self._plot.viewport()
        return viewport

    def _at(self, place: QPoint) -> tuple[float, float]:
        """Kilometres and reward below the pointer."""
        there = self._plot.box.mapSceneToView(self._plot.mapToScene(place))
        return curve_points.kilometres_at(float(there.x())), round(float(there.y()), 3)

    def _below(self, place: QPoint) -> int | None:
        """The point below the pointer."""
        far = [(self.place_of(n) - place).manhattanLength() for n in range(len(self._drawn.points))]
        nearest = min(range(len(far)), key=far.__getitem__, default=None)
        return nearest if nearest is not None and far[nearest] <= _HIT_PX else None

    # ---- keys ----

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Choose a point, move it, add one, remove it."""
        n, last = self._drawn.chosen, len(self._drawn.points) - 1
        key, keys = event.key(), Qt.Key
        others = {keys.Key_PageUp: n - 1, keys.Key_PageDown: n + 1, keys.Key_Home: 0, keys.Key_End: last}
        ways = {keys.Key_Left: (-1, 0), keys.Key_Right: (1, 0), keys.Key_Up: (0, 1), keys.Key_Down: (0, -1)}
        if key in others:
            self.chosen.emit(min(max(0, others[keys(key)]), last))
        elif key in ways and 0 <= n <= last:
            self._push(n, *ways[keys(key)], fine=bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier))
        elif key in (keys.Key_Insert, keys.Key_Plus):
            self.added_after.emit(n)
        elif key in (keys.Key_Delete, keys.Key_Backspace):
            self.removed.emit(n)
        else:
            super().keyPressEvent(event)

    def _push(self, n: int, right: int, up: int, *, fine: bool) -> None:
        (km, reward), (share, step) = self._drawn.points[n], _FINE if fine else _STEP
        self.moved.emit(n, curve_points.nudged(km, right * share) if right else km, round(reward + up * step, 3))

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The chosen point has a thicker ring."""
        super().focusInEvent(event)
        self._tint()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """And a thin one."""
        super().focusOutEvent(event)
        self._tint()

    # ---- colours ----

    def showEvent(self, event: QShowEvent) -> None:
        """The stylesheet has given the label its own colour by now."""
        super().showEvent(event)
        self._tint()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_ring"):
            self._dress()

    def _dress(self) -> None:
        colours = look.current()
        self._plot.setBackground(QColor(colours.panel))
        for axis in (self._plot.left, self._plot.bottom):
            axis.dress(self.font())
        for guide in self._guides:
            guide.setPen(pyqtgraph.mkPen(QColor(colours.line), width=1, style=Qt.PenStyle.DotLine))
        self._paper.setPen(pyqtgraph.mkPen(QColor(colours.dim), width=1, style=Qt.PenStyle.DashLine))
        self._tint()

    def _tint(self) -> None:
        colours, sound = look.current(), self._drawn.curve is not None
        tone = QColor(colours.accent if sound else colours.bad)
        self._line.setPen(pyqtgraph.mkPen(tone, width=2, style=Qt.PenStyle.SolidLine if sound else Qt.PenStyle.DotLine))
        self._dots.setPen(pyqtgraph.mkPen(QColor(colours.panel), width=1))
        self._dots.setBrush(tone)
        self._ring.setPen(pyqtgraph.mkPen(QColor(colours.text), width=3 if self.hasFocus() else 1))
        self._ring.setBrush(tone)
        look.tint(self._value, "accent" if sound else "bad")
