"""The current run: its stages, charts, answers, health and log, while it goes on and when it is over.

`follow` a folder, of this machine or of a share that another one writes to; `leave` it. The run knows nothing of it: a window that is
closed and opened again reads the folder from its beginning.
"""

from __future__ import annotations

import time
from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QSizePolicy, QSplitter, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label
from georapp.gui.train import figures, run_words
from georapp.gui.train.run.chart_wall import ChartWall
from georapp.gui.train.run.completions import Completions
from georapp.gui.train.run.follower import Follower, Look
from georapp.gui.train.run.health_row import HealthCard, HealthRow, lights
from georapp.gui.train.run.log_drawer import LogDrawer
from georapp.gui.train.run.run_head import RunHead
from georapp.gui.train.run.run_orders import RunOrders
from georapp.gui.train.run.stage_row import StageRow, StageShown
from georapp.gui.train.run.strip import Strip
from georapp.gui.train.run_words import Said
from georapp.gui.words import time_left
from georapp.run_history import STEP, History
from georapp.run_reader import Chunk
from georapp.runs import State

REDRAW_S = 0.5  # between two pictures while a long history is read, and at least four times what a picture takes
_CLOSING = "Closing this window does not stop the run."


class RunPage(QWidget):
    """Wires the widgets of this package."""

    resume_asked = Signal(object)  # Path: the run's folder
    model_chosen = Signal(object)  # Path: the model's folder
    group_shown = Signal(object, object)  # truth and points of the answers, for a map
    answer_chosen = Signal(object, object)  # truth and one point

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.folder: Path | None = None
        self.history = History()
        self._look: Look | None = None
        self._chosen_stage = ""  # "" follows the run
        self._complaint: Said | None = None
        self._drawn_at, self._pause_s, self._waits = 0.0, REDRAW_S, False
        self.follower, self.orders = Follower(self), RunOrders(self)
        self.head, self.stages, self.health, self.alert = RunHead(self), StageRow(self), HealthRow(self), HealthCard(self)
        self.wall, self.completions, self.log = ChartWall(self), Completions(self), LogDrawer(self)
        self._lay_out()
        self._connect()
        self._show_no_run()

    def _lay_out(self) -> None:
        self._left = label("", "dim", wrap=False)
        self._strip = Strip(self.stages, [self.health, self._left], self)
        self._parts = QSplitter(Qt.Orientation.Vertical, self)
        self._parts.setChildrenCollapsible(False)
        self._parts.setHandleWidth(9)
        self._parts.setStyleSheet("QSplitter::handle { background: transparent; }")
        for widget, share in ((self.wall, 5), (self.completions, 3), (self.log, 2)):
            self._parts.addWidget(widget)
            self._parts.setStretchFactor(self._parts.count() - 1, share)
        self._parts.setSizes([384, 266, 160])
        self.log.hide()
        self._foot = self._make_foot()
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 8)
        column.setSpacing(10)
        for part in (self.head, self._strip, self.alert):
            column.addWidget(part)
        column.addWidget(self._parts, 1)
        column.addWidget(self._foot)

    def _make_foot(self) -> QWidget:
        foot = QWidget(self)
        self._facts, self._closing = label("", "dim", wrap=False), label(_CLOSING, "dim", wrap=False)
        self.log_button = QPushButton("Log", foot)
        self.log_button.setToolTip("The last lines of log.txt")
        look.set_role(self.log_button, "quiet")
        row = QHBoxLayout(foot)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(16)
        self._facts.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self._facts, 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self._closing, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.log_button)
        return foot

    def _connect(self) -> None:
        self.follower.grew.connect(self._take)
        self.follower.looked.connect(self._take_look)
        self.wall.rested.connect(self._rested)
        self.stages.chosen.connect(self._choose_stage)
        self.health.chosen.connect(self.alert.toggle)
        self.log_button.clicked.connect(self._toggle_log)
        self.completions.group_shown.connect(self.group_shown)
        self.completions.answer_chosen.connect(self.answer_chosen)
        self.head.pause_asked.connect(self.orders.pause)
        self.head.go_on_asked.connect(self.orders.go_on)
        self.head.save_asked.connect(self.orders.save)
        self.head.stop_asked.connect(self._stop_now)
        self.head.folder_asked.connect(self.orders.open_folder)
        self.orders.done.connect(self.follower.look_soon)
        self.orders.complained.connect(self._complain)
        self.head.resume_asked.connect(lambda: self.resume_asked.emit(self.folder))
        self.head.use_asked.connect(self._use_model)

    # ---- which run ----

    def follow(self, folder: Path) -> None:
        """Show the run in a folder, from its beginning, and go on with it."""
        self.leave()
        self.folder = self.orders.folder = folder
        self.head.show_name(folder.name)
        self.head.folder.setEnabled(True)
        self.wall.show_nothing("Reading what the run has written…")
        self.follower.log_wanted = not self.log.isHidden()
        self.follower.follow(folder)

    def leave(self) -> None:
        """Show no run. The run itself goes on."""
        self.follower.leave()
        self.folder = self.orders.folder = None
        self._look, self._chosen_stage, self._complaint = None, "", None
        self.history = History()
        self._drawn_at, self._pause_s, self._waits = 0.0, REDRAW_S, False
        self._show_no_run()

    def _show_no_run(self) -> None:
        self.head.show_name("Current run")
        self.head.show_state("", "dim", None, pause_asked=False)
        self.head.folder.setEnabled(False)
        self.head.show_gpu("")
        self.head.say(Said(""))
        for widget in (self._strip, self.alert, self.completions, self.log):
            widget.hide()
        self._foot.hide()
        self.wall.show_nothing(run_words.NO_RUN)

    # ---- news ----

    def _take(self, chunk: Chunk) -> None:
        """More of the history. While there is yet more, pictures are drawn now and then only."""
        if chunk.restarted:
            self.history = History()
        self.history.take(chunk.seen)
        reading = chunk.offset < chunk.size and bool(chunk.seen)
        due = not reading or time.monotonic() - self._drawn_at > self._pause_s
        if due and (chunk.seen or chunk.restarted or self._drawn_at == 0 or not reading):
            self._drawn_at = time.monotonic()
            self._say_reading(chunk if reading else None)
            self._show(fresh=bool(chunk.seen) or chunk.restarted, whole=not reading)
        if self.wall.busy:
            self._waits = True
        else:
            self.follower.go_on()

    def _rested(self) -> None:
        if self._waits:
            took = time.monotonic() - self._drawn_at
            self._pause_s = max(REDRAW_S, 5 * took)
            self._waits = False
            self.follower.go_on()

    def _take_look(self, seen: Look) -> None:
        self._look = seen
        if seen.log is not None:
            self.log.show_log(seen.log)
        self._show_state()

    def _say_reading(self, chunk: Chunk | None) -> None:
        self._reading = f"Reading the history: {100 * chunk.offset // max(1, chunk.size)} %" if chunk else ""

    _reading = ""

    # ---- what is shown ----

    @property
    def stage(self) -> str:
        """Whose charts are shown: the chosen one, or the last with steps."""
        if self._chosen_stage and len(self.history.table(self._chosen_stage, STEP)):
            return self._chosen_stage
        with_steps = [name for name in run_words.STAGES if len(self.history.table(name, STEP))]
        going_on = self.history.stage if self.history.stage in with_steps else ""
        return going_on or (with_steps[-1] if with_steps else "")

    def _show(self, *, fresh: bool, whole: bool = True) -> None:
        if self.folder is None:
            return
        self._show_state()
        if fresh or not self.wall.stage:
            self._show_charts()
        if fresh and whole:
            self._show_answers()
        self._show_foot()

    def _show_charts(self) -> None:
        stage = self.stage
        if stage:
            self.wall.show_history(self.history, stage)
        else:
            self.wall.show_nothing("The charts begin with the first step.")

    def _show_answers(self) -> None:
        """Not while a long history is read: each photo and map on the way would take longer than the reading."""
        places = self.history.places.get(self.stage, [])
        self.completions.setVisible(bool(places))
        if places and self.folder:
            self.completions.show_places(self.folder, places)

    def _show_state(self) -> None:
        if self._look is None or self.folder is None:
            return
        seen = self._look
        word, tone = run_words.short(seen.run, seen.there)
        self.head.show_state(word, tone, seen.run.state if seen.there else None, pause_asked=seen.pause_asked)
        said = run_words.state(seen.run, self.history, there=seen.there, pause_asked=seen.pause_asked)
        self.head.say(self._complaint or said)
        self._show_strip()

    def _show_strip(self) -> None:
        self._strip.show()
        self._foot.show()
        stage, shown = self.stage, []
        for name in self._stage_names():
            seen = self.history.stages.get(name)
            sign, means = run_words.stage_sign(seen, name, self._look.run if self._look else None)
            fact = run_words.stage_fact(seen, self.history, name)
            charts = bool(len(self.history.table(name, STEP)))
            shown.append(StageShown(name, run_words.stage_name(name), sign, means, fact, charts, charts and name == stage))
        self.stages.show_stages(shown)
        self.health.show_lights(lights(self.history, stage))
        runs_on = self._look is not None and self._look.run.state is State.RUNNING
        left = time_left(self.history.seconds_left(self.history.stage)) if runs_on else ""
        self._left.setText(left)
        self._left.setToolTip(f"Of stage {run_words.stage_name(self.history.stage)}, as its last steps went" if left else "")
        self._left.setVisible(bool(left))

    def _stage_names(self) -> list[str]:
        """The known ones in their order, and what a newer version may have."""
        return [*run_words.STAGES, *(name for name in self.history.stages if name not in run_words.STAGES)]

    def _show_foot(self) -> None:
        table, kept = self.history.table(self.stage, STEP), self.history.checkpoint
        seconds, tokens = table.last("step_time"), table.last("tokens_per_s")
        facts = [
            self._reading,
            f"{figures.number(seconds)} s a step" if seconds else "",
            f"{tokens:,.0f} tokens/s" if tokens else "",
            f"checkpoint of step {kept.step:,} in {run_words.stage_name(kept.stage)}" if kept else "",
        ]
        self._facts.setText("   ·   ".join(fact for fact in facts if fact))
        memory, heat = table.last("gpu_memory_gb"), table.last("gpu_temperature_c")
        gpu = [f"{memory:.1f} GB" if memory is not None else "", f"{heat:.0f} °C" if heat is not None else ""]
        words = " · ".join(part for part in gpu if part)
        self.head.show_gpu(f"GPU {words}" if words else "")

    def _choose_stage(self, name: str) -> None:
        """A click on the stage that goes on follows the run again."""
        self._chosen_stage = "" if name == self.history.stage else name
        self._show(fresh=True)

    def _complain(self, said: Said | None) -> None:
        self._complaint = said
        self._show_state()

    def _stop_now(self) -> None:
        if self._look is not None:
            self.orders.stop_now(run_words.lost(self._look.run, self.history))

    def _use_model(self) -> None:
        if self.folder and self.history.model:
            self.model_chosen.emit(self.folder / self.history.model)

    def _toggle_log(self) -> None:
        self.log.setVisible(self.log.isHidden())
        self.follower.log_wanted = not self.log.isHidden()
        self.follower.look_soon()
