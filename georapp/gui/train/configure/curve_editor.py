"""The curve from distance to reward, to be chosen, seen and changed: on the drawing, in a table, with pointer or keys."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QResizeEvent, QWheelEvent
from PySide6.QtWidgets import QBoxLayout, QCheckBox, QComboBox, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from georapp.gui.plain import label, tooltip
from georapp.gui.train.configure import curve_points
from georapp.gui.train.configure.curve_drawing import HEIGHT_PX, CurveDrawing, Drawn
from georapp.gui.train.configure.curve_points import Points
from georapp.gui.train.configure.curve_table import PointsTable
from georapp.gui.train.configure.reward_marks import RewardMarks
from georapp.reward_curves import CURVES, Knots
from georapp.run_settings import OWN_CURVE

_TABLE_PX, _TABLE_BELOW_PX = 190, 211  # width beside the drawing, height below it
_ANY_PX = 16_777_215  # as large as Qt lets a widget be
_NARROW_PX = 520  # of the editor, below which the table stands below the drawing


class _Choice(QComboBox):
    """The wheel scrolls the page, unless this was chosen before."""

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Not by accident."""
        if self.hasFocus():
            super().wheelEvent(event)
        else:
            event.ignore()


class CurveEditor(QWidget):
    """`changed`: name, points of an own curve or (), whether it goes in steps. Points that make no curve are told as well.

    A published curve that is changed becomes an own one. Dragging is told once, when the point is let go.
    """

    changed = Signal(str, object, bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._name, self._points, self._steps, self._chosen = "", (), False, 0  # type: str, Points, bool, int
        self._told: tuple[str, Points, bool] = ("", (), False)
        self.setAccessibleName("Reward curve")
        self._names, self._in_steps = _Choice(self), QCheckBox("In steps", self)
        for name, text in curve_points.WORDS.items():
            self._names.addItem(text, name)
        self._add, self._remove = QPushButton("Add", self), QPushButton("Remove", self)
        self.drawing, self.table, self.marks = CurveDrawing(self), PointsTable(self), RewardMarks(self)
        self._problem = label("", "bad")
        self._say_what_they_are()
        self._lay_out()
        self._connect()
        self.set_curve(next(iter(CURVES)), (), False)

    def _say_what_they_are(self) -> None:
        self._names.setAccessibleName("Reward curve")
        self._names.setToolTip("A published curve to use, or to begin with")
        self._in_steps.setToolTip(
            tooltip("Each reward holds from its distance on, in place of straight lines between the points.")
        )
        self._add.setToolTip("A point between the chosen one and the next (Insert, or a double click on the drawing)")
        self._remove.setToolTip("The chosen point (Delete)")
        for button in (self._add, self._remove):
            button.setAccessibleName(f"{button.text()} a point of the reward curve")
        self._problem.hide()

    def _lay_out(self) -> None:
        head, buttons, self._side = QHBoxLayout(), QHBoxLayout(), QWidget(self)
        head.setSpacing(16)
        for widget in (self._names, self._in_steps):
            head.addWidget(widget)
        head.addStretch(1)
        buttons.setSpacing(8)
        for button in (self._add, self._remove):
            buttons.addWidget(button, 1)
        side = QVBoxLayout(self._side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(8)
        side.addWidget(self.table, 1)
        side.addLayout(buttons)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._both.setSpacing(12)
        self._both.addWidget(self.drawing, 1)
        self._both.addWidget(self._side)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addLayout(head)
        column.addLayout(self._both)
        column.addWidget(self._problem)
        column.addWidget(self.marks)

    def _connect(self) -> None:
        self._names.activated.connect(self._name_chosen)
        self._in_steps.clicked.connect(self._steps_chosen)
        self._add.clicked.connect(lambda: self._add_after(self._chosen))
        self._remove.clicked.connect(lambda: self._take_away(self._chosen))
        for part in (self.drawing, self.table):
            part.chosen.connect(self._choose)
            part.added_after.connect(self._add_after)
            part.removed.connect(self._take_away)
        self.drawing.moved.connect(self._move)
        self.drawing.let_go.connect(self._tell)
        self.drawing.added.connect(self._add_at)
        self.table.typed.connect(self._typed)

    # ---- what is shown ----

    def set_curve(self, name: str, points: tuple[tuple[float, float], ...], steps: bool) -> None:
        """`points` and `steps` count for run_settings.OWN_CURVE only. Says nothing. Points that make no curve are shown with the reason."""
        own = name not in CURVES
        told = (OWN_CURVE, curve_points.sound(points), steps) if own else (name, (), False)
        if told == self._told:
            return
        self._told = told
        if own:
            self._show(*told)
        else:
            self._show_published(name)
        self._chosen = min(self._chosen, max(0, len(self._points) - 1))
        self._draw()

    def _show_published(self, name: str) -> None:
        curve = CURVES[name]
        self._show(name, curve_points.points_of(curve), isinstance(curve, Knots) and curve.steps)

    def _show(self, name: str, points: Points, steps: bool) -> None:
        self._name, self._points, self._steps = name, points, steps

    def _draw(self) -> None:
        curve = curve_points.curve_of(self._name, self._points, steps=self._steps)
        self._names.setCurrentIndex(self._names.findData(self._name))
        self._in_steps.setChecked(self._steps)
        self._remove.setEnabled(curve_points.removed(self._points, self._chosen) != self._points)
        self.drawing.draw(Drawn(self._points, self._steps, curve, self._chosen))
        self.table.show_points(self._points, self._chosen)
        self.marks.show_curve(curve)
        self._problem.setText("" if curve else curve_points.problem(self._points, steps=self._steps))
        self._problem.setVisible(curve is None)
        self.drawing.setAccessibleDescription(f"{self._chosen_words()} {self.marks.summary(curve)}")

    def _chosen_words(self) -> str:
        if not self._points:
            return "No points."
        km, reward = self._points[self._chosen]
        return f"Point {self._chosen + 1} of {len(self._points)}: {km:g} km, reward {reward:g}."

    @property
    def problem(self) -> str:
        """Why the points make no curve; "" where they make one."""
        return self._problem.text()

    # ---- what is wished ----

    def _name_chosen(self, index: int) -> None:
        name = str(self._names.itemData(index))
        if name == OWN_CURVE:
            self._name = name
        else:
            self._show_published(name)
            self._chosen = min(self._chosen, len(self._points) - 1)
        self._tell()

    def _steps_chosen(self, checked: bool) -> None:
        self._show(OWN_CURVE, self._points, checked)
        self._tell()

    def _choose(self, n: int) -> None:
        if n != self._chosen and 0 <= n < len(self._points):
            self._chosen = n
            self._draw()
            self._announce(self._chosen_words())

    def _move(self, n: int, km: float, reward: float) -> None:
        self._own(curve_points.moved(self._points, n, km, reward), n)
        if not self.drawing.holds:
            self._tell()

    def _typed(self, n: int, km: float, reward: float) -> None:
        self._own(curve_points.changed(self._points, n, km, reward), n)
        self._tell()

    def _add_at(self, km: float, reward: float) -> None:
        self._own(*curve_points.added(self._points, km, reward))
        self._tell()

    def _add_after(self, n: int) -> None:
        if 0 <= n < len(self._points):
            self._own(*curve_points.added_after(self._points, n, steps=self._steps))
            self._tell()

    def _take_away(self, n: int) -> None:
        points = curve_points.removed(self._points, n)
        if points == self._points:
            self._announce("This point is needed.")
            return
        self._own(points, min(n, len(points) - 1))
        self._tell()

    def _own(self, points: Points, chosen: int) -> None:
        """The points as they are now; those of a published curve stay its own until they differ."""
        self._chosen = chosen
        if points != self._points:
            self._show(OWN_CURVE, points, self._steps)
        self._draw()

    def _tell(self) -> None:
        self._draw()
        own = self._name == OWN_CURVE
        told = (self._name, self._points if own else (), own and self._steps)
        if told != self._told:
            self._told = told
            self.changed.emit(*told)
            self._announce(" ".join(part for part in (self._chosen_words(), self.problem) if part))

    def _announce(self, text: str) -> None:
        """To a screen reader, where there is one: what changed is not where the focus is."""
        if QAccessible.isActive():
            QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(self.drawing, text))

    # ---- room ----

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the table stands below the drawing."""
        super().resizeEvent(event)
        beside = self.width() >= _NARROW_PX
        self._both.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)
        self._side.setMinimumWidth(_TABLE_PX if beside else 0)
        self._side.setMaximumWidth(_TABLE_PX if beside else _ANY_PX)
        self._side.setFixedHeight(HEIGHT_PX if beside else _TABLE_BELOW_PX)
