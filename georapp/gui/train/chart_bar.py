"""Which part of the history the charts show, and how: smoothed, with raw values, on a logarithmic axis."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from georapp.gui.train.drawing import ChartView

WINDOWS = (("Whole history", 0), ("Last 10,000 steps", 10_000), ("Last 1,000 steps", 1_000), ("Last 200 steps", 200))
SMOOTHINGS = (
    ("not smoothed", 1),
    ("mean of 5 steps", 5),
    ("mean of 25 steps", 25),
    ("mean of 200 steps", 200),
    ("mean of 2,000 steps", 2_000),
)


class ChartBar(QWidget):
    """Which part of the history, and how."""

    changed = Signal(object)  # ChartView

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._last = self._choice("Part of the history", WINDOWS, 0)
        self._smooth = self._choice("Smoothing", SMOOTHINGS, 2)
        self._raw, self._log = QCheckBox("Raw values", self), QCheckBox("Log axis", self)
        self._raw.setChecked(True)
        self._raw.setToolTip("A thin line of the values as they were measured, behind the smoothed one")
        self._log.setToolTip("Powers of ten on the axis, in charts whose values are all above zero")
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(12)
        for widget in (self._last, self._smooth, self._raw, self._log):
            row.addWidget(widget)
        row.addStretch()
        for box in (self._raw, self._log):
            box.toggled.connect(self._tell)

    def _choice(self, name: str, entries: Sequence[tuple[str, int]], chosen: int) -> QComboBox:
        box = QComboBox(self)
        for text, value in entries:
            box.addItem(text, value)
        box.setCurrentIndex(chosen)
        box.setAccessibleName(name)
        box.setToolTip(name)
        box.currentIndexChanged.connect(self._tell)
        return box

    @property
    def view(self) -> ChartView:
        """What is chosen."""
        return ChartView(self._last.currentData(), self._smooth.currentData(), self._raw.isChecked(), self._log.isChecked())

    def _tell(self) -> None:
        self.changed.emit(self.view)
