"""The window: wires pages, menus and keys to the session and does nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from PySide6.QtCore import QByteArray, QEvent, QMimeData, QSettings, Qt, QTimer
from PySide6.QtGui import (
    QCloseEvent,
    QDragEnterEvent,
    QDragLeaveEvent,
    QDropEvent,
    QGuiApplication,
    QKeySequence,
    QShortcut,
)
from PySide6.QtWidgets import (
    QApplication,
    QDialog,
    QFileDialog,
    QHBoxLayout,
    QMainWindow,
    QMenu,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from georapp import models, paths
from georapp.errors import GeorappError
from georapp.gui import actions, dropped, look, words
from georapp.gui.about import About
from georapp.gui.background import run
from georapp.gui.case_dialogs import CaseDialogs
from georapp.gui.case_page import CasePage
from georapp.gui.empty_page import EmptyPage
from georapp.gui.frame import DropHint, Rail, StatusStrip, TopStrip
from georapp.gui.locate_page import LocatePage
from georapp.gui.palette import Palette
from georapp.gui.photos.unreadable import UnreadableDialog
from georapp.gui.session import Session
from georapp.gui.settings_dialog import SettingsDialog
from georapp.gui.train_page import TrainPage

Page = EmptyPage | LocatePage | TrainPage | CasePage


class Window(QMainWindow):
    """Closing it ends the session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self.setWindowTitle("georapp")
        self.setWindowIcon(look.icon())
        self.setAcceptDrops(True)
        self.resize(1440, 900)
        self.setMinimumSize(960, 600)
        self.cases = CaseDialogs(session, self)
        self.actions_by_name = actions.make(self, self._slots())
        self._typing = actions.TypingFirst(_app(), self)
        self.page, self.empty, self.case_page = LocatePage(session, self), EmptyPage(self), CasePage(session, self)
        self.train_page = TrainPage(session, self)
        self._pages = QStackedWidget(self)
        for page in (self.empty, self.page, self.train_page, self.case_page):
            self._pages.addWidget(page)
        self._open_page = "locate_page"
        self._arrange()
        self._connect()
        self._restore()
        self._choose_page()

    def _arrange(self) -> None:
        named = self.actions_by_name
        signs = {"locate_page": "pin", "map_page": "map", "train_page": "curve", "case_page": "folder"}
        self.rail = Rail([(sign, named[name]) for name, sign in signs.items()], self)
        self._model_menu = QMenu(self)
        self._model_menu.aboutToShow.connect(self._fill_models)
        self._recent = QMenu("Recent cases", self)
        self._recent.aboutToShow.connect(lambda: self.cases.fill_recent(self._recent))
        self._main_menu, self._case_menu = self._menu(), self._menu_of_case()
        self.top, self.status = TopStrip(self._main_menu, self._case_menu, self._model_menu, self), StatusStrip(self)
        QShortcut(QKeySequence("F10"), self, self.top.menu.showMenu)
        middle, inside = QHBoxLayout(), QWidget(self)
        middle.setSpacing(1)
        middle.addWidget(self.rail)
        middle.addWidget(self._pages, 1)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(1)
        column.addWidget(self.top)
        column.addLayout(middle, 1)
        column.addWidget(self.status)
        self.setCentralWidget(inside)
        self._drop_hint = DropHint(inside)
        for field in inside.findChildren(QWidget):  # a field would take a file for its name
            field.setAcceptDrops(False)

    def _menu(self) -> QMenu:
        """All commands by group, and the recent cases."""
        menu, groups = QMenu(self), {}
        for entry in actions.ENTRIES:
            if entry.group not in groups:
                groups[entry.group] = menu.addMenu(entry.group)
            groups[entry.group].addAction(self.actions_by_name[entry.name])
        menu.addMenu(self._recent)
        return menu

    def _menu_of_case(self) -> QMenu:
        menu = QMenu(self)
        for name in ("new_case", "open_case"):
            menu.addAction(self.actions_by_name[name])
        menu.addMenu(self._recent)
        menu.addSeparator()
        for name in ("save_copy", "repair"):
            menu.addAction(self.actions_by_name[name])
        return menu

    def _connect(self) -> None:
        session = self.session
        session.opening_changed.connect(self._name_case)
        session.case_opened.connect(self._case_opened)
        session.rows_added.connect(lambda _rows: self._choose_page())
        session.rows_read.connect(self._choose_page)
        session.unreadable_changed.connect(self._choose_page)
        session.model_changed.connect(lambda text, _ready: self.top.set_model(text))
        self.cases.said.connect(lambda text, wrong: self.status.say(text, wrong=wrong))
        session.said.connect(lambda text, hint: self.status.say(f"{text} {hint}".strip(), wrong=True))
        self.empty.photos_asked.connect(self._add_photos)
        self.empty.folder_asked.connect(self._add_folder)
        self.empty.demo_asked.connect(self._demo)
        self.train_page.said.connect(lambda text, wrong: self.status.say(text, wrong=wrong))
        self.train_page.model_used.connect(lambda: self.show_page("locate_page"))
        self.case_page.copy_asked.connect(self.cases.ask_copy)
        self.case_page.unreadable_asked.connect(self._show_unreadable)
        self.page.photos.unreadable_asked.connect(self._show_unreadable)
        self.page.map.failed.connect(lambda text: self.status.say(text, wrong=True))
        self.page.map.saved.connect(lambda path: self.status.say(f"The map was saved as {path}.", wrong=False))
        self.page.map.refused.connect(lambda _address: self.top.set_network(self.page.map.blocked))
        QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _scheme: self._dress())

    def _slots(self) -> dict[str, Callable[[], object]]:
        session = self.session
        chosen = self._selected
        return {
            "new_case": self.cases.ask_new,
            "open_case": self.cases.ask_open,
            "save_copy": self.cases.ask_copy,
            "repair": self.cases.ask_repair,
            "quit": self.close,
            "add_photos": self._add_photos,
            "add_folder": self._add_folder,
            "paste": self._paste,
            "demo": self._demo,
            "unreadable": self._show_unreadable,
            "pause": lambda: session.pause() if session.running else session.resume(),
            "stop": session.stop,
            "skip": lambda: session.skip(chosen()),
            "again": lambda: session.locate_again(chosen()),
            "retry_failed": session.retry_failed,
            "accept": lambda: self.page.answer.verdict_bar.accept(),
            "correct": lambda: self.page.answer.verdict_bar.begin_correction(),
            "reject": lambda: self.page.answer.verdict_bar.reject(),
            "unsure": lambda: self.page.answer.verdict_bar.unsure(),
            "note": lambda: self.page.answer.verdict_bar.focus_note(),
            "search": lambda: self.page.photos.begin_search(),
            "undo": session.undo.undo,
            "redo": session.undo.redo,
            "locate_page": lambda: self.show_page("locate_page"),
            "map_page": lambda: self.show_page("map_page"),
            "train_page": lambda: self.show_page("train_page"),
            "case_page": lambda: self.show_page("case_page"),
            "next": lambda: self.page.photos.choose_next(),
            "previous": lambda: self.page.photos.choose_previous(),
            "theme": self._change_theme,
            "save_map": self._save_map,
            "palette": lambda: _open(Palette(list(self.actions_by_name.values()), self)),
            "settings": self._show_settings,
            "about": lambda: _open(About(self)),
        }

    # ---- pages ----

    def show_page(self, name: str) -> None:
        """One of the rail."""
        self._open_page = name
        if name == "case_page":
            self.case_page.refresh()
        if name == "train_page":
            self.train_page.begin()
        self.page.show_all(name == "map_page")
        self._choose_page()

    def _choose_page(self) -> None:
        """The open page, or what to do where there is nothing to show on it."""
        others: dict[str, Page] = {"case_page": self.case_page, "train_page": self.train_page}
        self._turn_to(others.get(self._open_page) or (self.page if self.session.rows else self.empty))
        self._allow_actions()
        self.rail.set_page(self._open_page)
        self.status.set_photos(len(self.session.rows))
        unreadable = 0 if self.session.rows else len(self.session.unreadable())
        note = f"{unreadable:,} files could not be read: see Photos, Unreadable files." if unreadable else ""
        if self.session.opening:
            note = f"{words.case_name(self.session.opening)} is being opened. What is dropped meanwhile is added to it."
        elif self.session.case and not self.session.writable:
            note = "⚠ This case is only read here; above stands why. Another case can be opened at the upper left."
        self.empty.set_note(note, may_add=self._may_add)

    def _allow_actions(self) -> None:
        """What changes a case that is only read cannot be done, nor what is about photos that are not on the screen."""
        writable = self._may_add or self.session.case is None
        away = self._open_page in ("case_page", "train_page")
        for entry in actions.ENTRIES:
            allowed = not (entry.changes_case and not writable) and not (entry.about_photos and away)
            self.actions_by_name[entry.name].setEnabled(allowed)

    def _turn_to(self, page: Page) -> None:
        """A page that comes up takes the keys: the list, the demo's button, the check's button."""
        if self._pages.currentWidget() is not page:
            self._pages.setCurrentWidget(page)
            _focus(page)

    def _selected(self) -> list[int]:
        photos = self.page.photos
        current = photos.current()
        return photos.selected() or ([current] if current is not None else [])

    # ---- cases ----

    @property
    def _may_add(self) -> bool:
        return self.session.writable or self.session.opening is not None

    def _name_case(self) -> None:
        """The open one, or the one that is being opened."""
        case, opening = self.session.case, self.session.opening
        if opening:
            self.top.set_case(f"Opening {words.case_name(opening)}…", "")
        elif case:
            self.top.set_case(words.case_name(case.path), "" if case.writable else case.holder)
        else:
            self.top.set_case("No case", "")
        self.setWindowTitle(f"{words.case_name(case.path)} – georapp" if case else "georapp")
        self._choose_page()

    def _case_opened(self) -> None:
        case = self.session.case
        assert case is not None
        self._name_case()
        self._allow_actions()
        self.status.say("", wrong=False)
        page = self._pages.currentWidget()
        if isinstance(page, Page):
            _focus(page)

    # ---- photos ----

    def _add_photos(self) -> None:
        names, _kind = QFileDialog.getOpenFileNames(self, "Add photos", str(Path.home()), dropped.PHOTOS)
        self.session.add([Path(name) for name in names])

    def _add_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Add a folder", str(Path.home()))
        if name:
            self.session.add([Path(name)])

    def _demo(self) -> None:
        self.session.add(sorted((paths.resources() / "demo").glob("*.jpg")))

    def _paste(self) -> None:
        data = QApplication.clipboard().mimeData() or QMimeData()  # an empty clipboard has none
        self._take_data(data, dropped.from_text(data), "The clipboard holds no photo, no file and no folder.")

    def take(self, files: Sequence[Path]) -> None:
        """Cases are opened, maps are shown, everything else is read as photos and folders."""
        sorts = dropped.sorted_by_kind(files)
        for path in sorts.cases[:1]:
            self.cases.open(path)
        for path in sorts.maps:
            self.page.map.add_map_file(path)
        self.session.add(sorts.others)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files are welcome everywhere, also over the map."""
        if event.mimeData().hasUrls() or event.mimeData().hasImage():
            event.acceptProposedAction()
            self._drop_hint.begin(dropped.what_happens(event.mimeData(), may_add=self._may_add))

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They went on."""
        super().dragLeaveEvent(event)
        self._drop_hint.hide()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take what was dropped."""
        self._drop_hint.hide()
        event.acceptProposedAction()
        self._take_data(event.mimeData(), [], "Only files and folders of this machine can be dropped here.")

    def _take_data(self, data: QMimeData, named: Sequence[Path], nothing: str) -> None:
        """Files, or else a picture, or else what was `named`; `nothing` is said where there is none of them."""
        files, image = dropped.from_mime(data), dropped.image(data)
        if image and not files:
            run(partial(dropped.as_file, image), lambda path: self.take([path]), parent=self, failed=self._complain)
        elif files or named:
            self.take(files or named)
        else:
            self.status.say(nothing, wrong=True)

    def _complain(self, error: GeorappError) -> None:
        self.status.say(f"{error} {error.hint}".strip(), wrong=True)

    def _show_unreadable(self) -> None:
        dialog = UnreadableDialog(self.session.unreadable(), parent=self)
        dialog.tried_again.connect(self.session.add)
        changed = self.session.unreadable_changed

        def fill() -> None:
            dialog.set_files(self.session.unreadable())

        changed.connect(fill)
        dialog.finished.connect(lambda _code: changed.disconnect(fill))
        _open(dialog)

    # ---- model, settings, looks ----

    def _fill_models(self) -> None:
        self._model_menu.clear()
        now = self.session.model.name if self.session.model else ""
        for name in _model_names():
            action = self._model_menu.addAction(name.replace("&", "&&"), partial(self._use_model, name))
            action.setCheckable(True)
            action.setChecked(name == now)

    def _use_model(self, name: str) -> None:
        self.session.keep_settings(replace(self.session.settings, model=name))
        self.session.use_model(name)

    def _show_settings(self) -> None:
        dialog = SettingsDialog(self.session.settings, _model_names(), self)
        dialog.accepted.connect(lambda: self._use_settings(dialog))
        _open(dialog)

    def _use_settings(self, dialog: SettingsDialog) -> None:
        before, now = self.session.settings, dialog.chosen()
        self.session.keep_settings(now)
        self._dress()
        for name in now.map_files:
            if name not in before.map_files:
                self.page.map.add_map_file(Path(name))
        if (before.model, before.threads, before.gpu_layers, before.samples) != (
            now.model,
            now.threads,
            now.gpu_layers,
            now.samples,
        ):
            self.session.use_model(now.model)

    def _change_theme(self) -> None:
        theme = "light" if look.current().dark else "dark"
        self.session.keep_settings(replace(self.session.settings, theme=theme))
        self._dress()

    def _dress(self) -> None:
        app = _app()
        look.apply(app, dark=look.wants_dark(app, self.session.settings.theme))
        self.page.map.set_dark(look.current().dark)

    def _save_map(self) -> None:
        name, _kind = QFileDialog.getSaveFileName(self, "Save the map", str(Path.home() / "map.png"), "Pictures (*.png)")
        if name:
            self.page.map.save_png(Path(name))

    # ---- the end ----

    def _restore(self) -> None:
        kept = _kept()
        geometry = kept.value("geometry")
        if isinstance(geometry, QByteArray):
            self.restoreGeometry(geometry)
        self.page.restore_layout(kept)

    def closeEvent(self, event: QCloseEvent) -> None:
        """Nothing needs to be saved: it all is."""
        kept = _kept()
        kept.setValue("geometry", self.saveGeometry())
        self.page.keep_layout(kept)
        kept.sync()
        self.session.end()
        super().closeEvent(event)

    def changeEvent(self, event: QEvent) -> None:
        """Custom painting follows the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


def _focus(page: Page) -> None:
    """Soon: what that shows, the first photo of a list, should not hold up the first sight of the page."""
    QTimer.singleShot(0, page.first, page.first.setFocus)


def _open(dialog: QDialog) -> None:
    """Until it is closed; a window that is used for days would collect them."""
    dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    dialog.open()


def _app() -> QApplication:
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    return app


def _kept() -> QSettings:
    return QSettings(str(paths.home() / "window.ini"), QSettings.Format.IniFormat)


def _model_names() -> list[str]:
    return [folder.name for folder in models.folders()]
