"""A peft adapter -> LoRA GGUF for a text model that was exported before."""

from __future__ import annotations

import math
import re
from pathlib import Path

import gguf

from georapp import gguf_head
from georapp.errors import ModelError
from training.export.folder import Settings, read_json, read_weights
from training.export.names import TEXT, part_of, translate
from training.export.text import rotary_order
from training.export.writer import Writer


def write_lora(adapter: Path, out: Path, *, base: Path, kind: str = "f16", pair: str | None = None) -> None:
    """Write the adapter in a peft folder for the text GGUF `base`, whose head alone is read. `kind`: "f32" or "f16".

    llama.cpp multiplies by alpha / rank, keeps A as (rank, inputs) and B as (outputs, rank), and adapts only matrices of the text
    model. Raises ModelError for an adapter that asks for more.
    """
    if kind not in ("f32", "f16"):
        raise ModelError(f"An adapter cannot be of the type {kind!r}, only f32 or f16.")
    head = gguf_head.read(base)
    config = _plain(adapter)
    alpha = float(config["lora_alpha"]) * (
        math.sqrt(config["r"]) if config.get("use_rslora") else 1
    )  # rslora divides by the root
    with Writer(out, head.architecture, gguf.GGUFType.ADAPTER, adapter.name, kind=kind, pair=pair) as writer:
        writer.keys.add_string(gguf.Keys.Adapter.TYPE, "lora")
        writer.keys.add_float32(gguf.Keys.Adapter.LORA_ALPHA, alpha)
        for name, weights in read_weights(adapter, "adapter_model.safetensors"):
            new, matrix = _name(name)
            if new not in head.tensors:
                raise ModelError(f"{base.name} has no weight {new}; the adapter was made for another model.")
            if head.architecture == "llama" and matrix == "b":  # as the rows of the base; A stays as it is
                weights = rotary_order(new, weights, head.number("attention.head_count"), head.number("attention.head_count_kv"))
            writer.put(f"{new}.lora_{matrix}", weights)
        _check_complete(writer, adapter)


def _plain(adapter: Path) -> Settings:
    config = read_json(adapter / "adapter_config.json")
    if config.get("peft_type") != "LORA":
        raise ModelError(f"{adapter} is no folder with a LoRA adapter.")
    for key in ("rank_pattern", "alpha_pattern", "use_dora", "modules_to_save", "fan_in_fan_out", "trainable_token_indices"):
        if config.get(key):
            raise ModelError(
                f"The adapter uses {key}, which llama.cpp cannot do.", hint="Merge it into the model and export the model."
            )
    if config.get("bias", "none") != "none":
        raise ModelError(
            "The adapter changes biases, which llama.cpp cannot do.", hint="Merge it into the model and export the model."
        )
    return config


def _name(name: str) -> tuple[str, str]:
    """("blk.0.attn_q.weight", "a" or "b")."""
    found = re.fullmatch(r"base_model\.model\.(.+)\.lora_([AB])\.weight", name)
    if not found:
        raise ModelError(f"The exporter does not know the adapter weight {name!r}.")
    part, rest = part_of(found[1] + ".weight")
    new = translate(TEXT, rest) if part == "text" else None
    if new is None or not new.startswith("blk."):
        raise ModelError(
            f"The adapter changes {found[1]}; llama.cpp can adapt only the layers of the text model.",
            hint="Merge it into the model and export the model.",
        )
    return new, found[2].lower()


def _check_complete(writer: Writer, adapter: Path) -> None:
    stems = {name.removesuffix(".lora_a").removesuffix(".lora_b") for name in writer.names}
    if not stems:
        raise ModelError(f"The adapter in {adapter} is empty.")
    if len(writer.names) != 2 * len(stems):
        raise ModelError(f"The adapter in {adapter} is not complete.")
