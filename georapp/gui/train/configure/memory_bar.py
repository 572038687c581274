"""GPU memory of a stage as a bar: what it consists of, and how much there is."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRectF, QSize, Qt
from PySide6.QtGui import QBrush, QColor, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.photos.flow import Flow
from georapp.gui.plain import label, tooltip
from georapp.printable import printable
from georapp.run_estimate import Term, total
from georapp.run_fit import Room

_TONES = ("country", "province", "city", "human", "truth", "dim")
_PATTERNS = (  # beside the colour
    Qt.BrushStyle.SolidPattern,
    Qt.BrushStyle.BDiagPattern,
    Qt.BrushStyle.Dense4Pattern,
    Qt.BrushStyle.FDiagPattern,
    Qt.BrushStyle.HorPattern,
    Qt.BrushStyle.CrossPattern,
)
_HIGH = 14


class MemoryBar(QWidget):
    """Of one stage."""

    def __init__(self, word: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._word = word
        self.sum = label("", "strong", wrap=False)
        self._bar, self._legend = _Bar(self), Flow(gap=10, line_gap=2, parent=self)
        head = QHBoxLayout()
        head.addWidget(label(word, "", wrap=False), 1)
        head.addWidget(self.sum)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(head)
        column.addWidget(self._bar)
        column.addWidget(self._legend)

    def show_terms(self, terms: Sequence[Term], room: Room | None, names: Sequence[str]) -> None:
        """`room`: what there is, of a GPU or of the computer; None where nobody knows. `names`: of all terms, which share their looks."""
        limit_gib = room.gib if room else None
        looks = [names.index(term.name) for term in terms]
        needed = total(tuple(terms))
        text = f"{needed:.1f} of {limit_gib:.1f} GiB" if limit_gib else f"{needed:.1f} GiB"
        over = limit_gib is not None and needed > limit_gib
        self.sum.setText(f"✕ {text}" if over else text)
        look.set_role(self.sum, "bad" if over else "strong")
        self._bar.show_terms(terms, looks, limit_gib)
        parts = ", ".join(f"{term.name} {term.gib:.1f}" for term in terms)
        self._bar.setAccessibleName(f"Memory of {self._word}: {text}; {parts}")
        self._legend.empty()
        for n, term in zip(looks, terms, strict=True):
            entry = _Entry(term, n)
            self._legend.put(entry)
            entry.show()
        self._legend.arrange()


def _brush(n: int) -> QBrush:
    return QBrush(QColor(getattr(look.current(), _TONES[n % len(_TONES)])), _PATTERNS[n % len(_PATTERNS)])


def _paint_piece(painter: QPainter, box: QRectF, n: int) -> None:
    colour = QColor(getattr(look.current(), _TONES[n % len(_TONES)]))
    ground = QColor(colour)
    ground.setAlpha(90)
    painter.fillRect(box, ground)
    painter.fillRect(box, _brush(n))


class _Bar(QWidget):
    """Pieces, a line where the memory ends."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self._terms: Sequence[Term] = ()
        self._looks: Sequence[int] = ()
        self._limit: float | None = None
        self.setFixedHeight(_HIGH + 6)

    def show_terms(self, terms: Sequence[Term], looks: Sequence[int], limit: float | None) -> None:
        self._terms, self._looks, self._limit = terms, looks, limit
        self.setToolTip(tooltip("\n".join(f"{term.name}: {term.gib:.2f} GiB, {term.about}" for term in terms)))
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        """From the left."""
        colours, painter = look.current(), QPainter(self)
        whole = max(total(tuple(self._terms)), self._limit or 0.0, 0.01)
        painter.fillRect(QRectF(0, 3, self.width(), _HIGH), QColor(colours.line))
        left = 0.0
        for n, term in zip(self._looks, self._terms, strict=True):
            wide = self.width() * term.gib / whole
            _paint_piece(painter, QRectF(left, 3, max(1.0, wide - 1), _HIGH), n)
            left += wide
        if self._limit:
            at = min(self.width() - 1.5, self.width() * self._limit / whole)
            painter.setPen(QPen(QColor(colours.text), 2))
            painter.drawLine(round(at), 0, round(at), _HIGH + 6)


class _Entry(QWidget):
    """A swatch, a name and its GiB."""

    def __init__(self, term: Term, n: int) -> None:
        super().__init__()
        self._text, self._n = f"{printable(term.name)} {term.gib:.1f}", n
        self.setToolTip(tooltip(term.about))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        font = self.font()
        font.setPixelSize(12)
        self.setFont(font)

    def sizeHint(self) -> QSize:
        """One line."""
        return QSize(16 + self.fontMetrics().horizontalAdvance(self._text), 18)

    def paintEvent(self, _event: QPaintEvent) -> None:
        """As in the bar."""
        painter = QPainter(self)
        _paint_piece(painter, QRectF(0, 4, 10, 10), self._n)
        painter.setPen(QColor(look.current().dim))
        painter.drawText(QRectF(15, 0, self.width(), 18), Qt.AlignmentFlag.AlignVCenter, self._text)
