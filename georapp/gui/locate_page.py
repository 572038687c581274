"""The page on which photos are located: list, photo, map and answer side by side, fed by the session.

In its second layout, "map", photo and answer make room and the map shows all photos of the case.
"""

from __future__ import annotations

import gc
from collections.abc import Sequence

from PySide6.QtCore import QByteArray, QSettings, Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QWidget

from georapp import events, gazetteer
from georapp.case import Answer, Row, Ruling, State, Verdict
from georapp.chain import Level
from georapp.geo import Coordinate
from georapp.gui import allocator, words
from georapp.gui.answer.panel import AnswerPanel
from georapp.gui.background import run
from georapp.gui.map.view import MapView
from georapp.gui.photos.photo_list import PhotoList
from georapp.gui.photos.photo_view import PhotoView
from georapp.gui.session import Session
from georapp.map_page import Shown, Spot
from georapp.notation import Notation, write
from georapp.results import same_regions

Regions = list[tuple[Level, str]]
_NARROWEST_MIDDLE = 320  # logical pixels; photo and map side by side with list and answer in the smallest window


class LocatePage(QWidget):
    """Shows one photo of the session's case at a time, the one that is chosen in the list."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.photos, self.photo, self.map, self.answer = PhotoList(self), PhotoView(self), MapView(self), AnswerPanel(self)
        self._number: int | None = None  # the photo that is shown
        self._answer = -1  # which of its answers
        self._follows = True  # the page goes along with the queue
        self._all = False  # the map shows all photos
        self._places_ready = False
        self._streamed: Regions = []
        self._texts: list[tuple[int, str]] = []
        self.map.set_formatter(*((lambda place, notation=notation: write(place, notation)) for notation in Notation))
        self._arrange()
        self._hear_session()
        self._hear_widgets()
        run(self._load_places, self._have_places, parent=self)

    def _arrange(self) -> None:
        self._middle = QSplitter(Qt.Orientation.Vertical, self)
        self._across = QSplitter(Qt.Orientation.Horizontal, self)
        for widget in (self.photo, self.map):
            self._middle.addWidget(widget)
        for part in (self.photos, self._middle, self.answer):
            self._across.addWidget(part)
        for splitter, sizes in ((self._middle, (300, 420)), (self._across, (290, 720, 380))):
            splitter.setChildrenCollapsible(False)
            splitter.setHandleWidth(1)
            splitter.setSizes(list(sizes))
        self._across.setStretchFactor(1, 1)
        self._middle.setStretchFactor(1, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._across)
        self._middle.setMinimumWidth(_NARROWEST_MIDDLE)

    def _hear_session(self) -> None:
        session = self._session
        session.case_opened.connect(self._begin_case)
        session.rows_added.connect(self._add)
        session.row_changed.connect(self._change)
        session.order_changed.connect(lambda: self.photos.set_rows(list(session.rows.values())))
        session.unreadable_changed.connect(self._count_unreadable)
        session.progressed.connect(self._progress)
        session.began.connect(self._begin)
        session.heard.connect(self._hear)
        session.answered.connect(self._answered)
        session.judged.connect(self._judged)

    def _hear_widgets(self) -> None:
        session, photos, answer = self._session, self.photos, self.answer
        photos.chosen.connect(self._chosen)
        photos.located_again.connect(session.locate_again)
        photos.skipped.connect(session.skip)
        photos.moved_first.connect(session.move_first)
        photos.judged.connect(lambda numbers, ruling: session.judge(numbers, Verdict(ruling)))
        photos.paused.connect(session.pause)
        photos.resumed.connect(session.resume)
        photos.stopped.connect(session.stop)
        photos.retried.connect(session.retry_failed)
        photos.view_saved.connect(self._save_view)
        photos.view_chosen.connect(lambda name: photos.set_filter(session.views().get(name, "")))
        bar = answer.verdict_bar
        bar.accepted.connect(lambda note: self._judge(Verdict(Ruling.ACCEPTED, note=note)))
        bar.corrected.connect(lambda place, note: self._judge(Verdict(Ruling.CORRECTED, place, note)))
        bar.rejected.connect(lambda note: self._judge(Verdict(Ruling.REJECTED, note=note)))
        bar.judged_unsure.connect(lambda note: self._judge(Verdict(Ruling.UNSURE, note=note)))
        bar.correcting.connect(self._correcting)
        bar.left.connect(photos.view.setFocus)
        answer.answer_chosen.connect(self._show_answer)
        answer.rung_chosen.connect(self._show_rung)
        answer.candidate_chosen.connect(lambda place: self.map.go_to(place))
        answer.retried.connect(lambda number: session.locate_again([number]))
        self.map.picked.connect(self._picked)
        self.map.spot_chosen.connect(photos.choose)

    # ---- layout ----

    @property
    def first(self) -> QWidget:
        """Where the keys go when the page comes up."""
        return self.photos.view

    def show_all(self, on: bool) -> None:
        """The map alone, with all photos of the case; or everything, with one photo."""
        self._all = on
        self.photo.setVisible(not on)
        self.answer.setVisible(not on)
        if on:
            self._gather_spots()
        elif self._number is not None:
            self._show_photo(self._number)
        else:
            self.map.show_world()

    def keep_layout(self, kept: QSettings) -> None:
        """Remember where the splitters stand."""
        kept.setValue("across", self._across.saveState())
        kept.setValue("middle", self._middle.saveState())

    def restore_layout(self, kept: QSettings) -> None:
        """Put the splitters where they stood."""
        for splitter, name in ((self._across, "across"), (self._middle, "middle")):
            state = kept.value(name)
            if isinstance(state, QByteArray):
                splitter.restoreState(state)

    # ---- the list ----

    def _begin_case(self) -> None:
        self._number, self._follows = None, True
        self.photos.set_rows([])
        self.photos.set_read_only(not self._session.writable)
        self.answer.set_read_only(not self._session.writable)
        self.photo.clear()
        self.answer.show_empty("Choose a photo, or drop some on the window.")
        self.map.show_world()
        self._count_unreadable()
        self.photos.set_views(list(self._session.views()))

    def _save_view(self, name: str, filter_text: str) -> None:
        self._session.keep_view(name, filter_text)
        self.photos.set_views(list(self._session.views()))

    def _add(self, rows: Sequence[Row]) -> None:
        self.photos.add_rows(rows)
        if self._number is None and rows:
            QTimer.singleShot(0, self, self._choose_first)  # the list is painted before

    def _choose_first(self) -> None:
        """Nobody chose it: the page goes along with the queue until somebody does."""
        first = next(iter(self._session.rows), None)
        if self._number is None and first is not None:
            self.photos.choose(first)
            self._follows = True

    def _change(self, row: Row) -> None:
        self.photos.update_row(row)

    def _count_unreadable(self) -> None:
        self.photos.set_unreadable(len(self._session.unreadable()))

    def _progress(self) -> None:
        session = self._session
        done, waiting = session.count(State.LOCATED), session.count(State.WAITING)
        total = len(session.rows) - session.count(State.SKIPPED)
        left = words.time_left(session.seconds_left) if session.running and waiting else ""
        self.photos.set_progress(f"{done:,} of {total:,} located", done / total if total else 0.0, left)
        self.photos.set_queue_running(session.running)

    # ---- the photo that is shown ----

    def _chosen(self, number: int) -> None:
        self._follows = number == self._session.current
        if number in self._session.rows:
            self._show_photo(number)

    def _show_photo(self, number: int) -> None:
        session = self._session
        row = session.rows[number]
        if number != self._number:
            self.photo.show_photo(row.path, row.sha256, session.read(lambda case: case.file(number)))
        self._number, self._answer = number, -1
        if number == session.current:
            self._replay(row)
        else:
            self._show_result(row)
        self.answer.set_verdicts(session.read(lambda case: case.verdicts(number)) or [])

    def _show_result(self, row: Row) -> None:
        failed = self._session.read(lambda case: case.failure(row.number)) if row.state is State.FAILED else None
        if failed:
            self.answer.show_failure(row, failed)
            self._show_on_map(row, None)
        elif answers := self._answers():
            self._show(row, answers, len(answers) - 1)
        else:
            self.answer.show_waiting(row)
            self._show_on_map(row, None)

    def _answers(self) -> list[Answer]:
        """To the photo that is shown."""
        number = self._number
        return [] if number is None else self._session.read(lambda case: case.answers(number)) or []

    def _located(self, answers: Sequence[Answer], index: int) -> events.Located | None:
        """None where there is no answer, or one that is damaged, which is said."""
        return self._session.read(lambda _case: answers[index].located) if answers else None

    def _show_answer(self, index: int) -> None:
        answers = self._answers()
        if self._number is not None and index < len(answers):
            self._show(self._session.rows[self._number], answers, index)

    def _show(self, row: Row, answers: Sequence[Answer], index: int) -> None:
        located = self._located(answers, index)
        if located is None:
            self.answer.show_waiting(row)
        else:
            self._answer = index
            self.answer.show_answer(row, answers, index)
            self._say_truth(row, located)
        self._show_on_map(row, located)

    def _say_truth(self, row: Row, located: events.Located) -> None:
        if row.known is None:
            self.answer.set_truth("", "dim")
            return
        best = located.prediction.best
        levels = same_regions(best, row.known, gazetteer.load()) if self._places_ready else {}
        self.answer.set_truth(*words.truth(best, row.known, levels))

    def _show_on_map(self, row: Row, located: events.Located | None) -> None:
        if self._all:
            return
        human = row.corrected
        if located is None:
            shown = Shown((), None, (), None, None, row.known, human, exact=False)
        else:
            found = located.prediction
            regions = tuple((region.level, region.name) for region in found.stated.regions)
            circles = found.radius_50_km, found.radius_90_km
            exact = found.stated.coordinate is not None
            shown = Shown(regions, found.best, found.candidates, *circles, row.known, human, exact=exact)
        self.map.show_answer(shown)

    def _show_rung(self, level: Level) -> None:
        """Its region on the map, with those that hold it."""
        if located := self._located(self._answers(), self._answer):
            agreements = located.prediction.agreements
            self.map.follow([(found.level, found.name) for found in agreements if found.level <= level])

    def _gather_spots(self) -> None:
        rows = list(self._session.rows.values())
        run(lambda: _spots(rows), self._show_spots, parent=self)

    def _show_spots(self, spots: list[Spot]) -> None:
        if self._all:
            self.map.show_spots(spots)

    # ---- while it is being located ----

    def _begin(self, number: int, _samples: int) -> None:
        self._streamed, self._texts = [], []
        self.photos.set_running(number, "reading the photo")
        if self._follows or self._number is None:
            self.photos.choose(number)
            self._follows = True
        if number == self._number:
            self._replay(self._session.rows[number])

    def _replay(self, row: Row) -> None:
        """What was heard of it so far."""
        self.answer.begin(row, self._session.samples)
        if not self._all:
            self.map.show_answer(Shown((), None, (), None, None, None, None, exact=False))
        for level, name in self._streamed:
            self.answer.add_region(level, name)
        for sample, piece in self._texts:
            self.answer.add_text(sample, piece)
        if self._streamed and not self._all:
            self.map.follow(self._streamed)

    def _hear(self, number: int, event: events.Event) -> None:
        if number != self._session.current:
            return
        if isinstance(event, events.Began):
            self.photos.set_running(number, "asking the model")
        elif isinstance(event, events.RegionRead):
            self._hear_region(number, Level[event.level.upper()], event.name)
        elif isinstance(event, events.Text):
            self._texts.append((event.sample, event.piece))
            if number == self._number:
                self.answer.add_text(event.sample, event.piece)

    def _hear_region(self, number: int, level: Level, name: str) -> None:
        self._streamed.append((level, name))
        self.photos.set_running(number, name)
        if number == self._number:
            self.answer.add_region(level, name)
            if not self._all:
                self.map.follow(self._streamed)

    def _answered(self, number: int) -> None:
        self.photos.set_running(None)
        QTimer.singleShot(
            0, self, lambda: self._show_answered(number)
        )  # saving it and beginning the next was enough for one turn

    def _show_answered(self, number: int) -> None:
        if number == self._number and number != self._session.current and number in self._session.rows:
            self._show_result(self._session.rows[number])
        if self._all:
            self._gather_spots()

    # ---- verdicts ----

    def _judge(self, verdict: Verdict) -> None:
        if self._number is not None:
            self.map.set_correcting(False)
            self._session.judge([self._number], verdict)
            if verdict.ruling is Ruling.ACCEPTED:
                self.photos.choose_next()

    def _judged(self, number: int) -> None:
        if number == self._number:
            self.answer.set_verdicts(self._session.read(lambda case: case.verdicts(number)) or [])
            self._show_on_map(self._session.rows[number], self._located(self._answers(), self._answer))

    def _correcting(self, on: bool) -> None:
        row = self._session.rows.get(self._number) if self._number is not None else None
        self.map.set_correcting(on, start=row.best if row else None)

    def _picked(self, place: Coordinate) -> None:
        self.answer.verdict_bar.begin_correction()
        self.answer.verdict_bar.set_picked(place)

    # ---- places ----

    @staticmethod
    def _load_places() -> None:
        places = gazetteer.load()
        places.label(Coordinate(48.0, 11.0))  # the polygons are read when they are first used, and so are the names
        places.country_code("France")
        allocator.give_back()
        gc.freeze()  # what is there now stays: looking through it for garbage holds up the window 30 to 40 ms each time

    def _have_places(self, _nothing: object) -> None:
        self._places_ready = True
        if self._number in self._session.rows and self._number != self._session.current:
            self._show_photo(self._number)


def _spots(rows: Sequence[Row]) -> list[Spot]:
    """Where people say that photos were taken; where nobody has, where the model does."""
    found = []
    for row in rows:
        place, kind = (row.corrected, "human") if row.corrected else (row.best, "prediction")
        if place:
            found.append(Spot(row.number, place, words.spot(row), kind))
    return found
