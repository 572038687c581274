"""The small window in which a filter is put together. Every change counts at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import TypeVar

from PySide6.QtCore import QRegularExpression, Qt, Signal
from PySide6.QtGui import QColor, QPalette, QRegularExpressionValidator
from PySide6.QtWidgets import (
    QCheckBox,
    QFormLayout,
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QListWidgetItem,
    QPushButton,
    QVBoxLayout,
    QWidget,
)

from georapp.case import Ruling, State
from georapp.gui import look
from georapp.gui.photos.row_words import RULING_WORDS
from georapp.printable import printable
from georapp.selection import Filter

_LIST_ROWS = 5
_Choice = TypeVar("_Choice", State, Ruling)


class FilterPopup(QFrame):
    """`changed(Filter)` for every click. The text to look for is not its own, and is left as it was."""

    changed = Signal(object)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        look.set_role(self, "card")
        self.setAccessibleName("Filter")
        self._filter = Filter()
        self._states = {state: QCheckBox(state.value, self) for state in State}
        self._rulings = {ruling: QCheckBox(" ".join(RULING_WORDS[ruling]).strip(), self) for ruling in Ruling}
        self._countries, self._models = _Names("countries", self), _Names("models", self)
        self._least_error, self._most_error = _KmField("Error from"), _KmField("Error to")
        self._least_radius = _KmField("Circle of the samples at least")
        self._clear = QPushButton("Clear the filter", self)
        self._arrange()
        self._hear()

    def show_filter(self, wanted: Filter) -> None:
        """Tick what this filter asks for, without saying so."""
        self._outline()
        self._filter = wanted
        for boxes, chosen in ((self._states, wanted.states), (self._rulings, wanted.rulings)):
            for value, box in boxes.items():
                box.blockSignals(True)
                box.setChecked(value in chosen)
                box.blockSignals(False)
        self._countries.tick(wanted.countries)
        self._models.tick(wanted.models)
        for field, km in self._fields().items():
            field.show_km(km)

    def _outline(self) -> None:
        """WORKAROUND: Fusion draws boxes in a darker shade of the window's colour, which does not show on dark ground."""
        for widget in (*self._states.values(), *self._rulings.values(), self._countries, self._models):
            palette = widget.palette()
            palette.setColor(QPalette.ColorRole.Window, QColor(look.current().dim))
            widget.setPalette(palette)

    def set_names(self, countries: Mapping[str, int], models: Mapping[str, int]) -> None:
        """What the photos of the case hold, and how often."""
        self._countries.set_names(countries, self._filter.countries)
        self._models.set_names(models, self._filter.models)

    def _fields(self) -> dict[_KmField, float | None]:
        wanted = self._filter
        return {
            self._least_error: wanted.least_error_km,
            self._most_error: wanted.most_error_km,
            self._least_radius: wanted.least_radius_km,
        }

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(16, 16, 16, 16)
        layout.setSpacing(8)
        for title, boxes in (("STATE", self._states.values()), ("VERDICT", self._rulings.values())):
            layout.addWidget(_heading(title))
            layout.addLayout(_grid(boxes))
        for title, names in (("STATED COUNTRY", self._countries), ("MODEL", self._models)):
            layout.addWidget(_heading(title))
            layout.addWidget(names)
        layout.addWidget(_heading("KILOMETRES"))
        layout.addLayout(self._kilometres())
        layout.addWidget(self._clear)

    def _kilometres(self) -> QFormLayout:
        form = QFormLayout()
        form.setVerticalSpacing(8)
        between = QHBoxLayout()
        between.addWidget(self._least_error, 1)
        between.addWidget(QLabel("to", self))
        between.addWidget(self._most_error, 1)
        between.addWidget(QLabel("km", self))
        least = QHBoxLayout()
        least.addWidget(self._least_radius, 1)
        least.addWidget(QLabel("km", self))
        form.addRow("Error", between)
        form.addRow("± at least", least)
        self._least_error.setToolTip("Distance from the place in the file; photos without a known place are left out.")
        self._most_error.setToolTip(self._least_error.toolTip())
        self._least_radius.setToolTip("Radius of the circle that holds 90 % of the samples.")
        return form

    def _hear(self) -> None:
        for box in (*self._states.values(), *self._rulings.values()):
            box.toggled.connect(self._tell)
        for field in self._fields():
            field.textEdited.connect(self._tell)
        self._countries.changed.connect(self._tell)
        self._models.changed.connect(self._tell)
        self._clear.clicked.connect(self._clear_all)

    def _clear_all(self) -> None:
        self.show_filter(Filter())
        self.changed.emit(self._filter)

    def _tell(self) -> None:
        self._filter = replace(
            self._filter,
            states=_ticked(self._states),
            rulings=_ticked(self._rulings),
            countries=self._countries.ticked(),
            models=self._models.ticked(),
            least_error_km=self._least_error.km(),
            most_error_km=self._most_error.km(),
            least_radius_km=self._least_radius.km(),
        )
        self.changed.emit(self._filter)


