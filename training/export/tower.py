"""What the image parts of all families have in common: the keys of the head, and names that come from two tables."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from typing import ClassVar

import gguf

from georapp.errors import ModelError
from training.export.folder import ModelFolder, Settings, Weights
from training.export.names import Names, part_of, translate

_ACTIVATIONS = {"gelu_pytorch_tanh": "gelu", "gelu": "gelu", "silu": "silu", "quick_gelu": "quick_gelu"}


class ImagePart(ABC):
    """One family's image part. Subclasses name their weights and read their settings; `check` refuses what llama.cpp gets wrong.

    llama.cpp has one GELU, the tanh form from a table of 16-bit values; a tower with the exact form differs by up to 0.001 a value.
    """

    projector: ClassVar[str]  # clip.projector_type
    tower: ClassVar[Names]
    connector: ClassVar[Names]

    def __init__(self, model: ModelFolder) -> None:
        self.model, self.vision = model, model.vision

    @property
    @abstractmethod
    def layers(self) -> int:
        """Layers of the tower that are written."""

    @property
    @abstractmethod
    def shape(self) -> tuple[int, int, int, int, int]:
        """Image side, patch side, width, width inside a layer, heads."""

    @property
    @abstractmethod
    def epsilon(self) -> float:
        """Of the tower's norms."""

    @abstractmethod
    def add_own_keys(self, keys: gguf.GGUFWriter) -> None:
        """Keys that only this family has."""

    def check(self) -> None:
        """Raises ModelError for a variant that llama.cpp would compute wrongly."""
        _image, _patch, width, hidden, _heads = self.shape
        if width == hidden:
            raise ModelError(
                "The image tower is as wide inside its layers as between them; llama.cpp would swap two weights of each."
            )
        self.need(self.vision.get("num_channels", self.vision.get("in_channels", 3)) == 3, "takes no RGB pixels")

    def need(self, right: bool, what: str) -> None:
        """Raises ModelError("The image part <what>...") unless `right`."""
        if not right:
            raise ModelError(f"The image part of this {self.model.kind} model {what}; this cannot be exported.")

    def setting(self, source: Settings, name: str) -> object:
        """A setting that must be there. Raises ModelError."""
        if source.get(name) is None:
            raise ModelError(
                f"{self.model.path} does not say {name} for its image part.", hint="Is preprocessor_config.json missing?"
            )
        return source[name]

    def side(self, name: str) -> int:
        """image_size or patch_size, which must be square: a number or a list of equal numbers."""
        value = self.vision[name]
        sides = set(value) if isinstance(value, list | tuple) else {value}
        self.need(len(sides) == 1, f"is not square ({name})")
        return int(sides.pop())

    def add_keys(self, keys: gguf.GGUFWriter) -> None:
        """Everything that llama.cpp must know beside the weights."""
        image, patch, width, hidden, heads = self.shape
        keys.add_clip_has_vision_encoder(True)
        keys.add_clip_projector_type(self.projector)
        keys.add_vision_projection_dim(self.model.text["hidden_size"])
        keys.add_vision_image_size(image)
        keys.add_vision_patch_size(patch)
        keys.add_vision_embedding_length(width)
        keys.add_vision_feed_forward_length(hidden)
        keys.add_vision_block_count(self.layers)
        keys.add_vision_head_count(heads)
        keys.add_vision_attention_layernorm_eps(self.epsilon)
        for name, add in (("image_mean", keys.add_vision_image_mean), ("image_std", keys.add_vision_image_std)):
            values = self.setting(self.model.pixels, name)
            self.need(isinstance(values, list) and len(values) == 3, f"has an odd {name}")
            add(values)  # type: ignore[arg-type]
        self._add_activation(keys)
        self.add_own_keys(keys)

    def _add_activation(self, keys: gguf.GGUFWriter) -> None:
        activation = _ACTIVATIONS.get(str(self.vision.get("hidden_act")))
        self.need(activation is not None, f"computes with {self.vision.get('hidden_act')}")
        if activation == "gelu":
            keys.add_vision_use_gelu(True)
        elif activation == "silu":
            keys.add_vision_use_silu(True)  # neither key: quick_gelu

    def rename(self, name: str, weights: Weights) -> Iterator[tuple[str, Weights]]:
        """The GGUF weights that one weight of the folder becomes: none, one or several. Raises ModelError for an unknown one."""
        part, rest = part_of(name)
        new = translate(self.tower if part == "tower" else self.connector, rest)
        if new is not None:
            yield from self.change(new, weights)

    def change(self, new: str, weights: Weights) -> Iterator[tuple[str, Weights]]:
        """Where a family keeps its numbers in another order than llama.cpp."""
        yield new, weights

    def is_exact(self, new: str) -> bool:
        """Weights that stay float32: small, and added once to everything that follows."""
        return "position_embd" in new or "class_embd" in new
