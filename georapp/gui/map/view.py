"""The map of the window: a web page without a network, cards over it, and answers drawn as areas first."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QByteArray, QEvent, QPoint, Qt, Signal
from PySide6.QtGui import QImage, QImageWriter, QKeySequence, QPainter, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from georapp import gazetteer, map_page, tiles
from georapp.chain import Level
from georapp.errors import GazetteerError, MapError
from georapp.geo import Coordinate
from georapp.gui import background, look
from georapp.gui.map import chromium
from georapp.gui.map.buttons import Buttons
from georapp.gui.map.legend import ENTRIES, Legend
from georapp.gui.map.read_out import Formatter, ReadOut
from georapp.gui.map.search import Search
from georapp.gui.map.web import MapWeb
from georapp.map_page import Message, Shown, Spot
from georapp.printable import printable

log = logging.getLogger(__name__)

MARGIN = 12
ATTRIBUTION_PX, SOURCES_PX = 20, 240  # height and width of the line that names the sources, at the lower right
LEGEND_FROM = 400  # pixels of the shorter side; a smaller map has no room for it
MAX_SPOTS = 10_000


def register_scheme() -> None:
    """Make the map's addresses known to Qt; call it before the QApplication is made. Without Qt WebEngine it does nothing."""
    chromium.configure()
    try:
        from georapp.gui.map import scheme
    except ImportError as error:
        log.warning("Qt WebEngine is missing: %s", error)
        return
    scheme.register()


