"""The preflight's details, one below the other."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QLabel, QPushButton, QVBoxLayout

from georapp.errors import GeorappError
from georapp.gui import look
from georapp.gui.plain import breakable, label, tooltip
from georapp.gui.train.configure.card import Column, empty
from georapp.gui.train.configure.difference_list import DifferenceList
from georapp.gui.train.configure.memory_bar import MemoryBar
from georapp.gui.train.configure.preflight_words import command, gib, hours
from georapp.gui.train.configure.python_row import PythonRow
from georapp.printable import printable
from georapp.run_estimate import total
from georapp.run_preflight import Preflight, Reason


class PreflightList(Column):
    """Shows what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 8, 0)
        self._column.setSpacing(6)
        self._plain_command = ""
        self._complaint, self._reasons = QVBoxLayout(), QVBoxLayout()
        for part in (self._complaint, self._reasons):
            part.setSpacing(2)
            self._column.addLayout(part)
        self._memory_head = self._heading("Memory")
        self.bars = {"sft": MemoryBar("SFT", self), "grpo": MemoryBar("GRPO", self)}
        for bar in self.bars.values():
            self._column.addWidget(bar)
        self._need_head = self._heading("Time and disk")
        self.time, self.disk = label("", ""), label("", "")
        self.time_why = label("", "small")
        for text in (self.time, self.time_why, self.disk):
            self._column.addWidget(text)
        self.differences = DifferenceList(self)
        self._heading("Settings")
        self._column.addWidget(self.differences)
        self._heading("Training Python")
        self.python = PythonRow(self)
        self._column.addWidget(self.python)
        self._lay_out_command()
        self._column.addStretch(1)
        self.show_preflight(Preflight())

    def _heading(self, text: str) -> QLabel:
        made = label(text.upper(), "heading", wrap=False)
        made.setMinimumHeight(26)
        made.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignBottom)
        self._column.addWidget(made)
        return made

    def _lay_out_command(self) -> None:
        self._command_head = self._heading("Command")
        self.command = label("", "mono")
        self.command.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.command.setAccessibleName("The command that starts the run")
        self.copy = QPushButton("Copy the command", self)
        self.copy.setToolTip("For a terminal, here or on another machine")
        self.copy.clicked.connect(lambda: QGuiApplication.clipboard().setText(self._plain_command))
        self._column.addWidget(self.command)
        self._column.addWidget(self.copy, 0, Qt.AlignmentFlag.AlignLeft)

    # ---- reasons ----

    def show_reasons(self, reasons: tuple[Reason, ...]) -> None:
        """What stops the run first, then what is only to be known."""
        empty(self._reasons)
        for reason in sorted(reasons, key=lambda reason: not reason.stops):
            sign, role = ("✕", "bad") if reason.stops else ("▲", "warning")
            self._reasons.addWidget(_sentence(f"{sign} {reason.sentence}", role))
            if reason.hint:
                self._reasons.addWidget(_sentence(reason.hint, "small"))
                self._reasons.addSpacing(6)

    def show_complaint(self, error: GeorappError | None) -> None:
        """Why a start failed; None for a new try."""
        empty(self._complaint)
        if error is not None:
            self._complaint.addWidget(_sentence(f"✕ {error}", "bad"))
            if error.hint:
                self._complaint.addWidget(_sentence(error.hint, "small"))

    # ---- what it needs ----

    def show_preflight(self, found: Preflight) -> None:
        """All of it; parts of which nothing is known are not there."""
        self.show_reasons(found.reasons)
        memory = {"sft": found.memory_sft, "grpo": found.memory_grpo}
        names = list(dict.fromkeys(term.name for terms in memory.values() for term in terms))
        for stage, bar in self.bars.items():
            bar.setVisible(bool(memory[stage]))
            if memory[stage]:
                bar.show_terms(memory[stage], found.room, names)
        self._memory_head.setVisible(any(memory.values()))
        self._show_need(found)
        self._plain_command = command(found.command)
        self.command.setText(breakable(self._plain_command))
        for widget in (self._command_head, self.command, self.copy):
            widget.setVisible(bool(found.command))

    def _show_need(self, found: Preflight) -> None:
        self.time.setText(f"Time: {hours(found.hours)}{'' if found.hours.measured else ', a guess'}" if found.hours else "")
        self.time_why.setText(breakable(printable(found.hours.why)) if found.hours else "")
        free = f", {gib(found.disk_free_gib)} are free" if found.disk_free_gib is not None else ""
        self.disk.setText(f"Disk: {gib(total(found.disk))}{free}" if found.disk else "")
        self.disk.setToolTip(tooltip("\n".join(f"{term.name}: {gib(term.gib)}, {term.about}" for term in found.disk)))
        for text in (self.time, self.time_why, self.disk):
            text.setVisible(bool(text.text()))
        self._need_head.setVisible(bool(found.hours or found.disk))

    def reasons(self) -> list[str]:
        """What is said."""
        items = [self._reasons.itemAt(n) for n in range(self._reasons.count())]
        return [widget.text() for item in items if item and isinstance(widget := item.widget(), QLabel)]


def _sentence(text: str, role: str) -> QLabel:
    made = label(breakable(printable(" ".join(text.split()))), role)
    look.set_role(made, role)
    return made
