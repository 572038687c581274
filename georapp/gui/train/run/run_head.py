"""The head of the page: which run, what it is doing, what can be asked of it, and a sentence when there is something to say."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label, tooltip
from georapp.gui.train.run_words import SIGNS, Said
from georapp.printable import printable
from georapp.runs import State

_NOT_ALIVE = "Not now: no process works on this run."
_TIPS = {
    "pause": "Wait after this step, and keep everything in memory",
    "go_on": "Let the run go on",
    "save": "Save after this step, and end. It can be resumed.",
    "stop": "End it within seconds. Steps since the last checkpoint may be lost.",
    "folder": "Show the run's files: settings, messages, checkpoints, model",
}


class RunHead(QWidget):
    """Shows and signals. `line`, with the name and the buttons, may be put elsewhere."""

    pause_asked, go_on_asked, save_asked, stop_asked = Signal(), Signal(), Signal(), Signal()
    folder_asked, resume_asked, use_asked = Signal(), Signal(), Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._paused = False
        self.line = QWidget(self)
        self._line = QHBoxLayout(self.line)
        self._line.setContentsMargins(0, 0, 0, 0)
        self._make_line()
        self._make_banner()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(10)
        column.addWidget(self.line)
        column.addWidget(self.banner)

    def _make_line(self) -> None:
        self._name, self._state, self._gpu = _Name(self), label("", "chip", wrap=False), label("", "chip", wrap=False)
        self.pause = self._button("Pause", "pause")
        self.save = self._button("Stop and save", "save", self.save_asked)
        self.stop = self._button("Stop now", "stop", self.stop_asked)
        look.set_role(self.stop, "danger")
        self.folder = self._button("Open folder", "folder", self.folder_asked)
        self.pause.clicked.connect(lambda: (self.go_on_asked if self._paused else self.pause_asked).emit())
        self._line.setSpacing(8)
        self._line.addWidget(self._name, 1)
        for widget in (self._state, self._gpu, self.pause, self.save, self.stop, self.folder):
            self._line.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)

    def _button(self, text: str, name: str, signal: object = None) -> QPushButton:
        made = QPushButton(text, self)
        made.setObjectName(f"run {name}")
        made.setToolTip(_TIPS.get(name, ""))
        if signal is not None:
            made.clicked.connect(signal)
        return made

    def _make_banner(self) -> None:
        self.banner = QFrame(self)
        look.set_role(self.banner, "card")
        self._sign, self._sentence, self._hint = label("", "", wrap=False), label("", ""), label("", "dim")
        self.resume = self._button("Resume", "resume", self.resume_asked)
        self.resume.setToolTip("Start its process again: it goes on from the last checkpoint")
        self.use = self._button("Use this model", "use", self.use_asked)
        self.use.setToolTip("Locate photos with the model that this run has made")
        for button in (self.resume, self.use):
            look.set_role(button, "accent")
        words = QVBoxLayout()
        words.setSpacing(2)
        words.addWidget(self._sentence)
        words.addWidget(self._hint)
        row = QHBoxLayout(self.banner)
        row.setContentsMargins(14, 10, 14, 10)
        row.setSpacing(12)
        row.addWidget(self._sign, 0, Qt.AlignmentFlag.AlignTop)
        row.addLayout(words, 1)
        row.addWidget(self.resume)
        row.addWidget(self.use)
        self.say(Said(""))

    # ---- what is shown ----

    def show_name(self, name: str) -> None:
        """Of the run; a long one is shortened in its middle."""
        self._name.show_name(name)

    def show_state(self, word: str, tone: str, state: State | None, *, pause_asked: bool) -> None:
        """One word, and which buttons can do something."""
        self._state.setText(f"{SIGNS.get(tone, '●')} {word}" if word else "")
        self._state.setVisible(bool(word))
        self._tone = tone
        look.tint(self._state, tone)
        alive = state is not None and state.alive
        self._paused = state is State.PAUSED or pause_asked
        self.pause.setText("Go on" if self._paused else "Pause")
        for button, name, possible in (
            (self.pause, "go_on" if self._paused else "pause", alive and state is not State.STOPPING),
            (self.save, "save", alive and state is not State.STOPPING),
            (self.stop, "stop", alive),
        ):
            button.setEnabled(possible)
            button.setToolTip(_TIPS[name] if possible else "It is saving already." if alive else _NOT_ALIVE)

    def show_gpu(self, text: str) -> None:
        """Memory and temperature, as far as the run tells."""
        self._gpu.setText(text)
        self._gpu.setVisible(bool(text))
        self._gpu.setAccessibleName(f"GPU {text}")

    def say(self, said: Said) -> None:
        """A sentence and what to do; an empty one hides the card."""
        self._sign.setText(SIGNS.get(said.tone, ""))
        for text in (self._sign, self._sentence):
            look.set_role(text, said.tone if said.tone != "dim" else "")
        self._sentence.setText(breakable(printable(" ".join(said.sentence.split()))))
        self._hint.setText(breakable(printable(" ".join(said.hint.split()))))
        self._hint.setVisible(bool(said.hint))
        self.resume.setVisible(said.offer == "resume")
        self.use.setVisible(said.offer == "use")
        self.banner.setAccessibleName(f"{said.sentence} {said.hint}".strip())
        self.banner.setVisible(bool(said.sentence))

    def sentence(self) -> str:
        """What the card says."""
        return self._sentence.text()

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_tone"):
            look.tint(self._state, self._tone)


class _Name(QLabel):
    """Takes what room there is."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._full = ""
        self.setTextFormat(Qt.TextFormat.PlainText)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        look.set_role(self, "title")

    def show_name(self, name: str) -> None:
        """A long one is shortened in its middle."""
        self._full = printable(name)
        self.setToolTip(tooltip(name))
        self.setAccessibleName(f"Run {self._full}")
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """More or less room than before."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        room = max(80, self.width() - 4)
        self.setText(QFontMetrics(self.font()).elidedText(self._full, Qt.TextElideMode.ElideMiddle, room))
