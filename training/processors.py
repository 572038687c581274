"""Processors of all families without torchvision: pixels by Pillow, and no video half.

processor = load_processor(folder)      of any Hugging Face folder of these families
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import transformers as hf
from transformers.models.got_ocr2.image_processing_pil_got_ocr2 import GotOcr2ImageProcessorPil
from transformers.models.idefics3.image_processing_pil_idefics3 import Idefics3ImageProcessorPil
from transformers.models.qwen2_vl.image_processing_pil_qwen2_vl import Qwen2VLImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.smolvlm.image_processing_pil_smolvlm import SmolVLMImageProcessorPil
from transformers.processing_utils import ProcessorMixin


class _WithoutVideo(ProcessorMixin):
    """Stands between a processor and ProcessorMixin and lets its video half fall."""

    def __init__(self, image_processor: Any, tokenizer: Any, _video_processor: Any, **more: Any) -> None:
        super().__init__(image_processor, tokenizer, **more)  # type: ignore[no-untyped-call]


def image_only(base: type[Any]) -> type[Any]:
    """A processor class without its video half, which would need torchvision: transformers goes by the names in `__init__`."""

    def start(
        self: Any, image_processor: Any = None, tokenizer: Any = None, chat_template: str | None = None, **more: Any
    ) -> None:
        base.__init__(self, image_processor, tokenizer, None, chat_template=chat_template, **more)

    return type(base.__name__, (base, _WithoutVideo), {"__init__": start})


PROCESSORS: dict[str, tuple[type[Any], type[Any]]] = {  # by config.model_type: the processor, and its image half
    "smolvlm": (hf.Idefics3Processor, SmolVLMImageProcessorPil),
    "idefics3": (hf.Idefics3Processor, Idefics3ImageProcessorPil),
    "qwen2_vl": (image_only(hf.Qwen2VLProcessor), Qwen2VLImageProcessorPil),
    "qwen2_5_vl": (image_only(hf.Qwen2_5_VLProcessor), Qwen2VLImageProcessorPil),
    "qwen3_vl": (image_only(hf.Qwen3VLProcessor), Qwen2VLImageProcessorPil),
    "internvl": (image_only(hf.InternVLProcessor), GotOcr2ImageProcessorPil),
    "llava": (hf.LlavaProcessor, SiglipImageProcessorPil),
}
_PROCESSOR_KEYS = ("image_seq_len", "patch_size", "vision_feature_select_strategy", "num_additional_image_tokens")


def load_processor(folder: Path) -> Any:
    """The processor of a model folder, with Pillow for the pixels. Not AutoProcessor: its choice may want torchvision."""
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    whole, image_half = PROCESSORS[config["model_type"]]
    tokenizer: Any = hf.PreTrainedTokenizerFast.from_pretrained(folder)
    tokenizer.padding_side = "left"  # batched answers are wrong with padding on the right
    file = folder / "processor_config.json"
    saved = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    more = {key: saved[key] for key in _PROCESSOR_KEYS if key in saved}
    if config["model_type"] == "internvl":  # an image-only processor saves only what its `__init__` names
        more["image_seq_length"] = config["image_seq_length"]
    file = folder / "chat_template.jinja"
    template = file.read_text(encoding="utf-8") if file.exists() else tokenizer.chat_template
    return whole(image_half.from_pretrained(folder), tokenizer, chat_template=template, **more)
