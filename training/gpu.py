"""What the GPU of this process says of itself after a step: memory and heat. Nothing where there is no GPU, no driver, or no NVML.

CUDA knows how much this process took at most, NVML how hot the card is. A card is found by its UUID: CUDA_VISIBLE_DEVICES and NVML
count differently.
"""

from __future__ import annotations

import importlib
from typing import Any

import torch

MEMORY, TEMPERATURE = "gpu_memory_gb", "gpu_temperature_c"  # names of values of a step
_GB = 1e9


class Gauge:
    """Of one card; the handle is kept, because finding a card takes longer than asking it. A card that fails once is not asked again."""

    def __init__(self, library: Any, uuid: str) -> None:
        """`library`: the module pynvml, or None."""
        self._library, self._handle = library, None
        if library is None:
            return
        try:
            library.nvmlInit()
            self._handle = library.nvmlDeviceGetHandleByUUID(uuid)
        except library.NVMLError:  # no driver, or one that does not know this card (a part of one, for example)
            self._library = None

    def celsius(self) -> float | None:
        """How hot the card is. None when it does not say."""
        if self._library is None:
            return None
        try:
            return float(self._library.nvmlDeviceGetTemperature(self._handle, self._library.NVML_TEMPERATURE_GPU))
        except self._library.NVMLError:
            self._library = None
            return None


class Gpu:
    """The card on which this process trains. `values` after every step."""

    def __init__(self) -> None:
        self._there = torch.cuda.is_available()
        self._gauge = Gauge(_nvml(), _uuid()) if self._there else None

    def values(self) -> dict[str, float]:
        """The most memory that tensors took since the last call, and the temperature now: what is known of both."""
        if not self._there:
            return {}
        found = {MEMORY: torch.cuda.max_memory_allocated() / _GB}
        torch.cuda.reset_peak_memory_stats()
        celsius = self._gauge.celsius() if self._gauge else None
        return found if celsius is None else found | {TEMPERATURE: celsius}


def _nvml() -> Any:
    try:
        return importlib.import_module("pynvml")
    except ImportError:
        return None


def _uuid() -> str:
    """As NVML writes it. "" where torch does not know."""
    found = getattr(torch.cuda.get_device_properties(torch.cuda.current_device()), "uuid", None)
    return f"GPU-{found}" if found else ""
