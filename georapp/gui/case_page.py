"""The page about the case itself: what is in it, how right the answers are, and whether file and originals are whole."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFormLayout, QFrame, QHBoxLayout, QLabel, QPushButton, QScrollArea, QVBoxLayout, QWidget

from georapp.case import Case, Row, Ruling, State
from georapp.evaluate import THRESHOLDS_KM
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.session import Session
from georapp.printable import printable
from georapp.selection import accuracy

_WIDEST_PX = 860  # longer lines are hard to read
_SLOW = "They are still being read: many photos take their time, or a disk or network does not answer. The window goes on."
_LABEL_PX = 112  # of every card, so that their texts stand below each other


class CasePage(QWidget):
    """Refreshed when it is shown."""

    copy_asked = Signal()
    unreadable_asked = Signal()

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._facts, self._right, self._whole = _Card("Case"), _Card("Photos with a known place"), _Card("Originals and file")
        self._check = QPushButton("Check file and originals", self)
        self._check.setToolTip("Read the case file and every original once, and compare them with what was added")
        self._check.clicked.connect(self._begin_check)
        copy = QPushButton("Save a copy…", self)
        copy.setToolTip("The whole case in another file (Ctrl+Shift+S)")
        copy.clicked.connect(self.copy_asked)
        unreadable = QPushButton("Unreadable files…", self)
        unreadable.setToolTip("Which files were no photos, and why")
        unreadable.clicked.connect(self.unreadable_asked)
        buttons = QHBoxLayout()
        for button in (self._check, copy, unreadable):
            button.setAccessibleName(button.text().rstrip("…"))
            buttons.addWidget(button)
        buttons.addStretch()
        inside = QWidget(self)
        inside.setMaximumWidth(_WIDEST_PX)
        column = QVBoxLayout(inside)
        column.setContentsMargins(24, 24, 24, 24)
        column.setSpacing(16)
        for card in (self._facts, self._right, self._whole):
            column.addWidget(card)
        column.addLayout(buttons)
        column.addStretch()
        area = QScrollArea(self)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setWidget(inside)
        area.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(area)

    @property
    def first(self) -> QWidget:
        """Where the keys go when the page comes up."""
        return self._check

    def refresh(self) -> None:
        """Show what is in the case now."""
        case, rows = self._session.case, list(self._session.rows.values())
        if not case:
            return
        states = ", ".join(f"{self._session.count(state):,} {state.value}" for state in State)
        rulings = ", ".join(f"{sum(row.ruling is r for row in rows):,} {r.value}" for r in Ruling if r is not Ruling.NONE)
        self._facts.show_lines(
            [
                ("File", printable(str(case.path))),
                ("Written by", "this window" if case.writable else printable(case.holder)),
                ("Photos", f"{len(rows):,}: {states}"),
                ("Verdicts", rulings),
                ("Unreadable files", f"{len(self._session.unreadable()):,}"),
            ]
        )
        self._right.show_lines(_accuracy_lines(rows))
        self._whole.show_lines([("", "Not checked since this page was opened.")])

    def _begin_check(self) -> None:
        case = self._session.case
        if not case:
            return
        self._check.setEnabled(False)
        self._whole.show_lines([("", "The case file and the originals are being read…")])
        photos = [(row.path, row.sha256) for row in self._session.rows.values()]

        def say_silent() -> None:
            if case is self._session.case:
                self._whole.show_lines([("", _SLOW)])

        def check() -> tuple[list[str], list[tuple[Path, str]]]:
            return case.problems(), _changed(photos)

        def show(found: tuple[list[str], list[tuple[Path, str]]]) -> None:
            problems, changed = found
            self._show_check(case, problems, changed, len(photos))

        run(check, show, parent=self, silent=say_silent)

    def _show_check(self, case: Case, problems: Sequence[str], changed: Sequence[tuple[Path, str]], n: int) -> None:
        self._check.setEnabled(True)
        if case is not self._session.case:  # another one was opened meanwhile
            return
        file = "✓ whole" if not problems else f"✕ {'; '.join(problems[:3])}. Save what can be read: Case, Repair a damaged case."
        sign = "✕" if changed else "✓"
        lines = [("Case file", file), ("Originals", f"{sign} {n - len(changed):,} of {n:,} unchanged since they were added")]
        lines += [("", f"✕ {printable(str(path))}: {why}") for path, why in changed[:20]]
        if len(changed) > 20:
            lines.append(("", f"and {len(changed) - 20:,} more"))
        self._whole.show_lines(lines)


def _changed(photos: Sequence[tuple[Path, str]]) -> list[tuple[Path, str]]:
    """Those whose bytes are others now, or that are gone, and which of both."""
    found = []
    for path, sha256 in photos:
        try:
            with path.open("rb") as file:
                same = hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except OSError as error:
            found.append((path, (error.strerror or str(error)).lower()))
            continue
        if not same:
            found.append((path, "changed since it was added"))
    return found


def _accuracy_lines(rows: Sequence[Row]) -> list[tuple[str, str]]:
    known = sum(row.known is not None for row in rows)
    if not known:
        return [("", "No photo of this case holds a place (GPS), so nothing can be said about how right the answers are.")]
    shares = accuracy(rows)
    lines = [("Photos", f"{known:,}; those without an answer count as misses. In brackets: the 95 % interval.")]
    for km in THRESHOLDS_KM:
        value, (low, high) = shares[km].value, shares[km].interval
        interval = f"({100 * low:.0f}–{100 * high:.0f} %)"
        lines.append((f"Within {km:,} km", f"{100 * value:.0f} % {interval}, {shares[km].count:g} of {shares[km].n:,}"))
    return lines


class _Card(QFrame):
    """A heading and lines of label and text."""

    def __init__(self, heading: str) -> None:
        super().__init__()
        look.set_role(self, "card")
        self._form = QFormLayout()
        self._form.setLabelAlignment(Qt.AlignmentFlag.AlignLeft)
        self._form.setHorizontalSpacing(24)
        title = QLabel(heading.upper(), self)
        look.set_role(title, "heading")
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.addWidget(title)
        column.addLayout(self._form)

    def show_lines(self, lines: Sequence[tuple[str, str]]) -> None:
        """(label, text) each."""
        while self._form.rowCount():
            self._form.removeRow(0)
        for label, text in lines:
            name, value = QLabel(label, self), QLabel(text, self)
            value.setTextFormat(Qt.TextFormat.PlainText)
            value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            value.setWordWrap(True)
            look.set_role(name, "dim")
            name.setMinimumWidth(_LABEL_PX)
            if label:
                self._form.addRow(name, value)
            else:
                self._form.addRow(value)
