"""The model's own text, untested, folded away until somebody wants it."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, Qt, QTimer
from PySide6.QtGui import QColor, QGuiApplication, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QLabel, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.prediction import Sample
from georapp.printable import printable

_LONGEST = 4000  # characters of a sample that are shown
_REFRESH_MS = 50


class _Fold(QAbstractButton):
    """A heading that opens and closes what stands below it."""

    def __init__(self, words: str) -> None:
        super().__init__()
        self.setText(words)
        self.setCheckable(True)
        self.setAccessibleName(words.capitalize())
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._heading = label(words, "heading", wrap=False)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(16, 4, 8, 4)
        layout.addWidget(self._heading)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A triangle that points down when it is open."""
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        painter.translate(7, self.height() / 2)
        painter.rotate(90 if self.isChecked() else 0)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.text if self.underMouse() else colours.dim))
        painter.drawPolygon(QPolygonF([QPointF(-2.5, -4), QPointF(2.5, 0), QPointF(-2.5, 4)]))


class ModelText(QWidget):
    """What the model wrote, as it wrote it, folded away until somebody wants it."""

    def __init__(self) -> None:
        super().__init__()
        self._texts: list[str] = []
        self._states: list[str] = []
        self._fold, self._copy = _Fold("MODEL TEXT, UNTESTED"), QToolButton()
        self._body = label("", "mono")
        self._body.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._body.hide()
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(_REFRESH_MS)
        self._later.timeout.connect(self._refresh)
        self._arrange()

    def _arrange(self) -> None:
        self._fold.setToolTip("Show or hide what the model wrote (Space)")
        self._fold.toggled.connect(self._toggle)
        self._copy.setText("Copy")
        self._copy.setAccessibleName("Copy the model's text")
        self._copy.setToolTip("Copy all answers exactly as the model wrote them (Space)")
        self._copy.clicked.connect(self._to_clipboard)
        self._copy.hide()
        top = QHBoxLayout()
        top.addWidget(self._fold)
        top.addStretch()
        top.addWidget(self._copy)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(top)
        layout.addWidget(self._body)

    def begin(self, samples: int) -> None:
        """So many samples will be written."""
        self._set([""] * samples, [""] * samples)

    def add(self, sample: int, piece: str) -> None:
        """A piece of a sample, from 0."""
        missing = sample + 1 - len(self._texts)
        self._texts += [""] * missing
        self._states += [""] * missing
        self._texts[sample] += piece
        self.show()
        if self._fold.isChecked() and not self._later.isActive():
            self._later.start()

    def set_samples(self, samples: Sequence[Sample]) -> None:
        """All of a stored answer, with what could not be read."""
        self._set([sample.text for sample in samples], [_state(sample) for sample in samples])

    def set_texts(self, texts: Sequence[str]) -> None:
        """What was written before a failure."""
        self._set(list(texts), [""] * len(texts))

    def text(self) -> str:
        """Everything as it is shown when unfolded."""
        n = len(self._texts)
        parts = [
            f"answer {i + 1} of {n}{state}\n{_shown(text)}"
            for i, (text, state) in enumerate(zip(self._texts, self._states, strict=True))
            if text or state
        ]
        return "\n\n".join(parts)

    def unfold(self, on: bool) -> None:
        """Show or hide the text."""
        self._fold.setChecked(on)

    def _set(self, texts: list[str], states: list[str]) -> None:
        self._texts, self._states = texts, states
        self.setVisible(any(texts) or any(states))
        self._refresh()

    def _toggle(self, on: bool) -> None:
        self._body.setVisible(on)
        self._copy.setVisible(on)
        self._refresh()

    def _refresh(self) -> None:
        self._later.stop()
        self._body.setText(self.text() if self._fold.isChecked() else "")

    def _to_clipboard(self) -> None:
        QGuiApplication.clipboard().setText("\n\n".join(text for text in self._texts if text))

    def body(self) -> QLabel:
        """The label with the text."""
        return self._body


def _state(sample: Sample) -> str:
    parts = ["could not be read" if sample.chain is None else "", "" if sample.finished else "cut off"]
    return "".join(f", {part}" for part in parts if part) + "".join(f"\n({_shown(note)})" for note in sample.notes)


def _shown(text: str) -> str:
    lines = "\n".join(breakable(printable(line)) for line in text[:_LONGEST].splitlines())
    left = len(text) - _LONGEST
    return f"{lines}\n… and {left:,} more characters; Copy takes them all" if left > 0 else lines
