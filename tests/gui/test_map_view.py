"""The map: the page, the walls around it, and what it shows and says."""

from __future__ import annotations

import sqlite3
import threading
from pathlib import Path

import pytest
import shiboken6
from PySide6.QtCore import QEvent, QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QGuiApplication, QImage
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QApplication, QMenu, QVBoxLayout, QWidget
from pytestqt.qtbot import QtBot

from georapp import gazetteer, map_page, map_shapes
from georapp.chain import Chain, Level
from georapp.errors import GazetteerError
from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.map import web as map_web
from georapp.gui.map.read_out import Scale
from georapp.gui.map.view import MapView
from georapp.map_page import Shown, Spot
from georapp.prediction import Candidate
from tests.gui.asking_page import PATIENCE, Script, after

FRANCE = ((Level.CONTINENT, "Europe"), (Level.COUNTRY, "France"), (Level.PROVINCE, "Occitanie"))
BEST = Coordinate(43.9, 4.8)
ANSWER = Shown(
    regions=FRANCE,
    best=BEST,
    candidates=(Candidate(BEST, Chain(), 5, 0.6), Candidate(Coordinate(41.4, 2.2), Chain(), 2, 0.25)),
    radius_50_km=90,
    radius_90_km=420,
    truth=Coordinate(45.76, 4.83),
)

pytestmark = pytest.mark.usefixtures("still")


def colours(image: QImage) -> set[int]:
    return {image.pixel(x, y) for x in range(0, image.width(), 4) for y in range(0, image.height(), 4)}


def test_the_base_map_is_drawn(qtbot: QtBot, view: MapView) -> None:
    assert len(colours(view.grab().toImage())) > 20
    assert view.blocked == 0


def test_the_network_is_blocked_and_counted(
    qtbot: QtBot, view: MapView, script: Script, caplog: pytest.LogCaptureFixture
) -> None:
    asked = ["https://example.org/", "http://127.0.0.1:9/"]
    script(
        f"Promise.allSettled({asked}.map(address => fetch(address))).then(found => window.found = found.map(one => one.status))"
    )
    qtbot.waitUntil(lambda: view.blocked == 2, timeout=PATIENCE)
    assert script("window.found") == ["rejected", "rejected"]

    with qtbot.waitSignal(view.refused, timeout=PATIENCE) as refused:
        script("setTimeout(() => { location.href = 'https://example.org/elsewhere'; }, 0)")
    assert refused.args == ["https://example.org/elsewhere"]
    assert view.blocked == 3
    assert script("location.href") == "georapp://app/map.html"


def test_files_of_the_machine_are_out_of_reach(view: MapView, script: Script) -> None:
    script("Promise.all(['georapp://app/../map_scheme.py', 'georapp://app/%2e%2e/README.md', 'georapp://tiles/nobody/0/0/0', 'georapp://elsewhere/x']"
           ".map(a => fetch(a).then(r => r.ok, e => false))).then(found => window.reached = found)")  # fmt: skip
    for _ in range(100):
        reached = script("window.reached")
        if reached:
            break
    assert reached == [False] * 4


def test_an_answer_is_drawn_and_twice_the_same(qtbot: QtBot, view: MapView) -> None:
    world = view.findChild(QWebEngineView).grab().toImage()
    first = after(qtbot, view, lambda: view.show_answer(ANSWER))
    after(qtbot, view, lambda: view.show_answer(Shown(best=Coordinate(-33, 151), radius_90_km=5, exact=True)))
    again = after(qtbot, view, lambda: view.show_answer(ANSWER))

    assert first != world
    assert first == again


def test_the_world_after_an_answer_is_the_world_before(qtbot: QtBot, view: MapView) -> None:
    before = after(qtbot, view, view.show_world)
    after(qtbot, view, lambda: view.show_answer(ANSWER))

    assert after(qtbot, view, view.show_world) == before


def test_a_pin_only_where_the_answer_is_exact(qtbot: QtBot, view: MapView, script: Script) -> None:
    after(qtbot, view, lambda: view.show_answer(ANSWER))
    assert script("document.querySelectorAll('.prediction').length") == 0
    assert script("document.querySelectorAll('.candidate').length") == 3 * 2
    assert script("document.querySelector('.chip').textContent") == "207 km"

    after(qtbot, view, lambda: view.show_answer(Shown(best=BEST, exact=True)))
    assert script("document.querySelectorAll('.prediction').length") == 3


