"""Widgets in a line that goes on in the next one where there is no more room."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QSize
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSizePolicy, QWidget


class Flow(QWidget):
    """Its children, in the order in which they were put in, each as wide as it wants to be but never wider than the line."""

    def __init__(self, *, gap: int = 6, line_gap: int = 4, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._gap, self._line_gap = gap, line_gap
        self._widgets: list[QWidget] = []
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)

    def put(self, widget: QWidget) -> None:
        """One more, at the end."""
        widget.setParent(self)
        self._widgets.append(widget)
        self.updateGeometry()

    def empty(self) -> None:
        """Let all go."""
        for widget in self._widgets:
            widget.hide()
            widget.deleteLater()
        self._widgets = []
        self.arrange()

    def sizeHint(self) -> QSize:
        """As high as the lines are at this width."""
        return QSize(80, self.height())

    def arrange(self) -> None:
        """Lay the visible widgets out, and become as high as that needs."""
        left = top = height = 0
        for widget in (widget for widget in self._widgets if not widget.isHidden()):
            hint = widget.sizeHint()
            width = min(hint.width(), max(1, self.width()))
            if left and left + width > self.width():
                left, top, height = 0, top + height + self._line_gap, 0
            widget.setGeometry(left, top, width, hint.height())
            left, height = left + width + self._gap, max(height, hint.height())
        if self.height() != top + height or self.minimumHeight() != top + height:
            self.setFixedHeight(top + height)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width makes other lines."""
        super().resizeEvent(event)
        self.arrange()

    def event(self, event: QEvent) -> bool:
        """A child wants another size, or came or went."""
        if event.type() == QEvent.Type.LayoutRequest:
            self.arrange()
        return super().event(event)
