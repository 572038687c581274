"""What is trained: the model to begin with, what was read of it, and which of its weights learn."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QWidget

from georapp.base_model import BaseModel
from georapp.errors import GeorappError
from georapp.gui import look
from georapp.gui.photos.flow import Flow
from georapp.gui.plain import breakable, label, shown, tooltip
from georapp.gui.train.configure.card import TWO_PX, Card, Pairs
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.setting_editors import TypedField
from georapp.gui.train.configure.setting_field import SettingField
from georapp.gui.train.configure.setting_list import SETTINGS
from georapp.printable import printable

_EMPTY = (
    "A run begins with a vision-language model that you have on this machine: a folder as Hugging Face lays it out, with config.json, "
    "weights (.safetensors), tokenizer and processor. Drop it here, or choose it. "
    "For a first try take a small one: with 8 GB of GPU memory up to 4 billion parameters can be trained in 4 bits."
)
_METHOD = "LoRA: a small adapter. QLoRA: the same on weights in 4 bits. Full: all weights"
_FIELDS = (
    ("model.method", "", _METHOD),
    ("model.precision", "", ""),
    ("model.max_pixels", "Pixels of a photo", "Larger photos are scaled down to so many"),
    ("model.freeze_vision", "", ""),
)


class ModelCard(Card):
    """Of one draft."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Model", parent)
        self._draft = draft
        self.setAcceptDrops(True)
        self.folder = TypedField(SETTINGS["model.base"], self)
        self.choose = QPushButton("Choose…", self)
        self.facts = Flow(gap=6, line_gap=6, parent=self)
        self.sentence, self.hint = label("", ""), label("", "dim")
        self._lay_out_folder()
        for widget in (self.facts, self.sentence, self.hint):
            self.body.addWidget(widget)
        self.fields = {key: SettingField(key, draft, self, name=name, about=about) for key, name, about in _FIELDS}
        self.body.addWidget(Pairs(list(self.fields.values()), wide_px=TWO_PX, parent=self))
        self.body.addStretch(1)
        draft.changed.connect(self._refresh)
        self._refresh(frozenset({"model.base"}))
        self.show_base(None)

    def _lay_out_folder(self) -> None:
        self.folder.setPlaceholderText("Folder of the model")
        self.folder.setAccessibleName("Folder of the model to begin with")
        self.folder.setToolTip("As Hugging Face lays it out: config.json, weights, tokenizer, processor")
        self.folder.edited.connect(lambda value, typing: self._draft.set("model.base", value.strip(), typing=typing))
        self.choose.setToolTip("Choose the folder of the model")
        self.choose.clicked.connect(self._choose)
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.folder, 1)
        row.addWidget(self.choose)
        self.body.addLayout(row)

    # ---- which model ----

    def _choose(self) -> None:
        start = self._draft.value("model.base") or str(Path.home())
        if folder := QFileDialog.getExistingDirectory(self, "The model to begin with", start):
            self._draft.set("model.base", folder)

    def take_drop(self, files: list[str]) -> None:
        """A folder, or a file in it."""
        path = Path(files[0])
        self._draft.set("model.base", str(path.parent if path.suffix else path))  # asks no disk on the window's thread

    def _refresh(self, keys: frozenset[str]) -> None:
        if "model.base" in keys:
            self.folder.show_value(self._draft.value("model.base"))
        for key in keys & self.fields.keys():
            self.fields[key].refresh()

    # ---- what is known of it ----

    def show_busy(self) -> None:
        """It is being read."""
        self._say("Reading what the folder holds…", "", "dim")

    def show_base(self, base: BaseModel | GeorappError | None) -> None:
        """What was read of it, or why it cannot be; None without a folder."""
        self.facts.empty()
        self.facts.setVisible(isinstance(base, BaseModel))
        if base is None:
            self._say("", _EMPTY, "dim")
        elif isinstance(base, GeorappError):
            self._say(f"✕ {base}", base.hint, "bad")
        else:
            self._show_facts(base)

    def _show_facts(self, base: BaseModel) -> None:
        pixels = self._draft.value("model.max_pixels")
        tokens = base.image_tokens(pixels) if isinstance(pixels, int) and pixels > 0 else 0
        licence = base.licence or "no licence named"
        facts = [
            (shown(base.name), "Its name"),
            (printable(base.family), "The family, config.model_type"),
            (f"{_count(base.parameters)} parameters", f"{_count(base.tower_parameters)} of them in the image tower"),
            (printable(base.precision), "Precision of its weights on the disk"),
            (f"{_bytes(base.bytes)}", "On the disk"),
            (f"{tokens:,} tokens a photo" if tokens else "", "The most that a photo costs with these pixels"),
            (f"Licence: {shown(licence)}", "What its files say"),
        ]
        for text, about in facts:
            if text:
                chip = label(text, "chip", wrap=False)
                chip.setToolTip(tooltip(about))
                chip.setAccessibleDescription(about)
                self.facts.put(chip)
                chip.show()
        self.facts.arrange()
        sentence = "" if base.licence else "▲ No file of this model names a licence."
        hint = "" if base.licence else "Find out whether you may train it and pass the result on."
        self._say(sentence, hint, "warning")

    def _say(self, sentence: str, hint: str, tone: str) -> None:
        self.sentence.setText(breakable(printable(sentence)))
        look.set_role(self.sentence, tone)
        self.hint.setText(breakable(printable(hint)))
        self.sentence.setVisible(bool(sentence))
        self.hint.setVisible(bool(hint))


def _count(number: int) -> str:
    for size, word in ((10**9, "billion"), (10**6, "million")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number:,}"


def _bytes(number: int) -> str:
    for size, word in ((10**9, "GB"), (10**6, "MB"), (10**3, "kB")):
        if number >= size:
            return f"{number / size:.3g} {word}"
    return f"{number} B"
