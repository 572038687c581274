"""Which charts several runs have together, and the lines of one of them: a line for each run. No Qt but its colours' names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from georapp.gui.train import run_words
from georapp.gui.train.chart_plan import ChartPlan, Series, planned
from georapp.run_compare import letter
from georapp.run_history import PROBE, History

TONES = ("country", "city", "province", "human")  # with five kinds of dashes 20 lines that differ
_STAGES = ("sft", "hard", "grpo")  # with steps; the others are measured once
_BASELINE = "frequent/"
_HELD_OUT_FIRST = "error_km"


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that can be laid over each other: of a stage, from a table of a kind."""

    stage: str
    kind: str
    name: str
    title: str
    plan: ChartPlan  # of one run

    @property
    def key(self) -> tuple[str, str, str]:
        """What stays the same when there is more to choose from."""
        return self.stage, self.kind, self.name


def tone(number: int) -> str:
    """The colour of a run's line."""
    return TONES[number % len(TONES)]


def choices(histories: Sequence[History]) -> list[Choice]:
    """Everything that at least one of them has, in the order of stages and charts."""
    found: dict[tuple[str, str, str], Choice] = {}
    for stage in _STAGES:
        for history in histories:
            for plan in planned(history, stage):
                for choice in _of(plan, stage):
                    found.setdefault(choice.key, choice)
    return sorted(found.values(), key=lambda choice: _STAGES.index(choice.stage))


def _of(plan: ChartPlan, stage: str) -> list[Choice]:
    """The lines of a chart, one by one; a baseline is none, it comes with its line."""
    lines = [series for series in plan.series if "/" not in series.name or not series.name.startswith((_BASELINE, "random/"))]
    many = len(lines) > 1
    where = run_words.stage_name(stage)
    return [
        Choice(stage, series.kind, series.name, f"{where}: {plan.title}{f', {series.word}' if many else ''}", plan)
        for series in lines
    ]


def first(found: Sequence[Choice]) -> Choice | None:
    """What is shown when nothing was chosen: how far off on held-out photos, in the last stage that has it; else the first."""
    wanted = [choice for choice in found if choice.name == _HELD_OUT_FIRST]
    return wanted[-1] if wanted else found[0] if found else None


def baseline_of(choice: Choice) -> str:
    """The name under which a run logs what is reached without a model; "" where there is no such thing."""
    if choice.kind != PROBE:
        return ""
    return _BASELINE + ("median_km" if choice.name == _HELD_OUT_FIRST else choice.name)


def has(history: History, choice: Choice) -> bool:
    """Whether a run has this line."""
    return choice.name in history.table(choice.stage, choice.kind).names


def plan_of(choice: Choice, histories: Mapping[int, History], *, with_baseline: bool) -> tuple[ChartPlan, list[tuple[int, str]]]:
    """A chart with a line for each run that has it, and for each line the run's number and the value's name.

    `with_baseline`: all were measured on the same photos, so what needs no model is one line for all.
    """
    there = {number: history for number, history in histories.items() if has(history, choice)}
    lines = [(number, choice.name) for number in there]
    series = [Series(choice.kind, choice.name, letter(number), tone(number)) for number in there]
    baseline = baseline_of(choice)
    first_one = next(iter(there), None)
    if (
        with_baseline
        and baseline
        and first_one is not None
        and baseline in there[first_one].table(choice.stage, choice.kind).names
    ):
        lines.append((first_one, baseline))
        series.append(Series(choice.kind, baseline, "most frequent place", "dim"))
    plan = choice.plan
    key = f"compared {' '.join(choice.key)} {' '.join(one.word for one in series)}"
    return ChartPlan(key, choice.title, tuple(series), plan.unit, plan.scale, plan.from_zero, plan.smooth, plan.note), lines
