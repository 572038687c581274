"""InternVL as transformers has it (InternViT 300M, or a tower of its kind such as DINOv2): class token, learned positions, tiles."""

from __future__ import annotations

from collections.abc import Iterator

import gguf
import numpy as np

from training.export.folder import Weights
from training.export.names import Names
from training.export.tower import ImagePart

_TOWER: Names = {
    "embeddings.cls_token": "v.class_embd",
    "embeddings.position_embeddings": "v.position_embd.weight",
    "embeddings.patch_embeddings.projection": "v.patch_embd",
    "encoder.layer.*.layernorm_before": "v.blk.*.ln1",
    "encoder.layer.*.layernorm_after": "v.blk.*.ln2",
    "encoder.layer.*.attention.q_proj": "v.blk.*.attn_q",
    "encoder.layer.*.attention.k_proj": "v.blk.*.attn_k",
    "encoder.layer.*.attention.v_proj": "v.blk.*.attn_v",
    "encoder.layer.*.attention.projection_layer": "v.blk.*.attn_out",
    "encoder.layer.*.mlp.fc1": "v.blk.*.ffn_up",
    "encoder.layer.*.mlp.fc2": "v.blk.*.ffn_down",
    "encoder.layer.*.lambda_1": "v.blk.*.ls1.weight",
    "encoder.layer.*.lambda_2": "v.blk.*.ls2.weight",
    "layernorm": "v.post_ln",
}
_CONNECTOR: Names = {"layer_norm": "mm.model.mlp.0", "linear_1": "mm.model.mlp.1", "linear_2": "mm.model.mlp.3"}


class InternVl(ImagePart):
    """llama.cpp appends the class token to the patches, transformers puts it in front: its position is written last."""

    projector = gguf.VisionProjectorType.INTERNVL
    tower = _TOWER
    connector = _CONNECTOR

    @property
    def layers(self) -> int:
        """See ImagePart."""
        return int(self.vision["num_hidden_layers"])

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """See ImagePart."""
        width, hidden, heads = (int(self.vision[key]) for key in ("hidden_size", "intermediate_size", "num_attention_heads"))
        return self.side("image_size"), self.side("patch_size"), width, hidden, heads

    @property
    def epsilon(self) -> float:
        """See ImagePart."""
        return float(self.vision["layer_norm_eps"])

    @property
    def _merge(self) -> int:
        return round(1 / float(self.model.config["downsample_ratio"]))

    def check(self) -> None:
        """See ImagePart. The tower of the largest models (6B: RMSNorm, norms on q and k) was never compared, so it is refused."""
        super().check()
        config, vision = self.model.config, self.vision
        self.need(vision["norm_type"] == "layer_norm" and not vision["use_qk_norm"], "is the 6B tower or one like it")
        self.need(
            vision["use_absolute_position_embeddings"] and not vision["use_mask_token"],
            "has no table of positions, or a mask token",
        )
        self.need(config["vision_feature_layer"] == -1, "reads another layer than the last")
        self.need(config["vision_feature_select_strategy"] == "default", "keeps its class token")
        self.need(config["projector_hidden_act"] == "gelu", f"computes with {config['projector_hidden_act']}")
        image, patch, *_ = self.shape
        self.need(image % (patch * self._merge) == 0, "has patches that do not fill its tiles")

    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """See ImagePart."""
        pixels = self.model.pixels  # InternVL's own processor cuts tiles whatever its image half is told
        tiles = pixels.get("crop_to_patches") or pixels.get("processor_class") == "InternVLProcessor"
        keys.add_vision_projector_scale_factor(self._merge)
        keys.add_vision_preproc_min_tiles(int(pixels.get("min_patches", 1)) if tiles else 1)
        keys.add_vision_preproc_max_tiles(int(pixels.get("max_patches", 12)) if tiles else 1)

    def change(self, new: str, weights: Weights) -> Iterator[tuple[str, Weights]]:
        """See ImagePart."""
        if new == "v.class_embd":
            yield new, weights.reshape(-1)
        elif new == "v.position_embd.weight":
            yield new, np.concatenate([weights[0, 1:], weights[0, :1]])
        else:
            yield new, weights
