"""What the history says before there is a run: what it is for, and how to get there."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label
from georapp.gui.train.history import history_words

_WIDTH_PX = 560


class NoRuns(QWidget):
    """`configure_asked`: a first run is to be made."""

    configure_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        words = label(history_words.EMPTY_WORDS, "dim")
        words.setFixedWidth(_WIDTH_PX)
        words.setAlignment(Qt.AlignmentFlag.AlignHCenter | Qt.AlignmentFlag.AlignTop)
        self.configure = QPushButton("Configure a first run", self)
        self.configure.setToolTip("Choose a model, an album and settings")
        self.configure.clicked.connect(self.configure_asked)
        look.set_role(self.configure, "accent")
        column = QVBoxLayout(self)
        column.setSpacing(16)
        column.addStretch(2)
        column.addWidget(label(history_words.EMPTY, "welcome", wrap=False), 0, Qt.AlignmentFlag.AlignHCenter)
        middle = QHBoxLayout()  # an alignment would cut the text off: it knows no height for a width
        middle.addStretch(1)
        middle.addWidget(words)
        middle.addStretch(1)
        column.addLayout(middle)
        column.addWidget(self.configure, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addStretch(3)
