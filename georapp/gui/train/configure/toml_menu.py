"""run.toml in and out: open, save, paste, copy."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QMenu, QPushButton, QWidget

from georapp import run_toml
from georapp.errors import GeorappError, RunError
from georapp.gui.background import run
from georapp.gui.train.configure.draft import Draft
from georapp.run_events import CONFIG
from georapp.run_settings import RunConfig

_MOST_BYTES = 2**20
_KINDS = "Settings of a run (*.toml);;All files (*)"


class TomlMenu(QPushButton):
    """Of one draft. `said`: a sentence and its hint, and whether it is bad news."""

    said = Signal(str, str, bool)

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("run.toml", parent)
        self._draft = draft
        self.setAccessibleName("Settings as a file")
        self.setToolTip("Open, save, paste or copy all settings as a run.toml")
        menu = QMenu(self)
        self.actions_ = {
            name: menu.addAction(text, action)
            for name, text, action in (
                ("open", "Open a run.toml…", self._open),
                ("save", "Save as…", self._save),
                ("paste", "Paste from the clipboard", self.paste),
                ("copy", "Copy to the clipboard", self._copy),
            )
        }
        menu.aboutToShow.connect(self._enable)
        self.setMenu(menu)

    def _enable(self) -> None:
        possible = self._draft.config() is not None
        for name in ("save", "copy"):
            self.actions_[name].setEnabled(possible)
        self.actions_["paste"].setEnabled(bool(QGuiApplication.clipboard().text().strip()))

    # ---- in ----

    def _open(self) -> None:
        name, _kind = QFileDialog.getOpenFileName(self, "Settings of a run", str(Path.home()), _KINDS)
        if name:
            self.open(Path(name))

    def open(self, path: Path) -> None:
        """Take all settings from a file."""
        run(functools.partial(_read, path), lambda config: self._use(config, path.name), parent=self, failed=self._fail)

    def _use(self, config: RunConfig, name: str) -> None:
        self._draft.use(config)
        self.said.emit(f"All settings are those of {name} now.", "Ctrl+Z takes it back.", False)

    def paste(self) -> None:
        """Take all settings from the clipboard's text."""
        try:
            self._draft.load(QGuiApplication.clipboard().text()[:_MOST_BYTES])
        except RunError as error:
            self._fail(error)
        else:
            self.said.emit("All settings are those of the clipboard now.", "Ctrl+Z takes it back.", False)

    # ---- out ----

    def _save(self) -> None:
        config = self._draft.config()
        name, _kind = QFileDialog.getSaveFileName(self, "Save the settings", str(Path.home() / CONFIG), _KINDS)
        if name and config:
            path = Path(name)
            done = functools.partial(self._saved, path)
            run(functools.partial(run_toml.write, config, path), done, parent=self, failed=self._fail)

    def _saved(self, path: Path, _nothing: object) -> None:
        self.said.emit(f"{path.name} was saved.", "", False)

    def _copy(self) -> None:
        try:
            QGuiApplication.clipboard().setText(self._draft.text())
        except RunError as error:
            self._fail(error)
        else:
            self.said.emit("The settings are in the clipboard.", "", False)

    def _fail(self, error: GeorappError) -> None:
        self.said.emit(str(error), error.hint, True)


def _read(path: Path) -> RunConfig:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise RunError(f"{path.name} is too large for settings.", hint="Choose a run.toml.")
    except OSError as error:
        raise RunError(f"{path.name} cannot be read: {(error.strerror or str(error)).lower()}.") from error
    return run_toml.read(path)
