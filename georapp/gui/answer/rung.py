"""One rung of the ladder: a circle on a line, a name, how many samples agree, and what is wrong with it."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QRectF, Qt, QVariantAnimation
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QStyle, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label, tooltip

_FADE_MS = 150
_GUTTER = 28  # logical pixels left of the names, for the line and the circles
_CIRCLE = 12


class Light(enum.Enum):
    """Of a rung's circle."""

    EMPTY = enum.auto()
    WRITTEN = enum.auto()  # by the first sample, not compared yet
    STATED = enum.auto()


@dataclass(frozen=True, slots=True)
class Face:
    """Everything that a rung shows, ready for the screen."""

    name: str
    light: Light = Light.EMPTY
    below: str = ""
    detail: str = ""
    warning: str = ""
    agree: str = ""
    share: float = 0.0
    more: str = ""  # tooltip


class Rung(QAbstractButton):
    """One level. A button where there is something to choose."""

    def __init__(self, word: str, *, first: bool = False, last: bool = False) -> None:
        super().__init__()
        self.word, self._first, self._last = word, first, last
        self.choosable = False
        self._light, self._glow = Light.EMPTY, 1.0
        self._name, self._below, self._detail = label("", ""), label("", "dim"), label("", "dim")
        self._warning, self._agree, self._bar = label("", "warning"), label("", "dim", wrap=False), _Bar(word)
        self._right = QWidget()
        self._fade = QVariantAnimation(self)
        self._fade.setDuration(_FADE_MS)
        self._fade.setStartValue(0.0)
        self._fade.setEndValue(1.0)
        self._fade.valueChanged.connect(self._set_glow)
        self._arrange()

    def _arrange(self) -> None:
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        self._agree.setAlignment(Qt.AlignmentFlag.AlignRight)
        right = QVBoxLayout(self._right)
        right.setContentsMargins(0, 0, 0, 0)
        right.setSpacing(4)
        right.addWidget(self._agree)
        right.addWidget(self._bar)
        right.addStretch()
        top = QHBoxLayout()
        top.setSpacing(8)
        names = QVBoxLayout()
        names.setSpacing(0)
        names.addWidget(self._name)
        names.addWidget(self._below)
        top.addLayout(names, 1)
        top.addWidget(self._right, 0, Qt.AlignmentFlag.AlignTop)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(_GUTTER, 8, 4, 8)
        layout.setSpacing(2)
        layout.addLayout(top)
        layout.addWidget(self._detail)
        layout.addWidget(self._warning)

    def wear(self, face: Face, *, fade: bool = False, choosable: bool | None = None) -> None:
        """Show it; the circle fades in where the desktop allows motion."""
        self.choosable = face.light is not Light.EMPTY if choosable is None else choosable
        self._light = face.light
        self._name.setText(face.name)
        look.set_role(self._name, "dim" if face.light is Light.EMPTY else "title")
        for part, text in (
            (self._below, face.below),
            (self._detail, face.detail),
            (self._warning, face.warning),
            (self._agree, face.agree),
        ):
            part.setText(text)
            part.setVisible(bool(text))
        self._right.setVisible(bool(face.agree))
        if face.agree:  # as wide on every rung: "8 of 8 agree"
            of = face.agree.split()[2]
            self._right.setFixedWidth(self.fontMetrics().horizontalAdvance(f"{of} of {of} agree") + 2)
        self._bar.fill(face.share)
        self._tell(face)
        self._start(fade=fade)

    def _tell(self, face: Face) -> None:
        spoken = [
            f"{self.word.capitalize()}: {face.name}",
            face.below if face.light is Light.WRITTEN else "",
            face.agree,
            face.detail,
        ]
        self.setAccessibleName(", ".join(part for part in [*spoken, face.warning.removeprefix("⚠ ")] if part))
        how = "Show it on the map (Space)." if self.choosable else ""
        self.setToolTip(tooltip("\n".join(part for part in (face.more, how) if part)))
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus if self.choosable else Qt.FocusPolicy.NoFocus)
        self.setCursor(Qt.CursorShape.PointingHandCursor if self.choosable else Qt.CursorShape.ArrowCursor)

    def _start(self, *, fade: bool) -> None:
        self._fade.stop()
        moves = fade and self.isVisible() and self.style().styleHint(QStyle.StyleHint.SH_Widget_Animation_Duration) > 0
        self._set_glow(0.0 if moves else 1.0)
        if moves:
            self._fade.start()

    def _set_glow(self, glow: float) -> None:
        self._glow = float(glow)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Background under the pointer, focus, line and circle."""
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if self.choosable and (self.underMouse() or self.hasFocus()):
            painter.setBrush(QColor(colours.raised) if self.underMouse() else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1) if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)
        x = _CIRCLE
        y = self._name.geometry().top() + self._name.fontMetrics().height() / 2
        self._draw_line(painter, x, y)
        self._draw_circle(painter, QRectF(x - _CIRCLE / 2, y - _CIRCLE / 2, _CIRCLE, _CIRCLE))

    def _draw_line(self, painter: QPainter, x: float, y: float) -> None:
        painter.setPen(QPen(QColor(look.current().line), 2))
        gap = _CIRCLE / 2 + 3
        if not self._first and y > gap:
            painter.drawLine(QRectF(x, 0, 0, y - gap).topLeft(), QRectF(x, 0, 0, y - gap).bottomLeft())
        if not self._last:
            below = QRectF(x, y + gap, 0, self.height() - y - gap)
            painter.drawLine(below.topLeft(), below.bottomLeft())

    def _draw_circle(self, painter: QPainter, circle: QRectF) -> None:
        colour = colour_of(self.word) if self._light is not Light.EMPTY else QColor(look.current().dim)
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setOpacity(0.3 + 0.7 * self._glow)
        painter.setPen(QPen(colour, 1.5 if self._light is Light.EMPTY else 3))
        if self._light is Light.STATED:
            painter.setBrush(colour)
        inset = painter.pen().widthF() / 2
        painter.drawEllipse(circle.adjusted(inset, inset, -inset, -inset))
        painter.setOpacity(1.0)

    def changeEvent(self, event: QEvent) -> None:
        """Another theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange:
            self.update()


class _Bar(QWidget):
    """A share as a thin bar. The number stands above it."""

    def __init__(self, word: str) -> None:
        super().__init__()
        self._word, self._share = word, 0.0
        self.setFixedHeight(4)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)

    def fill(self, share: float) -> None:
        """0 to 1."""
        self._share = min(1.0, max(0.0, share))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A track and the part of it that agrees."""
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        painter.setPen(Qt.PenStyle.NoPen)
        for share, colour in ((1.0, QColor(look.current().line)), (self._share, colour_of(self._word))):
            painter.setBrush(colour)
            painter.drawRoundedRect(QRectF(0, 0, self.width() * share, self.height()), 2, 2)


def colour_of(word: str) -> QColor:
    """Of a level's circle, in the theme that is shown."""
    colours = look.current()
    return QColor({"province": colours.province, "city": colours.city, "coordinates": colours.city}.get(word, colours.country))
