"""The owner of the case, its queue and the worker: methods in, signals out. Nothing is shown as a result before it is in the case.

No widget is known here. The case is only touched by the window's thread; reading files and asking the model happen on two others.
"""

from __future__ import annotations

import collections
import json
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from PySide6.QtCore import QObject, QTimer, Signal
from PySide6.QtGui import QUndoCommand, QUndoStack

from georapp import events, intake, models, settings
from georapp.case import Case, Row, Ruling, State, Verdict
from georapp.errors import CaseError, GeorappError, ModelError
from georapp.gui.adding import Adding
from georapp.gui.locating import Job, Locating
from georapp.printable import printable

T = TypeVar("T")

_VIEWS = "views"  # the name of a setting of the case
_PART = 200  # rows that are read before the window may breathe
_FIRST_PART = 400  # rows that are shown at once, the first ones
_REMEMBERED = 20  # durations that the estimate of the rest is made from


class Session(QObject):
    """One for each window."""

    case_opened = Signal()  # another case, or none; its rows follow
    rows_added = Signal(list)  # of Row
    rows_read = Signal()  # all rows of the opened case have been given
    row_changed = Signal(object)  # Row
    order_changed = Signal()
    unreadable_changed = Signal()
    progressed = Signal()  # counts, state of the queue, estimate
    began = Signal(int, int)  # number of the photo, samples
    heard = Signal(int, object)  # number of the photo, events.Event
    answered = Signal(int)  # its answer or failure is in the case
    judged = Signal(int)
    model_changed = Signal(str, bool)  # words about the model, whether it can be asked
    said = Signal(str, str)  # something went wrong: a sentence, and what to do

    def __init__(self, chosen: settings.Settings, parent: QObject | None = None, *, patience_s: float | None = None) -> None:
        super().__init__(parent)
        self.settings = chosen
        self.case: Case | None = None
        self.rows: dict[int, Row] = {}
        self.running = True
        self.current: int | None = None
        self.model: models.Model | None = None
        self.ready: events.Ready | None = None
        self.undo = QUndoStack(self)
        self._counts: collections.Counter[State] = collections.Counter()
        self._durations: collections.deque[float] = collections.deque(maxlen=_REMEMBERED)
        self._since = 0.0
        self._ticket = 0  # of the newest job: a photo of a closed case may have the same number
        self._reading: Iterator[list[Row]] = iter(())
        self._adding, self._locating = Adding(self), Locating(self, patience_s=patience_s)
        self.hangs = False  # after the end: a thread waits for a disk or a network, and cannot be ended
        self._connect()
        self._locating.start()

    def _connect(self) -> None:
        self._adding.found.connect(self._take)
        self._adding.busy.connect(lambda _busy: self.progressed.emit())
        locating = self._locating
        locating.loaded.connect(self._loaded)
        locating.not_loaded.connect(self._not_loaded)
        locating.heard.connect(self._hear)
        locating.tried_again.connect(lambda _ticket, why: self.said.emit(why, "It is being tried once more with one answer."))
        locating.done.connect(self._done)

    # ---- the case ----

    def open(self, path: Path, *, new: bool = False) -> None:
        """Use this case in place of the one that is open, which stays open when this one cannot be opened. Raises CaseError."""
        if self.case and not new and _same_file(self.case.path, path):
            return
        case = Case.create(path) if new else Case.open(path)
        try:
            counts = case.counts()  # a damaged file may only show when it is read
        except BaseException:
            case.close()
            raise
        self.close()
        self.case = case
        self._reading = case.parts(_PART)
        self._counts = collections.Counter(counts)
        self._durations.clear()
        self.case_opened.emit()
        self.keep_settings(self.settings.with_recent(path.resolve()))
        self._read_on(self._reading, [])

    def close(self) -> None:
        """Let go of the case; the photo that is being worked on goes on waiting in it."""
        if self.current is not None:
            self._locating.stop(self._ticket)
        self._adding.forget()
        self._reading, self.current = iter(()), None
        self.rows.clear()
        self.undo.clear()
        if self.case:
            self.case.close()
        self.case = None

    def end(self) -> None:
        """Close everything; the session cannot be used afterwards."""
        self.running = False
        self.close()
        gone = self._adding.end(), self._locating.end()
        self.hangs = not all(gone)

    @property
    def writable(self) -> bool:
        """Whether the case can be changed by this window."""
        return bool(self.case and self.case.writable)

    def _read_on(self, reading: Iterator[list[Row]], unseen: list[Row]) -> None:
        """The next rows of the case that was opened. They are shown in ever larger parts: each has its price in every list."""
        if reading is not self._reading:  # of a case that was closed
            return
        part = self.read(lambda _case: next(reading, None))
        unseen += part or ()
        if part is None or len(unseen) >= max(_FIRST_PART, len(self.rows)):
            new = [row for row in unseen if row.number not in self.rows]
            unseen = []
            self.rows.update((row.number, row) for row in new)
            self.rows_added.emit(new)
        if part is None:
            self.rows_read.emit()
            self._go_on()
        else:
            QTimer.singleShot(0, self, lambda: self._read_on(reading, unseen))

    # ---- photos ----

    def add(self, files: Sequence[Path]) -> None:
        """Files and folders; what is found in them appears while they are being read."""
        if not files:
            return
        if not self.case:
            self.said.emit("Photos cannot be added: no case is open.", "Make one: Case, New case.")
        elif not self.writable:
            self.said.emit("Photos cannot be added: this case is only read here.", "Save a copy of it and add them there.")
        else:
            self._adding.add(files)

    def _take(self, found: list[intake.Taken | intake.Refused]) -> None:
        if not self.case or not self.case.writable:
            return
        taken = [entry for entry in found if isinstance(entry, intake.Taken)]
        refused = [entry for entry in found if isinstance(entry, intake.Refused)]
        try:
            if refused:
                self.case.add_unreadable([(entry.path, entry.reason, entry.hint) for entry in refused])
            numbers = self.case.add([(entry.path, entry.facts) for entry in taken])
            new = [self.case.row(number) for number, is_new in numbers if is_new]
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
        self.running = False
        self.progressed.emit()

    def resume(self) -> None:
        """Go on, also with what could not be put into the case."""
        self.running = True
        self._adding.go_on()
        self._go_on()

    def _halt(self, error: CaseError) -> None:
        """Pause, because the case cannot be read or written: nothing more is asked for nothing."""
        self.running = False
        held = self._adding.held
        waits = f" {held:,} file{'s wait' if held > 1 else ' waits'} to be put into it." if held else ""
        self.said.emit(*self._about_the_case(error, f"{waits} The queue is paused: go on with Resume."))
        self.progressed.emit()

    def _about_the_case(self, error: CaseError, more: str = "") -> tuple[str, str]:
        """Sentence and hint; a file that is gone is a cause of its own, which SQLite does not name."""
        if self.case and not self.case.path.exists():
            sentence = printable(f"{self.case.path} is gone: it was deleted, moved, or its disk is not there.")
            return sentence + more, "What is still open can be saved: Case, Save a copy."
        return f"{error}{more}", error.hint

    def stop(self) -> None:
        """End the photo that is being worked on, which then waits, and pause."""
        self.running = False
        if self.current is not None:
            self._locating.stop(self._ticket)
        self.progressed.emit()

    def skip(self, numbers: Sequence[int]) -> None:
        """Leave these photos out, also the one that is being worked on."""
        waiting = [row.number for row in self._rows(numbers) if row.state is State.WAITING]
        self._set_state(waiting, State.SKIPPED)
        if self.current in waiting:
            self._locating.stop(self._ticket)

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
        if self._change(lambda case: case.move_first(list(first))):
            self.rows = first | {number: row for number, row in self.rows.items() if number not in first}
            self.order_changed.emit()

    def _set_state(self, numbers: Sequence[int], state: State) -> None:
        if numbers and self._change(lambda case: case.set_state(numbers, state)):
            for number in numbers:
                self._counts[self.rows[number].state] -= 1
                self._counts[state] += 1
                self._show(replace(self.rows[number], state=state, reason=""))
            self.progressed.emit()

    def _go_on(self) -> None:
        """Begin the next photo when there is one, a model, and nobody paused."""
        number = None
        if self.running and self.current is None and self.ready and self.case and self.case.writable:
            try:
                number = self.case.next_waiting()
            except CaseError as error:
                self._halt(error)
                return
        if number is not None and number in self.rows:
            self.current, self._since = number, time.monotonic()
            self.began.emit(number, self.samples)
            self._ticket += 1
            row = self.rows[number]
            self._locating.ask(Job(self._ticket, row.path, row.sha256, samples=self.settings.samples))
        self.progressed.emit()

    def _hear(self, ticket: int, event: events.Event) -> None:
        if ticket == self._ticket and self.current is not None:
            self.heard.emit(self.current, event)

    def _done(self, ticket: int, outcome: events.Located | events.Failed) -> None:
        number = self.current
        if ticket != self._ticket or number is None or not self.case:  # of a case that was closed
            return
        self.current = None
        stopped = isinstance(outcome, events.Failed) and outcome.error == "Stopped"
        if not stopped:
            self._durations.append(time.monotonic() - self._since)
            self._save(number, outcome)
        self.answered.emit(number)
        self._go_on()

    def _save(self, number: int, outcome: events.Located | events.Failed) -> None:
        assert self.case is not None
        before = self.rows[number].state
        try:
            self.case.save(number, outcome)
            row = self.case.row(number)
        except CaseError as error:
            self._halt(error)
            return
        self._counts[before] -= 1
        self._counts[row.state] += 1
        self._show(row)

    @property
    def samples(self) -> int:
        """Answers for each photo."""
        return self.settings.samples or (self.model.samples if self.model else 1)

    def count(self, state: State) -> int:
        """Photos in this state."""
        return self._counts[state]

    @property
    def seconds_left(self) -> float | None:
        """From the measured rate; None before anything was measured."""
        if not self._durations:
            return None
        return self._counts[State.WAITING] * sum(self._durations) / len(self._durations)

    # ---- verdicts ----

    def judge(self, numbers: Sequence[int], verdict: Verdict) -> None:
        """Decide about photos; can be undone."""
        verdict = replace(verdict, author=self.settings.person)
        if numbers and self.writable:
            before = self.read(lambda case: {row.number: case.verdicts(row.number) for row in self._rows(numbers)}) or {}
            if before:
                last = {number: found[-1] if found else Verdict(Ruling.NONE) for number, found in before.items()}
                self.undo.push(_Judge(self, last, verdict))

    def put_verdict(self, number: int, verdict: Verdict) -> bool:
        """One more decision; whether the case took it."""
        if not self._change(lambda case: case.judge(number, verdict)):
            return False
        self._show(replace(self.rows[number], ruling=verdict.ruling, corrected=verdict.place))
        self.judged.emit(number)
        return True

    # ---- views: filters with a name ----

    def views(self) -> dict[str, str]:
        """Those that were kept in the case, as texts."""
        try:
            found = json.loads(self.read(lambda case: case.setting(_VIEWS)) or "{}")
        except (ValueError, RecursionError):
            return {}
        return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}

    def keep_view(self, name: str, text: str) -> None:
        """Keep one in the case."""
        views = json.dumps({**self.views(), name: text}, ensure_ascii=False)
        self._change(lambda case: case.keep(_VIEWS, views))

    # ---- the model ----

    def use_model(self, name: str) -> None:
        """Load a model; the photo that is being worked on is finished by the old one."""
        try:
            self.model = models.find(name)
        except ModelError as error:
            if self.ready:  # the one that is there goes on
                self.said.emit(str(error), error.hint)
            else:
                self._not_loaded(str(error), error.hint)
            return
        self.ready = None
        chosen = self.settings
        most = max(chosen.samples, self.model.samples)
        folder = str(self.model.folder.resolve())
        self._locating.use(
            events.Load(folder, threads=chosen.threads or _threads(), gpu_layers=chosen.gpu_layers, max_samples=most)
        )
        self.model_changed.emit(f"{self.model.name} is being loaded", False)

    def _loaded(self, ready: events.Ready) -> None:
        self.ready = ready
        self._durations.clear()
        self.model_changed.emit(f"{ready.model} · {ready.backend}", True)
        self._go_on()

    def _not_loaded(self, sentence: str, hint: str) -> None:
        self.ready = None
        self.model_changed.emit("no model", False)
        self.said.emit(sentence, hint)

    # ---- settings ----

    def keep_settings(self, chosen: settings.Settings) -> None:
        """Use these from now on; a disk that does not take them is said."""
        self.settings = chosen
        try:
            settings.save(chosen)
        except GeorappError as error:
            self.said.emit(str(error), error.hint)
        except UnicodeError:  # of a case or map whose name is no text
            self.said.emit(
                "The settings could not be kept: a file name in them is no text in UTF-8.", "Rename the file or its folder."
            )

    # ---- steps ----

    def read(self, what: Callable[[Case], T]) -> T | None:
        """What the case says; None where there is none, or where it cannot be read, which is said."""
        try:
            return what(self.case) if self.case else None
        except CaseError as error:
            self.said.emit(*self._about_the_case(error))
        except (ValueError, TypeError) as error:  # rows that fit the tables and nothing else
            why = str(error).rstrip(".")
            sentence = (
                printable(f"{self.case.path} holds something that this program did not write: {why}.") if self.case else why
            )
            self.said.emit(sentence, "What can be read is shown; use the newest copy of it.")
        return None

    def _change(self, change: Callable[[Case], object]) -> bool:
        """Whether the case took it; otherwise it is said why."""
        try:
            if not self.case:
                return False
            change(self.case)
        except CaseError as error:
            self.said.emit(*self._about_the_case(error))
            return False
        return True

    def _rows(self, numbers: Sequence[int]) -> list[Row]:
        """Those that are there: a dialog may have been open while the case was changed for another one."""
        return [self.rows[number] for number in numbers if number in self.rows]

    def _show(self, row: Row) -> None:
        self.rows[row.number] = row
        self.row_changed.emit(row)


def _threads() -> int:
    """A core is left to the window and its map: llama.cpp's threads wait for each other, so that one that shares a core holds up all."""
    return max(1, min(8, (os.cpu_count() or 1) - 1))


class _Judge(QUndoCommand):
    """Undoing adds the decision before it again: nothing in a case is taken away."""

    def __init__(self, session: Session, before: Mapping[int, Verdict], verdict: Verdict) -> None:
        super().__init__(f"{verdict.ruling.value} {len(before)} photos" if len(before) > 1 else verdict.ruling.value)
        self._session, self._before, self._after = session, before, verdict

    def redo(self) -> None:
        if not self._put(dict.fromkeys(self._before, self._after)):
            self.setObsolete(True)

    def undo(self) -> None:
        self._put({number: replace(verdict, author=self._after.author) for number, verdict in self._before.items()})

    def _put(self, verdicts: Mapping[int, Verdict]) -> bool:
        """Until one is not taken: then the others would not be either. Whether any was."""
        took = 0
        for number, verdict in verdicts.items():
            if not self._session.put_verdict(number, verdict):
                break
            took += 1
        return took > 0


def _same_file(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:  # one of them is gone
        return one.absolute() == other.absolute()
