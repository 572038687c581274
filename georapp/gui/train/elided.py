"""A label for a long name or path: as much of it as there is room for, all of it in the tooltip."""

from __future__ import annotations

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QLabel, QSizePolicy, QWidget

from georapp.gui import look
from georapp.gui.plain import tooltip
from georapp.printable import printable


class Elided(QLabel):
    """One line, shortened in its middle."""

    def __init__(self, text: str = "", role: str = "", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._whole = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        look.set_role(self, role)
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """All of it, whatever it is."""
        self._whole = printable(text)
        self.setToolTip(tooltip(text))
        self.setAccessibleName(self._whole)
        self._shorten()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or less room than before."""
        super().resizeEvent(event)
        self._shorten()

    def minimumSizeHint(self) -> QSize:
        """A few letters."""
        return QSize(40, super().minimumSizeHint().height())

    def _shorten(self) -> None:
        room = max(40, self.width() - 2)
        self.setText(QFontMetrics(self.font()).elidedText(self._whole, Qt.TextElideMode.ElideMiddle, room))
