"""What stands around the pages: the rail on the left, the strip above, the strip below. Shows and signals, knows nothing."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction, QFontMetrics, QResizeEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QMenu, QSizePolicy, QToolButton, QVBoxLayout, QWidget

from georapp.gui import look


class Rail(QFrame):
    """One button for each page, in the order of work."""

    def __init__(self, actions: Sequence[tuple[str, QAction]], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "panel")
        self.setFixedWidth(76)
        column = QVBoxLayout(self)
        column.setContentsMargins(6, 8, 6, 8)
        column.setSpacing(4)
        self._buttons: dict[str, QToolButton] = {}
        for symbol, action in actions:
            action.setCheckable(True)
            button = QToolButton(self)
            button.setText(f"{symbol}\n{action.text().split()[0]}")
            button.setToolTip(f"{action.text()} ({action.shortcut().toString()})")
            button.setAccessibleName(action.text())
            button.setCheckable(True)
            look.set_role(button, "rail")
            button.setMinimumHeight(52)
            button.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
            button.clicked.connect(action.trigger)
            column.addWidget(button)
            self._buttons[action.objectName()] = button
        column.addStretch()

    def set_page(self, name: str) -> None:
        """Which one is open."""
        for other, button in self._buttons.items():
            button.setChecked(other == name)


class TopStrip(QFrame):
    """The case on the left; model and network on the right."""

    def __init__(self, case_menu: QMenu, model_menu: QMenu, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "strip")
        self.setFixedHeight(44)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 4, 12, 4)
        row.setSpacing(8)
        self._case, self._model = self._menu_button(case_menu, "Case"), self._menu_button(model_menu, "Model")
        self._held, self._net = QLabel(self), QLabel(self)
        for label in (self._held, self._net):
            label.setTextFormat(Qt.TextFormat.PlainText)
        look.set_role(self._held, "warning")
        look.set_role(self._net, "chip")
        for widget in (self._case, self._held):
            row.addWidget(widget)
        row.addStretch()
        for widget in (self._model, self._net):
            row.addWidget(widget)
        self.set_network(0)

    def _menu_button(self, menu: QMenu, name: str) -> QToolButton:
        button = QToolButton(self)
        button.setMenu(menu)
        button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
        button.setAccessibleName(name)
        return button

    def set_case(self, name: str, held: str) -> None:
        """The open case, and why it cannot be changed."""
        self._case.setText(f"{name} ▾")
        self._held.setText(f"⚠ only read here: {held}" if held else "")

    def set_model(self, words: str) -> None:
        """The model, or what is going on with it."""
        self._model.setText(f"{words} ▾")

    def set_network(self, blocked: int) -> None:
        """Requests that left the machine, which is none, and those that were blocked."""
        self._net.setText(f"0 out · {blocked:,} blocked")
        self._net.setToolTip("Nothing leaves this machine. What the map page tried to reach was blocked.")


class StatusStrip(QFrame):
    """One line below: what went wrong last, and what always holds."""

    opened = Signal()  # the message was clicked

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "strip")
        self.setFixedHeight(28)
        row = QHBoxLayout(self)
        row.setContentsMargins(12, 0, 12, 0)
        self._message, self._facts = QLabel(self), QLabel("model estimate: a lead, not proof", self)
        for label in (self._message, self._facts):
            label.setTextFormat(Qt.TextFormat.PlainText)
            look.set_role(label, "dim")
        self._message.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Preferred)
        row.addWidget(self._message, 1)
        row.addWidget(self._facts)
        self._text = ""

    def say(self, text: str, *, wrong: bool) -> None:
        """A sentence; the whole of it is in the tooltip."""
        self._text = f"⚠ {text}" if wrong and text else text
        look.set_role(self._message, "warning" if wrong else "dim")
        self._message.setToolTip(text)
        self._elide()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """The message takes what room there is."""
        super().resizeEvent(event)
        self._elide()

    def _elide(self) -> None:
        metrics = QFontMetrics(self._message.font())
        self._message.setText(metrics.elidedText(self._text, Qt.TextElideMode.ElideRight, max(40, self._message.width())))
