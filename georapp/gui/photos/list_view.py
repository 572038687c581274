"""The scrolled part of the photo list: one row a photo, keys for going through it, and what is chosen survives filtering."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from PySide6.QtCore import QItemSelection, QItemSelectionModel, QModelIndex, QSize, Qt, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractItemView, QListView, QWidget

from georapp.gui.photos.photo_rows import ROW_ROLE, PhotoRows
from georapp.gui.photos.row_painter import PICTURE, RowPainter
from georapp.gui.photos.small_pictures import SmallPictures

_KEYS: set[int] = {
    Qt.Key.Key_Up,
    Qt.Key.Key_Down,
    Qt.Key.Key_Home,
    Qt.Key.Key_End,
    Qt.Key.Key_PageUp,
    Qt.Key.Key_PageDown,
}
_STEPS: dict[int, int] = {Qt.Key.Key_J: 1, Qt.Key.Key_K: -1}


class ListView(QListView):
    """`chosen` is said whenever another photo becomes the current one, whoever asked for it."""

    chosen = Signal(int)
    skipped = Signal()

    def __init__(self, rows: PhotoRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = rows
        self._number: int | None = None
        self._place = 0  # where it was last seen, for going on from there when the filter has hidden it
        self._quiet = False
        self._kept: tuple[list[int], int | None] = ([], None)  # selected numbers, and how far below the top the current row was
        self.pictures = SmallPictures(QSize(PICTURE), parent=self)
        self._dress()
        rows.modelAboutToBeReset.connect(self._remember)
        rows.rowsAboutToBeRemoved.connect(self._hush)  # before the selection hears of it, which would go to a neighbour
        self.setModel(rows)
        rows.modelReset.connect(self._restore)
        for change in (rows.rowsInserted, rows.rowsRemoved, rows.rowsMoved):
            change.connect(self._find_current)
        self.pictures.ready.connect(lambda _sha256: self.viewport().update())
        self.selectionModel().currentChanged.connect(self._moved)

    def _dress(self) -> None:
        self.setItemDelegate(RowPainter(self.pictures, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.setAccessibleName("Photos")

    # ---- what is chosen ----

    def current(self) -> int | None:
        """The photo that was chosen last, also when the filter hides it."""
        return self._number

    def choose(self, number: int | None) -> None:
        """Make a photo the current one; one that is hidden stays hidden. None: choose nothing."""
        before, self._number = self._number, number
        self._find_current()
        place = self._rows.place(number)
        if place is not None:
            self._select_only(place)
        elif number != before:
            self._silently(self.clearSelection)
        if number is not None and number != before:
            self.chosen.emit(number)

    def step(self, by: int) -> None:
        """The next (1) or previous (-1) of those that are shown; from a hidden one to what stands in its place."""
        count = self._rows.rowCount()
        if not count:
            return
        place = self._rows.place(self._number)
        if place is not None:
            place += by
        else:
            place = self._place if by > 0 or self._number is None else self._place - 1
        self.choose(self._rows.shown()[max(0, min(place, count - 1))].number)

    def selected(self) -> list[int]:
        """Numbers, from top to bottom."""
        shown = self._rows.shown()
        selection = self.selectionModel().selection()
        found = (selection.at(i) for i in range(selection.count()))
        ranges = sorted((part.top(), part.bottom()) for part in found)
        return [row.number for first, last in ranges for row in shown[first : last + 1]]

    # ---- Qt ----

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Moving and selecting; all other keys are left to the window."""
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        key = event.key()  # a bare number: letters of other scripts are no Qt.Key
        if plain and key in _STEPS:
            self.step(_STEPS[key])
        elif plain and key == Qt.Key.Key_Space:
            self.skipped.emit()
        elif key in _KEYS or event.matches(QKeySequence.StandardKey.SelectAll):
            super().keyPressEvent(event)
        else:
            event.ignore()

    def _moved(self, current: QModelIndex, _previous: QModelIndex) -> None:
        if self._quiet or not current.isValid():
            return
        number = current.data(ROW_ROLE).number
        before, self._number = self._number, number
        self._mark()
        if number != before:
            self.chosen.emit(number)

    # ---- inside ----

    def _select_only(self, place: int) -> None:
        index = self._rows.index(place, 0)
        flag = QItemSelectionModel.SelectionFlag.ClearAndSelect
        self._silently(lambda: self.selectionModel().setCurrentIndex(index, flag))
        self.scrollTo(index)

    def _hush(self) -> None:
        self._quiet = True

    def _find_current(self) -> None:
        """After rows have come, gone or moved: the current row is the one with the current photo, or none is."""
        place = self._rows.place(self._number)
        index = QModelIndex() if place is None else self._rows.index(place, 0)
        if self.currentIndex() != index:
            flag = QItemSelectionModel.SelectionFlag.NoUpdate
            self._silently(lambda: self.selectionModel().setCurrentIndex(index, flag))
        self._mark()

    def _mark(self) -> None:
        """Tell the painter which row has the accent."""
        place = self._rows.place(self._number)
        self._place = self._place if place is None else place
        if self.property("current_number") != self._number:
            self.setProperty("current_number", self._number)
            self.viewport().update()

    def _remember(self) -> None:
        place = self._rows.place(self._number)
        offset = None if place is None else self.visualRect(self._rows.index(place, 0)).top()
        self._kept = self.selected(), offset
        self._quiet = True

    def _restore(self) -> None:
        numbers, offset = self._kept
        self._quiet = False
        self._silently(lambda: self._select(numbers))
        if self._number is not None and self._rows.row_of(self._number) is None:
            self._number = None
        self._find_current()
        place = self._rows.place(self._number)
        if place is not None:
            self._scroll_back(place, offset)

    def _scroll_back(self, place: int, offset: int | None) -> None:
        """Where the current row was on the screen it is again; where it was not, it comes into sight."""
        index = self._rows.index(place, 0)
        self.scrollTo(index)  # lays the rows out
        if offset is not None and 0 <= offset <= self.viewport().height() - self.visualRect(index).height():
            bar = self.verticalScrollBar()
            bar.setValue(bar.value() + self.visualRect(index).top() - offset)

    def _select(self, numbers: Iterable[int]) -> None:
        found = [self._rows.place(number) for number in numbers]
        selection = QItemSelection()
        for first, last in _ranges(sorted(place for place in found if place is not None)):
            selection.select(self._rows.index(first, 0), self._rows.index(last, 0))
        self.selectionModel().select(selection, QItemSelectionModel.SelectionFlag.ClearAndSelect)

    def _silently(self, change: Callable[[], None]) -> None:
        self._quiet = True
        try:
            change()
        finally:
            self._quiet = False


def _ranges(places: list[int]) -> list[tuple[int, int]]:
    """First and last of each run of neighbours."""
    found: list[tuple[int, int]] = []
    for place in places:
        if found and found[-1][1] == place - 1:
            found[-1] = found[-1][0], place
        else:
            found.append((place, place))
    return found
