"""How far the queue is: counts, a thin bar, the time that is left, and what went wrong."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLabel, QProgressBar, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.photos.row_words import counted

_STEPS = 1000  # of the bar


class ListHead(QWidget):
    """Above the list of photos."""

    unreadable_asked = Signal()
    retried = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._text, self._eta, self._bar = QLabel(self), QLabel(self), QProgressBar(self)
        self._unreadable, self._failed = _quiet("Show which files and why"), _quiet("Put all that failed back into the queue")
        self._fill()
        self._arrange()
        self._unreadable.clicked.connect(self.unreadable_asked)
        self._failed.clicked.connect(self.retried)
        self.set_unreadable(0)
        self.set_failed(0)

    def set_progress(self, text: str, share: float, eta: str) -> None:
        """`share` from 0 to 1; `eta` may be empty."""
        self._text.setText(text)
        self._eta.setText(eta)
        self._bar.setValue(round(_STEPS * min(1.0, max(0.0, share))))

    def set_unreadable(self, count: int) -> None:
        """Files that are no photos."""
        self._unreadable.setText(f"{count:,} unreadable ▸")
        self._unreadable.setAccessibleName(f"{counted(count, 'file')} cannot be read: show them")
        self._unreadable.setVisible(count > 0)

    def set_failed(self, count: int) -> None:
        """Photos that a model could not locate."""
        self._failed.setText(f"{count:,} failed, retry ▸")
        self._failed.setAccessibleName(f"{counted(count, 'photo')} failed: retry")
        self._failed.setVisible(count > 0)

    def set_retry(self, why_not: str) -> None:
        """Whether those that failed can be retried; empty where they can."""
        self._failed.setEnabled(not why_not)
        self._failed.setToolTip(why_not or "Put all that failed back into the queue")

    def _fill(self) -> None:
        self._bar.setRange(0, _STEPS)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the queue")
        look.set_role(self._eta, "dim")
        for label in (self._text, self._eta):
            label.setTextFormat(Qt.TextFormat.PlainText)
        font = self._text.font()
        font.setBold(True)
        self._text.setFont(font)

    def _arrange(self) -> None:
        line, troubles = QHBoxLayout(), QHBoxLayout()
        line.addWidget(self._text, 1)
        line.addWidget(self._eta)
        troubles.setContentsMargins(4, 0, 4, 0)
        troubles.setSpacing(0)
        troubles.addWidget(self._unreadable)
        troubles.addWidget(self._failed)
        troubles.addStretch(1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 12, 0, 0)
        layout.setSpacing(8)
        inset = QVBoxLayout()
        inset.setContentsMargins(12, 0, 12, 0)
        inset.setSpacing(8)
        inset.addLayout(line)
        inset.addWidget(self._bar)
        layout.addLayout(inset)
        layout.addLayout(troubles)


def _quiet(tip: str) -> QPushButton:
    button = QPushButton()
    look.set_role(button, "quiet")
    button.setToolTip(tip)
    return button
