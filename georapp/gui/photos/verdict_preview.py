"""What a verdict on several photos would change, said before anything is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QVBoxLayout, QWidget

from georapp.case import Row, Ruling
from georapp.gui import look
from georapp.gui.photos.row_words import RULING_WORDS, answered, counted

_VERBS = {
    Ruling.ACCEPTED: "Accept",
    Ruling.REJECTED: "Reject",
    Ruling.UNSURE: "Mark as unsure",
    Ruling.NONE: "Take back the verdict of",
}
BULK = tuple(_VERBS)  # a correction needs a place of its own for each photo


@dataclass(frozen=True, slots=True)
class Plan:
    """A verdict on photos. `changes` are the numbers of those that get it; the sentences say why the others do not."""

    title: str
    changes: tuple[int, ...]
    sentences: tuple[str, ...]


def plan(rows: Sequence[Row], ruling: Ruling) -> Plan:
    """Who has no answer can be neither accepted nor rejected; who has the verdict already keeps it."""
    same = [row for row in rows if row.ruling is ruling]
    silent = [
        row for row in rows if row.ruling is not ruling and ruling in (Ruling.ACCEPTED, Ruling.REJECTED) and not answered(row)
    ]
    left_out = {row.number for row in (*same, *silent)}
    changes = [row for row in rows if row.number not in left_out]
    sentences = [f"{counted(len(changes), 'photo')} will be changed."]
    if before := Counter(row.ruling for row in changes if row.ruling is not Ruling.NONE):
        words = ", ".join(f"{n:,} {RULING_WORDS[old][1]}" for old, n in before.items())
        sentences.append(f"Of these, {before.total():,} had a verdict until now: {words}. It stays in the history.")
    if same:
        sentences.append(f"{counted(len(same), 'photo')} left as before: {RULING_WORDS[ruling][1]} already.")
    if silent:
        sentences.append(f"{counted(len(silent), 'photo')} left out: no model has answered yet.")
    return Plan(f"{_VERBS[ruling]} {counted(len(changes), 'photo')}", tuple(row.number for row in changes), tuple(sentences))


class VerdictPreview(QDialog):
    """Shows a plan; accepted when the person agrees."""

    def __init__(self, planned: Plan, *, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle(planned.title)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 20, 20, 16)
        layout.setSpacing(10)
        for i, text in enumerate((f"{planned.title}?", *planned.sentences)):
            label = QLabel(text, self)
            label.setTextFormat(Qt.TextFormat.PlainText)
            label.setWordWrap(True)
            label.setMinimumWidth(360)
            look.set_role(label, "" if i else "title")
            layout.addWidget(label)
        self._add_buttons(planned, layout)

    def _add_buttons(self, planned: Plan, layout: QVBoxLayout) -> None:
        buttons = QDialogButtonBox(self)
        do = buttons.addButton(planned.title, QDialogButtonBox.ButtonRole.AcceptRole)
        look.set_role(do, "accent")
        do.setEnabled(bool(planned.changes))
        do.setDefault(True)
        buttons.addButton("Cancel", QDialogButtonBox.ButtonRole.RejectRole)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        layout.addSpacing(6)
        layout.addWidget(buttons)
