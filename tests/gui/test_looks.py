"""How the window looks and can be used: contrast, names for screen readers, keys, what is remembered, themes, sizes, scales."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import QMimeData, QPoint, QSettings, Qt, QUrl
from PySide6.QtGui import QColor, QDragEnterEvent, QDragLeaveEvent, QFont, QShortcut
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QApplication, QDialog, QMenu, QWidget
from pytestqt.qtbot import QtBot

from georapp import settings
from georapp.case import Case, State
from georapp.gui import actions, look
from georapp.gui.frame import DropHint
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.paths import home, resources
from tests.gui.beginning import begun, opened
from tests.gui.showing import expose, put_away

PATIENCE_MS = 60_000
GROUNDS = ("background", "panel", "raised")
TEXTS = ("text", "dim", "accent", "good", "warning", "bad", "country", "province", "city", "truth", "human")
CHIPS = ("good", "human", "bad", "warning")  # the tones of verdicts
THEMES = [pytest.param(look.DARK, id="dark"), pytest.param(look.LIGHT, id="light")]


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> Iterator[Window]:
    session.keep_settings(replace(session.settings, theme="dark"))
    window = Window(session)
    expose(window, qtbot)
    window.activateWindow()
    begun(window, [], qtbot)
    yield window
    put_away(window)
    look.apply(application(), dark=True)


@pytest.fixture
def filled(window: Window, photos: Path, qtbot: QtBot) -> Window:
    """Six photos are located and the first is shown."""
    window.take([photos])
    qtbot.waitUntil(lambda: window.session.count(State.LOCATED) == 6, timeout=PATIENCE_MS)
    window.page.photos.choose(1)
    return window


def application() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def luminance(colour: QColor) -> float:
    """As WCAG 2 defines it."""
    parts = (
        c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (colour.redF(), colour.greenF(), colour.blueF())
    )
    return sum(share * part for share, part in zip((0.2126, 0.7152, 0.0722), parts, strict=True))


def contrast(text: QColor, ground: QColor) -> float:
    dark, light = sorted((luminance(text), luminance(ground)))
    return (light + 0.05) / (dark + 0.05)


def over(colour: QColor, ground: QColor, share: float) -> QColor:
    """A colour that lets its ground through."""
    mixed = [share * a + (1 - share) * b for a, b in zip(colour.getRgbF()[:3], ground.getRgbF()[:3], strict=True)]
    return QColor.fromRgbF(*mixed)


# ---- colours and font ----


@pytest.mark.parametrize("colours", THEMES)
def test_every_text_can_be_read_on_every_ground(colours: look.Colours) -> None:
    low = {
        (text, ground): found
        for text in TEXTS
        for ground in GROUNDS
        if (found := contrast(QColor(getattr(colours, text)), QColor(getattr(colours, ground)))) < 4.5
    }
    assert not low
    assert contrast(QColor(colours.on_accent), QColor(colours.accent)) >= 4.5


@pytest.mark.parametrize("colours", THEMES)
def test_verdicts_can_be_read_in_their_chips_also_in_selected_rows(colours: look.Colours) -> None:
    panel, accent = QColor(colours.panel), QColor(colours.accent)
    for ground in (panel, QColor(colours.raised), over(accent, panel, 0.08)):
        for tone in CHIPS:
            colour = QColor(getattr(colours, tone))
            assert contrast(colour, over(colour, ground, 0.14)) >= 4.5, tone


def test_the_font_is_the_bundled_one_with_figures_of_equal_width(window: Window) -> None:
    font = application().font()
    assert font.family() == look.FONT
    assert font.featureValue(QFont.Tag("tnum")) == 1
    metrics = window.fontMetrics()
    assert len({metrics.horizontalAdvance(figure * 10) for figure in "0123456789"}) == 1


def test_changing_the_theme_repaints_the_window_both_ways(filled: Window, qtbot: QtBot) -> None:
    for dark in (False, True):
        filled.actions_by_name["theme"].trigger()
        assert look.current().dark is dark
        ground = QColor(look.current().panel)
        parts = (filled.top, filled.rail, filled.status, filled.page.answer, filled.page.photos.view.viewport())
        for part in parts:
            image = part.grab().toImage()
            assert image.pixelColor(1, image.height() - 2) == ground, part


@pytest.mark.parametrize("name", ["georapp", "up-dark", "down-dark", "tick-dark", "up-light", "down-light", "tick-light"])
def test_icons_are_drawings_that_qt_can_read(name: str, qapp: QApplication) -> None:
    assert QSvgRenderer(str(resources() / "icons" / f"{name}.svg")).isValid()


def test_the_window_has_an_icon_and_names_its_case(window: Window) -> None:
    assert not window.windowIcon().pixmap(64, 64).isNull()
    assert window.windowTitle() == "My photos – georapp"


# ---- names, tooltips and keys ----


def can_have_focus(widget: QWidget) -> bool:
    return bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus) and widget.focusProxy() is None


def nameless(widget: QWidget) -> list[str]:
    """What can take the focus and has no name."""
    found = [part for part in widget.findChildren(QWidget) if can_have_focus(part) and part.objectName() != "qt_spinbox_lineedit"]
    return [
        f"{type(part).__name__} in {type(part.parentWidget()).__name__}"
        for part in found
        if not part.accessibleName() and not (isinstance(part, QAbstractButton) and len(part.text()) > 1)
    ]


def test_everything_that_takes_the_focus_has_a_name(filled: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: filled.page.map._web.is_ready, timeout=PATIENCE_MS)
    assert not nameless(filled)


@pytest.mark.parametrize("name", ["settings", "about", "unreadable", "palette"])
def test_everything_in_the_dialogs_has_a_name(name: str, window: Window) -> None:
    window.actions_by_name[name].trigger()
    (dialog,) = [widget for widget in window.findChildren(QDialog) if widget.isVisible()]
    assert not nameless(dialog)
    dialog.reject()


def test_buttons_that_show_only_a_symbol_say_what_they_do(filled: Window) -> None:
    buttons = [button for button in filled.findChildren(QAbstractButton) if button.isVisible()]
    symbols = [button for button in buttons if not any(c.isalpha() for c in button.text())]
    assert len(symbols) >= 10  # the rail, the menu, the map's buttons
    assert not [f"{type(button).__name__} {button.accessibleName()}" for button in symbols if not button.toolTip()]


@pytest.mark.parametrize(("name", "key"), [("accept", "Enter"), ("correct", "C"), ("reject", "X"), ("unsure", "U")])
def test_verdicts_name_their_keys(name: str, key: str, filled: Window) -> None:
    button = filled.page.answer.verdict_bar.findChild(QAbstractButton, name)
    assert f"({key})" in button.toolTip()


def test_tooltips_name_the_keys_of_the_queue_and_of_the_pages(filled: Window) -> None:
    foot = filled.page.photos.foot
    assert "(Ctrl+P)" in foot.pause.toolTip()
    assert "(Ctrl+R)" in foot.again.toolTip()
    assert {button.toolTip()[-8:] for button in filled.rail.findChildren(QAbstractButton)} == {
        f"(Ctrl+{n})" for n in (1, 2, 3, 4)
    }
    assert "(F10)" in filled.top.menu.toolTip()


def test_no_key_means_two_things(filled: Window) -> None:
    keys = [shortcut.key().toString() for shortcut in filled.findChildren(QShortcut)]
    keys += [action.shortcut().toString() for action in filled.actions() if not action.shortcut().isEmpty()]
    assert sorted(keys) == sorted(set(keys))


def test_every_command_is_in_the_menu(window: Window) -> None:
    menu = window.top.menu.menu()
    assert menu is not None
    inside = {action.objectName() for group in menu.findChildren(QMenu) for action in group.actions()}
    assert {entry.name for entry in actions.ENTRIES} <= inside


# ---- the focus ----


def test_the_first_key_goes_to_the_demo_and_then_to_the_list(window: Window, qtbot: QtBot) -> None:
    qtbot.waitUntil(window.empty.first.hasFocus)
    qtbot.keyClick(window.empty.first, Qt.Key.Key_Space)
    qtbot.waitUntil(lambda: window.session.count(State.LOCATED) == 1, timeout=PATIENCE_MS)
    assert window.page.photos.view.hasFocus()


def test_a_correction_that_is_left_gives_the_keys_back_to_the_list(filled: Window, qtbot: QtBot) -> None:
    filled.page.photos.view.setFocus()
    qtbot.keyClick(filled, Qt.Key.Key_C)
    field = application().focusWidget()
    assert field is not None
    assert field.objectName() == "coordinates"
    qtbot.keyClick(field, Qt.Key.Key_Escape)
    assert filled.page.photos.view.hasFocus()


def test_tab_reaches_every_part_and_comes_back(filled: Window) -> None:
    filled.page.photos.view.setFocus()
    reached: list[QWidget] = []
    for _ in range(200):
        filled.focusNextChild()
        now = application().focusWidget()
        if now is None or now is filled.page.photos.view:
            break
        reached.append(now)
    assert application().focusWidget() is filled.page.photos.view
    for part in (filled.rail, filled.top, filled.page.photos.bar, filled.page.photo, filled.page.answer.verdict_bar):
        assert any(part is widget or part.isAncestorOf(widget) for widget in reached), part


# ---- sizes, and what is remembered ----


def test_in_the_smallest_window_everything_that_decides_can_be_seen(filled: Window, qtbot: QtBot) -> None:
    filled.resize(filled.minimumSize())
    filled.actions_by_name["correct"].trigger()
    for part in (filled.page.answer.verdict_bar, filled.page.photos.foot, filled.page.map, filled.page.photo, filled.top):
        for button in [part, *part.findChildren(QAbstractButton)]:
            if button.isVisible():
                corner = button.mapTo(filled, QPoint(button.width(), button.height()))
                assert corner.x() <= filled.width(), button
                assert corner.y() <= filled.height(), button
    for button in filled.page.answer.verdict_bar.findChildren(QAbstractButton):
        if button.isVisible():
            assert button.width() >= button.fontMetrics().horizontalAdvance(button.text()), button.text()


def test_geometry_and_splitters_are_as_they_were_left(filled: Window, qtbot: QtBot) -> None:
    filled.resize(1200, 760)
    filled.page._middle.setSizes([300, 320])
    before = filled.height(), filled.page._middle.sizes()
    filled.close()
    again = Window(Session(settings.Settings(), patience_s=1.0))
    again._pages.setCurrentWidget(again.page)
    expose(again, qtbot)
    assert (again.height(), again.page._middle.sizes()) == before  # not the width: screens of tests have 800 pixels
    again.close()


def test_list_and_answer_are_as_wide_as_they_were_left(filled: Window, tmp_path: Path) -> None:
    filled.resize(1300, 760)
    kept = QSettings(str(tmp_path / "kept.ini"), QSettings.Format.IniFormat)
    filled.page._across.setSizes([330, 500, 390])
    before = filled.page._across.sizes()
    filled.page.keep_layout(kept)
    filled.page._across.setSizes([260, 660, 300])
    filled.page.restore_layout(kept)
    assert filled.page._across.sizes() == before


def test_a_window_file_with_nonsense_in_it_does_no_harm(session: Session, qtbot: QtBot) -> None:
    home().mkdir(parents=True, exist_ok=True)
    (home() / "window.ini").write_text("[General]\ngeometry=nonsense\nacross=3\nmiddle=@ByteArray(x)\n")
    window = Window(session)
    expose(window, qtbot)
    assert window.width() >= window.minimumWidth()
    window.close()


# ---- dropping ----


def test_while_files_hover_the_window_says_what_dropping_does(window: Window, tmp_path: Path) -> None:
    (hint,) = window.findChildren(DropHint)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "photo.jpg"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(300, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    assert hint.isVisible()
    assert hint._text == "Drop to add"
    assert window.childAt(QPoint(300, 300)) is not hint  # drops go through it
    QApplication.sendEvent(window, QDragLeaveEvent())
    assert not hint.isVisible()


def test_a_case_that_hovers_will_be_opened(window: Window, tmp_path: Path) -> None:
    (hint,) = window.findChildren(DropHint)
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(tmp_path / "Other.georapp"))])
    buttons, keys = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier
    QApplication.sendEvent(window, QDragEnterEvent(QPoint(300, 300), Qt.DropAction.CopyAction, data, buttons, keys))
    assert hint._text == "Drop to open this case"


def test_a_case_that_is_only_read_says_so_where_photos_would_be_added(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "held.georapp"
    Case.create(path).close()
    with Case.open(path):
        window.cases.open(path)
        opened(window, qtbot)
        assert "only read" in window.empty._note.text()
        assert not window.empty.first.isEnabled()


# ---- messages ----


def test_a_message_can_be_put_away(window: Window, qtbot: QtBot) -> None:
    window.status.say("Something went wrong.", wrong=True)
    assert window.status._message.text().startswith("⚠")
    close = window.status.findChild(QAbstractButton)
    assert close.isVisible()
    close.click()
    assert not window.status._message.text()
    assert not close.isVisible()


# ---- scales ----

SCALED = """
import os, sys
from PySide6.QtCore import QtMsgType, qInstallMessageHandler
said = []
qInstallMessageHandler(lambda kind, context, text: said.append(text) if kind != QtMsgType.QtDebugMsg else None)
from pathlib import Path
from PySide6.QtWidgets import QApplication
from georapp import settings
from georapp.gui import look
from georapp.gui.map.view import register_scheme
register_scheme()
app = QApplication(["georapp"])
from georapp.gui.app import begin
from georapp.gui.session import Session
from georapp.gui.window import Window
look.apply(app, dark=True)
window = Window(Session(settings.Settings()))
window.resize(window.minimumSize())
window.show()
begin(window, [])
app.processEvents()
image = window.grab().toImage()
assert image.width() == round(960 * float(os.environ["QT_SCALE_FACTOR"])), image.width()
window.close()
quiet = ("propagateSizeHints", "ulkan", "RHI", "Rhi", "GBM", "dbus", "bus")
said = [text for text in said if not any(word in text for word in quiet)]
sys.stdout.write("\\n".join(said))
"""


@pytest.mark.parametrize("factor", ["1.25", "1.5", "2"])
def test_on_a_fine_screen_the_window_opens_without_a_warning(factor: str, tmp_path: Path) -> None:
    environment = os.environ | {"QT_SCALE_FACTOR": factor, "GEORAPP_HOME": str(tmp_path), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", SCALED], env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == ""
