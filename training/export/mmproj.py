"""The image part of a folder -> mmproj GGUF."""

from __future__ import annotations

from pathlib import Path

import gguf

from georapp.errors import ModelError
from training.export.folder import ModelFolder, open_folder
from training.export.internvl import InternVl
from training.export.names import part_of
from training.export.qwen import Qwen2Vl, Qwen3Vl, Qwen25Vl
from training.export.siglip import Idefics3, Llava
from training.export.tower import ImagePart
from training.export.writer import Writer

_FAMILIES: dict[str, type[ImagePart]] = {
    "smolvlm": Idefics3,
    "idefics3": Idefics3,
    "qwen2_vl": Qwen2Vl,
    "qwen2_5_vl": Qwen25Vl,
    "qwen3_vl": Qwen3Vl,
    "internvl": InternVl,
    "llava": Llava,
}


def write_mmproj(folder: Path, out: Path, *, kind: str = "f16", pair: str | None = None) -> None:
    """Write the image part of a Hugging Face folder. `kind`: one of KINDS. Raises ModelError."""
    model = open_folder(folder)
    part = image_part(model)
    with Writer(out, "clip", gguf.GGUFType.MMPROJ, folder.name, kind=kind, pair=pair) as writer:
        part.add_keys(writer.keys)
        for name, weights in model.weights():
            if part_of(name)[0] != "text":
                for new, array in part.rename(name, weights):
                    writer.put(new, array, exact=part.is_exact(new))
        found = {name.split(".")[2] for name in writer.names if name.startswith("v.blk.")}
        if len(found) != part.layers:
            raise ModelError(
                f"The folder holds {len(found)} of {part.layers} layers of the image tower.",
                hint="Is a safetensors file missing?",
            )


def image_part(model: ModelFolder) -> ImagePart:
    """What the image part of this folder becomes. Raises ModelError for a family, or a variant of one, that llama.cpp gets wrong."""
    family = _FAMILIES.get(model.kind)
    if family is None:
        raise ModelError(f"The image part of a {model.kind} model cannot be exported.", hint=f"Possible: {', '.join(_FAMILIES)}.")
    part = family(model)
    part.check()
    return part
