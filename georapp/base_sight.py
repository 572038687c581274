"""How many tokens a photo becomes for a vision-language model, by what the folder says of its image processor.

Qwen-VL: by the area of the photo. InternVL: squares of one size, and a small picture of the whole when there are several. SmolVLM and
Idefics3: always as many squares as fit the longest side. LLaVA: one square. As `training.base.scaling` and the processors do it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

QWEN_TOKENS = (8, 1280)  # between which llama.cpp leaves photos of the Qwen family as they are
BY_AREA, BY_TILES, FIXED = "area", "tiles", "fixed"
Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Sight:
    """`kind`: BY_AREA, a token for `step` x `step` pixels; BY_TILES, `tile_tokens` for `step` x `step`; FIXED, `tile_tokens` for any photo.

    `least` and `most` pixels: the model's own limits. `patches`: of the image tower, that become one token.
    """

    kind: str
    step: int
    least: int = 0
    most: int = 0
    tile_tokens: int = 0
    patches: int = 1

    def tokens(self, max_pixels: int) -> int:
        """The most that a photo of at most so many pixels becomes, with the marks around it."""
        if self.kind == FIXED:
            return self.tile_tokens
        area = max(self.least, min(self.most, max_pixels))
        whole = max(1, area // self.step**2)
        if self.kind == BY_AREA:
            return whole + 2
        return (whole + (whole > 1)) * self.tile_tokens + 2


def sight_of(family: str, config: Settings, processor: Settings, pixels: Settings) -> Sight:
    """`config`: config.json; `processor`: processor_config.json; `pixels`: of the image processor. Raises ValueError, KeyError, TypeError."""
    if family.startswith("qwen"):
        return _qwen(pixels)
    if family in ("smolvlm", "idefics3"):
        return _idefics(config, processor, pixels)
    return _internvl(config, pixels) if family == "internvl" else _llava(config, processor, pixels)


def _qwen(pixels: Settings) -> Sight:
    size = {"shortest_edge": 56 * 56, "longest_edge": 28 * 28 * 1280} | dict(pixels.get("size") or {})
    merge = _number(pixels, "merge_size", 2)
    step = _number(pixels, "patch_size", 14) * merge
    least = max(QWEN_TOKENS[0] * step**2, _number(pixels, "min_pixels", _number(size, "shortest_edge")))
    most = min(QWEN_TOKENS[1] * step**2, _number(pixels, "max_pixels", _number(size, "longest_edge")))
    return Sight(BY_AREA, step, least, max(least, most), patches=merge**2)


def _idefics(config: Settings, processor: Settings, pixels: Settings) -> Sight:
    """A square photo is the dearest: as many rows of tiles as columns, each tile with two marks, and the whole once more."""
    vision, scale = dict(config.get("vision_config") or {}), _number(config, "scale_factor", 2)
    own = (_number(vision, "image_size", 224) // _number(vision, "patch_size", 32)) ** 2 // scale**2
    each = _number(processor, "image_seq_len", own)
    longest = _number(dict(pixels.get("size") or {}), "longest_edge", 4 * 364)
    tile = _number(dict(pixels.get("max_image_size") or {}), "longest_edge", 364)
    rows = math.ceil(longest / tile) if pixels.get("do_image_splitting", True) else 0
    tokens = rows * (rows * (each + 2) + 1) + bool(rows) + each + 3
    return Sight(FIXED, tile, tile_tokens=tokens, patches=scale**2)


def _internvl(config: Settings, pixels: Settings) -> Sight:
    side, tokens = _number(dict(pixels["size"]), "height"), _number(config, "image_seq_length", 256)
    vision = dict(config.get("vision_config") or {})
    patch = vision.get("patch_size", 14)
    across = side // int(patch[0] if isinstance(patch, list) else patch)
    most = side**2 * _number(pixels, "max_patches", 12)
    return Sight(BY_TILES, side, side**2, most, tokens, patches=max(1, across**2 // tokens))


def _llava(config: Settings, processor: Settings, pixels: Settings) -> Sight:
    vision = dict(config.get("vision_config") or {})
    side = _number(dict(pixels["size"]), "height")
    patch = _number(processor if processor.get("patch_size") else vision, "patch_size")
    strategy = processor.get("vision_feature_select_strategy") or config.get("vision_feature_select_strategy", "default")
    tokens = (side // patch) ** 2 + _number(processor, "num_additional_image_tokens", 0, least=0) - (strategy == "default")
    return Sight(FIXED, side, tile_tokens=tokens)


def _number(settings: Settings, name: str, default: int | None = None, *, least: int = 1) -> int:
    value = settings.get(name)
    value = default if value is None else value
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= 1 << 32:
        raise ValueError(name)
    return value
