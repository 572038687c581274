"""Asking for files: a new case, another one, a copy, a repair. What goes wrong is said, and the open case stays open."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QMenu, QWidget

from georapp import paths
from georapp.case import Case
from georapp.errors import GeorappError
from georapp.gui import words
from georapp.gui.background import run
from georapp.gui.session import Session

_CASES = "Cases (*.georapp)"


class CaseDialogs(QObject):
    """Of one window."""

    said = Signal(str, bool)  # a sentence; whether something went wrong

    def __init__(self, session: Session, window: QWidget) -> None:
        super().__init__(window)
        self._session, self._window = session, window

    def open(self, path: Path, *, new: bool = False) -> None:
        """Open this one, or say why not."""
        self._try(lambda: self._session.open(path, new=new))

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
        if case and name and self._try(lambda: case.save_copy(name)):
            self.said.emit(f"A copy was saved as {name}.", False)

    def ask_repair(self) -> None:
        """Which one is damaged, and where what can be read of it is to be."""
        damaged = self._name_to_open("The damaged case")
        target = (
            self._name_to_save("Save what can be read as", damaged.with_name(f"{damaged.stem} repaired.georapp"))
            if damaged
            else None
        )
        if damaged and target:
            save = partial(Case.salvage, damaged, target)
            run(save, partial(self._repaired, target), parent=self, failed=self._complain)

    def fill_recent(self, menu: QMenu) -> None:
        """The cases that were open before."""
        menu.clear()
        for name in self._session.settings.recent:
            menu.addAction(words.case_name(Path(name)).replace("&", "&&"), partial(self.open, Path(name)))
        if menu.isEmpty():
            menu.addAction("No case was open before").setEnabled(False)

    def _repaired(self, target: Path, found: str) -> None:
        self.open(target)
        self.said.emit(f"Saved in {target}: {found}. The damaged file is as it was.", False)

    def _name_to_open(self, title: str) -> Path | None:
        name, _kind = QFileDialog.getOpenFileName(self._window, title, str(paths.home() / "cases"), _CASES)
        return Path(name) if name else None

    def _name_to_save(self, title: str, proposed: Path) -> Path | None:
        name, _kind = QFileDialog.getSaveFileName(self._window, title, str(proposed), _CASES)
        return words.with_ending(Path(name)) if name else None

    def _try(self, what: Callable[[], object]) -> bool:
        try:
            what()
        except GeorappError as error:
            self._complain(error)
            return False
        return True

    def _complain(self, error: GeorappError) -> None:
        self.said.emit(f"{error} {error.hint}".strip(), True)
