"""The photo list: what is chosen survives every change, only what is on the screen is read, and nothing is done without being said."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QKeyEvent
from PySide6.QtWidgets import QApplication, QDialog
from pytestqt.qtbot import QtBot

from georapp.case import Row, Ruling, State
from georapp.geo import Coordinate
from georapp.gui.photos import small_pictures, verdict_preview
from georapp.gui.photos.photo_list import PhotoList
from georapp.gui.photos.row_words import aloud, on_hover, words
from georapp.gui.photos.unreadable import UnreadableDialog
from georapp.gui.photos.verdict_preview import plan
from georapp.intake import small_picture
from georapp.selection import Filter, Sort
from tests.conftest import textured
from tests.gui.showing import expose

PARIS = Coordinate(48.8566, 2.3522)


def row(number: int, name: str = "", **changes: Any) -> Row:
    plain = Row(
        number,
        Path(f"/photos/{name or f'IMG_{number}.jpg'}"),
        f"{number:064x}",
        State.WAITING,
        None,
        "",
        "",
        None,
        None,
        None,
        "",
        "",
        Ruling.NONE,
    )
    return replace(plain, **changes)


def located(number: int, name: str = "", **changes: Any) -> Row:
    known = {"stated": "Europe › France", "country": "France", "best": PARIS, "radius_km": 40.0, "model": "mini", **changes}
    return row(number, name, state=State.LOCATED, **known)


def with_picture(number: int) -> Row:
    found = row(number)
    target = small_picture(found.sha256)
    target.parent.mkdir(parents=True, exist_ok=True)
    textured(64, 48, number).save(target)
    return found


@pytest.fixture
def photos(qtbot: QtBot) -> PhotoList:
    widget = PhotoList()
    qtbot.addWidget(widget)
    widget.resize(290, 800)
    widget.show()
    expose(widget, qtbot)
    return widget


def heard(signal: Any) -> list[Any]:
    found: list[Any] = []
    signal.connect(lambda *values: found.append(values[0] if len(values) == 1 else values))
    return found


def shown(photos: PhotoList) -> list[int]:
    QApplication.processEvents()  # changed rows find their place when there is a moment
    model = photos.view.model()
    return [model.index(i, 0).data(Qt.ItemDataRole.UserRole).number for i in range(model.rowCount())]


# ---- choosing ----


def test_another_photo_is_said_once(photos: PhotoList) -> None:
    photos.set_rows([row(1), row(2)])
    chosen = heard(photos.chosen)
    assert photos.current() is None
    photos.choose(2)
    photos.choose(2)
    assert (photos.current(), photos.selected(), chosen) == (2, [2], [2])


def test_next_and_previous_stop_at_the_ends(photos: PhotoList) -> None:
    photos.set_rows([row(1), row(2)])
    chosen = heard(photos.chosen)
    for step in (photos.choose_next, photos.choose_next, photos.choose_next, photos.choose_previous, photos.choose_previous):
        step()
    assert chosen == [1, 2, 1]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ([Qt.Key.Key_Down, Qt.Key.Key_Down], 3),
        ([Qt.Key.Key_J, Qt.Key.Key_J, Qt.Key.Key_K], 2),
        ([Qt.Key.Key_End], 40),
        ([Qt.Key.Key_End, Qt.Key.Key_Up], 39),
        ([Qt.Key.Key_End, Qt.Key.Key_Home], 1),
    ],
)
def test_keys_go_through_the_photos(photos: PhotoList, qtbot: QtBot, keys: list[Qt.Key], expected: int) -> None:
    photos.set_rows([row(i) for i in range(1, 41)])
    photos.choose(1)
    for key in keys:
        qtbot.keyClick(photos.view, key)
    assert (photos.current(), photos.selected()) == (expected, [expected])


def test_a_page_down_goes_farther_than_a_line(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows([row(i) for i in range(1, 101)])
    photos.choose(1)
    qtbot.keyClick(photos.view, Qt.Key.Key_PageDown)
    current = photos.current()
    assert current is not None
    assert 4 < current < 20
    qtbot.keyClick(photos.view, Qt.Key.Key_PageUp)
    assert photos.current() == 1


def test_keys_of_the_window_are_left_to_it(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows([row(1, "cat.jpg"), row(2, "xylophone.jpg")])
    photos.choose(1)
    qtbot.keyClick(photos.view, Qt.Key.Key_X)
    letter = QKeyEvent(QKeyEvent.Type.KeyPress, ord("Ж"), Qt.KeyboardModifier.NoModifier, "ж")  # of another script: no Qt.Key
    photos.view.keyPressEvent(letter)
    assert not letter.isAccepted()
    assert photos.current() == 1


# ---- filter and order ----


def test_a_filter_keeps_the_current_photo_when_it_is_still_there(photos: PhotoList) -> None:
    photos.set_rows([located(i, radius_km=float(100 - i)) for i in range(1, 61)])
    photos.choose(40)
    chosen = heard(photos.chosen)
    photos.set_filter(Filter(least_radius_km=50).to_text())
    assert (photos.current(), photos.selected()) == (40, [40])
    assert photos.view.currentIndex().row() == 39
    photos.bar._order(Sort.RADIUS, reversed=False)
    assert photos.current() == 40
    assert photos.view.currentIndex().data(Qt.ItemDataRole.UserRole).number == 40
    assert photos.view.viewport().rect().intersects(photos.view.visualRect(photos.view.currentIndex()))
    assert chosen == []


def test_a_hidden_photo_stays_the_current_one_and_comes_back(photos: PhotoList) -> None:
    photos.set_rows([row(1), located(2), row(3)])
    photos.choose(2)
    photos.set_filter(Filter(states=frozenset({State.WAITING})).to_text())
    assert shown(photos) == [1, 3]
    assert photos.current() == 2
    assert not photos.view.currentIndex().isValid()
    photos.set_filter("")
    assert photos.view.currentIndex().row() == 1


def test_after_a_verdict_that_hides_the_photo_the_next_one_is_what_follows_it(photos: PhotoList) -> None:
    photos.set_rows([located(i, ruling=Ruling.UNSURE) for i in (1, 2, 3)])
    photos.set_filter(Filter(rulings=frozenset({Ruling.UNSURE})).to_text())
    photos.choose(2)
    photos.update_row(located(2, ruling=Ruling.ACCEPTED))
    assert (shown(photos), photos.current()) == ([1, 3], 2)
    photos.choose_next()
    assert photos.current() == 3


def test_typing_searches_and_every_filter_has_a_chip_that_takes_it_out(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows(
        [located(1, "Île.jpg"), located(2, "b.jpg", ruling=Ruling.UNSURE), located(3, "ile-2.jpg", ruling=Ruling.UNSURE)]
    )
    texts = heard(photos.filter_changed)
    qtbot.keyClicks(photos.bar._search, "ile")
    qtbot.waitUntil(lambda: shown(photos) == [1, 3])
    assert photos.bar._count.text() == "2 of 3"
    photos.set_filter(replace(photos.bar.filter, rulings=frozenset({Ruling.UNSURE})).to_text())
    assert shown(photos) == [3]
    (chip,) = photos.bar._chips._widgets
    qtbot.mouseClick(chip, Qt.MouseButton.LeftButton)
    assert shown(photos) == [1, 3]
    assert [Filter.from_text(text).text for text in texts] == ["ile", "ile", "ile"]


def test_the_popup_filters_with_every_click(photos: PhotoList) -> None:
    photos.set_rows([located(1), located(2, country="A & B <b>"), row(3)])
    popup = photos.bar._popup
    photos.bar.opening.emit()
    popup._states[State.LOCATED].setChecked(True)
    assert shown(photos) == [1, 2]
    assert [popup._countries.item(i).text() for i in range(2)] == ["A & B <b>  (1)", "France  (1)"]
    popup._countries.item(0).setCheckState(Qt.CheckState.Checked)
    assert shown(photos) == [2]
    popup._clear.click()
    assert shown(photos) == [1, 2, 3]


def test_kilometres_are_typed(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows([located(1, error_km=12.5), located(2, error_km=300.0), located(3)])
    field = photos.bar._popup._most_error
    qtbot.keyClicks(field, "12,5x")
    assert (field.text(), shown(photos)) == ("12,5", [1])
    field.selectAll()
    qtbot.keyClick(field, Qt.Key.Key_Delete)
    assert shown(photos) == [1, 2, 3]


def test_nothing_that_matches_is_said_with_a_way_out(photos: PhotoList) -> None:
    photos.set_rows([row(1)])
    photos.set_filter(Filter(text="zzz").to_text())
    assert photos._pages.currentIndex() == 1
    photos.bar.set_filter(Filter())
    assert photos._pages.currentIndex() == 0
    photos.set_rows([])
    assert photos._pages.currentIndex() == 0  # an empty case is the window's business


def test_a_view_is_saved_under_a_name_with_its_filter(photos: PhotoList, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("georapp.gui.photos.filter_bar.QInputDialog.getText", lambda *_: (" unsure ones ", True))
    photos.set_filter(Filter(text="paris").to_text())
    saved, chosen = heard(photos.view_saved), heard(photos.view_chosen)
    photos.bar._save_view()
    assert saved == [("unsure ones", Filter(text="paris").to_text())]
    photos.set_views(["a & b", "two"])
    photos.bar._views_menu.actions()[-2].trigger()
    assert chosen == ["a & b"]


# ---- changes ----


def test_a_changed_row_keeps_selection_scroll_and_current(photos: PhotoList) -> None:
    photos.set_rows([row(i) for i in range(1, 101)])
    photos.choose(50)
    bar = photos.view.verticalScrollBar()
    bar.setValue(bar.value() + 30)
    before, chosen = bar.value(), heard(photos.chosen)
    for number in (1, 50, 100):
        photos.update_row(located(number))
        QApplication.processEvents()
    assert (photos.current(), photos.selected(), bar.value(), chosen) == (50, [50], before, [])
    assert photos.view.model().index(99, 0).data() == "IMG_100.jpg"


@pytest.mark.parametrize("sort", list(Sort))
@pytest.mark.parametrize("backwards", [False, True])
def test_a_changed_row_goes_where_a_fresh_list_has_it(photos: PhotoList, qtbot: QtBot, sort: Sort, backwards: bool) -> None:
    rows = [located(i, radius_km=float(i * 7 % 10), error_km=float(i) if i % 2 else None) for i in range(1, 11)]
    wanted = Filter(most_error_km=30.0)
    photos.set_rows(rows)
    photos.set_filter(wanted.to_text())
    photos.bar._order(sort, reversed=backwards)
    photos.choose(5)
    fresh = PhotoList()
    qtbot.addWidget(fresh)
    fresh.set_filter(wanted.to_text())
    fresh.bar._order(sort, reversed=backwards)
    for number, error in ((3, 99.0), (4, 1.5), (5, 29.0), (7, 0.0), (3, 2.0)):
        rows[number - 1] = replace(rows[number - 1], error_km=error, radius_km=error)
        photos.update_row(rows[number - 1])
        fresh.set_rows(rows)
        assert shown(photos) == shown(fresh)
        assert photos.view.currentIndex().data(Qt.ItemDataRole.UserRole).number == 5


def test_many_changed_rows_are_settled_in_one_go(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows([located(i) for i in range(1, 1001)])
    photos.set_filter(Filter(rulings=frozenset({Ruling.NONE})).to_text())
    photos.bar._order(Sort.NAME, reversed=True)
    photos.choose(500)
    resets = heard(photos.view.model().modelReset)
    for number in range(1, 1001, 2):
        photos.update_row(located(number, ruling=Ruling.ACCEPTED))
    assert shown(photos) == list(range(1000, 1, -2))
    assert (photos.current(), photos.selected(), len(resets)) == (500, [500], 1)


def test_going_on_right_after_a_verdict_goes_to_the_row_below(photos: PhotoList) -> None:
    photos.set_rows([located(i) for i in (1, 2, 3)])
    photos.set_filter(Filter(rulings=frozenset({Ruling.NONE})).to_text())
    photos.choose(2)
    photos.update_row(located(2, ruling=Ruling.ACCEPTED))
    photos.choose_next()
    assert (photos.current(), shown(photos)) == (3, [1, 3])
    assert photos.selected() == [3]


def test_rows_are_added_at_the_end_and_a_new_order_keeps_the_current_one(photos: PhotoList) -> None:
    photos.set_rows([row(1)])
    photos.choose(1)
    photos.add_rows([row(2), row(3)])
    assert (shown(photos), photos.current()) == ([1, 2, 3], 1)
    photos.set_rows([row(3), row(1), row(2)])
    assert (shown(photos), photos.current(), photos.view.currentIndex().row()) == ([3, 1, 2], 1, 1)
    photos.set_rows([row(2)])
    assert (photos.current(), photos.selected()) == (None, [])


def test_the_photo_that_is_worked_on_says_so_and_the_one_after_it_is_the_next(photos: PhotoList) -> None:
    photos.set_rows([row(1), row(2), row(3)])
    photos.set_running(1, "reading\nthe photo")
    said = [photos.view.model().index(i, 0).data(Qt.ItemDataRole.AccessibleTextRole) for i in range(3)]
    assert said == ["IMG_1.jpg, reading�the photo", "IMG_2.jpg, next", "IMG_3.jpg, waiting"]
    assert photos.foot.stop.isEnabled()
    photos.update_row(located(1))
    photos.set_running(2)
    QApplication.processEvents()
    said = [photos.view.model().index(i, 0).data(Qt.ItemDataRole.AccessibleTextRole) for i in range(3)]
    assert said == ["IMG_1.jpg, France, within 40 km", "IMG_2.jpg, being located", "IMG_3.jpg, next"]
    photos.set_running(None)
    assert not photos.foot.stop.isEnabled()
    assert photos.foot.stop.toolTip() == "No photo is being located."


# ---- pictures ----


def test_of_ten_thousand_photos_at_most_300_pictures_are_kept(photos: PhotoList, qtbot: QtBot) -> None:
    rows = [with_picture(i) for i in range(1, 41)]
    photos.set_rows(rows + [row(i) for i in range(41, 10_001)])
    pictures = photos.view.pictures
    qtbot.waitUntil(lambda: len(pictures) >= 5)
    assert len(pictures) < 40  # those out of sight are not read
    for number in range(1, 10_001, 100):
        photos.choose(number)
        photos.view.viewport().grab()
    qtbot.waitUntil(lambda: not pictures._busy)
    assert len(pictures._kept) <= small_pictures.MOST_KEPT
    photos.choose(1)
    qtbot.waitUntil(lambda: pictures.pixmap(rows[0].sha256) is not None)


def test_the_oldest_pictures_are_let_go(photos: PhotoList, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(small_pictures, "MOST_KEPT", 3)
    pictures = photos.view.pictures
    for i in range(1, 6):
        sha256 = with_picture(i).sha256
        qtbot.waitUntil(lambda sha256=sha256: pictures.pixmap(sha256) is not None)  # type: ignore[misc]
    assert list(pictures._kept) == [f"{i:064x}" for i in (3, 4, 5)]


def test_a_missing_or_broken_picture_is_a_sign_and_is_not_read_again_and_again(photos: PhotoList, qtbot: QtBot) -> None:
    broken = small_picture(row(2).sha256)
    broken.parent.mkdir(parents=True)
    broken.write_bytes(b"this is no picture")
    photos.set_rows([row(1), row(2)])
    pictures = photos.view.pictures
    qtbot.waitUntil(lambda: len(pictures._kept) == 2)
    photos.view.viewport().grab()
    assert (len(pictures), pictures._busy, len(pictures._wanted)) == (0, set(), 0)


# ---- words ----

STRANGE = ["שלום.jpg", "🙂👩‍👩‍👧.heic", "a\nb\x1b[31m.jpg", "x" * 300 + ".jpg", "<b>bold</b>.png", "\u202egpj.exe", "&amp;.jpg"]


@pytest.mark.parametrize("name", STRANGE)
def test_unusual_names_are_shown_on_one_line(photos: PhotoList, name: str) -> None:
    found = located(1, name, error_km=1007.3, known=PARIS, ruling=Ruling.CORRECTED)
    photos.set_rows([found])
    photos.choose(1)
    photos.view.viewport().grab()
    for text in (words(found).name, aloud(found)):
        assert text.isprintable()
    assert "<" not in on_hover(found).split("\n")[0]  # Qt would take it for HTML


def test_a_row_says_place_kilometres_and_verdict() -> None:
    found = words(
        located(1, stated="Europe › France › Île-de-France › Paris", radius_km=420.4, error_km=0.34, ruling=Ruling.UNSURE)
    )
    assert found.place.text == "Paris, Île-de-France, France"
    assert [piece.text for piece in found.pieces] == ["± 420 km", "340 m off", "? unsure"]
    assert words(located(1, stated="Europe")).place.text == "Europe"
    assert words(located(1, stated="", radius_km=None)).place.text == "not localisable"


def test_where_nothing_is_stated_no_radius_is_said() -> None:
    nothing = located(1, stated="", radius_km=9758, error_km=1200)

    assert [piece.text for piece in words(nothing).pieces] == ["1,200 km off"]
    assert "within" not in aloud(nothing)
    failed = words(row(1, state=State.FAILED, reason="The model stopped.\n"))
    assert (failed.place.text, failed.pieces[0].text) == ("The model stopped.�", "⚠ failed")


# ---- doing ----


def test_the_foot_and_the_head_say_what_the_person_wants(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows([row(1), located(2), row(3, state=State.FAILED, reason="No.")])
    photos.set_unreadable(3)
    photos.set_progress("1 of 3 located", 1 / 3, "12 min left")
    photos.set_running(1)
    said = {
        name: heard(getattr(photos, name)) for name in ("paused", "resumed", "stopped", "retried", "unreadable_asked", "skipped")
    }
    photos.set_queue_running(True)
    qtbot.mouseClick(photos.foot.pause, Qt.MouseButton.LeftButton)
    photos.set_queue_running(False)
    qtbot.mouseClick(photos.foot.pause, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(photos.foot.stop, Qt.MouseButton.LeftButton)
    assert (photos.head._unreadable.text(), photos.head._failed.text()) == ("3 unreadable ▸", "1 failed, retry ▸")
    qtbot.mouseClick(photos.head._unreadable, Qt.MouseButton.LeftButton)
    qtbot.mouseClick(photos.head._failed, Qt.MouseButton.LeftButton)
    photos.choose(2)
    qtbot.keyClick(photos.view, Qt.Key.Key_Space)  # located already
    photos.choose(1)
    qtbot.keyClick(photos.view, Qt.Key.Key_Space)
    assert said["skipped"] == [[1]]
    assert [len(said[name]) for name in ("paused", "resumed", "stopped", "retried", "unreadable_asked")] == [1, 1, 1, 1, 1]


def menu_action(photos: PhotoList, text: str) -> Callable[[], None]:
    (action,) = [action for action in photos._menu().actions() if action.text() == text]
    assert action.isEnabled()
    return action.trigger


def test_the_menu_acts_on_those_that_it_fits(photos: PhotoList) -> None:
    photos.set_rows([row(1), located(2), row(3)])
    photos.set_running(3)
    photos.view.selectAll()
    again, first, skipped = heard(photos.located_again), heard(photos.moved_first), heard(photos.skipped)
    for text in ("Locate again", "Locate next", "Skip"):
        menu_action(photos, text)()
    assert (again, first, skipped) == ([[2]], [[1]], [[1, 3]])


def test_where_a_case_is_only_read_everything_that_changes_it_says_why_not(photos: PhotoList, qtbot: QtBot) -> None:
    photos.set_rows([row(1), row(2, state=State.FAILED)])
    photos.set_running(1)
    photos.set_read_only(True)
    photos.choose(1)
    skipped = heard(photos.skipped)
    qtbot.keyClick(photos.view, Qt.Key.Key_Space)
    assert skipped == []
    for button in (
        photos.foot.pause,
        photos.foot.skip,
        photos.foot.stop,
        photos.foot.again,
        photos.foot.verdict,
        photos.head._failed,
    ):
        assert not button.isEnabled()
        assert "only read" in button.toolTip()
    assert not any(action.isEnabled() for action in photos._menu().actions() if not action.isSeparator())


def answer_preview(monkeypatch: pytest.MonkeyPatch, answer: QDialog.DialogCode) -> list[str]:
    titles: list[str] = []

    def exec_(dialog: QDialog) -> int:
        titles.append(dialog.windowTitle())
        return int(answer)

    monkeypatch.setattr("georapp.gui.photos.photo_list.VerdictPreview.exec", exec_)
    return titles


def test_a_verdict_on_several_photos_is_previewed(photos: PhotoList, monkeypatch: pytest.MonkeyPatch) -> None:
    photos.set_rows([located(1), located(2, ruling=Ruling.REJECTED), located(3, ruling=Ruling.ACCEPTED), row(4)])
    photos.view.selectAll()
    judged = heard(photos.judged)
    answer_preview(monkeypatch, QDialog.DialogCode.Rejected)
    photos.judge_selected(Ruling.ACCEPTED)
    assert judged == []
    titles = answer_preview(monkeypatch, QDialog.DialogCode.Accepted)
    photos.judge_selected(Ruling.ACCEPTED)
    assert judged == [([1, 2], Ruling.ACCEPTED)]
    assert titles == ["Accept 2 photos"]


def test_the_preview_says_who_changes_and_who_does_not(qtbot: QtBot) -> None:
    rows = [located(1), located(2, ruling=Ruling.REJECTED), located(3, ruling=Ruling.ACCEPTED), row(4)]
    planned = plan(rows, Ruling.ACCEPTED)
    assert planned.sentences == (
        "2 photos will be changed.",
        "Of these, 1 had a verdict until now: 1 rejected. It stays in the history.",
        "1 photo left as before: accepted already.",
        "1 photo left out: no model has answered yet.",
    )
    assert plan(rows, Ruling.UNSURE).changes == (1, 2, 3, 4)
    assert plan(rows, Ruling.NONE).changes == (2, 3)
    dialog = verdict_preview.VerdictPreview(plan([], Ruling.ACCEPTED))
    qtbot.addWidget(dialog)
    assert dialog.result() == QDialog.DialogCode.Rejected


def test_a_verdict_on_one_photo_needs_no_preview(photos: PhotoList, monkeypatch: pytest.MonkeyPatch) -> None:
    photos.set_rows([located(1)])
    photos.choose(1)
    judged, titles = heard(photos.judged), answer_preview(monkeypatch, QDialog.DialogCode.Rejected)
    photos.judge_selected(Ruling.UNSURE)
    assert (judged, titles) == ([([1], Ruling.UNSURE)], [])


# ---- files that are no photos ----


def test_unreadable_files_are_listed_copied_and_tried_again(qtbot: QtBot) -> None:
    files = [(Path("/p/<b>a</b>\n.jpg"), "It is empty.", ""), (Path("/p/b.jpg"), "/p/b.jpg is damaged.", "Copy it again.")]
    dialog = UnreadableDialog(files)
    qtbot.addWidget(dialog)
    dialog.show()
    tried = heard(dialog.tried_again)
    dialog._again.click()
    dialog._list.setCurrentItem(dialog._list.topLevelItem(1))
    dialog._again.click()
    assert tried == [[files[0][0], files[1][0]], [files[1][0]]]
    assert dialog._text.toPlainText() == "/p/b.jpg is damaged.\nCopy it again."
    dialog._copy.click()
    assert QGuiApplication.clipboard().text() == dialog._text.toPlainText()
    dialog.set_files([])
    assert not dialog._again.isEnabled()
