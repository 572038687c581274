"""The folder that georapp opens: GGUF files and model.json, made somewhere else first and put in its place when it is whole."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp import gguf_head, models, run_settings
from georapp.errors import ModelError
from georapp.families import Family, family_of
from georapp.models import MANIFEST, Model
from georapp.prompt import profile_named
from training.base import Scaling
from training.export import new_pair, write_lora, write_mmproj, write_text
from training.provenance import base_licence
from training.work import Work

MMPROJ, ADAPTER = "mmproj.gguf", "adapter.gguf"
CONTEXT = 8192  # tokens: a photo, the question and eight answers fit


@dataclass(frozen=True, slots=True)
class Weights:
    """What is exported: a whole Hugging Face folder, and an adapter where it is not merged."""

    folder: Path
    adapter: Path | None = None


def name_of(work: Work) -> str:
    """Of the model: as the settings say, or that of the run; with nothing in it that a folder cannot be called."""
    wanted = work.config.export.name or work.config.name or work.folder.resolve().name
    return re.sub(r"[^\w.+-]+", "-", wanted).strip("-.")[:80] or "model"


def text_file(kind: str) -> str:
    """The name of the text model's file."""
    return f"text-{kind}.gguf"


def write_files(settings: run_settings.Export, weights: Weights, folder: Path) -> None:
    """All GGUF files of a model, with one id that pairs them. Raises ModelError for what llama.cpp would not compute as torch does."""
    pair = new_pair()
    for kind in settings.kinds:
        write_text(weights.folder, folder / text_file(kind), kind=kind, pair=pair)
    image_kind = "f32" if settings.kinds[0] == "f32" else "f16"  # fewer bits cost a tower more than they save
    write_mmproj(weights.folder, folder / MMPROJ, kind=image_kind, pair=pair)
    if weights.adapter:
        write_lora(weights.adapter, folder / ADAPTER, base=folder / text_file(settings.kinds[0]), pair=pair)


def write_manifest(work: Work, folder: Path, kind: str, scaling: Scaling, *, about: str, made_by: Mapping[str, Any]) -> None:
    """model.json, with the text model of this kind. Raises ModelError when georapp would show the model other photos than training."""
    head = gguf_head.read(folder / text_file(kind))
    family = _family(head, gguf_head.read(folder / MMPROJ), scaling)
    profile = profile_named(work.config.model.profile)
    adapter = folder / ADAPTER
    model = Model(
        folder,
        name_of(work),
        models.describe_file(folder / text_file(kind)),
        image=models.describe_file(folder / MMPROJ),
        adapter=models.describe_file(adapter) if adapter.is_file() else None,
        title=name_of(work),
        about=about,
        licence=base_licence(Path(work.config.model.base)).name,
        family=family.name,
        profile=profile.name,
        decode=profile.decode,
        template="" if "tokenizer.chat_template" in head.keys else family.template,
        begin=family.begin,
        context=min(CONTEXT, head.number("context_length") or CONTEXT),
        multiple_of=scaling.multiple_of,
        min_pixels=scaling.min_pixels,
        max_pixels=scaling.max_pixels,
        made_by=dict(made_by),
    )
    (folder / MANIFEST).write_text(models.manifest(model), "utf-8", errors="replace")


def _family(text: gguf_head.Head, image: gguf_head.Head, scaling: Scaling) -> Family:
    """The family as georapp knows it, whose sizes must hold those of the training."""
    family = family_of(text, image)
    if family is None:
        raise ModelError(f"georapp cannot show photos to a model of this kind ({text.architecture}, {image.projector}).")
    if scaling.multiple_of % family.multiple_of or scaling.max_pixels > family.max_pixels:
        raise ModelError(
            f"The model was trained on photos of other sizes than {family.name} takes in llama.cpp: multiples of "
            f"{scaling.multiple_of} pixels, not {family.multiple_of}, or more than {family.max_pixels:,} of them.",
            hint="Lower model.max_pixels and train again.",
        )
    return family


def emptied(folder: Path) -> Path:
    """The same folder, with nothing in it. Raises OSError."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def place(new: Path, target: Path, old: Path) -> None:
    """Make `new` the folder `target`, when all of it is on the disk; `old` is where what was there waits to be deleted. Raises OSError."""
    for path in new.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    models.sync_folder(target.parent)
    shutil.rmtree(old, ignore_errors=True)
