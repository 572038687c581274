"""The settings of a section: the common ones, and the rest behind a button. Rows are made when they are first seen."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label
from georapp.gui.train.configure.setting_field import SettingField
from georapp.gui.train.configure.setting_list import SECTIONS, Setting

COLUMN_PX = 400  # a second column of rows from twice this on
_MOST_COLUMNS = 3

Make = Callable[[str, QWidget], SettingField]


class SettingGroup(QWidget):
    """`wanted`: keys whose rows are to be made; give them to `take`."""

    wanted = Signal(object)

    def __init__(self, section: str, settings: Sequence[Setting], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.section, self._settings = section, list(settings)
        self.fields: dict[str, SettingField] = {}
        self._query: str | None = None
        self._columns = 0
        self.fold = QPushButton(self)
        look.set_role(self.fold, "quiet")
        self.fold.setCheckable(True)
        self.fold.setAccessibleName(f"All settings of {SECTIONS[section]}")
        self.fold.toggled.connect(self._show_wanted)
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label(SECTIONS[section], "strong", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        head.addWidget(self.fold)
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(28)
        self._grid.setVerticalSpacing(2)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(2)
        column.addLayout(head)
        column.addLayout(self._grid)
        self._show_wanted()

    # ---- which rows ----

    def search(self, query: str) -> int:
        """Only rows with all these words; "" for the usual ones. How many there are."""
        self._query = query or None
        self._show_wanted()
        return len(self._visible())

    def unfold_to(self, key: str) -> bool:
        """Have this setting's row shown; False when it has none here."""
        if all(setting.key != key for setting in self._settings):
            return False
        if not any(setting.key == key for setting in self._visible()):
            self.fold.setChecked(True)
        return True

    def _visible(self) -> list[Setting]:
        if self._query is not None:
            words = self._query.split()
            return [setting for setting in self._settings if all(word in setting.words for word in words)]
        if self.fold.isChecked():
            return self._settings
        return [setting for setting in self._settings if setting.common]

    def _show_wanted(self) -> None:
        seen = self._visible()
        rest = len([setting for setting in self._settings if not setting.common])
        self.fold.setText(
            "Fewer ▴"
            if self.fold.isChecked()
            else f"{rest} more ▾"
            if rest < len(self._settings)
            else f"{rest} setting{'s' * (rest > 1)} ▾"
        )
        self.fold.setVisible(self._query is None and rest > 0)
        self.setVisible(self._query is None or bool(seen))
        if missing := self.missing():
            self.wanted.emit(missing)
        self._arrange()

    def missing(self) -> list[str]:
        """Keys of rows that are to be seen and not made."""
        return [setting.key for setting in self._visible() if setting.key not in self.fields]

    def take(self, field: SettingField) -> None:
        """A row that was made."""
        self.fields[field.key] = field
        self._arrange()

    # ---- where they stand ----

    def _arrange(self) -> None:
        columns = max(1, min(_MOST_COLUMNS, self.width() // COLUMN_PX))
        keys = [setting.key for setting in self._visible() if setting.key in self.fields]
        for key, field in self.fields.items():
            self._grid.removeWidget(field)
            if key not in keys:
                field.hide()
        for n, key in enumerate(keys):  # row by row: the common ones stay where they are when the rest unfolds
            self._grid.addWidget(self.fields[key], n // columns, n % columns, Qt.AlignmentFlag.AlignTop)
            self.fields[key].show()
        for column in range(_MOST_COLUMNS):
            self._grid.setColumnStretch(column, 1 if column < columns else 0)
        self._columns = columns

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may make other columns."""
        super().resizeEvent(event)
        if max(1, min(_MOST_COLUMNS, self.width() // COLUMN_PX)) != self._columns:
            self._arrange()
