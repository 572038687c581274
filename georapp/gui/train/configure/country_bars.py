"""How many photos of an album come from which country: a bar for each, training photos filled, held-out ones hatched."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, QRectF, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QAbstractItemView,
    QHBoxLayout,
    QHeaderView,
    QPushButton,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QTableView,
    QVBoxLayout,
    QWidget,
)

from georapp.album_scan import Country
from georapp.gui import look
from georapp.gui.plain import label, shown, tooltip

LARGEST = 12  # countries that are shown at first
_ROW_PX, _BAR_PX = 24, 12
_NUMBER_PX = 82
_NAME_PX, _NAME_SHARE = (120, 210), 0.36  # of the width, within these
_HEADINGS = ("country", "", "training", "held out")
_BAR = 1
_EMPTY = "No photos yet."
_GROUND = "QTableView, QHeaderView, QHeaderView::section { background: transparent; } QTableView::item { padding: 0 8px; }"
Index = QModelIndex | QPersistentModelIndex


class CountriesModel(QAbstractTableModel):
    """A row for a country, or for all others together."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows: Sequence[Country] = ()

    def show_rows(self, rows: Sequence[Country]) -> None:
        """In their order."""
        self.beginResetModel()
        self.rows = rows
        self.endResetModel()

    @property
    def most(self) -> int:
        """Photos of the longest bar."""
        return max((row.train + row.held_out for row in self.rows), default=0)

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008 - as Qt declares it
        """Countries."""
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        """Name, bar, two numbers."""
        return 0 if parent.isValid() else len(_HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Aligned as their columns are."""
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(section)
        return _HEADINGS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        """Plain text."""
        row, column = self.rows[index.row()], index.column()
        if role == Qt.ItemDataRole.DisplayRole:
            return [shown(row.name, longest=60), "", f"{row.train:,}", f"{row.held_out:,}"][column]
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return _said(row)
        if role == Qt.ItemDataRole.ToolTipRole:
            return tooltip(_said(row))
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return _alignment(column)
        if role == Qt.ItemDataRole.ForegroundRole and not row.code:
            return QColor(look.current().dim)
        return None


def _alignment(column: int) -> Qt.AlignmentFlag:
    side = Qt.AlignmentFlag.AlignLeft if column <= _BAR else Qt.AlignmentFlag.AlignRight
    return side | Qt.AlignmentFlag.AlignVCenter


def _said(row: Country) -> str:
    return f"{row.name}: {row.train:,} training and {row.held_out:,} held-out photos."


class _Bars(QStyledItemDelegate):
    """Training photos and, hatched behind them, the held-out ones; both on the scale of the longest bar."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """The ground as the style has it, and the bar."""
        super().paint(painter, option, index)
        model = index.model()
        if not isinstance(model, CountriesModel) or not model.most:
            return
        row, place = model.rows[index.row()], QRectF(option.rect)
        unit = (place.width() - 16) / model.most
        top = place.center().y() - _BAR_PX / 2 + 0.5
        middle = place.left() + 8 + unit * row.train
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        paint_training(painter, QRectF(place.left() + 8, top, unit * row.train, _BAR_PX), known=bool(row.code))
        paint_held_out(painter, QRectF(middle, top, unit * row.held_out, _BAR_PX))
        painter.restore()


def paint_training(painter: QPainter, box: QRectF, *, known: bool = True) -> None:
    """A filled bar; dim for other countries together."""
    colours = look.current()
    painter.fillRect(box, QColor(colours.accent if known else colours.dim))


def paint_held_out(painter: QPainter, box: QRectF) -> None:
    """A hatched bar with an edge."""
    if box.width() <= 0:
        return
    tone = QColor(look.current().province)
    painter.fillRect(box, QBrush(tone, Qt.BrushStyle.BDiagPattern))
    painter.setPen(QPen(tone, 1))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRect(box.adjusted(0.5, 0.5, -0.5, -0.5))


class _Key(QWidget):
    """What the bars mean."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setFixedHeight(18)
        self.setMinimumWidth(160)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A piece of both bars, with their names."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        left = 0.0
        for paint, words in ((paint_training, "training"), (paint_held_out, "held out")):
            paint(painter, QRectF(left, 3, 18, _BAR_PX))
            painter.setPen(QColor(look.current().dim))
            painter.drawText(QRectF(left + 24, 0, 80, 18), Qt.AlignmentFlag.AlignVCenter, words)
            left += 24 + painter.fontMetrics().horizontalAdvance(words) + 16


class CountryBars(QWidget):
    """The largest countries and the others together; a button shows all of them, which then scroll."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._countries: Sequence[Country] = ()
        self._all = False
        self._model, self.table = CountriesModel(self), QTableView(self)
        self._count, self._key, self._more = label(_EMPTY, "dim", wrap=False), _Key(self), QPushButton(self)
        self._dress_table()
        look.set_role(self._more, "quiet")
        self._more.clicked.connect(self._toggle)
        head, column = QHBoxLayout(), QVBoxLayout(self)
        head.addWidget(self._count, 1)
        head.addWidget(self._key)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self.table)
        column.addWidget(self._more, 0, Qt.AlignmentFlag.AlignLeft)
        column.addStretch()
        self.setAccessibleName("Photos by country")
        self.show_countries(())

    def _dress_table(self) -> None:
        table = self.table
        table.setModel(self._model)
        table.setItemDelegateForColumn(_BAR, _Bars(table))
        table.setAccessibleName("Photos by country")
        table.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        table.setSelectionMode(QAbstractItemView.SelectionMode.NoSelection)
        table.setShowGrid(False)
        table.setStyleSheet(_GROUND)
        table.setWordWrap(False)
        table.setTabKeyNavigation(False)
        table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        table.verticalHeader().hide()
        table.verticalHeader().setDefaultSectionSize(_ROW_PX)
        header = table.horizontalHeader()
        header.setSectionsClickable(False)
        header.setHighlightSections(False)
        for column, wide in enumerate((_NAME_PX[0], 0, _NUMBER_PX, _NUMBER_PX)):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.Fixed if wide else QHeaderView.ResizeMode.Stretch)
            if wide:
                header.resizeSection(column, wide)

    def show_countries(self, countries: Sequence[Country]) -> None:
        """In any order; () for none."""
        self._countries = sorted(countries, key=lambda country: (-country.train - country.held_out, country.name))
        self._show()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More room shows longer names."""
        super().resizeEvent(event)
        least, most = _NAME_PX
        self.table.horizontalHeader().resizeSection(0, min(most, max(least, round(_NAME_SHARE * self.width()))))

    def _toggle(self) -> None:
        self._all = not self._all
        self._show()

    def _show(self) -> None:
        """The rows, and as much height as the first of them need."""
        countries, there = self._countries, len(self._countries)
        rest = countries[LARGEST:] if not self._all and there > LARGEST + 1 else ()
        self._model.show_rows([*countries[: there - len(rest)], *([_together(rest)] if rest else [])])
        rows = min(len(self._model.rows), LARGEST + 1)
        self.table.setFixedHeight(self.table.horizontalHeader().sizeHint().height() + rows * _ROW_PX)
        for part in (self.table, self._key):
            part.setVisible(there > 0)
        self._more.setVisible(there > LARGEST + 1)
        self._more.setText(f"Show the {LARGEST} largest" if self._all else f"Show all {there} countries")
        self._more.setAccessibleName(self._more.text())
        self._count.setText(self.summary())
        self.setAccessibleDescription(self.summary())

    def summary(self) -> str:
        """How many, in a sentence."""
        there = len(self._countries)
        if not there:
            return _EMPTY
        photos = sum(country.train + country.held_out for country in self._countries)
        return f"{photos:,} photos from {there:,} {'country' if there == 1 else 'countries'}"


def _together(rest: Sequence[Country]) -> Country:
    train, held_out = sum(country.train for country in rest), sum(country.held_out for country in rest)
    return Country("", f"{len(rest)} others", train, held_out)
