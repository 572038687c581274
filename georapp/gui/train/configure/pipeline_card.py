"""The stages of a run, what comes out of it, and what the model will see."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from georapp.gui.plain import label
from georapp.gui.train.configure.card import TWO_PX, Card, Pairs
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.sample_view import SampleView
from georapp.gui.train.configure.setting_editors import Switch
from georapp.gui.train.configure.setting_field import SettingField

STAGES = (
    ("", "Album", "Photos are read, named by regions and parted, so that no place lies on both sides. Always done."),
    ("sft", "SFT", "The model learns to write the chain of each photo, from continent to coordinate."),
    (
        "hard",
        "Hard photos",
        "Photos that the model places well already are left out of the next stage, but for some that keep it in practice.",
    ),
    (
        "grpo",
        "GRPO",
        "The model answers several times to each photo, and answers nearer to the truth than the others are reinforced.",
    ),
    ("export", "GGUF", "The trained model becomes a model folder for Locate, and is compared with what was trained."),
)
_FIELDS = (
    ("export.name", "Name of the model", "Of its folder; empty: that of the run"),
    ("export.weights", "", "Merged: a whole model. Adapter: a small file beside the base model"),
    ("export.kinds", "GGUF files", "q8_0 is nearly exact and half as large as f16; q4_1 is smaller and less exact"),
)
_ABOUT_PREVIEW = "A photo as the model gets it, and every token: what is coloured and underlined is learned."


class PipelineCard(Card):
    """Of one draft. `preview_asked`: somebody wants to see what the model will see."""

    preview_asked = Signal()

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Pipeline", parent)
        self._draft = draft
        self.switches: dict[str, Switch] = {}
        self._facts: dict[str, QLabel] = {}
        self.view: SampleView | None = None
        self._lay_out_stages()
        self.fields = {key: SettingField(key, draft, self, name=name, about=about) for key, name, about in _FIELDS}
        self._export = QWidget(self)
        self._lay_out_export()
        self._lay_out_preview()
        draft.changed.connect(self._refresh)
        self._refresh(frozenset(f"{name}.enabled" for name, _, _ in STAGES))

    def _lay_out_stages(self) -> None:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        for row, (name, word, sentence) in enumerate(STAGES):
            top = Qt.AlignmentFlag.AlignTop
            grid.addWidget(self._switch(name, word) if name else label(f"✓  {word}", "", wrap=False), row, 0, top)
            grid.addWidget(label(sentence, "dim"), row, 1, top)
            self._facts[name] = label("", "", wrap=False)
            grid.addWidget(self._facts[name], row, 2, top)
        self.body.addLayout(grid)

    def _switch(self, name: str, word: str) -> Switch:
        made = Switch(word, self)
        made.setAccessibleName(f"Do stage {word}")
        made.setToolTip(f"{name}.enabled")
        made.edited.connect(lambda on, _typing: self._draft.set(f"{name}.enabled", on))
        self.switches[name] = made
        return made

    def _lay_out_export(self) -> None:
        column = QVBoxLayout(self._export)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(Pairs(list(self.fields.values()), wide_px=TWO_PX, parent=self._export))
        self.body.addWidget(self._export)

    def _lay_out_preview(self) -> None:
        self.preview = QPushButton("Show what the model will see", self)
        self.preview.setToolTip(_ABOUT_PREVIEW)
        self.preview.clicked.connect(self.preview_asked)
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.preview)
        row.addWidget(label(_ABOUT_PREVIEW, "small"), 1, Qt.AlignmentFlag.AlignVCenter)
        self.body.addLayout(row)

    def samples(self) -> SampleView:
        """Where the preview is shown."""
        if self.view is None:
            self.view = SampleView(self)
            self.body.addWidget(self.view)
        self.view.show()
        return self.view

    def hide_samples(self) -> None:
        """They are not what would be trained any more."""
        if self.view is not None:
            self.view.hide()

    def show_steps(self, steps: Mapping[str, int]) -> None:
        """How many steps stages take, 0 where that is not known."""
        for name, fact in self._facts.items():
            count = steps.get(name, 0)
            fact.setText("" if not count else "1 step" if count == 1 else f"{count:,} steps")

    def _refresh(self, keys: frozenset[str]) -> None:
        for name, switch in self.switches.items():
            if f"{name}.enabled" in keys:
                switch.show_value(self._draft.value(f"{name}.enabled"))
        for key in keys & self.fields.keys():
            self.fields[key].refresh()
        self._export.setVisible(self._draft.value("export.enabled") is True)
