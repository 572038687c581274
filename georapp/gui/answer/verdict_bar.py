"""What a person decides about the photo that is shown: accept, correct, reject, unsure, and a note.

The keys are the window's: it calls accept(), begin_correction(), reject(), unsure() and focus_note(). While a field of the bar has
the focus, Enter and Escape are the field's.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QPushButton, QVBoxLayout, QWidget

from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.answer.correction import Correction, Field
from georapp.gui.plain import tooltip

_LONGEST_NOTE = 2000  # characters
_BUTTONS = {  # name -> label, key, what it does
    "accept": ("Accept", "↵", "The answer is right as far as it goes, and the next photo (Enter)"),
    "correct": ("Correct", "C", "Say where it was taken: click on the map or paste coordinates (C)"),
    "reject": ("Reject", "X", "The answer is wrong (X)"),
    "unsure": ("Unsure", "U", "Looked at, and not decided (U)"),
}


class VerdictBar(QWidget):
    """Four buttons, a note that goes with the next verdict, and a line for the correction that appears with C."""

    accepted = Signal(str)  # note
    corrected = Signal(object, str)  # Coordinate, note
    rejected = Signal(str)  # note
    judged_unsure = Signal(str)  # note
    correcting = Signal(bool)  # a correction began or ended; the map can be clicked in between
    left = Signal()  # a field has given the keys back

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._correcting = False
        self._blocked, self._answer_blocked = "", ""
        self._buttons = {name: _button(name) for name in _BUTTONS}
        self._note, self._correction = _note_field(), Correction()
        self._correction.hide()
        self._arrange()
        for name, slot in zip(_BUTTONS, (self.accept, self.begin_correction, self.reject, self.unsure), strict=True):
            self._buttons[name].clicked.connect(slot)
        self._note.left.connect(self._leave)
        self._note.returnPressed.connect(self._leave)
        self._correction.confirmed.connect(self._correct)
        self._correction.left.connect(self.end_correction)

    def _arrange(self) -> None:
        buttons = QGridLayout()
        buttons.setSpacing(8)
        for i, button in enumerate(self._buttons.values()):
            buttons.addWidget(button, i // 2, i % 2)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self._correction)
        layout.addWidget(self._note)
        layout.addLayout(buttons)

    # ---- verdicts ----

    def accept(self) -> None:
        """The answer is right; in the middle of a correction: the correction is."""
        if self._correcting:
            self._correction.confirm()
        elif self._may(answer=True):
            self.accepted.emit(self._take_note())

    def reject(self) -> None:
        """The answer is wrong."""
        if self._may(answer=True):
            self.end_correction()
            self.rejected.emit(self._take_note())

    def unsure(self) -> None:
        """Looked at, and not decided."""
        if self._may():
            self.end_correction()
            self.judged_unsure.emit(self._take_note())

    def _correct(self, place: object) -> None:
        if self._may():
            self.end_correction()
            self.corrected.emit(place, self._take_note())

    # ---- correction ----

    def begin_correction(self) -> None:
        """Show the line for coordinates. Nothing happens when it is shown already."""
        if self._correcting or not self._may():
            return
        self._correcting = True
        self._correction.begin()
        self._buttons["accept"].setText("Use this place  ↵")
        self._refresh()
        self.correcting.emit(True)

    def end_correction(self) -> None:
        """Without a verdict."""
        if not self._correcting:
            return
        self._correcting = False
        self._leave()  # before hiding, which would send the focus anywhere
        self._correction.hide()
        self._buttons["accept"].setText(_caption("accept"))
        self._refresh()
        self.correcting.emit(False)

    def set_picked(self, place: Coordinate) -> None:
        """The map was clicked."""
        if self._correcting:
            self._correction.set_picked(place)

    @property
    def is_correcting(self) -> bool:
        """Whether the line for coordinates is shown."""
        return self._correcting

    # ---- note ----

    def focus_note(self) -> None:
        """Let the person write."""
        self._note.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def note(self) -> str:
        """What goes with the next verdict."""
        return self._note.text().strip()

    def reset(self) -> None:
        """Another photo: no note, no correction."""
        self.end_correction()
        self._note.clear()

    def _take_note(self) -> str:
        note = self.note()
        self._note.clear()
        return note

    def _leave(self) -> None:
        """Give the keys back to the window."""
        for field in (self._note, *self._correction.findChildren(QWidget)):
            if field.hasFocus():
                field.clearFocus()
                self.left.emit()

    # ---- what may be done ----

    def set_blocked(self, reason: str, *, answer: str = "") -> None:
        """Why nothing may be decided, or, as `answer`, why no answer may be accepted or rejected. Empty: it may."""
        self._blocked, self._answer_blocked = reason, answer
        if reason:
            self.end_correction()
        self._refresh()

    def _may(self, *, answer: bool = False) -> bool:
        return not self._blocked and not (answer and self._answer_blocked)

    def _refresh(self) -> None:
        for name, button in self._buttons.items():
            about_answer = name == "reject" or (name == "accept" and not self._correcting)
            why = self._blocked or (self._answer_blocked if about_answer else "")
            button.setEnabled(not why)
            button.setToolTip(tooltip(why or _BUTTONS[name][2]))
        self._note.setEnabled(not self._blocked)
        self._note.setToolTip(tooltip(self._blocked or _NOTE))


def _caption(name: str) -> str:
    words, key, _ = _BUTTONS[name]
    return f"{words}  {key}"


def _button(name: str) -> QPushButton:
    button = QPushButton(_caption(name))
    button.setObjectName(name)
    button.setToolTip(_BUTTONS[name][2])
    button.setAccessibleName(_BUTTONS[name][0])
    button.setAutoDefault(False)
    if name == "accept":
        look.set_role(button, "accent")
    return button


_NOTE = "Goes with the next verdict (N). Enter keeps it, Escape leaves the field."


def _note_field() -> Field:
    field = Field()
    field.setPlaceholderText("Note (N)")
    field.setAccessibleName("Note")
    field.setToolTip(_NOTE)
    field.setMaxLength(_LONGEST_NOTE)
    return field
