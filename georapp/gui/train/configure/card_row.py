"""The cards of the page in a row: what is done, what is missing; a click goes there."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QWidget

from georapp.gui import look
from georapp.gui.plain import shown

_LONGEST = 36
_MEANS = {"✓": "well", "✕": "not yet", "▲": "look at it", "…": "being looked at"}


class CardRow(QWidget):
    """`chosen`: the number of a card."""

    chosen = Signal(int)

    def __init__(self, words: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._words = list(words)
        self._signs, self._facts = ["…"] * len(words), [""] * len(words)
        self.buttons = [self._button(n) for n in range(len(words))]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        for button in self.buttons:
            row.addWidget(button)
        row.addStretch(1)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._show()

    def _button(self, n: int) -> QPushButton:
        made = QPushButton(self)
        look.set_role(made, "quiet")
        made.setToolTip(f"Go to {self._words[n]} (Alt+{n + 1})")
        made.clicked.connect(lambda: self.chosen.emit(n))
        return made

    def say(self, n: int, sign: str, fact: str) -> None:
        """✓ well, ✕ not yet, ▲ look at it, … being looked at; and a few words."""
        if (self._signs[n], self._facts[n]) != (sign, fact):
            self._signs[n], self._facts[n] = sign, fact
            self._show()

    def _show(self) -> None:
        room = self.width() - 2 * len(self.buttons)
        for whole in (True, False):
            for n, button in enumerate(self.buttons):
                fact = f"   {shown(self._facts[n], longest=_LONGEST)}" if whole and self._facts[n] else ""
                button.setText(f"{self._signs[n]} {self._words[n]}{fact}".replace("&", "&&"))  # a single one would be a key
                means = _MEANS.get(self._signs[n], "")
                button.setAccessibleName(f"{self._words[n]}: {means}. {self._facts[n]}".strip())
            if sum(button.sizeHint().width() for button in self.buttons) <= room:
                break

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Words more or less."""
        super().resizeEvent(event)
        self._show()

    def sizeHint(self) -> QSize:
        """One line; any width."""
        return QSize(200, self.buttons[0].sizeHint().height())
