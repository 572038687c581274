"""The training tab: Configure, Current run, History; and what they want of the rest of the program.

pyqtgraph takes a third of a second to import. That happens on another thread when the tab is first opened, so that the window goes on.
"""

from __future__ import annotations

import functools
import importlib
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QButtonGroup, QFileDialog, QHBoxLayout, QPushButton, QStackedWidget, QVBoxLayout, QWidget

from georapp import model_import, models, run_queue, runs, training_python
from georapp.errors import GeorappError, RunError
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.plain import label
from georapp.gui.session import Session
from georapp.gui.train import run_questions
from georapp.gui.train.run_watch import RunWatch
from georapp.gui.train.sharing import Sharing
from georapp.models import Model
from georapp.run_events import CONFIG, EVENTS
from georapp.run_settings import RunConfig
from georapp.runs import Run
from georapp.training_python import TrainingPython

if TYPE_CHECKING:
    from georapp.gui.train.configure.configure_page import ConfigurePage
    from georapp.gui.train.history.history_page import HistoryPage
    from georapp.gui.train.run.run_page import RunPage

CONFIGURE, CURRENT, HISTORY = "Configure", "Current run", "History"
_TABS = {
    CONFIGURE: "Choose model, photos and settings, and start",
    CURRENT: "What a run does: charts, answers, health",
    HISTORY: "All runs: compare, go on, use their models",
}
_MODULES = tuple(f"georapp.gui.train.{name}.{name}_page" for name in ("configure", "run", "history"))


