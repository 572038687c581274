"""What is asked of a run, on another thread, because its folder may lie on a slow disk: pause, go on, save and end, end now."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices
from PySide6.QtWidgets import QWidget

from georapp import runs
from georapp.errors import GeorappError
from georapp.gui.background import run
from georapp.gui.train import run_questions
from georapp.gui.train.run_words import Said


class RunOrders(QObject):
    """For the run in `folder`. `done`: it was asked; `complained`: a sentence why it could not be, or None when a new try begins."""

    done = Signal()
    complained = Signal(object)  # Said or None

    def __init__(self, window: QWidget) -> None:
        super().__init__(window)
        self._window = window
        self.folder: Path | None = None

    def pause(self) -> None:
        """Wait after this step."""
        self._ask(runs.pause)

    def go_on(self) -> None:
        """End the pause."""
        self._ask(runs.unpause)

    def save(self) -> None:
        """Save after this step, and end."""
        self._ask(runs.stop)

    def stop_now(self, lost: str) -> None:
        """End within seconds, if that is really meant. `lost`: a sentence about what it may cost."""
        if self.folder is None:
            return
        answer = run_questions.stop_now(self._window, self.folder.name, lost)
        if answer == run_questions.SAVE:
            self.save()
        elif answer == run_questions.STOP:
            self._ask(runs.stop_now)

    def open_folder(self) -> None:
        """In the desktop's own program."""
        if self.folder and not QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.folder))):
            self.complained.emit(Said("No program shows folders here.", f"The run is in {self.folder}.", "bad"))

    def _ask(self, what: Callable[[Path], object]) -> None:
        if self.folder is not None:
            self.complained.emit(None)
            run(functools.partial(what, self.folder), self._asked, parent=self, failed=self._failed)

    def _asked(self, _: object) -> None:
        self.done.emit()

    def _failed(self, error: GeorappError) -> None:
        self.complained.emit(Said(str(error), error.hint, "bad"))
