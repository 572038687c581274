"""The settings of a training run, each declared once: its default, what is allowed, and a word about it.

A RunConfig that exists is possible: a wrong type, an impossible value or an unknown key is a RunError that names the key, what is
allowed and what to do. run_toml.py reads and writes them.
"""

from __future__ import annotations

import dataclasses
import math
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar

from georapp.chain import Level
from georapp.errors import RunError
from georapp.reward_curves import CURVES, GEO_R_PAPER, Curve, Knots

VERSION = 1  # of run.toml; raised when a setting changes its meaning
OWN_CURVE = "own"
MOST = 2**31 - 1  # of any whole number


def setting(
    default: Any, about: str, *, least: float = 0, most: float = MOST, choices: tuple[str, ...] = (), free: bool = False
) -> Any:
    """A field of a section. `free`: it says what a run is about, and does not count as a difference from a preset."""
    return field(default=default, metadata={"about": about, "least": least, "most": most, "choices": choices, "free": free})


@dataclass(frozen=True, slots=True)
class Model:
    """What is trained, and which of its weights."""

    SECTION: ClassVar[str] = "model"
    base: str = setting("", "folder of the model to begin with, as Hugging Face lays it out", free=True)
    profile: str = setting(
        "georapp", "the question, and which lines answer it; geo-r: as in the paper", choices=("georapp", "geo-r", "mini")
    )
    method: str = setting(
        "lora", "lora; qlora: weights in 4 bits, CUDA only; full: all weights", choices=("lora", "qlora", "full")
    )
    lora_rank: int = setting(32, "rank of the adapter", least=1, most=1024)
    lora_alpha: int = setting(64, "scale of the adapter; twice the rank is usual", least=1, most=4096)
    lora_dropout: float = setting(0.05, "share of the adapter's inputs that are dropped in training", most=0.9)
    freeze_vision: bool = setting(True, "leave the image tower as it is")
    min_pixels: int = setting(3136, "smaller photos are scaled up to so many pixels", least=1)
    max_pixels: int = setting(262_144, "larger photos are scaled down to so many pixels", least=784)
    precision: str = setting("auto", "auto: bf16 where the GPU knows it", choices=("auto", "bf16", "fp16", "fp32"))
    checkpointing: bool = setting(True, "compute activations twice instead of keeping them: less memory, a third slower")


@dataclass(frozen=True, slots=True)
class Album:
    """The photos, their labels, and what is held out."""

    SECTION: ClassVar[str] = "album"
    sources: tuple[str, ...] = setting((), "folders of photos, tables of places (.csv), cases (.georapp)", free=True)
    labels: str = setting("polygons", "nearest: as in Geo-R, by the nearest town", choices=("polygons", "nearest"))
    decimals: int = setting(4, "of the coordinates that are learned; 4 are 11 m", least=2, most=6)
    held_out_percent: float = setting(15.0, "of the photos, in whole groups", least=1, most=50)
    block_km: float = setting(25.0, "photos nearer than this are one place and lie on one side", least=0.1, most=2000)
    burst_seconds: float = setting(60.0, "photos taken within this time are one burst and lie on one side", most=86_400)
    blur_below: float = setting(30.0, "variance of the Laplacian under which a photo is too blurred; 0: none is", most=1e6)
    home_zones: tuple[tuple[float, ...], ...] = setting(
        (), "[lat, lon, km]: photos inside are never used", least=-180, most=20_016
    )
    probe_photos: int = setting(200, "held-out photos on which progress is measured", least=1)


@dataclass(frozen=True, slots=True)
class Sft:
    """Stage 1: supervised, on the chains."""

    SECTION: ClassVar[str] = "sft"
    enabled: bool = setting(True, "do this stage")
    epochs: float = setting(1.0, "times through the album", least=0.001, most=1000)
    max_steps: int = setting(0, "0: as many as the epochs take")
    learning_rate: float = setting(1e-4, "1e-4 for LoRA, 1e-5 for all weights", least=1e-9, most=1)
    schedule: str = setting("cosine", "of the learning rate", choices=("constant", "linear", "cosine"))
    warmup_share: float = setting(0.03, "of the steps in which the learning rate rises", most=0.5)
    batch: int = setting(4, "photos at once on a device", least=1, most=4096)
    accumulate: int = setting(16, "passes a step; times the batch are the photos of a step (Geo-R: 64)", least=1, most=65_536)
    weight_decay: float = setting(0.0, "of AdamW", most=1)
    save_every: int = setting(50, "steps from checkpoint to checkpoint", least=1)
    probe_every: int = setting(100, "steps from measurement to measurement; 0: before and after only")


