"""Reads the head of a safetensors file: names, types and shapes of its weights, never the weights. Standard library only."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from georapp.errors import RunError

MAX_HEAD = 32 << 20  # bytes; that of a model with 8 billion parameters has 0.1 MB
MAX_WEIGHTS = 200_000
MAX_SIDE = 1 << 40
SIZES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2}  # bytes of a number, of types in which a model can be trained
_COPY = "Copy the model folder again, with all its safetensors files."


@dataclass(frozen=True, slots=True)
class Weight:
    """One weight. `type` as the file writes it: "BF16"."""

    type: str
    shape: tuple[int, ...]

    @property
    def count(self) -> int:
        """Of its numbers."""
        return math.prod(self.shape)


class _Damaged(Exception):
    """Why a head cannot be believed, as a part of a sentence."""


def read(path: Path) -> dict[str, Weight]:
    """Weights by name. Raises RunError for a file that is missing, cut off or damaged."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            return _read(file, size)
    except OSError as error:
        raise RunError(f"The weights {path} cannot be read: {(error.strerror or str(error)).lower()}.", hint=_COPY) from error
    except _Damaged as error:
        raise RunError(f"The weights {path} cannot be used: {error}.", hint=_COPY) from error


def _read(file: BinaryIO, size: int) -> dict[str, Weight]:
    length = int.from_bytes(file.read(8), "little")
    if size < 8 or length > MAX_HEAD or length + 8 > size:
        raise _Damaged("it is no safetensors file, or was cut off")
    try:
        data = json.loads(file.read(length))
    except (ValueError, RecursionError) as error:
        raise _Damaged("its head is damaged") from error
    if not isinstance(data, dict) or len(data) > MAX_WEIGHTS:
        raise _Damaged("its head is damaged")
    data.pop("__metadata__", None)
    _check_end(max((_end(entry) for entry in data.values()), default=0) + 8 + length, size)
    return {name: _weight(name, entry) for name, entry in data.items()}


def _check_end(promised: int, size: int) -> None:
    if promised > size:
        raise _Damaged(f"it was cut off: {size:,} of {promised:,} bytes are there")


def _end(entry: Any) -> int:
    """Of the bytes of a weight."""
    offsets = entry.get("data_offsets") if isinstance(entry, dict) else None
    if not (isinstance(offsets, list) and len(offsets) == 2 and _whole(offsets) and offsets[0] <= offsets[1]):
        raise _Damaged("its head is damaged")
    return int(offsets[1])


def _weight(name: str, entry: dict[str, Any]) -> Weight:
    kind, shape = entry.get("dtype"), entry.get("shape")
    if not (isinstance(kind, str) and isinstance(shape, list) and len(shape) <= 8 and _whole(shape)):
        raise _Damaged(f"its head is damaged at {name[:200]!r}")
    weight, (start, end) = Weight(kind, tuple(shape)), entry["data_offsets"]
    if kind in SIZES and weight.count * SIZES[kind] != end - start:
        raise _Damaged(f"its head is damaged at {name[:200]!r}")
    return weight


def _whole(numbers: list[Any]) -> bool:
    return all(type(number) is int and 0 <= number <= MAX_SIDE for number in numbers)
