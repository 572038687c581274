"""The photo view: upright pixels of the very file that was added, and words where it is another one; late answers are dropped."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from PySide6.QtCore import QPoint, QPointF, QSizeF, Qt
from PySide6.QtGui import QImage, QWheelEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from georapp import events
from georapp.gui.photos import photo_pixels, photo_view
from georapp.gui.photos.canvas import Canvas
from georapp.gui.photos.photo_pixels import load, to_qt
from georapp.gui.photos.photo_view import PhotoView, place_text, time_text
from georapp.intake import Taken, small_picture, take
from tests.conftest import textured
from tests.gui.showing import expose

UNCHANGED = "unchanged since intake ✓"


@pytest.fixture
def view(qtbot: QtBot) -> PhotoView:
    widget = PhotoView()
    qtbot.addWidget(widget)
    widget.resize(800, 400)
    widget.show()
    expose(widget, qtbot)
    return widget


def taken(path: Path) -> Taken:
    (entry,) = take([path])
    assert isinstance(entry, Taken)
    return entry


def plain(path: Path, colour: str = "red", width: int = 640, height: int = 480) -> Taken:
    Image.new("RGB", (width, height), colour).save(path)
    return taken(path)


def show(view: PhotoView, entry: Taken) -> None:
    view.show_photo(entry.path, entry.facts.sha256, entry.facts)


def colour_at(image: QImage, x: float, y: float) -> tuple[bool, bool, bool]:
    """Whether there is much red, green, blue at a share of the width and height."""
    pixel = image.pixelColor(int(x * (image.width() - 1)), int(y * (image.height() - 1)))
    return pixel.red() > 128, pixel.green() > 128, pixel.blue() > 128


def halves(width: int, height: int) -> Image.Image:
    """Red above, blue below."""
    picture = Image.new("RGB", (width, height), "blue")
    picture.paste("red", (0, 0, width, height // 2))
    return picture


# ---- pixels ----


def test_a_photo_that_was_taken_sideways_is_shown_upright(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    halves(480, 640).rotate(90, expand=True).save(tmp_path / "a.jpg", exif=exif)
    show(view, taken(tmp_path / "a.jpg"))
    qtbot.waitUntil(lambda: view.drift == UNCHANGED)
    image = view.canvas.image
    assert (image.width(), image.height()) == (480, 640)
    assert colour_at(image, 0.5, 0.1) == (True, False, False)
    assert colour_at(image, 0.5, 0.9) == (False, False, True)


def test_heic_photos_are_shown(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    halves(480, 640).save(tmp_path / "a.heic")
    show(view, taken(tmp_path / "a.heic"))
    qtbot.waitUntil(lambda: view.drift == UNCHANGED)
    assert colour_at(view.canvas.image, 0.5, 0.1) == (True, False, False)


def test_pictures_of_any_width_keep_their_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_pixels, "_STRIP_PIXELS", 6)
    for width in (1, 2, 3, 5, 7):
        picture = textured(width, 4)
        image = to_qt(picture)
        for x in range(width):
            assert image.pixelColor(x, 3).getRgb()[:3] == picture.getpixel((x, 3))


def test_the_small_picture_is_there_until_the_photo_is(
    view: PhotoView, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    go = threading.Event()

    def slow(*arguments: Any, **named: Any) -> Any:
        go.wait(30)
        return load(*arguments, **named)

    monkeypatch.setattr(photo_view, "load", slow)
    try:
        show(view, plain(tmp_path / "a.png", width=1280, height=960))
        qtbot.waitUntil(lambda: view.canvas.image.width() == 256)
        assert view.drift == "checking the file"
    finally:
        go.set()
    qtbot.waitUntil(lambda: view.canvas.image.width() == 1280)


def test_who_goes_on_quickly_sees_the_last_photo_and_reads_none_between(
    view: PhotoView, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entries = [plain(tmp_path / f"{i}.png", colour, 640 + i) for i, colour in enumerate(["red", "red", "red", "red", "blue"])]
    read: list[str] = []
    go = threading.Event()

    def slow(path: Path, *arguments: Any, **named: Any) -> Any:
        read.append(path.name)
        go.wait(30)
        return load(path, *arguments, **named)

    monkeypatch.setattr(photo_view, "load", slow)
    try:
        for entry in entries:
            show(view, entry)
        qtbot.waitUntil(lambda: bool(read))
    finally:
        go.set()
    qtbot.waitUntil(lambda: view.drift == UNCHANGED)
    assert read == ["0.png", "4.png"]
    assert view.canvas.image.width() == 644
    assert colour_at(view.canvas.image, 0.5, 0.5) == (False, False, True)


def test_nothing_is_shown_after_clearing(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    show(view, plain(tmp_path / "a.png"))
    view.clear()
    qtbot.waitUntil(lambda: not view._reading)
    assert view.canvas.image.isNull()


def test_a_view_may_go_while_a_photo_is_read(qtbot: QtBot, tmp_path: Path) -> None:
    view = PhotoView()
    show(view, plain(tmp_path / "a.png", width=3000, height=2000))
    view.deleteLater()
    del view
    QApplication.processEvents()


# ---- the file ----


def drifted(view: PhotoView, entry: Taken, qtbot: QtBot) -> str:
    with qtbot.waitSignal(view.drifted) as said:
        show(view, entry)
    assert said.args == [entry.facts.sha256]
    qtbot.waitUntil(lambda: view.canvas.image.width() == 256)  # the small picture stays
    assert view._drift.property("role") == "bad"
    return view.drift


def test_a_changed_file_is_said_and_not_shown(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    entry = plain(tmp_path / "a.png", "red")
    Image.new("RGB", (640, 480), "blue").save(entry.path)
    assert drifted(view, entry, qtbot) == "✕ The file has changed since it was added."
    assert colour_at(view.canvas.image, 0.5, 0.5) == (True, False, False)


def test_a_vanished_file_is_said(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    entry = plain(tmp_path / "a.png")
    entry.path.unlink()
    assert drifted(view, entry, qtbot) == "✕ The file is gone."


def test_a_file_that_is_no_photo_any_more_is_said(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    entry = plain(tmp_path / "a\n.png")
    entry.path.write_bytes(b"this is no photo")
    said = drifted(view, entry, qtbot)
    assert "is not a photo" in said
    assert said.isprintable()


def test_without_a_small_picture_nothing_is_shown_of_a_vanished_file(view: PhotoView, qtbot: QtBot, tmp_path: Path) -> None:
    entry = plain(tmp_path / "a.png")
    small_picture(entry.facts.sha256).unlink()
    entry.path.unlink()
    with qtbot.waitSignal(view.drifted):
        show(view, entry)
    assert view.canvas.image.isNull()
    view.canvas.grab()


# ---- words ----


def test_the_strip_says_what_the_file_says(view: PhotoView) -> None:
    facts = events.Began("", "a" * 64, 4032, 3024, taken_at="2025-06-14T16:20:00+02:00", notes=("The place\nis impossible.",))
    view.show_photo(Path("/p/" + "x" * 300 + "<b>.jpg"), "a" * 64, facts)
    texts = [label.text() for label in (view._taken, view._size, view._place, view._notes)]
    assert texts == ["2025-06-14 16:20 +02:00", "4032 × 3024", "no GPS", "⚠ The place�is impossible."]
    assert len(view._name.text()) < 60
    assert "<" not in view._name.toolTip().split("\n")[0]
    view.show_photo(Path("a.jpg"), "a" * 64, None)
    assert (view._taken.isHidden(), view._size.isHidden(), view._notes.isHidden()) == (True, True, True)


def test_times_and_places_in_words() -> None:
    assert [time_text(text) for text in ("2025-06-14T16:20:00", "2025-06-14T16:20:00-07:00", "2025", "")] == [
        "2025-06-14 16:20",
        "2025-06-14 16:20 -07:00",
        "2025",
        "",
    ]
    assert place_text(events.Began("", known_lat=0.5, known_lon=1.0, known_from="XMP")) == "○ GPS in the file (XMP)"


# ---- zoom ----


@pytest.fixture
def canvas(qtbot: QtBot) -> Canvas:
    found = Canvas()
    qtbot.addWidget(found)
    found.resize(400, 300)
    found.show()
    expose(found, qtbot)
    found.show_image(QImage(1600, 1200, QImage.Format.Format_RGB32), QSizeF(1600, 1200))
    return found


def test_keys_zoom(canvas: Canvas, qtbot: QtBot) -> None:
    assert (canvas.fits, canvas.scale) == (True, 0.25)
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.scale == pytest.approx(0.3125)
    qtbot.keyClick(canvas, Qt.Key.Key_Minus)
    assert canvas.fits
    qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    qtbot.keyClick(canvas, Qt.Key.Key_0)
    assert canvas.fits
    for _ in range(60):
        qtbot.keyClick(canvas, Qt.Key.Key_Plus)
    assert canvas.scale == 8


def test_a_double_click_goes_to_100_percent_and_back(canvas: Canvas, qtbot: QtBot) -> None:
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(100, 75))
    assert canvas.scale == 1
    assert canvas._place().topLeft() == QPointF(-300, -225)  # what was clicked stayed where it was
    qtbot.mouseDClick(canvas, Qt.MouseButton.LeftButton, pos=QPoint(5, 5))
    assert canvas.fits


def test_the_wheel_zooms_where_the_pointer_is_and_dragging_moves(canvas: Canvas, qtbot: QtBot) -> None:
    at = QPointF(100, 75)
    before = canvas._share(at)
    none, phase = Qt.KeyboardModifier.NoModifier, Qt.ScrollPhase.NoScrollPhase
    wheel = QWheelEvent(at, canvas.mapToGlobal(at), QPoint(), QPoint(0, 480), Qt.MouseButton.NoButton, none, phase, False)
    QApplication.sendEvent(canvas, wheel)
    after = canvas._share(at)
    assert (after.x(), after.y()) == (pytest.approx(before.x()), pytest.approx(before.y()))
    left = canvas._place().left()
    qtbot.mousePress(canvas, Qt.MouseButton.LeftButton, pos=QPoint(200, 150))
    qtbot.mouseMove(canvas, QPoint(230, 150))
    qtbot.mouseRelease(canvas, Qt.MouseButton.LeftButton, pos=QPoint(230, 150))
    assert canvas._place().left() == pytest.approx(left + 30)
    for _ in range(100):
        qtbot.keyClick(canvas, Qt.Key.Key_Left)
    assert canvas._place().left() == pytest.approx(0)  # no farther than the photo goes


def test_looking_closer_reads_more_pixels(view: PhotoView, qtbot: QtBot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(photo_view, "_SCREEN_SIDE", 320)
    show(view, plain(tmp_path / "a.png", width=2000, height=1500))
    qtbot.waitUntil(lambda: view.drift == UNCHANGED and not view._reading)
    view.canvas.fit()
    qtbot.waitUntil(lambda: view.canvas.image.width() == 2000)  # 800 x 400 is more than 320 already
    assert view.canvas.fits
