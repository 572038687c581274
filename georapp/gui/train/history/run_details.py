"""One run of the history: what it is called, how it stands, its figures and facts, and what can be done with it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QPushButton, QScrollArea, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.history import history_words
from georapp.gui.train.history.note_field import NoteField
from georapp.gui.train.history.text_grid import Cell, TextGrid
from georapp.gui.train.run_words import SIGNS
from georapp.printable import printable
from georapp.run_summary import Summary

_BUTTONS = (  # key, text, tip
    ("open", "Show run", "Its charts, answers and log, as Current run shows them (Enter)"),
    ("use", "Use this model", "Locate photos with the model that this run has made"),
    ("resume", "Resume", "Start its process again: it goes on from its last checkpoint"),
    ("queue", "Add to queue", "Start it, or go on with it, when the runs before it have ended"),
    ("duplicate", "Duplicate as new", "A new run that begins with these settings, under Configure"),
    ("csv", "Export CSV…", "All steps and measurements as a table"),
    ("folder", "Open folder", "Show the run's files: settings, messages, checkpoints, model"),
    ("delete", "Delete…", "Move the run with its checkpoints and its model to the trash"),
)
_COLUMNS = 4
_NOT_NOW = {
    "use": "This run has no model.",
    "resume": "A run that is going on or has finished cannot be resumed.",
    "queue": "It waits already, is going on, or has finished.",
    "duplicate": "Its run.toml cannot be read.",
    "csv": "It has not said anything yet.",
    "delete": "It is going on. Stop it first.",
}


class RunDetails(QWidget):
    """`asked`: the key of a button, and the run's Summary."""

    asked = Signal(str, object)
    noted = Signal(object, object)  # Path, Notes

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summary: Summary | None = None
        self._waits = False
        self.field = NoteField(self)
        self.field.changed.connect(self.noted)
        self._state = label("", "chip", wrap=False)
        self._sign, self._sentence, self._hint = label("", "", wrap=False), label("", ""), label("", "dim")
        self.buttons = {key: self._button(key, text, tip) for key, text, tip in _BUTTONS}
        look.set_role(self.buttons["delete"], "danger")
        self._figures, self._facts = TextGrid(0, self), TextGrid(1, self)
        self._figures_note, self._no_figures = label(history_words.FIGURES_NOTE, "dim"), label("", "dim")
        self._lay_out()

    def _button(self, key: str, text: str, tip: str) -> QPushButton:
        made = QPushButton(text, self)
        made.setObjectName(f"history {key}")
        made.setToolTip(tip)
        made.clicked.connect(lambda: self.asked.emit(key, self.summary))
        return made

    def _lay_out(self) -> None:
        inside, area, outer = QWidget(self), QScrollArea(self), QVBoxLayout(self)
        area.setWidgetResizable(True)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        area.setWidget(inside)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 8, 0)
        column.setSpacing(12)
        column.addLayout(self._head())
        column.addWidget(self._make_banner())
        column.addLayout(self._grid_of_buttons())
        column.addWidget(self._card("FIGURES ON HELD-OUT PHOTOS", self._figures, self._no_figures, self._figures_note))
        column.addWidget(self._card("FACTS", self._facts))
        column.addStretch(1)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(12)
        row.addWidget(self.field, 1)
        row.addWidget(self._state, 0, Qt.AlignmentFlag.AlignTop)
        return row

    def _make_banner(self) -> QFrame:
        self._banner = QFrame(self)
        look.set_role(self._banner, "card")
        words, row = QVBoxLayout(), QHBoxLayout(self._banner)
        words.setSpacing(2)
        words.addWidget(self._sentence)
        words.addWidget(self._hint)
        row.setContentsMargins(14, 10, 14, 10)
        row.setSpacing(12)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        return self._banner

    def _grid_of_buttons(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setSpacing(8)
        for n, button in enumerate(self.buttons.values()):
            grid.addWidget(button, n // _COLUMNS, n % _COLUMNS)
        return grid

    def _card(self, title: str, *parts: QWidget) -> QFrame:
        card, column = QFrame(self), QVBoxLayout()
        look.set_role(card, "chart")
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(8)
        column.addWidget(label(title, "heading", wrap=False))
        for part in parts:
            column.addWidget(part)
        card.setLayout(column)
        return card

    # ---- what is shown ----

    def show_run(self, summary: Summary, *, waits: bool) -> None:
        """Anything new of it. `waits`: it stands in the queue."""
        fresh = self.summary is None or self.summary.folder != summary.folder
        if not fresh and summary == self.summary and waits == self._waits:
            return
        self.field.show_notes(summary.folder, summary.notes)
        self.summary, self._waits = summary, waits
        word, self._tone = history_words.state(summary)
        self._state.setText(f"{word}, waits" if waits else word)
        look.tint(self._state, self._tone)
        self._say()
        self._show_buttons()
        self._show_figures()
        self._show_facts()

    def _say(self) -> None:
        assert self.summary
        sentence, hint, tone = history_words.said(self.summary)
        self._sign.setText(SIGNS.get(tone, ""))
        for text in (self._sign, self._sentence):
            look.set_role(text, tone if tone != "dim" else "")
        self._sentence.setText(breakable(printable(" ".join(sentence.split()))[:1000]))
        self._hint.setText(breakable(printable(" ".join(hint.split()))[:1000]))
        self._hint.setVisible(bool(hint))
        self._banner.setVisible(bool(sentence))
        self._banner.setAccessibleName(printable(f"{sentence} {hint}"))

    def _show_buttons(self) -> None:
        summary = self.summary
        assert summary
        can = history_words.resumable(summary)
        possible = {
            "use": summary.model is not None,
            "resume": can,
            "queue": can and not self._waits,
            "duplicate": summary.config is not None,
            "csv": summary.starts > 0,
            "delete": not summary.run.state.alive,
        }
        self.buttons["resume"].setText("Resume" if summary.starts else "Start")
        for key, text, tip in _BUTTONS:
            there = possible.get(key, True)
            self.buttons[key].setEnabled(there)
            self.buttons[key].setToolTip(tip if there else _NOT_NOW[key])
            self.buttons[key].setAccessibleName(text)
        look.set_role(self.buttons["use"], "accent" if summary.model and not summary.worse else "")

    def _show_figures(self) -> None:
        assert self.summary
        lines = history_words.figure_lines(self.summary)
        head = [Cell(""), *(Cell(name, "dim", right=True) for name in history_words.FIGURE_NAMES)]
        rows = [_figure_row(line, "strong" if n == 0 else "" if line.own else "dim") for n, line in enumerate(lines)]
        self._figures.show_rows([head, *rows] if lines else [])
        self._figures_note.setVisible(bool(lines))
        self._no_figures.setVisible(not lines)
        self._no_figures.setText(
            "Nothing was measured on held-out photos yet." if self.summary.read else "Reading what the run has written…"
        )

    def _show_facts(self) -> None:
        assert self.summary
        self._facts.show_rows([[Cell(name, "dim"), Cell(words, wrap=True)] for name, words in history_words.facts(self.summary)])

    def forget(self, folder: Path) -> None:
        """It is being deleted."""
        if self.summary and self.summary.folder == folder:
            self.field.forget()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_tone"):
            look.tint(self._state, self._tone)


def _figure_row(line: history_words.Line, role: str) -> list[Cell]:
    figures = role if role != "strong" else ""
    return [Cell(line.name, role, wrap=True), *(Cell(cell.replace(" (", "\n("), figures, right=True) for cell in line.cells)]
