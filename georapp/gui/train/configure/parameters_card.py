"""How it is trained: presets by GPU memory, all settings by section with a search, and the reward curve."""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QLineEdit, QPushButton, QVBoxLayout, QWidget

from georapp.chain import folded
from georapp.gui import look
from georapp.gui.plain import label, tooltip
from georapp.gui.train.configure.card import Card
from georapp.gui.train.configure.curve_group import CurveGroup
from georapp.gui.train.configure.draft import OF_MEMORY, Draft
from georapp.gui.train.configure.setting_field import SettingField
from georapp.gui.train.configure.setting_group import SettingGroup
from georapp.gui.train.configure.setting_list import COMMON, ELSEWHERE, SETTINGS, title
from georapp.run_presets import PRESETS

_AT_ONCE = 3  # rows made in one turn of the window
_ORDER = ("sft", "grpo", "model", "hard", "album", "guards", "export", "")
_CURVE_WORDS = "grpo reward curve curve_points curve_steps own geo-r geoscore distance"


class ParametersCard(Card):
    """Of one draft. `went_to`: the row that has the cursor now."""

    went_to = Signal(object)  # QWidget

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Parameters", parent)
        self._draft = draft
        self._waiting: deque[tuple[SettingGroup, str]] = deque()
        self._focus_on = ""
        self._timer = QTimer(self)
        self._timer.setInterval(0)
        self._timer.timeout.connect(self._make_some)
        self.search = QLineEdit(self)
        self._lay_out_search()
        self._lay_out_presets()
        self.groups = {section: self._group(section) for section in _ORDER}
        self.curve = CurveGroup(draft, self)
        self._nothing = label("", "dim")
        self._nothing.hide()
        self.body.addWidget(self._nothing)
        self._lay_out_groups()
        draft.changed.connect(self._refresh)
        self._show_preset()

    def _lay_out_search(self) -> None:
        self.search.setPlaceholderText("Search all settings")
        self.search.setAccessibleName("Search all settings")
        self.search.setToolTip("Part of a name or of what it means (Ctrl+F)")
        self.search.setClearButtonEnabled(True)
        self.search.setFixedWidth(220)
        self.search.textChanged.connect(self._search)
        self.tools.addWidget(self.search)

    def _lay_out_presets(self) -> None:
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(label("For a GPU with", "", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
        self.presets = QButtonGroup(self)
        for gib, preset in PRESETS.items():
            button = QPushButton(f"{gib} GB", self)
            button.setCheckable(True)
            look.set_role(button, "preset")
            button.setAccessibleName(f"Preset for {gib} GB: {preset.fits}")
            button.setToolTip(tooltip(f"Fits {preset.fits}. Sets {', '.join(sorted(title(key) for key in OF_MEMORY))}."))
            button.clicked.connect(lambda _=False, gib=gib: self._draft.set_preset(gib))
            self.presets.addButton(button, gib)
            row.addWidget(button)
        self._fits = label("", "small")
        row.addSpacing(6)
        row.addWidget(self._fits, 1, Qt.AlignmentFlag.AlignVCenter)
        self.body.addLayout(row)

    def _group(self, section: str) -> SettingGroup:
        own = [setting for setting in SETTINGS.values() if setting.section == section and setting.key not in ELSEWHERE]
        own.sort(key=lambda setting: COMMON.index(setting.key) if setting.common else len(COMMON))
        made = SettingGroup(section, own, self)
        made.wanted.connect(lambda keys, group=made: self._want(group, keys))
        return made

    def _lay_out_groups(self) -> None:
        column = QVBoxLayout()
        column.setSpacing(14)
        for section in _ORDER:
            column.addWidget(self.groups[section])
            if section == "grpo":
                column.addWidget(self.curve)
        self.body.addLayout(column)

    # ---- rows ----

    def showEvent(self, event: QShowEvent) -> None:
        """The first rows."""
        super().showEvent(event)
        for group in self.groups.values():
            self._want(group, group.missing())

    def _want(self, group: SettingGroup, keys: list[str]) -> None:
        for key in keys:
            if (group, key) not in self._waiting:
                self._waiting.append((group, key))
        if self._waiting and self.isVisible():
            self._timer.start()

    def _make_some(self) -> None:
        for _ in range(min(_AT_ONCE, len(self._waiting))):
            group, key = self._waiting.popleft()
            if key not in group.fields:
                group.take(SettingField(key, self._draft, group))
        if not self._waiting:
            self._timer.stop()
            self.curve.begin()
            self._focus_now()

    def field(self, key: str) -> SettingField | None:
        """The row of a setting, when it was made."""
        group = self.groups.get(SETTINGS[key].section)
        return group.fields.get(key) if group else None

    def go_to(self, key: str) -> None:
        """Show a setting's row and put the cursor there."""
        self.search.clear()
        if key.startswith("grpo.curve"):
            self.curve.setFocus()
            self.went_to.emit(self.curve)
            return
        if self.groups[SETTINGS[key].section].unfold_to(key):
            self._focus_on = key
            if not self._waiting:
                self._focus_now()

    def _focus_now(self) -> None:
        field = self.field(self._focus_on) if self._focus_on else None
        if field is not None:
            self._focus_on = ""
            QTimer.singleShot(0, field, lambda: self._take_focus(field))  # when it was laid out

    def _take_focus(self, field: SettingField) -> None:
        field.take_focus()
        self.went_to.emit(field)

    # ---- what is shown ----

    def _search(self, text: str) -> None:
        query = folded(text)
        found = sum(group.search(query) for group in self.groups.values())
        curve = not query or all(word in _CURVE_WORDS for word in query.split())
        self.curve.setVisible(curve)
        self._nothing.setVisible(bool(query) and not found and not curve)
        self._nothing.setText("No setting has these words. What is common to all runs is in the other cards.")

    def _refresh(self, keys: frozenset[str]) -> None:
        for group in self.groups.values():
            for key in keys & group.fields.keys():
                group.fields[key].refresh()
        self.curve.refresh(keys)
        self._show_preset()

    def _show_preset(self) -> None:
        gib = self._draft.preset
        self.presets.button(gib).setChecked(True)
        self._fits.setText(f"fits {PRESETS[gib].fits}")
