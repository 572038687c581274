"""The page on which a run is configured: model, album, parameters, pipeline; and beside them whether it can be started.

All of it shows and changes one draft. What takes time is done on other threads, and what was asked anew meanwhile is dropped.
"""

from __future__ import annotations

import functools

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QKeySequence, QResizeEvent, QShortcut, QShowEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from georapp.base_model import BaseModel
from georapp.errors import GeorappError, RunError
from georapp.gui import look
from georapp.gui.dropped import from_mime
from georapp.gui.plain import breakable, label
from georapp.gui.train.configure.album_card import AlbumCard
from georapp.gui.train.configure.card import STYLE, Card, Column, scrolled
from georapp.gui.train.configure.card_row import CardRow
from georapp.gui.train.configure.configure_work import ConfigureWork
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.model_card import ModelCard
from georapp.gui.train.configure.parameters_card import ParametersCard
from georapp.gui.train.configure.pipeline_card import PipelineCard
from georapp.gui.train.configure.preflight_card import PreflightCard
from georapp.gui.train.configure.toml_menu import TomlMenu
from georapp.printable import printable
from georapp.run_preflight import Preflight
from georapp.run_settings import RunConfig
from georapp.runs import Run
from georapp.training_python import TrainingPython

NARROW_PX = 1000  # below this the preflight stands under the cards


