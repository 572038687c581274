"""All settings of a run as the window names and groups them, made from what run_settings declares. No Qt."""

from __future__ import annotations

import math
import re
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from georapp.chain import folded
from georapp.run_settings import MOST, RunConfig, Section, key_of, sections_of, settings_of, shown

SECTIONS: Mapping[str, str] = {
    "model": "Model",
    "album": "Album",
    "sft": "SFT, stage 1",
    "hard": "Hard photos, between the stages",
    "grpo": "GRPO, stage 2",
    "export": "Export",
    "guards": "Guards",
    "": "The run as a whole",
}
COMMON = (  # what people change first, in this order
    "sft.epochs",
    "sft.learning_rate",
    "sft.batch",
    "sft.accumulate",
    "grpo.max_steps",
    "grpo.learning_rate",
    "grpo.batch",
    "grpo.accumulate",
    "grpo.generations",
    "grpo.temperature",
    "grpo.beta",
    "grpo.max_answer_tokens",
    "model.lora_rank",
    "hard.over_km",
)
ELSEWHERE = frozenset(  # they have a place of their own on the page
    {
        "version",
        "name",
        "model.base",
        "album.sources",
        "album.home_zones",
        "grpo.curve",
        "grpo.curve_points",
        "grpo.curve_steps",
        "sft.enabled",
        "hard.enabled",
        "grpo.enabled",
        "export.enabled",
        "export.name",
        "export.kinds",
        "export.weights",
    }
)
_EXPONENT = re.compile(r"e([-+]?)0*(\d)")
_WORDS = {"lora": "LoRA", "vllm": "vLLM", "kl": "KL", "gb": "GB", "sft": "SFT", "grpo": "GRPO", "gguf": "GGUF"}
_LABELS = {
    "album.blur_below": "Blurred below",
    "album.burst_seconds": "Burst, seconds",
    "album.block_km": "One place within, km",
    "album.held_out_percent": "Held out, percent",
    "album.labels": "Labels",
    "guards.act": "Guards act",
    "guards.disk_gb": "Free disk, GB",
    "hard.over_km": "Hard from, km",
    "hard.solved_km": "Solved within, km",
    "model.checkpointing": "Save memory",
    "model.freeze_vision": "Freeze the image tower",
    "grpo.beta": "Beta (KL)",
    "grpo.generations": "Answers to a photo",
    "grpo.max_answer_tokens": "Tokens of an answer",
    "grpo.scale": "Scale of advantages",
    "grpo.shuffle_truth": "Shuffle the truth",
    "grpo.vllm_memory": "vLLM memory",
}


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `kind`: its type, "bool", "int", "float", "text" or "list"; `choices`: of a text, or of each entry of a list."""

    key: str
    section: str
    label: str
    about: str
    kind: str
    choices: tuple[str, ...]
    free: bool

    @property
    def common(self) -> bool:
        """Whether it stands among the first."""
        return self.key in COMMON

    @property
    def words(self) -> str:
        """What a search looks at."""
        return folded(f"{self.key.replace('_', ' ').replace('.', ' ')} {self.key} {self.label} {self.about}")


def _all() -> dict[str, Setting]:
    start = RunConfig()
    return {made.key: made for section in (start, *sections_of(start)) for made in _of_section(section)}


def _of_section(section: RunConfig | Section) -> list[Setting]:
    hints = typing.get_type_hints(type(section))
    return [
        Setting(
            key=(key := key_of(section, f.name)),
            section=section.SECTION,
            label=_label(key),
            about=f.metadata["about"],
            kind=_kind(hints[f.name]),
            choices=tuple(f.metadata["choices"]),
            free=f.metadata["free"],
        )
        for f in settings_of(section)
    ]


def _kind(hint: Any) -> str:
    if typing.get_origin(hint) is tuple:
        return "list"
    return {bool: "bool", int: "int", float: "float"}.get(hint, "text")


def key_name(key: str) -> str:
    """ "beta" of "grpo.beta"."""
    return key.rpartition(".")[2]


def _label(key: str) -> str:
    if key in _LABELS:
        return _LABELS[key]
    words = [_WORDS.get(word, word) for word in key_name(key).split("_")]
    text = " ".join(words)
    return text if words[0] in _WORDS.values() else text[:1].upper() + text[1:]


SETTINGS: Mapping[str, Setting] = _all()


def title(key: str) -> str:
    """A setting where its section is not seen: "GRPO: Temperature"."""
    setting = SETTINGS[key]
    return f"{SECTIONS[setting.section].split(',')[0]}: {setting.label}" if setting.section else setting.label


def written(value: Any) -> str:
    """A value for people to read, and for fields to begin with: "off", "5e-6", "a, b", "[[48.1, 11.5, 2.0]]"."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, float):
        return _EXPONENT.sub(r"e\1\2", repr(value).removesuffix(".0"))
    if isinstance(value, tuple) and (not value or all(isinstance(one, str) for one in value)):
        return ", ".join(value) or "none"
    return str(value) if isinstance(value, int | str) else shown(value)


def typed(setting: Setting, text: str) -> Any:
    """What a person typed for a number, as that number; the text itself where it is none, which a RunConfig then refuses in words."""
    plain = text.strip().replace("\N{MINUS SIGN}", "-").replace(",", "")
    if setting.kind not in ("int", "float"):
        return text
    try:
        number = int(plain) if setting.kind == "int" else float(plain)
    except ValueError:
        return text.strip()
    return number if abs(number) <= MOST or setting.kind == "float" else text.strip()


def stepped(setting: Setting, value: Any, up: bool) -> Any:
    """The next larger or smaller number: by 1, or by 1 of the first figure."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return value
    if setting.kind == "int":
        step: float = 1 if value < 1000 else 10 ** (len(str(abs(int(value)))) - 2)
        return int(value + (step if up else -step))
    if value == 0:
        return 0.01 if up else value
    power = 10.0 ** math.floor(math.log10(abs(value)) - (1e-9 if not up else -1e-9))
    return float(f"{value + (power if up else -power):.6g}")


def flat(config: RunConfig) -> dict[str, Any]:
    """Key -> value of all settings."""
    return {
        key_of(section, f.name): getattr(section, f.name)
        for section in (config, *sections_of(config))
        for f in settings_of(section)
    }


def nested(values: Mapping[str, Any]) -> dict[str, Any]:
    """As tables of TOML."""
    data: dict[str, Any] = {}
    for key, value in values.items():
        section, _, name = key.rpartition(".")
        (data.setdefault(section, {}) if section else data)[name] = value
    return data
