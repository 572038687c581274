"""The text model of a folder -> GGUF: llama, qwen2, qwen3, qwen2vl (Qwen2-VL, Qwen2.5-VL) and qwen3vl."""

from __future__ import annotations

import re
from pathlib import Path

import gguf

from georapp.errors import ModelError
from training.export.folder import ModelFolder, Settings, Weights, open_folder
from training.export.names import TEXT, part_of, translate
from training.export.tokenizer import add_tokenizer
from training.export.writer import Writer

_ARCHITECTURES = {
    "llama": "llama",
    "qwen2": "qwen2",
    "qwen3": "qwen3",
    "qwen2_vl_text": "qwen2vl",
    "qwen2_5_vl_text": "qwen2vl",
    "qwen3_vl_text": "qwen3vl",
}


def write_text(folder: Path, out: Path, *, kind: str = "f16", pair: str | None = None) -> None:
    """Write the text model of a Hugging Face folder. `kind`: one of KINDS. Raises ModelError."""
    model = open_folder(folder)
    architecture = architecture_of(model)
    with Writer(out, architecture, gguf.GGUFType.MODEL, folder.name, kind=kind, pair=pair) as writer:
        _add_shape(writer.keys, model, architecture)
        add_tokenizer(writer.keys, model)
        heads, kv_heads = _heads(model.text)
        for name, weights in model.weights():
            part, rest = part_of(name)
            new = translate(TEXT, rest) if part == "text" else None
            if new is not None:
                writer.put(new, rotary_order(new, weights, heads, kv_heads) if architecture == "llama" else weights)
        _check_complete(writer, model)


def architecture_of(model: ModelFolder) -> str:
    """llama.cpp's name of the text model. Raises ModelError for one that it, or this exporter, would get wrong."""
    text = model.text
    architecture = _ARCHITECTURES.get(text["model_type"])
    if architecture is None:
        raise ModelError(
            f"A text model of the kind {text['model_type']} cannot be exported.", hint=f"Possible: {', '.join(_ARCHITECTURES)}."
        )
    rope = _rope(text)
    if rope.get("rope_type", "default") not in ("default", "dynamic"):  # dynamic begins only behind the context that is written
        raise ModelError(f"The model stretches its positions ({rope['rope_type']}); this cannot be exported.")
    if text.get("hidden_act", "silu") != "silu":
        raise ModelError(f"The model computes with {text['hidden_act']}, llama.cpp only with silu.")
    if text.get("use_sliding_window"):
        raise ModelError("The model sees only a window of its text (use_sliding_window); this cannot be exported.")
    return architecture


def rotary_order(name: str, weights: Weights, heads: int, kv_heads: int) -> Weights:
    """Rows of q and k for the architecture llama: transformers rotates the halves of a head, llama.cpp neighbours."""
    found = re.search(r"\.attn_([qk])\.(weight|bias)", name)
    if not found:
        return weights
    count = heads if found[1] == "q" else kv_heads
    rows = weights.shape[0]
    return weights.reshape(count, 2, rows // count // 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def _heads(text: Settings) -> tuple[int, int]:
    heads = int(text["num_attention_heads"])
    return heads, int(text.get("num_key_value_heads") or heads)


def _rope(text: Settings) -> Settings:
    return text.get("rope_parameters") or {}


def _add_shape(keys: gguf.GGUFWriter, model: ModelFolder, architecture: str) -> None:
    text, rope = model.text, _rope(model.text)
    heads, kv_heads = _heads(text)
    head = int(text.get("head_dim") or text["hidden_size"] // heads)
    if "rope_theta" not in rope:
        raise ModelError("config.json does not say how positions are turned (rope_theta).")
    keys.add_context_length(text["max_position_embeddings"])
    keys.add_embedding_length(text["hidden_size"])
    keys.add_block_count(text["num_hidden_layers"])
    keys.add_feed_forward_length(text["intermediate_size"])
    keys.add_head_count(heads)
    keys.add_head_count_kv(kv_heads)
    keys.add_key_length(head)
    keys.add_value_length(head)
    keys.add_layer_norm_rms_eps(text["rms_norm_eps"])
    keys.add_rope_freq_base(float(rope["rope_theta"]))
    keys.add_rope_dimension_count(head)
    keys.add_vocab_size(text["vocab_size"])
    if architecture in ("qwen2vl", "qwen3vl"):
        keys.add_rope_dimension_sections([*rope["mrope_section"], 0])  # time, row, column, unused
    if architecture == "qwen3vl":
        keys.add_num_deepstack_layers(len(model.vision["deepstack_visual_indexes"]))


def _check_complete(writer: Writer, model: ModelFolder) -> None:
    """llama.cpp's own message for a missing weight names none of the user's files."""
    layers = {name.split(".")[1] for name in writer.names if name.startswith("blk.")}
    if len(layers) != model.text["num_hidden_layers"]:
        raise ModelError(
            f"The folder holds {len(layers)} of {model.text['num_hidden_layers']} layers.", hint="Is a safetensors file missing?"
        )
    tied = model.config.get("tie_word_embeddings") or model.text.get(
        "tie_word_embeddings"
    )  # the table of words is the output too
    wanted = {"token_embd.weight", "output_norm.weight"} | (set() if tied else {"output.weight"})
    if missing := sorted(wanted - writer.names):
        raise ModelError(f"The folder does not hold the weights for {', '.join(missing)}.", hint="Is a safetensors file missing?")
