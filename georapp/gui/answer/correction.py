"""The line where a person says where a photo was taken: one field for any notation, or a click on the map."""

from __future__ import annotations

from PySide6.QtCore import QEvent, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from georapp.errors import NotationError
from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.notation import HINT, Notation, read_with_kind, write

_HOW = "Click on the map, or paste coordinates in any notation."
_PICKED = "Picked on the map."


class Field(QLineEdit):
    """Enter and Escape belong to it, whatever shortcuts the window has."""

    left = Signal()  # by Escape

    def event(self, event: QEvent) -> bool:
        """Take the keys before a shortcut does."""
        keys = (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Escape)
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and event.key() in keys:
            event.accept()
            return True
        return super().event(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """Enter is told by returnPressed and goes no further, Escape by `left`."""
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            event.accept()
            return
        super().keyPressEvent(event)
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            event.accept()


class Correction(QWidget):
    """One field for coordinates in any notation, and what was understood."""

    confirmed = Signal(object)  # Coordinate
    left = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._place: Coordinate | None = None
        self._error = ""
        self._picked: tuple[str, Coordinate] | None = None  # as it stands in the field, and exactly
        self._field = Field()
        self._field.setObjectName("coordinates")
        self._field.setPlaceholderText("43.9508, 4.8075")
        self._field.setAccessibleName("Coordinates of the place")
        self._field.setToolTip(_HOW)
        self._use, self._cancel = QPushButton("OK"), QPushButton("Cancel")
        self._use.setAccessibleName("Use these coordinates")
        self._cancel.setToolTip("No correction (Escape)")
        self._preview = label(_HOW, "dim")
        self._arrange()
        self._field.textChanged.connect(self._read)
        self._field.returnPressed.connect(self.confirm)
        self._field.left.connect(self.left)
        self._use.clicked.connect(self.confirm)
        self._cancel.clicked.connect(self.left)

    def _arrange(self) -> None:
        line = QHBoxLayout()
        line.setSpacing(4)
        line.addWidget(self._field, 1)
        for button in (self._use, self._cancel):
            button.setAutoDefault(False)
            line.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addWidget(label("WHERE IT WAS TAKEN", "heading"))
        layout.addLayout(line)
        layout.addWidget(self._preview)

    def begin(self) -> None:
        """Empty, with the focus."""
        self._picked = None
        self._field.clear()
        self._read("")
        self.show()
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def set_picked(self, place: Coordinate) -> None:
        """As if it were pasted."""
        text = write(place, Notation.DECIMAL)
        self._picked = text, place
        self._field.setText(text)
        self._read(text)
        self._field.setFocus(Qt.FocusReason.OtherFocusReason)

    def confirm(self) -> None:
        """Tell the place; where there is none, say why."""
        if self._place:
            self.confirmed.emit(self._place)
        elif not self._field.text().strip():
            self._say(f"There are no coordinates yet. {_HOW}", "warning")
        else:
            self._say(f"{self._error} {HINT}", "bad")

    def _read(self, text: str) -> None:
        self._place = None
        if self._picked and text == self._picked[0]:
            self._place = self._picked[1]
            self._say(_PICKED, "good")
        elif not text.strip():
            self._say(_HOW, "dim")
        else:
            self._understand(text)
        self._use.setEnabled(self._place is not None)
        self._use.setToolTip("Keep this place as the correction (Enter)" if self._place else "There are no coordinates yet.")

    def _understand(self, text: str) -> None:
        try:
            self._place, kind = read_with_kind(text)
        except NotationError as error:
            self._error = breakable(str(error))
            self._say(self._error, "bad")
        else:
            self._say(f"{kind.word[0].upper()}{kind.word[1:]}, {write(self._place, Notation.DECIMAL)}", "good")

    def _say(self, text: str, role: str) -> None:
        self._preview.setText(text)
        look.set_role(self._preview, role)
