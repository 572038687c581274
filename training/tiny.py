"""Tiny models of every family, made from nothing: random weights, an own tokenizer, no download and no torchvision.

    build("qwen25vl", folder)              a Hugging Face folder as a published model has it
    model, processor = load(folder)        float32, ready for training or for answers

Each is a real model of its family, only small (about half a million weights), so everything that handles the large ones
handles it too: trainer, peft, generate(), the exporter, llama.cpp.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import transformers as hf
from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

from training.processors import PROCESSORS, load_processor

FAMILIES = ("smolvlm", "idefics3", "qwen2vl", "qwen25vl", "qwen3vl", "internvl", "llava")

SIDE, PATCH, MERGE = 64, 8, 2  # pixels of a tile, of a patch, and patches merged in each direction
ODD_SIDE = 68  # LLaVA's: patches leave a rest at the edge, as those of 14 pixels in the 384 of published towers
TILE_TOKENS = (SIDE // PATCH // MERGE) ** 2
EMBEDDING_ROWS = 64  # tables are filled up to a multiple, as published models do it
SAMPLE = tuple(
    f"Continent: {continent}\nCountry: {country}\nProvince: {province}\nCity: {city}\n\nWhere was this photo taken? Look at the signs, 10 to 20."
    for continent, country, province, city in (
        ("Europe", "Portugal", "Lisbon", "Lisbon"),
        ("Europe", "Iceland", "Capital Region", "Reykjavik"),
        ("Asia", "Japan", "Hiroshima", "Hatsukaichi"),
        ("Oceania", "Australia", "New South Wales", "Sydney"),
    )
)

_TEXT: dict[str, Any] = {
    "hidden_size": 128,
    "intermediate_size": 256,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 4096,
}
_TOWER: dict[str, Any] = {"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4}
_SECTIONS = {"rope_type": "default", "rope_theta": 1e6, "mrope_section": [4, 6, 6]}  # of the 16 rotated pairs: time, row, column


# ---- tokenizers ----

_QWEN_WORDS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3_WORDS = _QWEN_WORDS.replace(r"|\p{N}|", r"|\p{N}{1,3}|")
_CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]
_TILES = [f"<row_{row}_col_{column}>" for row in range(1, 7) for column in range(1, 7)]
_IDEFICS = ["<fake_token_around_image>", "<image>", "<end_of_utterance>", "<global-img>", *_TILES]
_QWEN = ["<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>"]
_INTERNVL = {
    "start_image_token": "<img>",
    "end_image_token": "</img>",
    "context_image_token": "<IMG_CONTEXT>",
    "video_token": "<video>",
}

_SPECIAL: dict[str, list[str]] = {
    "smolvlm": [*_CHATML, *_IDEFICS],
    "idefics3": ["<|finetune_right_pad_id|>", "<|begin_of_text|>", "<|eot_id|>", *_IDEFICS],
    "qwen2vl": [*_CHATML, *_QWEN],
    "qwen25vl": [*_CHATML, *_QWEN],
    "qwen3vl": [*_CHATML, *_QWEN],
    "internvl": [*_CHATML, *_INTERNVL.values()],
    "llava": [*_CHATML, "<image>"],
}


def _word_rule(family: str) -> Any:
    """How text is cut before byte pairs are merged: as SmolLM2, Llama 3 or Qwen does it."""
    if family == "smolvlm":
        return pre_tokenizers.Sequence(
            [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
        )
    words = _LLAMA3_WORDS if family == "idefics3" else _QWEN_WORDS
    return pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(words), behavior="isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )


def build_tokenizer(family: str, texts: Sequence[str] = SAMPLE, *, words: int = 448) -> Any:
    """A byte-level BPE tokenizer with the family's special tokens, trained on `texts`; `words` is the size of its vocabulary."""
    special = _SPECIAL[family]
    tokenizer = Tokenizer(models.BPE(ignore_merges=family == "idefics3"))
    if family not in ("smolvlm", "idefics3"):
        tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = _word_rule(family)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=words, special_tokens=special, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator(
        [*texts, *["\n\n"] * 4 * len(texts)], trainer
    )  # llama.cpp puts this word between the tiles of Idefics3
    begin, end = (special[1], "<end_of_utterance>") if family in ("smolvlm", "idefics3") else (None, "<|im_end|>")
    whole: Any = hf.PreTrainedTokenizerFast
    return whole(
        tokenizer_object=tokenizer,
        pad_token=special[0],
        bos_token=begin,
        eos_token=end,
        padding_side="left",
        extra_special_tokens=_INTERNVL if family == "internvl" else {},
    )


