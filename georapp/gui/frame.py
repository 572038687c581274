"""What stands around the pages: the rail on the left, the strip above, the strip below. Shows and signals, knows nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QAction, QColor, QFont, QFontMetrics, QPainter, QPainterPath, QPaintEvent, QPen, QResizeEvent
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QLabel,
    QMenu,
    QSizePolicy,
    QStyle,
    QStyleOptionToolButton,
    QStylePainter,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from georapp.gui import look
from georapp.gui.plain import tooltip
from georapp.printable import printable

RAIL_PX = 76
_SIGN = 20  # logical pixels of a symbol's square
_LONGEST_NAME_PX = 320  # of a case or a model in the strip above


class SignButton(QToolButton):
    """A button with a symbol that is drawn in the colours of the theme, above its word; without a word, alone."""

    def __init__(self, sign: str, word: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sign, self._word = sign, word

    def sizeHint(self) -> QSize:
        """Room for symbol, word and a margin."""
        metrics = self.fontMetrics()
        wide = max(_SIGN, metrics.horizontalAdvance(self._word)) + 16
        return QSize(wide, _SIGN + 12 + (metrics.height() + 4 if self._word else 0))

    def paintEvent(self, event: QPaintEvent) -> None:
        """The stylesheet's ground and frame, then symbol and word."""
        del event
        option = QStyleOptionToolButton()
        self.initStyleOption(option)
        option.features = QStyleOptionToolButton.ToolButtonFeature.None_
        painter = QStylePainter(self)
        painter.drawComplexControl(QStyle.ComplexControl.CC_ToolButton, option)
        colours = look.current()
        chosen = self.isChecked() or self.isDown()
        room = self.rect().adjusted(0, 0, 0, -(self.fontMetrics().height() + 4) if self._word else 0)
        left, top = room.center().x() + 1 - _SIGN / 2, room.center().y() + 1 - _SIGN / 2
        draw_sign(painter, self._sign, QPointF(left, top), colours.accent if chosen else colours.text)
        if self._word:
            font = QFont(self.font())
            font.setWeight(QFont.Weight.DemiBold if chosen else QFont.Weight.Normal)
            painter.setFont(font)
            painter.setPen(QColor(colours.text))
            words = QRect(0, room.bottom() - 3, self.width(), self.fontMetrics().height() + 2)
            painter.drawText(words, Qt.AlignmentFlag.AlignCenter, self._word)