def test_following_an_answer_flies_down(qtbot: QtBot, view: MapView, script: Script) -> None:
    zooms = []
    for count in (1, 2, 3):
        after(qtbot, view, lambda count=count: view.follow(FRANCE[:count]))  # type: ignore[misc]
        zooms.append(script("map.getZoom()"))

    assert zooms == sorted(zooms)
    assert zooms[0] < zooms[2]
    assert script("[map.getCenter().lat, map.getCenter().lng]") == pytest.approx([43.7, 2.2], abs=1)


def test_text_of_models_is_never_html(qtbot: QtBot, view: MapView, script: Script) -> None:
    evil = "<img src=x onerror=alert(1)>"
    after(qtbot, view, lambda: view.go_to(BEST, label=evil))
    assert script("document.querySelector('.chip').textContent") == evil

    after(qtbot, view, lambda: view.show_spots([Spot(1, BEST, evil, "truth")]))
    script("groups.spots.getLayers().forEach(badge => badge.openTooltip()), 1")
    assert script("document.querySelector('.leaflet-tooltip').textContent") == evil
    assert script("document.images.length") == 0


def test_spots_are_drawn_together_and_chosen_apart(qtbot: QtBot, view: MapView, script: Script) -> None:
    spots = [Spot(n, Coordinate(48 + n / 1e4, 2), f"{n}.jpg", "prediction") for n in range(40)]
    after(qtbot, view, lambda: view.show_spots([*spots, Spot(77, Coordinate(-30, 20), "far.jpg", "human")]))
    assert sorted(script("clusters.cells.map(cell => cell.spots.length)")) == [1, 40]

    with qtbot.waitSignal(view.spot_chosen, timeout=PATIENCE) as chosen:
        script("groups.spots.getLayers().find(badge => badge.options.kind === 'human').fire('click'), 1")
    assert chosen.args == [77]

    before = script("map.getZoom()")
    after(qtbot, view, lambda: script("groups.spots.getLayers().find(badge => badge.options.count).fire('click'), 1"))
    assert script("map.getZoom()") > before


def test_spots_at_one_place_are_chosen_one_after_the_other(qtbot: QtBot, view: MapView, script: Script) -> None:
    after(qtbot, view, lambda: view.show_spots([Spot(n, BEST, f"{n}.jpg", "truth") for n in (5, 6)]))
    chosen: list[int] = []
    view.spot_chosen.connect(chosen.append)
    for count in (1, 2, 3):
        script("groups.spots.getLayers()[0].fire('click'), 1")
        qtbot.waitUntil(lambda count=count: len(chosen) == count, timeout=PATIENCE)  # type: ignore[misc]

    assert chosen == [5, 6, 5]


def test_ten_thousand_spots(qtbot: QtBot, view: MapView, script: Script) -> None:
    spots = [Spot(n, Coordinate(n % 140 - 70, n * 7 % 360 - 180), "x", "prediction") for n in range(10_001)]
    said: list[str] = []
    view.failed.connect(said.append)
    after(qtbot, view, lambda: view.show_spots(spots))

    assert script("clusters.cells.reduce((sum, cell) => sum + cell.spots.length, 0)") == 10_000
    assert said == ["The map shows the first 10,000 of 10,001 photos."]


