"""Answers of GRPO as a person may watch them: of every step one photo, with all answers to it, their rewards and advantages."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from georapp.geo import Coordinate
from georapp.run_events import Sample
from training.report import EventWriter
from training.rewards import Completion, Reward, RewardFunction, Rewards, text_of
from training.work import GRPO

Scale = Literal["group", "batch", "none"]
_TINY = 1e-4  # what TRL adds to a deviation before it divides by it


@dataclass(frozen=True, slots=True)
class WatchedReward:
    """The reward that counts, as a function for TRL, which also writes the first group of every step to the events.

    `others`: further functions and their weights, which are part of what is shown. Asking does not change what is returned.
    """

    reward: Reward
    events: EventWriter
    generations: int
    scale: Scale = "group"
    others: tuple[tuple[RewardFunction, float], ...] = field(default=())
    _said: list[int] = field(default_factory=lambda: [-1], compare=False)  # the step whose answers were written last
    __name__ = "reward"

    def __call__(self, completions: Sequence[Completion], **columns: Any) -> Rewards:
        """As `Reward`. Columns: also `path`, and TRL's `trainer_state`."""
        rewards = self.reward(completions, **columns)
        state = columns.get("trainer_state")
        if state and state.global_step != self._said[0]:  # a step may ask more than once, see grpo.together
            self._said[0] = state.global_step
            for sample in self.samples(completions, rewards, step=state.global_step + 1, columns=columns):
                self.events.write(sample)
        return rewards

    def samples(self, completions: Sequence[Completion], rewards: Rewards, *, step: int, columns: dict[str, Any]) -> list[Sample]:
        """The first group. Where a process sees less than a group, or the deviation of all is asked for, advantages are unknown."""
        size = min(self.generations, len(completions))
        parts = self._parts(completions, rewards, columns)
        sums = [math.fsum(weight * (values[i] or 0.0) for values, weight in parts.values()) for i in range(len(completions))]
        gains = advantages(sums, self.generations, self.scale)
        shown = {name: values for name, (values, _) in parts.items()}
        return [self._sample(i, text_of(completions[i]), step, columns, sums[i], gains[i], shown) for i in range(size)]

    def _parts(
        self, completions: Sequence[Completion], rewards: Rewards, columns: dict[str, Any]
    ) -> dict[str, tuple[Rewards, float]]:
        """By name: values of all answers, and the weight."""
        found = {self.__name__: (rewards, 1.0)}
        for function, weight in self.others:
            found[function.__name__] = (function(completions, **columns), weight)
        return found

    def _sample(
        self,
        i: int,
        text: str,
        step: int,
        columns: dict[str, Any],
        total: float,
        advantage: float | None,
        parts: dict[str, Rewards],
    ) -> Sample:
        truth = Coordinate(columns["lat"][i], columns["lon"][i])
        score = self.reward.rule.score(text, truth)
        place = score.place
        return Sample(
            GRPO,
            step,
            columns["path"][i],
            text,
            lat=place.lat if place else None,
            lon=place.lon if place else None,
            distance_km=score.km,
            reward=total,
            advantage=advantage,
            group=0,
            true_lat=truth.lat,
            true_lon=truth.lon,
            parts={name: values[i] for name, values in parts.items()}
            | {"r_distance": score.r_distance, "r_format": score.r_format},
        )


def advantages(rewards: Sequence[float], group: int, scale: Scale) -> list[float | None]:
    """As TRL's GRPOTrainer computes them: r minus the group's mean, divided by the sample deviation of the group or of all, + 1e-4.

    None for answers of an incomplete group.
    """
    found: list[float | None] = []
    whole = statistics.stdev(rewards) if len(rewards) > 1 else 0.0
    for first in range(0, len(rewards), group):
        part = rewards[first : first + group]
        if len(part) < group:
            return found + [None] * len(part)
        deviation = {"group": statistics.stdev(part) if len(part) > 1 else 0.0, "batch": whole}.get(scale)
        middle = statistics.fmean(part)
        found += [reward - middle if deviation is None else (reward - middle) / (deviation + _TINY) for reward in part]
    return found
