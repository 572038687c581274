"""The map of an album: discs and rings where the photos are, across the date line, and twenty thousand of them."""

from __future__ import annotations

import random
from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QSize
from PySide6.QtGui import QColor, QImage
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from georapp.gui import look
from georapp.gui.train.configure import album_map
from georapp.gui.train.configure.album_map import AlbumMap, unrolled
from tests.gui.showing import expose, put_away

LISBON, PORTO = (38.72, -9.14), (41.15, -8.61)
PATIENCE_MS = 30_000


@pytest.fixture
def shown(qtbot: QtBot) -> Iterator[AlbumMap]:
    shown = AlbumMap()
    shown.resize(400, 300)
    expose(shown, qtbot)
    yield shown
    put_away(shown)


def picture(shown: AlbumMap, qtbot: QtBot) -> QImage:
    """With its places; the land may come later."""
    qtbot.waitUntil(lambda: _is_drawn(shown), timeout=PATIENCE_MS)
    return shown.grab().toImage()


def _is_drawn(shown: AlbumMap) -> bool:
    shown.grab()
    return shown._dots is not None and shown._dots[0] == (*shown._key(), shown._number)


def at(shown: AlbumMap, image: QImage, place: tuple[float, float]) -> str:
    """The colour there."""
    assert shown._frame
    point = shown._frame.at(*place, shown.size()).toPoint()
    return image.pixelColor(point).name()


def test_training_photos_are_discs_and_held_out_ones_rings(shown: AlbumMap, qtbot: QtBot) -> None:
    shown.show_places([(*LISBON, False), (*PORTO, True)])
    image = picture(shown, qtbot)
    colours = look.current()
    assert at(shown, image, LISBON) == colours.accent
    assert at(shown, image, PORTO) not in (colours.accent, colours.province)
    assert colours.province in {image.pixelColor(x, y).name() for x in range(400) for y in range(300)}


def test_all_places_lie_above_the_caption(shown: AlbumMap, qtbot: QtBot) -> None:
    shown.show_places([(*LISBON, False), (*PORTO, True)])
    assert shown._frame
    for place in (LISBON, PORTO):
        point = shown._frame.at(*place, shown.size())
        assert 0 < point.x() < 400
        assert 0 < point.y() < 300 - 30


def test_it_says_in_a_sentence_what_it_shows(shown: AlbumMap) -> None:
    assert shown.accessibleDescription() == "No photos yet."
    shown.show_places([(*LISBON, False), (-33.9, 18.4, False), (*PORTO, True)])
    assert shown.accessibleDescription() == "2 training and 1 held-out photos, from 34° south to 41° north."
    shown.show_places(())
    assert shown.accessibleDescription() == "No photos yet."


def test_another_album_in_the_same_frame_is_drawn(shown: AlbumMap, qtbot: QtBot) -> None:
    shown.show_places([(*LISBON, False), (*PORTO, False)])
    picture(shown, qtbot)
    shown.show_places([(*LISBON, False), (*PORTO, False), (40.0, -8.9, False)])
    assert at(shown, picture(shown, qtbot), (40.0, -8.9)) == look.current().accent


def test_the_theme_is_followed(shown: AlbumMap, qtbot: QtBot, qapp: QApplication) -> None:
    shown.show_places([(*LISBON, False)])
    picture(shown, qtbot)
    dark = look.current().dark
    look.apply(qapp, dark=not dark)
    assert at(shown, picture(shown, qtbot), LISBON) == look.current().accent
    look.apply(qapp, dark=dark)


def test_places_on_both_sides_of_the_date_line_lie_side_by_side() -> None:
    lon = unrolled(np.array([178.0, -179.0, 177.0]))
    assert np.ptp(lon) == pytest.approx(4)
    assert set(np.mod(lon, 360).tolist()) == {178.0, 181.0, 177.0}


def test_the_world_is_cut_in_the_pacific() -> None:
    lon = np.array([-155.0, -118.0, -74.0, -43.0, 0.0, 37.0, 77.0, 121.0, 174.0])
    assert unrolled(lon).tolist() == lon.tolist()
    assert unrolled(np.zeros(0)).tolist() == []


def test_twenty_thousand_places_make_few_points(shown: AlbumMap, qtbot: QtBot) -> None:
    chance = random.Random(1)
    places = [(chance.uniform(-60, 70), chance.uniform(-180, 180), chance.random() < 0.15) for _ in range(20_000)]
    shown.show_places(places)
    image = picture(shown, qtbot)
    assert image.size() == QSize(400, 300)
    x = np.array([chance.uniform(0, 50) for _ in range(20_000)])
    assert len(album_map._apart(x, x, 5.0)) <= 11


def test_one_place_alone_has_land_around_it(shown: AlbumMap, qtbot: QtBot) -> None:
    shown.show_places([(*LISBON, True)])
    picture(shown, qtbot)
    qtbot.waitUntil(lambda: shown._land is not None and shown._land[0] == shown._key(), timeout=PATIENCE_MS)
    ground = QColor(look.current().raised if look.current().dark else look.current().panel).name()
    image = shown.grab().toImage()
    assert ground in {image.pixelColor(x, y).name() for x in range(20, 380, 5) for y in range(20, 260, 5)}
