"""The list of runs: a check for comparing, title, state, when, figures, note. Enter opens the chosen one, Space checks it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QAbstractItemModel, QEvent, QModelIndex, QPersistentModelIndex, QRect, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QKeyEvent, QMouseEvent, QPainter, QPen
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from georapp.gui import look
from georapp.gui.train.history import history_words
from georapp.gui.train.history.overlay import tone
from georapp.gui.train.history.run_rows import NUMBER, SUMMARY, RunRows
from georapp.printable import printable
from georapp.run_compare import letter
from georapp.run_summary import Summary

Index = QModelIndex | QPersistentModelIndex
_SIDE, _TOP, _LINE, _BOX = 12, 9, 19, 16
_INSIDE = 40  # from the left edge, for the check


class RunList(QListView):
    """`chosen`: another run is the current one; `opened`: it was asked for."""

    chosen = Signal(object)  # Path or None
    opened = Signal(object)  # Path

    def __init__(self, rows: RunRows, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = rows
        self.setModel(rows)
        self.setItemDelegate(_Row(self))
        self.setAccessibleName("Runs")
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMouseTracking(True)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.doubleClicked.connect(self._open)
        self.selectionModel().currentChanged.connect(lambda now, _: self.chosen.emit(rows.folder_at(now)))

    @property
    def folder(self) -> Path | None:
        """Of the current run."""
        return self.rows.folder_at(self.currentIndex())

    def choose(self, folder: Path | None) -> None:
        """Make it the current one."""
        place = self.rows.place_of(folder)
        if place.isValid() and place != self.currentIndex():
            self.setCurrentIndex(place)
            self.scrollTo(place)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter opens."""
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and self.currentIndex().isValid():
            self._open(self.currentIndex())
            return
        super().keyPressEvent(event)

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Two quick clicks on a check are two clicks."""
        if event.position().x() >= _INSIDE:
            super().mouseDoubleClickEvent(event)
        else:
            self.mousePressEvent(event)

    def _open(self, index: QModelIndex) -> None:
        if (folder := self.rows.folder_at(index)) is not None:
            self.opened.emit(folder)


class _Row(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        """As many lines as there is something to say."""
        summary: Summary = index.data(SUMMARY)
        return QSize(200, 2 * _TOP + (1 + len(_lines(summary))) * _LINE)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        """Shape and word beside every colour."""
        summary: Summary = index.data(SUMMARY)
        colours, area = look.current(), option.rect
        state = option.state
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(colours.raised))
            painter.fillRect(QRect(area.left(), area.top(), 3, area.height()), QColor(colours.accent))
        elif state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(area, QColor(colours.background))
        painter.fillRect(QRect(area.left(), area.bottom(), area.width(), 1), QColor(colours.line))
        _paint_check(painter, _check(area), index.data(NUMBER))
        _paint_words(painter, area, summary, option.font)
        if state & QStyle.StateFlag.State_HasFocus:
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.drawRoundedRect(QRectF(area).adjusted(1.5, 1.5, -1.5, -2.5), 6, 6)
        painter.restore()

    def editorEvent(self, event: QEvent, model: QAbstractItemModel, option: QStyleOptionViewItem, index: Index) -> bool:
        """A click on the check, or the space bar."""
        hit = (
            isinstance(event, QMouseEvent)
            and event.type() == QEvent.Type.MouseButtonRelease
            and event.button() == Qt.MouseButton.LeftButton
            and event.position().x() < option.rect.left() + _INSIDE
        )
        if hit or (isinstance(event, QKeyEvent) and event.key() == Qt.Key.Key_Space):
            on = index.data(NUMBER) is None
            state = Qt.CheckState.Checked if on else Qt.CheckState.Unchecked
            return model.setData(index, state, Qt.ItemDataRole.CheckStateRole)
        return False


def _check(area: QRect) -> QRectF:
    return QRectF(area.left() + _SIDE, area.top() + _TOP + 1, _BOX, _BOX)


def _paint_check(painter: QPainter, box: QRectF, number: int | None) -> None:
    """A box; of a checked run with its letter, in the colour of its line."""
    colours = look.current()
    painter.setPen(QPen(QColor(colours.dim if number is None else getattr(colours, tone(number))), 1))
    painter.setBrush(QColor(colours.raised) if number is None else QColor(getattr(colours, tone(number))))
    painter.drawRoundedRect(box.adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)
    if number is not None:
        font = QFont(painter.font())
        font.setPixelSize(11)
        font.setWeight(QFont.Weight.Bold)
        painter.setFont(font)
        painter.setPen(QColor(colours.background))
        painter.drawText(box, Qt.AlignmentFlag.AlignCenter, letter(number))


def _paint_words(painter: QPainter, area: QRect, summary: Summary, font: QFont) -> None:
    colours = look.current()
    place = area.adjusted(_INSIDE, _TOP, -_SIDE, 0)
    painter.setFont(font)
    word, its_tone = history_words.state(summary)
    taken = painter.fontMetrics().horizontalAdvance(word)
    painter.setPen(QColor(getattr(colours, its_tone)))
    painter.drawText(
        QRect(place.left(), place.top(), place.width(), _LINE), Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter, word
    )
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    painter.setFont(bold)
    painter.setPen(QColor(colours.text))
    _line(painter, place, 0, printable(summary.title), less=taken + 12, middle=True)
    painter.setFont(font)
    for number, (text, strong) in enumerate(_lines(summary), start=1):
        painter.setPen(QColor(colours.text if strong else colours.dim))
        _line(painter, place, number, text)


def _lines(summary: Summary) -> list[tuple[str, bool]]:
    """Below the title: texts, and whether each counts more than the others."""
    found = [(history_words.facts_line(summary), False), (history_words.figures_line(summary), summary.best is not None)]
    found += [(history_words.beside_line(summary), False), (" ".join(summary.notes.note.split())[:300], False)]
    return [(printable(text), strong) for text, strong in found if text]


def _line(painter: QPainter, place: QRect, number: int, text: str, *, less: int = 0, middle: bool = False) -> None:
    room = QRect(place.left(), place.top() + number * _LINE, max(20, place.width() - less), _LINE)
    mode = Qt.TextElideMode.ElideMiddle if middle else Qt.TextElideMode.ElideRight
    elided = painter.fontMetrics().elidedText(text, mode, room.width())
    painter.drawText(room, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter, elided)
