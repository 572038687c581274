"""The runs as a list: which there are, which are checked to be compared, how they are sorted and searched."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt, Signal

from georapp.gui.plain import tooltip
from georapp.gui.train.history import history_words
from georapp.printable import printable
from georapp.run_compare import MOST
from georapp.run_facts import ERROR_KM
from georapp.run_summary import Summary

Index = QModelIndex | QPersistentModelIndex
SUMMARY, NUMBER = Qt.ItemDataRole.UserRole, Qt.ItemDataRole.UserRole + 1  # Summary; its place among the checked ones, or None


def _error(summary: Summary) -> float:
    km = summary.best.values.get(ERROR_KM) if summary.best else None
    return float("inf") if km is None else km


SORTS: tuple[tuple[str, Callable[[Summary], Any], bool], ...] = (  # words, key, largest first
    ("Newest first", lambda summary: (summary.started or float("inf"), summary.folder.name), True),
    ("Name", lambda summary: printable(summary.title).casefold(), False),
    ("Least error first", _error, False),
)


class RunRows(QAbstractListModel):
    """Rows keep their order while only their facts change."""

    checked_changed = Signal()
    full = Signal()  # one more was to be checked than can be compared

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._all: dict[Path, Summary] = {}
        self._shown: list[Path] = []
        self.checked: list[Path] = []  # in the order in which they were checked
        self._wanted, self._sort = "", 0

    # ---- what is in it ----

    @property
    def total(self) -> int:
        """Of all runs, found or not."""
        return len(self._all)

    def summary(self, folder: Path) -> Summary | None:
        """Of a run that is there."""
        return self._all.get(folder)

    def summaries(self, folders: Sequence[Path]) -> list[Summary]:
        """Of those that are there."""
        return [self._all[folder] for folder in folders if folder in self._all]

    def show_all(self, found: Sequence[Summary]) -> None:
        """All runs that there are now."""
        self._all = {summary.folder: summary for summary in found}
        self._arrange()
        gone = [folder for folder in self.checked if folder not in self._all]
        if gone:
            self.checked = [folder for folder in self.checked if folder in self._all]
            self.checked_changed.emit()

    def update(self, summary: Summary) -> None:
        """More is known of one."""
        if summary.folder not in self._all or self._all[summary.folder] == summary:
            return
        self._all[summary.folder] = summary
        if summary.folder in self._shown:
            place = self.index(self._shown.index(summary.folder))
            self.dataChanged.emit(place, place)

    def arrange(self, *, wanted: str | None = None, sort: int | None = None) -> None:
        """Search, or sort, or do it anew with what is known by now."""
        self._wanted = self._wanted if wanted is None else wanted
        self._sort = self._sort if sort is None else sort
        self._arrange()

    def _arrange(self) -> None:
        _, key, down = SORTS[self._sort]
        found = [summary for summary in self._all.values() if history_words.matches(summary, self._wanted)]
        shown = [summary.folder for summary in sorted(found, key=key, reverse=down)]
        if shown == self._shown:
            if shown:
                self.dataChanged.emit(self.index(0), self.index(len(shown) - 1))
            return
        kept = [(index, self._folder(index)) for index in self.persistentIndexList()]
        self.layoutAboutToBeChanged.emit()
        self._shown = shown
        rows = {folder: n for n, folder in enumerate(shown)}
        for index, folder in kept:
            self.changePersistentIndex(index, self.index(rows[folder]) if folder in rows else QModelIndex())
        self.layoutChanged.emit()

    def _folder(self, index: Index) -> Path | None:
        return self._shown[index.row()] if index.row() < len(self._shown) else None

    def place_of(self, folder: Path | None) -> QModelIndex:
        """Invalid where it is not shown."""
        return self.index(self._shown.index(folder)) if folder in self._shown else QModelIndex()

    def folder_at(self, index: Index) -> Path | None:
        """None for no row."""
        return self._folder(index) if index.isValid() else None

    # ---- checks ----

    def check(self, folder: Path, *, on: bool) -> bool:
        """For comparing; whether it was possible."""
        if on == (folder in self.checked):
            return True
        if on and len(self.checked) >= MOST:
            self.full.emit()
            return False
        self.checked = [*self.checked, folder] if on else [other for other in self.checked if other != folder]
        if self._shown:
            self.dataChanged.emit(self.index(0), self.index(len(self._shown) - 1))
        self.checked_changed.emit()
        return True

    # ---- as Qt asks for it ----

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        """Of the list."""
        return 0 if parent.isValid() else len(self._shown)

    def flags(self, index: Index) -> Qt.ItemFlag:
        """Rows can be chosen and checked."""
        return Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable | Qt.ItemFlag.ItemIsUserCheckable

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Also what a screen reader says."""
        if not index.isValid() or not 0 <= index.row() < len(self._shown):
            return None
        summary = self._all[self._shown[index.row()]]
        checked = summary.folder in self.checked
        if role == Qt.ItemDataRole.CheckStateRole:
            return Qt.CheckState.Checked if checked else Qt.CheckState.Unchecked
        if role == SUMMARY:
            return summary
        if role == NUMBER:
            return self.checked.index(summary.folder) if checked else None
        if role == Qt.ItemDataRole.DisplayRole:
            return printable(summary.title)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip("\n".join(part for part in (summary.title, summary.folder.name, summary.notes.note[:400]) if part))
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return printable(f"{summary.title}, {history_words.state(summary)[0]}. {history_words.figures_line(summary)}")
        return None

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """A check, by mouse or space bar."""
        if role != Qt.ItemDataRole.CheckStateRole or not index.isValid():
            return False
        return self.check(self._shown[index.row()], on=Qt.CheckState(value) == Qt.CheckState.Checked)
