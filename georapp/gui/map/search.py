"""The map's search: a field for a place name in any script, or a pair of degrees, and what was found."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QEvent, QObject, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from georapp.chain import strict_pair
from georapp.gazetteer import Gazetteer, Match
from georapp.geo import Coordinate
from georapp.gui import background
from georapp.gui.map.card import Card, decimal
from georapp.printable import printable

RESULTS = 8
ROW_PX = 26
PAUSE_MS = 150  # of typing, before a name is looked up
ZOOM_OF = {"country": 5, "province": 7, "city": 11}


def where(match: Match) -> str:
    """A line for a place that was found: "Paris · Île-de-France, France · city"."""
    place = match.place
    over = ", ".join(name for name in (place.province if place.kind == "city" else None, place.country) if name)
    name = place.name if match.matched == place.name else f"{place.name} ({match.matched})"
    return printable(" · ".join([name, *([over] if place.kind != "country" else []), place.kind]))


class Search(Card):
    """A field for a place name in any script, or a pair of degrees, and what was found."""

    chosen = Signal(object, int, str)  # Coordinate, zoom, label
    failed = Signal(str)

    def __init__(self, parent: QWidget, places: Callable[[], Gazetteer]) -> None:
        """`places` is called on another thread; the first call may take a second."""
        super().__init__(parent, name="mapSearch")
        self._places = places
        self._asked = ""
        self._matches: list[Match] = []
        self._go_on = False  # to the first place that is found: Enter came before it
        self._pause = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self._pause.timeout.connect(self._look_up)
        self.field = QLineEdit(placeholderText="Find a place", clearButtonEnabled=True)
        self.field.setAccessibleName("Find a place")
        self.field.setToolTip("A place name in any script, or a pair of degrees (/)")
        self.field.textChanged.connect(self._type)
        self.field.returnPressed.connect(self._enter)
        self.field.installEventFilter(self)
        self.results: QListWidget = QListWidget()
        self.results.setAccessibleName("Places found")
        self.results.setUniformItemSizes(True)
        self.results.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.results.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.results.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.results.itemClicked.connect(lambda item: self._go(self.results.row(item)))
        self.results.hide()
        self._column = layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(4)
        layout.addWidget(self.field)
        layout.addWidget(self.results)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Arrows move in the list, Escape puts the list away."""
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step and self.results.count():
                self.results.setCurrentRow((self.results.currentRow() + step) % self.results.count())
                return True
            if event.key() == Qt.Key.Key_Escape:
                self._show([])
                self.field.clear()
                return True
        return super().eventFilter(watched, event)

    def _type(self, text: str) -> None:
        self._go_on = False
        if text.strip():
            self._pause.start()
        else:
            self._pause.stop()
            self._asked = ""
            self._show([])

    def _look_up(self) -> None:
        text = self._asked = self.field.text().strip()
        if _pair(text):
            self._show([])
            return

        def search() -> tuple[str, list[Match]]:
            return text, self._places().search(text, limit=RESULTS)

        background.run(search, self._found, parent=self, failed=lambda error: self.failed.emit(str(error)))

    def _found(self, outcome: tuple[str, list[Match]]) -> None:
        text, matches = outcome
        if text != self._asked:  # somebody typed on
            return
        self._show(matches)
        if not matches:
            self._say(QListWidgetItem("No place of this name is known."))
        elif self._go_on:
            self._go(0)
        self._go_on = False

    def _show(self, matches: list[Match]) -> None:
        self._matches = matches
        self.results.clear()
        for match in matches:
            item = QListWidgetItem(where(match))
            item.setToolTip(where(match))
            item.setSizeHint(QSize(0, ROW_PX))
            self.results.addItem(item)
        if matches:
            self.results.setCurrentRow(0)
        self._fit()

    def _say(self, item: QListWidgetItem) -> None:
        item.setFlags(Qt.ItemFlag.NoItemFlags)
        item.setSizeHint(QSize(0, ROW_PX))
        self.results.addItem(item)
        self._fit()

    def _fit(self) -> None:
        """As high as the list is long."""
        count = self.results.count()
        self.results.setFixedHeight(count * ROW_PX + 4 if count else 0)
        self.results.setVisible(bool(count))
        self._column.activate()
        self.resize(self.width(), self.sizeHint().height())
        self.raise_()

    def _enter(self) -> None:
        """To the chosen place; the list may still be that of an earlier text, then to the first of the text that is there now."""
        if self._pause.isActive() and not _pair(self.field.text()):
            self._go_on = True
            self._pause.stop()
            self._look_up()
        else:
            self._go(max(0, self.results.currentRow()))

    def _go(self, row: int) -> None:
        place = _pair(self.field.text())
        if place:
            self.chosen.emit(place, 12, decimal(place))
        elif row < len(self._matches):
            match = self._matches[row]
            self.chosen.emit(match.place.coordinate, ZOOM_OF[match.place.kind], match.place.name)
        self._show([])


def _pair(text: str) -> Coordinate | None:
    """A pair of degrees, with or without brackets."""
    return strict_pair(f"({text.strip().strip('()')})")
