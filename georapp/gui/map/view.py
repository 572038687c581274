"""The map of the window: a web page without a network, cards over it, and answers drawn as areas first."""

from __future__ import annotations

import functools
import logging
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QByteArray, QEvent, Qt, Signal
from PySide6.QtGui import QImage, QImageWriter, QKeyEvent, QKeySequence, QResizeEvent, QShortcut
from PySide6.QtWidgets import QFileDialog, QWidget

from georapp import gazetteer, map_page, tiles
from georapp.chain import Level
from georapp.errors import GazetteerError, MapError
from georapp.geo import Coordinate
from georapp.gui import background, look
from georapp.gui.map import chromium
from georapp.gui.map.cards import Cards
from georapp.gui.map.read_out import Formatter
from georapp.gui.map.tools import Tools
from georapp.gui.map.web import MapWeb
from georapp.map_page import Message, Shown, Spot
from georapp.printable import printable
from georapp.tile_file import TileFile

log = logging.getLogger(__name__)

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
        self._files: list[TileFile] = []
        self._at_spot = False  # the keys are at one of many photos
        self.setAccessibleName("Map")
        self.setMinimumSize(240, 240)
        self._web = MapWeb(self)
        self._cards = Cards(self)
        self._tools = Tools(self, self._cards, self._say)
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
        self._cards.read_out.keep(coordinate)
        self._say("go", map_page.go(coordinate, zoom=zoom, label=label))
        self._cards.place()

    def set_correcting(self, on: bool, *, start: Coordinate | None = None) -> None:
        """While on, a click or the square that can be dragged says where the photo was taken (`picked`)."""
        self._tools.set_correcting(on, start)

    def set_dark(self, dark: bool) -> None:
        """The colours of the page. The application's theme is followed without being asked."""
        self._web.set_dark(dark)

    def set_formatter(self, *formatters: Formatter) -> None:
        """How coordinates are written; of several a click shows the next."""
        self._cards.read_out.set_formatters(formatters)
        self._cards.place()

    # files

    def add_map_file(self, path: Path) -> None:
        """A PMTiles or MBTiles file, drawn over the base map. What is wrong with it comes as `failed`."""
        background.run(lambda: tiles.read(path), self._add_file, parent=self, failed=self._tell_error)

    def map_files(self) -> list[Path]:
        """Those that were added, in order."""
        return [file.path for file in self._files]

    def save_png(self, path: Path) -> None:
        """The map with legend and scale as a picture; then `saved` or `failed`."""
        picture = self._web.picture()
        if picture is None:
            self.failed.emit("The map is not drawn yet, so it cannot be saved.")
            return
        self._cards.paint_on(picture)
        image: QImage = picture

        def save() -> Path:
            if not QImageWriter(str(path), QByteArray(b"png")).write(image):
                raise MapError(f"{printable(path.name)} cannot be written. Is there such a folder, and room in it?")
            return path

        background.run(save, self.saved.emit, parent=self, failed=self._tell_error)

    # Qt

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The page fills the widget, the cards keep to its edges."""
        super().resizeEvent(event)
        self._web.setGeometry(self.rect())
        self._cards.place()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self._web.set_dark(look.current().dark)

    # cards and keys

    def event(self, event: QEvent) -> bool:
        """Enter belongs to the spot at which the keys are; outside the map it is a command of the window."""
        enter = isinstance(event, QKeyEvent) and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
        if enter and event.type() == QEvent.Type.ShortcutOverride and self._at_spot:
            event.accept()  # it then goes to the page
            return True
        return super().event(event)

    def _connect_web(self) -> None:
        web = self._web
        web.ready.connect(self._warm)
        web.ready.connect(self.ready)
        web.drawn.connect(self.drawn)
        web.refused.connect(self.refused)
        web.put_away.connect(self._do_without)
        web.clicked.connect(self._tools.click)
        web.dragged.connect(self._tools.pick)
        web.pointed.connect(self._point)
        web.menu_wanted.connect(self._tools.offer)
        web.chosen.connect(self.spot_chosen)
        web.walked.connect(self._come_to)

    def _connect_cards(self) -> None:
        cards = self._cards
        self._tools.picked.connect(self.picked)
        self._web.scaled.connect(cards.read_out.scale.show_scale)
        cards.search.chosen.connect(lambda place, zoom, label: self.go_to(place, zoom=zoom, label=label))
        cards.search.failed.connect(self.failed)
        cards.buttons.zoomed.connect(self._zoom)
        cards.buttons.world_wanted.connect(self._see_world)
        cards.buttons.picture_wanted.connect(self._ask_picture)

    def _make_keys(self) -> None:
        """Heard while the map or something on it has the focus."""
        keys: dict[str, Callable[[], object]] = {
            "+": lambda: self._zoom(1),
            "=": lambda: self._zoom(1),
            "-": lambda: self._zoom(-1),
            "0": self._see_world,
            "M": self._cards.buttons.measure.toggle,
            "F": self._cards.read_out.cycle,
            "/": self._cards.search.field.setFocus,
            "PgDown": lambda: self._walk(1),
            "PgUp": lambda: self._walk(-1),
            "Ctrl+Shift+C": self._cards.read_out.copy_text,
            "Escape": self._leave_tools,
        }
        for key, act in keys.items():
            shortcut = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    def _begin_show(self, legend: Sequence[str], kept: Coordinate | None) -> None:
        """Cards for something new on the map."""
        self._web.forget("go")
        self._cards.begin(legend, kept)

    def _see_world(self) -> None:
        self._say("view", map_page.view(map_page.WORLD))

    def _zoom(self, by: int) -> None:
        self._say("zoom", map_page.zoom(by))

    def _walk(self, by: int) -> None:
        self._web.take_keys()
        self._say("walk", map_page.walk(by))

    def _come_to(self, words: str) -> None:
        self._at_spot = bool(words)

    def _leave_tools(self) -> None:
        self._tools.stop_measuring()
        if self._at_spot:
            self._say("walk", map_page.walk(0))

    def _point(self, place: Coordinate | None) -> None:
        self._cards.read_out.point(place)
        self._cards.place()
        self.pointed.emit(place)

    def _ask_picture(self) -> None:
        name, _ = QFileDialog.getSaveFileName(self, "Save the map as a picture", "map.png", "PNG pictures (*.png)")
        if name:
            self.save_png(Path(name))

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

    def _add_file(self, file: TileFile) -> None:
        if file.path in self.map_files():
            file.close()
            return
        self._files.append(file)
        self._web.set_files(self._files)
        if self._web.is_ready:  # those of the settings come earlier, and nobody asked to see them
            west, south, east, north = file.about.box
            self._say("view", map_page.view([south, west, north, east]))

    def _tell_error(self, error: Exception) -> None:
        self.failed.emit(str(error))

    def _do_without(self, sentence: str) -> None:
        self._cards.put_away()
        self.failed.emit(sentence)
