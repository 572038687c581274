"""How long a training run takes: as an earlier run went on the same machine, else from what has to be computed, and how fast cards are.

The formula (computed, not measured; a factor of two either way): a token costs 6 operations a parameter where it is trained on
(forward, backward, and forward again for the activations), 8 where all weights are trained, 2 where it is only read; cards reach 35 %
of their peak in 16 bits. generate() takes 35 ms for a token of up to 64 answers together, however small the model is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from georapp.base_model import BaseModel
from georapp.run_settings import RunConfig
from georapp.run_size import Stage, answer_tokens, answers_together, sequence_tokens, steps

if TYPE_CHECKING:
    from georapp.training_python import TrainingPython

# Peak of matrix products in 16 bits, dense, sums in 32 bits: 10^12 operations a second. The first name that fits counts.
PEAKS: tuple[tuple[str, float], ...] = (
    ("B200", 2250), ("GH200", 989), ("H200", 989), ("H100 PCIE", 756), ("H100", 989), ("H800", 989), ("A100", 312), ("A800", 312),
    ("L40S", 362), ("L40", 181), ("L4", 121), ("A40", 150), ("A30", 165), ("A10", 125), ("V100", 125), ("T4", 65),
    ("RTX 6000 ADA", 364), ("RTX A6000", 155), ("RTX A5000", 111), ("RTX A4000", 77),
    ("5090", 210), ("5080", 113), ("5070 TI", 88), ("5070", 62), ("5060", 47),
    ("4090", 165), ("4080", 98), ("4070 TI", 80), ("4070", 58), ("4060 TI", 44), ("4060", 30),
    ("3090", 71), ("3080", 60), ("3070", 41), ("3060", 26), ("2080", 54), ("2070", 30), ("2060", 26),
)  # fmt: skip
REACHED = 0.35  # of the peak
TOKEN_S, TOGETHER = 0.035, 64  # of generate(), for so many answers
UNKNOWN_CARD = 60.0  # 10^12 operations a second
CORE = 50e9  # operations a second of one core of a processor, in 32 bits
MEMORY_SPEED = 10e9  # bytes a second from which a processor reads weights
WRITING_SPEED = 200e6  # bytes a second at which models are converted and written
WRITTEN_SHARE = 0.6  # of the tokens for which there is room: a greedy answer ends by itself
_HOUR = 3600.0


@dataclass(frozen=True, slots=True)
class Hours:
    """How long a run takes. `why`: what it follows from, a sentence. `measured`: an earlier run was the measure, and no formula alone."""

    low: float
    high: float
    why: str
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds a step of an earlier run: the usual ones, and with what comes between steps (measuring, saving). `run`: its name."""

    usual: float
    whole: float
    run: str = ""


@dataclass(frozen=True, slots=True)
class Device:
    """What a run computes on. `speed`: operations a second; `spread`: by which factor the truth may differ."""

    name: str
    speed: float
    token_s: float  # at least, for a token of answers that are written together
    answer_s: float  # for a token of one more answer, when there are many
    spread: float

    def token_seconds(self, answers: int) -> float:
        """For a token of so many answers together."""
        return max(self.token_s, answers * self.answer_s)


def hours(
    base: BaseModel,
    config: RunConfig,
    *,
    train_photos: int,
    python: TrainingPython | None = None,
    paces: Mapping[str, Pace] | None = None,
) -> Hours | None:
    """Of the whole run. `paces`: by stage. None when nothing is known of the machine, or there is nothing to train on."""
    device = device_of(base, config, python) if python else None
    if train_photos <= 0 or device is None:
        return None
    paces = paces or {}
    low = high = 0.0
    for stage in _STAGES:
        count = steps(config, stage, train_photos)
        if stage in paces:
            low, high = low + count * paces[stage].usual, high + count * paces[stage].whole
        else:
            seconds = count * step_seconds(base, config, stage, device)
            low, high = low + seconds / device.spread, high + seconds * device.spread
    beside = beside_seconds(base, config, train_photos, device)
    low, high = low + beside / device.spread, high + beside * device.spread
    used = [stage for stage in _STAGES if stage in paces and steps(config, stage, train_photos)]
    return Hours(low / _HOUR, max(low, high) / _HOUR, _why(device, paces, used), bool(used))