# ---- chat templates: {% generation %} marks what the loss counts, the end token is inside ----

_PARTS = """\
{%- macro parts(content) -%}{%- if content is string -%}{{- content -}}{%- else -%}{%- for part in content -%}
{%- if part['type'] == 'image' -%}{{- IMAGE -}}{%- else -%}{{- part['text'] -}}{%- endif -%}
{%- endfor -%}{%- endif -%}{%- endmacro -%}
"""
_CHATML_TEMPLATE = (
    _PARTS
    + """\
SYSTEM{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\n' -}}
{%- if message['role'] == 'assistant' -%}{%- generation -%}{{- parts(message['content']) + '<|im_end|>' -}}{%- endgeneration -%}
{%- else -%}{{- parts(message['content']) + '<|im_end|>' -}}{%- endif -%}{{- '\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\n' -}}{%- endif -%}
"""
)
_QWEN_SYSTEM = """\
{%- if messages[0]['role'] != 'system' -%}{{- '<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n' -}}{%- endif -%}
"""
_IDEFICS_TEMPLATE = (
    _PARTS
    + """\
{{- bos_token -}}
{%- for message in messages -%}
{{- message['role'] | capitalize + ':' -}}
{%- if message['content'] is string or message['content'][0]['type'] == 'text' -%}{{- ' ' -}}{%- endif -%}
{%- if message['role'] == 'assistant' -%}{%- generation -%}{{- parts(message['content']) + '<end_of_utterance>' -}}{%- endgeneration -%}
{%- else -%}{{- parts(message['content']) + '<end_of_utterance>' -}}{%- endif -%}{{- '\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- 'Assistant:' -}}{%- endif -%}
"""
)
_IMAGE_WORDS = {"internvl": "<IMG_CONTEXT>\\n", "llava": "<image>\\n"}


def chat_template(family: str) -> str:
    """The family's chat template for transformers, with `{% generation %}`."""
    if family in ("smolvlm", "idefics3"):
        return _IDEFICS_TEMPLATE.replace("IMAGE", "'<image>'")
    image = _IMAGE_WORDS.get(family, "<|vision_start|><|image_pad|><|vision_end|>")
    system = _QWEN_SYSTEM if family in ("qwen2vl", "qwen25vl") else ""
    return _CHATML_TEMPLATE.replace("IMAGE", f"'{image}'").replace("SYSTEM", system)


# ---- processors ----


def _build_processor(family: str, tokenizer: Any) -> Any:
    whole, image_half = PROCESSORS[_MODEL_TYPES[family]]
    pixels: dict[str, Any] = {"size": {"height": SIDE, "width": SIDE}}
    more: dict[str, Any] = {}
    if family in ("smolvlm", "idefics3"):
        pixels, more = (
            {"size": {"longest_edge": 2 * SIDE}, "max_image_size": {"longest_edge": SIDE}},
            {"image_seq_len": TILE_TOKENS},
        )
    elif family.startswith("qwen"):
        patch = 16 if family == "qwen3vl" else 14
        pixels = {"patch_size": patch, "size": {"shortest_edge": 8 * (2 * patch) ** 2, "longest_edge": 1280 * (2 * patch) ** 2}}
        if family == "qwen3vl":
            pixels |= {"image_mean": [0.5] * 3, "image_std": [0.5] * 3}
    elif family == "internvl":
        pixels |= {"crop_to_patches": True, "min_patches": 1, "max_patches": 4}
        more = {"image_seq_length": TILE_TOKENS}
    else:
        pixels = {"size": {"height": ODD_SIDE, "width": ODD_SIDE}}
        more = {"patch_size": PATCH, "vision_feature_select_strategy": "full"}
    return whole(image_half(**pixels), tokenizer, chat_template=chat_template(family), **more)


