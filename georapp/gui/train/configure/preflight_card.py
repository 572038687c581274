"""Whether the run can be started: reasons, memory, time, disk, what differs from the preset, the command; and the start itself."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtWidgets import QBoxLayout, QFrame, QGridLayout, QHBoxLayout, QPushButton, QSizePolicy, QWidget

from georapp.errors import GeorappError
from georapp.gui import look
from georapp.gui.plain import label
from georapp.gui.train.configure.card import scrolled
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.preflight_list import PreflightList
from georapp.gui.train.configure.preflight_words import suggested_name, summary
from georapp.gui.train.configure.setting_editors import TypedField
from georapp.gui.train.configure.setting_list import SETTINGS
from georapp.gui.train.elided import Elided
from georapp.run_preflight import Preflight, Reason
from georapp.runs import Run

WIDE_PX = 348
_DETAILS_PX = 280
_NAMED_BY = frozenset({"name", "model.base", "album.sources"})


class PreflightCard(QFrame):
    """Stands beside the cards, or below them as one line with details on demand."""

    start_asked = Signal()

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "chart")
        self.setAccessibleName("Preflight")
        self._draft = draft
        self._ready, self._starting, self._waits = False, False, False
        self._tone = "dim"
        self.list = PreflightList()
        self._head, self._foot = QWidget(self), QWidget(self)
        self._lay_out_head()
        self._lay_out_foot()
        self._scroll = scrolled(self.list, self)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(14, 10, 14, 12)
        self._grid.setSpacing(10)
        self._narrow: bool | None = None
        self._details_px = 0
        self.set_narrow(False)
        draft.changed.connect(self._refresh)
        self._refresh(_NAMED_BY)
        self.show_checking()

    def _lay_out_head(self) -> None:
        self.title, self._first = label("", "title", wrap=False), Elided("", "dim", self)
        self.details = QPushButton("Details ▴", self)
        self.details.setCheckable(True)
        self.details.setToolTip("Reasons, memory, time, disk, differences and the command")
        self.details.toggled.connect(lambda _on: self._arrange())
        row = QHBoxLayout(self._head)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(10)
        row.addWidget(self.title, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._first, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.details)

    def _lay_out_foot(self) -> None:
        self.name = TypedField(SETTINGS["name"], self)
        self.name.setAccessibleName("Name of the run")
        self.name.setToolTip("Its folder is called by the day and this name")
        self.name.setMinimumWidth(150)
        self.name.edited.connect(lambda value, typing: self._draft.set("name", value.strip(), typing=typing))
        self.start = QPushButton("Start", self)
        look.set_role(self.start, "accent")
        self.start.clicked.connect(self.start_asked)
        self._foot_row = QBoxLayout(QBoxLayout.Direction.TopToBottom, self._foot)
        self._foot_row.setContentsMargins(0, 0, 0, 0)
        self._foot_row.setSpacing(8)
        self._foot_row.addWidget(self.name)
        self._foot_row.addWidget(self.start)

    # ---- where it stands ----

    def set_narrow(self, narrow: bool, page_px: int = 600) -> None:
        """Below the cards of a page that is so high."""
        details_px = max(120, min(_DETAILS_PX, page_px * 2 // 5))
        if (narrow, details_px) != (self._narrow, self._details_px):
            self._narrow, self._details_px = narrow, details_px
            self._arrange()

    def _arrange(self) -> None:
        for widget in (self._head, self._foot, self._scroll):
            self._grid.removeWidget(widget)
        if self._narrow:
            self._grid.addWidget(self._scroll, 0, 0, 1, 2)
            self._grid.addWidget(self._head, 1, 0)
            self._grid.addWidget(self._foot, 1, 1)
            self._scroll.setFixedHeight(self._details_px)
        else:
            self._grid.addWidget(self._head, 0, 0)
            self._grid.addWidget(self._scroll, 1, 0)
            self._grid.addWidget(self._foot, 2, 0)
            self._scroll.setMinimumHeight(60)
            self._scroll.setMaximumHeight(16_777_215)
        self._grid.setColumnStretch(0, 1)
        self._scroll.setVisible(not self._narrow or self.details.isChecked())
        self.details.setText("Details ▾" if self.details.isChecked() else "Details ▴")
        self.details.setVisible(bool(self._narrow))
        self._first.setVisible(bool(self._narrow))
        row, column = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._foot_row.setDirection(row if self._narrow else column)
        self.setFixedWidth(WIDE_PX) if not self._narrow else self._free_width()
        self.setSizePolicy(
            QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed if self._narrow else QSizePolicy.Policy.Expanding
        )

    def _free_width(self) -> None:
        self.setMinimumWidth(0)
        self.setMaximumWidth(16_777_215)

    # ---- what is shown ----

    def show_checking(self) -> None:
        """Nothing is known yet."""
        self._say_state("…  Checking", "dim", ready=False)

    def show_impossible(self, error: GeorappError) -> None:
        """The settings make no run."""
        self._say_state("✕  Not ready", "bad", ready=False)
        self._first.show_text(str(error))
        self.list.show_preflight(Preflight(reasons=(Reason(str(error), error.hint),)))  # numbers of other settings would mislead

    def show_preflight(self, found: Preflight) -> None:
        """All that is known."""
        stops = [reason for reason in found.reasons if reason.stops]
        warns = [reason for reason in found.reasons if not reason.stops]
        self._say_state("✓  Ready" if found.ready else "✕  Not ready", "good" if found.ready else "bad", ready=found.ready)
        self._first.show_text(next((reason.sentence for reason in (*stops, *warns)), summary(found)))
        self.list.show_preflight(found)

    def show_waits(self, running: Run | None) -> None:
        """Another run goes on, so that this one would wait."""
        self._waits = running is not None and running.state.alive
        self._show_start()

    def show_starting(self, starting: bool) -> None:
        """It is being made and started."""
        self._starting = starting
        self._show_start()

    def show_not_started(self, error: GeorappError) -> None:
        """Why it could not be started."""
        self.show_starting(False)
        self.list.show_complaint(error)
        self._first.show_text(str(error))
        self._scroll.verticalScrollBar().setValue(0)

    def _say_state(self, text: str, tone: str, *, ready: bool) -> None:
        self.title.setText(text)
        self._tone, self._ready = tone, ready
        look.tint(self.title, tone)
        self._show_start()

    def _show_start(self) -> None:
        word = "Add to queue" if self._waits else "Start"
        self.start.setText("Starting…" if self._starting else word)
        self.start.setEnabled(self._ready and not self._starting)
        tip = (
            "Another run goes on: this one begins when it has ended"
            if self._waits
            else "Make a run folder and start (Ctrl+Return)"
        )
        self.start.setToolTip(tip if self._ready else "Not yet: see the reasons")

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "title"):
            look.tint(self.title, self._tone)

    def suggested(self) -> str:
        """A name for a run that nobody named."""
        sources = self._draft.value("album.sources")
        return suggested_name(str(self._draft.value("model.base")), sources if isinstance(sources, tuple) else ())

    def _refresh(self, keys: frozenset[str]) -> None:
        if keys & _NAMED_BY:
            self.name.show_value(self._draft.value("name"))
            self.name.setPlaceholderText(f"Name: {self.suggested()}")
        self.list.differences.show_differences(self._draft.differences(), self._draft.preset)
