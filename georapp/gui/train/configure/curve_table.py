"""The points of a reward curve as numbers, to be chosen and typed."""

from __future__ import annotations

import math
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from georapp.gui.plain import tooltip
from georapp.gui.train.configure.curve_points import Points

_ROW_PX = 28
_HEADINGS = ("km", "reward")
_HELP = "Type another number over one (F2 changes it), Insert adds a point after this one, Delete removes it."
_GROUND = "QTableView, QHeaderView, QHeaderView::section { background: transparent; } QTableView::item { padding: 0 8px; }"
Index = QModelIndex | QPersistentModelIndex


class PointsModel(QAbstractTableModel):
    """A row for a point. `typed`: point, km, reward, whether that makes a curve or not."""

    typed = Signal(int, float, float)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.points: Points = ()

    def show_points(self, points: Points) -> None:
        """Others; the choice stays where there are as many."""
        if len(points) != len(self.points):
            self.beginResetModel()
            self.points = points
            self.endResetModel()
        elif points:
            self.points = points
            self.dataChanged.emit(self.index(0, 0), self.index(len(points) - 1, 1))

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as Qt declares it
        """Points."""
        return 0 if parent.isValid() else len(self.points)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Distance and reward."""
        return 0 if parent.isValid() else len(_HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Above their columns, aligned as the numbers are."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        return _HEADINGS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Numbers as they are read, and plain ones to change."""
        value = self.points[index.row()][index.column()]
        if role == Qt.ItemDataRole.DisplayRole:
            return _written(value, grouped=True)
        if role == Qt.ItemDataRole.EditRole:
            return _written(value, grouped=False)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
        if role == Qt.ItemDataRole.AccessibleTextRole:
            text = _written(value, grouped=False)
            return f"point {index.row() + 1}, {text} km" if index.column() == 0 else f"reward {text}"
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        """All numbers can be changed."""
        return super().flags(index) | Qt.ItemFlag.ItemIsEditable

    def setData(self, index: Index, value: Any, role: int = Qt.ItemDataRole.EditRole) -> bool:
        """What was typed, where it is a number; otherwise the old one stays."""
        number = _number(str(value))
        if role != Qt.ItemDataRole.EditRole or number is None:
            return False
        km, reward = self.points[index.row()]
        km, reward = (number, reward) if index.column() == 0 else (km, number)
        if (km, reward) != self.points[index.row()]:
            self.typed.emit(index.row(), km, reward)
        return True


def _written(value: float, *, grouped: bool) -> str:
    text = f"{value:,.4f}" if grouped else f"{value:.4f}"
    return text.rstrip("0").rstrip(".").replace("-", "−" if grouped else "-")


def _number(text: str) -> float | None:
    try:
        value = float(text.lower().replace("km", "").replace("−", "-").replace(",", "").replace(" ", ""))
    except ValueError:
        return None
    return value if math.isfinite(value) else None


class PointsTable(QTableView):
    """Arrow keys choose a point, typing changes it."""

    chosen = Signal(int)
    typed = Signal(int, float, float)  # point, km, reward
    added_after = Signal(int)
    removed = Signal(int)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = PointsModel(self)
        self._model.typed.connect(self.typed)
        self.setModel(self._model)
        self.setAccessibleName("Points of the reward curve")
        self.setToolTip(tooltip(_HELP))
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        triggers = QAbstractItemView.EditTrigger
        self.setEditTriggers(triggers.AnyKeyPressed | triggers.EditKeyPressed | triggers.DoubleClicked)
        self.setShowGrid(False)
        self.setStyleSheet(_GROUND)
        self.setTabKeyNavigation(False)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSectionsClickable(False)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Stretch)
        self.selectionModel().currentRowChanged.connect(self._tell)

    def show_points(self, points: Points, chosen: int) -> None:
        """The points, and which of them is chosen. Says nothing."""
        self._model.show_points(points)
        index = self.currentIndex()
        if points and index.row() != chosen:
            self.setCurrentIndex(self._model.index(chosen, max(0, index.column())))

    def _tell(self, now: QModelIndex, _before: QModelIndex) -> None:
        if now.isValid():
            self.chosen.emit(now.row())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Add and remove; everything else as in any table."""
        n = self.currentIndex().row()
        if event.key() == Qt.Key.Key_Insert and n >= 0:
            self.added_after.emit(n)
        elif event.key() == Qt.Key.Key_Delete and n >= 0:
            self.removed.emit(n)
        else:
            super().keyPressEvent(event)