@dataclass(frozen=True, slots=True)
class Hard:
    """Between the stages: which photos GRPO is given."""

    SECTION: ClassVar[str] = "hard"
    enabled: bool = setting(True, "leave out what is solved already")
    method: str = setting("missed", "hotspots: as in Geo-R, drop all around solved photos", choices=("missed", "hotspots"))
    over_km: float = setting(200.0, "missed: by more than this; hotspots: within this of a solved photo", least=0.1, most=20_016)
    solved_km: float = setting(25.0, "hotspots: a photo is solved by an answer within this", least=0.1, most=20_016)
    keep_at_least: int = setting(64, "photos, the worst ones, however many are missed", least=1)
    easy_share: float = setting(0.5, "of the solved photos stay in, or a model unlearns them", most=1)


@dataclass(frozen=True, slots=True)
class Grpo:
    """Stage 2: answers are sampled, and rewarded by their distance."""

    SECTION: ClassVar[str] = "grpo"
    enabled: bool = setting(True, "do this stage")
    curve: str = setting("geo-r", "from distance to reward; own: by curve_points", choices=(*CURVES, OWN_CURVE))
    curve_points: tuple[tuple[float, ...], ...] = setting((), "[km, reward] of an own curve", most=20_016)
    curve_steps: bool = setting(False, "an own curve goes in steps, not in lines")
    require_levels: tuple[str, ...] = setting(
        ("country", "province", "city"), "lines that an answer must have", choices=tuple(level.word for level in Level)
    )
    names_weight: float = setting(0.0, "of right names, beside the distance's 1", most=10)
    agreement_weight: float = setting(0.0, "of names that agree with the written coordinates", most=10)
    clues_weight: float = setting(0.0, "of clues before the lines", most=10)
    beta: float = setting(0.04, "how strongly the model is held near the one before this stage", most=10)
    loss: str = setting("grpo", "how tokens are averaged; grpo: by answer, as Geo-R", choices=("grpo", "dapo", "bnpo", "dr_grpo"))
    scale: str = setting("group", "what advantages are divided by the deviation of", choices=("group", "batch", "none"))
    generations: int = setting(8, "answers to a photo that are compared; 4 to 8 are usual", least=2, most=256)
    temperature: float = setting(1.0, "of sampling", least=0.01, most=5)
    epsilon: float = setting(0.2, "how far a step may move an answer's probability", least=0.001, most=1)
    iterations: int = setting(1, "steps on the same answers; above 1 a resume is not exact", least=1, most=64)
    epochs: float = setting(1.0, "times through the hard photos", least=0.001, most=1000)
    max_steps: int = setting(300, "0: as many as the epochs take")
    learning_rate: float = setting(5e-6, "5e-6 for LoRA, 1e-6 for all weights", least=1e-9, most=1)
    schedule: str = setting("constant", "of the learning rate", choices=("constant", "linear", "cosine"))
    warmup_steps: int = setting(5, "in which the learning rate rises")
    batch: int = setting(8, "answers at once on a device", least=1, most=4096)
    accumulate: int = setting(8, "passes a step; times the batch are the answers of a step", least=1, most=65_536)
    together: int = setting(0, "answers written at once on a device; 0: all of a step. Fewer need less memory and are slower")
    max_answer_tokens: int = setting(128, "longer answers are cut off and earn nothing", least=8, most=8192)
    vllm: str = setting("off", "a faster engine for sampling, where it is installed", choices=("off", "colocate", "server"))
    vllm_memory: float = setting(0.3, "share of the GPU's memory for it", least=0.05, most=0.95)
    vllm_server: str = setting("127.0.0.1:8000", "host:port")
    save_every: int = setting(50, "steps from checkpoint to checkpoint", least=1)
    probe_every: int = setting(50, "steps from measurement to measurement; 0: before and after only")
    shuffle_truth: bool = setting(False, "control: reward answers for another photo's place")

    def reward_curve(self) -> Curve:
        """From distance to reward. Raises RunError for points that make no curve."""
        if self.curve != OWN_CURVE:
            return CURVES[self.curve]
        try:
            return Knots(typing.cast(tuple[tuple[float, float], ...], self.curve_points), self.curve_steps)
        except ValueError as error:
            raise RunError(
                f"grpo.curve_points make no curve: {error}", hint=f"Write for example {written(GEO_R_PAPER.points)}."
            ) from error