class TrainPage(QWidget):
    """Nothing of it is made before `begin`."""

    said = Signal(str, bool)  # a sentence, whether it is bad news
    model_used = Signal()  # one that a run has made answers in Locate from now on

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._begun = False
        self.python: TrainingPython | None = None
        self.watch, self.sharing = RunWatch(self), Sharing(self)
        self.configure: ConfigurePage | None = None
        self.current: RunPage | None = None
        self.history: HistoryPage | None = None
        self._pages = QStackedWidget(self)
        self._wait = label("Opening…", "dim")
        self._wait.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._pages.addWidget(self._wait)
        self._head = QHBoxLayout()
        self._make_head()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 12, 0, 0)
        column.setSpacing(0)
        column.addLayout(self._head)
        column.addWidget(self._pages, 1)
        self.watch.changed.connect(self._run_changed)
        self.sharing.rest_asked.connect(session.rest_model)
        self.sharing.wake_asked.connect(lambda: session.use_model(session.settings.model))

    def _make_head(self) -> None:
        self._head.setContentsMargins(16, 0, 16, 0)
        self._head.setSpacing(8)
        self._tabs, group = {}, QButtonGroup(self)
        for name, tip in _TABS.items():
            button = QPushButton(name, self)
            button.setCheckable(True)
            button.setToolTip(tip)
            look.set_role(button, "tab")
            button.clicked.connect(functools.partial(self.show_tab, name))
            group.addButton(button)
            self._head.addWidget(button)
            self._tabs[name] = button
        self.open_button = QPushButton("Follow a run folder…", self)
        self.open_button.setToolTip("Show a run that lies somewhere else: of another machine, or of a cluster")
        self.open_button.clicked.connect(self._ask_folder)
        self._head.addStretch(1)
        self._head.addWidget(self.open_button)

    @property
    def first(self) -> QWidget:
        """Where the keys go when the page comes up."""
        return next((button for button in self._tabs.values() if button.isChecked()), self._tabs[CONFIGURE])

    # ---- beginning ----

    def begin(self) -> None:
        """Make the pages, if they are not there."""
        if not self._begun:
            self._begun = True
            run(lambda: [importlib.import_module(name) for name in _MODULES], self._make_configure, parent=self)
            self.find_python()

    def _make_configure(self, _modules: object) -> None:
        """One page at a turn: each is some tens of milliseconds of work."""
        from georapp.gui.train.configure.configure_page import ConfigurePage

        self.configure = page = ConfigurePage(self)
        page.started.connect(self._started)
        page.queued.connect(self._queued)
        page.python_asked.connect(self._ask_python)
        self._pages.addWidget(page)
        run(lambda: None, self._make_current, parent=self)

    def _make_current(self, _nothing: object) -> None:
        from georapp.gui.train.run.run_page import RunPage

        self.current = page = RunPage(self)
        page.resume_asked.connect(self.resume)
        page.model_chosen.connect(self.use_model)
        self._head.insertWidget(self._head.count() - 1, page.head.line, 100)  # the name takes what room there is
        self._pages.addWidget(page)
        run(lambda: None, self._make_history, parent=self)

    def _make_history(self, _nothing: object) -> None:
        from georapp.gui.train.history.history_page import HistoryPage

        self.history = page = HistoryPage(self)
        page.opened.connect(self.follow)
        page.duplicated.connect(self._duplicate)
        page.resumed.connect(self.resume)
        page.model_chosen.connect(self.use_model)
        page.queue_asked.connect(self._work_off)
        page.configure_asked.connect(lambda: self.show_tab(CONFIGURE))
        self._pages.addWidget(page)
        self.show_tab(CONFIGURE)
        self.watch.seen.connect(self._first_seen)
        self.watch.begin()

    def _first_seen(self, going: Run | None) -> None:
        """A run that goes on is what somebody wants to see who opens this tab."""
        self.watch.seen.disconnect(self._first_seen)
        self.watch.seen.connect(self._seen)
        self._seen(going)
        if going:
            self.follow(going.folder)

    # ---- tabs ----

    def show_tab(self, name: str) -> None:
        """One of CONFIGURE, CURRENT, HISTORY."""
        page = {CONFIGURE: self.configure, CURRENT: self.current, HISTORY: self.history}[name]
        if page is None:
            return
        self._tabs[name].setChecked(True)
        self._pages.setCurrentWidget(page)
        if self.current:
            self.current.head.line.setVisible(name == CURRENT)
        self.open_button.setVisible(name != CONFIGURE)
        if name == HISTORY and self.history:
            self.history.refresh()

    def follow(self, folder: Path) -> None:
        """Show a run under Current run, wherever its folder lies."""
        if self.current:
            if self.current.folder != folder:
                self.current.follow(folder)
            self.show_tab(CURRENT)

    def _ask_folder(self) -> None:
        name = QFileDialog.getExistingDirectory(self, "Follow a run folder", str(runs.home()))
        if name and not (Path(name) / CONFIG).is_file() and not (Path(name) / EVENTS).is_file():
            self.said.emit(f"{name} is no run: it has neither {CONFIG} nor {EVENTS}.", True)
        elif name:
            self.follow(Path(name))

    def _duplicate(self, config: RunConfig) -> None:
        if self.configure:
            self.configure.use_config(config)
            self.show_tab(CONFIGURE)

    # ---- runs ----

    def _started(self, folder: Path) -> None:
        self.follow(folder)
        self.watch.look_soon()

    def _queued(self, folder: Path) -> None:
        self.said.emit(f"{folder.name} waits for its turn: see History.", False)
        self._work_off()

    def _work_off(self) -> None:
        """Let the queue go on, by a process of its own."""
        if python := self.python:
            run(lambda: run_queue.start(python.path), lambda _done: self.watch.look_soon(), parent=self, failed=self._complain)

    def resume(self, folder: Path) -> None:
        """Start a run again, or let it wait for the one that goes on."""
        if self.python is None:
            self._complain(RunError("No Python that can train was found yet.", hint="See under Configure what to install."))
            return
        begin = functools.partial(_begin, folder, self.python.path)
        run(begin, functools.partial(self._resumed, folder), parent=self, failed=self._complain)

    def _resumed(self, folder: Path, waits: bool) -> None:
        if waits:
            self._queued(folder)
        else:
            self._started(folder)

    def _seen(self, going: Run | None) -> None:
        if self.configure:
            self.configure.set_running(going)

    def _run_changed(self, going: Run | None) -> None:
        ready = self._session.ready
        on_gpu = bool(ready and ready.backend == "GPU")
        self.sharing.run_changed(going, python=self.python, model=self._session.model, on_gpu=on_gpu)

    # ---- the training Python ----

    def find_python(self) -> None:
        """Ask the interpreters that there are; takes seconds."""
        chosen = self._session.settings.training_python
        run(lambda: training_python.find(chosen), self._have_python, parent=self, failed=self._no_python)

    def _have_python(self, found: TrainingPython) -> None:
        self.python = found
        if self.configure:
            self.configure.set_python(found)

    def _no_python(self, error: GeorappError) -> None:
        self.python = None
        if self.configure and isinstance(error, RunError):
            self.configure.set_python(error)

    def _ask_python(self) -> None:
        name, _kind = QFileDialog.getOpenFileName(self, "A Python that can train", str(Path.home()))
        if name:
            self._session.keep_settings(replace(self._session.settings, training_python=name))
            self.find_python()

    # ---- a model that was made ----

    def use_model(self, folder: Path) -> None:
        """Copy it to the user's models, and let it answer in Locate."""
        run(lambda: models.read(folder), self._ask_whether, parent=self, failed=self._complain)

    def _ask_whether(self, made: Model) -> None:
        """One that got worse by its training is used by nobody who was not told."""
        if not made.made_by.get("worse") or run_questions.use_worse(self, made.name, made.about):
            run(lambda: model_import.adopt(made.folder), self._use, parent=self, failed=self._complain)

    def _use(self, model: Model) -> None:
        self._session.keep_settings(replace(self._session.settings, model=model.name))
        self._session.use_model(model.name)
        self.said.emit(f"{model.name} answers from now on. It was copied to your models.", False)
        self.model_used.emit()

    def _complain(self, error: GeorappError) -> None:
        self.said.emit(f"{error} {error.hint}".strip(), True)


def _begin(folder: Path, python: Path) -> bool:
    """Start it, or let it wait; whether it waits. Raises RunError."""
    if (going := runs.going_on()) and going.folder.resolve() != folder.resolve():
        run_queue.add(folder)
        return True
    runs.start(folder, runs.command(folder, python))
    return False
