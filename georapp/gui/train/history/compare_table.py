"""Several runs in columns: figures, where they come from, settings. What differs is marked with ≠, and not by colour alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt
from PySide6.QtGui import QColor, QFont
from PySide6.QtWidgets import QHeaderView, QTableView, QWidget

from georapp.gui import look
from georapp.gui.plain import tooltip
from georapp.gui.train.history import history_words
from georapp.printable import printable
from georapp.run_compare import differences, letter
from georapp.run_facts import Measured
from georapp.run_summary import Summary

Index = QModelIndex | QPersistentModelIndex
_NAME_PX, _COLUMN_PX, _ROW_PX, _SHORTEST_PX = 216, 160, 28, 200
_LONGEST = 400


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the table. `heading`: it has no values; `plain`: whether it differs says nothing."""

    name: str
    values: tuple[str, ...] = ()
    about: str = ""
    heading: bool = False
    plain: bool = False

    @property
    def differs(self) -> bool:
        """Whether not all values are the same."""
        return not self.plain and len(set(self.values)) > 1


def lines_of(summaries: Sequence[Summary], *, all_of_them: bool) -> list[Line]:
    """Figures with baselines, origins, settings."""
    settings = differences([summary.config for summary in summaries], all_of_them=all_of_them)
    figures = [Line("Figures on held-out photos", heading=True), *_figures(summaries)]
    origins = [Line("Runs", heading=True), *_origins(summaries)]
    own = [Line("Settings" if all_of_them else "Settings that differ", heading=True)]
    own += [Line(setting.key, setting.values, setting.about) for setting in settings] or [
        Line("none", tuple("" for _ in summaries))
    ]
    return [*figures, *origins, *own] if all_of_them else [*figures, *own, *origins]  # the long part last


def _figures(summaries: Sequence[Summary]) -> list[Line]:
    best = [summary.best for summary in summaries]
    found = [Line("measured", _each(best, lambda one: f"{one.name}, n = {one.n:,}"), plain=True)]
    for km in history_words.KM:
        found.append(
            Line(f"within {km:,} km", _each(best, lambda one, km=km: history_words.share(one, km)), _INTERVALS, plain=True)
        )
    found.append(Line("median distance", _each(best, lambda one: history_words.distance(one.median_km)), plain=True))
    for words, of in _BESIDE:
        values = tuple(_both(of(summary)) for summary in summaries)
        found.append(Line(words, values, "Within 25 km, and the median distance, on the same photos", plain=True))
    return found


_INTERVALS = "In brackets the 95 % Wilson interval, which takes photos as independent"
_BESIDE: tuple[tuple[str, Any], ...] = (
    ("before training, ≤ 25 km", lambda summary: summary.before),
    ("most frequent place, ≤ 25 km", lambda summary: next(iter(summary.baselines), None)),
    ("random place, ≤ 25 km", lambda summary: next(iter(summary.baselines[1:]), None)),
)


def _both(measured: Measured | None) -> str:
    if measured is None:
        return "–"
    return f"{history_words.plain_share(measured, 25)}, {history_words.distance(measured.median_km)}"


def _each(measured: Sequence[Measured | None], words: Any) -> tuple[str, ...]:
    return tuple("–" if one is None else words(one) for one in measured)


def _origins(summaries: Sequence[Summary]) -> list[Line]:
    data = [summary.data for summary in summaries]
    return [
        Line("state", tuple(history_words.state(one)[0] for one in summaries), plain=True),
        Line("started", tuple(history_words.when(one.started) or "–" for one in summaries), plain=True),
        Line("took", tuple(history_words.took(one.seconds) or "–" for one in summaries), plain=True),
        Line("base model", tuple(one.base or "–" for one in summaries)),
        Line("data hash", tuple(one.sha256[:12] if one else "–" for one in data), "SHA-256 of photos, places, labels and parts"),
        Line(
            "held-out photos",
            tuple(f"{one.probe[:8]}, n = {one.measured_on:,}" if one else "–" for one in data),
            "On which it is measured",
        ),
        *(
            Line(name, tuple(one.versions.get(name, "–") for one in summaries), "Version")
            for name in dict.fromkeys(name for one in summaries for name in one.versions)
        ),
    ]


class _Model(QAbstractTableModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.lines: list[Line] = []
        self.names: list[str] = []

    def show(self, lines: list[Line], names: list[str]) -> None:
        if (lines, names) != (self.lines, self.names):
            self.beginResetModel()
            self.lines, self.names = lines, names
            self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - Qt's own signature
        return 0 if parent.isValid() else len(self.lines)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else 1 + len(self.names)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return f"{letter(section - 1)}  {self.names[section - 1]}" if section else ""
        if role == Qt.ItemDataRole.ToolTipRole and section:
            return tooltip(self.names[section - 1])
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter
        return None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        line, column = self.lines[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return self._text(line, column)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(
                "\n".join(part for part in (line.name, line.about, self._text(line, column) if column else "") if part)
            )
        if role == Qt.ItemDataRole.ForegroundRole:
            dim = line.heading or (column == 0 and not line.differs)
            return QColor(look.current().dim if dim else look.current().text)
        if role == Qt.ItemDataRole.FontRole and (line.heading or (line.differs and column)):
            font = QFont()
            font.setWeight(QFont.Weight.DemiBold)
            return font
        return None

    def _text(self, line: Line, column: int) -> str:
        if column == 0:
            return f"{line.name}  ≠" if line.differs else line.name
        return printable(line.values[column - 1])[:_LONGEST] if line.values else ""


class CompareTable(QTableView):
    """`show_runs` as often as there is news."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = _Model(self)
        self.setModel(self._model)
        self.setAccessibleName("Figures, origins and settings of the checked runs")
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setTabKeyNavigation(False)
        self.setSelectionMode(QTableView.SelectionMode.NoSelection)
        self.setVerticalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QTableView.ScrollMode.ScrollPerPixel)
        self.setStyleSheet("QTableView::item { padding: 0 8px; }")
        self.setMinimumHeight(_SHORTEST_PX)
        self.verticalHeader().hide()
        self.verticalHeader().setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        self.verticalHeader().setDefaultSectionSize(_ROW_PX)
        self.horizontalHeader().setHighlightSections(False)
        self.horizontalHeader().setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.horizontalHeader().setStretchLastSection(True)
        self.horizontalHeader().setMinimumSectionSize(80)

    def show_runs(self, summaries: Sequence[Summary], *, all_of_them: bool) -> None:
        """In the order of their letters."""
        columns = len(summaries) + 1
        fresh = columns != self._model.columnCount()
        self._model.show(lines_of(summaries, all_of_them=all_of_them), [printable(summary.title) for summary in summaries])
        for column in range(columns if fresh else 0):
            self.setColumnWidth(column, _COLUMN_PX if column else _NAME_PX)

    def texts(self) -> list[tuple[str, ...]]:
        """What stands in it, line by line."""
        return [(line.name, *line.values) for line in self._model.lines]
