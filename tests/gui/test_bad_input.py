"""Files that are no photos, or hardly any, dropped on the window: each has a sentence, and the others are located."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from PIL import Image
from PySide6.QtCore import QMimeData
from PySide6.QtGui import QImage, Qt
from PySide6.QtWidgets import QApplication, QLabel, QLineEdit, QWidget
from pytestqt.qtbot import QtBot

from georapp import photo
from georapp.case import State
from georapp.gui import adding
from georapp.gui.photos.photo_view import PhotoView
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.paths import home
from tests.conftest import textured
from tests.gui.beginning import begun, taken
from tests.gui.drops import drop, files

PATIENCE_MS = 30_000
NAMES = (
    "new\nline.jpg",
    "\u05e9\u05dc\u05d5\u05dd \u202egpj.jpg",
    "🏔️ 👩‍👩‍👧 é.jpg",
    "<b>bold & <img src=x>.jpg",
    "'; DROP TABLE photo;--.jpg",
)


def settled(session: Session, n: int) -> bool:
    return len(session.rows) == n and session.current is None and not session.count(State.WAITING)


def reasons(session: Session) -> dict[str, str]:
    return {path.name: reason for path, reason, _hint in session.unreadable()}


def answers_to_people(window: Window, qtbot: QtBot) -> None:
    """A key does what it should, so the window is alive."""
    window.actions_by_name["case_page"].trigger()
    qtbot.waitUntil(window.case_page.isVisible)
    window.actions_by_name["locate_page"].trigger()
    qtbot.waitUntil(lambda: not window.case_page.isVisible())


def good_photos(folder: Path) -> list[str]:
    """Odd and readable; the names in the order in which a folder is read."""
    exif = Image.Exif()
    exif[0x0112] = 6
    textured(64, 48, 1).save(folder / "rotated.jpg", exif=exif)
    textured(64, 48, 2).convert("CMYK").save(folder / "cmyk.jpg")
    textured(64, 48, 3).convert("L").convert("I;16").save(folder / "sixteen bits.png")
    textured(64, 48, 9).convert("LAB").save(folder / "laboratory.tif")
    textured(64, 48, 4).save(folder / "phone.heic")
    textured(64, 48, 5).save(folder / "animated.webp", save_all=True, append_images=[textured(64, 48, 6)])
    textured(3000, 2000, 7).save(folder / "huge.jpg", quality=40)
    for seed, name in enumerate(NAMES):
        textured(64, 48, 20 + seed).save(folder / name)
    return sorted(path.name for path in folder.iterdir() if path.is_file())


def bad_files(folder: Path) -> dict[str, str]:
    """What each one's sentence must say."""
    whole = folder / "whole.jpg"
    textured(640, 480, 8).save(whole)
    (folder / "truncated.jpg").write_bytes(whole.read_bytes()[:3000])
    whole.unlink()
    Image.new("1", (30_000, 30_000)).save(folder / "bomb.png")
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("this is no photo")
    textured(4, 4, 9).save(folder / "speck.png")
    (folder / "link to nothing.jpg").symlink_to(folder / "nowhere")
    return {
        "truncated.jpg": "cut off",
        "bomb.png": "more than the limit",
        "empty.jpg": "is empty",
        "text.jpg": "not a photo",
        "speck.png": "only 4 x 4 pixels",
        "link to nothing.jpg": "no such file",
    }


