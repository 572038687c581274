"""Title and note of a run, which are kept by themselves: a moment after the last letter, and when something else is looked at."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from georapp.printable import printable
from georapp.run_notes import LONGEST_TITLE, Notes

_LATER_MS = 800


class NoteField(QWidget):
    """`changed`: what is to be kept, of which run."""

    changed = Signal(object, object)  # Path, Notes

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._folder: Path | None = None
        self._kept = Notes()
        self.title, self.note = QLineEdit(self), QPlainTextEdit(self)
        self.title.setMaxLength(LONGEST_TITLE)
        self.title.setAccessibleName("Title of the run")
        self.title.setToolTip("What this run is called in the history (F2). Its folder keeps its name.")
        self.note.setAccessibleName("Note on the run")
        self.note.setPlaceholderText("A note: what you tried, and why")
        self.note.setTabChangesFocus(True)
        self.note.setFixedHeight(68)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_LATER_MS)
        self._timer.timeout.connect(self.keep)
        self.title.textEdited.connect(lambda _: self._timer.start())
        self.title.editingFinished.connect(self.keep)
        self.note.textChanged.connect(self._timer.start)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.title)
        column.addWidget(self.note)

    def show_notes(self, folder: Path, notes: Notes) -> None:
        """Of a run. What is being written in this one is not replaced by what was kept a moment ago."""
        if folder == self._folder and (self._timer.isActive() or notes == self._kept):
            return
        self.keep()
        self._folder, self._kept = folder, notes
        self.title.setPlaceholderText(printable(folder.name))
        if self.title.text() != notes.title:
            self.title.setText(notes.title)
        if self._written().note != notes.note:
            self.note.setPlainText(notes.note)
        self._timer.stop()

    def keep(self) -> None:
        """Now, if there is something new."""
        self._timer.stop()
        if self._folder is not None and self._written() != self._kept:
            self._kept = self._written()
            self.changed.emit(self._folder, self._kept)

    def forget(self) -> None:
        """Its run was deleted: nothing is kept."""
        self._timer.stop()
        self._folder = None

    def _written(self) -> Notes:
        return Notes(" ".join(self.title.text().split()), self.note.toPlainText().strip())

    def hideEvent(self, event: QHideEvent) -> None:
        """Something else is looked at."""
        super().hideEvent(event)
        self.keep()
