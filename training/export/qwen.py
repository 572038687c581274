"""Qwen2-VL, Qwen2.5-VL and Qwen3-VL: towers that take photos of any size, patches merged two by two."""

from __future__ import annotations

import math
from collections.abc import Iterator

import gguf

from training.export.folder import Weights
from training.export.names import Names
from training.export.tower import ImagePart

_WINDOW = 112  # pixels; llama.cpp knows only this one
_ANY_SIZE = 560  # the head must name an image size; llama.cpp does not use it for these towers

_TOWER: Names = {
    "patch_embed.proj": "v.patch_embd",
    "blocks.*.norm1": "v.blk.*.ln1",
    "blocks.*.norm2": "v.blk.*.ln2",
    "blocks.*.attn.qkv": "v.blk.*.attn_qkv",
    "blocks.*.attn.proj": "v.blk.*.attn_out",
}
_MERGER: Names = {"merger.ln_q": "v.post_ln", "merger.mlp.0": "mm.0", "merger.mlp.2": "mm.2"}
_NONE: Names = {}  # the merger lies inside the tower


class _Qwen(ImagePart):
    connector = _NONE
    split = True  # q, k, v apart

    @property
    def layers(self) -> int:
        return int(self.vision["depth"])

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        width, hidden, heads = (int(self.vision[key]) for key in ("hidden_size", "intermediate_size", "num_heads"))
        return _ANY_SIZE, self.side("patch_size"), width, hidden, heads

    @property
    def epsilon(self) -> float:
        """Written in transformers' code, not in its settings."""
        return 1e-6

    def check(self) -> None:
        """See ImagePart."""
        super().check()
        self.need(self.vision["temporal_patch_size"] == 2, "takes another number of video frames than two")
        self.need(self.vision["spatial_merge_size"] == 2, "merges another number of patches than 2 x 2")
        self.need(self.vision.get("rope_parameters", {}).get("rope_theta", 1e4) == 1e4, "turns its positions in another way")

    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """See ImagePart."""
        keys.add_vision_spatial_merge_size(self.vision["spatial_merge_size"])

    def change(self, new: str, weights: Weights) -> Iterator[tuple[str, Weights]]:
        """See ImagePart. A photo is a video of two equal frames: two kernels, whose results are added."""
        if new == "v.patch_embd.weight":
            yield new, weights[:, :, 0]
            yield new + ".1", weights[:, :, 1]
        elif self.split and ".attn_qkv." in new:
            for letter, third in zip("qkv", weights.reshape(3, -1, *weights.shape[1:]), strict=True):
                yield new.replace("attn_qkv", f"attn_{letter}"), third
        else:
            yield new, weights


class Qwen2Vl(_Qwen):
    """LayerNorm, all patches see all."""

    projector = gguf.VisionProjectorType.QWEN2VL
    tower = _TOWER | _MERGER | {"blocks.*.mlp.fc1": "v.blk.*.ffn_up", "blocks.*.mlp.fc2": "v.blk.*.ffn_down"}

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """See ImagePart."""
        width = int(self.vision["embed_dim"])
        return _ANY_SIZE, self.side("patch_size"), width, int(width * self.vision["mlp_ratio"]), int(self.vision["num_heads"])


class Qwen25Vl(_Qwen):
    """RMSNorm; patches see their window, in every n-th layer all."""

    projector = gguf.VisionProjectorType.QWEN25VL
    tower = _TOWER | _MERGER | {f"blocks.*.mlp.{word}_proj": f"v.blk.*.ffn_{word}" for word in ("gate", "up", "down")}

    def check(self) -> None:
        """See ImagePart."""
        super().check()
        full, step = list(self.vision["fullatt_block_indexes"]), self._step
        self.need(self.vision["window_size"] == _WINDOW, f"has windows of {self.vision['window_size']} pixels")
        self.need(
            full == list(range(step - 1, self.layers, step)), f"sees everything in the layers {full}, not in every {step}th"
        )

    @property
    def _step(self) -> int:
        full = self.vision["fullatt_block_indexes"]
        return int(full[0]) + 1 if full else self.layers + 1

    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """See ImagePart."""
        super().add_own_keys(keys)
        keys.add_vision_n_wa_pattern(self._step)


class Qwen3Vl(_Qwen):
    """A table of positions, scaled to the photo; some layers also feed the first layers of the text model (deepstack)."""

    projector = gguf.VisionProjectorType.QWEN3VL
    split = False
    tower = _TOWER | {
        "pos_embed": "v.position_embd",
        "blocks.*.mlp.linear_fc1": "v.blk.*.ffn_up",
        "blocks.*.mlp.linear_fc2": "v.blk.*.ffn_down",
        "merger.norm": "v.post_ln",
        "merger.linear_fc1": "mm.0",
        "merger.linear_fc2": "mm.2",
        "deepstack_merger_list.*.norm": "v.deepstack.*.norm",
        "deepstack_merger_list.*.linear_fc1": "v.deepstack.*.fc1",
        "deepstack_merger_list.*.linear_fc2": "v.deepstack.*.fc2",
    }

    @property
    def shape(self) -> tuple[int, int, int, int, int]:
        """See ImagePart. The image size is the one at which the table of positions fits as it is."""
        _, *rest = super().shape
        table = int(self.vision["num_position_embeddings"])
        self.need(math.isqrt(table) ** 2 == table, "has a table of positions that is not square")
        patch, width, hidden, heads = rest
        return math.isqrt(table) * patch, patch, width, hidden, heads

    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """See ImagePart."""
        super().add_own_keys(keys)
        keys.add_vision_is_deepstack_layers([layer in self.vision["deepstack_visual_indexes"] for layer in range(self.layers)])

    def change(self, new: str, weights: Weights) -> Iterator[tuple[str, Weights]]:
        """See ImagePart. transformers counts the deepstack mergers, llama.cpp names them by the layer that they read."""
        head, dot, rest = new.partition("v.deepstack.")
        if dot:
            number, _, rest = rest.partition(".")
            new = f"{head}{dot}{self.vision['deepstack_visual_indexes'][int(number)]}.{rest}"
        yield from super().change(new, weights)
