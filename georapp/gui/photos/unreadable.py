"""Files that were added and are no photos: which, why, and what can be done."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import (
    QAbstractItemView,
    QDialog,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QPlainTextEdit,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from georapp.gui import look
from georapp.gui.photos.row_words import counted
from georapp.printable import printable

Entry = tuple[Path, str, str]  # path, reason, hint
_ENTRY = Qt.ItemDataRole.UserRole


class UnreadableDialog(QDialog):
    """The list above, the whole sentences of what is selected below. `tried_again` names the selected files, or all."""

    tried_again = Signal(list)

    def __init__(self, files: Sequence[Entry] = (), *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Files that cannot be read")
        self._title, self._list, self._text = QLabel(self), QTreeWidget(self), QPlainTextEdit(self)
        self._copy, self._again, self._close = (
            QPushButton("Copy", self),
            QPushButton("Try again", self),
            QPushButton("Close", self),
        )
        self._fill()
        self._arrange()
        self._list.itemSelectionChanged.connect(self._show)
        self._copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(as_text(self.chosen())))
        self._again.clicked.connect(lambda: self.tried_again.emit([path for path, _, _ in self.chosen()]))
        self._close.clicked.connect(self.reject)
        self.set_files(files)

    def set_files(self, files: Sequence[Entry]) -> None:
        """Show these."""
        self._list.clear()
        items = []
        for entry in files:
            path, reason, _ = entry
            item = QTreeWidgetItem(
                [printable(path.name) or printable(str(path)), printable(reason).replace(printable(str(path)), "It")]
            )
            item.setData(0, _ENTRY, entry)
            items.append(item)
        self._list.addTopLevelItems(items)
        self._title.setText(f"{counted(len(files), 'file')} cannot be read")
        for button in (self._copy, self._again):
            button.setEnabled(bool(files))
        self._show()

    def chosen(self) -> list[Entry]:
        """The selected files, or all if none is selected."""
        all_items = (self._list.topLevelItem(i) for i in range(self._list.topLevelItemCount()))
        items = self._list.selectedItems() or [item for item in all_items if item is not None]
        return [item.data(0, _ENTRY) for item in items]

    def _fill(self) -> None:
        look.set_role(self._title, "title")
        self._title.setTextFormat(Qt.TextFormat.PlainText)
        self._list.setHeaderLabels(["File", "Why"])
        self._list.setRootIsDecorated(False)
        self._list.setUniformRowHeights(True)
        self._list.setAccessibleName("Files that cannot be read")
        self._list.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self._list.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self._list.header().setSectionResizeMode(0, QHeaderView.ResizeMode.Interactive)
        self._list.header().resizeSection(0, 240)
        self._list.setStyleSheet("QTreeView::item { padding: 4px 6px; }")
        self._text.setReadOnly(True)
        self._text.setAccessibleName("The whole text of what is selected")
        self._copy.setToolTip("Copy paths, reasons and hints of the selected files, or of all")
        self._again.setToolTip("Read the selected files once more, or all")
        self._close.setToolTip("Close (Esc)")

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(12)
        layout.addWidget(self._title)
        layout.addWidget(self._list, 3)
        layout.addWidget(self._text, 1)
        foot = QHBoxLayout()
        foot.setSpacing(8)
        foot.addWidget(self._copy)
        foot.addStretch(1)
        foot.addWidget(self._again)
        foot.addWidget(self._close)
        layout.addLayout(foot)
        self.resize(720, 480)

    def _show(self) -> None:
        chosen = self.chosen() if self._list.selectedItems() else self.chosen()[:1]
        self._text.setPlainText(as_text(chosen))


def as_text(files: Sequence[Entry]) -> str:
    """For reading and for the clipboard: paths as they are shown, reasons and hints."""
    return "\n\n".join("\n".join(printable(part) for part in _parts(*entry) if part) for entry in files)


def _parts(path: Path, reason: str, hint: str) -> tuple[str, str, str]:
    """Most reasons name the path already."""
    return ("" if printable(str(path)) in printable(reason) else str(path)), reason, hint
