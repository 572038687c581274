"""What is not as the preset has it, each with both values; a click goes to the setting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QPushButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import shown, tooltip
from georapp.gui.train.configure.card import empty
from georapp.gui.train.configure.setting_list import title, written

_LONGEST = 24


class DifferenceList(QWidget):
    """`chosen`: a key; `all_back`: everything is to be as the preset has it."""

    chosen = Signal(str)
    all_back = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.head = QPushButton(self)
        self.head.setCheckable(True)
        look.set_role(self.head, "line")
        self.head.toggled.connect(self._fold)
        self._rows, self._column = QWidget(self), QVBoxLayout()
        self._rows.setLayout(self._column)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.head)
        column.addWidget(self._rows)
        self._found: Mapping[str, tuple[Any, Any]] = {}
        self._made: Mapping[str, tuple[Any, Any]] | None = None
        self.show_differences({}, 0)

    def show_differences(self, found: Mapping[str, tuple[Any, Any]], preset: int) -> None:
        """Key -> (value, the preset's)."""
        self._found = found
        count = len(found)
        what = "No setting differs" if not count else "1 setting differs" if count == 1 else f"{count} settings differ"
        self._said = f"{what} from the preset for {preset} GB"
        self.head.setEnabled(bool(count))
        if not count:
            self.head.setChecked(False)
        self._fold()

    def _fold(self) -> None:
        open_ = self.head.isChecked()
        sign = "" if not self._found else "▴ " if open_ else "▾ "
        self.head.setText(f"{sign}{self._said}")
        self._rows.setVisible(open_)
        if open_ and self._made != self._found:
            self._fill()

    def _fill(self) -> None:
        self._made = dict(self._found)
        empty(self._column)
        for key, (value, preset) in self._found.items():
            words = f"{title(key)}: {_short(value)}  (preset {_short(preset)})"
            row = QPushButton(words.replace("&", "&&"), self._rows)
            look.set_role(row, "line")
            row.setToolTip(tooltip(f"{key}: {written(value)}; the preset has {written(preset)}. Go there."))
            row.clicked.connect(lambda _=False, key=key: self.chosen.emit(key))
            self._column.addWidget(row)
        back = QPushButton("↺ All back to the preset", self._rows)
        look.set_role(back, "line")
        back.setToolTip("All of these but home zones; Ctrl+Z takes it back")
        back.clicked.connect(self.all_back)
        self._column.addWidget(back)


def _short(value: object) -> str:
    return shown(written(value), longest=_LONGEST)
