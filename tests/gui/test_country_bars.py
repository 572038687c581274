"""Countries of an album: the largest, the others together, all of them; bars that differ by pattern too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPushButton
from pytestqt.qtbot import QtBot

from georapp.album_scan import Country
from georapp.gui import look
from georapp.gui.train.configure.country_bars import LARGEST, CountryBars
from tests.gui.showing import expose, put_away

MANY = [Country(f"c{n}", f"Land {n}", 10 * (40 - n), 40 - n) for n in range(40)]


@pytest.fixture
def bars(qtbot: QtBot) -> Iterator[CountryBars]:
    bars = CountryBars()
    bars.resize(480, 460)
    expose(bars, qtbot)
    yield bars
    put_away(bars)


def names(bars: CountryBars) -> list[str]:
    model = bars.table.model()
    return [str(model.index(row, 0).data()) for row in range(model.rowCount())]


def test_without_photos_it_says_so(bars: CountryBars) -> None:
    assert bars.accessibleDescription() == "No photos yet."
    assert not bars.table.isVisible()


def test_few_countries_are_all_shown_the_largest_first(bars: CountryBars) -> None:
    bars.show_countries([Country("pt", "Portugal", 3, 1), Country("es", "Spain", 8, 2)])
    assert names(bars) == ["Spain", "Portugal"]
    assert bars.accessibleDescription() == "14 photos from 2 countries"
    assert not bars.findChild(QPushButton).isVisible()


def test_thirteen_are_shown_because_others_would_take_the_same_room(bars: CountryBars) -> None:
    bars.show_countries(MANY[: LARGEST + 1])
    assert len(names(bars)) == LARGEST + 1
    assert "others" not in names(bars)[-1]


def test_the_others_are_one_row_with_their_sums(bars: CountryBars) -> None:
    bars.show_countries(list(reversed(MANY)))
    assert names(bars) == [*(f"Land {n}" for n in range(LARGEST)), "28 others"]
    model = bars.table.model()
    assert model.index(LARGEST, 2).data() == f"{sum(country.train for country in MANY[LARGEST:]):,}"
    assert model.index(LARGEST, 3).data() == f"{sum(country.held_out for country in MANY[LARGEST:]):,}"


def test_all_are_shown_on_demand_without_taking_more_room(bars: CountryBars, qtbot: QtBot) -> None:
    bars.show_countries(MANY)
    high, button = bars.table.height(), bars.findChild(QPushButton)
    assert button.text() == "Show all 40 countries"
    button.setFocus()
    qtbot.keyClick(button, Qt.Key.Key_Space)
    assert len(names(bars)) == 40
    assert bars.table.height() == high
    qtbot.waitUntil(lambda: bars.table.verticalScrollBar().maximum() > 0)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert len(names(bars)) == LARGEST + 1


def test_a_row_is_a_sentence_for_who_cannot_see_the_bar(bars: CountryBars) -> None:
    bars.show_countries([Country("pt", "Portugal", 1300, 200)])
    for column in range(4):
        index = bars.table.model().index(0, column)
        said = index.data(Qt.ItemDataRole.AccessibleTextRole)
        assert said == "Portugal: 1,300 training and 200 held-out photos."


def test_bars_are_filled_for_training_and_hatched_for_held_out_photos(bars: CountryBars) -> None:
    bars.show_countries([Country("pt", "Portugal", 50, 50)])
    image = bars.table.viewport().grab().toImage()
    colours, box = look.current(), bars.table.visualRect(bars.table.model().index(0, 1))
    middle = box.center()
    left = {image.pixelColor(x, middle.y()).name() for x in range(box.left() + 20, middle.x() - 10)}
    right = {image.pixelColor(x, middle.y()).name() for x in range(middle.x() + 10, box.right() - 20)}
    assert left == {colours.accent}
    assert len(right) > 1
    assert colours.accent not in right


def test_a_country_without_photos_on_one_side_has_no_bar_there(bars: CountryBars) -> None:
    bars.show_countries([Country("pt", "Portugal", 0, 5), Country("es", "Spain", 5, 0), Country("fr", "France", 0, 0)])
    bars.grab()
    assert names(bars) == ["Portugal", "Spain", "France"]


def test_names_are_plain_text(bars: CountryBars) -> None:
    bars.show_countries([Country("xx", "<b>Land</b>\x07", 1, 1)])
    assert names(bars) == ["<b>Land</b>\ufffd"]
