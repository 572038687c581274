"""Whether a run fits into the memory of its device and on its disk; if not, which settings help, and how much."""

from __future__ import annotations

import dataclasses
import math
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from georapp.base_model import BaseModel
from georapp.errors import RunError
from georapp.run_estimate import SPARE, Stage, Term, memory, total
from georapp.run_settings import RunConfig
from georapp.run_size import answers_together, with_settings

if TYPE_CHECKING:
    from georapp.training_python import TrainingPython

STAGES: tuple[Stage, ...] = ("sft", "grpo")
STAGE_WORDS: dict[str, str] = {"sft": "SFT", "grpo": "GRPO"}
_GIB = 2**30
_GB = 1e9
_HELPING = 3  # settings that are named
_SHOWN = 0.05  # GiB: less is 0.0


@dataclass(frozen=True, slots=True)
class Reason:
    """A sentence about a run that is not started yet. `stops`: it cannot be started like this; otherwise a warning."""

    sentence: str
    hint: str = ""
    stops: bool = True


@dataclass(frozen=True, slots=True)
class Room:
    """Memory of what is computed on, in GiB. `free`: what other programs leave of it, where that is known."""

    name: str
    gib: float
    free: float | None = None
    gpu: bool = True


def room_of(python: TrainingPython) -> Room | None:
    """Of the first card; of the computer where there is none; None where nobody knows."""
    if python.gpus:
        first = python.gpus[0]
        return Room(first.name, first.memory_gib, first.free_gib)
    return Room("this computer", python.memory_gib, gpu=False) if python.memory_gib else None


# ---- memory ----


def terms_of(base: BaseModel, config: RunConfig, stage: Stage, room: Room | None) -> tuple[Term, ...]:
    """Memory of a stage; nothing for one that is not done. Without a `room`, as on a card."""
    if not (config.sft if stage == "sft" else config.grpo).enabled:
        return ()
    if room is None:
        return memory(base, config, stage)
    if not room.gpu:  # activations are kept then, whatever the setting says
        config = with_settings(config, "model", checkpointing=False)
    return memory(base, config, stage, bf16=room.gpu, gpu_gib=room.gib if room.gpu else 0.0)


def memory_reasons(base: BaseModel, config: RunConfig, room: Room) -> Iterator[Reason]:
    """About the stage that needs more: it does not fit, or only just, or not beside what is there now."""
    needs = {stage: total(terms_of(base, config, stage, room)) for stage in STAGES}
    stage = max(needs, key=needs.__getitem__)
    need = needs[stage]
    if not need:
        return
    what = f"{STAGE_WORDS[stage]} needs about {need:.1f} GiB ({in_words(terms_of(base, config, stage, room))})"
    if need > room.gib:
        yield Reason(f"{what}, and {room.name} has {room.gib:.1f} GiB.", advice(base, config, room))
    elif need * SPARE > room.gib:
        sentence = f"{what}, and {room.name} has {room.gib:.1f} GiB: with 15 % to spare it does not fit."
        yield Reason(sentence, f"If it fails for memory: {advice(base, config, room)}", False)
    elif room.free is not None and need > room.free:
        hint = "Close other programs that use the card, also a model that is loaded for locating."
        yield Reason(f"{what}. {room.name} has {room.gib:.1f} GiB, of which only {room.free:.1f} are free now.", hint, False)


def in_words(terms: tuple[Term, ...]) -> str:
    """ "weights 4.0, LoRA and optimiser 0.5"; without what is next to nothing."""
    return ", ".join(f"{_inside(term.name)} {term.gib:.1f}" for term in terms if term.gib >= _SHOWN)


def _inside(name: str) -> str:
    """Of a sentence: small, unless it is a name like LoRA."""
    return name[:1].lower() + name[1:] if name.split()[0][1:].islower() else name


def advice(base: BaseModel, config: RunConfig, room: Room) -> str:
    """The three settings that save most, each with what the run would need then. None fits in the place of another one."""
    now = _most(base, config, room)
    tried = [(_most(base, other, room), words) for words, other in _cheaper(config, room)]
    helping = sorted((entry for entry in tried if entry[0] < now - _SHOWN), key=lambda entry: entry[0])[:_HELPING]
    if not helping:
        return "Choose a smaller model."
    listed = " ".join(f"{n}. {words}: {need:.1f} GiB." for n, (need, words) in enumerate(helping, 1))
    enough = any(need <= room.gib for need, _ in helping)
    return f"{listed}{'' if enough else ' Do several of these, or choose a smaller model.'}"


