"""The history: all runs, what can be done with one, and several laid over each other.

`refresh` when it may have changed; while the page is seen it looks by itself now and then. Files are read on another thread, one run at
a time, so a hundred long runs hold up nobody.
"""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent, QImage, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QSplitter, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.history import history_questions, history_words
from georapp.gui.train.history.history_orders import HistoryOrders
from georapp.gui.train.history.no_runs import NoRuns
from georapp.gui.train.history.run_column import RunColumn
from georapp.gui.train.history.run_panel import RunPanel
from georapp.gui.train.history.run_rows import RunRows
from georapp.gui.train.history.summaries import Summaries, Survey
from georapp.printable import printable
from georapp.run_compare import MOST
from georapp.run_summary import Summary

AGAIN_MS = 3000
_NARROW_PX = 1100
_READING = "Looking for runs…"
_SILENT = "The disk with the runs does not answer. It is waited for."


class HistoryPage(QWidget):
    """Wires the list, the details, the comparison and the queue."""

    opened = Signal(object)  # Path: show this run
    duplicated = Signal(object)  # RunConfig
    model_chosen = Signal(object)  # Path: the model's folder. Who takes it asks about one that got worse, wherever it is chosen.
    resumed = Signal(object)  # Path: start this run's process
    queue_asked = Signal()  # start a process that works through the queue
    configure_asked = Signal()  # a first run is to be made

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows, self.summaries, self.orders = RunRows(self), Summaries(self), HistoryOrders(self)
        self.column, self.panel, self.empty = RunColumn(self.rows, self), RunPanel(self), NoRuns(self)
        self._waiting: tuple[Path, ...] = ()
        self._wanted: Path | None = None  # to be chosen when it is found
        self._timer = QTimer(self)
        self._timer.setInterval(AGAIN_MS)
        self._timer.timeout.connect(self._look_again)
        self._lay_out()
        self._connect()
        self._connect_panel()
        self._show_part()

    def _lay_out(self) -> None:
        self._parts = QSplitter(Qt.Orientation.Horizontal, self)
        self._parts.setChildrenCollapsible(False)
        self._parts.setHandleWidth(13)
        self._parts.setStyleSheet("QSplitter::handle { background: transparent; }")
        sides: tuple[tuple[QWidget, int], ...] = ((self.column, 2), (self.panel, 3))
        for part, stretch in sides:
            self._parts.addWidget(part)
            self._parts.setStretchFactor(self._parts.count() - 1, stretch)
        self._parts.setSizes([440, 760])
        self._said = label("", "dim")
        self._said.hide()
        self.empty.hide()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 8)
        column.setSpacing(10)
        column.addWidget(self._said)
        column.addWidget(self._parts, 1)
        column.addWidget(self.empty, 1)

    def _connect(self) -> None:
        self.summaries.surveyed.connect(self._take)
        self.summaries.changed.connect(self._take_one)
        self.summaries.rested.connect(self.column.arrange)
        self.summaries.silent.connect(lambda: self.say(_SILENT, tone="warning"))
        self.column.list.chosen.connect(lambda _: self._show_part())
        self.column.list.opened.connect(self.opened)
        self.column.queue.removed.connect(self.orders.remove)
        self.column.queue.moved.connect(self.orders.move)
        self.column.queue.forgiven.connect(self.orders.forgive)
        self.column.queue.start_asked.connect(self.queue_asked)
        self.column.on_key("Delete", self._delete_chosen)
        self.rows.checked_changed.connect(self._checks_changed)
        self.rows.full.connect(lambda: self.say(f"{MOST} runs are compared at most.", "Uncheck another one first.", "warning"))
        self.empty.configure_asked.connect(self.configure_asked)
        self.orders.done.connect(self.refresh)
        self.orders.added.connect(self.queue_asked)
        self.orders.told.connect(lambda sentence: self.say(sentence, tone="good"))
        self.orders.complained.connect(lambda sentence, hint: self.say(sentence, hint, "bad"))

    def _connect_panel(self) -> None:
        self.panel.turned.connect(self._show_part)
        self.panel.unchecked.connect(self._uncheck)
        self.panel.details.asked.connect(self._act)
        self.panel.details.noted.connect(self.orders.keep_notes)
        self.panel.comparison.csv_asked.connect(self._export_csv)
        self.panel.comparison.png_asked.connect(self._export_png)
        for key, act in (("Ctrl+F", self.column.search.setFocus), ("F2", self._rename)):
            shortcut = QShortcut(QKeySequence(key), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(act)

    # ---- news ----

    def refresh(self) -> None:
        """Look at all runs and the queue. Nothing is read that did not change."""
        self.summaries.refresh()

    def choose(self, folder: Path) -> None:
        """Show this run, as soon as it is found."""
        self._wanted = folder
        self.column.list.choose(folder)
        self.refresh()

    def _take(self, survey: Survey) -> None:
        if self._said.text().endswith(_SILENT):
            self.say("")
        self._waiting = survey.waiting
        self.rows.show_all(survey.summaries)
        if self._wanted and self.rows.summary(self._wanted):
            self.column.list.choose(self._wanted)
            self._wanted = None
        self.column.choose_one()
        names = [(folder, one.title if (one := self.rows.summary(folder)) else folder.name) for folder in survey.waiting]
        self.column.queue.show_queue(names, survey.complaints, working=survey.working)
        there = self.rows.total > 0 or bool(names or survey.complaints)
        self._parts.setVisible(there)
        self.empty.setVisible(not there)
        self._show_part()

    def _take_one(self, summary: Summary) -> None:
        self.rows.update(summary)
        self._show_part()

    def _look_again(self) -> None:
        self.refresh()
        if self.panel.compares:
            self.panel.comparison.histories.go_on()

    # ---- what is shown ----

    def _checks_changed(self) -> None:
        self.panel.turn(len(self.rows.checked))
        self._show_part()

    def _show_part(self) -> None:
        folder = self.column.list.folder
        chosen = self.rows.summary(folder) if folder else None
        hint = history_words.NOTHING_FOUND if self.rows.total else _READING
        self.panel.show_runs(chosen, self.rows.summaries(self.rows.checked), waits=folder in self._waiting, hint=hint)

    def _uncheck(self) -> None:
        for folder in [*self.rows.checked]:
            self.rows.check(folder, on=False)

    def say(self, sentence: str, hint: str = "", tone: str = "dim") -> None:
        """Above everything; an empty sentence takes it away."""
        sign = {"good": "✓ ", "warning": "▲ ", "bad": "✕ "}.get(tone, "")
        self._said.setText(breakable(printable(f"{sign}{sentence} {hint}".rstrip())) if sentence else "")
        look.set_role(self._said, tone)
        self._said.setVisible(bool(sentence))

    # ---- what is asked ----

    def _act(self, key: str, summary: Summary) -> None:
        self.say("")
        acts = {
            "open": lambda: self.opened.emit(summary.folder),
            "use": lambda: self.model_chosen.emit(summary.model),
            "resume": lambda: self.resumed.emit(summary.folder),
            "queue": lambda: self.orders.add(summary.folder),
            "duplicate": lambda: self.duplicated.emit(summary.config),
            "csv": lambda: self._export_csv([summary]),
            "folder": lambda: self.orders.open_folder(summary.folder),
            "delete": lambda: self._delete(summary),
        }
        acts[key]()

    def _delete_chosen(self) -> None:
        folder = self.column.list.folder
        if (summary := self.rows.summary(folder) if folder else None) and not summary.run.state.alive:
            self._delete(summary)

    def _delete(self, summary: Summary) -> None:
        what = f"Its settings, curves{', checkpoints and model' if summary.model else ' and checkpoints'} go with it."
        if history_questions.delete(self, summary.title, what, waits=summary.folder in self._waiting):
            self.panel.details.forget(summary.folder)
            self.orders.delete(summary.folder)

    def _rename(self) -> None:
        self.panel.one.setChecked(True)
        self.panel.details.field.title.setFocus()
        self.panel.details.field.title.selectAll()

    def _export_csv(self, summaries: list[Summary]) -> None:
        name = summaries[0].folder.name if len(summaries) == 1 else "runs"
        if path := history_questions.where(self, "Export steps", name, "csv"):
            self.orders.export_csv({_called(summary, summaries): summary.folder for summary in summaries}, path)

    def _export_png(self, picture: QImage) -> None:
        if path := history_questions.where(self, "Export chart", "runs", "png"):
            self.orders.export_png(picture, path)

    # ---- seen or not ----

    def showEvent(self, event: QShowEvent) -> None:
        """Look at once, and then now and then."""
        super().showEvent(event)
        self.refresh()
        self._timer.start()

    def hideEvent(self, event: QHideEvent) -> None:
        """Nobody looks."""
        super().hideEvent(event)
        self._timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """A narrow page gives the list less."""
        super().resizeEvent(event)
        if (event.oldSize().width() < _NARROW_PX) != (self.width() < _NARROW_PX):
            self._parts.setSizes([300, 590] if self.width() < _NARROW_PX else [440, 760])


def _called(summary: Summary, among: list[Summary]) -> str:
    """Its title, with the folder's name where another one has the same."""
    same = sum(other.title == summary.title for other in among) > 1
    return f"{summary.title} ({summary.folder.name})" if same else summary.title
