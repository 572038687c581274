"""The queue of the open case: files become photos of it, one after the other is asked about, and its answer is put into the case.

Nothing is shown as a result before it is in the case. Reading files and asking the model happen on threads of their own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp import events, intake, models, settings
from georapp.case import Case, Row, State
from georapp.errors import CaseError, CaseSilent
from georapp.gui.adding import Adding
from georapp.gui.asking import Asking
from georapp.gui.open_case import OpenCase


class PhotoQueue(OpenCase):
    """`running`: nobody paused it."""

    order_changed = Signal()
    unreadable_changed = Signal()
    progressed = Signal()  # counts, state of the queue, estimate
    began = Signal(int, int)  # number of the photo, samples
    heard = Signal(int, object)  # number of the photo, events.Event
    answered = Signal(int)  # its answer or failure is in the case
    model_changed = Signal(str, bool)  # words about the model, whether it can be asked

    def __init__(self, chosen: settings.Settings, parent: QObject | None = None, *, patience_s: float | None = None) -> None:
        super().__init__(parent)
        self.settings = chosen
        self.running = True
        self._resumes = False  # when a silent case answers again
        self._saving: int | None = None  # whose answer is being put into the case
        self._for_later: list[Path] = []  # files that came while a case was being opened
        self._adding, self._asking = Adding(self), Asking(self, patience_s=patience_s)
        self._adding.found.connect(self._take)
        self._adding.busy.connect(lambda _busy: self.progressed.emit())
        self._asking.heard.connect(self.heard)
        self._asking.answered.connect(self._answered)
        self._asking.stopped.connect(self._worked_on)
        self._asking.model_changed.connect(self.model_changed)
        self._asking.model_changed.connect(lambda _words, _ready: self._go_on())
        self._asking.said.connect(self.said)
        self.opening_ended.connect(self._add_for_later)
        self.answers_again.connect(self._go_on_again)
        self.rows_read.connect(self._go_on)

    def close(self) -> None:
        """Let go of the case; the photo that is being worked on goes on waiting in it."""
        self._asking.forget()
        self._adding.forget()
        self._saving = None
        super().close()

    def end(self) -> bool:
        """Close everything; whether all threads are gone. May be called twice."""
        self.running = False
        self._for_later.clear()
        gone = super().end(), self._adding.end(), self._asking.end()
        return all(gone)

    # ---- photos ----

    def add(self, files: Sequence[Path]) -> None:
        """Files and folders; what is found in them appears while they are being read."""
        if not files:
            return
        if self.opening:  # they are meant for it, or else for the one that stays open
            self._for_later += files
        elif not self.case:
            self.said.emit("Photos cannot be added: no case is open.", "Make one: Case, New case.")
        elif not self.writable:
            self.said.emit("Photos cannot be added: this case is only read here.", "Save a copy of it and add them there.")
        else:
            self._adding.add(files)

    def _add_for_later(self) -> None:
        files, self._for_later = self._for_later, []
        self.add(files)

    def _take(self, found: list[intake.Taken | intake.Refused]) -> None:
        if not self.writable:
            return
        taken = [entry for entry in found if isinstance(entry, intake.Taken)]
        refused = [entry for entry in found if isinstance(entry, intake.Refused)]

        def put(case: Case) -> list[Row]:
            if refused:
                case.add_unreadable([(entry.path, entry.reason, entry.hint) for entry in refused])
            numbers = case.add([(entry.path, entry.facts) for entry in taken])
            return [case.row(number) for number, is_new in numbers if is_new]

        try:
            new = self.ask(put, keep=True)
        except CaseError as error:
            self._adding.hold(found)
            self._halt(error)
            return
        self.rows.update((row.number, row) for row in new)
        self._counts[State.WAITING] += len(new)
        if new:
            self.rows_added.emit(new)
        self.unreadable_changed.emit()
        self._go_on()

    def unreadable(self) -> list[tuple[Path, str, str]]:
        """(path, reason, hint) of each file that is no photo."""
        return self.read(lambda case: case.unreadable()) or []

    # ---- the queue ----

    def pause(self) -> None:
        """The photo that is being worked on is finished, no other is begun."""
        self.running = self._resumes = False
        self.progressed.emit()

    def resume(self) -> None:
        """Go on, also with what could not be put into the case."""
        self.running, self._resumes = True, False
        self._adding.go_on()
        self._go_on()

    def _go_on_again(self) -> None:
        if self._resumes:
            self.resume()

    def _halt(self, error: CaseError) -> None:
        """Pause, because the case cannot be read or written: nothing more is asked for nothing."""
        self._resumes = isinstance(error, CaseSilent) and (self.running or self._resumes)
        self.running = False
        held = self._adding.held
        waits = f" {held:,} file{'s wait' if held > 1 else ' waits'} to be put into it." if held else ""
        paused = "goes on when it answers" if self._resumes else "is paused: go on with Resume"
        self.said.emit(*self.about_the_case(error, f"{waits} The queue {paused}."))
        self.progressed.emit()

    def stop(self) -> None:
        """End the photo that is being worked on, which then waits, and pause."""
        self._asking.stop()
        self.pause()

    def skip(self, numbers: Sequence[int]) -> None:
        """Leave these photos out, also the one that is being worked on."""
        waiting = [row.number for row in self._rows(numbers) if row.state is State.WAITING and row.number != self._saving]
        self._set_state(waiting, State.SKIPPED)
        if self.current in waiting:
            self._asking.stop()

    def locate_again(self, numbers: Sequence[int]) -> None:
        """Let these photos wait once more; their answers stay."""
        self._set_state([row.number for row in self._rows(numbers) if row.number != self.current], State.WAITING)
        self._go_on()

    def retry_failed(self) -> None:
        """All that failed."""
        self.locate_again([row.number for row in self.rows.values() if row.state is State.FAILED])

    def move_first(self, numbers: Sequence[int]) -> None:
        """Let these be the next."""
        first = {row.number: row for row in self._rows(numbers)}
        if self.change(lambda case: case.move_first(list(first))):
            self.rows = first | {number: row for number, row in self.rows.items() if number not in first}
            self.order_changed.emit()

    def _set_state(self, numbers: Sequence[int], state: State) -> None:
        if numbers and self.change(lambda case: case.set_state(numbers, state)):
            self._recount(numbers, state)
            for number in numbers:
                self._show(replace(self.rows[number], state=state, reason=""))
            self.progressed.emit()

    def _go_on(self) -> None:
        """Begin the next photo when there is one, a model, and nobody paused."""
        number = None
        if self.running and self._asking.can_begin and self._saving is None and self.writable:
            try:
                number = self.ask(lambda case: case.next_waiting())
            except CaseError as error:
                self._halt(error)
                return
        if number is not None and number in self.rows:
            row = self.rows[number]
            self._asking.begin(number, row.path, row.sha256, samples=self.settings.samples)
            self.began.emit(number, self.samples)
        self.progressed.emit()

    def _answered(self, number: int, outcome: events.Located | events.Failed) -> None:
        def save(case: Case) -> Row:
            case.save(number, outcome)
            return case.row(number)

        def done(row: Row) -> None:
            self._recount([number], row.state)
            self._show(row)
            self._worked_on(number)

        def failed(error: CaseError) -> None:
            self._halt(error)
            self._worked_on(number)

        self._saving = number
        self.put(save, done, failed)

    def _worked_on(self, number: int) -> None:
        self._saving = None
        self.answered.emit(number)
        self._go_on()

    def _recount(self, numbers: Sequence[int], state: State) -> None:
        """Rows that are not read yet wait, or they would not have been worked on."""
        for number in numbers:
            self._counts[self.rows[number].state if number in self.rows else State.WAITING] -= 1
            self._counts[state] += 1

    @property
    def current(self) -> int | None:
        """The photo that is being worked on, until its answer is in the case."""
        return self._saving if self._asking.current is None else self._asking.current

    @property
    def samples(self) -> int:
        """Answers for each photo."""
        return self.settings.samples or (self.model.samples if self.model else 1)

    @property
    def seconds_left(self) -> float | None:
        """From the measured rate; None before anything was measured."""
        each = self._asking.seconds_each
        return None if each is None else self._counts[State.WAITING] * each

    # ---- the model ----

    @property
    def model(self) -> models.Model | None:
        """The one that was chosen last and is there."""
        return self._asking.model

    @property
    def ready(self) -> events.Ready | None:
        """What the worker says of its model; None while it cannot be asked."""
        return self._asking.ready

    def use_model(self, name: str) -> None:
        """Load a model; the photo that is being worked on is finished by the old one."""
        self._asking.use_model(name, self.settings)

    def rest_model(self, why: str) -> None:
        """Give its memory back; photos wait until `use_model`. `why`: words in the place of its name."""
        self._asking.rest(why)
