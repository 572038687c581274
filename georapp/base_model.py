"""A model to begin a training with, seen from outside: what it is, how large its parts are, and what a photo costs it.

Shapes come from the heads of the safetensors files, because config.json may leave out whatever is a default of its library.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp.base_files import BaseFiles, lacks, open_folder
from georapp.base_licence import licence_of
from georapp.base_sight import Sight, sight_of
from georapp.errors import RunError
from georapp.printable import printable
from georapp.safetensors_head import SIZES, Weight

TOWERS = frozenset(("visual", "vision_tower", "vision_model"))  # what the families call their image tower
_PROJECTIONS = ("q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj")
_LINEAR = re.compile(rf"(?:^|\.)layers\.(\d{{1,4}})\..*?\b({'|'.join(_PROJECTIONS)})\.weight$")
_NUMBERS = {"BF16": "bf16", "F16": "fp16", "F32": "fp32", "F64": "fp64"}
_TEXT_KINDS = ("llama", "qwen2", "qwen3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl")  # that can become GGUF, with or without "_text"


@dataclass(frozen=True, slots=True)
class Linears:
    """`count` linear layers from `inputs` to `outputs` numbers."""

    count: int
    inputs: int
    outputs: int


@dataclass(frozen=True, slots=True)
class BaseModel:
    """What config.json and the heads of the weight files say. `bytes`: on the disk; `licence`: "" where nothing says it."""

    folder: Path
    family: str  # config.model_type
    name: str
    parameters: int
    tower_parameters: int  # of the image tower, with all that lies inside of it
    linear_parameters: int  # of the text model's linear layers; not its words, its output and its norms
    layers: int
    hidden: int
    intermediate: int
    kv_heads: int
    head_size: int
    vocabulary: int
    bytes: int
    precision: str  # "bf16", "fp16", "fp32", of most weights
    licence: str
    linears: tuple[Linears, ...] = ()
    tower_linears: tuple[Linears, ...] = ()
    tower_layers: int = 0
    tower_hidden: int = 0
    sight: Sight = Sight("fixed", 1)  # noqa: RUF009 - frozen
    no_export: str = ""  # why no GGUF can be made of it, a sentence; "" when nothing speaks against it

    def image_tokens(self, max_pixels: int) -> int:
        """The most tokens of a photo under model.max_pixels, with the marks around it."""
        return self.sight.tokens(max_pixels)

    def lora_parameters(self, rank: int, *, tower: bool = False) -> int:
        """Of an adapter on all linear layers of the text model; with `tower` of the image tower too."""
        layers = (*self.linears, *(self.tower_linears if tower else ()))
        return sum(rank * one.count * (one.inputs + one.outputs) for one in layers)


def read(folder: Path) -> BaseModel:
    """Raises RunError for a folder that cannot be trained: what training refuses, weights that were pickled, and those of few bits."""
    try:
        files = open_folder(folder)
    except OSError as error:
        raise RunError(f"{folder} cannot be read: {(error.strerror or str(error)).lower()}.", hint="Check the disk.") from error
    _check_bits(folder, files)
    weights = _without_copies(files)
    tower = {name: weight for name, weight in weights.items() if _in_tower(name)}
    text = _Text.of(folder, files.config, {name: weight for name, weight in weights.items() if name not in tower})
    name, _ = licence_of(folder)
    return BaseModel(
        folder=folder,
        family=str(files.config["model_type"]),
        name=printable(_name(folder)),
        parameters=sum(weight.count for weight in weights.values()),
        tower_parameters=sum(weight.count for weight in tower.values()),
        linear_parameters=sum(one.count * one.inputs * one.outputs for one in text.linears),
        layers=text.layers,
        hidden=text.hidden,
        intermediate=text.intermediate,
        kv_heads=max(1, text.kv_width // text.head_size),
        head_size=text.head_size,
        vocabulary=text.vocabulary,
        bytes=files.bytes,
        precision=_precision(weights),
        licence=printable(name),
        linears=text.linears,
        tower_linears=_grouped(weight for key, weight in tower.items() if _is_linear(key, weight)),
        tower_layers=len({found[1] for key in tower if (found := re.search(r"\.(?:blocks|layers?)\.(\d{1,4})\.", key))}),
        tower_hidden=next((weight.shape[0] for weight in tower.values() if len(weight.shape) >= 4), 0),
        sight=_sight(folder, files),
        no_export=_no_export(files),
    )


# ---- weights ----


def _check_bits(folder: Path, files: BaseFiles) -> None:
    """Weights that were rounded to few bits cannot be merged with an adapter, or exported."""
    odd = sorted({weight.type for name, weight in files.weights.items() if _LINEAR.search(name)} - set(SIZES))
    if odd or files.config.get("quantization_config"):
        how = f"as {', '.join(odd)}" if odd else "with few bits"
        raise RunError(
            f"The weights in {folder} were rounded: they are stored {how}.",
            hint='Choose the model as it was published, in 16 bits; model.method "qlora" rounds it to 4 bits for the training.',
        )


def _without_copies(files: BaseFiles) -> dict[str, Weight]:
    """Without an output layer that is the table of words once more."""
    sections = (files.config, _section(files.config, "text_config"))
    tied = any(section.get("tie_word_embeddings") is True for section in sections)
    return {name: weight for name, weight in files.weights.items() if not (tied and name.endswith("lm_head.weight"))}


def _section(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    found = config.get(name)
    return found if isinstance(found, dict) else {}


def _in_tower(name: str) -> bool:
    return not TOWERS.isdisjoint(name.split("."))


def _is_linear(name: str, weight: Weight) -> bool:
    return len(weight.shape) == 2 and name.endswith(".weight") and "embed" not in name


def _grouped(weights: Any) -> tuple[Linears, ...]:
    shapes = Counter(weight.shape for weight in weights)
    return tuple(Linears(count, inputs, outputs) for (outputs, inputs), count in sorted(shapes.items()))


def _precision(weights: Mapping[str, Weight]) -> str:
    sizes: Counter[str] = Counter()
    for weight in weights.values():
        sizes[weight.type] += weight.count
    kind = max(sizes, key=sizes.__getitem__)
    return _NUMBERS.get(kind, kind.lower())


@dataclass(frozen=True, slots=True)
class _Text:
    """The text model, by the shapes of its weights."""

    layers: int
    hidden: int
    vocabulary: int
    intermediate: int
    kv_width: int
    head_size: int
    linears: tuple[Linears, ...]

    @classmethod
    def of(cls, folder: Path, config: Mapping[str, Any], weights: Mapping[str, Weight]) -> _Text:
        found = {(int(hit[1]), hit[2]): weight for name, weight in weights.items() if (hit := _LINEAR.search(name))}
        words = next((weight for name, weight in weights.items() if name.endswith("embed_tokens.weight")), None)
        settings = {**config, **_section(config, "text_config")}
        _check_whole(folder, settings, found, words)
        assert words is not None
        vocabulary, hidden = words.shape
        kv_width = found[0, "k_proj"].shape[0]
        return cls(
            layers=len({layer for layer, _ in found}),
            hidden=hidden,
            vocabulary=vocabulary,
            intermediate=found[0, "gate_proj"].shape[0],
            kv_width=kv_width,
            head_size=_head_size(settings, found[0, "q_proj"].shape[0], kv_width),
            linears=_grouped(found.values()),
        )


def _check_whole(
    folder: Path, settings: Mapping[str, Any], found: Mapping[tuple[int, str], Weight], words: Weight | None
) -> None:
    stated = settings.get("num_hidden_layers")
    there = 1 + max((layer for layer, _ in found), default=0)
    layers = max(there, stated) if type(stated) is int and stated <= 10_000 else there
    wanted = [(layer, name) for layer in range(layers) for name in _PROJECTIONS]
    missing = [f"{name} of layer {layer}" for layer, name in wanted if (layer, name) not in found]
    if words is None:
        missing.append("embed_tokens, the table of words")
    if missing:
        raise lacks(folder, missing)
    if any(len(weight.shape) != 2 for weight in (words, *found.values()) if weight):
        raise RunError(f"The weights in {folder} have odd shapes.", hint="Copy its folder again, with all its safetensors files.")


def _head_size(settings: Mapping[str, Any], q_width: int, kv_width: int) -> int:
    """As config.json says it, else by the number of heads, else the usual one."""
    said, heads = settings.get("head_dim"), settings.get("num_attention_heads")
    if type(said) is int and said > 0:
        return said
    if type(heads) is int and heads > 0:
        return max(1, q_width // heads)
    return math.gcd(128, kv_width) or 1


# ---- what else is to be said ----


def _sight(folder: Path, files: BaseFiles) -> Sight:
    try:
        return sight_of(str(files.config["model_type"]), files.config, files.processor, files.pixels)
    except (ValueError, KeyError, TypeError, ZeroDivisionError, AttributeError) as error:
        raise RunError(
            f"The settings of the image processor in {folder} cannot be used: {str(error)[:80]} is missing or impossible.",
            hint="Copy preprocessor_config.json and processor_config.json again, as they were published with the model.",
        ) from error


def _name(folder: Path) -> str:
    """Of the folder; in a cache of Hugging Face that of the model."""
    whole = folder.absolute()
    cached = next((part for part in reversed(whole.parts) if part.startswith("models--")), "")
    return cached.removeprefix("models--").replace("--", "/") or whole.name


def _no_export(files: BaseFiles) -> str:
    """What the exporter refuses, as far as it is known before: hours of training would end without a GGUF."""
    family, vision = files.config["model_type"], _section(files.config, "vision_config")
    said = _section(files.config, "text_config").get("model_type") or (family if str(family).startswith("qwen") else "llama")
    kind = str(said).removesuffix("_text")
    if kind not in _TEXT_KINDS:
        return f"No GGUF can be made of it: its text model is of the kind {kind[:40]}."
    if family == "llava" and not str(vision.get("model_type", "")).startswith("siglip"):
        return "No GGUF can be made of it: its image tower has a class token (CLIP), which llama.cpp reads wrongly."
    if family in ("smolvlm", "idefics3") and not files.pixels.get("do_image_splitting", True):
        return "No GGUF can be made of it: it was trained without splitting photos into tiles, and llama.cpp always splits."
    return ""
