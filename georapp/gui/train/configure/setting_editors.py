"""What values are changed with: fields for numbers and texts, choices, switches, several of several. Each shows a value and tells a new one."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QEvent, Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent, QKeySequence, QWheelEvent
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QWidget

from georapp.gui.photos.flow import Flow
from georapp.gui.train.configure.setting_list import Setting, stepped, typed, written
from georapp.printable import printable

REST_MS = 600  # without a further letter, before what was typed counts


class TypedField(QLineEdit):
    """A number or a text. `edited`: the value, and whether more letters may follow."""

    edited = Signal(object, bool)

    def __init__(self, setting: Setting, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._setting = setting
        self._value: Any = None
        self.setAcceptDrops(False)  # files are for the card around it
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(REST_MS)
        self._rest.timeout.connect(lambda: self._tell(typing=True))
        self.textEdited.connect(lambda _text: self._rest.start())
        self.editingFinished.connect(lambda: self._tell(typing=False))

    def show_value(self, value: Any) -> None:
        """What it is now. A text that means the same stays as it was typed, with the space before the next word."""
        self._value = value
        text = printable(value) if isinstance(value, str) else written(value)
        same = self.text().strip() == text.strip() if isinstance(value, str) else typed(self._setting, self.text()) == value
        if not same or (self.text() != text and not self.hasFocus()):
            self.setText(text)
            self.setCursorPosition(0)

    def _tell(self, *, typing: bool) -> None:
        self._rest.stop()
        value = typed(self._setting, self.text())
        if value != self._value and not (isinstance(self._value, str) and printable(self._value) == value):
            self._value = value
            self.edited.emit(value, typing)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Up and Down take the next number."""
        if event.key() in (Qt.Key.Key_Up, Qt.Key.Key_Down) and self._setting.kind in ("int", "float"):
            value = stepped(self._setting, typed(self._setting, self.text()), event.key() == Qt.Key.Key_Up)
            self.setText(written(value))
            self._tell(typing=True)
            return
        super().keyPressEvent(event)

    def event(self, event: QEvent) -> bool:
        """With nothing typed to take back, Ctrl+Z belongs to the page."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent):
            undo, redo = event.matches(QKeySequence.StandardKey.Undo), event.matches(QKeySequence.StandardKey.Redo)
            if (undo and not self.isUndoAvailable()) or (redo and not self.isRedoAvailable()):
                event.ignore()
                return False
        return super().event(event)


class Choice(QComboBox):
    """One of several words. The wheel scrolls the page and not the choice."""

    edited = Signal(object, bool)

    def __init__(self, choices: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.addItems(choices)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.activated.connect(lambda _index: self.edited.emit(self.currentText(), False))

    def show_value(self, value: Any) -> None:
        """What it is now."""
        self.setCurrentIndex(self.findText(str(value)))

    def wheelEvent(self, event: QWheelEvent) -> None:
        """For the page."""
        event.ignore()


class Switch(QCheckBox):
    """On or off."""

    edited = Signal(object, bool)

    def __init__(self, text: str = "", parent: QWidget | None = None) -> None:
        super().__init__(text or "off", parent)
        self._own_text = bool(text)
        self.clicked.connect(lambda on: self._tell(on))

    def _tell(self, on: bool) -> None:
        self.show_value(on)
        self.edited.emit(on, False)

    def show_value(self, value: Any) -> None:
        """What it is now."""
        self.setChecked(value is True)
        if not self._own_text:
            self.setText("on" if value is True else "off")


class Several(Flow):
    """Any of several words, in their order."""

    edited = Signal(object, bool)

    def __init__(self, choices: tuple[str, ...], parent: QWidget | None = None) -> None:
        super().__init__(gap=12, parent=parent)
        self.boxes = {word: QCheckBox(word, self) for word in choices}
        for box in self.boxes.values():
            box.clicked.connect(self._tell)
            self.put(box)

    def show_value(self, value: Any) -> None:
        """What it is now."""
        for word, box in self.boxes.items():
            box.setChecked(isinstance(value, tuple) and word in value)

    def _tell(self) -> None:
        self.edited.emit(tuple(word for word, box in self.boxes.items() if box.isChecked()), False)

    def setAccessibleName(self, name: str) -> None:
        """Of each of them too."""
        super().setAccessibleName(name)
        for word, box in self.boxes.items():
            box.setAccessibleName(f"{name}: {word}")


Editor = TypedField | Choice | Switch | Several


def editor_for(setting: Setting, parent: QWidget | None = None) -> Editor:
    """What suits its kind."""
    if setting.kind == "bool":
        return Switch(parent=parent)
    if setting.kind == "list":
        return Several(setting.choices, parent)
    return Choice(setting.choices, parent) if setting.choices else TypedField(setting, parent)
