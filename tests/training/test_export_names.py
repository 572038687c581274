"""The exporter knows the names of weights in published files as well as those that transformers 5 writes."""

from __future__ import annotations

from typing import Any

import pytest

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from training.export.internvl import InternVl
from training.export.names import TEXT, part_of, translate
from training.export.qwen import Qwen2Vl, Qwen3Vl, Qwen25Vl
from training.export.siglip import Idefics3, Llava


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("model.layers.3.self_attn.q_proj.bias", "blk.3.attn_q.bias"),  # Qwen2-VL
        ("model.text_model.layers.3.mlp.down_proj.weight", "blk.3.ffn_down.weight"),  # SmolVLM
        ("language_model.model.layers.11.input_layernorm.weight", "blk.11.attn_norm.weight"),  # LLaVA, InternVL
        ("model.language_model.layers.0.self_attn.k_norm.weight", "blk.0.attn_k_norm.weight"),  # Qwen3-VL
        ("language_model.lm_head.weight", "output.weight"),
        ("lm_head.weight", "output.weight"),
        ("model.language_model.embed_tokens.weight", "token_embd.weight"),
        ("model.layers.0.self_attn.rotary_emb.inv_freq", None),
    ],
)
def test_names_of_text_weights(name: str, expected: str | None) -> None:
    part, rest = part_of(name)

    assert part == "text"
    assert translate(TEXT, rest) == expected


@pytest.mark.parametrize(
    ("family", "name", "expected"),
    [
        (Idefics3, "model.vision_model.encoder.layers.4.self_attn.out_proj.bias", "v.blk.4.attn_out.bias"),
        (Idefics3, "model.connector.modality_projection.proj.weight", "mm.model.fc.weight"),
        (Qwen2Vl, "visual.blocks.31.mlp.fc2.weight", "v.blk.31.ffn_down.weight"),
        (Qwen25Vl, "visual.merger.mlp.2.bias", "mm.2.bias"),
        (Qwen3Vl, "model.visual.deepstack_merger_list.2.linear_fc1.weight", "v.deepstack.2.fc1.weight"),
        (Qwen3Vl, "model.visual.pos_embed.weight", "v.position_embd.weight"),
        (InternVl, "vision_tower.encoder.layer.23.lambda_2", "v.blk.23.ls2.weight"),
        (InternVl, "model.multi_modal_projector.linear_2.weight", "mm.model.mlp.3.weight"),
        (Llava, "vision_tower.vision_model.encoder.layers.0.mlp.fc1.weight", "v.blk.0.ffn_up.weight"),
        (Llava, "vision_tower.vision_model.head.attention.in_proj_weight", None),
        (Llava, "multi_modal_projector.linear_1.bias", "mm.0.bias"),
    ],
)
def test_names_of_image_weights(family: Any, name: str, expected: str | None) -> None:
    part, rest = part_of(name)

    assert translate(family.tower if part == "tower" else family.connector, rest) == expected
