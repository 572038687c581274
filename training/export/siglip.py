"""SigLIP towers: SmolVLM and Idefics3 (pixel shuffle, one matrix), LLaVA (two matrices)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import gguf

from georapp.errors import ModelError
from training.export.folder import Weights, read_json
from training.export.names import Names, layer_of
from training.export.tower import ImagePart

_TOWER: Names = {
    "embeddings.patch_embedding": "v.patch_embd",
    "embeddings.position_embedding": "v.position_embd",
    "embeddings.position_ids": None,  # 0, 1, 2, ...
    "encoder.layers.*.layer_norm1": "v.blk.*.ln1",
    "encoder.layers.*.layer_norm2": "v.blk.*.ln2",
    "encoder.layers.*.self_attn.q_proj": "v.blk.*.attn_q",
    "encoder.layers.*.self_attn.k_proj": "v.blk.*.attn_k",
    "encoder.layers.*.self_attn.v_proj": "v.blk.*.attn_v",
    "encoder.layers.*.self_attn.out_proj": "v.blk.*.attn_out",
    "encoder.layers.*.mlp.fc1": "v.blk.*.ffn_up",
    "encoder.layers.*.mlp.fc2": "v.blk.*.ffn_down",
    "post_layernorm": "v.post_ln",
}
_POOLING: Names = dict.fromkeys(  # SigLIP's own summary of a picture, which no language model reads
    (
        "head.probe",
        "head.attention.in_proj_weight",
        "head.attention.in_proj_bias",
        "head.attention.out_proj",
        "head.layernorm",
        "head.mlp.fc1",
        "head.mlp.fc2",
    )
)
_TWO_LINES = "\u010a\u010a"  # as byte-level vocabularies write it
_SHUFFLE: Names = {"modality_projection.proj": "mm.model.fc"}
_TWO_MATRICES: Names = {"linear_1": "mm.0", "linear_2": "mm.2"}


class _Siglip(ImagePart):
    @property
    def layers(self) -> int:
        return int(self.vision["num_hidden_layers"])

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        width, hidden, heads = (int(self.vision[key]) for key in ("hidden_size", "intermediate_size", "num_attention_heads"))
        return self.side("image_size"), self.side("patch_size"), width, hidden, heads

    @property
    def epsilon(self) -> float:
        return float(self.vision["layer_norm_eps"])


class Idefics3(_Siglip):
    """llama.cpp always cuts a photo into tiles and adds an overview, as do_image_splitting does it."""

    projector = gguf.VisionProjectorType.IDEFICS3
    tower = _TOWER
    connector = _SHUFFLE

    def check(self) -> None:
        """See ImagePart."""
        super().check()
        image, patch, *_ = self.shape
        self.need(image // patch % self.model.config["scale_factor"] == 0, "has patches that do not fill its tiles")
        self.need(
            self.model.pixels.get("do_image_splitting") is True,
            "was trained without splitting photos into tiles, llama.cpp always splits",
        )
        tile, longest = (self._edge(name) for name in ("max_image_size", "size"))
        self.need(tile == image, "has tiles of another size than its tower")
        self.need(
            longest > tile and longest % tile == 0, f"scales photos to {longest} pixels, not to two or more tiles of {tile}"
        )
        words = read_json(self.model.path / "tokenizer.json").get("model", {}).get("vocab", {})
        self.need(
            _TWO_LINES in words, "belongs to a tokenizer without a word for two line ends, which llama.cpp puts between tiles"
        )

    def _edge(self, name: str) -> int:
        size: Any = self.setting(self.model.pixels, name)
        return int(str(self.setting(size, "longest_edge")))

    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """See ImagePart."""
        keys.add_vision_projector_scale_factor(self.model.config["scale_factor"])
        keys.add_vision_preproc_image_size(self._edge("size"))


class Llava(_Siglip):
    """One square photo. The projector may read an earlier layer: later ones are not written, the last norm never."""

    projector = "mlp"
    tower = _TOWER | _POOLING | {"post_layernorm": None}
    connector = _TWO_MATRICES

    @property
    def layers(self) -> int:
        """Those up to the one that is read: vision_feature_layer counts the input as layer 0."""
        layer = self.model.config["vision_feature_layer"]
        if not isinstance(layer, int):
            raise ModelError("The image part reads several layers of its tower; this cannot be exported.")
        return layer if layer >= 0 else int(self.vision["num_hidden_layers"]) + 1 + layer

    def check(self) -> None:
        """See ImagePart. llama.cpp shifts the patches of a tower with a class token (CLIP) by one: a known fault of its LLaVA graph."""
        config = self.model.config
        self.need(
            self.vision["model_type"].startswith("siglip"), "has a tower with a class token (CLIP), which llama.cpp reads wrongly"
        )
        super().check()
        self.need(config.get("vision_feature_select_strategy") == "full", "drops its first patch")
        self.need(config.get("projector_hidden_act") == "gelu", f"computes with {config.get('projector_hidden_act')}")
        self.need(config.get("multimodal_projector_bias") is True, "has a projector without biases")

    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """See ImagePart. Without the layer llama.cpp would leave out the last one that is written."""
        keys.add_array("clip.vision.feature_layer", [self.layers])

    def change(self, new: str, weights: Weights) -> Iterator[tuple[str, Weights]]:
        """See ImagePart."""
        layer = layer_of(new) if new.startswith("v.blk.") else None
        if layer is None or layer < self.layers:
            yield new, weights
