"""The left side of the history: search, order, the list of runs, and the queue below it."""

from __future__ import annotations

from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from georapp.gui.train.history.queue_card import QueueCard
from georapp.gui.train.history.run_list import RunList
from georapp.gui.train.history.run_rows import SORTS, RunRows


class RunColumn(QWidget):
    """Its parts are its interface; it sees to it that one of the shown runs is the current one."""

    def __init__(self, rows: RunRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        self.list, self.queue = RunList(rows, self), QueueCard(self)
        self.search, self.sort = QLineEdit(self), QComboBox(self)
        self.search.setPlaceholderText("Search titles and notes")
        self.search.setAccessibleName("Search runs")
        self.search.setToolTip("Words in titles, notes, base models and states (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.setMinimumWidth(80)
        self.sort.addItems([words for words, _, _ in SORTS])
        self.sort.setAccessibleName("Order of the runs")
        self.sort.setToolTip("In which order runs are listed")
        self.search.textChanged.connect(lambda text: self.arrange(wanted=text))
        self.sort.currentIndexChanged.connect(lambda n: self.arrange(sort=n))
        self._lay_out()

    def _lay_out(self) -> None:
        column, row = QVBoxLayout(self), QHBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        for layout in (column, row):
            layout.setSpacing(8)
        row.addWidget(self.search, 1)
        row.addWidget(self.sort)
        column.addLayout(row)
        column.addWidget(self.list, 1)
        column.addWidget(self.queue)

    def arrange(self, *, wanted: str | None = None, sort: int | None = None) -> None:
        """Search, or sort, or do it anew with what is known by now."""
        self.rows.arrange(wanted=wanted, sort=sort)
        self.choose_one()

    def choose_one(self) -> None:
        """The first, when none is chosen or the chosen one is not shown any more."""
        if not self.list.currentIndex().isValid() and self.rows.rowCount():
            self.list.setCurrentIndex(self.rows.index(0))
        elif not self.rows.rowCount():
            self.list.chosen.emit(None)

    def on_key(self, key: str, act: object) -> None:
        """A key for the list."""
        shortcut = QShortcut(QKeySequence(key), self.list)
        shortcut.activated.connect(act)
