"""All charts of a stage, and how they show their values. One chart is drawn at a time, and only those that are seen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QScrollArea, QVBoxLayout, QWidget

from georapp.gui.plain import label
from georapp.gui.train.chart import HEIGHT_PX, Chart
from georapp.gui.train.chart_bar import ChartBar
from georapp.gui.train.chart_plan import ChartPlan, planned
from georapp.gui.train.drawing import curve_of
from georapp.run_history import History

_NARROWEST_PX, _GAP_PX, _MOST_COLUMNS = 380, 12, 4
_LATER_MS = 60  # between two charts that nobody sees yet


class ChartWall(QWidget):
    """Charts in columns. `show_history` may be called as often as there is news: what cannot be seen is drawn when it can."""

    rested = Signal()  # everything that can be seen is drawn

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.bar = ChartBar(self)
        self.bar.changed.connect(lambda _: self._all_stale())
        self._history, self._stage = History(), ""
        self.charts: dict[str, Chart] = {}
        self._waiting: list[ChartPlan] = []  # charts that are to be made
        self._stale: dict[str, None] = {}
        self._plans: list[ChartPlan] = []
        self._order: list[str] = []
        self._columns = 3
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._do_one)
        self._later = QTimer(self)
        self._later.setInterval(_LATER_MS)
        self._later.timeout.connect(self._make_unseen)
        self._lay_out()

    def _lay_out(self) -> None:
        inside = QWidget(self)
        self._grid = QGridLayout(inside)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(_GAP_PX)
        self._grid.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._area = QScrollArea(self)
        self._area.setWidgetResizable(True)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setWidget(inside)
        self._area.verticalScrollBar().valueChanged.connect(self._wake)
        self._empty = label("", "dim")
        self._empty.setAlignment(Qt.AlignmentFlag.AlignCenter)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.bar)
        column.addWidget(self._empty, 1)
        column.addWidget(self._area, 1)
        self.show_nothing("")

    @property
    def stage(self) -> str:
        """Whose charts are shown."""
        return self._stage

    @property
    def busy(self) -> bool:
        """Whether charts that can be seen are to be drawn yet."""
        return self._timer.isActive()

    def show_nothing(self, why: str) -> None:
        """Instead of charts, a sentence."""
        self._empty.setText(why)
        for widget, there in ((self._empty, True), (self._area, False), (self.bar, False)):
            widget.setVisible(there)

    def show_history(self, history: History, stage: str) -> None:
        """The charts of a stage as they stand now."""
        if history is not self._history or stage != self._stage:
            self._clear()
            self._history, self._stage = history, stage
        plans = planned(history, stage)
        for widget, there in ((self._empty, False), (self._area, True), (self.bar, True)):
            widget.setVisible(there)
        if plans != self._plans:
            self._plans = plans
            self._arrange(plans)
        self._all_stale()

    def _arrange(self, plans: Sequence[ChartPlan]) -> None:
        """Charts keep their place in the plan; one whose lines are others now is made again."""
        wanted = {plan.key: plan for plan in plans}
        for key, chart in list(self.charts.items()):
            if wanted.get(key) != chart.plan:
                self._let_go(chart)
                del self.charts[key]
        self._waiting = [plan for plan in plans if plan.key not in self.charts]
        self._order = [*wanted]
        self._place_anew()

    def _place_anew(self) -> None:
        for chart in self.charts.values():
            self._grid.removeWidget(chart)
        for row in range(self._grid.rowCount()):
            self._grid.setRowMinimumHeight(row, 0)
        self._place()

    def _place(self) -> None:
        self.charts = {key: self.charts[key] for key in self._order if key in self.charts}
        for n, key in enumerate(self._order):
            self._grid.setRowMinimumHeight(n // self._columns, HEIGHT_PX)
            if key in self.charts and self._grid.itemAtPosition(n // self._columns, n % self._columns) is None:
                self._grid.addWidget(self.charts[key], n // self._columns, n % self._columns)
        for n in range(_MOST_COLUMNS):
            self._grid.setColumnStretch(n, 1 if n < self._columns else 0)

    def _clear(self) -> None:
        for chart in self.charts.values():
            self._let_go(chart)
        self.charts, self._waiting, self._stale, self._plans = {}, [], {}, []

    def _let_go(self, chart: Chart) -> None:
        self._grid.removeWidget(chart)
        chart.hide()
        chart.deleteLater()

    # ---- one at a time ----

    def _all_stale(self) -> None:
        self._stale = dict.fromkeys([*self._stale, *self.charts])
        self._wake()

    def _wake(self) -> None:
        if self._waiting or self._stale:
            self._timer.start()

    def _do_one(self) -> None:
        if self._waiting and self._has_room_for(self._waiting[0]):
            self._make(self._waiting.pop(0))
            return
        key = next((key for key in self._stale if key in self.charts and self._is_seen(self.charts[key])), None)
        if key is None:
            self._timer.stop()
            self._later.start()
            self.rested.emit()
            return
        del self._stale[key]
        self._fill(self.charts[key])

    def _make_unseen(self) -> None:
        """One more of those below, so that the keyboard reaches them too."""
        if self._waiting and not self.busy:
            self._make(self._waiting.pop(0))
        if not self._waiting:
            self._later.stop()

    def _has_room_for(self, plan: ChartPlan) -> bool:
        """Whether the place of this chart can be seen."""
        row = self._order.index(plan.key) // self._columns
        return row * (HEIGHT_PX + _GAP_PX) < self._area.verticalScrollBar().value() + self._area.viewport().height()

    def _make(self, plan: ChartPlan) -> None:
        self.charts[plan.key] = Chart(plan, self._area.widget())
        self._stale[plan.key] = None
        self._place()

    def _is_seen(self, chart: Chart) -> bool:
        return chart.isVisible() and not chart.visibleRegion().isEmpty()

    def _fill(self, chart: Chart) -> None:
        found, view = [], self.bar.view
        for series in chart.plan.series:
            table = self._history.table(self._stage, series.kind)
            odd = np.array(table.odd.get(series.name, ()), np.float64)
            found.append(curve_of(*table.column(series.name), odd, view, chart.plan))
        chart.show_curves(found, view)

    # ---- room ----

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many columns as there is room for."""
        super().resizeEvent(event)
        columns = min(_MOST_COLUMNS, max(1, (self.width() + _GAP_PX) // (_NARROWEST_PX + _GAP_PX)))
        if columns != self._columns:
            self._columns = columns
            self._place_anew()
        self._all_stale()

    def showEvent(self, event: QShowEvent) -> None:
        """What was not drawn while nobody saw it."""
        super().showEvent(event)
        self._wake()

    def changeEvent(self, event: QEvent) -> None:
        """Other colours or letters: every chart is drawn again."""
        super().changeEvent(event)
        if event.type() in (QEvent.Type.PaletteChange, QEvent.Type.FontChange) and hasattr(self, "_later"):
            self._all_stale()
