"""Model folders with the shapes of published models and no weights: heads of safetensors files, and files as long as they promise.

qwen3_vl(folder, hidden=2048, ...)      like Qwen3-VL-2B, in bf16
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

Shapes = dict[str, tuple[int, ...]]
BYTES = {"BF16": 2, "F16": 2, "F32": 4, "U8": 1}


def head(shapes: Mapping[str, tuple[int, ...]], kind: str = "BF16") -> tuple[bytes, int]:
    """The head of a safetensors file, and how long the whole file is."""
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + math.prod(shape) * BYTES[kind]
        entries[name] = {"dtype": kind, "shape": list(shape), "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    return len(text).to_bytes(8, "little") + text, 8 + len(text) + end


def write_weights(path: Path, shapes: Mapping[str, tuple[int, ...]], kind: str = "BF16") -> None:
    """A sparse file: nothing of it but the head takes room on a disk."""
    start, size = head(shapes, kind)
    with path.open("wb") as file:
        file.write(start)
        file.truncate(size)


def write_folder(folder: Path, config: Mapping[str, Any], shapes: Shapes, pixels: Mapping[str, Any], **processor: Any) -> Path:
    """All files that a training reads."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(config), "utf-8")
    (folder / "tokenizer.json").write_text("{}", "utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels), "utf-8")
    if processor:
        (folder / "processor_config.json").write_text(json.dumps(processor), "utf-8")
    (folder / "chat_template.jinja").write_text("{{ messages }}", "utf-8")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A model\n", "utf-8")
    write_weights(folder / "model.safetensors", shapes)
    return folder


def text_shapes(
    prefix: str, *, layers: int, hidden: int, inner: int, q: int, kv: int, words: int, head: str = "", biases: bool = False
) -> Shapes:
    """Of a text model of the Llama kind. `head`: the name of an output layer of its own."""
    found: Shapes = {f"{prefix}.embed_tokens.weight": (words, hidden), f"{prefix}.norm.weight": (hidden,)}
    sides = {"q_proj": (q, hidden), "k_proj": (kv, hidden), "v_proj": (kv, hidden), "o_proj": (hidden, q)}
    inside = {"gate_proj": (inner, hidden), "up_proj": (inner, hidden), "down_proj": (hidden, inner)}
    for n in range(layers):
        found |= {f"{prefix}.layers.{n}.self_attn.{name}.weight": shape for name, shape in sides.items()}
        found |= {f"{prefix}.layers.{n}.mlp.{name}.weight": shape for name, shape in inside.items()}
        found |= {f"{prefix}.layers.{n}.{name}.weight": (hidden,) for name in ("input_layernorm", "post_attention_layernorm")}
        if biases:
            found |= {f"{prefix}.layers.{n}.self_attn.{name}.bias": sides[name][:1] for name in ("q_proj", "k_proj", "v_proj")}
    return found | ({head: (words, hidden)} if head else {})


def tower_shapes(prefix: str, *, depth: int, width: int, inner: int, out: int, mergers: int) -> Shapes:
    """Of Qwen3-VL's image tower."""
    found: Shapes = {
        f"{prefix}.patch_embed.proj.weight": (width, 3, 2, 16, 16),
        f"{prefix}.pos_embed.weight": (2304, width),
    }
    for n in range(depth):
        block = f"{prefix}.blocks.{n}"
        found |= {f"{block}.attn.qkv.weight": (3 * width, width), f"{block}.attn.proj.weight": (width, width)}
        found |= {f"{block}.mlp.linear_fc1.weight": (inner, width), f"{block}.mlp.linear_fc2.weight": (width, inner)}
        found |= {f"{block}.norm1.weight": (width,), f"{block}.norm2.weight": (width,)}
    for name in ["merger", *(f"deepstack_merger_list.{n}" for n in range(mergers))]:
        found |= {
            f"{prefix}.{name}.linear_fc1.weight": (4 * width, 4 * width),
            f"{prefix}.{name}.linear_fc2.weight": (out, 4 * width),
        }
    return found


def qwen3_vl(
    folder: Path,
    *,
    layers: int = 28,
    hidden: int = 2048,
    inner: int = 6144,
    heads: int = 16,
    tied: bool = True,
    large: bool = False,
) -> Path:
    """Like Qwen3-VL: 2B without arguments."""
    words, depth, width, tower_inner = 151_936, *((27, 1152, 4304) if large else (24, 1024, 4096))
    text = {
        "model_type": "qwen3_vl_text",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": 8,
        "head_dim": 128,
        "vocab_size": words,
    }
    shapes = text_shapes(
        "model.language_model",
        layers=layers,
        hidden=hidden,
        inner=inner,
        q=heads * 128,
        kv=1024,
        words=words,
        head="" if tied else "lm_head.weight",
    )
    shapes |= tower_shapes("model.visual", depth=depth, width=width, inner=tower_inner, out=hidden, mergers=3)
    config = {"model_type": "qwen3_vl", "text_config": text, "vision_config": {"patch_size": 16}, "tie_word_embeddings": tied}
    pixels = {"patch_size": 16, "merge_size": 2, "size": {"shortest_edge": 65_536, "longest_edge": 16_777_216}}
    return write_folder(folder, config, shapes, pixels)


def qwen25_vl(folder: Path, *, layers: int, hidden: int, inner: int, heads: int, kv: int, words: int, tied: bool) -> Path:
    """Like Qwen2.5-VL as it was published: a flat config.json, and weights without "language_model"."""
    shapes = text_shapes(
        "model",
        layers=layers,
        hidden=hidden,
        inner=inner,
        q=heads * 128,
        kv=kv * 128,
        words=words,
        head="" if tied else "lm_head.weight",
        biases=True,
    )
    width, tower_inner = 1280, 3420
    shapes |= {"visual.patch_embed.proj.weight": (width, 3, 2, 14, 14)}
    for n in range(32):
        block = f"visual.blocks.{n}"
        shapes |= {f"{block}.attn.qkv.weight": (3 * width, width), f"{block}.attn.proj.weight": (width, width)}
        shapes |= {f"{block}.mlp.{name}.weight": (tower_inner, width) for name in ("gate_proj", "up_proj")}
        shapes |= {f"{block}.mlp.down_proj.weight": (width, tower_inner)}
    shapes |= {"visual.merger.mlp.0.weight": (4 * width, 4 * width), "visual.merger.mlp.2.weight": (hidden, 4 * width)}
    config = {
        "model_type": "qwen2_5_vl",
        "hidden_size": hidden,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": kv,
        "vision_config": {"depth": 32},
        "tie_word_embeddings": tied,
    }
    pixels = {"patch_size": 14, "merge_size": 2, "min_pixels": 3136, "max_pixels": 12_845_056}
    return write_folder(folder, config, shapes, pixels)


PUBLISHED = {  # what the table of published models says: parameters in billions, and how to make a folder like it
    "Qwen3-VL-2B": lambda folder: qwen3_vl(folder),
    "Qwen2.5-VL-3B": lambda folder: qwen25_vl(
        folder, layers=36, hidden=2048, inner=11_008, heads=16, kv=2, words=151_936, tied=True
    ),
    "Qwen3-VL-4B": lambda folder: qwen3_vl(folder, layers=36, hidden=2560, inner=9728, heads=32),
    "Qwen2.5-VL-7B": lambda folder: qwen25_vl(
        folder, layers=28, hidden=3584, inner=18_944, heads=28, kv=4, words=152_064, tied=False
    ),
    "Qwen3-VL-8B": lambda folder: qwen3_vl(folder, layers=36, hidden=4096, inner=12_288, heads=32, tied=False, large=True),
}
