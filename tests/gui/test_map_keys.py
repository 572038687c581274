"""The map of all photos by keyboard: from spot to spot, opened by Enter, said aloud."""

from __future__ import annotations

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from georapp.geo import Coordinate
from georapp.gui.map import web
from georapp.gui.map.view import MapView
from georapp.map_page import Spot
from tests.gui.asking_page import PATIENCE, Script, after

LISBON, BERLIN, TOKYO = Coordinate(38.7, -9.1), Coordinate(52.5, 13.4), Coordinate(35.7, 139.7)
SPOTS = [
    Spot(7, TOKYO, "c.jpg: Asia › Japan", "human"),
    Spot(3, LISBON, "a.jpg: Europe › Portugal", "prediction"),
    Spot(4, BERLIN, "b.jpg: Europe › Germany", "prediction"),
    Spot(5, Coordinate(52.6, 13.5), "d.jpg: Europe › Germany", "prediction"),
]

pytestmark = pytest.mark.usefixtures("still")


@pytest.fixture
def view(qtbot: QtBot, view: MapView) -> MapView:
    after(qtbot, view, lambda: view.show_spots(SPOTS))
    return view


def inside(view: MapView) -> QWidget:
    """What hears the keys."""
    found = view.findChild(QWebEngineView).focusProxy()
    assert isinstance(found, QWidget)
    return found


def press(qtbot: QtBot, view: MapView, key: Qt.Key) -> str:
    """What is said of the spot to which a key goes."""
    after(qtbot, view, lambda: qtbot.keyClick(inside(view), key))
    return inside(view).accessibleDescription()


def test_page_down_and_up_go_from_west_to_east_and_back(qtbot: QtBot, view: MapView, script: Script) -> None:
    inside(view).setFocus()
    after(qtbot, view, lambda: view.go_to(LISBON, zoom=3))

    said = [press(qtbot, view, key) for key in (Qt.Key.Key_PageDown, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp, Qt.Key.Key_PageUp)]
    assert said == [
        "1 of 3: a.jpg: Europe › Portugal. Enter opens it.",
        "2 of 3: 2 photos. Enter goes closer.",
        "1 of 3: a.jpg: Europe › Portugal. Enter opens it.",
        "3 of 3: c.jpg: Asia › Japan. Enter opens it.",
    ]
    assert script("document.querySelector('.said').textContent") == said[-1]
    assert script("document.querySelector('.said').getAttribute('aria-live')") == "polite"
    assert script("document.querySelector('.leaflet-tooltip').textContent") == "c.jpg: Asia › Japan"
    assert script("map.getBounds().contains(inView(L.latLng(35.7, 139.7)))")  # the map came along


def test_enter_opens_the_photo_and_is_no_command_of_the_window(qtbot: QtBot, view: MapView, script: Script) -> None:
    accepted: list[str] = []
    accept = QAction("Accept", view, shortcut=QKeySequence("Return"))
    accept.triggered.connect(lambda: accepted.append("once"))
    view.addAction(accept)
    after(qtbot, view, lambda: view.go_to(TOKYO, zoom=3))
    inside(view).setFocus()
    press(qtbot, view, Qt.Key.Key_PageDown)
    with qtbot.waitSignal(view.spot_chosen, timeout=PATIENCE) as chosen:
        qtbot.keyClick(inside(view), Qt.Key.Key_Return)
    assert chosen.args == [7]
    assert accepted == []

    press(qtbot, view, Qt.Key.Key_Escape)
    qtbot.keyClick(inside(view), Qt.Key.Key_Return)
    assert accepted == ["once"]


def test_enter_goes_closer_to_photos_that_are_together(qtbot: QtBot, view: MapView, script: Script) -> None:
    inside(view).setFocus()
    after(qtbot, view, lambda: view.go_to(BERLIN, zoom=3))
    press(qtbot, view, Qt.Key.Key_PageDown)
    said = press(qtbot, view, Qt.Key.Key_Return)

    assert script("map.getZoom()") > 3
    assert said == "2 of 4: b.jpg: Europe › Germany. Enter opens it."
    assert press(qtbot, view, Qt.Key.Key_PageDown) == "3 of 4: d.jpg: Europe › Germany. Enter opens it."


def test_escape_leaves_the_spots(qtbot: QtBot, view: MapView, script: Script) -> None:
    before = after(qtbot, view, lambda: view.go_to(BERLIN, zoom=4))
    inside(view).setFocus()
    press(qtbot, view, Qt.Key.Key_PageDown)

    assert press(qtbot, view, Qt.Key.Key_Escape) == web.KEYS
    assert view.findChild(QWebEngineView).grab().toImage() == before
    assert script("walked") is None


def test_the_spot_is_kept_when_photos_are_added(qtbot: QtBot, view: MapView) -> None:
    inside(view).setFocus()
    after(qtbot, view, lambda: view.go_to(TOKYO, zoom=3))
    press(qtbot, view, Qt.Key.Key_PageDown)
    after(qtbot, view, lambda: view.show_spots([*SPOTS, Spot(9, Coordinate(-33.9, 151.2), "e.jpg", "human")]))
    assert inside(view).accessibleDescription() == "3 of 4: c.jpg: Asia › Japan. Enter opens it."

    after(qtbot, view, lambda: view.show_spots(SPOTS[1:]))
    assert inside(view).accessibleDescription() == web.KEYS


def test_the_arrow_keys_still_move_the_map(qtbot: QtBot, view: MapView, script: Script) -> None:
    after(qtbot, view, lambda: view.go_to(BERLIN, zoom=5))
    inside(view).setFocus()
    press(qtbot, view, Qt.Key.Key_PageDown)
    before = script("map.getCenter().lng")
    qtbot.keyClick(inside(view), Qt.Key.Key_Right)

    qtbot.waitUntil(lambda: script("map.getCenter().lng") > before, timeout=PATIENCE)


def test_without_spots_the_keys_do_nothing(qtbot: QtBot, view: MapView, script: Script) -> None:
    after(qtbot, view, view.show_world)
    inside(view).setFocus()

    assert press(qtbot, view, Qt.Key.Key_PageDown) == web.KEYS
    assert script("walked") is None
