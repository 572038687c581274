"""Asking for files: a new case, another one, a copy, a repair. What goes wrong is said, and the open case stays open.

Cases lie on disks and networks that may not answer: everything that touches a file happens on other threads.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from georapp import paths
from georapp.case import Case
from georapp.errors import GeorappError
from georapp.gui import words
from georapp.gui.background import run
from georapp.gui.opening import Way
from georapp.gui.session import Session
from georapp.printable import printable

T = TypeVar("T")
_CASES = "Cases (*.georapp)"


class CaseDialogs(QObject):
    """Of one window."""

    said = Signal(str, bool)  # a sentence; whether something went wrong

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def open(self, path: Path, *, new: bool = False) -> None:
        """Begin to open this one, or to make it; the session says why that is not possible."""
        self._session.begin_opening(Way(path, Case.create if new else Case.open))

    def ask_new(self) -> None:
        """Where a new one is to be."""
        if name := self._name_to_save("New case", paths.home() / "cases" / "New case.georapp"):
            self.open(name, new=True)

    def ask_open(self) -> None:
        """Which one to open."""
        if name := self._name_to_open("Open a case"):
            self.open(name)

    def ask_copy(self) -> None:
        """Where a copy is to be."""
        case = self._session.case
        name = self._name_to_save("Save a copy of the case", Path.home() / case.path.name) if case else None
        if case and name:
            self.save_copy(case, name)

    def save_copy(self, case: Case, target: Path) -> None:
        """Begin it; however long it takes, it is said when the copy is whole."""
        self.said.emit(f"A copy is being saved as {target}…", False)
        self._run(partial(case.save_copy, target), lambda _none: f"A copy was saved as {target}.", target)

    def ask_repair(self) -> None:
        """Which one is damaged, and where what can be read of it is to be."""
        damaged = self._name_to_open("The damaged case")
        target = (
            self._name_to_save("Save what can be read as", damaged.with_name(f"{damaged.stem} repaired.georapp"))
            if damaged
            else None
        )
        if damaged and target:
            self.repair(damaged, target)

    def repair(self, damaged: Path, target: Path) -> None:
        """Begin it. It may take minutes, so that what was repaired does not take the place of what a person works on by then."""
        self.said.emit(f"{damaged} is being read, and what can be read is saved as {target}…", False)
        ending = f"The damaged file is as it was. Open {target.name}: Case, Open case."
        self._run(partial(Case.salvage, damaged, target), lambda found: f"Saved in {target}: {found}. {ending}", target)

    def fill_recent(self, menu: QMenu) -> None:
        """The cases that were open before."""
        menu.clear()
        for name in self._session.settings.recent:
            menu.addAction(words.case_name(Path(name)).replace("&", "&&"), partial(self.open, Path(name)))
        if menu.isEmpty():
            menu.addAction("No case was open before").setEnabled(False)

    def _run(self, what: Callable[[], T], words: Callable[[T], str], target: Path) -> None:
        def say_done(outcome: T) -> None:
            self.said.emit(printable(words(outcome)), False)

        def say_silent() -> None:
            self.said.emit(
                printable(f"{target} is not saved yet: a large case takes its time, or a disk or network does not answer."), True
            )

        run(what, say_done, parent=self, failed=self._complain, silent=say_silent)

    def _name_to_open(self, title: str) -> Path | None:
        name, _kind = QFileDialog.getOpenFileName(self._window, title, str(paths.home() / "cases"), _CASES)
        return Path(name) if name else None

    def _name_to_save(self, title: str, proposed: Path) -> Path | None:
        name, _kind = QFileDialog.getSaveFileName(self._window, title, str(proposed), _CASES)
        return words.with_ending(Path(name)) if name else None

    def _complain(self, error: GeorappError) -> None:
        self.said.emit(f"{error} {error.hint}".strip(), True)
