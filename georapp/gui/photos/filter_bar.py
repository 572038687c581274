"""Search field, filter, sorting, saved views, and a chip for each thing that is asked for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from PySide6.QtCore import QPoint, QSignalBlocker, Qt, QTimer, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QInputDialog, QLabel, QLineEdit, QMenu, QToolButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.photos.filter_popup import FilterPopup
from georapp.gui.photos.flow import Flow
from georapp.gui.photos.row_words import RULING_WORDS, km
from georapp.printable import printable
from georapp.selection import Filter, Sort

_PAUSE_MS = 150  # after the last key, before the list is searched
_CHIP = "QToolButton { background: palette(alternate-base); border-radius: 6px; padding: 2px 8px; }"
SORT_WORDS = {
    Sort.QUEUE: "Order of the queue",
    Sort.NAME: "File name",
    Sort.COUNTRY: "Stated country",
    Sort.RADIUS: "± of the samples",
    Sort.ERROR: "Error",
    Sort.STATE: "State",
}


class FilterBar(QWidget):
    """`changed` when other photos are asked for, or another order."""

    changed = Signal()
    opening = Signal()  # the popup: now its names are wanted
    view_saved = Signal(str)
    view_chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._filter, self._sort, self._reversed = Filter(), Sort.QUEUE, False
        self._views: list[str] = []
        self._popup = FilterPopup(self)
        self._search = QLineEdit(self)
        self._pause = QTimer(self, singleShot=True, interval=_PAUSE_MS)
        self._filter_button, self._sort_button, self._views_button = (QToolButton(self) for _ in range(3))
        self._sort_menu, self._views_menu = QMenu(self), QMenu(self)
        self._chips, self._count = Flow(gap=4, parent=self), QLabel(self)
        self._fill()
        self._arrange()
        self._hear()
        self._show()

    @property
    def filter(self) -> Filter:
        """What is asked for."""
        return self._filter

    @property
    def order(self) -> tuple[Sort, bool]:
        """By what, and whether backwards."""
        return self._sort, self._reversed

    def set_filter(self, wanted: Filter) -> None:
        """Ask for this."""
        self._pause.stop()
        with QSignalBlocker(self._search):
            self._search.setText(wanted.text)
        self._take(wanted)

    def set_count(self, text: str) -> None:
        """ "23 of 1,204"."""
        self._count.setText(text)

    def set_names(self, countries: Mapping[str, int], models: Mapping[str, int]) -> None:
        """For choosing from: name -> photos."""
        self._popup.set_names(countries, models)

    def set_views(self, names: Sequence[str]) -> None:
        """The filters that are kept under a name."""
        self._views = list(names)
        self._fill_views()

    def begin_search(self) -> None:
        """Put the cursor into the search field."""
        self._search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self._search.selectAll()

    # ---- inside ----

    def _fill(self) -> None:
        self._search.setPlaceholderText("Search photos and places")
        self._search.setClearButtonEnabled(True)
        self._search.setMaxLength(200)
        _name(self._search, "Search photos", "File name, stated place or model; every word must occur (Ctrl+F)")
        _name(self._filter_button, "Filter", "Choose by state, verdict, country, model and kilometres")
        _name(self._sort_button, "Sort", "Sort the list")
        _name(self._views_button, "Saved views", "Filters that were kept under a name")
        self._filter_button.setText("Filter ▾")
        self._views_button.setText("Views ▾")
        look.set_role(self._count, "dim")
        self._count.setTextFormat(Qt.TextFormat.PlainText)
        for button, menu in ((self._sort_button, self._sort_menu), (self._views_button, self._views_menu)):
            button.setMenu(menu)
            button.setPopupMode(QToolButton.ToolButtonPopupMode.InstantPopup)
            button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        self._filter_button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        for button in (self._filter_button, self._sort_button, self._views_button):
            look.set_role(button, "flat")
        self._fill_sorts()
        self._fill_views()

    def _arrange(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(12, 8, 12, 4)
        layout.setSpacing(4)
        layout.addWidget(self._search)
        line = QHBoxLayout()
        line.setSpacing(0)
        for button in (self._filter_button, self._sort_button, self._views_button):
            line.addWidget(button)
        line.addWidget(self._count, 1)
        self._count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(line)
        layout.addWidget(self._chips)

    def _hear(self) -> None:
        self._search.textEdited.connect(lambda _text: self._pause.start())
        self._search.textChanged.connect(lambda text: None if text else self._search_now())
        self._search.returnPressed.connect(self._search_now)
        self._pause.timeout.connect(self._search_now)
        self._popup.changed.connect(lambda wanted: self.set_filter(wanted))
        self._filter_button.clicked.connect(self._open_popup)

    def _search_now(self) -> None:
        self._pause.stop()
        self._take(replace(self._filter, text=self._search.text()))

    def _take(self, wanted: Filter) -> None:
        if wanted != self._filter:
            self._filter = wanted
            self._show()
            self.changed.emit()

    def _order(self, sort: Sort, *, reversed: bool) -> None:
        self._sort, self._reversed = sort, reversed
        self._show()
        self.changed.emit()

    def _open_popup(self) -> None:
        self.opening.emit()
        self._popup.show_filter(self._filter)
        self._popup.adjustSize()
        below = self._filter_button.mapToGlobal(QPoint(0, self._filter_button.height() + 4))
        screen = self.screen().availableGeometry()
        left = max(screen.left(), min(below.x(), screen.right() - self._popup.width()))
        self._popup.move(left, max(screen.top(), min(below.y(), screen.bottom() - self._popup.height())))
        self._popup.show()

    def _show(self) -> None:
        wanted = self._filter
        self._popup.show_filter(wanted)
        sorted_by = "" if (self._sort, self._reversed) == (Sort.QUEUE, False) else SORT_WORDS[self._sort]
        self._sort_button.setText(f"Sort {'↓' if self._reversed else '↑'}" if sorted_by else "Sort ▾")
        self._sort_button.setToolTip(f"Sorted by: {sorted_by}" if sorted_by else "Sort the list")
        self._chips.empty()
        for text, without in asked(wanted):
            chip = QToolButton(self._chips)
            chip.setText(f"{_shortened(text)}  ✕".replace("&", "&&"))
            chip.setFocusPolicy(Qt.FocusPolicy.TabFocus)
            chip.setStyleSheet(_CHIP)
            _name(chip, f"Do not ask for: {text}", "Take this out of the filter")
            chip.clicked.connect(lambda _checked=False, without=without: self.set_filter(without))
            self._chips.put(chip)
            chip.show()
        self._chips.arrange()

    def _fill_sorts(self) -> None:
        group = QActionGroup(self)
        for sort, word in SORT_WORDS.items():
            action = QAction(word, group, checkable=True, checked=sort is Sort.QUEUE)
            action.triggered.connect(lambda _checked=False, sort=sort: self._order(sort, reversed=self._reversed))
            self._sort_menu.addAction(action)
        self._sort_menu.addSeparator()
        backwards = QAction("Backwards", self, checkable=True)
        backwards.triggered.connect(lambda checked: self._order(self._sort, reversed=checked))
        self._sort_menu.addAction(backwards)

    def _fill_views(self) -> None:
        self._views_menu.clear()
        self._views_menu.addAction("Save this filter as a view…", self._save_view)
        if self._views:
            self._views_menu.addSeparator()
        for name in self._views:
            action = self._views_menu.addAction(_shortened(name).replace("&", "&&"))
            action.triggered.connect(lambda _checked=False, name=name: self.view_chosen.emit(name))

    def _save_view(self) -> None:
        name, agreed = QInputDialog.getText(self, "Save a view", "Name of this filter:")
        if agreed and name.strip():
            self.view_saved.emit(name.strip())


def asked(wanted: Filter) -> list[tuple[str, Filter]]:
    """What a filter asks for beside its text, in words, and the filter without it."""
    found = [(state.value, replace(wanted, states=wanted.states - {state})) for state in sorted(wanted.states, key=_value)]
    for ruling in sorted(wanted.rulings, key=_value):
        found.append((" ".join(RULING_WORDS[ruling]).strip(), replace(wanted, rulings=wanted.rulings - {ruling})))
    found += [(name, replace(wanted, countries=wanted.countries - {name})) for name in sorted(wanted.countries)]
    found += [(name, replace(wanted, models=wanted.models - {name})) for name in sorted(wanted.models)]
    if wanted.least_error_km is not None:
        found.append((f"error ≥ {km(wanted.least_error_km)}", replace(wanted, least_error_km=None)))
    if wanted.most_error_km is not None:
        found.append((f"error ≤ {km(wanted.most_error_km)}", replace(wanted, most_error_km=None)))
    if wanted.least_radius_km is not None:
        found.append((f"± ≥ {km(wanted.least_radius_km)}", replace(wanted, least_radius_km=None)))
    return found


def _value(entry: object) -> str:
    return str(getattr(entry, "value", entry))


def _shortened(text: str) -> str:
    clean = printable(text)
    return clean if len(clean) <= 28 else f"{clean[:27]}…"


def _name(widget: QWidget, name: str, hint: str) -> None:
    widget.setAccessibleName(printable(name))
    widget.setToolTip(hint)
