"""What the window shows while the case has no photo: what to do, and a photo to try it with."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look


class EmptyPage(QWidget):
    """Drops go to the window; this only says so."""

    photos_asked = Signal()
    folder_asked = Signal()
    demo_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        column = QVBoxLayout(self)
        column.addStretch()
        for text, role in (
            ("Drop photos or a folder here", "title"),
            ("The program says where they were taken, region by region, and how sure it is.", "dim"),
            ("Nothing leaves this machine. Photos are only read.", "dim"),
        ):
            label = QLabel(text, self)
            label.setAlignment(Qt.AlignmentFlag.AlignCenter)
            label.setWordWrap(True)
            look.set_role(label, role)
            column.addWidget(label)
        column.addSpacing(16)
        row = QHBoxLayout()
        row.addStretch()
        self._buttons = [
            self._button("Locate the &demo photo", self.demo_asked.emit, "accent"),
            self._button("Add &photos…", self.photos_asked.emit, ""),
            self._button("Add a &folder…", self.folder_asked.emit, ""),
        ]
        for button in self._buttons:
            row.addWidget(button)
        row.addStretch()
        column.addLayout(row)
        column.addSpacing(16)
        self._note = QLabel(self)
        self._note.setAlignment(Qt.AlignmentFlag.AlignCenter)
        look.set_role(self._note, "dim")
        column.addWidget(self._note)
        column.addStretch()

    def _button(self, text: str, pressed: object, role: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setAccessibleName(text.replace("&", "").rstrip("…"))
        look.set_role(button, role)
        button.clicked.connect(pressed)
        return button

    def set_note(self, text: str, *, may_add: bool) -> None:
        """What is going on, and whether photos can be added."""
        self._note.setText(text)
        for button in self._buttons:
            button.setEnabled(may_add)
            button.setToolTip("" if may_add else "This case is only read here.")

    def paintEvent(self, event: QPaintEvent) -> None:
        """A dashed frame, the sign for a place to drop things."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(look.current().line), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(self.rect().adjusted(24, 24, -24, -24), 10, 10)
