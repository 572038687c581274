"""Ctrl+K: every command by its words."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QModelIndex, QObject, QPersistentModelIndex, Qt
from PySide6.QtGui import QAction, QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from georapp.chain import folded
from georapp.gui import look

_KEYS_ROLE = Qt.ItemDataRole.UserRole + 1


class Palette(QDialog):
    """Type a part of a command's words, Enter runs it."""

    def __init__(self, actions: Sequence[QAction], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Find a command")
        self.resize(460, 380)
        self._actions = [action for action in actions if action.text()]
        self._field, self._list = QLineEdit(self), QListWidget(self)
        self._field.setPlaceholderText("What do you want to do?")
        self._field.setAccessibleName("Words of the command")
        self._field.setToolTip("A part of the words; Up and Down choose, Enter runs, Escape closes")
        self._list.setAccessibleName("Commands")
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)  # the field has the keys
        self._list.setItemDelegate(_Keys(self._list))
        self._list.setStyleSheet(
            "QListView::item { padding: 5px 8px; border-radius: 4px; }"
            "QListView::item:selected { background: palette(alternate-base); color: palette(text); }"
        )
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 12, 12, 12)
        layout.addWidget(self._field)
        layout.addWidget(self._list)
        self._field.textChanged.connect(self._filter)
        self._field.returnPressed.connect(self._run)
        self._list.itemActivated.connect(lambda _item: self._run())
        self._field.installEventFilter(self)
        self._filter("")

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Up and Down move in the list while the field keeps the cursor."""
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                self._list.setCurrentRow(max(0, min(self._list.count() - 1, self._list.currentRow() + step)))
                return True
        return super().eventFilter(watched, event)

    def _filter(self, text: str) -> None:
        wanted = folded(text).split()
        self._list.clear()
        for action in self._actions:
            words = folded(action.text())
            if all(word in words for word in wanted):
                keys = action.shortcut().toString()
                item = QListWidgetItem(action.text().rstrip("…"))
                item.setData(Qt.ItemDataRole.UserRole, self._actions.index(action))
                item.setData(_KEYS_ROLE, keys)
                item.setData(Qt.ItemDataRole.AccessibleTextRole, f"{item.text()}, {keys}" if keys else item.text())
                if not action.isEnabled():
                    item.setFlags(Qt.ItemFlag.NoItemFlags)
                self._list.addItem(item)
        self._list.setCurrentRow(0)

    def _run(self) -> None:
        item = self._list.currentItem()
        if item is None or not item.flags() & Qt.ItemFlag.ItemIsEnabled:
            return
        self.accept()
        self._actions[item.data(Qt.ItemDataRole.UserRole)].trigger()


class _Keys(QStyledItemDelegate):
    """A command's keys at the right of its row."""

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """The row as always, and the keys."""
        super().paint(painter, option, index)
        painter.setPen(QColor(look.current().dim))
        place = option.rect.adjusted(0, 0, -12, 0)
        painter.drawText(
            place, int(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter), str(index.data(_KEYS_ROLE) or "")
        )
