"""The whole window: drops, keys, pages, and what is left in the case; once with the real model."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QImage
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from georapp import events, settings
from georapp.case import Case, Ruling, State
from georapp.gui import actions, look
from georapp.gui.app import FIRST_CASE
from georapp.gui.palette import Palette
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.paths import home
from tests.conftest import textured
from tests.gui.beginning import begun, opened
from tests.gui.showing import expose, put_away

PATIENCE_MS = 60_000


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> Iterator[Window]:
    window = Window(session)
    expose(window, qtbot)
    yield window
    put_away(window)


def done(session: Session, n: int) -> bool:
    return len(session.rows) == n and session.current is None and not session.count(State.WAITING)


def drop(window: Window, data: QMimeData) -> None:
    """As a desktop does it, on the middle of the window."""
    where = window.rect().center()
    enter = QDragEnterEvent(where, Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, enter)
    assert enter.isAccepted()
    event = QDropEvent(QPointF(where), Qt.DropAction.CopyAction, data, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier)
    QApplication.sendEvent(window, event)


def files(*paths: Path) -> QMimeData:
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def test_the_first_start_has_a_case_and_says_what_to_do(window: Window, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    assert window.session.case is not None
    assert window.session.case.path == home() / "cases" / FIRST_CASE
    assert window.empty.isVisible()
    qtbot.waitUntil(lambda: window.session.ready is not None, timeout=PATIENCE_MS)


def test_a_folder_that_is_dropped_is_located_and_kept(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    drop(window, files(photos))
    qtbot.waitUntil(lambda: done(window.session, 6), timeout=PATIENCE_MS)
    assert window.page.isVisible()
    assert window.page.photos.current() is not None
    rows = dict(window.session.rows)
    window.close()
    with Case.open(home() / "cases" / FIRST_CASE) as case:
        assert {row.number: row for row in case.rows()} == rows


def test_a_picture_that_is_dropped_without_a_file_becomes_one(window: Window, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    data = QMimeData()
    image = QImage(64, 48, QImage.Format.Format_RGB32)
    image.fill(Qt.GlobalColor.darkGreen)
    data.setImageData(image)
    drop(window, data)
    qtbot.waitUntil(lambda: done(window.session, 1), timeout=PATIENCE_MS)
    assert next(iter(window.session.rows.values())).path.parent == home() / "pasted"


def test_addresses_of_the_network_are_left_out(window: Window, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    data = QMimeData()
    data.setUrls([QUrl("https://example.org/photo.jpg")])
    drop(window, data)
    assert not window.session.rows


def test_a_case_that_is_dropped_is_opened(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    with Case.create(tmp_path / "Other.georapp"):
        pass
    drop(window, files(tmp_path / "Other.georapp"))
    opened(window, qtbot)
    assert window.session.case is not None
    assert window.session.case.path.name == "Other.georapp"
    assert "Other" in window.windowTitle()


def test_keys_judge_and_letters_in_the_note_do_not(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: done(window.session, 6), timeout=PATIENCE_MS)
    window.page.photos.choose(1)
    window.activateWindow()
    window.page.photos.setFocus()
    qtbot.keyClick(window, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: window.session.rows[1].ruling is Ruling.UNSURE)
    bar = window.page.answer.verdict_bar
    bar.focus_note()
    field = QApplication.focusWidget()
    assert field is not None
    qtbot.keyClicks(field, "excuse")
    assert window.session.rows[1].ruling is Ruling.UNSURE
    bar.reject()
    qtbot.waitUntil(lambda: window.session.rows[1].ruling is Ruling.REJECTED)
    assert window.session.case is not None
    assert window.session.case.verdicts(1)[-1].note == "excuse"


def test_accepting_goes_on_with_the_next_photo_and_undo_takes_it_back(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: done(window.session, 6), timeout=PATIENCE_MS)
    window.page.photos.choose(2)
    window.actions_by_name["accept"].trigger()
    assert window.session.rows[2].ruling is Ruling.ACCEPTED
    assert window.page.photos.current() == 3
    window.actions_by_name["undo"].trigger()
    assert window.session.rows[2].ruling is Ruling.NONE


def test_a_place_that_is_picked_on_the_map_corrects(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: done(window.session, 6), timeout=PATIENCE_MS)
    window.page.photos.choose(4)
    place = window.session.rows[4].best
    window.page.map.picked.emit(place)
    window.actions_by_name["accept"].trigger()  # Enter after a click on the map
    qtbot.waitUntil(lambda: window.session.rows[4].ruling is Ruling.CORRECTED)
    assert window.session.case is not None
    assert window.session.case.verdicts(4)[-1].place == place


def test_every_command_has_words_and_keys_of_its_own(window: Window) -> None:
    keys = [entry.keys for entry in actions.ENTRIES if entry.keys]
    assert len(keys) == len(set(keys))
    assert {entry.name for entry in actions.ENTRIES} == set(window.actions_by_name)


def test_the_palette_finds_a_command_by_its_words(window: Window, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    window.actions_by_name["palette"].trigger()
    (palette,) = window.findChildren(Palette)
    qtbot.waitUntil(lambda: palette._field.hasFocus())
    qtbot.keyClicks(palette._field, "light dark")
    before = look.current().dark
    qtbot.keyClick(palette._field, Qt.Key.Key_Return)
    assert look.current().dark is not before
    assert settings.load().theme == ("dark" if look.current().dark else "light")


def test_the_pages_of_the_rail_open(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: done(window.session, 6), timeout=PATIENCE_MS)
    window.actions_by_name["case_page"].trigger()
    assert window.case_page.isVisible()
    window.actions_by_name["map_page"].trigger()
    assert window.page.map.isVisible()
    assert not window.page.answer.isVisible()
    window.actions_by_name["locate_page"].trigger()
    assert window.page.answer.isVisible()


@pytest.mark.parametrize("name", ["settings", "about", "unreadable"])
def test_dialogs_open_and_close(name: str, window: Window, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    window.actions_by_name[name].trigger()
    (dialog,) = [widget for widget in window.findChildren(QDialog) if widget.isVisible()]
    assert dialog.windowTitle()
    dialog.reject()


def test_a_case_that_another_window_writes_is_only_read(window: Window, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    path = tmp_path / "held.georapp"
    Case.create(path).close()
    with Case.open(path) as holder:
        assert holder.writable
        window.cases.open(path)
        opened(window, qtbot)
        assert not window.session.writable
        assert not window.actions_by_name["accept"].isEnabled()
        drop(window, files(photos))
        assert "only read" in window.status._text
    assert not window.session.rows


def test_the_real_model_answers_in_the_window(qapp: QApplication, qtbot: QtBot) -> None:
    session = Session(settings.Settings())
    window = Window(session)
    expose(window, qtbot)
    heard: list[events.Event] = []
    session.heard.connect(lambda _number, event: heard.append(event))
    begun(window, [], qtbot)
    window.actions_by_name["demo"].trigger()
    qtbot.waitUntil(lambda: done(session, 1), timeout=PATIENCE_MS)
    assert any(isinstance(event, events.RegionRead) for event in heard)
    assert session.case is not None
    (answer,) = session.case.answers(1)
    assert answer.located.model == "georapp-mini"
    assert len(answer.located.prediction.samples) == 8
    window.close()


def test_closing_in_the_middle_loses_nothing(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    textured(64, 48, 80).save(tmp_path / "hang.jpg")
    begun(window, [tmp_path / "hang.jpg"], qtbot)
    qtbot.waitUntil(lambda: window.session.current is not None, timeout=PATIENCE_MS)
    window.close()
    with Case.open(home() / "cases" / FIRST_CASE) as case:
        assert case.counts()[State.WAITING] == 1
