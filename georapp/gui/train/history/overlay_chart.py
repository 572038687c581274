"""One chart with a line for each of several runs, and below it which line belongs to which run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from PySide6.QtCore import Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QSizePolicy, QVBoxLayout, QWidget

from georapp.gui.plain import label
from georapp.gui.train.chart import Chart
from georapp.gui.train.chart_plan import ChartPlan
from georapp.gui.train.drawing import ChartView, Curve, curve_of
from georapp.gui.train.history import overlay
from georapp.gui.train.history.overlay import Choice
from georapp.gui.train.history.run_key import RunKey
from georapp.run_history import History

_TALLEST, _SHORTEST = 16_777_215, 150


class OverlayChart(QFrame):
    """`show_lines` as often as there is news."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.chart: Chart | None = None
        self.key, self._empty = RunKey(self), label("", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._empty.setMinimumHeight(_SHORTEST)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(2)
        self._column.addWidget(self._empty, 1)
        self._column.addWidget(self.key)

    def show_lines(
        self, choice: Choice | None, there: Mapping[int, History], names: Sequence[str], view: ChartView, *, with_baseline: bool
    ) -> None:
        """`there`: histories by the number of their run, one of the `names`. `with_baseline`: see `overlay.plan_of`."""
        lines: list[tuple[int, str]] = []
        if choice:
            plan, lines = overlay.plan_of(choice, there, with_baseline=with_baseline)
            if lines:
                self._make(plan).show_curves([_curve(there[number], choice, name, view, plan) for number, name in lines], view)
        self.key.show_runs(names, [number for number, name in lines if choice and name == choice.name])
        self._empty.setVisible(not lines)
        if self.chart:
            self.chart.setVisible(bool(lines))

    def say(self, words: str) -> None:
        """Where there is no line yet."""
        self._empty.setText(words)

    def _make(self, plan: ChartPlan) -> Chart:
        if self.chart and self.chart.plan == plan:
            return self.chart
        if self.chart:
            self._column.removeWidget(self.chart)
            self.chart.hide()
            self.chart.deleteLater()
        self.chart = made = Chart(plan, self)
        made.setMinimumHeight(_SHORTEST)
        made.setMaximumHeight(_TALLEST)
        made.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self._empty.hide()
        self._column.insertWidget(0, made, 1)
        self._column.activate()
        return made

    def picture(self) -> QImage:
        """As it is shown, with the names of its lines."""
        return self.grab().toImage()


def _curve(history: History, choice: Choice, name: str, view: ChartView, plan: ChartPlan) -> Curve:
    table = history.table(choice.stage, choice.kind)
    return curve_of(*table.column(name), np.array(table.odd.get(name, ()), np.float64), view, plan)
