"""What clicks on the map do: measure, correct the place of a photo, or neither; and the menu of a place."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QObject, QPoint, Qt, Signal
from PySide6.QtWidgets import QMenu, QWidget

from georapp import map_page
from georapp.geo import Coordinate
from georapp.gui.map.cards import Cards
from georapp.map_page import Message

_ASKED = ("Click the first point", "Click the second point")


class Tools(QObject):
    """`say` sends a message to the page, under the key of the earlier one that it replaces."""

    picked = Signal(object)  # Coordinate: a correction

    def __init__(self, owner: QWidget, cards: Cards, say: Callable[[str, Message], None]) -> None:
        super().__init__(owner)
        self._owner, self._cards, self._say = owner, cards, say
        self._correcting = False
        self._measured: list[Coordinate] = []
        cards.buttons.measured.connect(self._measure)

    def set_correcting(self, on: bool, start: Coordinate | None) -> None:
        """While on, a click or the square that can be dragged is a correction."""
        self._correcting = on
        if on:
            self._cards.buttons.measure.setChecked(False)
        self._point_cross()
        self._say("correcting", map_page.correcting(on, start))
        self._cards.set_correcting(on)

    def click(self, place: Coordinate) -> None:
        """On the map itself."""
        self._cards.read_out.keep(place)
        if self._cards.buttons.measure.isChecked():
            self._measured = [*self._measured, place] if len(self._measured) < 2 else [place]
            self._tell_measured()
        elif self._correcting:
            self._say("correcting", map_page.correcting(True, place))
            self.pick(place)
        self._cards.place()

    def pick(self, place: Coordinate) -> None:
        """A correction."""
        self._cards.read_out.keep(place)
        self.picked.emit(place)

    def offer(self, place: Coordinate, where: QPoint) -> None:
        """The menu of a place."""
        menu = QMenu(self._owner)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Set as correction", lambda: self.pick(place))
        menu.addAction("Copy coordinates", lambda: self._cards.read_out.copy_place(place))
        menu.addAction("Measure from here", lambda: self._measure_from(place))
        menu.popup(where)

    def stop_measuring(self) -> None:
        """Take the line away."""
        self._cards.buttons.measure.setChecked(False)

    def _measure(self, on: bool) -> None:
        self._measured = []
        self._point_cross()
        self._tell_measured()
        if not on:
            self._cards.read_out.tell("")
        self._cards.place()

    def _tell_measured(self) -> None:
        words = (*_ASKED, map_page.measured(self._measured))
        self._cards.read_out.tell(words[len(self._measured)])
        self._say("measure", map_page.measure(self._measured))

    def _measure_from(self, place: Coordinate) -> None:
        self._cards.buttons.measure.setChecked(True)
        self.click(place)

    def _point_cross(self) -> None:
        self._say("cursor", map_page.cursor(self._correcting or self._cards.buttons.measure.isChecked()))
