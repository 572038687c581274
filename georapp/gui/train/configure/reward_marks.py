"""What a curve gives for distances that people know: a street, a city, a region, a country, a continent."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QGridLayout, QLabel, QSizePolicy, QWidget

from georapp.gui import look
from georapp.gui.plain import label, tooltip
from georapp.gui.train.configure.curve_points import MARKED_KM
from georapp.reward_curves import GEO_R_PAPER, Curve

_MEANS = ("street", "city", "region", "country", "continent")
_SAMPLE_PX = 26


class _LineSample(QWidget):
    """A piece of a line, as it is drawn."""

    def __init__(self, tone: str, width: int, style: Qt.PenStyle, parent: QWidget) -> None:
        super().__init__(parent)
        self._tone, self._width, self._style = tone, width, style
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)

    def sizeHint(self) -> QSize:
        """Long enough for some dashes."""
        return QSize(_SAMPLE_PX, 16)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """In the middle."""
        painter = QPainter(self)
        painter.setPen(QPen(QColor(getattr(look.current(), self._tone)), self._width, self._style))
        middle = self.height() / 2
        painter.drawLine(QPointF(0, middle), QPointF(self.width(), middle))


class RewardMarks(QWidget):
    """A column for each distance, a row for this curve and one for the paper's; their lines explain the drawing."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._row(1, "this curve", _LineSample("accent", 2, Qt.PenStyle.SolidLine, self))
        self._row(2, "Geo-R paper", _LineSample("dim", 1, Qt.PenStyle.DashLine, self))
        self._rewards = [self._column(n + 2, km) for n, km in enumerate(MARKED_KM)]
        self.setAccessibleName("Rewards of some distances")

    def _row(self, row: int, words: str, sample: QWidget) -> None:
        self._grid.addWidget(sample, row, 0)
        self._grid.addWidget(label(words, "" if row == 1 else "dim", wrap=False), row, 1)

    def _column(self, column: int, km: float) -> QLabel:
        """The label of this curve's reward."""
        means = _MEANS[MARKED_KM.index(km)]
        reward = label("–", "strong", wrap=False)
        paper = label(f"{GEO_R_PAPER(km):.3f}", "dim", wrap=False)
        for row, made in enumerate((label(f"{km:,.0f} km", "dim", wrap=False), reward, paper)):
            made.setToolTip(tooltip(f"What an answer earns that is {km:,.0f} km off: the size of a {means}, roughly."))
            self._grid.addWidget(made, row, column, Qt.AlignmentFlag.AlignRight)
        self._grid.setColumnStretch(column, 1)
        return reward

    def show_curve(self, curve: Curve | None) -> None:
        """None: the points make no curve."""
        for km, reward in zip(MARKED_KM, self._rewards, strict=True):
            reward.setText("–" if curve is None else f"{curve(km):.3f}")
            said = "no reward, for the points make no curve" if curve is None else f"reward {curve(km):.3f}"
            reward.setAccessibleName(f"{km:,.0f} km: {said}; by the paper's curve {GEO_R_PAPER(km):.3f}")
        self.setAccessibleDescription(self.summary(curve))

    @staticmethod
    def summary(curve: Curve | None) -> str:
        """In a sentence."""
        if curve is None:
            return "The points make no curve."
        return "; ".join(f"{km:,.0f} km off earns {curve(km):.3f}" for km in MARKED_KM) + "."

    @property
    def texts(self) -> list[str]:
        """The rewards that are shown."""
        return [reward.text() for reward in self._rewards]
