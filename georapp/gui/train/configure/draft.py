"""The settings of a run that is no run yet, one by one as a person changes them, with undo and redo.

A value may be impossible for a while: then there is no RunConfig, and each mistake is known by its setting.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QObject, Signal

from georapp import run_toml
from georapp.errors import RunError
from georapp.gui.train.configure.setting_list import flat, nested
from georapp.run_presets import PRESETS, differences
from georapp.run_settings import RunConfig, key_of, sections_of, settings_of

FIRST_PRESET = 16  # GB, until a GPU is known
KEPT = frozenset({"album.home_zones"})  # what "all back to the preset" leaves: nobody's home comes back into an album that way
MOST_STEPS = 500  # of undo
_KEY = re.compile(r"\b[a-z]+\.[a-z_]+\b")


@dataclass(slots=True)
class _Change:
    """From `before` to `after`, by key. `typing`: a further letter in the same field belongs to it."""

    before: dict[str, Any]
    after: dict[str, Any]
    presets: tuple[int, int]
    typing: bool


class Draft(QObject):
    """One RunConfig that is being edited. `changed`: a frozenset of keys whose value, mistake or difference is another now."""

    changed = Signal(object)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.preset = FIRST_PRESET
        self.touched = False  # by a person, or read from a file
        self._values = flat(PRESETS[self.preset].config)
        self._config: RunConfig | None = None
        self.error: RunError | None = None
        self._errors: dict[str, RunError] = {}
        self._undo: list[_Change] = []
        self._redo: list[_Change] = []
        self._preset_values = dict(self._values)
        self._check()

    # ---- what it is ----

    def value(self, key: str) -> Any:
        """Of a setting like "grpo.beta". Raises KeyError."""
        return self._values[key]

    def config(self) -> RunConfig | None:
        """None while something is impossible; `error` says what."""
        return self._config

    def text(self) -> str:
        """As a run.toml. Raises RunError while something is impossible."""
        if self._config is None:
            assert self.error
            raise self.error
        return run_toml.text_of(self._config)

    def error_of(self, key: str) -> RunError | None:
        """What is wrong with this setting."""
        return self._errors.get(key)

    @property
    def errors(self) -> Mapping[str, RunError]:
        """By setting; a mistake between two settings stands at both."""
        return self._errors

    def preset_value(self, key: str) -> Any:
        """What the preset has there."""
        return self._preset_values[key]

    def differs(self, key: str) -> bool:
        """Whether this is not the preset's value. What says what the run is about never differs."""
        return key in _COMPARED and self._values[key] != self._preset_values[key]

    def differences(self) -> dict[str, tuple[Any, Any]]:
        """Key -> (value, the preset's)."""
        return {key: (self._values[key], self._preset_values[key]) for key in self._values if self.differs(key)}

    # ---- changes ----

    def set(self, key: str, value: Any, *, typing: bool = False) -> None:
        """`typing`: more of it may follow at once; all that is typed into one field, with its end, is one step of undo."""
        self.set_all({key: value}, typing=typing)

    def set_all(self, values: Mapping[str, Any], *, typing: bool = False, preset: int = 0) -> None:
        """Several settings as one step of undo. Raises KeyError for an unknown one."""
        after = {key: value for key, value in values.items() if not _same(self._values[key], value)}
        preset = preset or self.preset
        if not after and preset == self.preset:
            return
        self._remember(_Change({key: self._values[key] for key in after}, after, (self.preset, preset), typing))
        self._apply(after, preset)

    def set_preset(self, gib: int) -> None:
        """What depends on a GPU's memory takes the preset's value; all else stays."""
        values = flat(PRESETS[gib].config)
        self.set_all({key: values[key] for key in OF_MEMORY}, preset=gib)

    def suggest_preset(self, gib: int) -> None:
        """For the GPU that was found, as long as nobody has chosen anything."""
        if not self.touched and not self._undo:
            values = flat(PRESETS[gib].config)
            self._apply({key: values[key] for key in OF_MEMORY}, gib)

    def back(self, key: str) -> None:
        """To the preset's value."""
        self._end_typing()
        values = {key: self._preset_values[key]}
        if key == "grpo.curve":
            values |= {name: self._preset_values[name] for name in ("grpo.curve_points", "grpo.curve_steps")}
        self.set_all(values)

    def all_back(self) -> None:
        """All that differs, but for home zones."""
        self.set_all({key: self._preset_values[key] for key in self.differences() if key not in KEPT})

    def load(self, text: str) -> None:
        """All settings from a run.toml, as one step of undo. Raises RunError, and nothing is changed then."""
        self.use(run_toml.parse(text))

    def use(self, config: RunConfig) -> None:
        """All settings of another run, as one step of undo."""
        self.touched = True
        self.set_all(flat(config), preset=self._nearest(config))

    def begin_with(self, config: RunConfig, preset: int) -> None:
        """What was being edited when the window was closed; nothing to undo."""
        self.touched = True
        self._undo, self._redo = [], []
        self._apply(flat(config), preset if preset in PRESETS else self._nearest(config))

    def undo(self) -> None:
        """Take the last change back."""
        if self._undo:
            change = self._undo.pop()
            self._redo.append(change)
            self._apply(change.before, change.presets[0])

    def redo(self) -> None:
        """Make it again."""
        if self._redo:
            change = self._redo.pop()
            change.typing = False
            self._undo.append(change)
            self._apply(change.after, change.presets[1])

    @property
    def can_undo(self) -> bool:
        """Whether there is a change to take back."""
        return bool(self._undo)

    @property
    def can_redo(self) -> bool:
        """Whether one was taken back."""
        return bool(self._redo)

    def _end_typing(self) -> None:
        """What comes now is a step of its own."""
        if self._undo:
            self._undo[-1].typing = False

    def _nearest(self, config: RunConfig) -> int:
        counts = {gib: len(differences(config, preset.config)) for gib, preset in PRESETS.items()}
        return min(counts, key=lambda gib: (counts[gib], gib != self.preset))

    def _remember(self, change: _Change) -> None:
        last = self._undo[-1] if self._undo else None
        self._redo = []
        if last and last.typing and last.after.keys() == change.after.keys():
            last.after, last.typing = change.after, change.typing
            return
        self._undo = [*self._undo[-MOST_STEPS:], change]

    def _apply(self, values: Mapping[str, Any], preset: int) -> None:
        before, differed = self._errors, {key for key in self._values if self.differs(key)}
        self._values |= values
        if preset != self.preset:
            self.preset = preset
            self._preset_values = flat(PRESETS[preset].config)
        self._check()
        differ = {key for key in self._values if self.differs(key)}
        told = {key for key in {*before, *self._errors} if str(before.get(key)) != str(self._errors.get(key))}
        self.changed.emit(frozenset(values) | (differed ^ differ) | told)

    # ---- mistakes ----

    def _check(self) -> None:
        self._errors, self.error = {}, None
        try:
            self._config = run_toml.from_values(nested(self._values))
        except RunError as error:
            self._config, self.error = None, error
            self._errors = self._single_mistakes()
            for key in _named(str(error)):
                self._errors.setdefault(key, error)

    def _single_mistakes(self) -> dict[str, RunError]:
        """Of settings that are impossible whatever the others are."""
        found = {}
        for key, value in self._values.items():
            if value == _DEFAULTS[key]:
                continue
            try:
                run_toml.from_values(nested({key: value}))
            except RunError as error:
                if str(error).startswith(f"{key} cannot be "):
                    found[key] = error
        return found


def _same(one: Any, other: Any) -> bool:
    return type(one) is type(other) and bool(one == other)  # 1, 1.0 and True are equal, and are not the same


def _named(sentence: str) -> Iterable[str]:
    """The settings that a sentence speaks of."""
    return [key for key in dict.fromkeys(_KEY.findall(sentence)) if key in _DEFAULTS]


_DEFAULTS = flat(RunConfig())
_COMPARED = frozenset(
    key_of(section, f.name)
    for section in (RunConfig(), *sections_of(RunConfig()))
    for f in settings_of(section)
    if not f.metadata["free"]
)
OF_MEMORY = frozenset(
    key for one in PRESETS.values() for other in PRESETS.values() for key in differences(one.config, other.config)
)
