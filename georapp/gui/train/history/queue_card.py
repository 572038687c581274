"""The runs that wait for their turn: in which order, and why one could not be started."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QPushButton, QScrollArea, QToolButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.elided import Elided
from georapp.printable import printable
from georapp.run_queue_file import Complaint

_ROW_PX, _MOST_ROWS = 30, 3
_GOES_ON = "One after the other, also when this window is closed."
_RESTS = "No process sees to them: they begin when you start the queue."


class QueueCard(QFrame):
    """Hidden while nothing waits and nothing is to be said."""

    removed = Signal(object)  # Path
    moved = Signal(object, int)  # Path, to which place
    start_asked, forgiven = Signal(), Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "card")
        self._now: object = None
        self._said, self._words = label("", "warning"), label("", "dim")
        self.start, self.forgive = QPushButton("Start the queue", self), QPushButton("Understood", self)
        self.start.setToolTip("Start these runs one after the other")
        self.forgive.setToolTip("Take this sentence away")
        look.set_role(self.start, "accent")
        self.start.clicked.connect(self.start_asked)
        self.forgive.clicked.connect(self.forgiven)
        self._rows, self._area = QVBoxLayout(), QScrollArea(self)
        self._lay_out()
        self.hide()

    def _lay_out(self) -> None:
        inside = QWidget(self)
        self._rows.setContentsMargins(0, 0, 0, 0)
        self._rows.setSpacing(0)
        inside.setLayout(self._rows)
        self._area.setWidget(inside)
        self._area.setWidgetResizable(True)
        for ground in (inside, self._area.viewport()):
            ground.setAutoFillBackground(False)  # the card's own shows
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._heading = label("WAITING", "heading", wrap=False)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 10, 12, 10)
        column.setSpacing(6)
        for widget in (self._heading, self._said, self._area, self._words):
            column.addWidget(widget)
        for button in (self.forgive, self.start):
            column.addWidget(button, 0, Qt.AlignmentFlag.AlignLeft)

    def show_queue(self, waiting: Sequence[tuple[Path, str]], complaints: Sequence[Complaint], *, working: bool) -> None:
        """Folders and what they are called. `working`: a process sees to the queue."""
        now = (tuple(waiting), tuple(complaints), working)
        if now == self._now:
            return
        self._now = now
        self._fill(waiting)
        last = complaints[-1] if complaints else None
        said = f"{Path(last.folder).name} could not be started: {last.sentence} {last.hint}" if last else ""
        more = f" ({len(complaints) - 1:,} more before it)" if len(complaints) > 1 else ""
        self._said.setText(breakable(printable(said + more)))
        self._said.setVisible(bool(last))
        self.forgive.setVisible(bool(last))
        self._words.setText(_GOES_ON if working else _RESTS)
        look.set_role(self._words, "dim" if working else "warning")
        self.start.setVisible(bool(waiting) and not working)
        for widget in (self._words, self._area):
            widget.setVisible(bool(waiting))
        self._heading.setText(f"WAITING FOR THEIR TURN ({len(waiting)})" if waiting else "QUEUE")
        self.setVisible(bool(waiting or last))

    def _fill(self, waiting: Sequence[tuple[Path, str]]) -> None:
        had_focus = self._area.isAncestorOf(focus) if (focus := self.focusWidget()) else False
        while item := self._rows.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for place, (folder, name) in enumerate(waiting):
            self._rows.addWidget(self._row(place, folder, name, last=place == len(waiting) - 1))
        self._area.setFixedHeight(_ROW_PX * min(_MOST_ROWS, max(1, len(waiting))))
        if had_focus:
            self.setFocus()

    def _row(self, place: int, folder: Path, name: str, *, last: bool) -> QWidget:
        made, text = QWidget(self), Elided(f"{place + 1}.  {name}")
        row = QHBoxLayout(made)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(2)
        row.addWidget(text, 1)
        for sign, words, possible, act in (
            ("↑", "Earlier", place > 0, lambda: self.moved.emit(folder, place - 1)),
            ("↓", "Later", not last, lambda: self.moved.emit(folder, place + 1)),
            ("✕", "Take out of the queue", True, lambda: self.removed.emit(folder)),
        ):
            button = QToolButton(made)
            button.setText(sign)
            button.setToolTip(words)
            button.setAccessibleName(f"{words}: {printable(name)}")
            button.setEnabled(possible)
            look.set_role(button, "flat")
            button.clicked.connect(act)
            row.addWidget(button)
        made.setFixedHeight(_ROW_PX)
        return made
