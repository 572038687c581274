"""A model with its processor, from a Hugging Face folder: ready to answer, or ready to be trained.

    base = load(folder, config.model)                                    answers
    base = load(folder, config.model, adapter=run / "sft" / "model")     answers as after SFT
    base = load(folder, config.model, trainable=True)                    for a trainer: fresh LoRA, or all weights

`adapter` may be either thing that a stage makes: a PEFT adapter beside the base model, or a whole model that replaces it.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from peft import LoraConfig, PeftModel, get_peft_model
from PIL import Image

from georapp import photo as photos
from georapp import run_settings
from georapp.errors import RunError
from georapp.families import fit
from training import shards
from training.processors import PROCESSORS, load_processor

TEXT_PART = r".*(language_model|text_model)\..*\.(q|k|v|o|gate|up|down)_proj"  # a plain "q_proj" would also hit the image tower
QWEN_TOKENS = (8, 1280)  # between which llama.cpp leaves photos of the Qwen family as they are
TOWERS = ("visual", "vision_tower", "vision_model")  # what the families call it


@dataclass(frozen=True, slots=True)
class Scaling:
    """The size at which a photo is shown to a model: what `georapp.families.fit` is given, and what belongs into model.json.

    Every library scales photos in its own way; a photo of a size that the family takes as it is, none of them touches.
    """

    multiple_of: int = 1
    min_pixels: int = 0
    max_pixels: int = 4096 * 4096

    def size(self, width: int, height: int) -> tuple[int, int]:
        """(width, height) to scale to."""
        return fit(width, height, multiple_of=self.multiple_of, min_pixels=self.min_pixels, max_pixels=self.max_pixels)


@dataclass(frozen=True, slots=True)
class Base:
    """A model that is loaded. `family`: config.model_type, "qwen2_5_vl"."""

    model: Any
    processor: Any
    family: str
    scaling: Scaling = field(default_factory=Scaling)

    def photo(self, path: Path) -> Image.Image:
        """The pixels of a photo as georapp shows them to this model. Raises PhotoError."""
        whole = photos.pixels(path, shards.data_of(path))
        return photos.scaled_to(whole, self.scaling.size(*whole.size))

    def prompt(self, question: str) -> str:
        """The text of a question with a photo, up to where the answer begins; the processor puts the photo in."""
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": question}]}]
        text: str = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return text


def load(
    folder: Path,
    settings: run_settings.Model,
    *,
    adapter: Path | None = None,
    trainable: bool = False,
    checkpoint: Path | None = None,
) -> Base:
    """Raises RunError for a folder that lacks a part, for a model of no known family, and for what this machine cannot do.

    `checkpoint`: where the training goes on, from which all weights are taken when all are trained. The trainer would do that
    too, but by names that transformers changes when it writes models of some families, and passes over those it does not find.
    """
    if adapter and not (adapter / "adapter_config.json").is_file():
        folder, adapter = adapter, None
    family = family_of(folder)
    processor = _processor(folder)
    if checkpoint and settings.method == "full":
        model = _model(checkpoint, settings, trainable)
        model.config._name_or_path = str(folder)  # where GRPO finds its reference
    else:
        model = _model(folder, settings, trainable)
    if adapter:
        model = _adapted(model, adapter, settings, trainable)
    elif trainable and settings.method != "full":
        model = get_peft_model(model, lora(model, settings))
    if trainable and settings.method == "full" and settings.freeze_vision:
        freeze_tower(model)
    if not trainable:
        model.eval()
        if torch.cuda.is_available() and settings.method != "qlora":
            model.to(_device())
    return Base(model, processor, family, scaling(family, processor, settings))


def without_weights(folder: Path, settings: run_settings.Model) -> Base:
    """Enough to see what a model reads, without loading it: `model` is None. Raises RunError."""
    family, processor = family_of(folder), _processor(folder)
    return Base(None, processor, family, scaling(family, processor, settings))


def family_of(folder: Path) -> str:
    """config.model_type of a model folder. Raises RunError when there is none, or none of a known family."""
    try:
        kind = json.loads((folder / "config.json").read_bytes())["model_type"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise RunError(
            f"{folder} is no model to train: its config.json is missing or cannot be read.",
            hint="Set model.base to a folder with config.json, safetensors files, tokenizer.json and a processor.",
        ) from error
    if kind not in PROCESSORS:
        raise RunError(f"The model in {folder} is of the kind {kind!r}.", hint=f"Can be trained: {', '.join(PROCESSORS)}.")
    return str(kind)


def scaling(family: str, processor: Any, settings: run_settings.Model) -> Scaling:
    """Between model.min_pixels and model.max_pixels, inside the limits of the model and of llama.cpp.

    SmolVLM, Idefics3 and LLaVA bring every photo to one size by themselves, so these settings do not change what they cost.
    """
    pixels = processor.image_processor
    if family.startswith("qwen"):
        step = pixels.patch_size * pixels.merge_size
        least = max(QWEN_TOKENS[0] * step**2, pixels.size["shortest_edge"])
        return _limited(step, least, min(QWEN_TOKENS[1] * step**2, pixels.size["longest_edge"]), settings)
    if family in ("smolvlm", "idefics3"):
        return _limited(1, 0, 4 * pixels.size["longest_edge"] ** 2, settings)
    side = pixels.size["height"]
    return _limited(side, 0, side**2 * (pixels.max_patches if family == "internvl" else 1), settings)


def _limited(multiple_of: int, least: int, most: int, settings: run_settings.Model) -> Scaling:
    most = max(least, min(most, settings.max_pixels))
    return Scaling(multiple_of, min(max(least, settings.min_pixels), most), most)


def freeze_tower(model: Any) -> None:
    """Leave the image tower as it is."""
    for name, weight in model.named_parameters():
        if any(part in TOWERS for part in name.split(".")):
            weight.requires_grad_(False)


def precision(settings: run_settings.Model) -> torch.dtype:
    """In which numbers is computed on this machine. Raises RunError."""
    if settings.precision == "auto":
        return torch.bfloat16 if torch.cuda.is_available() and torch.cuda.is_bf16_supported() else torch.float32
    if settings.precision == "fp16" and not torch.cuda.is_available():
        raise RunError('model.precision "fp16" needs a GPU with CUDA, and none is seen.', hint='Set it to "auto" or "fp32".')
    return {"bf16": torch.bfloat16, "fp16": torch.float16, "fp32": torch.float32}[settings.precision]


def lora(model: Any, settings: run_settings.Model) -> Any:
    """The settings of a new adapter: on the text model, and on the image tower where it is not frozen. Never on the output layer."""
    where = TEXT_PART if settings.freeze_vision else f"{TEXT_PART}|{_tower_part(model)}"
    return LoraConfig(
        r=settings.lora_rank,
        lora_alpha=settings.lora_alpha,
        lora_dropout=settings.lora_dropout,
        target_modules=where,
        task_type="CAUSAL_LM",
    )


# ---- parts of loading ----


def _device() -> torch.device:
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0")))


def _processor(folder: Path) -> Any:
    try:
        processor = load_processor(folder)
    except Exception as error:
        raise RunError(
            f"The tokenizer or the image processor in {folder} is missing or cannot be read: {error}",
            hint="Copy the model folder again, with tokenizer.json and preprocessor_config.json or processor_config.json.",
        ) from error
    if not processor.chat_template:
        raise RunError(
            f"The model in {folder} has no chat template, so nobody knows how it is asked.",
            hint="Put its chat_template.jinja beside its config.json; instruction-tuned models have one.",
        )
    tokenizer = processor.tokenizer
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return processor


def _model(folder: Path, settings: run_settings.Model, trainable: bool) -> Any:
    """In float32 where all weights are trained: AdamW's small steps would be lost in 16 bits."""
    whole = trainable and settings.method == "full"
    more: dict[str, Any] = {"dtype": torch.float32 if whole else precision(settings)}
    if settings.method == "qlora":
        more |= {"quantization_config": _four_bits(settings), "device_map": {"": _device()}}
    try:
        classes: Any = hf.AutoModelForImageTextToText
        model, info = classes.from_pretrained(folder, local_files_only=True, output_loading_info=True, **more)
    except torch.cuda.OutOfMemoryError:
        raise
    except Exception as error:
        raise RunError(
            f"The model in {folder} cannot be loaded: {error}", hint="Copy its folder again, with all its safetensors files."
        ) from error
    missing = sorted(info["missing_keys"]) + sorted(str(entry) for entry in info["mismatched_keys"])
    if missing:
        raise RunError(
            f"The model in {folder} lacks {len(missing)} of its weights, among them {missing[0]}.",
            hint="Copy its folder again, with all its safetensors files.",
        )
    return model