def test_correcting_by_click_drag_and_menu(qtbot: QtBot, view: MapView, script: Script, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(QMenu, "popup", lambda menu, where: None)  # without a screen it complains
    picked: list[Coordinate] = []
    view.picked.connect(picked.append)
    script("map.fire('click', {latlng: L.latLng(10, 20)}), 1")
    after(qtbot, view, lambda: view.set_correcting(True, start=BEST))
    assert picked == []  # a click means nothing before
    assert script("held.getLatLng().lat") == BEST.lat

    after(qtbot, view, lambda: script("map.fire('click', {latlng: L.latLng(48.5, 362.25)}), 1"))
    after(qtbot, view, lambda: script("held.setLatLng([47, 1]).fire('dragend'), map.fire('moveend'), 1"))
    assert picked == [Coordinate(48.5, 2.25), Coordinate(47, 1)]

    after(qtbot, view, lambda: view.set_correcting(False))
    assert script("held") is None
    script("map.fire('contextmenu', {latlng: L.latLng(1, 2), containerPoint: L.point(100, 100)}), 1")
    qtbot.waitUntil(lambda: view.findChild(QMenu) is not None, timeout=PATIENCE)
    view.findChild(QMenu).actions()[0].trigger()
    assert picked[-1] == Coordinate(1, 2)


def test_measuring(qtbot: QtBot, view: MapView, script: Script) -> None:
    view._cards.buttons.measure.click()
    after(qtbot, view, lambda: script("map.fire('click', {latlng: L.latLng(48.8566, 2.3522)}), 1"))
    after(qtbot, view, lambda: script("map.fire('click', {latlng: L.latLng(52.52, 13.405)}), 1"))
    assert script("document.querySelector('.chip').textContent") == "877 km, bearing 58° NE"
    assert view._cards.read_out.note.text() == "877 km, bearing 58° NE"

    after(qtbot, view, view._cards.buttons.measure.click)
    assert script("document.querySelector('.chip')") is None


def test_the_read_out_follows_the_pointer_and_copies_the_last_place(qtbot: QtBot, view: MapView, script: Script) -> None:
    view.set_formatter(lambda place: f"first {place}", lambda place: f"second {place}")
    script("map.fire('click', {latlng: L.latLng(10, 20)}), 1")
    with qtbot.waitSignal(view.pointed, timeout=PATIENCE) as pointed:
        script("map.fire('mousemove', {latlng: L.latLng(1, 2)}), 1")
    assert pointed.args == [Coordinate(1, 2)]
    assert view._cards.read_out.text.text() == "first (1.0000, 2.0000)"

    with qtbot.waitSignal(view.pointed, timeout=PATIENCE):
        script("map.fire('mouseout'), 1")
    view._cards.read_out.text.click()
    view._cards.read_out.copy.click()
    assert QGuiApplication.clipboard().text() == "second (10.0000, 20.0000)"


def test_a_place_is_found_in_another_script(qtbot: QtBot, view: MapView, script: Script) -> None:
    view._cards.search.field.setText("東京")
    results = view._cards.search.results
    qtbot.waitUntil(lambda: results.count() > 1, timeout=PATIENCE)
    assert "Japan" in results.item(0).text()

    qtbot.keyClick(view._cards.search.field, Qt.Key.Key_Down)
    after(qtbot, view, lambda: qtbot.keyClick(view._cards.search.field, Qt.Key.Key_Return))
    assert script("[map.getCenter().lat, map.getCenter().lng]") == pytest.approx([35.69, 139.69], abs=0.1)
    assert not results.isVisible()


def test_enter_goes_to_what_is_written_and_not_to_what_was_found_before(qtbot: QtBot, view: MapView, script: Script) -> None:
    search = view._cards.search
    search.field.setText("Lisbon")
    qtbot.waitUntil(lambda: search.results.count() > 0, timeout=PATIENCE)
    search.field.setText("Helsinki")
    after(qtbot, view, lambda: qtbot.keyClick(search.field, Qt.Key.Key_Return))

    assert script("[map.getCenter().lat, map.getCenter().lng]") == pytest.approx([60.2, 24.9], abs=0.5)


def test_a_pair_of_degrees_is_a_place(qtbot: QtBot, view: MapView, script: Script) -> None:
    view._cards.search.field.setText("-22.95, -43.21")
    after(qtbot, view, lambda: qtbot.keyClick(view._cards.search.field, Qt.Key.Key_Return))

    assert script("[map.getCenter().lat, map.getCenter().lng]") == pytest.approx([-22.95, -43.21], abs=0.01)


def test_a_name_that_nobody_knows_says_so(qtbot: QtBot, view: MapView) -> None:
    view._cards.search.field.setText("qqqqqqqqqq")
    qtbot.waitUntil(lambda: view._cards.search.results.count() == 1, timeout=PATIENCE)

    assert view._cards.search.results.item(0).text() == "No place of this name is known."


def test_the_theme_is_followed(qtbot: QtBot, view: MapView, script: Script, qapp: QApplication) -> None:
    try:
        after(qtbot, view, lambda: look.apply(qapp, dark=not look.current().dark))
        assert script("dark") == look.current().dark
    finally:
        look.apply(qapp, dark=True)


def test_drops_reach_the_window(qtbot: QtBot) -> None:
    class Window(QWidget):
        dropped: tuple[str, ...] = ()

        def dragEnterEvent(self, event: QDragEnterEvent) -> None:
            event.acceptProposedAction()

        def dropEvent(self, event: QDropEvent) -> None:
            self.dropped += tuple(url.fileName() for url in event.mimeData().urls())
            event.acceptProposedAction()

    window = Window()
    window.setAcceptDrops(True)
    view = MapView()
    QVBoxLayout(window).addWidget(view)
    qtbot.addWidget(window)
    window.resize(500, 400)
    with qtbot.waitSignal(view.drawn, timeout=PATIENCE):
        window.show()
    assert not view.acceptDrops()
    assert not view.findChild(QWebEngineView).acceptDrops()
    files, copy = QMimeData(), Qt.DropAction.CopyAction
    files.setUrls([QUrl.fromLocalFile("/photos/ünï.jpg")])
    middle, rest = QPoint(250, 200), (copy, files, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, QDragEnterEvent(middle, *rest))
    QApplication.sendEvent(window, QDropEvent(QPointF(middle), *rest))

    assert window.dropped == ("ünï.jpg",)


def test_a_map_file_of_the_user(qtbot: QtBot, view: MapView, script: Script, tmp_path: Path) -> None:
    path = tmp_path / "aerial.mbtiles"
    picture = tmp_path / "tile.png"
    tile = QImage(256, 256, QImage.Format.Format_RGB32)
    tile.fill(0xFF12AB34)
    tile.save(str(picture))
    with sqlite3.connect(path) as database:
        database.execute("create table metadata (name text, value text)")
        database.execute("create table tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
        database.executemany("insert into metadata values (?, ?)", [("format", "png"), ("attribution", "<i>Aerial</i> & co")])
        rows = [(2, x, y, picture.read_bytes()) for x in range(4) for y in range(4)]
        database.executemany("insert into tiles values (?, ?, ?, ?)", rows)
    database.close()
    after(qtbot, view, lambda: view.add_map_file(path))

    assert view.map_files() == [path]
    assert script("document.querySelector('.attribution').textContent") == f"{map_page.ATTRIBUTION} · Aerial & co"
    seen = after(qtbot, view, lambda: view.go_to(BEST, zoom=3))
    assert 0xFF12AB34 in colours(seen)


def test_a_file_that_is_no_map(qtbot: QtBot, view: MapView, tmp_path: Path) -> None:
    path = tmp_path / "holiday.pmtiles"
    path.write_bytes(b"no map")
    with qtbot.waitSignal(view.failed, timeout=PATIENCE) as failed:
        view.add_map_file(path)

    assert failed.args == ["holiday.pmtiles is not a map file."]
    assert view.map_files() == []


def test_a_picture_of_the_map(qtbot: QtBot, view: MapView, tmp_path: Path) -> None:
    after(qtbot, view, lambda: view.show_answer(ANSWER))
    with qtbot.waitSignal(view.saved, timeout=PATIENCE) as saved:
        view.save_png(tmp_path / "map.png")
    assert saved.args == [tmp_path / "map.png"]
    assert QImage(str(tmp_path / "map.png")).size() == view.size()

    with qtbot.waitSignal(view.failed, timeout=PATIENCE) as failed:
        view.save_png(tmp_path / "nowhere" / "map.png")
    assert "cannot be written" in failed.args[0]


def test_everything_may_be_asked_before_the_map_is_seen(qtbot: QtBot) -> None:
    view = MapView()
    qtbot.addWidget(view)
    view.resize(500, 400)
    view.show_answer(ANSWER)
    view.set_correcting(True, start=BEST)
    view.save_png(Path("too-early.png"))
    qtbot.waitUntil(lambda: view._web._wanted["show"]["do"] == "answer", timeout=PATIENCE)
    assert view.findChild(QWebEngineView) is None
    with qtbot.waitSignal(view.drawn, timeout=PATIENCE):
        view.show()

    ask = Script(qtbot, view)
    assert ask("current.do") == "answer"
    assert ask("held.getLatLng().lng") == BEST.lon


def test_what_comes_late_is_dropped(qtbot: QtBot, view: MapView, script: Script) -> None:
    after(qtbot, view, lambda: [view.show_answer(ANSWER), view.follow(FRANCE), view.show_world()])
    view.show_spots([Spot(1, BEST, "a", "truth")])
    qtbot.waitUntil(lambda: script("current.do") == "spots", timeout=PATIENCE)


def test_without_place_data_the_areas_are_still_drawn(
    qtbot: QtBot, view: MapView, script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> gazetteer.Gazetteer:
        raise GazetteerError("The place data is damaged.")

    monkeypatch.setattr(gazetteer, "load", broken)
    with qtbot.waitSignal(view.failed, timeout=PATIENCE) as failed:
        after(qtbot, view, lambda: view.show_answer(ANSWER))

    assert failed.args == ["The place data is damaged."]
    assert script("current.areas.length") == 2


def test_a_page_that_dies_comes_back_once(qtbot: QtBot, view: MapView, caplog: pytest.LogCaptureFixture) -> None:
    after(qtbot, view, lambda: view.show_answer(ANSWER))
    died = QWebEnginePage.RenderProcessTerminationStatus.CrashedTerminationStatus
    with qtbot.waitSignals([view.ready, view.drawn], timeout=PATIENCE):
        view.findChild(QWebEngineView).page().renderProcessTerminated.emit(died, 11)
    assert Script(qtbot, view)("current.do") == "answer"

    with qtbot.waitSignal(view.failed, timeout=PATIENCE) as failed:
        view.findChild(QWebEngineView).page().renderProcessTerminated.emit(died, 11)
    assert failed.args == [map_web.CRASHED]
    assert not view._cards.search.isVisible()
    view.show_world()  # does nothing, and no harm


def test_without_a_web_engine_there_is_a_sentence(qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(self: map_web.MapWeb, html: str) -> None:
        raise ImportError("libQt6WebEngineCore.so.6")

    monkeypatch.setattr(map_web.MapWeb, "_make", missing)
    view = MapView()
    qtbot.addWidget(view)
    with qtbot.waitSignal(view.failed, timeout=PATIENCE) as failed:
        view.show()

    assert failed.args == [map_web.NO_ENGINE]


@pytest.mark.parametrize(("key", "by"), [(Qt.Key.Key_Plus, 1), (Qt.Key.Key_Minus, -1)])
def test_keys_zoom(qtbot: QtBot, view: MapView, script: Script, key: Qt.Key, by: int) -> None:
    after(qtbot, view, lambda: view.go_to(BEST, zoom=6))
    view._cards.buttons.closer.setFocus()
    after(qtbot, view, lambda: qtbot.keyClick(view._cards.buttons.closer, key))

    assert script("map.getZoom()") == 6 + by


def test_every_control_has_a_name(view: MapView) -> None:
    for card in (view._cards.search, view._cards.read_out, view._cards.buttons):
        for control in card.findChildren(QWidget, options=Qt.FindChildOption.FindDirectChildrenOnly):
            if control.focusPolicy() & Qt.FocusPolicy.TabFocus:
                assert control.accessibleName(), control
                assert control.toolTip(), control


def test_a_theme_change_event_alone_does_no_harm(view: MapView) -> None:
    QApplication.sendEvent(view, QEvent(QEvent.Type.PaletteChange))


def test_a_map_that_was_made_before_it_was_seen_has_a_scale(still: None, qtbot: QtBot) -> None:
    view = MapView()
    qtbot.addWidget(view)
    view.begin()
    qtbot.waitSignal(view.ready, timeout=PATIENCE).wait()
    view.resize(720, 480)
    with qtbot.waitSignal(view.drawn, timeout=PATIENCE):
        view.show()
        view.show_answer(ANSWER)
    assert view.findChild(Scale).accessibleDescription().endswith("km")


def test_a_map_that_goes_while_a_file_is_read_for_it_waits_for_nobody(
    qtbot: QtBot, still: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who waits holds Python's lock, for which the thread that reads is waiting."""
    begun, let_go, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(code: str, zoom: int) -> list[object]:
        begun.set()
        let_go.wait(PATIENCE / 1000)
        ended.set()
        return []

    monkeypatch.setattr(map_shapes, "outline", slow)
    view = MapView()
    qtbot.addWidget(view)
    with qtbot.waitSignal(view.drawn, timeout=PATIENCE):
        view.show()
    Script(qtbot, view)("fetch('georapp://outline/FR/3'), 1")
    qtbot.waitUntil(begun.is_set, timeout=PATIENCE)
    shiboken6.delete(view.findChild(QWebEngineView))

    assert not ended.is_set()
    let_go.set()
    qtbot.waitUntil(ended.is_set, timeout=PATIENCE)
