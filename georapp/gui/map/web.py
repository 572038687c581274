"""The web page of the map: started after the first paint, told what to show by messages, restarted once when it dies."""

from __future__ import annotations

import atexit
import functools
import json
import logging
import subprocess
import sys
import weakref
from dataclasses import asdict
from typing import TYPE_CHECKING

import shiboken6
from PySide6.QtCore import QPoint, Qt, QTimer, QUrl, Signal
from PySide6.QtGui import QAccessible, QAccessibleAnnouncementEvent, QColor, QImage, QPainter, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QLabel, QWidget

from georapp import map_page, paths, tiles
from georapp.errors import MapError
from georapp.geo import Coordinate
from georapp.gui import background, look
from georapp.map_page import Message
from georapp.printable import printable
from georapp.tile_file import TileFile

if TYPE_CHECKING:
    from PySide6.QtWebEngineWidgets import QWebEngineView

    from georapp.gui.map.scheme import Bridge, Handler

log = logging.getLogger(__name__)

KEPT = ("files", "theme", "cursor", "show", "go", "correcting", "measure")  # what a new page is told, in this order
NO_ENGINE = "The map cannot be shown: Qt WebEngine is missing or does not start. Everything else works."
NO_PAGE = "The map cannot be shown: its page could not be written. Everything else works."
CRASHED = "The map stopped twice and was put away. Everything else works; start georapp again to have the map back."

KEYS = "The arrow keys move it, plus and minus zoom. Page Down and Page Up go from photo to photo, Enter opens one, Escape leaves them."

PAGE_COMMAND = (sys.executable, "-m", "georapp", "map-page")
PATIENCE_S = 60.0

_views: weakref.WeakSet[QWebEngineView] = weakref.WeakSet()


@atexit.register
def _end_views() -> None:
    """Qt WebEngine crashes when a page is alive while the application is taken down, which PySide does at exit, after this."""
    for view in list(_views):
        if shiboken6.isValid(view):
            shiboken6.delete(view)


