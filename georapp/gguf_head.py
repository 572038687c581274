"""Reads and checks the head of a GGUF file before llama.cpp is let near it. Standard library only.

llama.cpp answers many damaged files with abort(): the process is gone. So everything that a head promises is held here against
hard limits and against the size of the file. What this cannot see are wrong numbers inside the weights, and heads that are well
formed but describe a model that cannot be; therefore inference runs in a process of its own all the same.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO

from georapp.errors import ModelError

MAX_ENTRIES = 65_536  # keys, and tensors
MAX_STRING = 64 << 20  # bytes
MAX_LIST = 16 << 20  # entries
MAX_ALIGNMENT = 1 << 20
MAX_NAME = 63  # GGML_MAX_NAME - 1
MAX_LAYERS = 512
KEPT_ENTRIES = 64  # longer lists (vocabularies) are walked over and only their length is kept
PAIR_KEY = "georapp.pair"  # the same random id in a text model and its image part

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _LIST = 8, 9
_TYPES = {  # ggml type: (name, weights in a block, bytes of a block)
    0: ("F32", 1, 4), 1: ("F16", 1, 2), 2: ("Q4_0", 32, 18), 3: ("Q4_1", 32, 20), 6: ("Q5_0", 32, 22), 7: ("Q5_1", 32, 24),
    8: ("Q8_0", 32, 34), 10: ("Q2_K", 256, 84), 11: ("Q3_K", 256, 110), 12: ("Q4_K", 256, 144), 13: ("Q5_K", 256, 176),
    14: ("Q6_K", 256, 210), 16: ("IQ2_XXS", 256, 66), 17: ("IQ2_XS", 256, 74), 18: ("IQ3_XXS", 256, 98), 19: ("IQ1_S", 256, 50),
    20: ("IQ4_NL", 32, 18), 21: ("IQ3_S", 256, 110), 22: ("IQ2_S", 256, 82), 23: ("IQ4_XS", 256, 136), 24: ("I8", 1, 1),
    25: ("I16", 1, 2), 26: ("I32", 1, 4), 27: ("I64", 1, 8), 28: ("F64", 1, 8), 29: ("IQ1_M", 256, 56), 30: ("BF16", 1, 2),
}  # fmt: skip

Value = int | float | bool | str | list["Value"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """One weight as the head announces it; shape in GGUF order (fastest dimension first), sizes in bytes."""

    type: str
    shape: tuple[int, ...]
    offset: int
    size: int


@dataclass(frozen=True, slots=True)
class Head:
    """A head that was read and checked. Lists longer than KEPT_ENTRIES stand in `keys` as their length."""

    path: Path
    size: int
    keys: dict[str, Value] = field(default_factory=dict)
    tensors: dict[str, Tensor] = field(default_factory=dict)

    @property
    def architecture(self) -> str:
        """ "llama", "qwen2vl", ...; "clip" for every image part."""
        return str(self.keys.get("general.architecture", ""))

    @property
    def kind(self) -> str:
        """ "model", "mmproj" or "adapter"."""
        return str(self.keys.get("general.type") or ("mmproj" if self.architecture == "clip" else "model"))

    @property
    def pair(self) -> str | None:
        """The id that a text model shares with its image part, if the files carry one."""
        value = self.keys.get(PAIR_KEY)
        return value if isinstance(value, str) else None

    @property
    def projector(self) -> str:
        """How the image part joins the text model: "idefics3", "qwen2.5vl_merger", ...; empty for a text model."""
        return str(self.keys.get("clip.projector_type") or self.keys.get("clip.vision.projector_type") or "")

    @property
    def quantisation(self) -> str:
        """The type that holds most of the bytes; the file's own word (general.file_type) is often wrong."""
        total: dict[str, int] = {}
        for tensor in self.tensors.values():
            total[tensor.type] = total.get(tensor.type, 0) + tensor.size
        return max(total, key=total.__getitem__) if total else "none"

    @property
    def parameters(self) -> int:
        """Number of weights."""
        return sum(math.prod(tensor.shape) for tensor in self.tensors.values())

    def number(self, key: str) -> int:
        """An integer of this architecture, for example number("block_count"); 0 where it is missing, the largest of a list."""
        value = self.keys.get(f"{self.architecture}.{key}", 0)
        if isinstance(value, list):
            value = max((entry for entry in value if isinstance(entry, int)), default=0)
        return value if isinstance(value, int) else 0

    @property
    def width(self) -> int:
        """Length of the vectors that the text model takes, or that the image part gives."""
        return self.number("vision.projection_dim" if self.architecture == "clip" else "embedding_length")


