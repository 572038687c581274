"""What the families of vision-language models want: the prompt around a photo, and the size of the photo.

llama.cpp scales and tiles photos itself, but not for every photo as the model was trained: `Family.fit` gives the size at which its
result and that of transformers are the same pixels (tests/training/test_families.py compares both, token for token). A caller who
scales a photo to that size first, with Pillow's BICUBIC, gives the model what it knows.

The words around an image that belong to the image (<|vision_start|>, <img>, tiles) are written by llama.cpp; a template has only
MARKER in its place.
"""

from __future__ import annotations

import dataclasses
import math
from dataclasses import dataclass

from georapp.gguf_head import Head

MARKER = "<__media__>"  # llama.cpp's default; the tower puts the photo in its place


def _parts(image: str) -> str:
    """A message's content, a string or a list of parts, with `image` (as Jinja writes it) for each photo."""
    return """\
{%- macro parts(content) -%}{%- if content is string -%}{{- content -}}{%- else -%}{%- for part in content -%}
{%- if part['type'] == 'image' -%}{{- 'IMAGE' -}}{%- else -%}{{- part['text'] -}}{%- endif -%}
{%- endfor -%}{%- endif -%}{%- endmacro -%}
""".replace("IMAGE", image)


_CHATML = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' + parts(message['content']) + '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""
_SYSTEM = """\
{%- if messages[0]['role'] != 'system' -%}{{- '<|im_start|>system\\nYou are a helpful assistant.<|im_end|>\\n' -}}{%- endif -%}
"""
_UTTERANCES = """\
{{- bos_token | default('<|im_start|>') -}}
{%- for message in messages -%}
{%- set words = parts(message['content']) -%}
{{- message['role'] | capitalize + (':' if words.startswith('MARKER') else ': ') + words + '<end_of_utterance>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
""".replace("MARKER", MARKER)
_PLAIN, _LINE = _parts(MARKER), _parts(MARKER + "\\n")


@dataclass(frozen=True, slots=True)
class Family:
    """One family. The template is Jinja with `messages`, `add_generation_prompt` and `bos_token`, for a GGUF that has none.

    `projectors`: values of clip.projector_type; `architectures`: of general.architecture of the text model. `begin`: whether the
    engine puts BOS in front (where a family wants one, its template writes it). Sides of a photo are scaled to multiples of
    `multiple_of` pixels, and to an area between `min_pixels` and `max_pixels`; `why` says what happens otherwise.
    """

    name: str
    projectors: tuple[str, ...]
    architectures: tuple[str, ...]
    template: str
    begin: bool
    multiple_of: int
    max_pixels: int
    why: str
    min_pixels: int = 0

    def fit(self, width: int, height: int) -> tuple[int, int]:
        """The size to which a photo of width x height pixels should be scaled: its shape as nearly as the multiples allow."""
        return fit(width, height, multiple_of=self.multiple_of, min_pixels=self.min_pixels, max_pixels=self.max_pixels)


def fit(width: int, height: int, *, multiple_of: int, min_pixels: int, max_pixels: int) -> tuple[int, int]:
    """(width, height) whose sides are multiples and whose area lies between the limits, of the same shape as nearly as can be."""
    step, area = multiple_of, width * height
    long, short = (max(1, round(side / step)) * step for side in (max(width, height), min(width, height)))
    if long * short > max_pixels:
        scale = math.sqrt(max_pixels / area) / step * (1 + 1e-9)  # what is exact must not be rounded down
        short = max(1, math.floor(min(width, height) * scale)) * step
        long = max(1, min(math.floor(max(width, height) * scale), max_pixels // short // step)) * step
    elif long * short < min_pixels:
        scale = math.sqrt(min_pixels / area)
        long, short = (math.ceil(side * scale / step) * step for side in (max(width, height), min(width, height)))
    return (long, short) if width >= height else (short, long)


FAMILIES: tuple[Family, ...] = (
    Family(
        name="SmolVLM and Idefics3",
        projectors=("idefics3",),
        architectures=("llama",),
        template=_PLAIN + _UTTERANCES,
        begin=False,
        multiple_of=1,
        max_pixels=4096 * 4096,
        why="Any photo: llama.cpp scales its longest side and cuts tiles, with an overview, as the models were trained.",
    ),
    Family(
        name="Qwen2-VL and Qwen2.5-VL",
        projectors=("qwen2vl_merger", "qwen2.5vl_merger"),
        architectures=("qwen2vl",),
        template=_PLAIN + _SYSTEM + _CHATML,
        begin=False,
        multiple_of=28,
        max_pixels=1280 * 28 * 28,
        why="Other sizes are brought to multiples of 28 with black edges by llama.cpp, by stretching in training.",
        min_pixels=8 * 28 * 28,
    ),
    Family(
        name="Qwen3-VL",
        projectors=("qwen3vl_merger",),
        architectures=("qwen3vl",),
        template=_PLAIN + _CHATML,
        begin=False,
        multiple_of=32,
        max_pixels=1280 * 32 * 32,
        why="Other sizes are brought to multiples of 32 with black edges by llama.cpp, by stretching in training.",
        min_pixels=8 * 32 * 32,
    ),
    Family(
        name="InternVL",
        projectors=("internvl",),
        architectures=("qwen2", "qwen3", "llama", "internlm2"),
        template=_LINE + _CHATML,
        begin=False,
        multiple_of=448,
        max_pixels=12 * 448 * 448,
        why="A photo of whole tiles is cut alike; another one gets black edges and other tiles from llama.cpp than in training.",
    ),
    Family(
        name="LLaVA with a SigLIP tower",
        projectors=("mlp",),
        architectures=("qwen2", "qwen3", "llama"),
        template=_LINE + _CHATML,
        begin=False,
        multiple_of=384,
        max_pixels=384 * 384,
        why="A photo that is not square gets coloured edges from llama.cpp; in training it was stretched.",
    ),
)


def family_of(text: Head, image: Head | None) -> Family | None:
    """The family of a pair, with the sizes of just this model.

    None without an image part, for families not listed here, and for image parts that llama.cpp computes wrongly.
    """
    if image is None or shifts_patches(image):
        return None
    for family in FAMILIES:
        if image.projector in family.projectors and text.architecture in family.architectures:
            return _sized(family, image)
    return None


def _sized(family: Family, image: Head) -> Family:
    side = image.number("vision.image_size")
    if family.projectors == ("idefics3",):
        longest = image.number("vision.preproc_image_size")  # twice as much: scaled once more without a loss
        return dataclasses.replace(family, max_pixels=4 * longest * longest) if longest else family
    if "internvl" in family.projectors:
        return dataclasses.replace(
            family, multiple_of=side, max_pixels=(image.number("vision.preproc_max_tiles") or 12) * side * side
        )
    if "mlp" in family.projectors:
        return dataclasses.replace(family, multiple_of=side, max_pixels=side * side)
    step = image.number("vision.patch_size") * (image.number("vision.spatial_merge_size") or 2)
    return dataclasses.replace(family, multiple_of=step, max_pixels=1280 * step * step, min_pixels=8 * step * step)


def shifts_patches(image: Head) -> bool:
    """Whether llama.cpp computes this image part wrongly: LLaVA's projector behind a tower with a class token (CLIP, LLaVA-1.5).

    WORKAROUND https://github.com/ggml-org/llama.cpp/issues/25814: its graph appends the class token and then reads the patches as
    if it stood in front. Every patch gets its neighbour's position, the first one is lost, and the class token is shown as a patch.
    """
    return image.projector in ("mlp", "mlp_norm", "ldp", "ldpv2") and "v.class_embd" in image.tensors
