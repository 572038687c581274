"""The answers of a step: choice of the step, photo, table, and rays on a map."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.train import figures
from georapp.gui.train.run.answers_table import AnswerRow, AnswersTable, row_of
from georapp.gui.train.run.photo_card import PhotoCard
from georapp.gui.train.run.rays import Rays
from georapp.gui.train.run.step_choice import StepChoice
from georapp.run_events import Sample
from georapp.run_reader import Answers, answers_at


class Completions(QWidget):
    """Reads a group of answers from the run's file when it is wanted."""

    group_shown = Signal(object, object)  # Coordinate or None: the truth; list of Coordinate: where the answers point
    answer_chosen = Signal(object, object)  # the same truth, and the one answer's Coordinate or None

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.steps, self.card, self.table, self.rays = StepChoice(self), PhotoCard(self), AnswersTable(self), Rays(self)
        self._folder = Path()
        self._places: Sequence[Answers] = ()
        self._wanted: Answers | None = None
        self._truth: Coordinate | None = None
        self._lay_out()
        self.steps.chosen.connect(self._ask)
        self.table.chosen.connect(self._choose)

    def _lay_out(self) -> None:
        row = QSplitter(Qt.Orientation.Horizontal, self)
        row.setChildrenCollapsible(False)
        row.setHandleWidth(12)
        row.setStyleSheet("QSplitter::handle { background: transparent; }")
        frame = QFrame(self)
        look.set_role(frame, "chart")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(6, 2, 2, 4)
        inside.addWidget(self.table)
        parts: tuple[tuple[QWidget, int], ...] = ((self.card, 18), (frame, 56), (self.rays, 26))
        for widget, share in parts:
            widget.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Ignored)
            row.addWidget(widget)
            row.setStretchFactor(row.count() - 1, share)
        row.setSizes([share * 100 for _, share in parts])
        head = QHBoxLayout()
        head.addWidget(self.steps)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 2, 0, 0)
        column.setSpacing(8)
        column.addLayout(head)
        column.addWidget(row, 1)
        self.setMinimumHeight(200)

    def show_places(self, folder: Path, places: Sequence[Answers]) -> None:
        """Where the answers of a stage stand."""
        if folder != self._folder:
            self._wanted = None
        self._folder, self._places = folder, places
        self.steps.show_steps([place.step for place in places])

    def _ask(self, number: int) -> None:
        place = self._places[number]
        if place == self._wanted:
            return
        self._wanted = place
        run(functools.partial(_read, self._folder, place), functools.partial(self._show, place), parent=self)

    def _show(self, place: Answers, rows: Sequence[AnswerRow]) -> None:
        if place != self._wanted:  # another step was chosen meanwhile
            return
        if not rows:
            self.steps.say("These answers cannot be read any more.")
            self._wanted = None
            return
        samples = [row.sample for row in rows]
        self._truth = _place(samples[0].true_lat, samples[0].true_lon)
        points = [_place(sample.lat, sample.lon) for sample in samples]
        self.steps.say("")
        self.card.show_photo(samples[0].photo, _facts(samples, self._truth))
        self.table.show_rows(rows)
        self.rays.show_group(self._truth, points)
        self.group_shown.emit(self._truth, [point for point in points if point])

    def _choose(self, number: int) -> None:
        row = self.table.rows[number] if 0 <= number < len(self.table.rows) else None
        self.card.show_answer(row.sample.text if row else "")
        self.rays.choose(number)
        if row:
            self.answer_chosen.emit(self._truth, _place(row.sample.lat, row.sample.lon))


def _read(folder: Path, place: Answers) -> list[AnswerRow]:
    return [row_of(sample) for sample in answers_at(folder, place)]


def _place(lat: float | None, lon: float | None) -> Coordinate | None:
    """None for what is no place; a file from elsewhere may hold anything."""
    try:
        return None if lat is None or lon is None else Coordinate(lat, lon)
    except ValueError:
        return None


def _facts(samples: Sequence[Sample], truth: Coordinate | None) -> str:
    rewards = [sample.reward for sample in samples if sample.reward is not None]
    lines = [f"taken at {truth.lat:.3f}, {truth.lon:.3f}".replace("-", "−") if truth else "its place is not known"]
    lines.append(f"step {samples[0].step:,}, group of {len(samples)}")
    if rewards:
        mean = figures.number(sum(rewards) / len(rewards))
        lines.append(f"rewards {figures.number(min(rewards))} to {figures.number(max(rewards))}, mean {mean}")
    return "\n".join(lines)
