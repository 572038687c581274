"""The photos of a case: how far the queue is, what is searched for, one row a photo, and what can be done with those selected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from PySide6.QtCore import QPoint, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent
from PySide6.QtWidgets import QDialog, QFrame, QLabel, QMenu, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from georapp.case import Row, Ruling, State
from georapp.gui import look
from georapp.gui.photos.filter_bar import FilterBar
from georapp.gui.photos.list_foot import READ_ONLY, ListFoot, repeatable, skippable, waiting
from georapp.gui.photos.list_head import ListHead
from georapp.gui.photos.list_view import ListView
from georapp.gui.photos.photo_rows import PhotoRows
from georapp.gui.photos.row_words import RULING_WORDS, counted
from georapp.gui.photos.verdict_preview import BULK, VerdictPreview, plan
from georapp.selection import Filter, remember

_AT_ONCE = 300  # rows whose texts are prepared for searching before the window may paint again


class PhotoList(QWidget):
    """Shows rows and says what the person wants with them; lists of numbers go from top to bottom."""

    chosen = Signal(int)  # another photo is the current one, whoever asked for it
    located_again = Signal(list)
    skipped = Signal(list)
    moved_first = Signal(list)
    judged = Signal(list, object)  # numbers, Ruling; several only after a preview
    unreadable_asked = Signal()
    paused = Signal()
    resumed = Signal()
    stopped = Signal()  # the photo that is being worked on
    retried = Signal()  # all that failed
    view_saved = Signal(str, str)  # name, filter as text
    view_chosen = Signal(str)
    filter_changed = Signal(str)  # filter as text

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rows = PhotoRows(self)
        self._read_only = self._queue_runs = False
        self._unprepared: list[Row] = []
        self._spare_time = QTimer(self, interval=0)
        self._spare_time.timeout.connect(self._prepare_some)
        self.head, self.bar, self.view = ListHead(self), FilterBar(self), ListView(self._rows, self)
        self._pages = QStackedWidget(self)
        self.foot = ListFoot(self)
        self._arrange()
        self._hear()
        self._refresh()

    # ---- the photos ----

    def set_rows(self, rows: Sequence[Row]) -> None:
        """All photos, in the order of the queue. What is chosen, selected and in sight stays, as far as it is still there."""
        self._rows.set_rows(rows)
        self._unprepared = []
        self._prepare(rows)
        self._refresh()

    def add_rows(self, rows: Sequence[Row]) -> None:
        """More photos at the end of the queue."""
        self._rows.add_rows(rows)
        self._prepare(rows)
        self._refresh()

    def update_row(self, row: Row) -> None:
        """A photo has changed; it may come, go or move, and nothing else does. Cheap, also for thousands."""
        self._rows.update(row)

    def set_running(self, number: int | None, text: str = "") -> None:
        """The photo that is being worked on, and what is done with it: "reading the photo"."""
        self._rows.set_running(number, text)
        self._show_actions()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """The keys are for the rows. A focus proxy would do the same, but Tab never gets out of one that lies inside its widget."""
        super().focusInEvent(event)
        self.view.setFocus(event.reason())

    # ---- what is chosen ----

    def choose(self, number: int) -> None:
        """Make a photo the current one, also one that the filter hides."""
        self.view.choose(number)

    def current(self) -> int | None:
        """The photo that was chosen last, also when the filter has hidden it since."""
        return self.view.current()

    def selected(self) -> list[int]:
        """Numbers, from top to bottom."""
        return self.view.selected()

    def choose_next(self) -> None:
        """The one below; if the filter has just hidden the current one, what stands in its place."""
        self.view.step(1)

    def choose_previous(self) -> None:
        """The one above."""
        self.view.step(-1)

    # ---- around the photos ----

    def set_progress(self, text: str, share: float, eta: str) -> None:
        """ "41 of 300 located", 0 to 1, "12 min left"."""
        self.head.set_progress(text, share, eta)

    def set_unreadable(self, count: int) -> None:
        """Files that are no photos."""
        self.head.set_unreadable(count)

    def set_views(self, names: Sequence[str]) -> None:
        """Filters that are kept under a name."""
        self.bar.set_views(names)

    def set_filter(self, filter_text: str) -> None:
        """Show what a kept filter asks for."""
        self.bar.set_filter(Filter.from_text(filter_text))

    def filter_text(self) -> str:
        """What is asked for now, for keeping."""
        return self.bar.filter.to_text()

    def begin_search(self) -> None:
        """Put the cursor into the search field."""
        self.bar.begin_search()

    def set_read_only(self, read_only: bool) -> None:
        """Whether the case may not be changed here."""
        self._read_only = read_only
        self._show_actions()

    def set_queue_running(self, running: bool) -> None:
        """Whether the queue goes on by itself: Pause, or Resume."""
        self._queue_runs = running
        self._show_actions()

    def _prepare(self, rows: Sequence[Row]) -> None:
        """For the first search: a few now and then, because a thread of its own would be in the way of painting."""
        self._unprepared = [*self._unprepared, *rows]
        self._spare_time.start()

    def _prepare_some(self) -> None:
        some, self._unprepared = self._unprepared[:_AT_ONCE], self._unprepared[_AT_ONCE:]
        remember(some)
        if not self._unprepared:
            self._spare_time.stop()

    # ---- building ----

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._pages.addWidget(self.view)
        self._pages.addWidget(self._nothing_matches())
        panel = QFrame(self)
        look.set_role(panel, "panel")
        inside = QVBoxLayout(panel)
        inside.setContentsMargins(0, 0, 0, 0)
        inside.setSpacing(0)
        for widget, stretch in ((self.head, 0), (self.bar, 0), (_line(), 0), (self._pages, 1), (_line(), 0)):
            inside.addWidget(widget, stretch)
        inside.addWidget(self.foot)
        layout.addWidget(panel)
        self.setMinimumWidth(260)

    def _nothing_matches(self) -> QWidget:
        page = QWidget(self)
        words, clear = QLabel("No photo matches.", page), QPushButton("Clear the filter", page)
        look.set_role(words, "dim")
        clear.clicked.connect(lambda: self.bar.set_filter(Filter()))
        layout = QVBoxLayout(page)
        layout.addStretch(1)
        for widget in (words, clear):
            layout.addWidget(widget, 0, Qt.AlignmentFlag.AlignHCenter)
        layout.addStretch(2)
        return page

    def _hear(self) -> None:
        self.view.chosen.connect(self.chosen)
        self.view.skipped.connect(self._say_skipped)
        self.view.selectionModel().selectionChanged.connect(self._show_actions)
        self.view.customContextMenuRequested.connect(self._open_menu)
        self.head.unreadable_asked.connect(self.unreadable_asked)
        self.head.retried.connect(self.retried)
        self.bar.changed.connect(self._filter)
        self.bar.opening.connect(self._name_choices)
        self.bar.view_chosen.connect(self.view_chosen)
        self.bar.view_saved.connect(lambda name: self.view_saved.emit(name, self.filter_text()))
        self._rows.settled.connect(self._refresh)
        foot = self.foot
        foot.pause.clicked.connect(self._say_paused)
        foot.skip.clicked.connect(self._say_skipped)
        foot.stop.clicked.connect(self.stopped)
        foot.again.clicked.connect(self._say_again)
        foot.verdict.clicked.connect(self._open_verdicts)

    # ---- showing ----

    def _filter(self) -> None:
        sort, backwards = self.bar.order
        self._rows.select(self.bar.filter, sort, reversed=backwards)
        self._refresh()
        self.filter_changed.emit(self.filter_text())

    def _refresh(self) -> None:
        rows = self._rows.all_rows()
        shown = self._rows.rowCount()
        self.bar.set_count(f"{shown:,} of {len(rows):,}" if shown < len(rows) else "")
        self.head.set_failed(sum(row.state is State.FAILED for row in rows))
        self._pages.setCurrentIndex(1 if rows and not shown else 0)
        self._show_actions()

    def _name_choices(self) -> None:
        rows = self._rows.all_rows()
        self.bar.set_names(Counter(row.country for row in rows if row.country), Counter(row.model for row in rows if row.model))

    def _show_actions(self) -> None:
        running = self._rows.running is not None
        self.foot.show_for(self._selected_rows(), running=running, queue_runs=self._queue_runs, read_only=self._read_only)
        self.head.set_retry(READ_ONLY if self._read_only else "")

    def _selected_rows(self) -> list[Row]:
        found = (self._rows.row_of(number) for number in self.selected())
        return [row for row in found if row is not None]

    # ---- what the person wants ----

    def _say_paused(self) -> None:
        (self.paused if self._queue_runs else self.resumed).emit()

    def _say_skipped(self) -> None:
        if not self._read_only and (numbers := skippable(self._selected_rows())):
            self.skipped.emit(numbers)

    def _say_again(self) -> None:
        if numbers := repeatable(self._selected_rows()):
            self.located_again.emit(numbers)

    def _say_first(self) -> None:
        if numbers := waiting(self._selected_rows(), self._rows.running):
            self.moved_first.emit(numbers)

    def judge_selected(self, ruling: Ruling) -> None:
        """Ask for a verdict on the selected photos, with a preview if there are several."""
        planned = plan(self._selected_rows(), ruling)
        if len(self.selected()) > 1:
            preview = VerdictPreview(planned, parent=self)
            answer = preview.exec()
            preview.deleteLater()
            if answer != QDialog.DialogCode.Accepted:
                return
        if planned.changes:
            self.judged.emit(list(planned.changes), ruling)

    def _open_verdicts(self) -> None:
        self._verdict_menu(self).popup(self.foot.verdict.mapToGlobal(QPoint(0, 0)))

    def _open_menu(self, at: QPoint) -> None:
        if self.selected():
            self._menu().popup(self.view.viewport().mapToGlobal(at))

    def _menu(self) -> QMenu:
        menu, rows = _menu(self), self._selected_rows()
        for text, numbers, say in (
            ("Locate again", repeatable(rows), self._say_again),
            ("Skip", skippable(rows), self._say_skipped),
            ("Locate next", waiting(rows, self._rows.running), self._say_first),
        ):
            menu.addAction(text, say).setEnabled(bool(numbers) and not self._read_only)
        menu.addSeparator()
        verdict = self._verdict_menu(menu)
        verdict.setTitle(f"Verdict on {counted(len(rows), 'photo')}")
        verdict.setEnabled(not self._read_only)
        menu.addMenu(verdict)
        return menu

    def _verdict_menu(self, parent: QWidget) -> QMenu:
        menu = _menu(parent)
        for ruling in BULK:
            symbol, word = RULING_WORDS[ruling]
            action = menu.addAction(f"{symbol} {word}" if symbol else "take the verdict back")
            action.triggered.connect(lambda _checked=False, ruling=ruling: self.judge_selected(ruling))
        return menu


def _menu(parent: QWidget) -> QMenu:
    menu = QMenu(parent)
    menu.aboutToHide.connect(menu.deleteLater)
    return menu


def _line() -> QFrame:
    line = QFrame()
    line.setFixedHeight(1)
    line.setObjectName("line")
    line.setAutoFillBackground(True)
    line.setBackgroundRole(line.palette().ColorRole.Mid)
    return line
