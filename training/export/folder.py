"""Reads a Hugging Face model folder: settings as plain dictionaries, weights one by one."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import SafetensorError, safe_open

from georapp.errors import ModelError

Weights = npt.NDArray[np.float32]
Settings = dict[str, Any]


@dataclass(frozen=True, slots=True)
class ModelFolder:
    """`config` is complete: transformers has filled in what config.json leaves out. `pixels`: settings of the image processor."""

    path: Path
    config: Settings
    pixels: Settings

    @property
    def kind(self) -> str:
        """config.model_type: "qwen2_5_vl", "llama", ..."""
        return str(self.config["model_type"])

    @property
    def text(self) -> Settings:
        """The settings of the text model."""
        settings: Settings = self.config.get("text_config") or self.config
        return settings

    @property
    def vision(self) -> Settings:
        """The settings of the image tower. Raises ModelError for a model without one."""
        settings: Settings | None = self.config.get("vision_config")
        if not settings:
            raise ModelError(f"{self.path} holds a {self.kind} model, which has no image part.")
        return settings

    def weights(self) -> Iterator[tuple[str, Weights]]:
        """(name, float32 array) of every weight. Raises ModelError when a file is missing or damaged."""
        yield from read_weights(self.path, "model.safetensors")


def open_folder(path: Path) -> ModelFolder:
    """Raises ModelError when the folder is none or transformers does not know its model."""
    import transformers  # slow to import, so only when a folder is opened

    if not (path / "config.json").is_file():
        raise ModelError(f"{path} is no model folder: it holds no config.json.")
    try:
        config = transformers.AutoConfig.from_pretrained(path, local_files_only=True).to_dict()
    except Exception as error:
        raise ModelError(f"The settings in {path / 'config.json'} cannot be read: {error}") from error
    whole = read_json(path / "processor_config.json")
    pixels = whole.get("image_processor") or read_json(path / "preprocessor_config.json")
    return ModelFolder(path, config, {"processor_class": whole.get("processor_class"), **pixels})


def read_json(path: Path) -> Settings:
    """The object in a JSON file; empty where there is no such file. Raises ModelError when it is damaged."""
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    except (OSError, ValueError) as error:
        raise ModelError(f"{path} cannot be read: {error}.") from error
    if not isinstance(value, dict):
        raise ModelError(f"{path} holds no settings.")
    return value


def read_weights(folder: Path, file: str) -> Iterator[tuple[str, Weights]]:
    """Every weight of `file`, or of the parts that its index names. Through torch, because numpy knows no bfloat16."""
    index = read_json(folder / f"{file}.index.json").get("weight_map")
    parts = sorted(set(index.values())) if index else [file]
    for part in parts:
        path = folder / part
        if not path.is_file():
            raise ModelError(
                f"The weights {path} are missing.", hint="Copy the model folder again, with all its safetensors files."
            )
        try:
            with safe_open(path, framework="pt") as weights:
                for name in weights.keys():  # noqa: SIM118 - it is not a dictionary
                    yield name, weights.get_tensor(name).float().numpy()
        except (OSError, SafetensorError) as error:
            raise ModelError(f"The weights {path} cannot be read: {error}.") from error
