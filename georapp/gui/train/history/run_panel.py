"""The right side of the history: the chosen run, or the checked ones laid over each other."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label
from georapp.gui.train.history.comparison import Comparison
from georapp.gui.train.history.run_details import RunDetails
from georapp.run_compare import letter
from georapp.run_summary import Summary

_FEW = "Check two runs or more in the list (Space)"


class RunPanel(QWidget):
    """`turned`: somebody wants the other side; `unchecked`: none is to be compared."""

    turned, unchecked = Signal(), Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.details, self.comparison = RunDetails(self), Comparison(self)
        self.one, self.several, self.clear = (
            QPushButton("Run", self),
            QPushButton("Compare", self),
            QPushButton("Uncheck all", self),
        )
        self._stack, self._hint = QStackedWidget(self), label("", "dim")
        self._hint.setAlignment(Qt.AlignmentFlag.AlignCenter)
        parts: tuple[QWidget, ...] = (self.details, self.comparison, self._hint)
        for part in parts:
            self._stack.addWidget(part)
        self._stack.setCurrentWidget(self._hint)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._make_tabs())
        column.addWidget(self._stack, 1)
        self.one.toggled.connect(lambda _: self.turned.emit())
        self.clear.clicked.connect(self.unchecked)

    def _make_tabs(self) -> QHBoxLayout:
        group, row = QButtonGroup(self), QHBoxLayout()
        row.setSpacing(8)
        for button in (self.one, self.several):
            button.setCheckable(True)
            group.addButton(button)
            row.addWidget(button)
        self.one.setChecked(True)
        self.one.setToolTip("The chosen run")
        self.clear.setToolTip("Compare none of the runs")
        look.set_role(self.clear, "quiet")
        row.addWidget(self.clear)
        row.addStretch(1)
        return row

    @property
    def compares(self) -> bool:
        """Whether several runs are shown."""
        return self._stack.currentWidget() is self.comparison

    def turn(self, checked: int) -> None:
        """So many runs are checked now: the second check shows both, and without two there is nothing to compare."""
        if checked == 2 and self.one.isChecked():
            self.several.setChecked(True)
        elif checked < 2:
            self.one.setChecked(True)

    def show_runs(self, chosen: Summary | None, checked: Sequence[Summary], *, waits: bool, hint: str) -> None:
        """What is wanted of both. `waits`: the chosen one stands in the queue; `hint`: when there is no run."""
        n = len(checked)
        self.several.setText(f"Compare {', '.join(letter(i) for i in range(n))}" if n > 1 else "Compare")
        self.several.setEnabled(n > 1)
        self.several.setToolTip("The checked runs laid over each other" if n > 1 else _FEW)
        self.clear.setVisible(n > 0)
        if self.several.isChecked() and n > 1:
            self._stack.setCurrentWidget(self.comparison)
            self.comparison.show_runs(checked)
            return
        self.comparison.show_runs(checked if n > 1 else ())
        if chosen:
            self.details.show_run(chosen, waits=waits)
            self._stack.setCurrentWidget(self.details)
        else:
            self._hint.setText(hint)
            self._stack.setCurrentWidget(self._hint)