# ---- models ----

_MODEL_TYPES = {
    "smolvlm": "smolvlm",
    "idefics3": "idefics3",
    "qwen2vl": "qwen2_vl",
    "qwen25vl": "qwen2_5_vl",
    "qwen3vl": "qwen3_vl",
    "internvl": "internvl",
    "llava": "llava",
}
_CONFIGS: dict[str, type[Any]] = {
    "smolvlm": hf.SmolVLMConfig,
    "idefics3": hf.Idefics3Config,
    "qwen2vl": hf.Qwen2VLConfig,
    "qwen25vl": hf.Qwen2_5_VLConfig,
    "qwen3vl": hf.Qwen3VLConfig,
    "internvl": hf.InternVLConfig,
    "llava": hf.LlavaConfig,
}
_MODELS: dict[str, type[Any]] = {
    "smolvlm": hf.SmolVLMForConditionalGeneration,
    "idefics3": hf.Idefics3ForConditionalGeneration,
    "qwen2_vl": hf.Qwen2VLForConditionalGeneration,
    "qwen2_5_vl": hf.Qwen2_5_VLForConditionalGeneration,
    "qwen3_vl": hf.Qwen3VLForConditionalGeneration,
    "internvl": hf.InternVLForConditionalGeneration,
    "llava": hf.LlavaForConditionalGeneration,
}


