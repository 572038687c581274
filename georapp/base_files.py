"""The files of a model folder that can be trained: all there, or a sentence about what is missing. Weights are never read, only their heads."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp import safetensors_head
from georapp.errors import RunError
from georapp.safetensors_head import Weight

FAMILIES = ("smolvlm", "idefics3", "qwen2_vl", "qwen2_5_vl", "qwen3_vl", "internvl", "llava")  # config.model_type
WEIGHTS, INDEX = "model.safetensors", "model.safetensors.index.json"
MAX_JSON = 32 << 20  # bytes of a settings file; an index of a large model has 0.1 MB
MAX_SHARDS = 1000
_PICKLED = ("*.bin", "*.pt", "*.pth", "*.ckpt")
_COPY_WEIGHTS = "Copy its folder again, with all its safetensors files."
_COPY_TOKENS = "Copy the model folder again, with tokenizer.json and preprocessor_config.json or processor_config.json."


@dataclass(frozen=True, slots=True)
class BaseFiles:
    """What was read. `pixels`: settings of the image processor; `bytes`: of the weight files."""

    config: dict[str, Any]
    processor: dict[str, Any]
    pixels: dict[str, Any]
    weights: dict[str, Weight]
    bytes: int


def open_folder(folder: Path) -> BaseFiles:
    """Raises RunError for what training would refuse, and for weights that were pickled."""
    if not folder.is_dir():
        raise RunError(f"{folder} is no folder.", hint="Choose the folder of a model: the one with config.json.")
    config = _config(folder)
    processor, pixels = _processor(folder)
    files = _weight_files(folder)
    weights = {name: weight for path in files for name, weight in safetensors_head.read(path).items()}
    _check_index(folder, weights)
    return BaseFiles(config, processor, pixels, weights, sum(path.stat().st_size for path in files))


def _config(folder: Path) -> dict[str, Any]:
    config = _json(folder / "config.json")
    if not config or "model_type" not in config:
        raise RunError(
            f"{folder} is no model to train: its config.json is missing or cannot be read.", hint=_instead_of_config(folder)
        )
    if config["model_type"] not in FAMILIES:
        kind = str(config["model_type"])[:80]
        raise RunError(f"The model in {folder} is of the kind {kind!r}.", hint=f"Can be trained: {', '.join(FAMILIES)}.")
    return config


def _instead_of_config(folder: Path) -> str:
    if (folder / "adapter_config.json").is_file():
        return "It holds an adapter. Choose the model that the adapter was made for."
    if any(folder.glob("*.gguf")):
        return "It holds GGUF files, which can only answer. Choose the Hugging Face folder from which they were made."
    return "Choose a folder with config.json, safetensors files, tokenizer.json and a processor."


def _json(path: Path) -> dict[str, Any]:
    """Empty where there is no such file, and for one that holds no settings."""
    try:
        if path.stat().st_size > MAX_JSON:
            return {}
        value = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


# ---- tokenizer and processor ----


def _processor(folder: Path) -> tuple[dict[str, Any], dict[str, Any]]:
    """Settings of the processor, and of its image half."""
    if not _holds_json(folder / "tokenizer.json"):
        raise _no_processor(folder, "tokenizer.json is not there or is empty")
    processor = _json(folder / "processor_config.json")
    pixels = processor.get("image_processor") or _json(folder / "preprocessor_config.json")
    if not isinstance(pixels, dict) or not pixels:
        raise _no_processor(folder, "neither preprocessor_config.json nor processor_config.json says how photos are prepared")
    template = (folder / "chat_template.jinja").is_file() or _json(folder / "tokenizer_config.json").get("chat_template")
    if not template:
        raise RunError(
            f"The model in {folder} has no chat template, so nobody knows how it is asked.",
            hint="Put its chat_template.jinja beside its config.json; instruction-tuned models have one.",
        )
    return processor, pixels


def _holds_json(path: Path) -> bool:
    """By its first letter: the file of a large vocabulary has ten MB."""
    try:
        with path.open("rb") as file:
            return file.read(64).lstrip().startswith(b"{")
    except OSError:
        return False


def _no_processor(folder: Path, why: str) -> RunError:
    return RunError(
        f"The tokenizer or the image processor in {folder} is missing or cannot be read: {why}.",
        hint=_COPY_TOKENS,
    )


# ---- weights ----


def _weight_files(folder: Path) -> list[Path]:
    if (folder / WEIGHTS).is_file():
        return [folder / WEIGHTS]
    names = _shards(folder)
    if not names:
        raise _no_weights(folder)
    if gone := [name for name in names if not (folder / name).is_file()]:
        raise RunError(
            f"The model in {folder} lacks {len(gone)} of its {len(names)} weight files, among them {gone[0]}.", hint=_COPY_WEIGHTS
        )
    return [folder / name for name in names]


def _no_weights(folder: Path) -> RunError:
    pickled = [path.name for pattern in _PICKLED for path in sorted(folder.glob(pattern))]
    if pickled:
        return RunError(
            f"The model in {folder} has its weights as {pickled[0]}, a kind of file that can run programs when it is opened.",
            hint="Choose a model with safetensors files; transformers writes them with save_pretrained().",
        )
    return RunError(f"The model in {folder} has no weights: there is no {WEIGHTS} and no {INDEX}.", hint=_COPY_WEIGHTS)


def _shards(folder: Path) -> list[str]:
    """The files that the index names. Raises RunError when it names something outside of the folder."""
    names = sorted({str(name) for name in _weight_map(folder).values()})
    if len(names) > MAX_SHARDS or any(Path(name).name != name or not name.endswith(".safetensors") for name in names):
        raise RunError(f"{folder / INDEX} names files that are no weights of this folder.", hint=_COPY_WEIGHTS)
    return names


def _weight_map(folder: Path) -> dict[str, Any]:
    found = _json(folder / INDEX).get("weight_map")
    return found if isinstance(found, dict) else {}


def _check_index(folder: Path, weights: dict[str, Weight]) -> None:
    """All weights that the index names are in the files."""
    if (folder / WEIGHTS).is_file():
        return
    if missing := sorted(set(_weight_map(folder)) - set(weights)):
        raise lacks(folder, missing)


def lacks(folder: Path, missing: list[str]) -> RunError:
    """Of weights that are not there."""
    return RunError(
        f"The model in {folder} lacks {len(missing)} of its weights, among them {missing[0][:200]}.", hint=_COPY_WEIGHTS
    )