def test_a_folder_of_every_kind_of_file(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "all"
    (folder / "inside" / "deeper").mkdir(parents=True)
    good = good_photos(folder)
    bad = bad_files(folder / "inside")
    textured(64, 48, 30).save(folder / "inside" / "deeper" / "last.jpg")
    (folder / "inside" / "loop").symlink_to(folder)
    (folder / "notes.txt").write_text("passed over in a folder")
    begun(window, [], qtbot)
    session = window.session
    assert drop(window, files(folder))
    qtbot.waitUntil(lambda: settled(session, len(good) + 1) and len(session.unreadable()) == len(bad), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == len(good) + 1
    assert {row.path.name for row in session.rows.values()} == {*good, "last.jpg"}
    walked = [path.name for path, error in photo.find([folder]) if error is None and path.name not in bad]
    assert [row.path.name for row in session.rows.values()] == walked
    found = reasons(session)
    assert found.keys() == bad.keys()
    for name, part in bad.items():
        assert part in found[name]
        assert found[name].endswith(".")
    for number in session.rows:
        window.page.photos.choose(number)
        qtbot.waitUntil(lambda: "unchanged" in window.page.photo.drift, timeout=PATIENCE_MS)
    answers_to_people(window, qtbot)


def test_a_photo_whose_name_is_no_text_is_located(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    folder = tmp_path / "bytes"
    folder.mkdir()
    try:
        (folder / "no text \udcff.jpg").write_bytes(b"no photo either")
    except (OSError, UnicodeError):
        pytest.skip("names are text here")
    textured(64, 48, 31).save(folder / "a.jpg")
    textured(64, 48, 32).save(folder / "odd \udcfe name.jpg")
    begun(window, [folder], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 2), timeout=PATIENCE_MS)
    ((path, reason, _hint),) = window.session.unreadable()
    assert path.name == "no text \udcff.jpg"
    assert reason.endswith(".")
    odd = next(row for row in window.session.rows.values() if row.path.name == "odd \udcfe name.jpg")
    assert odd.state is State.LOCATED


def test_folders_in_folders_in_folders(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    levels = [tmp_path / "deep"]
    while len(str(levels[-1])) < 3500:
        levels.append(levels[-1] / "d")
    for level in levels:
        level.mkdir()
    textured(64, 48, 33).save(levels[-1] / "a.jpg")
    begun(window, [levels[0]], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 1), timeout=PATIENCE_MS)
    (levels[-1] / "a.jpg").unlink()
    for level in reversed(levels):  # pytest would not get so deep when it cleans up
        level.rmdir()


def test_a_folder_without_permission_costs_nothing_else(
    window: Window, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = photos / "a closed one"
    closed.mkdir()
    iterdir = Path.iterdir

    def refuse(path: Path) -> Iterator[Path]:
        if path == closed:
            raise PermissionError(13, "Permission denied", str(path))
        return iterdir(path)

    monkeypatch.setattr(Path, "iterdir", refuse)
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    assert reasons(window.session)["a closed one"].endswith("cannot be opened: permission denied.")


def test_a_decoder_that_fails_in_a_new_way_costs_one_file(
    window: Window, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    read = photo.read

    def fail(path: Path) -> photo.Photo:
        if path.name in ("photo 1.jpg", "photo 2.jpg"):
            raise MemoryError if path.name == "photo 1.jpg" else KeyError("tag")
        return read(path)

    monkeypatch.setattr("georapp.intake.photo.read", fail)
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 4) and len(window.session.unreadable()) == 2, timeout=PATIENCE_MS)
    assert "memory" in reasons(window.session)["photo 1.jpg"]
    assert "mistake of this program" in reasons(window.session)["photo 2.jpg"]


@pytest.mark.parametrize("change", ["vanish", "change"])
def test_a_file_that_is_another_one_when_its_turn_comes(change: str, window: Window, photos: Path, qtbot: QtBot) -> None:
    session = window.session
    session.pause()
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: len(session.rows) == 6, timeout=PATIENCE_MS)
    if change == "vanish":
        (photos / "photo 3.jpg").unlink()
    else:
        textured(64, 48, 99).save(photos / "photo 3.jpg")
    session.resume()
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    row = session.rows[4]
    assert (session.count(State.LOCATED), row.state) == (5, State.FAILED)
    assert ("cannot be opened" if change == "vanish" else "has changed since it was added") in row.reason
    window.page.photos.choose(4)
    wanted = "gone" if change == "vanish" else "changed"
    qtbot.waitUntil(lambda: wanted in window.page.photo.drift, timeout=PATIENCE_MS)


def test_a_file_that_is_readable_again_leaves_the_list(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "later.jpg").write_text("not yet")
    begun(window, [tmp_path / "later.jpg"], qtbot)
    qtbot.waitUntil(lambda: len(window.session.unreadable()) == 1, timeout=PATIENCE_MS)
    textured(64, 48, 34).save(tmp_path / "later.jpg")
    window.session.add([tmp_path / "later.jpg"])
    qtbot.waitUntil(lambda: settled(window.session, 1), timeout=PATIENCE_MS)
    assert window.session.unreadable() == []


# ---- a network that does not answer ----


@pytest.fixture
def network(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Everything below a folder called "network" answers when this is set."""
    answers, iterdir, read = threading.Event(), Path.iterdir, photo.read

    def slow_iterdir(path: Path) -> Iterator[Path]:
        if "network" in path.parts:
            answers.wait()
        return iterdir(path)

    def slow_read(path: Path) -> photo.Photo:
        if "network" in path.parts:
            answers.wait()
        return read(path)

    monkeypatch.setattr(Path, "iterdir", slow_iterdir)
    monkeypatch.setattr(photo, "read", slow_read)
    yield answers
    answers.set()


def test_a_network_folder_that_hangs_stops_nobody(
    window: Window, photos: Path, tmp_path: Path, qtbot: QtBot, network: threading.Event
) -> None:
    (tmp_path / "network").mkdir()
    begun(window, [], qtbot)
    window.session._adding._patience_s = 0.5
    window.session.add([photos / "photo 0.jpg", tmp_path / "network", photos / "photo 1.jpg"])
    answers_to_people(window, qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 2), timeout=PATIENCE_MS)
    reason = reasons(window.session)["network"]
    assert "has not answered" in reason
    assert reason.endswith(".")


def test_closing_does_not_wait_for_a_network(
    window: Window, tmp_path: Path, qtbot: QtBot, network: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(adding, "_END_S", 0.1)
    (tmp_path / "network").mkdir()
    textured(64, 48, 35).save(tmp_path / "network" / "a.jpg")
    begun(window, [], qtbot)
    window.session.add([tmp_path / "network"])
    reader = window.session._adding._reader
    assert reader is not None
    qtbot.waitUntil(lambda: reader.at == tmp_path / "network")
    window.close()
    assert window.session.hangs
    network.set()
    reader.join()
    assert not reader.found


def test_what_a_network_says_too_late_is_not_put_into_the_next_case(
    session: Session, tmp_path: Path, qtbot: QtBot, network: threading.Event
) -> None:
    (tmp_path / "network").mkdir()
    textured(64, 48, 36).save(tmp_path / "network" / "a.jpg")
    session.open(tmp_path / "a.georapp", new=True)
    session.add([tmp_path / "network"])
    reader = session._adding._reader
    assert reader is not None
    session.open(tmp_path / "b.georapp", new=True)
    textured(64, 48, 37).save(tmp_path / "b.jpg")
    session.add([tmp_path / "b.jpg"])
    network.set()
    reader.join()
    qtbot.waitUntil(lambda: len(session.rows) == 1, timeout=PATIENCE_MS)
    assert session.rows[1].path.name == "b.jpg"


def test_a_photo_that_cannot_be_shown_does_not_keep_others_from_it(
    window: Window, photos: Path, tmp_path: Path, qtbot: QtBot, network: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    view = window.page.photo
    assert isinstance(view, PhotoView)
    view._patience.setInterval(50)
    view.show_photo(tmp_path / "network" / "a.jpg", "0" * 64, None)
    qtbot.waitUntil(lambda: "does not answer" in view.drift, timeout=PATIENCE_MS)
    view._patience.setInterval(PATIENCE_MS)
    found = photo.read(photos / "photo 0.jpg")
    view.show_photo(found.path, found.sha256, None)
    qtbot.waitUntil(lambda: "unchanged" in view.drift, timeout=PATIENCE_MS)


# ---- drops and pastes ----


def test_the_same_folder_dropped_many_times_is_there_once(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    for _drop in range(20):
        drop(window, files(photos))
    qtbot.waitUntil(lambda: settled(window.session, 6) and window.session._adding._reader is None, timeout=PATIENCE_MS)
    assert window.session.case is not None
    assert window.session.case.counts()[State.LOCATED] == 6
    assert [row.path.name for row in window.session.rows.values()] == [f"photo {i}.jpg" for i in range(6)]


def test_drops_reach_the_window_wherever_they_fall(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos / "photo 0.jpg"], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 1), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: window.page.map._web.is_ready, timeout=PATIENCE_MS)
    web = window.page.map._web._view
    assert web is not None
    inner = web.findChildren(QWidget)
    assert inner
    fields = [field for field in window.findChildren(QLineEdit) if field.isVisible()]
    assert len(fields) >= 2
    for taker in (window.page.map, web, *inner, *fields, window.page.photos.view.viewport(), window.top, window.rail):
        drop(window, files(photos / "photo 0.jpg"))
        before = len(window.session.rows)
        name = f"over {before}.jpg"
        textured(64, 48, 40 + before).save(photos / name)
        assert drop(taker, files(photos / name)), taker
        qtbot.waitUntil(partial(settled, window.session, before + 1), timeout=PATIENCE_MS)
    assert all(not field.text() for field in fields)


def test_pasting(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    clipboard, paste = QApplication.clipboard(), window.actions_by_name["paste"]
    for text in ("", "some text"):
        clipboard.clear()
        if text:
            clipboard.setText(text)
        window.status.say("", wrong=False)
        paste.trigger()
        assert "no photo" in window.status._text
    clipboard.setMimeData(files(photos / "photo 0.jpg"))
    paste.trigger()
    qtbot.waitUntil(lambda: settled(window.session, 1), timeout=PATIENCE_MS)
    clipboard.setText(f"{photos / 'photo 1.jpg'}\n{(photos / 'photo 2.jpg').as_uri()}\n")
    paste.trigger()
    qtbot.waitUntil(lambda: settled(window.session, 3), timeout=PATIENCE_MS)
    picture = QImage(64, 48, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.darkRed)
    clipboard.setImage(picture)
    paste.trigger()
    qtbot.waitUntil(lambda: settled(window.session, 4), timeout=PATIENCE_MS)


def test_a_picture_that_cannot_be_kept_is_said(window: Window, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    (home() / "pasted").write_text("a file where a folder should be")
    data, picture = QMimeData(), QImage(64, 48, QImage.Format.Format_RGB32)
    picture.fill(Qt.GlobalColor.darkRed)
    data.setImageData(picture)
    assert drop(window, data)
    qtbot.waitUntil(lambda: "could not be kept" in window.status._text, timeout=PATIENCE_MS)


def test_names_are_never_markup(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    name = "<b>bold<img src=x>.jpg"
    (tmp_path / name).write_text("no photo")
    textured(64, 48, 38).save(tmp_path / f"good {name}")
    begun(window, [tmp_path / name, tmp_path / f"good {name}"], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 1), timeout=PATIENCE_MS)
    taken(window, [tmp_path / "<b>bold<br>.georapp"], qtbot)
    assert "<b>" in window.status._text
    window.actions_by_name["unreadable"].trigger()
    window.actions_by_name["case_page"].trigger()
    for widget in window.findChildren(QWidget):
        assert not Qt.mightBeRichText(widget.toolTip()), widget.toolTip()
    for label in window.findChildren(QLabel):
        assert "<b>" not in label.text() or label.textFormat() is Qt.TextFormat.PlainText
