"""Settings of a training run for sizes of GPU memory, and how others differ from them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from georapp.run_settings import Grpo, Model, RunConfig, Sft, key_of, sections_of, settings_of


@dataclass(frozen=True, slots=True)
class Preset:
    """Settings for a size of GPU memory, and the models that they are for. Computed, with 15 % to spare: photos of 512 x 512 pixels."""

    fits: str
    config: RunConfig


def _preset(fits: str, method: str, *, sft: int, grpo: int, pixels: int = 262_144, together: int = 0) -> Preset:
    """`sft` photos and `grpo` answers at once, which are written `together`; a step always has 64 of both."""
    model = Model(method=method, max_pixels=pixels)
    config = RunConfig(model=model, sft=Sft(batch=sft, accumulate=64 // sft), grpo=_grpo(grpo, together))
    return Preset(fits, config)


def _grpo(batch: int, together: int) -> Grpo:
    return Grpo(batch=batch, accumulate=64 // batch, together=together)


PRESETS: Mapping[int, Preset] = {  # by GB of GPU memory
    8: _preset("4 billion parameters in 4 bits", "qlora", sft=1, grpo=1, together=8),
    12: _preset("2 billion parameters in 16 bits", "lora", sft=4, grpo=8, together=16),
    16: _preset("3 billion parameters in 16 bits", "lora", sft=4, grpo=8),
    24: _preset("4 billion parameters in 16 bits, 8 billion with grpo.batch = 2", "lora", sft=4, grpo=8),
    48: _preset("8 billion parameters in 16 bits, larger pictures", "lora", sft=4, grpo=8, pixels=786_432),
}


def preset_for(memory_gib: float) -> int:
    """The key of the largest preset that fits into so much GPU memory; of the smallest where none does."""
    return max((size for size in PRESETS if size <= memory_gib * 1.1), default=min(PRESETS))  # "16 GB" cards have 15 GiB


def differences(config: RunConfig, preset: RunConfig) -> dict[str, tuple[Any, Any]]:
    """Settings that are not those of the preset: "grpo.beta" -> (value, the preset's). Names, sources and the seed do not count."""
    pairs = zip((config, *sections_of(config)), (preset, *sections_of(preset)), strict=True)
    return {
        key_of(mine, f.name): (getattr(mine, f.name), getattr(theirs, f.name))
        for mine, theirs in pairs
        for f in settings_of(mine)
        if not f.metadata["free"] and getattr(mine, f.name) != getattr(theirs, f.name)
    }
