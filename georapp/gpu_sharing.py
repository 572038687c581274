"""Whether the model of Locate may stay on the GPU while a training run uses it."""

from __future__ import annotations

from pathlib import Path

from georapp import base_model, gguf_head, models, run_estimate, run_toml
from georapp.errors import GeorappError
from georapp.models import Model
from georapp.run_events import CONFIG

MARGIN = 1.15  # of what a run was computed to need
SPARE_GIB = 4.0  # and for what nobody computed
_STAGES: tuple[run_estimate.Stage, ...] = ("sft", "grpo")


def fits_beside(memory_gib: float, model_gib: float, need_gib: float) -> bool:
    """Whether a GPU has room for a run of this need with a model on it that takes so much."""
    return memory_gib - model_gib >= MARGIN * need_gib + SPARE_GIB


def model_gib(model: Model) -> float:
    """What a model takes when it is loaded. Raises ModelError, OSError."""
    return sum(models.memory_terms(model, gguf_head.read(model.path(model.text))).values()) / 2**30


def need_gib(run: Path) -> float | None:
    """What a run needs of a GPU, at most; None when that cannot be told: its settings or its base model are gone."""
    try:
        config = run_toml.read(run / CONFIG)
        base = base_model.read(Path(config.model.base))
    except GeorappError:
        return None
    used = [stage for stage in _STAGES if getattr(config, stage).enabled]
    return max((run_estimate.total(run_estimate.memory(base, config, stage)) for stage in used), default=0.0)
