"""The answers to one photo of a step: what each says, where it points, how far off it is, what it earned."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QTableView, QWidget

from georapp.chain import Level
from georapp.errors import GeorappError
from georapp.gui import look, words
from georapp.gui.plain import shown, tooltip
from georapp.gui.train import figures
from georapp.printable import printable
from georapp.reading import read
from georapp.run_events import Sample

_ROW_PX = 26
_LONGEST = 160
_MODEL_TEXT = "The model wrote:"
Index = QModelIndex | QPersistentModelIndex


@dataclass(frozen=True, slots=True)
class AnswerRow:
    """An answer, ready to be shown."""

    sample: Sample
    words: str
    place: str


def row_of(sample: Sample) -> AnswerRow:
    """For any thread: reading what a model wrote may take its time."""
    place = "" if sample.lat is None or sample.lon is None else f"{sample.lat:.3f}, {sample.lon:.3f}".replace("-", "−")
    return AnswerRow(sample, _regions(sample.text), place)


def _regions(text: str) -> str:
    """The regions that an answer names, the continent only where it is all; where none can be read, its first characters."""
    try:
        chain = read(text).chain
    except (GeorappError, ValueError):
        return shown(text, longest=_LONGEST)
    names = [region.name for region in chain.regions if region.level is not Level.CONTINENT or len(chain.regions) == 1]
    return shown(" › ".join(names) if names else text, longest=_LONGEST)


class AnswersModel(QAbstractTableModel):
    """Rows of answers; the parts of the reward are columns of their own."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[AnswerRow] = ()
        self._parts: tuple[str, ...] = ()

    def show_rows(self, rows: Sequence[AnswerRow]) -> None:
        """In the order in which they were answered."""
        self.beginResetModel()
        self.rows = rows
        names = dict.fromkeys(name for row in rows for name in row.sample.parts if name != "reward")
        self._parts = tuple(names)
        self.endResetModel()

    @property
    def headings(self) -> list[str]:
        """Of the columns."""
        parts = [f"{printable(name.removeprefix('r_'))[:20]} part" for name in self._parts]
        return ["#", "answer", "place", "distance", "reward", *parts, "advantage"]

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as Qt declares it
        """Answers."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Headings."""
        return 0 if parent.isValid() else len(self.headings)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Names, aligned as their columns are."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(section)
        return self.headings[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Plain text, whatever a model wrote."""
        row, column = self.rows[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return self._text(row, index.row(), column)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return self._alignment(column)
        if role == Qt.ItemDataRole.ToolTipRole and column == 1:
            return tooltip(f"{_MODEL_TEXT}\n{row.sample.text}")
        if role == Qt.ItemDataRole.ForegroundRole and (column in (0, 2) or not row.place):
            return QColor(look.current().dim)
        return None

    def _text(self, row: AnswerRow, number: int, column: int) -> str:
        sample = row.sample
        parts = [_figure(sample.parts.get(name)) for name in self._parts]
        advantage = "–" if sample.advantage is None else figures.signed(sample.advantage)
        km = "–" if sample.distance_km is None else words.kilometres(sample.distance_km)
        return [str(number + 1), row.words, row.place or "names no place", km, _figure(sample.reward), *parts, advantage][column]

    def _alignment(self, column: int) -> Qt.AlignmentFlag:
        side = Qt.AlignmentFlag.AlignLeft if column in (1, 2) else Qt.AlignmentFlag.AlignRight
        return side | Qt.AlignmentFlag.AlignVCenter


def _figure(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}".replace("-", "−")


class AnswersTable(QTableView):
    """Arrow keys choose an answer."""

    chosen = Signal(int)  # row; -1 for none

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = AnswersModel(self)
        self.setModel(self._model)
        self.setAccessibleName("Answers of this step")
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.verticalHeader().hide()
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setSectionsClickable(False)
        self.selectionModel().currentRowChanged.connect(lambda now, _before: self.chosen.emit(now.row()))

    def show_rows(self, rows: Sequence[AnswerRow]) -> None:
        """Another group of answers; none of them is chosen."""
        self._model.show_rows(rows)
        header = self.horizontalHeader()
        for column in range(self._model.columnCount()):
            stretch = column == 1
            header.setSectionResizeMode(
                column, QHeaderView.ResizeMode.Stretch if stretch else QHeaderView.ResizeMode.ResizeToContents
            )
        self.chosen.emit(-1)

    @property
    def rows(self) -> Sequence[AnswerRow]:
        """What is shown."""
        return self._model.rows
