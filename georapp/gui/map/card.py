"""The panel that the map's cards are made of."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt
from PySide6.QtWidgets import QFrame, QToolButton, QWidget

from georapp.geo import Coordinate
from georapp.gui import look


class Card(QFrame):
    """A small panel on the map. Clicks on it do not reach the map."""

    def __init__(self, parent: QWidget, *, name: str) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setAttribute(Qt.WidgetAttribute.WA_NoMousePropagation)
        self.dress()

    def dress(self) -> None:
        """In the colours of the theme."""
        colours = look.current()
        sheet = f"#{self.objectName()} {{ background: {colours.panel}; border: 1px solid {colours.line}; border-radius: 8px; }}"
        if sheet != self.styleSheet():
            self.setStyleSheet(sheet)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.dress()


def decimal(coordinate: Coordinate) -> str:
    """ "48.8584° N, 2.2945° E"."""
    north, east = "N" if coordinate.lat >= 0 else "S", "E" if coordinate.lon >= 0 else "W"
    return f"{abs(coordinate.lat):.4f}° {north}, {abs(coordinate.lon):.4f}° {east}"


def named(button: QToolButton, name: str, tip: str) -> QToolButton:
    """With words for eyes and for screen readers."""
    button.setAccessibleName(name)
    button.setToolTip(tip)
    return button
