"""A frame with something on the left and something on the right; where both do not fit, the right one stands below."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QFrame, QHBoxLayout, QLayout, QSizePolicy, QWidget

from georapp.gui import look

_GAP, _SIDE = 8, 10


class Strip(QFrame):
    """As narrow as the wider of both."""

    def __init__(self, left: QWidget, right: list[QWidget], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "chart")
        self._left, self._right = left, QWidget(self)
        row = QHBoxLayout(self._right)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(_GAP)
        for widget in right:
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, self)
        self._both.setContentsMargins(_SIDE, 6, _SIDE, 6)
        self._both.setSpacing(_GAP)
        self._both.setSizeConstraint(QLayout.SizeConstraint.SetNoConstraint)
        self._both.addWidget(left, 0, Qt.AlignmentFlag.AlignLeft)
        self._both.addStretch(1)
        self._both.addWidget(self._right, 0, Qt.AlignmentFlag.AlignLeft)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width makes other lines."""
        super().resizeEvent(event)
        self._arrange()

    def event(self, event: QEvent) -> bool:
        """A part wants another size."""
        if event.type() == QEvent.Type.LayoutRequest:
            self._arrange()
        return super().event(event)

    def _arrange(self) -> None:
        wanted = self._left.sizeHint().width() + self._right.sizeHint().width() + 2 * _SIDE + 2 * _GAP
        row, column = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        direction = row if wanted <= self.width() else column
        if self._both.direction() != direction:
            self._both.setDirection(direction)
            self.updateGeometry()