_STAGES: tuple[Stage, ...] = ("sft", "grpo")


def _why(device: Device, paces: Mapping[str, Pace], used: list[Stage]) -> str:
    if used:
        runs = " and ".join(sorted({paces[stage].run for stage in used} - {""})) or "an earlier run"
        what = " and ".join(stage.upper() for stage in used)
        return f"Measured: the steps of {what} took so long in {runs}, with the same model and settings; the rest is computed."
    return (
        f"A guess, not measured: from what has to be computed, for {device.name}. It may be {device.spread:g} times less or more."
    )


def device_of(base: BaseModel, config: RunConfig, python: TrainingPython) -> Device:
    """The first card, or the processor where there is none."""
    if not python.gpus:
        cores = max(1, python.cores)
        speed = CORE * cores
        name = f"the processor, {cores} core{'s' if cores > 1 else ''}"
        return Device(name, speed, 4 * base.parameters / MEMORY_SPEED, 2 * base.parameters / speed, 3)
    name = python.gpus[0].name
    peak = next((peak for part, peak in PEAKS if part in name.upper()), 0.0)
    slower = 1.5 if config.model.method == "qlora" else 1.0  # weights of 4 bits are unpacked for every product
    if config.model.precision == "fp32" or (config.model.precision != "fp16" and not python.gpus[0].bf16):
        slower *= 4  # in 32 bits, or imitated
    speed = REACHED * 1e12 * (peak or UNKNOWN_CARD) / slower
    said = name if peak else f"{name}, whose speed is not known"
    return Device(said, speed, TOKEN_S * slower, TOKEN_S * slower / TOGETHER, 2 if peak else 4)


def step_seconds(base: BaseModel, config: RunConfig, stage: Stage, device: Device) -> float:
    """Of one step."""
    trained = 8 if config.model.method == "full" else 6
    tokens = sequence_tokens(base, config, stage)
    if stage == "sft":
        return config.sft.batch * config.sft.accumulate * tokens * base.parameters * trained / device.speed
    grpo = config.grpo
    answers = answers_together(grpo)
    read = 2 + 2 * (grpo.beta > 0)  # by the one that answers, and by the reference
    computed = answers * tokens * base.parameters * (trained + read / grpo.iterations) / device.speed
    written = grpo.max_answer_tokens * device.token_seconds(answers) * (0.5 if grpo.vllm != "off" else 1)
    return computed + written / grpo.iterations


def beside_seconds(base: BaseModel, config: RunConfig, train_photos: int, device: Device) -> float:
    """What is no step: measuring on the held-out photos, answers to all training photos, making the model."""
    probes = sum(
        1 + 1 + (count // every if every else 0)
        for count, every in (
            (steps(config, "sft", train_photos), config.sft.probe_every),
            (steps(config, "grpo", train_photos), config.grpo.probe_every),
        )
        if count
    )
    held_out = max(1, train_photos * config.album.held_out_percent / (100 - config.album.held_out_percent))
    asked = probes * min(config.album.probe_photos, held_out)
    asked += train_photos if config.hard.enabled and config.grpo.enabled else 0
    export = (2 + len(config.export.kinds)) * base.bytes / WRITING_SPEED + 60 if config.export.enabled else 0.0
    return asked * _answer_seconds(base, config, device) + export


def _answer_seconds(base: BaseModel, config: RunConfig, device: Device) -> float:
    """Of one greedy answer, of grpo.batch that are written together."""
    batch, tokens = config.grpo.batch, sequence_tokens(base, config, "sft")
    written = WRITTEN_SHARE * answer_tokens(config, "sft") * device.token_seconds(batch)
    return tokens * base.parameters * 2 / device.speed + written / batch