class _Names(QListWidget):
    """Names from models, with a box before each; untrusted, and shown as they are written."""

    changed = Signal()

    def __init__(self, what: str, parent: QWidget) -> None:
        super().__init__(parent)
        self.setAccessibleName(f"The {what} of the case's answers")
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setTextElideMode(Qt.TextElideMode.ElideMiddle)
        self.itemChanged.connect(lambda _item: self.changed.emit())
        self._what = what

    def set_names(self, names: Mapping[str, int], chosen: Iterable[str]) -> None:
        """Those that are chosen stay in the list, even if no photo has them any more."""
        ticked = set(chosen)
        self.blockSignals(True)
        self.clear()
        for name in sorted({*names, *ticked}, key=str.casefold):
            item = QListWidgetItem(f"{printable(name)}  ({names.get(name, 0):,})", self)
            item.setData(Qt.ItemDataRole.UserRole, name)
            item.setFlags(Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsUserCheckable | Qt.ItemFlag.ItemIsSelectable)
            item.setCheckState(Qt.CheckState.Checked if name in ticked else Qt.CheckState.Unchecked)
        if not self.count():
            QListWidgetItem(f"No {self._what} yet", self).setFlags(Qt.ItemFlag.NoItemFlags)
        self.blockSignals(False)
        rows = min(_LIST_ROWS, self.count())
        self.setFixedHeight(rows * max(20, self.sizeHintForRow(0)) + 4)

    def tick(self, chosen: Iterable[str]) -> None:
        """These and no others."""
        names = {self.item(i).data(Qt.ItemDataRole.UserRole): 1 for i in range(self.count())}
        if missing := set(chosen) - set(names):
            self.set_names(dict.fromkeys({name for name in names if name} | missing, 0), chosen)
        ticked = set(chosen)
        self.blockSignals(True)
        for item in self._items():
            item.setCheckState(
                Qt.CheckState.Checked if item.data(Qt.ItemDataRole.UserRole) in ticked else Qt.CheckState.Unchecked
            )
        self.blockSignals(False)

    def ticked(self) -> frozenset[str]:
        """The names with a tick."""
        role = Qt.ItemDataRole.UserRole
        return frozenset(item.data(role) for item in self._items() if item.checkState() == Qt.CheckState.Checked)

    def _items(self) -> list[QListWidgetItem]:
        found = [self.item(i) for i in range(self.count())]
        return [item for item in found if item.data(Qt.ItemDataRole.UserRole) is not None]


def _ticked(boxes: Mapping[_Choice, QCheckBox]) -> frozenset[_Choice]:
    return frozenset(value for value, box in boxes.items() if box.isChecked())


class _KmField(QLineEdit):
    """Kilometres from 0 on, or nothing. A plain field: spin boxes without buttons lose their text under a stylesheet."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.setPlaceholderText("any")
        self.setAccessibleName(f"{name}, in kilometres")
        self.setValidator(QRegularExpressionValidator(QRegularExpression(r"[0-9]{0,5}([.,][0-9]{0,2})?"), self))

    def km(self) -> float | None:
        """None for any."""
        text = self.text().replace(",", ".")
        return float(text) if text.strip(".") else None

    def show_km(self, km: float | None) -> None:
        """Leaves what somebody is typing alone if it means the same."""
        if km != self.km():
            self.setText("" if km is None else f"{km:g}")


def _heading(text: str) -> QLabel:
    label = QLabel(text)
    look.set_role(label, "heading")
    return label


def _grid(boxes: Iterable[QCheckBox]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(16)
    grid.setVerticalSpacing(4)
    for i, box in enumerate(boxes):
        grid.addWidget(box, i // 2, i % 2)
    return grid
