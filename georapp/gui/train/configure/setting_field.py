"""A setting with its name, a word about it, what changes it, whether it is the preset's, and what is wrong with it."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label, tooltip
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.setting_editors import Choice, Editor, Several, TypedField, editor_for
from georapp.gui.train.configure.setting_list import SETTINGS, title, written
from georapp.printable import printable

EDITOR_PX = 132
_LONGEST = 28  # characters of a value on a button


class SettingField(QWidget):
    """One row. `prefix`: whether the name says its section too."""

    def __init__(self, key: str, draft: Draft, parent: QWidget | None = None, *, name: str = "", about: str = "") -> None:
        super().__init__(parent)
        self.key, self._draft, self.setting = key, draft, SETTINGS[key]
        self._name = name or self.setting.label
        self._label = label(self._name, "", wrap=False)
        self._about = label(breakable(about or self._sentence()), "small", wrap=True)
        self.editor: Editor = editor_for(self.setting, self)
        self.back = self._back_button()
        self.error: QLabel | None = None
        self._lay_out()
        self._name_editor()
        self.editor.edited.connect(lambda value, typing: draft.set(key, value, typing=typing))
        self.refresh()

    def _sentence(self) -> str:
        text = self.setting.about
        return text[:1].upper() + text[1:]

    def _back_button(self) -> QPushButton:
        made = QPushButton(self)
        look.set_role(made, "back")
        made.clicked.connect(self._go_back)
        made.hide()
        return made

    def _lay_out(self) -> None:
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(self._label, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 4, 0, 4)
        self._grid.setHorizontalSpacing(12)
        self._grid.setVerticalSpacing(1)
        self._grid.setColumnStretch(0, 1)
        self._grid.addLayout(head, 0, 0)
        self._grid.addWidget(self._about, 1, 0)
        if isinstance(self.editor, Several):
            self._grid.addWidget(self.editor, 2, 0, 1, 2)
            self._grid.setRowMinimumHeight(2, 24)
        else:
            place = Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft
            self._grid.addWidget(self.editor, 0, 1, 2, 1, place)
            self.editor.setFixedWidth(EDITOR_PX)

    def _name_editor(self) -> None:
        name = title(self.key)
        self.editor.setAccessibleName(name)
        tip = tooltip(f"{self.key}: {self.setting.about}")
        self.editor.setToolTip(tip)
        self._label.setToolTip(tip)
        if isinstance(self.editor, Choice):
            self.editor.view().setAccessibleName(name)

    # ---- what is shown ----

    def refresh(self) -> None:
        """As the draft is now."""
        self.editor.show_value(self._draft.value(self.key))
        self._show_difference()
        self._show_error()

    def _show_difference(self) -> None:
        differs = self._draft.differs(self.key)
        if differs:
            value = _short(written(self._draft.preset_value(self.key)))
            self.back.setText(f"● ↺ {value}".replace("&", "&&"))
            self.back.setToolTip(tooltip(f"Not the preset's value. Back to the preset's: {value}"))
            self.back.setAccessibleName(f"{title(self.key)} differs from the preset. Back to {value}")
        self.back.setVisible(differs)

    def _show_error(self) -> None:
        error = self._draft.error_of(self.key)
        self.editor.setAccessibleDescription(str(error) if error else self.setting.about)
        if error is None:
            if self.error:
                self.error.hide()
            return
        if self.error is None:
            self.error = label("", "bad")
            self._grid.addWidget(self.error, 3, 0, 1, 2)
        text = breakable(printable(" ".join(part for part in (f"✕ {error}", error.hint) if part)))
        self.error.setText(text)
        self.error.show()

    def _go_back(self) -> None:
        self.editor.setFocus()  # the button hides itself
        self._draft.back(self.key)

    def take_focus(self) -> None:
        """For the keyboard."""
        first = next(iter(self.editor.boxes.values())) if isinstance(self.editor, Several) else self.editor
        first.setFocus(Qt.FocusReason.ShortcutFocusReason)
        if isinstance(first, TypedField):
            first.selectAll()


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
