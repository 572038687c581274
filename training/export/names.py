"""Names of weights: transformers -> GGUF.

A table maps a stem, the name without its part's prefix and without ".weight" or ".bias"; "*" stands for the number of a layer.
The value None means: known, and not needed by llama.cpp. A name that stands in no table is an error.
"""

from __future__ import annotations

import re

from georapp.errors import ModelError

Names = dict[str, str | None]

TEXT: Names = {
    "embed_tokens": "token_embd",
    "norm": "output_norm",
    "lm_head": "output",
    "rotary_emb.inv_freq": None,  # computed anew
    "layers.*.self_attn.rotary_emb.inv_freq": None,
    "layers.*.input_layernorm": "blk.*.attn_norm",
    "layers.*.self_attn.q_proj": "blk.*.attn_q",
    "layers.*.self_attn.k_proj": "blk.*.attn_k",
    "layers.*.self_attn.v_proj": "blk.*.attn_v",
    "layers.*.self_attn.o_proj": "blk.*.attn_output",
    "layers.*.self_attn.q_norm": "blk.*.attn_q_norm",
    "layers.*.self_attn.k_norm": "blk.*.attn_k_norm",
    "layers.*.post_attention_layernorm": "blk.*.ffn_norm",
    "layers.*.mlp.gate_proj": "blk.*.ffn_gate",
    "layers.*.mlp.up_proj": "blk.*.ffn_up",
    "layers.*.mlp.down_proj": "blk.*.ffn_down",
}

# Published files and transformers 5 put different things in front of the same names. The longest that fits counts.
_PREFIXES = {
    "model.visual.": "tower",
    "visual.": "tower",
    "model.vision_model.": "tower",
    "model.vision_tower.vision_model.": "tower",
    "model.vision_tower.": "tower",
    "vision_tower.vision_model.": "tower",
    "vision_tower.": "tower",
    "vision_model.": "tower",
    "model.connector.": "connector",
    "connector.": "connector",
    "model.multi_modal_projector.": "connector",
    "multi_modal_projector.": "connector",
    "model.language_model.": "text",
    "language_model.model.": "text",
    "language_model.": "text",
    "model.text_model.": "text",
    "text_model.": "text",
    "model.": "text",
    "": "text",
}
_ORDER = sorted(_PREFIXES, key=len, reverse=True)


def part_of(name: str) -> tuple[str, str]:
    """("text", "tower" or "connector", the rest of the name)."""
    prefix = next(prefix for prefix in _ORDER if name.startswith(prefix))
    return _PREFIXES[prefix], name.removeprefix(prefix)


def translate(table: Names, name: str) -> str | None:
    """The GGUF name for a name without prefix, or None where it is not needed. Raises ModelError for an unknown one."""
    found = re.fullmatch(r"(.+)(\.weight|\.bias)", name)
    stem, ending = (found[1], found[2]) if found else (name, "")
    number = layer_of(stem)
    key = stem if number is None else re.sub(r"(?<=\.)\d+(?=\.)", "*", stem, count=1)
    if key not in table and stem in table:
        key = stem
    if key not in table:
        raise ModelError(
            f"The exporter does not know the weight {name!r}.",
            hint="Only the families named in the documentation can be exported.",
        )
    new = table[key]
    return None if new is None else new.replace("*", str(number)) + ending


def layer_of(name: str) -> int | None:
    """The number of the layer that a weight belongs to."""
    found = re.search(r"(?<=\.)\d+(?=\.)", name)
    return int(found[0]) if found else None
