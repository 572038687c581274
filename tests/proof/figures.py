"""Figures of the proof, out of the answers to held-out photos. No torch: they can be made again from what was measured."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

GREEDY, SAMPLED = "greedy", "sampled"
SFT_MODEL, GRPO_MODEL, CONTROL_MODEL = "after SFT", "after GRPO", "control"


@dataclass(frozen=True, slots=True)
class Answers:
    """To one photo: the reward of each, whether it has the form that is asked for, and how far off it is.

    `km` is half the Earth's circumference where no place can be read.
    """

    rewards: tuple[float, ...]
    formats: tuple[float, ...]
    km: tuple[float, ...]

    @property
    def reward(self) -> float:
        """The mean."""
        return statistics.fmean(self.rewards)

    @property
    def well_formed(self) -> float | None:
        """The mean reward of those that have the form; None where none has it."""
        kept = [reward for reward, form in zip(self.rewards, self.formats, strict=True) if form]
        return statistics.fmean(kept) if kept else None


Measured = Mapping[str, Sequence[Answers]]  # GREEDY and SAMPLED -> the photos, in one order
Models = Mapping[str, Measured]  # SFT_MODEL, GRPO_MODEL, CONTROL_MODEL -> what was measured
Values = Sequence[float | None]  # of the photos, in their order


MEASURES: Mapping[str, Callable[[Measured], Values]] = {
    "greedy": lambda of: [answers.reward for answers in of[GREEDY]],
    "sampled": lambda of: [answers.reward for answers in of[SAMPLED]],
    "sampled, well-formed": lambda of: [answers.well_formed for answers in of[SAMPLED]],
}
RATES: Mapping[str, Callable[[Measured], Values]] = {
    "right form, greedy": lambda of: [statistics.fmean(answers.formats) for answers in of[GREEDY]],
    "right form, sampled": lambda of: [statistics.fmean(answers.formats) for answers in of[SAMPLED]],
    "within 200 km, greedy": lambda of: [_near(answers) for answers in of[GREEDY]],
    "within 200 km, sampled": lambda of: [_near(answers) for answers in of[SAMPLED]],
}


def _near(answers: Answers) -> float:
    return statistics.fmean(float(km <= 200) for km in answers.km)


@dataclass(frozen=True, slots=True)
class Figure:
    """A mean over photos and its standard error."""

    mean: float
    error: float

    @classmethod
    def of(cls, values: Values) -> Figure:
        """Photos without a value are left out."""
        known = [value for value in values if value is not None]
        error = statistics.stdev(known) / math.sqrt(len(known)) if len(known) > 1 else math.inf
        return cls(statistics.fmean(known), error)

    @classmethod
    def of_difference(cls, after: Values, before: Values) -> Figure:
        """Photo by photo, of those that have both values."""
        return cls.of([a - b for a, b in zip(after, before, strict=True) if a is not None and b is not None])


@dataclass(frozen=True, slots=True)
class Gain:
    """How much more reward one model has than another, for each seed."""

    measure: str
    after: str
    before: str
    by_seed: tuple[Figure, ...]

    @property
    def means(self) -> list[float]:
        """Of the seeds."""
        return [figure.mean for figure in self.by_seed]

    @property
    def mean(self) -> float:
        """Over the seeds, each counting alike."""
        return statistics.fmean(self.means)

    @property
    def spread(self) -> float:
        """The standard deviation over the seeds."""
        return statistics.stdev(self.means)

    @property
    def error(self) -> float:
        """The standard error of the mean over the photos of all seeds, which chance in the choice of photos alone would give."""
        return math.hypot(*(figure.error for figure in self.by_seed)) / len(self.by_seed)

    @property
    def rises(self) -> bool:
        """By more than its spread, and for every seed."""
        return min(self.means) > 0 and self.mean > self.spread

    @property
    def is_clear(self) -> bool:
        """Whether other photos would hardly have turned it round."""
        return abs(self.mean) > 2 * self.error


def gain(seeds: Sequence[Models], measure: str, after: str, before: str) -> Gain:
    """`seeds`: what was measured for each."""
    values = MEASURES[measure]
    return Gain(
        measure, after, before, tuple(Figure.of_difference(values(models[after]), values(models[before])) for models in seeds)
    )