@dataclass(frozen=True, slots=True)
class Export:
    """Stage 3: a model folder."""

    SECTION: ClassVar[str] = "export"
    enabled: bool = setting(True, "do this stage")
    name: str = setting("", "of the model folder; empty: that of the run", free=True)
    weights: str = setting("merged", "adapter: a small file beside the base model", choices=("merged", "adapter"))
    kinds: tuple[str, ...] = setting(("q8_0",), "of the GGUF files", choices=("f32", "f16", "q8_0", "q4_1"))
    parity_photos: int = setting(8, "on which GGUF and the trained model are compared")


@dataclass(frozen=True, slots=True)
class Guards:
    """When a run warns, pauses or stops by itself. Means are over `window` steps."""

    SECTION: ClassVar[str] = "guards"
    act: bool = setting(True, "pause or stop, and do not only warn")
    window: int = setting(10, "steps", least=2, most=1000)
    entropy_below: float = setting(0.3, "of the entropy of the first steps: collapse", most=1)
    drift_above: float = setting(0.5, "mean KL: the model breaks, even if its entropy rises", least=0.001, most=1e6)
    kl_ceiling: float = setting(10.0, "KL of a single step", least=0.001, most=1e6)
    no_signal_above: float = setting(0.4, "share of groups whose answers all earn the same", most=1)
    clipped_above: float = setting(0.25, "share of answers that are cut off", most=1)
    disk_gb: float = setting(5.0, "free room on the disk of the run, below which it pauses", most=1e6)


Section = Model | Album | Sft | Hard | Grpo | Export | Guards


@dataclass(frozen=True, slots=True)
class RunConfig:
    """All settings of a run. Made by hand, by run_toml, or out of a preset."""

    SECTION: ClassVar[str] = ""
    version: int = setting(VERSION, "of this file", least=1, most=VERSION, free=True)
    name: str = setting("", "of the run", free=True)
    seed: int = setting(0, "of everything that is drawn", free=True)
    keep_checkpoints: int = setting(2, "newest ones, besides the best", least=2, most=1000)
    model: Model = field(default_factory=Model)
    album: Album = field(default_factory=Album)
    sft: Sft = field(default_factory=Sft)
    hard: Hard = field(default_factory=Hard)
    grpo: Grpo = field(default_factory=Grpo)
    export: Export = field(default_factory=Export)
    guards: Guards = field(default_factory=Guards)

    def __post_init__(self) -> None:
        for section in (self, *sections_of(self)):
            _check(section)
        for sentence, hint in _conflicts(self):
            raise RunError(sentence, hint=hint)
        self.grpo.reward_curve()


# ---- checks ----


def sections_of(config: RunConfig) -> list[Section]:
    """In the order of run.toml; RunConfig's own settings stand above them."""
    return [getattr(config, f.name) for f in fields(config) if not f.metadata]


def settings_of(section: Any) -> list[dataclasses.Field[Any]]:
    """Its fields; `metadata` says about, least, most, choices, free."""
    return [f for f in fields(section) if f.metadata]


def key_of(section: Any, name: str) -> str:
    """ "grpo.beta"."""
    return f"{section.SECTION}.{name}" if section.SECTION else name


def _check(section: RunConfig | Section) -> None:
    hints = typing.get_type_hints(type(section))
    for f in settings_of(section):
        value = getattr(section, f.name)
        if not (_has_type(value, hints[f.name]) and all(_allowed(one, f.metadata) for one in _atoms(value))):
            raise RunError(
                f"{key_of(section, f.name)} cannot be {shown(value)}: it is {_expected(hints[f.name], f.metadata)}.",
                hint=f"It means: {f.metadata['about']}. The default is {shown(f.default)}.",
            )