def _config(family: str, tokenizer: Any) -> Any:
    ids = tokenizer.convert_tokens_to_ids
    rows = -(-len(tokenizer) // EMBEDDING_ROWS) * EMBEDDING_ROWS
    roles = {f"{role}_token_id": getattr(tokenizer, f"{role}_token_id") for role in ("bos", "eos", "pad")}
    text = {**_TEXT, **roles, "vocab_size": rows}
    if family in ("smolvlm", "idefics3"):
        return _idefics_config(family, text, ids("<image>"))
    if family.startswith("qwen"):
        return _qwen_config(family, text, {name: ids(word) for name, word in zip(_QWEN_IDS, _QWEN, strict=True)})
    tower = {**_TOWER, "image_size": SIDE, "patch_size": PATCH}
    if family == "internvl":
        tower |= {"layer_scale_init_value": 0.5, "attention_bias": True}
        return _CONFIGS[family](
            text_config={**text, "model_type": "qwen3", "head_dim": 64},
            vision_config=tower,
            image_token_id=ids("<IMG_CONTEXT>"),
            image_seq_length=TILE_TOKENS,
            tie_word_embeddings=False,
        )
    return _CONFIGS[family](
        text_config={**text, "model_type": "qwen2"},
        vision_config={**tower, "image_size": ODD_SIDE, "model_type": "siglip_vision_model", "vision_use_head": False},
        image_token_index=ids("<image>"),
        image_seq_length=(SIDE // PATCH) ** 2,
        vision_feature_layer=-1,
        vision_feature_select_strategy="full",
        tie_word_embeddings=False,
    )


def _idefics_config(family: str, text: dict[str, Any], image_token: int) -> Any:
    tower = {**_TOWER, "image_size": SIDE, "patch_size": PATCH}
    return _CONFIGS[family](
        text_config={**text, "model_type": "llama"},
        vision_config={**tower, "model_type": f"{family}_vision"},
        scale_factor=MERGE,
        image_token_id=image_token,
        pad_token_id=text["pad_token_id"],
        tie_word_embeddings=family == "smolvlm",
    )


_QWEN_IDS = ("vision_start_token_id", "vision_end_token_id", "image_token_id", "video_token_id")


def _qwen_config(family: str, text: dict[str, Any], ids: dict[str, int]) -> Any:
    text = {**text, "rope_parameters": dict(_SECTIONS)}
    width, layers, heads, hidden = (
        _TOWER[key] for key in ("hidden_size", "num_hidden_layers", "num_attention_heads", "intermediate_size")
    )
    if family == "qwen2vl":
        vision = {
            "embed_dim": width,
            "hidden_size": text["hidden_size"],
            "depth": layers,
            "num_heads": heads,
            "mlp_ratio": 2,
            "patch_size": 14,
        }
        return _CONFIGS[family](text_config=text, vision_config=vision, tie_word_embeddings=True, **ids)
    tower = {"hidden_size": width, "intermediate_size": hidden, "num_heads": heads, "out_hidden_size": text["hidden_size"]}
    if family == "qwen25vl":
        vision = {**tower, "depth": 4, "patch_size": 14, "window_size": 112, "fullatt_block_indexes": [1, 3]}
        return _CONFIGS[family](text_config=text, vision_config=vision, tie_word_embeddings=False, **ids)
    vision = {**tower, "depth": 3, "patch_size": 16, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}
    text |= {
        "head_dim": 32,
        "rope_parameters": {**_SECTIONS, "mrope_section": [6, 5, 5]},
    }  # interleaved, time must not be shorter
    return _CONFIGS[family](text_config=text, vision_config=vision, tie_word_embeddings=True, **ids)


def _spread(model: Any, deviation: float) -> None:
    tables = ("position", "pos_embed") if model.config.tie_word_embeddings else ("position", "pos_embed", "embed_tokens")
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.ndim == 1:
                weight.add_(torch.randn_like(weight), alpha=deviation)
            else:  # large tables of words that are the output too would make a model that says the same word again and again
                weight.normal_(0, 1.0 if any(table in name for table in tables) else deviation)


def _set_roles(model: Any, tokenizer: Any) -> None:
    """generate() and the trainers read the special ids in three places, which must agree."""
    for config in (model.generation_config, model.config, model.config.text_config):
        config.eos_token_id, config.bos_token_id = tokenizer.eos_token_id, tokenizer.bos_token_id
        if not (config is model.config and config.model_type in ("smolvlm", "idefics3")):  # given at the start; setting it warns
            config.pad_token_id = tokenizer.pad_token_id


def build(family: str, folder: Path, *, seed: int = 0, texts: Sequence[str] = SAMPLE, spread: float | None = None) -> None:
    """Write a tiny model of a family (one of FAMILIES) to `folder`: config, safetensors, tokenizer, processor, chat template.

    `texts`: what the tokenizer is trained on. `spread`: standard deviation of all weights, biases and scales too, so that the
    answers depend on the photo and on every weight (0.12 does it); without it the weights are as transformers starts a training.
    """
    if family not in FAMILIES:
        raise ValueError(f"There is no family {family!r}, only {', '.join(FAMILIES)}.")
    tokenizer = build_tokenizer(family, texts)
    processor = _build_processor(family, tokenizer)
    torch.manual_seed(seed)
    model = _MODELS[_MODEL_TYPES[family]](_config(family, tokenizer))
    if spread is not None:
        _spread(model, spread)
    _set_roles(model, tokenizer)
    model.save_pretrained(folder)
    processor.save_pretrained(folder)


def load(folder: Path) -> tuple[Any, Any]:
    """(model, processor) of a folder that `build` wrote, in float32 whatever the file holds, ready to answer."""
    kind = json.loads((folder / "config.json").read_text(encoding="utf-8"))["model_type"]
    return _MODELS[kind].from_pretrained(folder, dtype=torch.float32).eval(), load_processor(folder)
