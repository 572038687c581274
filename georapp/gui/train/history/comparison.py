"""Several runs laid over each other: one chart with a line for each, what must be known before they are compared, and a table."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QPushButton,
    QScrollArea,
    QSplitter,
    QVBoxLayout,
    QWidget,
)

from georapp import run_compare
from georapp.gui.plain import breakable, label
from georapp.gui.train.chart_bar import ChartBar
from georapp.gui.train.history import overlay
from georapp.gui.train.history.compare_table import CompareTable
from georapp.gui.train.history.histories import Histories
from georapp.gui.train.history.overlay import Choice
from georapp.gui.train.history.overlay_chart import OverlayChart
from georapp.gui.train.run_words import SIGNS
from georapp.printable import printable
from georapp.run_history import History
from georapp.run_summary import Summary

_DRAW_MS = 600  # between two pictures while histories are read


class Comparison(QWidget):
    """`csv_asked`, `png_asked`: what is shown shall become a file."""

    csv_asked = Signal(object)  # list[Summary]
    png_asked = Signal(object)  # QImage

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.summaries: list[Summary] = []
        self.histories = Histories(self)
        self.choice, self.bar, self.overlay, self.table = QComboBox(self), ChartBar(self), OverlayChart(self), CompareTable(self)
        self.all_settings = QCheckBox("All settings", self)
        self.csv, self.png = QPushButton("Export CSV…", self), QPushButton("Export PNG…", self)
        self._found: list[Choice] = []
        self._wanted: tuple[str, str, str] | None = None  # chosen by a person
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_DRAW_MS)
        self._timer.timeout.connect(self._draw)
        self._lay_out()
        self._connect()

    def _lay_out(self) -> None:
        lower, parts = QWidget(self), QSplitter(Qt.Orientation.Vertical, self)
        below, outer = QVBoxLayout(lower), QVBoxLayout(self)
        for column in (below, outer):
            column.setContentsMargins(0, 0, 0, 0)
            column.setSpacing(8)
        self._notes = QVBoxLayout()
        self._notes.setSpacing(2)
        below.addLayout(self._notes)
        below.addLayout(self._buttons())
        below.addWidget(self.table, 1)
        parts.addWidget(self.overlay)
        parts.addWidget(lower)
        parts.setChildrenCollapsible(False)
        parts.setHandleWidth(9)
        parts.setStyleSheet("QSplitter::handle { background: transparent; }")
        parts.setSizes([380, 420])
        parts.setContentsMargins(0, 0, 8, 0)  # beside the scroll bar
        outer.addLayout(self._choices())  # not inside of it: the wheel would change them
        outer.addWidget(_scrolled(parts), 1)

    def _choices(self) -> QVBoxLayout:
        column = QVBoxLayout()
        column.setSpacing(8)
        self.choice.setAccessibleName("Which chart")
        self.choice.setToolTip("Which value of which stage is laid over each other")
        self.choice.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.choice.setMinimumContentsLength(24)
        column.addWidget(self.choice)
        column.addWidget(self.bar)
        return column

    def _buttons(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setSpacing(8)
        self.all_settings.setToolTip("Also those that are the same")
        self.csv.setToolTip("All steps and measurements of these runs as a table")
        self.png.setToolTip("The chart as it is shown, as a picture")
        row.addWidget(self.all_settings)
        row.addStretch(1)
        row.addWidget(self.csv)
        row.addWidget(self.png)
        return row

    def _connect(self) -> None:
        self.histories.grew.connect(self._soon)
        self.histories.rested.connect(self._rest)
        self.choice.activated.connect(self._choose)
        self.bar.changed.connect(lambda _: self._draw())
        self.all_settings.toggled.connect(lambda _: self._show_table())
        self.csv.clicked.connect(lambda: self.csv_asked.emit(self.summaries))
        self.png.clicked.connect(lambda: self.png_asked.emit(self.overlay.picture()))

    # ---- what is shown ----

    def show_runs(self, summaries: Sequence[Summary]) -> None:
        """These, in the order of their letters: A, B, C. Again when more is known of them; none to let go of what was read."""
        if [*summaries] == self.summaries:
            return
        self.summaries = [*summaries]
        self.histories.want([summary.folder for summary in summaries])
        self._show_notes()
        self._show_table()
        QTimer.singleShot(0, self, self._draw)  # in a turn of its own: a first chart takes some tens of milliseconds

    def _show_notes(self) -> None:
        while item := self._notes.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for note in run_compare.notes(self.summaries):
            text = breakable(printable(f"{SIGNS[note.tone]} {note.sentence}"))
            self._notes.addWidget(label(text, note.tone if note.tone == "warning" else "dim"))

    def _show_table(self) -> None:
        self.table.show_runs(self.summaries, all_of_them=self.all_settings.isChecked())

    def _soon(self) -> None:
        if not self._timer.isActive():
            self._timer.start()

    def _rest(self) -> None:
        """All is read. What was drawn already is not drawn again."""
        if self._timer.isActive() or not self._found:
            self._timer.stop()
            self._draw()

    def _draw(self) -> None:
        """The chart as far as histories were read."""
        if not self.isVisible() or not self.summaries:
            return
        there = self._histories()
        self._show_choices(list(there.values()))
        probes = {summary.data.probe if summary.data else None for summary in self.summaries}
        same = len(probes) == 1 and None not in probes
        names = [summary.title for summary in self.summaries]
        self._say()
        self.overlay.show_lines(self._chosen(), there, names, self.bar.view, with_baseline=same)

    def _histories(self) -> dict[int, History]:
        found = {number: self.histories.history(summary.folder) for number, summary in enumerate(self.summaries)}
        return {number: history for number, history in found.items() if history is not None}

    def _show_choices(self, there: list[History]) -> None:
        found = overlay.choices(there)
        if [one.key for one in found] != [one.key for one in self._found]:
            self._found = found
            self.choice.clear()
            self.choice.addItems([one.title for one in found])
        chosen = self._chosen()
        self.choice.setCurrentIndex(self._found.index(chosen) if chosen else -1)
        for widget in (self.choice, self.bar):
            widget.setEnabled(bool(found))

    def _chosen(self) -> Choice | None:
        return next((one for one in self._found if one.key == self._wanted), None) or overlay.first(self._found)

    def _choose(self, index: int) -> None:
        self._wanted = self._found[index].key
        self._draw()

    def _say(self) -> None:
        percent = self.histories.percent
        reading = f"Reading what the runs have written: {percent} %" if percent is not None else ""
        self.overlay.say(reading or "These runs have not said anything yet that a chart could show.")
        self.bar.setToolTip(reading)
        self.png.setEnabled(bool(self._found))

    # ---- room and colours ----

    def resizeEvent(self, event: QResizeEvent) -> None:
        """As many points as there are pixels."""
        super().resizeEvent(event)
        self._soon()

    def showEvent(self, event: QShowEvent) -> None:
        """What was not drawn while nobody saw it."""
        super().showEvent(event)
        self._soon()

    def changeEvent(self, event: QEvent) -> None:
        """Other colours: drawn again."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_timer"):
            self._soon()

    @property
    def folders(self) -> list[Path]:
        """Of the runs that are shown."""
        return [summary.folder for summary in self.summaries]


def _scrolled(inside: QWidget) -> QScrollArea:
    """So that a low window has room for all of it."""
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setWidget(inside)
    return area
