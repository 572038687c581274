"""Parts of the answer's panel: lines with a symbol, candidates, cards, and the choice among several answers."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QWheelEvent
from PySide6.QtWidgets import QAbstractButton, QComboBox, QFrame, QHBoxLayout, QPushButton, QSizePolicy, QVBoxLayout, QWidget

from georapp import events
from georapp.case import Answer
from georapp.gui import look
from georapp.gui.answer import answer_words
from georapp.gui.plain import label, shown, tooltip
from georapp.notation import Notation, write
from georapp.prediction import Candidate, Prediction

_SYMBOL = 12  # logical pixels
_NUMBER = 18
_CANDIDATES = 9  # that are listed


class Line(QWidget):
    """A symbol and a sentence: a ring is the truth, a square a person's decision. Hidden while it says nothing."""

    def __init__(self, shape: str) -> None:
        super().__init__()
        self._shape = shape
        self._text = label("", "")
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_SYMBOL + 8, 0, 0, 0)
        layout.addWidget(self._text)
        self.say("", "")

    def say(self, text: str, role: str, *, more: str = "") -> None:
        """Show a sentence; empty hides the line."""
        self._text.setText(text)
        look.set_role(self._text, role)
        self.setToolTip(tooltip(more))
        self.setAccessibleName(text)
        self.setVisible(bool(text))

    def text(self) -> str:
        """What it says."""
        return self._text.text()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The symbol beside the first line."""
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle = self._text.geometry().top() + self._text.fontMetrics().height() / 2
        place = QRectF(1, middle - _SYMBOL / 2 + 1, _SYMBOL - 2, _SYMBOL - 2)
        if self._shape == "ring":
            painter.setPen(QPen(QColor(colours.truth), 2.5))
            painter.drawEllipse(place)
        else:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(colours.human))
            painter.drawRoundedRect(place, 2, 2)


class Candidates(QWidget):
    """Groups of samples by place, numbered as on the map."""

    chosen = Signal(object)  # Coordinate

    def __init__(self) -> None:
        super().__init__()
        self._rows = [_CandidateRow(i + 1) for i in range(_CANDIDATES)]  # made once: Tab finds them where they stand
        self._more = label("", "dim")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(label("CANDIDATES", "heading"))
        layout.addSpacing(4)
        for row in self._rows:
            layout.addWidget(row)
            row.clicked.connect(lambda _checked=False, row=row: self._choose(row))
        layout.addWidget(self._more)

    def set_candidates(self, candidates: Sequence[Candidate], *, samples: int) -> None:
        """Replace the list; hidden while it is empty."""
        for i, row in enumerate(self._rows):
            row.show_candidate(candidates[i] if i < len(candidates) else None, samples)
        left = len(candidates) - len(self.rows())
        self._more.setText(f"and {left} more" if left else "")
        self._more.setVisible(bool(left))
        self.setVisible(bool(candidates))

    def _choose(self, row: _CandidateRow) -> None:
        if row.candidate:
            self.chosen.emit(row.candidate.coordinate)

    def rows(self) -> list[QAbstractButton]:
        """The list's entries; their accessible names say what they show."""
        return [row for row in self._rows if row.candidate]


class _CandidateRow(QAbstractButton):
    """Hidden while it has none."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.candidate: Candidate | None = None
        self._number = str(number)
        self._name, self._share = label("", ""), label("", "dim", wrap=False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(_NUMBER + 8, 4, 4, 4)
        layout.setSpacing(8)
        layout.addWidget(self._name, 1)
        layout.addWidget(self._share)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_candidate(self, candidate: Candidate | None, samples: int) -> None:
        """Another one, or none."""
        self.candidate = candidate
        self.setVisible(candidate is not None)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if candidate else Qt.FocusPolicy.NoFocus)
        self.setAccessibleName("")
        if candidate is None:
            return
        name = answer_words.candidate(candidate)
        share = f"{candidate.count} of {samples} · {candidate.share:.0%}".replace("%", " %")
        where = write(candidate.coordinate, Notation.DECIMAL)
        self._name.setText(name)
        self._share.setText(share)
        self.setAccessibleName(f"Candidate {self._number}: {name}, {share}")
        self.setToolTip(tooltip(f"{candidate.chain or where}\nShow {where} on the map (Space)"))

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Background under the pointer, focus, and the number in its dot."""
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.underMouse() or self.hasFocus():
            painter.setBrush(QColor(colours.raised) if self.underMouse() else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        dot = QRectF(2, (self.height() - _NUMBER) / 2, _NUMBER, _NUMBER)
        painter.setBrush(QColor(colours.raised))
        painter.setPen(QPen(QColor(colours.dim), 1))
        painter.drawEllipse(dot)
        font = painter.font()
        font.setPixelSize(11)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(dot, Qt.AlignmentFlag.AlignCenter, self._number)

    def changeEvent(self, event: QEvent) -> None:
        """Another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


class Summary(QFrame):
    """What the samples amount to, in sentences."""

    def __init__(self) -> None:
        super().__init__()
        look.set_role(self, "card")
        self._title, self._text = label("", ""), label("", "dim")
        self._unreadable = label("", "warning")
        self._title.setStyleSheet("font-weight: 600")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 8)
        layout.setSpacing(4)
        for part in (self._title, self._text, self._unreadable):
            layout.addWidget(part)

    def show_prediction(self, prediction: Prediction) -> None:
        """Of one answer."""
        title, sentences = answer_words.summary(prediction)
        self._title.setText(title)
        self._text.setText("\n".join(part for part in (" ".join(sentences), answer_words.COUNTED) if part))
        unreadable = answer_words.unreadable(prediction)
        self._unreadable.setText(f"⚠ {unreadable}")
        self._unreadable.setVisible(bool(unreadable))
        self.show()

    def text(self) -> str:
        """Everything that it says."""
        parts = [self._title, self._text] + ([] if self._unreadable.isHidden() else [self._unreadable])
        return "\n".join(part.text() for part in parts)


class Failure(QFrame):
    """The named cause of a missing answer."""

    def __init__(self) -> None:
        super().__init__()
        look.set_role(self, "card")
        self._reason, self._hint = label("", "bad"), label("", "dim")
        self.again = QPushButton("Try again")
        self.again.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.again.setAutoDefault(False)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 12)
        layout.setSpacing(8)
        for part in (self._reason, self._hint, self.again):
            layout.addWidget(part)

    def show_failed(self, failed: events.Failed) -> None:
        """Why, and what to do."""
        self._reason.setText(f"✕ {shown(failed.reason, longest=600)}")
        self._hint.setText(shown(failed.hint, longest=600))
        self._hint.setVisible(bool(failed.hint))
        self.show()

    def text(self) -> str:
        """Everything that it says."""
        return "\n".join(part.text() for part in (self._reason, self._hint))


class Earlier(QComboBox):
    """All answers to a photo; hidden where there is only one."""

    def __init__(self) -> None:
        super().__init__()
        self.setAccessibleName("Answers to this photo")
        self.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.setMinimumContentsLength(8)
        self.view().setAccessibleName("Answers to this photo")
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)

    def show_answers(self, answers: Sequence[Answer], index: int) -> None:
        """Newest last."""
        self.clear()
        self.addItems([answer_words.answer_title(answers, i) for i in range(len(answers))])
        self.setCurrentIndex(index)
        self.setToolTip(tooltip(f"{self.currentText()}. Show another one with the arrow keys."))
        self.setVisible(len(answers) > 1)

    def wheelEvent(self, event: QWheelEvent) -> None:
        """The wheel moves the panel, not the choice."""
        event.ignore()
