"""Below the list of photos: the queue's buttons, and what can be done with several selected photos."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from georapp.case import Row, State
from georapp.gui import look
from georapp.selection import accuracy

READ_ONLY = "Somebody else is writing this case; here it is only read."


class ListFoot(QWidget):
    """Buttons for others to connect. One that cannot be used is dimmed and says why."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.pause, self.skip, self.stop = QPushButton("Pause", self), QPushButton("Skip", self), QPushButton("Stop", self)
        self.verdict, self.again = QPushButton("Verdict ▾", self), QPushButton("Locate again", self)
        self._bulk, self._selected = QWidget(self), QLabel(self)
        self._right = QLabel(self)
        self._right.setWordWrap(True)
        for label in (self._selected, self._right):
            look.set_role(label, "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(8)
        layout.addWidget(self._bulk)
        layout.addWidget(self._right)
        _fill(QHBoxLayout(self._bulk), (self._selected, None, self.verdict, self.again))
        buttons = QHBoxLayout()
        _fill(buttons, (self.pause, self.skip, None, self.stop))
        layout.addLayout(buttons)

    def show_for(self, rows: Sequence[Row], *, running: bool, queue_runs: bool, read_only: bool) -> None:
        """`rows`: those selected; `running`: a photo is being located; `queue_runs`: others follow by themselves."""
        self._bulk.setVisible(len(rows) > 1)
        self._selected.setText(f"{len(rows):,} selected")
        right = how_right(rows) if len(rows) > 1 else ""
        self._right.setText(right)
        self._right.setVisible(bool(right))
        self.pause.setText("Pause" if queue_runs else "Resume")
        nothing = "" if rows else "No photo is selected."
        for button, why_not, tip in (
            (
                self.pause,
                "",
                "Finish the photo that is being located, then wait (Ctrl+P)" if queue_runs else "Go on with the queue (Ctrl+P)",
            ),
            (
                self.skip,
                nothing or ("" if skippable(rows) else "Only photos that wait can be skipped."),
                "Skip the selected photos (Space)",
            ),
            (self.stop, "" if running else "No photo is being located.", "Stop locating this photo, and pause (Ctrl+.)"),
            (
                self.again,
                nothing or ("" if repeatable(rows) else "They wait already."),
                "Put the selected photos back into the queue (Ctrl+R)",
            ),
            (self.verdict, nothing, "A verdict on all selected photos; first it says what will change"),
        ):
            _allow(button, READ_ONLY if read_only else why_not, tip)


def how_right(rows: Sequence[Row]) -> str:
    """How many of these photos lie how near to the place in their file; empty where none has one."""
    shares = accuracy(rows)
    n = next(iter(shares.values())).n
    if not n:
        return ""
    near = ", ".join(f"{share.count:g} within {km:,}" for km, share in shares.items())
    return f"Of {n:,} with a place in the file: {near} km."


def skippable(rows: Sequence[Row]) -> list[int]:
    """Numbers of those that can be left out of the queue, also the one that is being located."""
    return [row.number for row in rows if row.state is State.WAITING]


def repeatable(rows: Sequence[Row]) -> list[int]:
    """Numbers of those that can wait once more."""
    return [row.number for row in rows if row.state is not State.WAITING]


def waiting(rows: Sequence[Row], running: int | None) -> list[int]:
    """Numbers of those that can be the next."""
    return [row.number for row in rows if row.state is State.WAITING and row.number != running]


def _allow(button: QPushButton, why_not: str, tip: str) -> None:
    button.setEnabled(not why_not)
    button.setToolTip(why_not or tip)
    button.setAccessibleName(button.text().replace(" ▾", ""))
    button.setAccessibleDescription(why_not or tip)


def _fill(layout: QHBoxLayout, widgets: Sequence[QWidget | None]) -> None:
    """None: the rest of the room."""
    layout.setContentsMargins(0, 0, 0, 0)
    layout.setSpacing(8)
    for widget in widgets:
        if widget is None:
            layout.addStretch(1)
        else:
            layout.addWidget(widget)
