"""The last lines of a run's log.txt: what its libraries print, and where a mistake of the program is described."""

from __future__ import annotations

from PySide6.QtGui import QFontDatabase
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPlainTextEdit, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label
from georapp.printable import printable

_EMPTY = "Nothing was written to log.txt. That is how it should be: all that matters is in the charts and lights."


class LogDrawer(QFrame):
    """Read only; follows the end unless somebody scrolled up."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "chart")
        self._text = QPlainTextEdit(self)
        self._text.setReadOnly(True)
        self._text.setAccessibleName("Log of the run")
        self._text.setPlaceholderText(_EMPTY)
        self._text.setFont(QFontDatabase.systemFont(QFontDatabase.SystemFont.FixedFont))
        self._text.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.close_button = QPushButton("Hide log", self)
        look.set_role(self.close_button, "quiet")
        self.close_button.clicked.connect(self.hide)
        title = QLabel("LOG.TXT, LAST LINES", self)
        look.set_role(title, "heading")
        head = QHBoxLayout()
        head.addWidget(title)
        head.addWidget(label("", "dim", wrap=False), 1)
        head.addWidget(self.close_button)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 6, 12, 8)
        column.addLayout(head)
        column.addWidget(self._text)
        self._shown = ""

    def show_log(self, text: str) -> None:
        """As it stands now."""
        if text == self._shown:
            return
        self._shown = text
        bar = self._text.verticalScrollBar()
        at_end = bar.value() >= bar.maximum()
        self._text.setPlainText("\n".join(printable(line.replace("\t", "    ")) for line in text.splitlines()))
        if at_end:
            bar.setValue(bar.maximum())

    def text(self) -> str:
        """What is shown."""
        return self._text.toPlainText()