class ConfigurePage(QWidget):
    """`started`, `queued`: the folder of a run that was made here; `python_asked`: another training Python is to be chosen."""

    started = Signal(object)  # Path
    queued = Signal(object)  # Path
    python_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setStyleSheet(STYLE)
        self.setAcceptDrops(True)
        self.draft = Draft(self)
        self.work = ConfigureWork(self.draft, self)
        self.row = CardRow(("Model", "Album", "Parameters", "Pipeline"), self)
        self.undo, self.redo = self._tool("↶", "Undo (Ctrl+Z)"), self._tool("↷", "Redo (Ctrl+Shift+Z)")
        self.menu = TomlMenu(self.draft, self)
        self._said = label("", "dim")
        self.model, self.album = ModelCard(self.draft), AlbumCard(self.draft)
        self.parameters, self.pipeline = ParametersCard(self.draft), PipelineCard(self.draft)
        self.preflight = PreflightCard(self.draft)
        self.cards: tuple[Card, ...] = (self.model, self.album, self.parameters, self.pipeline)
        self._lay_out()
        self._connect()
        self._shortcuts()
        self._show_undo()

    def _tool(self, sign: str, name: str) -> QPushButton:
        made = QPushButton(sign, self)
        look.set_role(made, "quiet")
        made.setAccessibleName(name.partition(" ")[0])
        made.setToolTip(name)
        return made

    # ---- layout ----

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.row, 1)
        for widget in (self.undo, self.redo, self.menu):
            head.addWidget(widget)
        self._said.hide()
        inner = Column()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 6, 0)
        column.setSpacing(12)
        self._area = scrolled(inner, self)
        for card in self.cards:
            column.addWidget(card)
        column.addStretch(1)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._both.setSpacing(12)
        self._both.addWidget(self._area, 1)
        self._both.addWidget(self.preflight)
        page = QVBoxLayout(self)
        page.setContentsMargins(16, 8, 16, 8)
        page.setSpacing(8)
        page.addLayout(head)
        page.addWidget(self._said)
        page.addLayout(self._both, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The preflight goes where there is room."""
        super().resizeEvent(event)
        narrow = self.width() < NARROW_PX
        self.preflight.set_narrow(narrow, self.height())
        row, column = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        self._both.setDirection(column if narrow else row)

    # ---- wiring ----

    def _connect(self) -> None:
        work, check, preflight = self.work, self.work.check, self.preflight
        self.row.chosen.connect(self.go_to_card)
        self.undo.clicked.connect(self.draft.undo)
        self.redo.clicked.connect(self.draft.redo)
        self.menu.said.connect(self._say)
        self.draft.changed.connect(self._changed)
        check.base_busy.connect(self.model.show_busy)
        check.base_read.connect(self._show_base)
        check.impossible.connect(self._show_impossible)
        check.checked.connect(self._show_checked)
        check.album_fits.connect(lambda fits: self.album.show_again() if fits else self.album.show_old())
        work.wire_album(self.album)
        work.wire_preview(self.pipeline)
        work.wire_start(preflight)
        for asked in (self.pipeline.preview_asked, work.preview.done):
            asked.connect(lambda *_news: QTimer.singleShot(0, self, self._see_preview))
        for told in (work.scan.progress, work.scan.done, work.scan.failed, work.scan.cancelled):
            told.connect(lambda *_news: self._show_row())
        work.said.connect(self._say)
        work.started.connect(self.started)
        work.queued.connect(self.queued)
        preflight.list.python.asked.connect(self.python_asked)
        preflight.list.differences.chosen.connect(self.go_to)
        preflight.list.differences.all_back.connect(self.draft.all_back)
        self.parameters.went_to.connect(lambda field: self._area.ensureWidgetVisible(field, 0, 80))

    def _shortcuts(self) -> None:
        for keys, action in (
            ("Ctrl+Z", self.draft.undo),
            ("Ctrl+Shift+Z", self.draft.redo),
            ("Ctrl+Y", self.draft.redo),
            ("Ctrl+F", self._search),
            ("Ctrl+Return", self.preflight.start.click),
            *((f"Alt+{n + 1}", functools.partial(self.go_to_card, n)) for n in range(len(self.cards))),
        ):
            shortcut = QShortcut(QKeySequence(keys), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(action)

    def showEvent(self, event: QShowEvent) -> None:
        """The first time: read the draft, look at its model."""
        super().showEvent(event)
        self.work.begin()

    # ---- from outside ----

    def set_python(self, python: TrainingPython | RunError | None) -> None:
        """The Python that would train; None while one is looked for."""
        self.preflight.list.python.show_python(python)
        self.work.set_python(python)

    def set_running(self, running: Run | None) -> None:
        """The run that goes on, behind which a new one would wait."""
        self.preflight.show_waits(running)
        self.work.check.set_running(running)

    def use_config(self, config: RunConfig) -> None:
        """All settings of another run, to begin a new one with."""
        self.draft.use(config)
        self._say("All settings are those of the other run.", "Ctrl+Z takes it back.", False)

    # ---- moving ----

    def go_to_card(self, n: int) -> None:
        """Scroll to a card and put the focus in it."""
        card = self.cards[n]
        self._area.verticalScrollBar().setValue(card.y())
        first = (self.model.folder, self.album.sources.add_folder, self.parameters.search, self.pipeline.switches["sft"])[n]
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def go_to(self, key: str) -> None:
        """Scroll to a setting."""
        if key == "album.home_zones":
            self._area.ensureWidgetVisible(self.album.zones)
            self.album.zones.place.setFocus()
        elif key in self.pipeline.fields or key.endswith(".enabled"):
            self.go_to_card(3)
        else:
            self.parameters.go_to(key)

    def _see_preview(self) -> None:
        """When it was laid out."""
        if self.pipeline.view is not None:
            self._area.ensureWidgetVisible(self.pipeline.view, 0, 16)

    def _search(self) -> None:
        self.go_to_card(2)
        self.parameters.search.selectAll()

    # ---- what is shown ----

    def _changed(self, _keys: frozenset[str]) -> None:
        self._said.hide()
        self._show_undo()
        self._show_row()

    def _show_undo(self) -> None:
        self.undo.setEnabled(self.draft.can_undo)
        self.redo.setEnabled(self.draft.can_redo)

    def _show_base(self, base: BaseModel | GeorappError | None) -> None:
        self.model.show_base(base)
        self._show_row()

    def _show_impossible(self, error: GeorappError) -> None:
        self.preflight.show_impossible(error)
        self._show_row()

    def _show_checked(self, found: Preflight) -> None:
        self.preflight.show_preflight(found)
        self.pipeline.show_steps({"sft": found.steps_sft, "grpo": found.steps_grpo})
        self._show_row()

    def _show_row(self) -> None:
        for n, (sign, fact) in enumerate(self.work.signs()):
            self.row.say(n, sign, fact)

    def _say(self, sentence: str, hint: str, bad: bool) -> None:
        self._said.setText(breakable(printable(" ".join(part for part in ("✕" if bad else "", sentence, hint) if part))))
        look.set_role(self._said, "bad" if bad else "dim")
        self._said.show()

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """A run.toml may be dropped anywhere."""
        if any(path.suffix == ".toml" for path in from_mime(event.mimeData())):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        """Take its settings."""
        file = next((path for path in from_mime(event.mimeData()) if path.suffix == ".toml"), None)
        if file:
            event.acceptProposedAction()
            self.menu.open(file)