@functools.cache
def _html(dark: bool) -> str:
    """The page, written by a process of its own: folium and what it brings (pandas, where it is installed) take most of a second to import,
    during which the window would stand still, and up to 130 MB, which it would keep. Raises MapError."""
    try:
        done = subprocess.run((*PAGE_COMMAND, *(["--dark"] if dark else [])), capture_output=True, timeout=PATIENCE_S, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        log.exception("The page of the map could not be written: %s", getattr(error, "stderr", b""))
        raise MapError(NO_PAGE) from error
    return done.stdout.decode()


class MapWeb(QWidget):
    """The page. Messages may be said before it is there."""

    ready = Signal()
    drawn = Signal()  # the last message is on the screen
    put_away = Signal(str)  # a sentence: there will be no map
    refused = Signal(str)  # an address that was blocked
    clicked = Signal(object)  # Coordinate
    dragged = Signal(object)  # Coordinate of the square that was let go
    pointed = Signal(object)  # Coordinate, or None
    menu_wanted = Signal(object, QPoint)  # Coordinate, where on the screen
    chosen = Signal(int)  # a spot
    walked = Signal(str)  # which spot the keys are at, in words; empty when they left
    scaled = Signal(float)  # metres a pixel in the middle

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.still = False
        self.blocked = 0  # addresses so far
        self.is_ready = False
        self._begun = False
        self._crashes = self._number = 0
        self._view: QWebEngineView | None = None
        self._bridge: Bridge | None = None
        self._handler: Handler | None = None
        self._files: dict[str, TileFile] = {}
        self._wanted: dict[str, Message] = {"show": map_page.world(), "files": map_page.files([])}
        self._sentence = QLabel("Opening the map …", self)
        self._sentence.setTextFormat(Qt.TextFormat.PlainText)
        self._sentence.setWordWrap(True)
        self._sentence.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.set_dark(look.current().dark)

    def say(self, key: str, message: Message) -> None:
        """Now, or when the page can hear. `key`: which earlier message it replaces; of keys outside `KEPT` nothing is kept."""
        if key in KEPT:
            self._wanted[key] = message
        if self.is_ready:
            self._send(message)

    def forget(self, key: str) -> None:
        """What a new page need not be told any more."""
        self._wanted.pop(key, None)

    def set_dark(self, dark: bool) -> None:
        """The colours of the page."""
        self._dark = dark
        colours = asdict(look.DARK if dark else look.LIGHT)
        named = {name: colours[name] for name in ("country", "province", "city", "truth", "human", "text")}
        self.say("theme", map_page.theme(dark, named | {"prediction": colours["accent"], "on": colours["on_accent"]}))
        self.update()

    def set_files(self, files: list[TileFile]) -> None:
        """The map files of the user."""
        self._files = {map_page.file_id(number): file for number, file in enumerate(files)}
        if self._handler:
            self._handler.files |= self._files
        self.say("files", map_page.files([file.about for file in files]))

    def take_keys(self) -> None:
        """The page hears the keys."""
        if self._view:
            self._view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def picture(self) -> QImage | None:
        """What is on the screen; None before the page is there."""
        return self._view.grab().toImage() if self._view and self.is_ready else None

    def paintEvent(self, event: QPaintEvent) -> None:
        """The sea. The page is begun after the first paint, so that the window is there at once."""
        del event
        QPainter(self).fillRect(self.rect(), QColor(map_page.sea(self._dark)))
        if not self._begun:
            QTimer.singleShot(0, self, self.begin)

    def begin(self) -> None:
        """Make the page, if it is not there: Chromium holds up the window for some tenths of a second when it starts."""
        if not self._begun:
            self._begun = True
            dark = self._dark
            background.run(lambda: _html(dark), self._open, parent=self, failed=lambda error: self._put_away(str(error)))

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The page fills the widget."""
        super().resizeEvent(event)
        self._sentence.setGeometry(self.rect().adjusted(24, 24, -24, -24))
        if self._view:
            self._view.setGeometry(self.rect())

    def _open(self, html: str) -> None:
        try:
            self._make(html)
        except ImportError:
            log.exception("Qt WebEngine cannot be loaded")
            self._put_away(NO_ENGINE)
        except MapError as error:
            self._put_away(str(error))

    def _make(self, html: str) -> None:
        """Raises ImportError without Qt WebEngine, MapError without a base map."""
        from PySide6.QtWebChannel import QWebChannel
        from PySide6.QtWebEngineWidgets import QWebEngineView

        from georapp.gui.map import scheme

        base = tiles.read(paths.resources() / "map" / "basemap.pmtiles")
        view, bridge = QWebEngineView(self), scheme.Bridge(self)
        profile = scheme.PrivateProfile()
        profile.handler.html, profile.handler.files = html, {"base": base} | self._files
        page = scheme.Page(profile, view)
        profile.setParent(view)  # after the page: children die in this order, and a profile has to outlive its page
        page.setBackgroundColor(QColor(map_page.sea(self._dark)))
        view.setPage(page)
        scheme.close_doors(page.settings())
        channel = QWebChannel(page)
        channel.registerObject("bridge", bridge)
        page.setWebChannel(channel)
        page.renderProcessTerminated.connect(self._crash)
        page.loadFinished.connect(self._loaded)
        view.setAcceptDrops(False)  # or drops would not reach the window
        view.setContextMenuPolicy(Qt.ContextMenuPolicy.NoContextMenu)
        self._view, self._bridge, self._handler = view, bridge, profile.handler
        _views.add(view)
        page.refused.connect(self._count_blocked)
        profile.wall.refused.connect(self._count_blocked)
        self._listen(bridge)
        view.setGeometry(self.rect())
        view.load(QUrl(scheme.PAGE))
        view.show()

    def _loaded(self, fine: bool) -> None:
        """A refused way to another address says false too, and then the page is still there."""
        if not fine and not self.is_ready:
            self._put_away(NO_ENGINE)

    def _listen(self, bridge: Bridge) -> None:
        bridge.wall_hit.connect(self._count_blocked)
        bridge.ready.connect(self._greet)
        bridge.drawn.connect(lambda number: self.drawn.emit() if number == self._number else None)
        bridge.pressed.connect(lambda lat, lon: self.clicked.emit(Coordinate(lat, lon)))
        bridge.moved_to.connect(lambda lat, lon: self.dragged.emit(Coordinate(lat, lon)))
        bridge.hovered.connect(lambda lat, lon: self.pointed.emit(Coordinate(lat, lon)))
        bridge.hover_ended.connect(lambda: self.pointed.emit(None))
        bridge.menu_wanted.connect(self._offer)
        bridge.chosen.connect(self.chosen)
        bridge.came_to.connect(self._announce)
        bridge.came_to.connect(self.walked)
        bridge.view_changed.connect(lambda zoom, metres: self.scaled.emit(metres))

    def _offer(self, lat: float, lon: float, x: float, y: float) -> None:
        self.menu_wanted.emit(Coordinate(lat, lon), self.mapToGlobal(QPoint(round(x), round(y))))

    def _greet(self) -> None:
        """The page can hear: tell it everything that it should show."""
        self.is_ready = True
        for key in KEPT:
            if key in self._wanted:
                self._send(self._wanted[key])
        self._sentence.hide()
        if inside := self._inside():
            inside.setAccessibleName("Map")
            inside.setAccessibleDescription(KEYS)
        self.ready.emit()

    def _inside(self) -> QWidget | None:
        """What Qt WebEngine made for the keys."""
        return self._view.focusProxy() if self._view else None

    def _announce(self, words: str) -> None:
        """To screen readers."""
        if inside := self._inside():
            inside.setAccessibleDescription(words or KEYS)
            if words:
                QAccessible.updateAccessibility(QAccessibleAnnouncementEvent(inside, words))

    def _send(self, message: Message) -> None:
        if self._bridge:
            self._number += 1
            self._bridge.said.emit(json.dumps(message | {"id": self._number, "still": self.still}, ensure_ascii=False))

    def _count_blocked(self, address: str) -> None:
        self.blocked += 1
        log.warning("The map asked for %s and did not get it.", printable(address))
        self.refused.emit(address)

    def _crash(self, status: object, code: int) -> None:
        """The page's process ended: once it is started again, then the map is put away."""
        from PySide6.QtWebEngineCore import QWebEnginePage

        if status == QWebEnginePage.RenderProcessTerminationStatus.NormalTerminationStatus:
            return
        self.is_ready = False
        self._crashes += 1
        log.error("The map's process ended with code %d (%s).", code, status)
        if self._crashes == 1 and self._view:
            QTimer.singleShot(0, self._view, self._view.reload)
        else:
            self._put_away(CRASHED)

    def _put_away(self, sentence: str) -> None:
        """A sentence in place of the map."""
        if self._view:
            self._view.hide()
            self._view.deleteLater()
        self._view = self._bridge = None
        self.is_ready = False
        self._sentence.setText(sentence)
        self._sentence.show()
        self.put_away.emit(sentence)