def _has_type(value: Any, kind: Any) -> bool:
    if typing.get_origin(kind) is tuple:
        return isinstance(value, tuple) and all(_has_type(one, typing.get_args(kind)[0]) for one in value)
    if kind is float:
        return isinstance(value, int | float) and not isinstance(value, bool)
    return isinstance(value, kind) and isinstance(value, bool) == (kind is bool)


def _atoms(value: Any) -> list[Any]:
    return [atom for one in value for atom in _atoms(one)] if isinstance(value, tuple) else [value]


def _allowed(value: Any, limits: Mapping[str, Any]) -> bool:
    if isinstance(value, str):
        return not limits["choices"] or value in limits["choices"]
    return isinstance(value, bool) or bool(limits["least"] <= value <= limits["most"])  # false for NaN


def _expected(kind: Any, limits: Mapping[str, Any]) -> str:
    if typing.get_origin(kind) is tuple:
        return f"a list, and each entry {_expected(typing.get_args(kind)[0], limits)}"
    if limits["choices"]:
        return f"one of {', '.join(limits['choices'])}"
    if kind is bool:
        return "true or false"
    if kind is str:
        return "a text"
    number = "a whole number" if kind is int else "a number"
    return f"{number} from {limits['least']:g}" + ("" if limits["most"] == MOST else f" to {limits['most']:g}")


def shown(value: Any) -> str:
    """For a sentence: as TOML writes it, not too long."""
    try:
        text = written(value)
    except TypeError:
        text = "a section" if isinstance(value, dict) else f"a {type(value).__name__}"
    return text if len(text) < 80 else f"{text[:77]}..."


def _conflicts(config: RunConfig) -> Iterator[tuple[str, str]]:
    """What no setting can say alone: sentences and hints."""
    model, grpo, at_once = config.model, config.grpo, config.grpo.batch * config.grpo.accumulate
    if at_once % grpo.generations:
        wanted = math.ceil(at_once / grpo.generations) * grpo.generations
        sentence = f"grpo.batch x grpo.accumulate is {at_once}, which is no multiple of grpo.generations, {grpo.generations}."
        yield sentence, f"Set both so that their product is {wanted}."
    if grpo.together and (at_once % grpo.together or grpo.together % math.lcm(grpo.batch, grpo.generations)):
        sentence = f"grpo.together is {grpo.together}: it must be a multiple of grpo.batch and of grpo.generations, and divide {at_once}."
        yield sentence, f"Set it to 0 or to {math.lcm(grpo.batch, grpo.generations)}."
    if model.min_pixels > model.max_pixels:
        yield "model.min_pixels is larger than model.max_pixels.", "Make it smaller, or leave it out."
    if bool(grpo.curve_points) != (grpo.curve == OWN_CURVE):
        yield f'grpo.curve_points belong to grpo.curve = "{OWN_CURVE}" and to no other curve.', "Give both, or neither."
    if len(set(grpo.require_levels)) < len(grpo.require_levels):
        yield "grpo.require_levels names a level twice.", "Name each level once."
    if model.profile == "geo-r" and "continent" in grpo.require_levels:
        sentence = 'grpo.require_levels asks for a continent, which model.profile "geo-r" never writes.'
        yield sentence, 'Leave it out, or set model.profile to "georapp".'
    for zone in config.album.home_zones:
        if len(zone) != 3 or abs(zone[0]) > 90 or abs(zone[1]) > 180 or zone[2] <= 0:
            yield f"album.home_zones holds {shown(zone)}, which is no [lat, lon, km].", "Write for example [48.1, 11.5, 2.0]."


# ---- values as TOML writes them ----


_ESCAPED = {ord("\\"): "\\\\", ord('"'): '\\"'} | {code: f"\\u{code:04x}" for code in (*range(32), 127)}


def written(value: Any) -> str:
    """A value as TOML writes it: what `tomllib` reads is equal, to the last bit of a float."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return f'"{value.translate(_ESCAPED)}"'
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(written, value))}]"
    raise TypeError(f"{type(value).__name__} is not written.")
