"""The panel of the answer: the ladder, what it amounts to, candidates, the model's text, and what a person decided.

It shows one photo at a time. Everything that a model or a file said is shown as plain characters.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QVBoxLayout, QWidget

from georapp import events
from georapp.case import Answer, Row, Verdict
from georapp.chain import Level
from georapp.gui import look
from georapp.gui.answer import answer_words
from georapp.gui.answer.ladder import Ladder
from georapp.gui.answer.model_text import ModelText
from georapp.gui.answer.parts import Candidates, Earlier, Failure, Line, Summary
from georapp.gui.answer.verdict_bar import VerdictBar
from georapp.gui.plain import label, shown
from georapp.prediction import Prediction

_NARROWEST = 300  # logical pixels
_NO_PHOTO = "No photo is chosen."
_NO_ANSWER = "There is no answer yet."
_READ_ONLY = "This case is only read here; somebody else is writing it."


class AnswerPanel(QFrame):
    """What is known of one photo. `ladder` and `verdict_bar` may be used directly."""

    candidate_chosen = Signal(object)  # Coordinate, to be shown on the map
    rung_chosen = Signal(object)  # Level
    answer_chosen = Signal(int)  # index of an earlier answer
    retried = Signal(int)  # number of the photo that failed

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.ladder, self.verdict_bar = Ladder(), VerdictBar()
        self._row: Row | None = None
        self._answered = self._read_only = False
        self._message = label("", "dim")
        self._earlier, self._failure, self._summary = Earlier(), Failure(), Summary()
        self._truth, self._verdict = Line("ring"), Line("square")
        self._candidates, self._text, self._about = Candidates(), ModelText(), label("", "dim")
        self._arrange()
        self._connect()
        self.show_empty(_NO_PHOTO)

    def _arrange(self) -> None:
        look.set_role(self, "panel")
        self.setMinimumWidth(_NARROWEST)
        body = QWidget()
        parts = QVBoxLayout(body)
        parts.setContentsMargins(16, 16, 12, 16)
        parts.setSpacing(12)
        parts.addWidget(label("CHAIN OF REGION", "heading"))
        about = (self._earlier, self._message, self._failure, self.ladder, self._summary, self._truth)
        for part in (*about, self._candidates, self._text, self._about):
            parts.addWidget(part)
        parts.addStretch()
        foot = QVBoxLayout()
        foot.setContentsMargins(16, 12, 16, 16)
        foot.setSpacing(8)
        foot.addWidget(self._verdict)
        foot.addWidget(self.verdict_bar)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(_scrolled(body), 1)
        layout.addWidget(_Rule())
        layout.addLayout(foot)

    def _connect(self) -> None:
        self.ladder.rung_chosen.connect(self.rung_chosen)
        self.ladder.place_chosen.connect(self.candidate_chosen)
        self._candidates.chosen.connect(self.candidate_chosen)
        self._earlier.activated.connect(self.answer_chosen)
        self._failure.again.clicked.connect(lambda: self.retried.emit(self._row.number) if self._row else None)

    # ---- states ----

    def show_empty(self, text: str) -> None:
        """No photo; what to do instead."""
        self._turn_to(None)
        self._clear(text)

    def show_waiting(self, row: Row) -> None:
        """A photo whose turn has not come."""
        self._turn_to(row)
        self._clear("This photo waits for its turn." if row.state.value == "waiting" else f"This photo was {row.state.value}.")

    def begin(self, row: Row, samples: int) -> None:
        """A model has been asked for so many samples."""
        self._turn_to(row)
        self._clear("")
        self.ladder.begin(samples=samples)
        self._text.begin(samples)

    def add_region(self, level: Level, name: str) -> None:
        """The first sample has written a region."""
        self.ladder.light(level, name)

    def add_text(self, sample: int, piece: str) -> None:
        """A sample, counted from 0, has written on."""
        self._text.add(sample, piece)

    def show_answer(self, row: Row, answers: Sequence[Answer], index: int) -> None:
        """One of the stored answers to a photo. Newest last."""
        same_photo = self._row is not None and self._row.number == row.number
        self._turn_to(row)
        chosen = answers[index]
        prediction = chosen.located.prediction
        if not same_photo or self._answered:
            self.ladder.clear()  # nothing was written here a moment ago
        self._answered = True
        self._message.hide()
        self._failure.hide()
        self.ladder.show_prediction(prediction)
        self._summary.show_prediction(prediction)
        self._candidates.set_candidates(prediction.candidates, samples=len(prediction.samples))
        self._text.set_samples(prediction.samples)
        self._earlier.show_answers(answers, index)
        self._tell_about(chosen, prediction)
        self._refresh_bar()

    def show_failure(self, row: Row, failed: events.Failed) -> None:
        """Why there is no answer, what to do, and what the model wrote before."""
        self._turn_to(row)
        self._clear("")
        self._failure.show_failed(failed)
        self._text.set_texts(failed.texts)

    # ---- what others know of it ----

    def set_truth(self, text: str, tone: str) -> None:
        """How the answer compares with the place in the file. `tone`: "good", "warning", "bad" or "dim"; empty text hides it."""
        self._truth.say(shown(text, longest=300), tone)

    def set_verdicts(self, verdicts: Sequence[Verdict]) -> None:
        """All decisions about the photo, newest last."""
        if not verdicts:
            self._verdict.say("", "")
            return
        lines = [answer_words.verdict(verdict) for verdict in reversed(verdicts)]
        earlier = len(lines) - 1
        more = f" ({earlier} earlier decision{'' if earlier == 1 else 's'})" if earlier else ""
        self._verdict.say(lines[0] + more, "", more="\n".join(lines))

    def set_read_only(self, read_only: bool) -> None:
        """Whether the case cannot be changed from here."""
        self._read_only = read_only
        self._refresh_bar()

    def texts(self) -> dict[str, str]:
        """What is visible, by part: for screen readers' summaries and tests."""
        parts: dict[str, QLabel | Line] = {
            "message": self._message,
            "truth": self._truth,
            "verdict": self._verdict,
            "about": self._about,
        }
        found = {name: part.text() for name, part in parts.items() if not part.isHidden()}
        if not self._summary.isHidden():
            found["summary"] = self._summary.text()
        if not self._failure.isHidden():
            found["failure"] = self._failure.text()
        if not self._text.isHidden():
            found["model text"] = self._text.text()
        return found

    # ---- inside ----

    def _turn_to(self, row: Row | None) -> None:
        """Another photo takes nothing over from the one before."""
        before, self._row = self._row, row
        if before is None or row is None or before.number != row.number:
            self.verdict_bar.reset()
            self.set_truth("", "dim")
            self.set_verdicts(())

    def _clear(self, message: str) -> None:
        self._answered = False
        self._message.setText(message)
        self._message.setVisible(bool(message))
        self.set_truth("", "dim")
        self.ladder.clear()
        self._candidates.set_candidates((), samples=0)
        self._text.begin(0)
        for part in (self._earlier, self._failure, self._summary, self._about):
            part.hide()
        self._refresh_bar()

    def _tell_about(self, chosen: Answer, prediction: Prediction) -> None:
        made = f"Answered by {shown(chosen.model)}, {answer_words.moment(chosen.at)}."
        self._about.setText(f"{made}\n{answer_words.speed(prediction.timing, len(prediction.samples))}")
        self._about.show()

    def _refresh_bar(self) -> None:
        reason = _NO_PHOTO if self._row is None else _READ_ONLY if self._read_only else ""
        self.verdict_bar.set_blocked(reason, answer="" if self._answered else _NO_ANSWER)
        self._failure.again.setEnabled(not reason)
        self._failure.again.setToolTip(reason or "Ask the model once more (Space)")


def _scrolled(body: QWidget) -> QScrollArea:
    area = QScrollArea()
    area.setWidgetResizable(True)
    area.setFrameShape(QFrame.Shape.NoFrame)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(body)
    for part in (body, area.viewport()):
        part.setAutoFillBackground(False)
    return area


class _Rule(QWidget):
    """A thin line between what scrolls and what stays."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        """In the colour of all lines."""
        QPainter(self).fillRect(event.rect(), QColor(look.current().line))
