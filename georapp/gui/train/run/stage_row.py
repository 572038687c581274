"""The stages of a run in a row: what is done, what is going on, what is to come. A stage with charts can be chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QPointF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontMetricsF, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from georapp.gui import look

_GAP, _EDGE, _SMALL_PX = 5.0, 6, 11
_LINK_PX = 14


@dataclass(frozen=True, slots=True)
class StageShown:
    """A stage as it is shown. `means`: what its sign says, for screen readers; `chosen`: its charts are below."""

    name: str
    word: str
    sign: str
    means: str
    fact: str = ""
    charts: bool = False
    chosen: bool = False


class StageRow(QWidget):
    """Shows and signals."""

    chosen = Signal(str)  # name of a stage

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self.steps: dict[str, _Step] = {}

    def show_stages(self, stages: Sequence[StageShown]) -> None:
        """In their order."""
        if [*self.steps] != [stage.name for stage in stages]:
            self._make(stages)
        for stage in stages:
            self.steps[stage.name].show_stage(stage)

    def _make(self, stages: Sequence[StageShown]) -> None:
        while item := self._row.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        self.steps = {}
        for stage in stages:
            step = _Step(stage, linked=bool(self.steps), parent=self)
            step.clicked.connect(lambda _=False, name=stage.name: self.chosen.emit(name))
            self.steps[stage.name] = step
            self._row.addWidget(step)


class _Step(QAbstractButton):
    """Sign, word and fact, with a line from the stage before."""

    def __init__(self, stage: StageShown, *, linked: bool, parent: QWidget) -> None:
        super().__init__(parent)
        self._link = _LINK_PX if linked else 0
        self._stage: StageShown | None = None
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.show_stage(stage)

    def show_stage(self, stage: StageShown) -> None:
        if stage == self._stage:
            return
        self._stage = stage
        self.setEnabled(stage.charts)
        self.setCheckable(stage.charts)
        self.setChecked(stage.chosen)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus if stage.charts else Qt.FocusPolicy.NoFocus)
        self.setAccessibleName(" ".join(part for part in (f"Stage {stage.word}: {stage.means}", stage.fact) if part))
        self.setToolTip(f"Show the charts of {stage.word}" if stage.charts else "")
        self.setCursor(Qt.CursorShape.PointingHandCursor if stage.charts else Qt.CursorShape.ArrowCursor)
        self.updateGeometry()
        self.update()

    def nextCheckState(self) -> None:
        """A click does not take the choice back."""

    def sizeHint(self) -> QSize:
        """Room for all of it."""
        wide = sum(metrics.horizontalAdvance(text) + _GAP for text, metrics in self._texts())
        return QSize(int(wide + 2 * _EDGE + self._link), 28)

    def _fonts(self) -> tuple[QFont, QFont]:
        word, fact = QFont(self.font()), QFont(self.font())
        assert self._stage
        word.setWeight(QFont.Weight.DemiBold if self._stage.sign in "●✕" else QFont.Weight.Normal)
        fact.setPixelSize(_SMALL_PX)
        return word, fact

    def _texts(self) -> list[tuple[str, QFontMetricsF]]:
        assert self._stage
        word, fact = (QFontMetricsF(font) for font in self._fonts())
        return [(self._stage.sign, word), (self._stage.word, word), *([(self._stage.fact, fact)] if self._stage.fact else [])]

    def paintEvent(self, _event: QPaintEvent) -> None:
        """A line below the one whose charts are shown; a frame around the one that has the focus."""
        stage, colours = self._stage, look.current()
        assert stage
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        middle, left = self.height() / 2, float(self._link + _EDGE)
        if self._link:
            painter.setPen(QPen(QColor(colours.line), 2))
            painter.drawLine(QPointF(2, middle), QPointF(self._link - 2, middle))
        tones = {"✓": colours.good, "●": colours.accent, "✕": colours.bad}
        active = stage.sign in "●✕"
        shades = (tones.get(stage.sign, colours.dim), colours.text if active or stage.charts else colours.dim, colours.dim)
        fonts = (self._fonts()[0], *self._fonts())
        for (text, metrics), font, shade in zip(self._texts(), fonts, shades, strict=False):
            painter.setFont(font)
            painter.setPen(QColor(shade))
            painter.drawText(QPointF(left, middle + (metrics.ascent() - metrics.descent()) / 2), text)
            left += metrics.horizontalAdvance(text) + _GAP
        if stage.chosen or self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 2 if stage.chosen else 1))
            painter.drawLine(QPointF(self._link + _EDGE, self.height() - 1), QPointF(left - _GAP, self.height() - 1))
        if self.hasFocus():
            painter.setPen(QPen(QColor(colours.accent), 1))
            painter.drawRoundedRect(self.rect().adjusted(self._link + 2, 1, -1, -2), 6, 6)
