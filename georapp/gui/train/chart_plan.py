"""Which charts a stage has: those of whose values something was logged. No Qt."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from georapp.evaluate import THRESHOLDS_KM
from georapp.run_history import ANSWERS, PERCENTILES, PROBE, STEP, History

_PART, _MEAN = "rewards/", "/mean"
_NOT_PARTS = frozenset({"reward", "km"})  # the reward itself, and what is no reward
_PARTS = {
    "r_distance": ("Distance part", "country"),
    "r_format": ("Format part", "good"),
    "names": ("Names part", "province"),
    "agreement": ("Agreement part", "human"),
    "clues": ("Clues part", "city"),
}
_TONES = ("province", "city", "country", "human", "good")


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a chart: the kind of its table, the name of its value, its word in the legend, and a colour of the theme."""

    kind: str
    name: str
    word: str
    tone: str


@dataclass(frozen=True, slots=True)
class ChartPlan:
    """What a chart shows. `scale`: by which values are multiplied for its unit; `from_zero`: the axis holds 0; `note`: for people."""

    key: str
    title: str
    series: tuple[Series, ...]
    unit: str = ""
    scale: float = 1.0
    from_zero: bool = False
    smooth: bool = True
    note: str = ""


def _one(name: str, title: str, tone: str, *, unit: str = "", share: bool = False, kind: str = STEP, note: str = "") -> ChartPlan:
    series = (Series(kind, name, "", tone),)
    unit, scale = ("%", 100.0) if share else (unit, 1.0)
    return ChartPlan(name, title, series, unit, scale, from_zero=share, smooth=kind != PROBE, note=note)


def _within(kind: str, key: str, title: str, note: str) -> ChartPlan:
    lines = tuple(Series(kind, f"within_{km}_km", f"{km:,} km", tone) for km, tone in zip(THRESHOLDS_KM, _TONES, strict=True))
    return ChartPlan(key, title, lines, "%", 100.0, True, kind != PROBE, note)


_HELD_OUT = "Measured on photos of places that are not trained on. "
_FIRST_PHOTO = "Of the answers to the first photo of every step. "
_BEGINNING = (
    _one("reward", "Reward", "country", note="The mean of all answers of a step. 1 is the best."),
    ChartPlan(
        "probe distance",
        "Median distance, held-out photos",
        (Series(PROBE, "error_km", "this model", "city"), Series(PROBE, "frequent/median_km", "most frequent place", "human")),
        "km",
        smooth=False,
        note=_HELD_OUT + "A photo without an answer counts as the other side of the Earth.",
    ),
    _within(PROBE, "probe within", "Within a distance, held-out photos", _HELD_OUT + "A photo without an answer is a miss."),
)
_MIDDLE = (
    ChartPlan(
        "answers distance",
        "Distance of the answers",
        tuple(
            Series(ANSWERS, f"p{p}_km", word, tone)
            for p, word, tone in zip(
                PERCENTILES, ("nearest tenth", "median", "farthest tenth"), ("good", "city", "bad"), strict=True
            )
        ),
        "km",
        note=_FIRST_PHOTO + "Percentiles of those that name a place.",
    ),
    _within(ANSWERS, "answers within", "Answers within a distance", _FIRST_PHOTO + "An answer without a place is a miss."),
    _one("rewards/km/mean", "Mean distance of all answers", "city", unit="km", note="Of the answers that name a place."),
    _one("kl", "KL to the model before", "bad", note="How far the model has moved away. A jump is a bad sign."),
    _one("entropy", "Entropy", "province", note="How undecided the model is. Near 0 it answers the same whatever it sees."),
    ChartPlan(
        "length",
        "Length of the answers",
        (
            Series(STEP, "completions/mean_length", "mean", "country"),
            Series(STEP, "completions/max_length", "longest", "human"),
            Series(STEP, "completions/min_length", "shortest", "province"),
        ),
        "tokens",
    ),
    _one("completions/clipped_ratio", "Answers cut off", "bad", share=True, note="They ran into the limit of their length."),
    _one(
        "clip_ratio/region_mean", "Clipped share", "human", share=True, note="Tokens whose change was limited by the clip range."
    ),
    _one(
        "frac_reward_zero_std",
        "Zero-spread share",
        "bad",
        share=True,
        note="Photos whose answers all earned the same teach nothing.",
    ),
    _one("loss", "Loss", "country"),
    _one("mean_token_accuracy", "Tokens right", "good", share=True),
    _one("grad_norm", "Gradient norm", "human"),
    _one("learning_rate", "Learning rate", "province"),
    _one("missed", "Photos missed", "city", share=True),
    _one("unanswered", "Photos without an answer", "bad", share=True),
    _one("tokens_per_s", "Tokens a second", "good"),
    _one("step_time", "Time of a step", "province", unit="s"),
    _one("gpu_memory_gb", "GPU memory", "country", unit="GB"),
    _one("gpu_temperature_c", "GPU temperature", "bad", unit="°C"),
)


def planned(history: History, stage: str) -> list[ChartPlan]:
    """In the order of their importance. Lines of which nothing was logged are left out, and charts without lines too."""
    plans = (*_BEGINNING, *_parts(history, stage), *_MIDDLE)
    return [found for plan in plans if (found := _present(plan, history, stage))]


def _parts(history: History, stage: str) -> Iterator[ChartPlan]:
    for name in history.table(stage, STEP).names:
        part = name.removeprefix(_PART).removesuffix(_MEAN)
        if name == f"{_PART}{part}{_MEAN}" and part not in _NOT_PARTS:
            title, tone = _PARTS.get(part, (f"Part {part[:40]}", "province"))
            yield _one(name, title, tone)


def _present(plan: ChartPlan, history: History, stage: str) -> ChartPlan | None:
    there = tuple(series for series in plan.series if series.name in history.table(stage, series.kind).names)
    return replace(plan, series=there) if there else None