def draw_sign(painter: QPainter, name: str, corner: QPointF, colour: str) -> None:
    """One of the symbols below, 20 x 20 logical pixels, with lines of one width."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.translate(corner)
    painter.setPen(QPen(QColor(colour), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawPath(_path(name))
    painter.restore()


def _path(name: str) -> QPainterPath:
    path = QPainterPath()
    for points in _LINES.get(name, ()):
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
    if name == "pin":
        path.moveTo(10, 18)
        path.cubicTo(7.5, 14.5, 4.5, 11.5, 4.5, 7.8)
        path.arcTo(QRectF(4.5, 2.2, 11, 11), 180, -180)
        path.cubicTo(15.5, 11.5, 12.5, 14.5, 10, 18)
        path.addEllipse(QPointF(10, 7.8), 2.1, 2.1)
    return path


_LINES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "map": (
        ((2.5, 5), (7.5, 3), (12.5, 5), (17.5, 3), (17.5, 15), (12.5, 17), (7.5, 15), (2.5, 17), (2.5, 5)),
        ((7.5, 3), (7.5, 15)),
        ((12.5, 5), (12.5, 17)),
    ),
    "folder": (((2.5, 16), (2.5, 4), (8, 4), (10, 6.5), (17.5, 6.5), (17.5, 16), (2.5, 16)), ((2.5, 9.5), (17.5, 9.5))),
    "curve": (((2.5, 2.5), (2.5, 17.5), (17.5, 17.5)), ((5.5, 14), (9, 9.5), (12, 11), (17, 4))),
    "menu": (((3.5, 5.5), (16.5, 5.5)), ((3.5, 10), (16.5, 10)), ((3.5, 14.5), (16.5, 14.5))),
    "close": (((6.5, 6.5), (13.5, 13.5)), ((13.5, 6.5), (6.5, 13.5))),
}


class Rail(QFrame):
    """One button for each page, in the order of work."""

    def __init__(self, actions: Sequence[tuple[str, QAction]], parent: QWidget | None = None) -> None:
        """`actions`: the name of a symbol, and what it opens."""
        super().__init__(parent)
        look.set_role(self, "panel")
        self.setFixedWidth(RAIL_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 8, 6, 8)
        column.setSpacing(4)
        self._buttons: dict[str, QToolButton] = {}
        for sign, action in actions:
            action.setCheckable(True)
            button = SignButton(sign, action.text().split()[0], self)
            button.setToolTip(_tip(action))
            button.setAccessibleName(action.text())
            button.setCheckable(True)
            look.set_role(button, "rail")
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(action.trigger)
            column.addWidget(button)
            self._buttons[action.objectName()] = button
        column.addStretch()

    def set_page(self, name: str) -> None:
        """Which one is open."""
        for other, button in self._buttons.items():
            button.setChecked(other == name)


def _tip(action: QAction) -> str:
    keys = action.shortcut().toString()
    return f"{action.text()} ({keys})" if keys else action.text()


class TopStrip(QFrame):
    """All commands and the case on the left; model and network on the right."""

    def __init__(self, menu: QMenu, case_menu: QMenu, model_menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "strip")
        self.setFixedHeight(44)
        row = QHBoxLayout(self)
        row.setContentsMargins(6, 4, 12, 4)
        row.setSpacing(8)
        self.menu = SignButton("menu", "", self)
        self.menu.setFixedWidth(RAIL_PX - 12)
        _give_menu(self.menu, menu, "Menu", "All commands (F10)")
        self._case, self._model = QToolButton(self), QToolButton(self)
        _give_menu(self._case, case_menu, "Case", "The case: one file with photos, answers and verdicts. Open another one here.")
        _give_menu(self._model, model_menu, "Model", "The model that locates photos. Choose another one here.")
        self._held, self._net = QLabel(self), QLabel(self)
        for label in (self._held, self._net):
            label.setTextFormat(Qt.TextFormat.PlainText)
        look.set_role(self._held, "warning")
        look.set_role(self._net, "chip")
        for widget in (self.menu, self._case, self._held):
            row.addWidget(widget)
        row.addStretch()
        for widget in (self._model, self._net):
            row.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        self.set_network(0)

    def set_case(self, name: str, held: str) -> None:
        """The open case, and why it cannot be changed."""
        self._case.setText(f"{self._shortened(name)} ▾")
        self._case.setAccessibleName(f"Case {name}")
        self._held.setText(f"⚠ only read here: {held}" if held else "")

    def set_model(self, words: str) -> None:
        """The model, or what is going on with it."""
        self._model.setText(f"{self._shortened(words)} ▾")
        self._model.setAccessibleName(f"Model {words}")

    def set_network(self, blocked: int) -> None:
        """Requests that left the machine, which is none, and those that were blocked."""
        self._net.setText(f"0 out · {blocked:,} blocked")
        self._net.setToolTip("Nothing leaves this machine. What the map page tried to reach was blocked.")

    def _shortened(self, text: str) -> str:
        elided = self.fontMetrics().elidedText(printable(text), Qt.TextElideMode.ElideMiddle, _LONGEST_NAME_PX)
        return elided.replace("&", "&&")


def _give_menu(button: QToolButton, menu: QMenu, name: str, tip: str) -> None:
    button.setMenu(menu)
    button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
    button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    button.setAccessibleName(name)
    button.setToolTip(tip)


class StatusStrip(QFrame):
    """One line below: what went wrong last, and what always holds."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "strip")
        self.setFixedHeight(28)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        row.setSpacing(8)
        self._message, self._facts = QLabel(self), QLabel(self)
        for label in (self._message, self._facts):
            label.setTextFormat(Qt.TextFormat.PlainText)
            look.set_role(label, "dim")
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        self._close = SignButton("close", "", self)
        self._close.setFixedSize(24, 24)
        self._close.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._close.setAccessibleName("Hide this message")
        self._close.setToolTip("Hide this message")
        self._close.clicked.connect(lambda: self.say("", wrong=False))
        self._close.hide()
        row.addWidget(self._message, 1)
        row.addWidget(self._close)
        row.addWidget(self._facts)
        self._text = ""
        self.set_photos(0)

    def say(self, text: str, *, wrong: bool) -> None:
        """A sentence; the whole of it is in the tooltip."""
        self._text = f"⚠ {text}" if wrong and text else text
        look.set_role(self._message, "warning" if wrong else "dim")
        self._message.setToolTip(tooltip(text))
        self._close.setVisible(bool(text))
        self._elide()

    def set_photos(self, count: int) -> None:
        """How many are in the case, beside what holds for each of them."""
        photos = f"{count:,} photo{'' if count == 1 else 's'}, originals untouched"
        self._facts.setText(f"{photos} · model estimate: a lead, not proof" if count else "model estimate: a lead, not proof")

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The message takes what room there is."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics = QFontMetrics(self._message.font())
        self._message.setText(metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, max(40, self._message.width())))


class DropHint(QWidget):
    """Lies over its parent while files hover over it, and lets them through."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAttribute(Qt.WidgetAttribute.WA_TransparentForMouseEvents)
        self._text = ""
        self.hide()

    def begin(self, text: str) -> None:
        """Show what dropping will do."""
        self._text = text
        if parent := self.parentWidget():
            self.setGeometry(parent.rect())
        self.raise_()
        self.show()
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        """A veil, a dashed frame, the words in the middle."""
        del event
        colours = look.current()
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        veil = QColor(colours.background)
        veil.setAlphaF(0.9)
        painter.fillRect(self.rect(), veil)
        painter.setPen(QPen(QColor(colours.accent), 2, Qt.PenStyle.DashLine))
        painter.drawRoundedRect(QRectF(self.rect()).adjusted(24, 24, -24, -24), 10, 10)
        font = QFont(self.font())
        font.setPixelSize(24)
        font.setWeight(QFont.Weight.DemiBold)
        painter.setFont(font)
        painter.setPen(QColor(colours.text))
        painter.drawText(self.rect(), Qt.AlignmentFlag.AlignCenter, self._text)