class _Damaged(Exception):
    """Why a head cannot be believed; becomes a ModelError that names the file."""


def read(path: Path) -> Head:
    """Read and check the head of a GGUF file. Raises ModelError with the reason."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = _read(_Reader(file, size), path, size)
        _check(head)
    except OSError as error:
        raise ModelError(f"{path} cannot be opened: {(error.strerror or str(error)).lower()}.") from error
    except _Damaged as error:
        raise ModelError(f"{path.name} cannot be used as a model: {error}", hint="Copy or download the file again.") from error
    return head


def check_pair(model: Head, image: Head) -> None:
    """Raises ModelError unless the two can belong together."""
    if model.kind != "model":
        raise ModelError(
            f"{model.path.name} is no text model but of kind {model.kind}.",
            hint="Name the text model first, then its mmproj file.",
        )
    if image.kind != "mmproj":
        raise ModelError(
            f"{image.path.name} is no image part (mmproj) but of kind {image.kind}.",
            hint="The image part is usually called mmproj-….gguf.",
        )
    apart = f"{model.path.name} and {image.path.name} do not belong together: "
    if (model.pair or image.pair) and model.pair != image.pair:
        raise ModelError(apart + "they were not made together.", hint="Use the mmproj file that came with the model.")
    if image.width and model.width and image.width % model.width:  # the projector of Qwen3-VL gives a multiple
        raise ModelError(
            apart + f"the image part gives vectors of {image.width}, the model takes {model.width}.",
            hint="Use the mmproj file that came with the model.",
        )


class _Reader:
    """Takes bytes from a file and never more than there are."""

    def __init__(self, file: BinaryIO, size: int) -> None:
        self.file, self.left = file, size

    def take(self, count: int) -> bytes:
        self._spend(count)
        return self.file.read(count)

    def skip(self, count: int) -> None:
        self._spend(count)
        self.file.seek(count, 1)

    def _spend(self, count: int) -> None:
        if count > self.left:
            raise _Damaged("it ends in the middle of its head.")
        self.left -= count

    def integer(self, code: str) -> int:
        return int(struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0])

    def scalar(self, kind: int) -> int | float | bool:
        code = _SCALARS[kind]
        value: int | float | bool = struct.unpack("<" + code, self.take(struct.calcsize("<" + code)))[0]
        return value

    def length(self, limit: int) -> int:
        length = self.integer("Q")
        if length > limit:
            raise _Damaged(f"a text in its head claims {length} bytes.")
        return length

    def string(self, limit: int = MAX_STRING) -> str:
        try:
            return self.take(self.length(limit)).decode("utf-8")
        except UnicodeDecodeError:
            raise _Damaged("a text in its head is not UTF-8.") from None

    def value(self, kind: int) -> Value:
        if kind == _STRING:
            return self.string()
        if kind in _SCALARS:
            return self.scalar(kind)
        if kind != _LIST:
            raise _Damaged(f"a value in its head has the unknown type {kind}.")
        return self.list()

    def list(self) -> Value:
        kind, count = self.integer("I"), self.integer("Q")
        if count > MAX_LIST:
            raise _Damaged(f"a list in its head claims {count} entries.")
        if kind != _STRING and kind not in _SCALARS:
            raise _Damaged(f"a list in its head has the unknown type {kind}.")
        if count <= KEPT_ENTRIES:
            return [self.value(kind) for _ in range(count)]
        if kind == _STRING:
            for _ in range(count):
                self.skip(self.length(MAX_STRING))
        else:
            self.skip(count * struct.calcsize("<" + _SCALARS[kind]))
        return count


def _read(reader: _Reader, path: Path, size: int) -> Head:
    if size < 24 or reader.take(4) != b"GGUF":
        raise _Damaged("it is not a GGUF file.")
    version = reader.integer("I")
    if version not in (2, 3):
        raise _Damaged(f"GGUF version {version} is not supported.")
    n_tensors, n_keys = reader.integer("Q"), reader.integer("Q")
    if n_tensors > MAX_ENTRIES or n_keys > MAX_ENTRIES:
        raise _Damaged(f"its head claims {n_tensors} weights and {n_keys} keys.")
    keys: dict[str, Value] = {}
    for _ in range(n_keys):
        key = reader.string(65_535)
        if key in keys:
            raise _Damaged(f"the key {key!r} occurs twice.")
        keys[key] = reader.value(reader.integer("I"))
    alignment = _alignment(keys)
    tensors: dict[str, Tensor] = {}
    for _ in range(n_tensors):
        name, tensor = _tensor(reader, alignment)
        if name in tensors:
            raise _Damaged(f"the weight {name!r} occurs twice.")
        tensors[name] = tensor
    start = size - reader.left
    _check_layout(tensors, start + -start % alignment, size)
    return Head(path, size, keys, tensors)


def _alignment(keys: dict[str, Value]) -> int:
    alignment = keys.get("general.alignment", 32)
    if not isinstance(alignment, int) or not 8 <= alignment <= MAX_ALIGNMENT or alignment & (alignment - 1):
        raise _Damaged(f"the alignment {alignment!r} is not possible.")
    return alignment


def _tensor(reader: _Reader, alignment: int) -> tuple[str, Tensor]:
    name = reader.string(MAX_NAME)
    dimensions = reader.integer("I")
    if not 1 <= dimensions <= 4:
        raise _Damaged(f"the weight {name!r} has {dimensions} dimensions.")
    shape = tuple(reader.integer("Q") for _ in range(dimensions))
    kind, offset = reader.integer("I"), reader.integer("Q")
    if kind not in _TYPES:
        raise _Damaged(f"the weight {name!r} has the unknown type {kind}.")
    word, per_block, block_bytes = _TYPES[kind]
    if min(shape) < 1 or max(shape) > 1 << 40 or math.prod(shape) > 1 << 42 or shape[0] % per_block:
        raise _Damaged(f"the weight {name!r} has the impossible shape {shape}.")
    if offset % alignment:
        raise _Damaged(f"the weight {name!r} is not aligned.")
    return name, Tensor(word, shape, offset, math.prod(shape) // per_block * block_bytes)


def _check_layout(tensors: dict[str, Tensor], start: int, size: int) -> None:
    end = 0
    for name, tensor in sorted(tensors.items(), key=lambda entry: (entry[1].offset, entry[1].size)):
        if tensor.offset < end:
            raise _Damaged(f"the weight {name!r} overlaps another one.")
        end = tensor.offset + tensor.size
        if start + end > size:
            raise _Damaged(f"it is cut off: {start + end - size} bytes of {name!r} or later are missing.")


def _check(head: Head) -> None:
    """What a well-formed head can still say to make llama.cpp abort or eat the memory."""
    if not head.architecture:
        raise _Damaged("it does not say what model it is.")
    if not head.tensors:
        raise _Damaged("it holds no weights.")
    if head.kind == "adapter":
        return
    prefix = "vision." if head.architecture == "clip" else ""
    layers, width, heads = (head.number(prefix + key) for key in ("block_count", "embedding_length", "attention.head_count"))
    if not 1 <= layers <= MAX_LAYERS or not 1 <= width <= 1 << 17 or not 1 <= heads <= 1024:
        raise _Damaged(f"{layers} layers, width {width}, {heads} heads: this is not a possible model.")
    if width % heads and not head.number("attention.key_length"):
        raise _Damaged(f"{heads} heads do not divide the width {width}.")
    if head.architecture == "clip":
        _check_vision(head)


# Towers with one image size; each check below was an abort without it.
_ONE_SIZE = {"idefics3", "internvl", "mlp", "gemma3", "janus_pro"}
_NEEDED = {"qwen3vl_merger": "v.position_embd.weight", "internvl": "v.class_embd"}  # weights that llama.cpp uses without looking


def _check_vision(head: Head) -> None:
    image, patch, merge = (head.number("vision." + key) for key in ("image_size", "patch_size", "projector.scale_factor"))
    if not 1 <= patch <= image <= 8192:
        raise _Damaged(f"image size {image} with patches of {patch} is not possible.")
    needed = _NEEDED.get(head.projector)
    if needed and needed not in head.tensors:
        raise _Damaged(f"the weight {needed!r} is missing.")
    weights = head.tensors.get("v.patch_embd.weight")
    if weights and len(weights.shape) == 4 and weights.shape[:2] != (patch, patch):
        raise _Damaged(f"patches of {patch} do not fit weights for {weights.shape[0]} x {weights.shape[1]}.")
    if head.projector not in _ONE_SIZE:
        return
    side = image // patch  # a rest at the edge is cut off, as SigLIP's 384 pixels and patches of 14 need it
    if merge and side % merge:
        raise _Damaged(f"image size {image}, patches of {patch}, merged by {merge}: this leaves a rest.")
    table = head.tensors.get("v.position_embd.weight")
    if table and (len(table.shape) != 2 or table.shape[1] not in (side * side, side * side + 1)):
        raise _Damaged(f"a position table of the shape {table.shape} does not fit {side} x {side} patches.")
