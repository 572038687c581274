"""What is known of the run that is being configured: its model is read and its preflight made anew whenever something changes."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp import base_model, run_preflight, runs
from georapp.album_scan import AlbumSeen
from georapp.base_model import BaseModel
from georapp.errors import GeorappError, RunError
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.latest import Latest
from georapp.gui.train.configure.preflight_words import named
from georapp.run_preflight import Preflight
from georapp.run_settings import RunConfig
from georapp.runs import Run
from georapp.training_python import TrainingPython

_READ_MS, _CHECK_MS = 250, 200
_SILENT = "The folder of the model does not answer."


class RunCheck(QObject):
    """Of one draft. Nothing is looked at before `begin`."""

    base_busy = Signal()
    base_read = Signal(object)  # BaseModel, GeorappError, or None without a folder
    impossible = Signal(object)  # GeorappError: the settings make no run
    checked = Signal(object)  # Preflight
    album_fits = Signal(bool)  # whether the scan was made with these settings

    def __init__(self, draft: Draft, parent: QObject) -> None:
        super().__init__(parent)
        self._draft, self._begun = draft, False
        self.base: BaseModel | GeorappError | None = None
        self.python: TrainingPython | RunError | None = None
        self.running: Run | None = None
        self.album: AlbumSeen | None = None
        self._album_of: tuple[object, ...] = ()
        self._reader = Latest(self, rest_ms=_READ_MS, silent=_SILENT)
        self._reader.done.connect(self._have_base)
        self._reader.failed.connect(self._have_base)
        self._check = Latest(self, rest_ms=_CHECK_MS)
        self._check.done.connect(self.checked)
        self._check.failed.connect(self.impossible)
        draft.changed.connect(self._changed)

    @property
    def busy(self) -> bool:
        """What was said last may be another thing in a moment."""
        return not self._begun or self._reader.busy or self._check.busy

    def begin(self) -> None:
        """Look for the first time."""
        if not self._begun:
            self._begun = True
            self._read_base()

    # ---- what changes ----

    def _changed(self, keys: frozenset[str]) -> None:
        if not self._begun:
            return
        if "model.base" in keys:
            self._read_base()
        if self.album is not None:
            self.album_fits.emit(self.fitting_album is not None)
        self.again()

    def set_python(self, python: TrainingPython | RunError | None) -> None:
        """None while it is looked for."""
        self.python = python
        self.again()

    def set_running(self, running: Run | None) -> None:
        """A run that goes on."""
        before, self.running = self.running, running
        if _which(before) != _which(running):
            self.again()

    def set_album(self, seen: AlbumSeen | None, config: RunConfig | None) -> None:
        """What a scan with these settings has found; None where it failed."""
        self.album, self._album_of = seen, _album_part(config) if config else ()
        self.again()

    @property
    def fitting_album(self) -> AlbumSeen | None:
        """The scan, if it was made with these settings."""
        config = self._draft.config()
        return self.album if config is not None and self._album_of == _album_part(config) else None

    # ---- looking ----

    def _read_base(self) -> None:
        folder = str(self._draft.value("model.base")).strip()
        if folder:
            self.base_busy.emit()
            self._reader.ask(functools.partial(base_model.read, Path(folder).expanduser()))
        else:
            self._reader.drop()
            self._have_base(None)

    def _have_base(self, base: BaseModel | GeorappError | None) -> None:
        self.base = base
        self.base_read.emit(base)
        self.again()

    def again(self) -> None:
        """Make the preflight anew, soon."""
        if not self._begun:
            return
        config = self._draft.config()
        if config is None:
            self._check.drop()
            self.impossible.emit(self._draft.error)
        elif not self._reader.busy:  # it asks again when the model was read
            self._check.ask(self._question(config))

    def _question(self, config: RunConfig) -> functools.partial[Preflight]:
        base = RunError(str(self.base), hint=self.base.hint) if isinstance(self.base, GeorappError) else self.base
        return functools.partial(
            run_preflight.check,
            named(config),
            base=base,
            album=self.fitting_album,
            python=self.python,
            parent=runs.home(),
            running=self.running,
        )


def _which(run: Run | None) -> Path | None:
    return run.folder if run is not None and run.state.alive else None


def _album_part(config: RunConfig) -> tuple[object, ...]:
    """What an album follows from."""
    return config.album, config.model.profile, config.seed
