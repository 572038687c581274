"""Which Python trains, what it can do, and what it lacks."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from georapp import training_python
from georapp.errors import RunError
from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.configure.card import empty
from georapp.gui.train.elided import Elided
from georapp.printable import printable
from georapp.training_python import TrainingPython

_LOOKING = "Looking for a Python that can train…"


class PythonRow(QWidget):
    """`asked`: another one is to be chosen."""

    asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._commands, self._count = "", 0
        self.choose = QPushButton("Choose…", self)
        look.set_role(self.choose, "quiet")
        self.choose.setAccessibleName("Choose the Python that trains")
        self.choose.setToolTip("Another Python with torch and trl: of a virtual environment, of conda, of the system")
        self.choose.clicked.connect(self.asked)
        self._path = Elided(_LOOKING, "dim", self)
        self._needs, self._goods, self._can = QVBoxLayout(), QVBoxLayout(), QWidget(self)
        for part in (self._needs, self._goods):
            part.setContentsMargins(0, 0, 0, 0)
            part.setSpacing(2)
        self._can.setLayout(self._goods)
        self.fold = self._button("", "What this Python can do")
        self.fold.setCheckable(True)
        look.set_role(self.fold, "line")
        self.fold.toggled.connect(lambda _on: self._fold())
        self.copy = self._button("Copy what to type", "The commands that install what is missing, for a terminal")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._commands))
        self._lay_out()
        self._fold()

    def _button(self, text: str, tip: str) -> QPushButton:
        made = QPushButton(text, self)
        made.setToolTip(tip)
        return made

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.addWidget(self._path, 1, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.choose)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addLayout(self._needs)
        column.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignLeft)
        column.addWidget(self.fold)
        column.addWidget(self._can)

    # ---- what is shown ----

    def show_python(self, python: TrainingPython | RunError | None) -> None:
        """None while it is looked for."""
        empty(self._needs)
        empty(self._goods)
        self._commands, self._count = "", 0
        if python is None:
            self._path.show_text(_LOOKING)
        elif isinstance(python, RunError):
            self._path.show_text("No Python that can train")
            self._say(self._needs, f"✕ {python}", "bad")
            self._say(self._needs, python.hint, "small")
        else:
            self._show_found(python)
        self._fold()

    def _show_found(self, python: TrainingPython) -> None:
        self._path.show_text(str(python.path))
        self._commands = "\n".join(training_python.installation(python))
        for sentence, good in training_python.words(python):
            if good:
                self._count += 1
                self._say(self._goods, f"✓ {sentence}", "small")
            else:
                self._say(self._needs, f"▲ {sentence}", "warning")

    def _fold(self) -> None:
        open_ = self.fold.isChecked()
        self.fold.setText(f"{'▴' if open_ else '▾'} What it can do")
        self.fold.setVisible(self._count > 0)
        self._can.setVisible(open_ and self._count > 0)
        self.copy.setVisible(bool(self._commands))

    def _say(self, place: QVBoxLayout, text: str, role: str) -> None:
        if text:
            place.addWidget(label(breakable(printable(" ".join(text.split()))), role))
