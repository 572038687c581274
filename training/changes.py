"""What was changed in run.toml between one start and the next, in sentences.

With every checkpoint and every finished stage lie the settings with which they were made. Settings that make no difference to the
numbers may change at will. Most others may change too, because that is what an alert asks for (a lower learning rate); then the run
goes on from its checkpoint, and it is said that it is no longer the run that an unbroken one would have been. A few cannot change:
the weights of the checkpoint would not fit.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from georapp.run_settings import RunConfig
from training.work import ALBUM, HARD

MISSING = "missing"  # a base model that is not there: loading it will say so
FILE = "settings.json"  # in a checkpoint

FREE = frozenset({"probe_every", "save_every", "probe_photos"})  # nothing that is trained depends on these
FREE_MODEL = frozenset({"checkpointing"})  # gradient checkpointing computes the same twice
FIXED = frozenset({"model.base", "model.profile", "model.method", "model.lora_rank", "model.lora_alpha", "model.freeze_vision"})


def record(config: RunConfig, stage: str, *, rows: str = "", config_sha256: str = "") -> dict[str, Any]:
    """What a checkpoint or a finished stage remembers. `rows`: `examples.digest` of what it is trained on."""
    return {"config": config_sha256, "rows": rows, "settings": settings_of(config, stage)}


def settings_of(config: RunConfig, stage: str) -> dict[str, Any]:
    """The settings on which the numbers of a stage depend, by name: "model.lora_rank"."""
    sections = (
        {"model": config.model, stage: getattr(config, stage)} if stage not in (ALBUM, HARD) else {stage: getattr(config, stage)}
    )
    found: dict[str, Any] = {"seed": config.seed}
    for name, section in sections.items():
        left_out = FREE | FREE_MODEL if name == "model" else FREE
        found |= {
            f"{name}.{f.name}": getattr(section, f.name)
            for f in dataclasses.fields(section)
            if f.metadata and f.name not in left_out
        }
    if "model.base" in found:
        found["model.base"] = _identity(Path(config.model.base))
    plain: dict[str, Any] = json.loads(json.dumps(found))  # tuples as JSON has them, so that both sides compare
    return plain


def _identity(model: Path) -> str:
    """What tells one base model from another, wherever it lies: its settings, and the sizes of its weights."""
    try:
        weights = sorted((path.name, path.stat().st_size) for path in model.glob("*.safetensors"))
        return hashlib.sha256((model / "config.json").read_bytes() + repr(weights).encode()).hexdigest()
    except OSError:
        return MISSING


def write(record: Mapping[str, Any], folder: Path) -> None:
    """Into a checkpoint that is not sealed yet. Raises OSError."""
    (folder / FILE).write_text(json.dumps(record, indent=1), encoding="utf-8")


def read(folder: Path) -> dict[str, Any]:
    """Of a checkpoint; empty when it has none or a damaged one."""
    try:
        found = json.loads((folder / FILE).read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def since(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """Sentences about every difference between two records that changes the numbers. Raises RunError for what does not fit."""
    then, settings = before.get("settings", {}), now["settings"]
    changed = {
        name: (then[name], value)
        for name, value in settings.items()
        if name in then and then[name] != value and MISSING not in (then[name], value)
    }
    if unfit := [name for name in changed if name in FIXED]:
        raise RunError(
            f"{_said(unfit[0], *changed[unfit[0]])} But this run's checkpoints were made with the first.",
            hint="Change it back, or make a new run.",
        )
    said = [_said(name, old, new) for name, (old, new) in changed.items()]
    if before.get("rows") and now["rows"] and before["rows"] != now["rows"]:
        said.append("The photos, or their order, are not the same as before.")
    return tuple(said)


def _said(name: str, old: Any, new: Any) -> str:
    if name == "model.base":
        return "model.base names another model than before."
    return f"{name} was changed from {old!r} to {new!r}."