class MapView(QWidget):
    """The map. Everything may be called before it is seen; the web page is made after the first paint."""

    still: ClassVar[bool] = False  # for tests: no flights

    picked = Signal(object)  # Coordinate: a correction
    spot_chosen = Signal(int)
    pointed = Signal(object)  # Coordinate under the pointer, or None
    failed = Signal(str)
    saved = Signal(object)  # Path
    refused = Signal(str)  # an address that was blocked
    ready = Signal()
    drawn = Signal()  # everything that was asked for is on the screen

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._asked = 0
        self._files: list[tiles.TileFile] = []
        self._without = False  # the map was put away
        self._there: set[str] = set()  # entries of the legend
        self._correcting = False
        self._measured: list[Coordinate] = []
        self.setAccessibleName("Map")
        self.setMinimumSize(240, 240)
        self._web = MapWeb(self)
        self._search = Search(self, gazetteer.load)
        self._legend = Legend(self)
        self._readout = ReadOut(self)
        self._buttons = Buttons(self)
        self._connect_web()
        self._connect_cards()
        self._make_keys()

    @property
    def blocked(self) -> int:
        """How many addresses outside the program the page asked for, and did not get."""
        return self._web.blocked

    def begin(self) -> None:
        """Start the web page now, and not when the map is first seen."""
        self._web.begin()

    # what to show

    def show_world(self) -> None:
        """The whole world, nothing on it."""
        self._asked += 1  # what is still being composed is not wanted any more
        self._begin_show([], None)
        self._say("show", map_page.world())

    def follow(self, regions: Sequence[tuple[Level, str]]) -> None:
        """The regions of an answer that is being given; the map flies to the last of them."""
        known = tuple(regions)
        self._begin_show([], None)
        self._compose(lambda places: map_page.follow(known, places))

    def show_answer(self, shown: Shown) -> None:
        """All that is known of one photo."""
        parts = {
            "areas": shown.best and (shown.radius_50_km or shown.radius_90_km),
            "prediction": shown.best and shown.exact,
            "candidates": len(shown.candidates) > 1,
            "truth": shown.truth,
            "human": shown.human,
        }
        self._begin_show([name for name, there in parts.items() if there], shown.human or (shown.best if shown.exact else None))
        self._compose(lambda places: map_page.answer(shown, places))

    def show_spots(self, spots: Sequence[Spot]) -> None:
        """All photos of a case, near ones together; at most 10,000, the rest is left out and said."""
        rows = tuple(spots[:MAX_SPOTS])
        self._begin_show([*{spot.kind for spot in rows}, *(["photos"] if len(rows) > 1 else [])], None)
        self._compose(lambda places: map_page.spots(rows), with_places=False)
        if len(spots) > len(rows):
            self.failed.emit(f"The map shows the first {len(rows):,} of {len(spots):,} photos.")

    def go_to(self, coordinate: Coordinate, *, zoom: int = 10, label: str = "") -> None:
        """Move the view; a label marks the place by a cross."""
        self._readout.keep(coordinate)
        self._say("go", map_page.go(coordinate, zoom=zoom, label=label))
        self._place_cards()

    def set_correcting(self, on: bool, *, start: Coordinate | None = None) -> None:
        """While on, a click or the square that can be dragged says where the photo was taken (`picked`)."""
        self._correcting = on
        if on:
            self._buttons.measure.setChecked(False)
        self._readout.tell("Click where the photo was taken" if on else "")
        self._legend.show_entries(self._entries())
        self._point_cross()
        self._say("correcting", map_page.correcting(on, start))
        self._place_cards()

    def set_dark(self, dark: bool) -> None:
        """The colours of the page. The application's theme is followed without being asked."""
        self._web.set_dark(dark)

    def set_formatter(self, *formatters: Formatter) -> None:
        """How coordinates are written; of several a click shows the next."""
        self._readout.set_formatters(formatters)
        self._place_cards()

    # files

    def add_map_file(self, path: Path) -> None:
        """A PMTiles or MBTiles file, drawn over the base map. What is wrong with it comes as `failed`."""
        background.run(lambda: tiles.read(path), self._add_file, parent=self, failed=self._tell_error)

    def map_files(self) -> list[Path]:
        """Those that were added, in order."""
        return [file.path for file in self._files]

    def save_png(self, path: Path) -> None:
        """The map with legend and scale as a picture; then `saved` or `failed`."""
        image = self._picture()
        if image is None:
            self.failed.emit("The map is not drawn yet, so it cannot be saved.")
            return
        picture = image

        def save() -> Path:
            if not QImageWriter(str(path), QByteArray(b"png")).write(picture):
                raise MapError(f"{printable(path.name)} cannot be written. Is there such a folder, and room in it?")
            return path

        background.run(save, self.saved.emit, parent=self, failed=self._tell_error)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The page fills the widget, the cards keep to its edges."""
        super().resizeEvent(event)
        self._web.setGeometry(self.rect())
        self._place_cards()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._web.set_dark(look.current().dark)

    # cards and keys

    def _connect_web(self) -> None:
        web = self._web
        web.ready.connect(self._warm)
        web.ready.connect(self.ready)
        web.drawn.connect(self.drawn)
        web.refused.connect(self.refused)
        web.put_away.connect(self._do_without)
        web.clicked.connect(self._click)
        web.dragged.connect(self._pick)
        web.pointed.connect(self._point)
        web.menu_wanted.connect(self._offer)
        web.chosen.connect(self.spot_chosen)

    def _connect_cards(self) -> None:
        self._web.scaled.connect(self._readout.scale.show_scale)
        self._search.chosen.connect(lambda place, zoom, label: self.go_to(place, zoom=zoom, label=label))
        self._search.failed.connect(self.failed)
        self._buttons.zoomed.connect(self._zoom)
        self._buttons.world_wanted.connect(self._see_world)
        self._buttons.measured.connect(self._measure)
        self._buttons.picture_wanted.connect(self._ask_picture)

    def _make_keys(self) -> None:
        """Heard while the map or something on it has the focus."""
        keys: dict[str, Callable[[], object]] = {
            "+": lambda: self._zoom(1),
            "=": lambda: self._zoom(1),
            "-": lambda: self._zoom(-1),
            "0": self._see_world,
            "M": self._buttons.measure.toggle,
            "F": self._readout.cycle,
            "/": self._search.field.setFocus,
            "Ctrl+Shift+C": self._readout.copy_text,
            "Escape": lambda: self._buttons.measure.setChecked(False),
        }
        for key, act in keys.items():
            shortcut = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _place_cards(self) -> None:
        width, height = self.width(), self.height()
        self._buttons.adjustSize()
        self._buttons.move(width - MARGIN - self._buttons.width(), height - MARGIN - ATTRIBUTION_PX - self._buttons.height())
        high = self._search.sizeHint().height()
        beside_buttons = self._buttons.width() + MARGIN if self._buttons.y() < 2 * MARGIN + high else 0
        self._search.resize(min(300 if width > 800 else 240, width - 2 * MARGIN - beside_buttons), high)
        self._search.move(MARGIN, MARGIN)
        self._readout.fit(width - 3 * MARGIN - self._buttons.width())
        over_sources = MARGIN + self._readout.width() > width - SOURCES_PX
        self._readout.move(MARGIN, height - MARGIN - self._readout.height() - (ATTRIBUTION_PX if over_sources else 0))
        beside = width - self._search.width() - 3 * MARGIN
        self._legend.setVisible(bool(self._entries()) and min(width, height) >= LEGEND_FROM and not self._without)
        self._legend.fit(beside)
        below = MARGIN if self._legend.width() <= beside else 2 * MARGIN + self._search.height()
        self._legend.move(width - MARGIN - self._legend.width(), below)
        for card in (self._legend, self._readout, self._buttons, self._search):
            card.raise_()

    def _begin_show(self, legend: Sequence[str], kept: Coordinate | None) -> None:
        """Cards for something new on the map."""
        self._web.forget("go")
        self._there = set(legend)
        self._legend.show_entries(self._entries())
        self._readout.keep(kept)
        self._place_cards()

    def _entries(self) -> list[str]:
        """Of the legend, in its order."""
        return [entry for entry in ENTRIES if entry in self._there or (entry == "human" and self._correcting)]

    def _see_world(self) -> None:
        self._say("view", map_page.view(map_page.WORLD))

    def _zoom(self, by: int) -> None:
        self._say("zoom", map_page.zoom(by))

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the map as a picture", "map.png", "PNG pictures (*.png)")
        if name:
            self.save_png(Path(name))

    def _picture(self) -> QImage | None:
        """The page with legend and read-out, without search and buttons."""
        image = self._web.picture()
        if image is None:
            return None
        painter = QPainter(image)
        for card in (self._legend, self._readout):
            if card.isVisible():
                painter.drawPixmap(card.pos(), card.grab())
        painter.end()
        return image

    # messages

    def _say(self, key: str, message: Message) -> None:
        self._web.still = self.still
        self._web.say(key, message)

    def _compose(self, compose: Callable[[gazetteer.Gazetteer | None], Message], *, with_places: bool = True) -> None:
        """Compose what to show on another thread; what comes late is dropped."""
        self._asked += 1
        number = self._asked

        def work() -> tuple[Message, str]:
            try:
                return compose(gazetteer.load() if with_places else None), ""
            except GazetteerError as error:
                return compose(None), str(error)

        background.run(work, functools.partial(self._take, number), parent=self, failed=self._tell_error)

    def _take(self, number: int, outcome: tuple[Message, str]) -> None:
        message, trouble = outcome
        if trouble:
            self.failed.emit(trouble)
        if number == self._asked:
            self._say("show", message)

    def _warm(self) -> None:
        """Load names and polygons before they are needed. What is wrong with them is said when they are."""
        background.run(
            lambda: map_page.outlines(((Level.COUNTRY, "France"),), gazetteer.load()),
            lambda done: None,
            parent=self,
            failed=lambda error: log.warning("%s", error),
        )

    def _add_file(self, file: tiles.TileFile) -> None:
        if file.path in self.map_files():
            file.close()
            return
        self._files.append(file)
        self._web.set_files(self._files)

    def _tell_error(self, error: Exception) -> None:
        self.failed.emit(str(error))

    def _do_without(self, sentence: str) -> None:
        self._without = True
        for card in (self._search, self._legend, self._readout, self._buttons):
            card.hide()
        self.failed.emit(sentence)

    # what the person does

    def _click(self, place: Coordinate) -> None:
        self._readout.keep(place)
        if self._buttons.measure.isChecked():
            self._measured = [*self._measured, place] if len(self._measured) < 2 else [place]
            self._tell_measured()
        elif self._correcting:
            self._say("correcting", map_page.correcting(True, place))
            self._pick(place)
        self._place_cards()

    def _pick(self, place: Coordinate) -> None:
        self._readout.keep(place)
        self.picked.emit(place)

    def _point(self, place: Coordinate | None) -> None:
        self._readout.point(place)
        self._place_cards()
        self.pointed.emit(place)

    def _measure(self, on: bool) -> None:
        self._measured = []
        self._point_cross()
        self._tell_measured()
        if not on:
            self._readout.tell("")
        self._place_cards()

    def _tell_measured(self) -> None:
        words = ("Click the first point", "Click the second point", map_page.measured(self._measured))
        self._readout.tell(words[len(self._measured)])
        self._say("measure", map_page.measure(self._measured))

    def _point_cross(self) -> None:
        self._say("cursor", map_page.cursor(self._correcting or self._buttons.measure.isChecked()))

    def _offer(self, place: Coordinate, where: QPoint) -> None:
        """The menu of a place."""
        menu = QMenu(self)
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.addAction("Set as correction", lambda: self._pick(place))
        menu.addAction("Copy coordinates", lambda: self._readout.copy_place(place))
        menu.addAction("Measure from here", lambda: self._measure_from(place))
        menu.popup(where)

    def _measure_from(self, place: Coordinate) -> None:
        self._buttons.measure.setChecked(True)
        self._click(place)
