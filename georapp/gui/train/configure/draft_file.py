"""Keeps a draft in a folder of the user's, so that closing the window loses nothing; beside it lies what was scanned of its album."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from georapp import run_toml, runs
from georapp.errors import GeorappError, RunError
from georapp.gui.background import run
from georapp.gui.train.configure.draft import Draft
from georapp.run_events import CONFIG
from georapp.run_settings import RunConfig

FOLDER = ".draft"
PAUSE_MS = 150
_PRESET = "preset"  # a file with its GB
_one_writer = threading.Lock()  # both write to the same temporary file


def folder() -> Path:
    """Where the draft lies."""
    return runs.home() / FOLDER


def scanned() -> Path:
    """A run folder of its own for what is scanned and previewed: its settings must not change while a process reads them."""
    return folder() / "scan"


def save(config: RunConfig, into: Path, *, preset: int = 0, wanted: Callable[[], bool] = lambda: True) -> None:
    """For any thread, unless it is not `wanted` any more when its turn comes. Raises RunError."""
    with _one_writer:
        if not wanted():
            return
        try:
            into.mkdir(parents=True, exist_ok=True)
            if preset:
                (into / _PRESET).write_text(str(preset), "ascii")
        except OSError as error:
            why = (error.strerror or str(error)).lower()
            raise RunError(f"The settings cannot be kept in {into}: {why}.", hint="Free some room there.") from error
        run_toml.write(config, into / CONFIG)


def read(where: Path) -> tuple[RunConfig, int] | None:
    """The draft and its preset, 0 where that is not known; None where there is none, or none that this version can read."""
    try:
        config = run_toml.read(where / CONFIG)
    except RunError:
        return None
    with contextlib.suppress(OSError, ValueError):
        return config, int((where / _PRESET).read_text("ascii"))
    return config, 0


class DraftFile(QObject):
    """Reads it once, and writes it after every change. `opened`: it was read, or there is none; `failed`: it cannot be kept."""

    opened = Signal()
    failed = Signal(object)  # GeorappError

    def __init__(self, draft: Draft, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._draft, self.folder = draft, folder()
        self._changed = self._writing = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE_MS)
        self._timer.timeout.connect(self._write)
        draft.changed.connect(self._note)

    def open(self) -> None:
        """Read it; a draft that was changed meanwhile stays."""
        run(functools.partial(read, self.folder), self._take, parent=self)

    def _take(self, found: tuple[RunConfig, int] | None) -> None:
        if found and not self._draft.touched and not self._draft.can_undo:
            self._draft.begin_with(*found)
        self.opened.emit()

    def _note(self, _keys: object) -> None:
        self._changed = True
        if not self._writing:
            self._timer.start()

    def _write(self) -> None:
        config = self._draft.config()
        if config is None:  # the last possible settings stay on the disk
            return
        self._changed, self._writing = False, True
        job = functools.partial(save, config, self.folder, preset=self._draft.preset)
        run(job, self._wrote, parent=self, failed=self._fail)

    def _wrote(self, _: object) -> None:
        self._writing = False
        if self._changed:
            self._timer.start()

    def _fail(self, error: GeorappError) -> None:
        self._writing = False
        self.failed.emit(error)
