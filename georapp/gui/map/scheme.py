"""What the map's page may load, and the walls around it: georapp:// addresses, no network, nothing kept on disk.

- georapp://app/<name>: the page, its scripts, styles and fonts
- georapp://tiles/<id>/<z>/<x>/<y>: a tile of the base map ("base") or of a file of the user
- georapp://outline/<code>/<zoom>: polygons of a country or province as JSON
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from itertools import count

from PySide6.QtCore import QBuffer, QByteArray, QCoreApplication, QFile, QIODevice, QObject, Qt, QUrl, Signal, Slot
from PySide6.QtWebEngineCore import (
    QWebEnginePage,
    QWebEngineProfile,
    QWebEngineSettings,
    QWebEngineUrlRequestInfo,
    QWebEngineUrlRequestInterceptor,
    QWebEngineUrlRequestJob,
    QWebEngineUrlScheme,
    QWebEngineUrlSchemeHandler,
)

from georapp import map_page, map_shapes
from georapp.errors import GeorappError
from georapp.gui import background
from georapp.tile_file import TileFile

log = logging.getLogger(__name__)

SCHEME = b"georapp"
PAGE = "georapp://app/map.html"
ALLOWED = ("georapp", "data", "blob", "qrc")
_TYPES = {".js": b"text/javascript", ".css": b"text/css", ".woff2": b"font/woff2"}

Answer = tuple[bytes, bytes]  # type, body
Finder = Callable[[list[str]], Answer | None]


def register() -> None:
    """Make georapp:// known to Qt. Call it before the QApplication is made."""
    QCoreApplication.setAttribute(Qt.ApplicationAttribute.AA_ShareOpenGLContexts)  # Qt WebEngine asks for it
    if not QWebEngineUrlScheme.schemeByName(SCHEME).name().isEmpty():
        return
    scheme, flag = QWebEngineUrlScheme(SCHEME), QWebEngineUrlScheme.Flag
    scheme.setSyntax(QWebEngineUrlScheme.Syntax.Host)
    scheme.setFlags(flag.SecureScheme | flag.CorsEnabled | flag.FetchApiAllowed)
    QWebEngineUrlScheme.registerScheme(scheme)


class Wall(QWebEngineUrlRequestInterceptor):
    """Blocks every address that is not the program's own."""

    refused = Signal(str)  # the address

    def interceptRequest(self, info: QWebEngineUrlRequestInfo) -> None:
        """Called by Qt before anything is asked for."""
        address = info.requestUrl()
        if address.scheme() not in ALLOWED:
            info.block(True)
            self.refused.emit(address.toDisplayString())


class Handler(QWebEngineUrlSchemeHandler):
    """Answers georapp:// addresses. Files are read on other threads; none of its own, because Qt would wait for them when it deletes this
    object, and holds Python's lock, which they need, while it waits.
    """

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.html = ""
        self.files: dict[str, TileFile] = {}
        self._assets = map_page.assets()
        self._channel = _resource(":/qtwebchannel/qwebchannel.js")  # a page of another scheme may not load qrc: itself
        self._numbers = count()
        self._jobs: dict[int, QWebEngineUrlRequestJob] = {}

    def requestStarted(self, job: QWebEngineUrlRequestJob) -> None:
        """Called by Qt on the GUI thread."""
        number = next(self._numbers)
        self._jobs[number] = job
        job.destroyed.connect(lambda: self._jobs.pop(number, None))
        address = job.requestUrl()
        find, parts = self._finder(address.host()), address.path().strip("/").split("/")
        background.run(lambda: _answer(find, parts), lambda answer: self._reply(number, answer), parent=self, silent=_wait)

    def _finder(self, host: str) -> Finder:
        return {"app": self._asset, "tiles": self._tile, "outline": self._outline}.get(host, lambda parts: None)

    def _reply(self, number: int, answer: Answer | None) -> None:
        job = self._jobs.pop(number, None)
        if job is None:
            return
        if answer is None:
            job.fail(QWebEngineUrlRequestJob.Error.UrlNotFound)
            return
        buffer = QBuffer(job)
        buffer.setData(QByteArray(answer[1]))
        buffer.open(QIODevice.OpenModeFlag.ReadOnly)
        job.reply(QByteArray(answer[0]), buffer)

    def _asset(self, parts: list[str]) -> Answer | None:
        (name,) = parts
        if name == "map.html":
            return b"text/html; charset=utf-8", self.html.encode()
        if name == "qwebchannel.js":
            return _TYPES[".js"], self._channel
        path = self._assets.get(name)
        return (_TYPES[path.suffix], path.read_bytes()) if path else None

    def _tile(self, parts: list[str]) -> Answer | None:
        """A vector tile that is not there is empty, a picture that is not there is missing."""
        file = self.files[parts[0]]
        z, x, y = map(int, parts[1:])
        body = file.tile(z, x, y)
        if body is None and not file.about.vector:
            return None
        return file.about.mime.encode(), body or b""

    def _outline(self, parts: list[str]) -> Answer:
        code, zoom = parts
        return b"application/json", json.dumps(map_shapes.outline(code, int(zoom)), separators=(",", ":")).encode()


