"""The photos of a case as a Qt model: all of them, and of these the ones that the filter shows, sorted."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QModelIndex, QObject, QPersistentModelIndex, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QStandardItemModel

from georapp.case import Row, State
from georapp.gui.photos.row_words import Words, aloud, on_hover, words
from georapp.selection import Filter, Sort, apply

AnyIndex = QModelIndex | QPersistentModelIndex

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
WORDS_ROLE = ROW_ROLE + 1


class PhotoRows(QStandardItemModel):
    """Most changes reset the model: who shows it keeps what is chosen by the photos' numbers.

    The rows themselves are Qt's, and empty: a view asks for the index of every row when it lays them out, and to answer each time
    how many there are in Python takes 40 ms for 10,000.
    """

    settled = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(0, 1, parent)
        self._all: dict[int, Row] = {}  # in the order of the queue
        self._shown: list[Row] = []
        self._places: dict[int, int] | None = None  # number -> place in _shown; None: to be counted again
        self._filter, self._sort, self._reversed = Filter(), Sort.QUEUE, False
        self._running: int | None = None
        self._running_text = ""
        self._next: int | None = None
        self._unsettled: set[int] = set()
        self._soon = QTimer(self, singleShot=True, interval=0)
        self._soon.timeout.connect(self.settle)

    # ---- Qt asks ----

    def data(self, index: AnyIndex, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Words for painting, speaking and hovering."""
        if not index.isValid() or not 0 <= index.row() < len(self._shown):
            return None
        row = self._shown[index.row()]
        if role == ROW_ROLE:
            return row
        if role == WORDS_ROLE:
            return self.words(row)
        if role == Qt.ItemDataRole.DisplayRole:
            return self.words(row).name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return aloud(row, running=self._running_words(row), following=row.number == self._next)
        return on_hover(row) if role == Qt.ItemDataRole.ToolTipRole else None

    # ---- what is there ----

    def words(self, row: Row) -> Words:
        """What its row says now."""
        return words(row, running=self._running_words(row), following=row.number == self._next)

    def all_rows(self) -> list[Row]:
        """In the order of the queue."""
        return list(self._all.values())

    def row_of(self, number: int) -> Row | None:
        """A photo, whether or not it is shown."""
        return self._all.get(number)

    def shown(self) -> list[Row]:
        """What the filter shows, sorted."""
        return list(self._shown)

    def place(self, number: int | None) -> int | None:
        """Its place among those that are shown."""
        if self._places is None:
            self._places = {row.number: place for place, row in enumerate(self._shown)}
        return None if number is None else self._places.get(number)

    @property
    def running(self) -> int | None:
        """The photo that is being worked on."""
        return self._running

    # ---- changes ----

    def set_rows(self, rows: Sequence[Row]) -> None:
        """All photos, in the order of the queue."""
        self._reset({row.number: row for row in rows})

    def add_rows(self, rows: Sequence[Row]) -> None:
        """More photos at the end of the queue; those that are there already are renewed."""
        if any(row.number in self._all for row in rows) or self._sort is not Sort.QUEUE or self._reversed:
            self._reset({**self._all, **{row.number: row for row in rows}})
            return
        self._all.update((row.number, row) for row in rows)
        kept = [row for row in rows if self._filter.matches(row)]
        if kept:
            first = len(self._shown)
            self._shown += kept
            self._places = None
            self.insertRows(first, len(kept))
        self._find_next()

    def update(self, row: Row) -> None:
        """A photo has changed. Its words do at once; whether it is shown and where, when the window has a moment: see `settle`."""
        self._all[row.number] = row
        place, matches = self.place(row.number), self._filter.matches(row)
        if place is not None:
            self._shown[place] = row
            self._paint(row.number)
        if matches is (place is None) or (matches and self._sort is not Sort.QUEUE):
            self._unsettled.add(row.number)
        self._soon.start()

    def settle(self) -> None:
        """Show, hide and move what has changed since: one row by itself, several in one go."""
        self._soon.stop()
        numbers, self._unsettled = self._unsettled, set()
        if len(numbers) > 1:
            self._reset(self._all)
        for number in numbers if len(numbers) == 1 else ():
            self._settle_one(self._all[number], self.place(number))
        self._find_next()
        self.settled.emit()

    def select(self, wanted: Filter, sort: Sort, *, reversed: bool) -> None:
        """Show others, or in another order."""
        if (wanted, sort, reversed) != (self._filter, self._sort, self._reversed):
            self._filter, self._sort, self._reversed = wanted, sort, reversed
            self._reset(self._all)

    def set_running(self, number: int | None, text: str) -> None:
        """The photo that is being worked on says `text`."""
        before, self._running, self._running_text = self._running, number, text
        self._paint(before)
        self._paint(number)
        self._find_next()

    # ---- inside ----

    def _running_words(self, row: Row) -> str:
        return (self._running_text or "being located") if row.number == self._running else ""

    def _reset(self, rows: dict[int, Row]) -> None:
        self.beginResetModel()
        self._all, self._unsettled = rows, set()
        self._shown = self._selected()
        self._places = None
        self._next = self._first_waiting()
        with QSignalBlocker(self):
            self.setRowCount(len(self._shown))
        self.endResetModel()

    def _selected(self) -> list[Row]:
        return apply(list(self._all.values()), self._filter, self._sort, reversed=self._reversed)

    def _settle_one(self, row: Row, place: int | None) -> None:
        if self._filter.matches(row):
            self._put(row, place)
        elif place is not None:
            self._remove(place)

    def _remove(self, place: int) -> None:
        del self._shown[place]
        self._places = None
        self.removeRows(place, 1)

    def _put(self, row: Row, place: int | None) -> None:
        """All others have kept their order, so that one row has come or moved."""
        shown = self._selected()
        target = next(i for i, other in enumerate(shown) if other.number == row.number)
        moves = place is not None and place != target
        if place is not None and moves:
            self.beginMoveRows(QModelIndex(), place, place, QModelIndex(), target + (target > place))
        self._shown, self._places = shown, None
        if moves:
            self.endMoveRows()
        elif place is None:
            self.insertRows(target, 1)
        self._paint(row.number)

    def _first_waiting(self) -> int | None:
        waiting = (number for number, row in self._all.items() if row.state is State.WAITING and number != self._running)
        return next(waiting, None)

    def _find_next(self) -> None:
        before, self._next = self._next, self._first_waiting()
        if before != self._next:
            self._paint(before)
            self._paint(self._next)

    def _paint(self, number: int | None) -> None:
        place = self.place(number)
        if place is not None:
            self.dataChanged.emit(self.index(place, 0), self.index(place, 0))
