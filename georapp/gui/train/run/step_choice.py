"""Which step's answers are shown: the newest, or an older one."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSpinBox, QWidget

from georapp.gui.plain import label, shown


class StepChoice(QWidget):
    """While "Newest" is on, it follows the run."""

    chosen = Signal(int)  # place in the list of groups

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._steps: Sequence[int] = ()
        self._at = -1
        self._step = QSpinBox(self)
        self._step.setAccessibleName("Step")
        self._step.setKeyboardTracking(False)
        self._step.setGroupSeparatorShown(True)
        self._step.setMinimumWidth(96)
        self._step.valueChanged.connect(lambda step: self._go(self._near(step)))
        self.older, self.newer = self._button("◂", "Older answers", -1), self._button("▸", "Newer answers", 1)
        self.newest = QPushButton("Newest", self)
        self.newest.setCheckable(True)
        self.newest.setChecked(True)
        self.newest.setToolTip("Follow the run: show the answers of its newest step")
        self.newest.toggled.connect(lambda on: self._go(len(self._steps) - 1, follow=True) if on else None)
        self._said = label("", "dim", wrap=False)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        row.addWidget(label("Answers of step", "strong", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
        for widget in (self.older, self._step, self.newer, self.newest):
            row.addWidget(widget)
        row.addWidget(self._said, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addStretch()

    def _button(self, sign: str, name: str, by: int) -> QPushButton:
        made = QPushButton(sign, self)
        made.setFixedWidth(32)
        made.setStyleSheet("padding: 6px 0;")
        made.setAccessibleName(name)
        made.setToolTip(name)
        made.clicked.connect(lambda: self._go(self._at + by))
        return made

    @property
    def follows(self) -> bool:
        """Whether the newest answers are wanted."""
        return self.newest.isChecked()

    def show_steps(self, steps: Sequence[int]) -> None:
        """Those that have answers, in order."""
        grown = len(steps) != len(self._steps) or (bool(steps) and steps[-1] != self._steps[-1])
        self._steps = steps
        if not steps:
            self._at = -1
            return
        self._step.blockSignals(True)
        self._step.setRange(steps[0], steps[-1])
        self._step.blockSignals(False)
        if self.follows and (grown or self._at < 0):
            self._go(len(steps) - 1, follow=True)
        elif self._at >= len(steps):
            self._go(len(steps) - 1)

    def say(self, text: str) -> None:
        """Beside the choice."""
        self._said.setText(shown(text))

    def _near(self, step: int) -> int:
        n = bisect_left(self._steps, step)
        return min(n, len(self._steps) - 1)

    def _go(self, n: int, *, follow: bool = False) -> None:
        if not 0 <= n < len(self._steps):
            return
        self._at = n
        if not follow:
            self.newest.setChecked(False)
        self._step.blockSignals(True)
        self._step.setValue(self._steps[n])
        self._step.blockSignals(False)
        self.older.setEnabled(n > 0)
        self.newer.setEnabled(n < len(self._steps) - 1)
        self.chosen.emit(n)