def _answer(find: Finder, parts: list[str]) -> Answer | None:
    """On another thread."""
    try:
        return find(parts)
    except (GeorappError, OSError, ValueError, KeyError) as error:
        log.warning("The map cannot have %s: %s", "/".join(parts), error)
        return None


def _resource(name: str) -> bytes:
    file = QFile(name)
    file.open(QIODevice.OpenModeFlag.ReadOnly)
    return bytes(file.readAll().data())


def _wait() -> None:
    log.warning("A file of the map has not answered for %g s.", background.PATIENCE_S)


class Page(QWebEnginePage):
    """A page that goes nowhere else and whose complaints go to the log."""

    refused = Signal(str)  # an address that it wanted to go to

    def acceptNavigationRequest(self, url: QUrl | str, kind: QWebEnginePage.NavigationType, is_main_frame: bool) -> bool:
        """Called by Qt before the wall is asked."""
        address = QUrl(url)
        if address == QUrl(PAGE) and is_main_frame:
            return True
        self.refused.emit(address.toDisplayString())
        return False

    def javaScriptConsoleMessage(
        self, level: QWebEnginePage.JavaScriptConsoleMessageLevel, message: str, line: int, source: str
    ) -> None:
        """To the log."""
        log.debug("The map's page, %s line %d: %s", source.rpartition("/")[2], line, message)


class Bridge(QObject):
    """What the page sees of the program. Its slots are called by georapp-map.js."""

    said = Signal(str)  # to the page: a message as JSON
    ready = Signal()
    drawn = Signal(int)  # number of the last message
    pressed = Signal(float, float)  # a click
    menu_wanted = Signal(float, float, float, float)  # lat, lon, x and y in the page
    moved_to = Signal(float, float)
    hovered = Signal(float, float)
    hover_ended = Signal()
    chosen = Signal(int)
    came_to = Signal(str)
    view_changed = Signal(float, float)  # zoom, metres a pixel
    wall_hit = Signal(str)

    @Slot()
    def started(self) -> None:
        """The page can hear."""
        self.ready.emit()

    @Slot(int)
    def settled(self, number: int) -> None:
        """Everything of the message is drawn."""
        self.drawn.emit(number)

    @Slot(float, float)
    def clicked(self, lat: float, lon: float) -> None:
        """On the map itself."""
        self.pressed.emit(lat, lon)

    @Slot(float, float, float, float)
    def asked(self, lat: float, lon: float, x: float, y: float) -> None:
        """For a menu."""
        self.menu_wanted.emit(lat, lon, x, y)

    @Slot(float, float)
    def dragged(self, lat: float, lon: float) -> None:
        """The square was let go."""
        self.moved_to.emit(lat, lon)

    @Slot(float, float)
    def pointed(self, lat: float, lon: float) -> None:
        """The pointer moved."""
        self.hovered.emit(lat, lon)

    @Slot()
    def left(self) -> None:
        """The pointer is not over the map any more."""
        self.hover_ended.emit()

    @Slot(int)
    def chose(self, number: int) -> None:
        """A spot."""
        self.chosen.emit(number)

    @Slot(str)
    def walked(self, words: str) -> None:
        """Keys went to a spot; no words when they left it."""
        self.came_to.emit(words)

    @Slot(float, float)
    def moved(self, zoom: float, metres: float) -> None:
        """The view changed."""
        self.view_changed.emit(zoom, metres)

    @Slot(str)
    def refused(self, address: str) -> None:
        """The page's own policy blocked an address."""
        self.wall_hit.emit(address)

    @Slot(str)
    def troubled(self, text: str) -> None:
        """An error in the page."""
        log.warning("The map's page: %s", text)


class PrivateProfile(QWebEngineProfile):
    """A profile without a name: nothing is written to disk."""

    def __init__(self) -> None:
        super().__init__()
        self.wall, self.handler = Wall(self), Handler(self)
        self.setUrlRequestInterceptor(self.wall)
        self.installUrlSchemeHandler(QByteArray(SCHEME), self.handler)


def close_doors(settings: QWebEngineSettings) -> None:
    """Switch off everything that a map does not need."""
    attribute = QWebEngineSettings.WebAttribute
    for name in (
        attribute.LocalContentCanAccessRemoteUrls,
        attribute.LocalContentCanAccessFileUrls,
        attribute.PluginsEnabled,
        attribute.PdfViewerEnabled,
        attribute.DnsPrefetchEnabled,
        attribute.LocalStorageEnabled,
        attribute.JavascriptCanOpenWindows,
        attribute.JavascriptCanAccessClipboard,
        attribute.ScreenCaptureEnabled,
        attribute.WebGLEnabled,
        attribute.ErrorPageEnabled,
        attribute.HyperlinkAuditingEnabled,
        attribute.NavigateOnDropEnabled,
    ):
        settings.setAttribute(name, False)
    settings.setAttribute(attribute.WebRTCPublicInterfacesOnly, True)
