"""Lights for what can go wrong in a training: a shape, a word, and on a click the sentence and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen, QPolygonF
from PySide6.QtWidgets import QAbstractButton, QFrame, QHBoxLayout, QLabel, QSizePolicy, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label, tooltip
from georapp.printable import printable
from georapp.run_events import Alert
from georapp.run_history import STEP, History, Noted

_SHAPE, _EDGE = 10, 5


@dataclass(frozen=True, slots=True)
class _Light:
    """A light: its word, the guards that turn it on, the value that must be logged for it, and what it means when all is well."""

    word: str
    guards: tuple[str, ...]
    value: str = ""
    well: str = ""
    share: bool = False


_LIGHTS = (
    _Light("numbers", ("nan",), "", "All values are numbers."),
    _Light(
        "signal",
        ("no signal",),
        "frac_reward_zero_std",
        "Answers to the same photo earn different rewards, so they teach something.",
    ),
    _Light("entropy", ("collapse",), "entropy", "The model still weighs several answers."),
    _Light("KL", ("drift", "kl"), "kl", "The model stays near the one before this stage."),
    _Light("cut off", ("clipped",), "completions/clipped_ratio", "Answers end by themselves.", share=True),
    _Light("disk", ("disk",), "", "There is room for checkpoints."),
)
_KNOWN = frozenset(guard for light in _LIGHTS for guard in light.guards)


@dataclass(frozen=True, slots=True)
class Shown:
    """A light as it is shown: text, tone ("good", "dim", "warning", "bad"), and what was said, newest first."""

    word: str
    text: str
    tone: str
    well: str
    noted: tuple[Noted, ...] = ()


def lights(history: History, stage: str) -> list[Shown]:
    """Those that this stage has values for; and one for all other notes, when there are some."""
    table, found = history.table(stage, STEP), []
    for light in _LIGHTS:
        noted = tuple(n for n in reversed(history.alerts) if n.alert.guard in light.guards and n.stage == stage)
        if not (noted or (light.value in table.names if light.value else len(table))):
            continue
        last = table.last(light.value) if light.share else None
        text = light.word if last is None else f"{light.word} {100 * last:.0f} %"
        found.append(Shown(light.word, text, _tone(noted), light.well, noted))
    rest = tuple(n for n in reversed(history.alerts) if n.alert.guard not in _KNOWN)
    if rest:
        text = "1 note" if len(rest) == 1 else f"{len(rest)} notes"
        found.append(Shown("notes", text, "bad" if any(n.alert.action != "none" for n in rest) else "dim", "", rest))
    return found


def _tone(noted: Sequence[Noted]) -> str:
    wrong = _wrong(noted)
    if not wrong:
        return "good"
    return "warning" if all(alert.action == "none" for alert in wrong) else "bad"


def _wrong(noted: Sequence[Noted]) -> list[Alert]:
    """What is not over: of two guards of a light one may be well again, and the other one not."""
    last: dict[str, Alert] = {}
    for note in noted:
        last.setdefault(note.alert.guard, note.alert)
    return [alert for alert in last.values() if not alert.over]


class HealthRow(QWidget):
    """The lights. `chosen`: a light, whose words are to be shown."""

    chosen = Signal(object)  # Shown

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(4)
        self.lights: dict[str, _Lamp] = {}

    def show_lights(self, found: Sequence[Shown]) -> None:
        """In their order."""
        if [*self.lights] != [light.word for light in found]:
            for lamp in self.lights.values():
                self._row.removeWidget(lamp)
                lamp.hide()
                lamp.deleteLater()
            self.lights = {light.word: self._lamp() for light in found}
        for light in found:
            self.lights[light.word].show_light(light)

    def _lamp(self) -> _Lamp:
        lamp = _Lamp(self)
        lamp.clicked.connect(lambda: self.chosen.emit(lamp.light))
        self._row.addWidget(lamp)
        return lamp


class _Lamp(QAbstractButton):
    """A disc: well. A ring: something to read. A triangle: worth knowing. A square: the run was paused or ended for it."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.light = Shown("", "", "good", "")
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)

    def show_light(self, light: Shown) -> None:
        if light == self.light:
            return
        self.light = light
        alerts = _wrong(light.noted) or [note.alert for note in light.noted]
        words = alerts[0].reason if alerts else light.well
        self.setToolTip(tooltip(words))
        state = {"good": "well", "dim": "to read", "warning": "attention", "bad": "alarm"}[light.tone]
        self.setAccessibleName(f"Health, {light.text}: {state}. {words}")
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        """Shape and word."""
        return QSize(_SHAPE + 5 + self.fontMetrics().horizontalAdvance(self.light.text) + 2 * _EDGE, 26)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """The shape says the same as the colour."""
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        colour = QColor(getattr(colours, self.light.tone))
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(colour)
        box = QRectF(_EDGE, (self.height() - _SHAPE) / 2, _SHAPE, _SHAPE)
        if self.light.tone in ("good", "dim"):
            painter.setBrush(colour if self.light.tone == "good" else Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(colour, 1.5))
            painter.drawEllipse(box.adjusted(1, 1, -1, -1))
        elif self.light.tone == "warning":
            painter.drawPolygon(QPolygonF([box.bottomLeft(), QPointF(box.center().x(), box.top()), box.bottomRight()]))
        else:
            painter.drawRect(box.adjusted(1, 1, -1, -1))
        painter.setPen(colour if self.light.tone in ("warning", "bad") else QColor(colours.text))
        place = QRectF(_EDGE + _SHAPE + 5, 0, self.width(), self.height())
        painter.drawText(place, Qt.AlignmentFlag.AlignVCenter, self.light.text)
        if self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 6, 6)


class HealthCard(QFrame):
    """What a light has to say: what was seen, when, what to do, what the run did about it."""

    MOST = 4  # alerts that are shown at once
    _DID: ClassVar = {"none": "The run goes on.", "pause": "The run was paused for it.", "stop": "The run was ended for it."}

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "card")
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(14, 10, 14, 10)
        self._column.setSpacing(4)
        self._word = ""
        self.hide()

    def toggle(self, light: Shown) -> None:
        """Show it, or hide it when it is shown already."""
        there = not self.isHidden() and self._word == light.word
        self._word = light.word
        self.setVisible(not there)
        if not there:
            self._fill(light)

    def _fill(self, light: Shown) -> None:
        while item := self._column.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        texts = [text for noted in light.noted[: self.MOST] for text in self._texts(noted.alert)]
        if not texts:
            texts = [label(f"{light.word[:1].upper()}{light.word[1:]}: {light.well}", "")]
        if len(light.noted) > self.MOST:
            texts.append(label(f"And {len(light.noted) - self.MOST:,} earlier ones.", "dim"))
        for text in texts:
            self._column.addWidget(text)
        self.setAccessibleName(" ".join(text.text() for text in texts))

    def _texts(self, alert: Alert) -> list[QLabel]:
        at = f"Step {alert.step:,}: " if alert.step else ""
        role = "good" if alert.over else "warning" if alert.action == "none" else "bad"
        did = "" if alert.over else self._DID.get(alert.action, "")
        hint = " ".join(part for part in (alert.hint, did) if part)
        return [label(breakable(printable(f"{at}{alert.reason}")), role), label(breakable(printable(hint)), "dim")]
