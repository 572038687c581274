"""Weights for the export: those of the base model, of a full training, or both with their adapter merged into them."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

from georapp import run_settings
from georapp.errors import RunError
from training import base
from training.model_folder import Weights, emptied
from training.work import Work

_ROOM = 1.3  # of the weights: what a GGUF needs while it is written


def weights_of(work: Work, merged: Path) -> Weights:
    """What is exported; `merged` is where merged weights are written, if it comes to that.

    Raises RunError when the disk has no room, or when what a stage made does not fit the base model.
    """
    made, folder = work.adapter(), Path(work.config.model.base)
    if made is None:
        return Weights(folder)
    if not (made / "adapter_config.json").is_file():
        return Weights(made)
    if work.config.export.weights == "adapter":
        return Weights(folder, made)
    _check_room(work, folder)
    _merge(work, folder, made, emptied(merged))
    return Weights(merged)


def _check_room(work: Work, folder: Path) -> None:
    size = sum(path.stat().st_size for path in folder.glob("*.safetensors"))
    need, free = size * (1 + _ROOM * len(work.config.export.kinds)), shutil.disk_usage(work.folder).free
    if need > free:
        raise RunError(
            f"The disk of {work.folder} has {free / 1e9:.1f} GB free, and making the model takes about {need / 1e9:.1f} GB.",
            hint='Make room and start the run again, or set export.weights = "adapter", which makes smaller files.',
        )


def _merge(work: Work, folder: Path, adapter: Path, out: Path) -> None:
    """Weights + adapter -> a folder like that of the base model. In 16 bits or more, also after a training on 4 bits."""
    loaded = base.load(folder, unquantised(work.config.model), adapter=adapter)
    whole = loaded.model.merge_and_unload()
    for path in folder.iterdir():  # tokenizer, processor, template: as they were published
        if path.suffix in (".json", ".jinja", ".txt", ".model") and not path.name.endswith(".index.json"):
            shutil.copyfile(path, out / path.name)
    whole.save_pretrained(out)


def unquantised(settings: run_settings.Model) -> run_settings.Model:
    """Settings under which a model that was trained on weights of 4 bits is loaded in 16 or more."""
    return dataclasses.replace(settings, method="lora") if settings.method == "qlora" else settings
