"""Whether a run can be started, and if not, why not: everything that is known before the first hour is spent.

What was not looked at yet is said too. A reason stops a run when training would refuse it, or cannot go well; all else is a warning.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from georapp import runs
from georapp.album_checks import album_reasons
from georapp.base_model import BaseModel
from georapp.chain import folded
from georapp.errors import RunError
from georapp.printable import printable
from georapp.python_checks import python_reasons
from georapp.run_estimate import Hours, Term, disk, hours, steps
from georapp.run_fit import STAGE_WORDS, Reason, Room, disk_reasons, free_gib, memory_reasons, room_of, terms_of
from georapp.run_pace import paces
from georapp.run_presets import PRESETS, differences, preset_for
from georapp.run_settings import RunConfig
from georapp.runs import Run

if TYPE_CHECKING:
    from georapp.album_scan import AlbumSeen
    from georapp.training_python import TrainingPython

__all__ = ["Preflight", "Reason", "check"]


@dataclass(frozen=True, slots=True)
class Preflight:
    """What is known of a run before it starts. Terms are empty, and hours None, as long as they cannot be computed."""

    reasons: tuple[Reason, ...] = ()  # those that stop it first
    memory_sft: tuple[Term, ...] = ()
    memory_grpo: tuple[Term, ...] = ()
    disk: tuple[Term, ...] = ()
    hours: Hours | None = None
    differences: dict[str, tuple[Any, Any]] = field(default_factory=dict)  # "grpo.beta" -> (value, the preset's)
    command: list[str] = field(default_factory=list)
    preset: int = 0  # GB of the preset that `differences` compares with; 0: the defaults, where no card is known
    steps_sft: int = 0  # 0: not done, or not known
    steps_grpo: int = 0  # the most that it can be
    room: Room | None = None  # memory of the card or the computer that will compute; None: nobody was asked
    disk_free_gib: float | None = None

    @property
    def ready(self) -> bool:
        """Nothing stops it."""
        return not any(reason.stops for reason in self.reasons)


def check(
    config: RunConfig,
    *,
    base: BaseModel | RunError | None,
    album: AlbumSeen | None,
    python: TrainingPython | RunError | None,
    parent: Path,
    running: Run | None,
) -> Preflight:
    """`base`, `album` and `python` are None as long as nobody has looked at them. `parent`: where the run will lie.

    Reads what earlier runs in `parent` wrote, and looks whether the sources are there: for another thread than the window's.
    """
    model = base if isinstance(base, BaseModel) else None
    asked = None if isinstance(python, RunError) else python
    room, free = room_of(asked) if asked else None, free_gib(parent)
    photos = album.train if album else 0
    sizes = disk(model, config, train_photos=photos) if model else ()
    time_needed = hours(model, config, train_photos=photos, python=asked, paces=paces(parent, config)) if model else None
    preset = preset_for(room.gib) if room and room.gpu else 0
    reasons = [
        *_model_reasons(config, base),
        *album_reasons(config, album),
        *python_reasons(config, python, time_needed),
        *(memory_reasons(model, config, room) if model and room else ()),
        *(disk_reasons(sizes, config, parent, free) if free is not None else ()),
        *_stage_reasons(config),
        *_running_reasons(running),
    ]
    return Preflight(
        reasons=tuple(sorted(map(_shown, reasons), key=lambda reason: not reason.stops)),
        memory_sft=terms_of(model, config, "sft", room) if model else (),
        memory_grpo=terms_of(model, config, "grpo", room) if model else (),
        disk=sizes,
        hours=time_needed,
        differences=differences(config, PRESETS[preset].config if preset else RunConfig()),
        command=runs.command(folder_of(config, parent), asked.path if asked else "python"),
        preset=preset,
        steps_sft=steps(config, "sft", photos),
        steps_grpo=steps(config, "grpo", photos),
        room=room,
        disk_free_gib=free,
    )


def folder_of(config: RunConfig, parent: Path) -> Path:
    """Where `runs.create` will put a run that is made today, as long as no other one of this name is made before."""
    stem = "-".join([time.strftime("%Y-%m-%d"), *folded(config.name).split()])[:60]
    names = (stem if number == 1 else f"{stem}-{number}" for number in range(1, 1000))
    return next((parent / name for name in names if not (parent / name).exists()), parent / stem)


# ---- reasons ----


def _shown(reason: Reason) -> Reason:
    """Paths and names are strangers' text."""
    return Reason(printable(reason.sentence), printable(reason.hint), reason.stops)


def _model_reasons(config: RunConfig, base: BaseModel | RunError | None) -> Iterator[Reason]:
    if not config.model.base:
        yield Reason("No model is chosen.", "Choose the folder of a vision-language model as Hugging Face lays it out.")
    elif isinstance(base, RunError):
        yield Reason(str(base), base.hint)
    elif base is None:
        yield Reason("The model was not looked at yet.", "Wait until its folder is read.")
    else:
        yield from _folder_reasons(config, base)


def _folder_reasons(config: RunConfig, base: BaseModel) -> Iterator[Reason]:
    if not Path(config.model.base).is_absolute():
        hint = "Write its whole path: a run is started from another folder."
        yield Reason(f"model.base, {config.model.base}, does not say where it begins.", hint)
    if base.no_export and config.export.enabled:
        yield Reason(
            base.no_export, "Choose another model, or set export.enabled = false to train without making a model folder."
        )


def _stage_reasons(config: RunConfig) -> Iterator[Reason]:
    if not (config.sft.enabled or config.grpo.enabled):
        yield Reason("Neither SFT nor GRPO is to be done, so nothing is trained.", "Switch one of them on.")
    elif not config.sft.enabled:
        levels = ", ".join(config.grpo.require_levels) or "coordinates"
        sentence = f"GRPO begins without SFT: answers that lack {levels} earn nothing, and a model that writes none of them learns nothing."
        yield Reason(sentence, "Leave SFT on, unless the model was trained on chains before.", False)
    if not config.export.enabled:
        yield Reason("No model folder is made at the end, so nothing can be opened in this program.", "Switch export on.", False)


def _running_reasons(running: Run | None) -> Iterator[Reason]:
    if running and running.state.alive:
        where = STAGE_WORDS.get(running.stage, running.stage)
        at = f", {where}, step {running.step:,} of {running.total:,}" if running.total else ""
        yield Reason(f"{running.name} is going on{at}.", "This run is put into the queue and starts after it.", False)
