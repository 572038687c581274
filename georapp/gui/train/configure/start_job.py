"""From settings to a run that goes on, or waits for its turn."""

from __future__ import annotations

import contextlib
import functools
import shutil
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp import album_scan, run_queue, run_toml, runs
from georapp.errors import GeorappError
from georapp.gui.background import run
from georapp.gui.train.configure import draft_file
from georapp.gui.train.configure.preflight_words import named
from georapp.run_settings import RunConfig


class StartJob(QObject):
    """`started` or `queued` with the folder of the new run, or `failed` with a GeorappError, and nothing is left of it then."""

    started = Signal(object)
    queued = Signal(object)
    failed = Signal(object)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.busy = False

    def start(self, config: RunConfig, python: Path, *, waits: bool) -> None:
        """Make it. `waits`: behind the run that goes on."""
        self.busy = True
        job = functools.partial(_begun, named(config), python, waits)
        run(job, functools.partial(self._done, waits), parent=self, failed=self._fail)

    def _done(self, waits: bool, folder: Path) -> None:
        self.busy = False
        (self.queued if waits else self.started).emit(folder)

    def _fail(self, error: GeorappError) -> None:
        self.busy = False
        self.failed.emit(error)


def _begun(config: RunConfig, python: Path, waits: bool) -> Path:
    folder = runs.create(config.name, run_toml.text_of(config))
    album_scan.keep_readings(draft_file.scanned(), folder)
    try:
        if waits:
            run_queue.add(folder)
        else:
            runs.start(folder, runs.command(folder, python))
    except GeorappError:
        with contextlib.suppress(OSError):
            shutil.rmtree(folder)  # it was made a moment ago, and nothing was trained in it
        raise
    return folder
