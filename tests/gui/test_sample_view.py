"""What is learned of a photo: tokens folded and marked, whatever is in them; the photo as the model gets it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QTextCursor
from PySide6.QtWidgets import QApplication, QLabel, QProgressBar, QPushButton, QTextEdit
from pytestqt.qtbot import QtBot

from georapp.gui import look
from georapp.gui.train.configure import tokens
from georapp.gui.train.configure.sample_view import Sample, SampleView
from tests.conftest import textured
from tests.gui.showing import expose, put_away

ASKED = [("<|im_start|>", False), ("user", False), ("\n", False), *[("<|image_pad|>", False)] * 64, ("Where?", False)]
LEARNED = [("Country", True), (":", True), (" Portugal", True), ("\n", True), ("<|im_end|>", True)]
TOKENS = (*ASKED, *LEARNED)


@pytest.fixture
def view(qtbot: QtBot) -> Iterator[SampleView]:
    view = SampleView()
    view.resize(760, 320)
    expose(view, qtbot)
    yield view
    put_away(view)


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.jpg"
    textured(400, 300, 1).save(path)
    return path


def test_tokens_of_the_photo_are_folded() -> None:
    text = "".join(run.text for run in tokens.runs(TOKENS))
    assert text == "<|im_start|>user↵\n<64 × image>Where?Country: Portugal↵\n<|im_end|>"


def test_only_special_tokens_in_a_row_are_the_photo() -> None:
    assert [run.text for run in tokens.runs([("ha", False), ("ha", False), ("<a>", False), ("<b>", False)])] == ["haha", "<a><b>"]
    assert tokens.runs([("<x>", True), ("<x>", True)])[0].text == "<x><x>"


def test_tiles_of_a_photo_are_folded_one_by_one() -> None:
    tiles = [("<row_1_col_1>", False), *[("<image>", False)] * 3, ("<row_1_col_2>", False), *[("<image>", False)] * 3]
    assert tokens.runs(tiles)[0].text == "<row_1_col_1><3 × image><row_1_col_2><3 × image>"
    assert tokens.count(tiles) == tokens.Count(photo=6, asked=2, learned=0)


def test_tokens_are_counted() -> None:
    assert tokens.count(TOKENS) == tokens.Count(photo=64, asked=4, learned=5)


def test_what_is_learned_is_one_run_even_where_tokens_end_inside_words() -> None:
    learned = [run for run in tokens.runs(TOKENS) if run.learned]
    assert "".join(run.text for run in learned) == "Country: Portugal↵\n<|im_end|>"


def formats(view: SampleView) -> dict[str, tuple[bool, QColor]]:
    """Of some words: underlined, colour."""
    edit, found = view.findChild(QTextEdit), {}
    for words in ("im_start", "Where", "Portugal", "im_end"):
        cursor = edit.document().find(words)
        made = cursor.charFormat()
        found[words] = made.fontUnderline(), made.foreground().color()
    return found


def test_what_is_learned_is_underlined_and_coloured(view: SampleView, photo: Path) -> None:
    view.show_samples([Sample(photo, TOKENS)])
    colours, found = look.current(), formats(view)
    assert found["Portugal"] == found["im_end"] == (True, QColor(colours.good))
    assert found["Where"] == (False, QColor(colours.text))
    assert found["im_start"] == (False, QColor(colours.dim))
    assert "5 of 73 tokens are learned" in view.counts()
    assert "Learned: Country: Portugal" in view.accessibleDescription()


def test_the_colours_follow_the_theme(view: SampleView, photo: Path, qapp: QApplication) -> None:
    view.show_samples([Sample(photo, TOKENS)])
    dark = look.current().dark
    look.apply(qapp, dark=not dark)
    assert formats(view)["Portugal"] == (True, QColor(look.current().good))
    look.apply(qapp, dark=dark)


def test_text_of_a_model_is_no_markup_and_has_no_control_characters(view: SampleView, photo: Path) -> None:
    view.show_samples([Sample(photo, (("<b>bold</b>\x1b[31m\u202e", False), ("<img src='x'>", True)))])
    assert view.text() == "<b>bold</b>\ufffd[31m\ufffd<img src='x'>"


def test_the_photo_is_shown_with_the_pixels_that_the_model_gets(view: SampleView, photo: Path, qtbot: QtBot) -> None:
    view.show_samples([Sample(photo, TOKENS)], max_pixels=30_000)
    qtbot.waitUntil(lambda: view.photo.words() == "200 × 150 pixels, as the model gets it")
    view.show_samples([Sample(photo, TOKENS)])
    qtbot.waitUntil(lambda: view.photo.words() == "400 × 300 pixels, as it is")


@pytest.mark.parametrize("broken", [b"", b"no photo"])
def test_a_photo_that_cannot_be_read_is_said(view: SampleView, tmp_path: Path, qtbot: QtBot, broken: bytes) -> None:
    path = tmp_path / "broken.jpg"
    path.write_bytes(broken)
    for there in (path, tmp_path / "gone.jpg"):
        view.show_samples([Sample(there, TOKENS)])
        qtbot.waitUntil(lambda: view.photo.words() == "The photo is not on this machine.")
    assert "Portugal" in view.text()


def test_samples_are_turned_with_buttons_and_keys(view: SampleView, photo: Path, qtbot: QtBot) -> None:
    view.show_samples([Sample(photo, ((str(n), True),)) for n in range(3)])
    before, after = view.findChildren(QPushButton)
    assert not before.isEnabled()
    qtbot.mouseClick(after, Qt.MouseButton.LeftButton)
    assert view.text() == "1"
    edit = view.findChild(QTextEdit)
    edit.setFocus()
    qtbot.keyClick(edit, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    assert view.text() == "2"
    assert not after.isEnabled()
    qtbot.keyClick(edit, Qt.Key.Key_PageDown, Qt.KeyboardModifier.ControlModifier)
    qtbot.keyClick(edit, Qt.Key.Key_PageUp, Qt.KeyboardModifier.ControlModifier)
    assert view.text() == "1"


def test_one_sample_needs_no_buttons(view: SampleView, photo: Path) -> None:
    view.show_samples([Sample(photo, TOKENS)])
    assert not any(button.isVisible() for button in view.findChildren(QPushButton))


def test_it_says_that_it_is_empty_busy_or_failed(view: SampleView, photo: Path) -> None:
    assert "No sample yet" in view.accessibleDescription()
    view.show_samples([Sample(photo, TOKENS)])
    view.show_busy()
    assert view.findChild(QProgressBar).isVisible()
    assert "made into tokens" in view.accessibleDescription()
    view.show_failed("The tokenizer <b>is</b> missing.\x07", "Choose another folder.")
    assert not view.findChild(QProgressBar).isVisible()
    texts = [made.text().replace("\u200b", "") for made in view.findChildren(QLabel) if made.isVisible()]
    assert texts == ["The tokenizer <b>is</b> missing.\ufffd", "Choose another folder."]
    view.show_samples([])
    assert "No sample yet" in view.accessibleDescription()


def test_a_late_photo_of_another_sample_is_dropped(view: SampleView, photo: Path, tmp_path: Path, qtbot: QtBot) -> None:
    view.show_samples([Sample(photo, TOKENS), Sample(tmp_path / "gone.jpg", TOKENS)])
    view._turn(1)
    qtbot.waitUntil(lambda: view.photo.words() == "The photo is not on this machine.")


def test_a_very_long_answer_scrolls_and_begins_at_its_start(view: SampleView, photo: Path) -> None:
    view.show_samples([Sample(photo, tuple(("word ", False) for _ in range(5000)))])
    edit = view.findChild(QTextEdit)
    assert edit.verticalScrollBar().value() == 0
    assert edit.textCursor().position() == QTextCursor(edit.document()).position() == 0
