"""What the window shows while the case has no photo: what to do, and a photo to try it with."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QPointF, QRectF, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look

_STEPS = (
    ("1  Drop", "Photos, a folder, or the demo photo. They are only read."),
    ("2  Watch", "Continent, country, province, city: as far as the model's answers agree."),
    ("3  Decide", "Enter accepts, C corrects, X rejects, U is unsure. Everything is kept in the case."),
)
_STEP_PX = 236


class EmptyPage(QWidget):
    """Drops go to the window; this only says so."""

    photos_asked = Signal()
    folder_asked = Signal()
    demo_asked = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._buttons = {
            self._button("Locate the demo photo", self.demo_asked.emit, "accent"): "See at once what an answer looks like",
            self._button("Add photos…", self.photos_asked.emit, ""): "Choose files (Ctrl+O)",
            self._button("Add a folder…", self.folder_asked.emit, ""): "With all folders in it (Ctrl+Shift+F)",
        }
        self._note = _label("", "dim")
        column = QVBoxLayout(self)
        column.setContentsMargins(40, 40, 40, 40)
        column.addStretch(3)
        column.addWidget(_Pin(), 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(12)
        column.addWidget(_label("Where was it taken?", "welcome"))
        column.addSpacing(4)
        column.addWidget(_label("Drop photos or a folder anywhere in this window. Nothing leaves this machine.", "dim"))
        column.addSpacing(20)
        column.addLayout(_in_the_middle(list(self._buttons), gap=8))
        column.addSpacing(28)
        column.addLayout(_in_the_middle([_Step(*step) for step in _STEPS], gap=12))
        column.addSpacing(16)
        column.addWidget(self._note)
        column.addStretch(4)
        self.set_note("", may_add=True)

    @property
    def first(self) -> QWidget:
        """Where the keys go when the page comes up: the demo's button."""
        return next(iter(self._buttons))

    def _button(self, text: str, pressed: Callable[[], None], role: str) -> QPushButton:
        button = QPushButton(text, self)
        button.setAccessibleName(text.rstrip("…"))
        look.set_role(button, role)
        button.clicked.connect(pressed)
        return button

    def set_note(self, text: str, *, may_add: bool) -> None:
        """What is going on, and whether photos can be added."""
        self._note.setText(text)
        for button, tip in self._buttons.items():
            button.setEnabled(may_add)
            button.setToolTip(tip if may_add else "This case is only read here.")

    def paintEvent(self, event: QPaintEvent) -> None:
        """A dashed frame, the sign for a place to drop things."""
        super().paintEvent(event)
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(QPen(QColor(look.current().dim), 1.5, Qt.PenStyle.DashLine))
        painter.setOpacity(0.6)
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(20, 20, -20, -20), 10, 10)


class _Step(QFrame):
    """A heading and a sentence."""

    def __init__(self, heading: str, text: str) -> None:
        super().__init__()
        look.set_role(self, "card")
        self.setFixedWidth(_STEP_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 12, 16, 12)
        column.setSpacing(4)
        for words, role in ((heading, "title"), (text, "dim")):
            column.addWidget(_label(words, role, Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignTop))
        column.addStretch()


class _Pin(QWidget):
    """The program's sign, in the accent of the theme."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedSize(56, 64)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A pin with a hole."""
        del event
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(look.current().accent))
        pin = QPainterPath(QPointF(28, 62))
        pin.cubicTo(18, 47, 6, 37, 6, 24)
        pin.arcTo(QRectF(6, 2, 44, 44), 180, -180)
        pin.cubicTo(50, 37, 38, 47, 28, 62)
        pin.addEllipse(QPointF(28, 24), 8.5, 8.5)
        painter.drawPath(pin)


def _label(text: str, role: str, alignment: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignCenter) -> QLabel:
    label = QLabel(text)
    label.setTextFormat(Qt.TextFormat.PlainText)
    label.setAlignment(alignment)
    label.setWordWrap(True)
    look.set_role(label, role)
    return label


def _in_the_middle(widgets: list[QWidget], *, gap: int) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setSpacing(gap)
    row.addStretch()
    for widget in widgets:
        row.addWidget(widget)
    row.addStretch()
    return row