def _most(base: BaseModel, config: RunConfig, room: Room) -> float:
    return max(total(terms_of(base, config, stage, room)) for stage in STAGES)


def _cheaper(config: RunConfig, room: Room) -> Iterator[tuple[str, RunConfig]]:
    """The same run with one thing made cheaper."""
    model = config.model
    if model.method == "full":
        yield from _with(config, "model", 'model.method = "lora"', method="lora")
    elif model.method == "lora" and room.gpu:
        yield from _with(config, "model", 'model.method = "qlora"', method="qlora")
    if not model.checkpointing and room.gpu:
        yield from _with(config, "model", "model.checkpointing = true", checkpointing=True)
    half = max(model.min_pixels, 784, model.max_pixels // 2)
    yield from _with(config, "model", f"model.max_pixels = {half}", max_pixels=half)
    yield from _smaller_batches(config)
    answer = max(64, config.grpo.max_answer_tokens // 2)
    yield from _with(config, "grpo", f"grpo.max_answer_tokens = {answer}", max_answer_tokens=answer)
    yield from _fewer_together(config)
    if config.grpo.beta and model.method == "full":
        yield from _with(config, "grpo", "grpo.beta = 0", beta=0.0)


def _fewer_together(config: RunConfig) -> Iterator[tuple[str, RunConfig]]:
    """As few answers at once as there can be: slower, and the same result."""
    fewest = math.lcm(config.grpo.batch, config.grpo.generations)
    if fewest < answers_together(config.grpo):
        yield from _with(config, "grpo", f"grpo.together = {fewest}, slower", together=fewest)


def _smaller_batches(config: RunConfig) -> Iterator[tuple[str, RunConfig]]:
    """Half as many at once and twice as often, which changes no result."""
    said, other = [], config
    for name in ("sft", "grpo"):
        section = getattr(config, name)
        if section.batch > 1 and section.batch % 2 == 0:
            half, twice = section.batch // 2, section.accumulate * 2
            said.append(f"{name}.batch = {half} and {name}.accumulate = {twice}")
            other = dataclasses.replace(other, **{name: dataclasses.replace(section, batch=half, accumulate=twice)})
    if said:
        yield ", ".join(said), other


def _with(
    config: RunConfig, section: Literal["model", "sft", "grpo"], words: str, **values: Any
) -> Iterator[tuple[str, RunConfig]]:
    try:
        yield words, with_settings(config, section, **values)
    except RunError:  # it does not go with the other settings
        return


# ---- disk ----


def free_gib(parent: Path) -> float | None:
    """Free room where a run would lie, of its nearest folder that is there; None where nobody knows."""
    for folder in (parent.absolute(), *parent.absolute().parents):
        try:
            return shutil.disk_usage(folder).free / _GIB
        except FileNotFoundError:
            continue
        except OSError:
            return None
    return None


def disk_reasons(terms: tuple[Term, ...], config: RunConfig, parent: Path, free: float) -> Iterator[Reason]:
    """It does not fit, or would pause in the middle."""
    need, kept = total(terms), config.guards.disk_gb * _GB / _GIB
    hint = f"Make room there, or {_smaller_run(config)}."
    what = f"The run grows to about {math.ceil(need * 10) / 10:.1f} GiB ({in_words(terms)})"
    if need > free:
        yield Reason(f"{what}, and the disk of {parent} has {free:.1f} GiB free.", hint)
    elif need + kept > free:
        sentence = f"{what}, which leaves less than the {config.guards.disk_gb:g} GB of guards.disk_gb on the disk of {parent}: it would pause."
        yield Reason(sentence, hint, False)


def _smaller_run(config: RunConfig) -> str:
    """What makes its folder smaller."""
    if config.model.method == "full":
        return 'set model.method to "lora", whose checkpoints are a hundredth as large'
    if config.export.enabled and config.export.weights == "merged":
        return 'set export.weights to "adapter"'
    return "make fewer kinds of GGUF files (export.kinds)" if len(config.export.kinds) > 1 else "lower model.lora_rank"
