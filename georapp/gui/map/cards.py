"""The cards over the map and where they stand: search at the upper left, legend at the upper right, read-out and buttons below."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtGui import QImage, QPainter
from PySide6.QtWidgets import QWidget

from georapp import gazetteer
from georapp.geo import Coordinate
from georapp.gui.map.buttons import Buttons
from georapp.gui.map.legend import ENTRIES, Legend
from georapp.gui.map.read_out import ReadOut
from georapp.gui.map.search import Search

MARGIN = 12
ATTRIBUTION_PX, SOURCES_PX = 20, 240  # height and width of the line that names the sources, at the lower right
LEGEND_FROM = 400  # pixels of the shorter side; a smaller map has no room for it


class Cards:
    """Four small panels on a map; `owner` is the map."""

    def __init__(self, owner: QWidget) -> None:
        self._owner = owner
        self._there: set[str] = set()  # entries of the legend
        self._correcting = False
        self._put_away = False
        self.search = Search(owner, gazetteer.load)
        self.legend = Legend(owner)
        self.read_out = ReadOut(owner)
        self.buttons = Buttons(owner)

    def begin(self, legend: Sequence[str], kept: Coordinate | None) -> None:
        """For something new on the map: what the legend explains, and the place that can be copied."""
        self._there = set(legend)
        self.legend.show_entries(self._entries())
        self.read_out.keep(kept)
        self.place()

    def set_correcting(self, on: bool) -> None:
        """Say what a click does, and what the square is."""
        self._correcting = on
        self.read_out.tell("Click where the photo was taken" if on else "")
        self.legend.show_entries(self._entries())
        self.place()

    def put_away(self) -> None:
        """There is no map."""
        self._put_away = True
        for card in (self.search, self.legend, self.read_out, self.buttons):
            card.hide()

    def paint_on(self, image: QImage) -> None:
        """Legend and read-out, as they stand; search and buttons are no part of a picture."""
        painter = QPainter(image)
        for card in (self.legend, self.read_out):
            if card.isVisible():
                painter.drawPixmap(card.pos(), card.grab())
        painter.end()

    def place(self) -> None:
        """All cards at their edges, so that none covers another."""
        width, height = self._owner.width(), self._owner.height()
        self.buttons.adjustSize()
        self.buttons.move(width - MARGIN - self.buttons.width(), height - MARGIN - ATTRIBUTION_PX - self.buttons.height())
        high = self.search.sizeHint().height()
        beside_buttons = self.buttons.width() + MARGIN if self.buttons.y() < 2 * MARGIN + high else 0
        self.search.resize(min(300 if width > 800 else 240, width - 2 * MARGIN - beside_buttons), high)
        self.search.move(MARGIN, MARGIN)
        self.read_out.fit(width - 3 * MARGIN - self.buttons.width())
        over_sources = MARGIN + self.read_out.width() > width - SOURCES_PX
        self.read_out.move(MARGIN, height - MARGIN - self.read_out.height() - (ATTRIBUTION_PX if over_sources else 0))
        self._place_legend(width, height)
        for card in (self.legend, self.read_out, self.buttons, self.search):
            card.raise_()

    def _place_legend(self, width: int, height: int) -> None:
        beside = width - self.search.width() - 3 * MARGIN
        self.legend.setVisible(bool(self._entries()) and min(width, height) >= LEGEND_FROM and not self._put_away)
        self.legend.fit(beside)
        below = MARGIN if self.legend.width() <= beside else 2 * MARGIN + self.search.height()
        self.legend.move(width - MARGIN - self.legend.width(), below)

    def _entries(self) -> list[str]:
        """Of the legend, in its order."""
        return [entry for entry in ENTRIES if entry in self._there or (entry == "human" and self._correcting)]
