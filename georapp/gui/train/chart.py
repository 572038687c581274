"""One chart: a title, the newest value, lines, and a cursor for pointer and keys that tells the value at a step."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QFocusEvent, QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label, shown, tooltip
from georapp.gui.train import figures
from georapp.gui.train.chart_plan import ChartPlan
from georapp.gui.train.drawing import ChartView, Curve, Drawing
from georapp.gui.train.legend import Legend

HEIGHT_PX = 156
_FEW_LINES = 3
_PAGE = 20  # points that Page up and down move the cursor


class Chart(QFrame):
    """Left and right move a cursor along the values; the pointer does so too."""

    def __init__(self, plan: ChartPlan, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.plan = plan
        self.curves: Sequence[Curve] = ()
        self._cursor: int | None = None
        self._dressed: look.Colours | None = None
        self.setObjectName(f"chart {plan.key}")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedHeight(HEIGHT_PX)
        self.setAccessibleName(plan.title)
        look.set_role(self, "chart")
        self._title, self._value = label(shown(self._full_title()), "strong", wrap=False), label("", "strong", wrap=False)
        self._scale = label("", "dim", wrap=False)
        self._legend = Legend(self)
        self._legend.setVisible(len(plan.series) > 1)
        self._drawing = Drawing(plan, self)
        self._drawing.ground.installEventFilter(self)
        self._drawing.ground.setMouseTracking(True)
        self._lay_out()
        self._dress()

    @property
    def _many(self) -> bool:
        """Whether the legend has no room for units; the title has it then."""
        return len(self.plan.series) > _FEW_LINES

    def _full_title(self) -> str:
        return f"{self.plan.title} ({self.plan.unit})" if self._many and self.plan.unit else self.plan.title

    def _lay_out(self) -> None:
        self._title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._title, 1)
        head.addWidget(self._scale)
        head.addWidget(self._value)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 8, 8, 4)
        column.setSpacing(2)
        column.addLayout(head)
        column.addWidget(self._legend)
        column.addWidget(self._drawing.widget, 1)

    def show_curves(self, found: Sequence[Curve], view: ChartView) -> None:
        """New values of all lines, in the order of the plan's series."""
        self.curves = found
        if self._dressed is not look.current():
            self._dress()
        self._scale.setText("log" if self._drawing.draw(found, view) else "")
        self._tint()
        self._say()

    # ---- words ----

    def _say(self) -> None:
        """The newest values, or those under the cursor, and a summary for who cannot see the lines."""
        texts = [self._said(number) for number in range(len(self.curves))]
        entries = zip(self.plan.series, texts, strict=True)
        unit = f" {self.plan.unit}" if self._many else ""
        self._legend.show_entries([(f"{series.word}: {text.removesuffix(unit)}", series.tone) for series, text in entries])
        alone = texts[0] if len(texts) == 1 else ""
        self._value.setText(" · ".join(part for part in (self._step_text(), alone) if part))
        self.setAccessibleDescription(self.summary())
        self.setToolTip(tooltip("\n".join(part for part in (self.plan.note, self._odd_words()) if part)))

    def _said(self, number: int) -> str:
        values = self.curves[number].main
        if self._cursor is None:
            there = values[np.isfinite(values)]
            return figures.with_unit(float(there[-1]), self.plan.unit) if len(there) else "–"
        n = self._nearest(number)
        value = values[n] if n is not None else np.nan
        return figures.with_unit(float(value), self.plan.unit) if np.isfinite(value) else "no number"

    def _nearest(self, number: int) -> int | None:
        """The point of a line that stands at the cursor's step, or the last one before it."""
        x, first = self.curves[number].x, self.curves[0].x
        if self._cursor is None or not len(x) or not len(first):
            return None
        return max(0, int(np.searchsorted(x, first[min(self._cursor, len(first) - 1)], "right")) - 1)

    def _step_text(self) -> str:
        n = self._nearest(0) if self._cursor is not None else None
        return "" if n is None else f"step {int(self.curves[0].x[n]):,}"

    def _odd_words(self) -> str:
        n = sum(len(curve.odd) for curve in self.curves)
        return f"× marks where it was no number (NaN or infinite): {n:,} {'time' if n == 1 else 'times'}." if n else ""

    def summary(self) -> str:
        """The chart in a few sentences."""
        lines = []
        for number, (series, curve) in enumerate(zip(self.plan.series, self.curves, strict=True)):
            there = curve.raw[np.isfinite(curve.raw)]
            if len(there):
                low, high = (figures.with_unit(float(value), self.plan.unit) for value in (there.min(), there.max()))
                steps = f"steps {int(curve.x[0]):,} to {int(curve.x[-1]):,}"
                lines.append(f"{series.word or 'Value'}: {self._said(number)}; from {low} to {high} in {steps}.")
        return " ".join([*lines, self._odd_words()]).strip()

    def value_text(self) -> str:
        """What stands at the upper right."""
        return self._value.text()

    # ---- keys and pointer ----

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Move the cursor from point to point; Escape takes it away."""
        n = len(self.curves[0].x) if self.curves else 0
        now = n if self._cursor is None else self._cursor
        places = {
            int(Qt.Key.Key_Left): now - 1,
            int(Qt.Key.Key_Right): now + 1,
            int(Qt.Key.Key_PageUp): now - _PAGE,
            int(Qt.Key.Key_PageDown): now + _PAGE,
            int(Qt.Key.Key_Home): 0,
            int(Qt.Key.Key_End): n - 1,
        }
        if event.key() in places and n:
            self._point(min(max(0, places[event.key()]), n - 1))
        elif event.key() == Qt.Key.Key_Escape and self._cursor is not None:
            self._point(None)
        else:
            super().keyPressEvent(event)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """The pointer over the lines moves the cursor; the wheel scrolls the page and not the chart."""
        if isinstance(event, QMouseEvent) and event.type() == QEvent.Type.MouseMove:
            self._point_at(self._drawing.step_at(event.position().toPoint()))
        elif event.type() == QEvent.Type.Leave:
            self._point(None)
        elif event.type() == QEvent.Type.Wheel:
            event.ignore()
            return True
        return super().eventFilter(watched, event)

    def _point_at(self, step: float) -> None:
        x = self.curves[0].x if self.curves else np.zeros(0)
        if len(x):
            after = min(int(np.searchsorted(x, step)), len(x) - 1)
            before = max(0, after - 1)
            self._point(before if step - x[before] < x[after] - step else after)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """Without the focus there is no cursor."""
        super().focusOutEvent(event)
        self._point(None)

    def _point(self, n: int | None) -> None:
        if n == self._cursor or not self.curves:
            return
        self._cursor = n
        self._drawing.point(None if n is None else float(self.curves[0].x[n]))
        self._say()

    # ---- colours ----

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme, with the next curves: the charts come one after another."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._dressed = None

    def _dress(self) -> None:
        self._dressed = look.current()
        self._drawing.dress(self.font())
        self._tint()

    def _tint(self) -> None:
        """Also when it is first shown, because the stylesheet then gives the label its own colour."""
        look.tint(self._value, self.plan.series[0].tone if len(self.plan.series) == 1 else "dim")