def _four_bits(settings: run_settings.Model) -> Any:
    """Raises RunError where bitsandbytes cannot work."""
    if not torch.cuda.is_available() or importlib.util.find_spec("bitsandbytes") is None:
        lacks = "bitsandbytes is not installed" if torch.cuda.is_available() else "no GPU with CUDA is seen"
        raise RunError(
            f'model.method "qlora" cannot be used here: {lacks}.', hint='Set model.method to "lora", or install what is missing.'
        )
    kind: Any = hf.BitsAndBytesConfig
    return kind(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=precision(settings),
    )


def _adapted(model: Any, adapter: Path, settings: run_settings.Model, trainable: bool) -> Any:
    try:
        return PeftModel.from_pretrained(model, adapter, is_trainable=trainable)
    except Exception as error:
        raise RunError(
            f"The adapter in {adapter} cannot be put on the model in {settings.base}: {error}",
            hint="It was damaged, or made for another model. Delete the folder of that stage to train it again.",
        ) from error


def _tower_part(model: Any) -> str:
    """A pattern for the linear layers of the image tower, by their whole names: "mlp.0" may be one, and "blocks.0" is none."""
    linear = [
        re.escape(name)
        for name, module in model.named_modules()
        if isinstance(module, torch.nn.Linear) and any(part in TOWERS for part in name.split("."))
    ]
    return "|".join(linear)
