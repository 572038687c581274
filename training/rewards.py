"""The reward of GRPO: r = r_distance x r_format (Geo-R, Wu et al. 2026), as plain functions in TRL's shape. No torch, no state.

TRL adds weighted reward functions and Geo-R multiplies, so the product is made in one function, `Reward`. Its parts are functions
of their own with weight 0: they are charted and do not count. Every function is a callable object made of data, so that it can be
pickled and sent to other processes, and is called with the completions and the columns of the dataset as keywords.

An answer is readable when it holds exactly one "(lat, lon)" (`chain.strict_pair`) and the program would read the same place out of
it (`reading`): what earns a reward is what counts in an evaluation. (0, 0) is a placeholder there, so it is none here either.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from georapp.chain import COORDINATES, LABELS, Chain, Level, folded, strict_pair
from georapp.errors import AnswerError
from georapp.geo import Coordinate, distance_km
from georapp.reading import answer_of, read, read_coordinate
from georapp.reward_curves import GEO_R_PAPER, Curve
from georapp.run_settings import Grpo

Completion = str | Sequence[Mapping[str, Any]]  # a text, or the messages of a chat
Rewards = list[float | None]  # what TRL wants; None is "not scored"
RewardFunction = Callable[..., Rewards]
Labeller = Callable[[Coordinate], Chain]  # what a coordinate lies in; must itself be picklable where the rewards are pickled


# ---- one answer ----


def place_in(text: str) -> Coordinate | None:
    """The place of a readable answer; None for everything else, also for (0, 0)."""
    strict = strict_pair(text)
    if strict is None:
        return None
    tolerant, _, _ = read_coordinate(answer_of(text))
    return strict if tolerant == strict else None


def has_lines(text: str, required: Iterable[Level]) -> bool:
    """Whether the required lines of the wire format stand in `text`: each once, in order, the pair in the last. "—" is a value."""
    labels = [*(LABELS[level] for level in sorted(required)), COORDINATES]
    parts = [line.strip().partition(":") for line in text.splitlines()]
    found = [(label, value.strip()) for label, colon, value in parts if colon and label in labels]
    in_order = [label for label, _ in found] == labels
    return in_order and all(value for _, value in found) and strict_pair(found[-1][1]) is not None


@dataclass(frozen=True, slots=True)
class Score:
    """An answer beside the truth. `km` and `place` are None, and both parts 0, when it is unreadable."""

    place: Coordinate | None
    km: float | None
    r_distance: float
    r_format: float

    @property
    def reward(self) -> float:
        """What GRPO is given."""
        return self.r_distance * self.r_format


@dataclass(frozen=True, slots=True)
class Rule:
    """How answers are scored. `required`: levels whose lines an answer must have, or none of it counts.

    Without required lines nothing in the reward keeps the chain alive: a bare pair earns as much.
    """

    curve: Curve = GEO_R_PAPER
    required: tuple[Level, ...] = ()

    def readable(self, text: str) -> Coordinate | None:
        """The place of an answer that has what it must have."""
        place = place_in(text)
        return place if place and (not self.required or has_lines(text, self.required)) else None

    def score(self, text: str, truth: Coordinate) -> Score:
        """r_distance and r_format of one answer. The distance is scored of any readable pair, also of one without its lines."""
        place = place_in(text)
        if place is None:
            return Score(None, None, 0.0, 0.0)
        km = distance_km(place, truth)
        return Score(place, km, self.curve(km), float(self.readable(text) is not None))


def rule_of(settings: Grpo) -> Rule:
    """As the settings of the stage say. Raises RunError for an own curve that is none."""
    return Rule(settings.reward_curve(), tuple(Level[word.upper()] for word in settings.require_levels))


def text_of(completion: Completion) -> str:
    """The text of what TRL calls a completion: a string, or messages of which the last one is the answer."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


# ---- in TRL's shape; `__name__` is what TRL charts a function under ----


def _scores(rule: Rule, completions: Sequence[Completion], lat: Sequence[float], lon: Sequence[float]) -> list[Score]:
    """Raises ValueError for a true place that is none: that is for the album to sort out."""
    rows = zip(completions, lat, lon, strict=True)
    return [rule.score(text_of(completion), Coordinate(north, east)) for completion, north, east in rows]


@dataclass(frozen=True, slots=True)
class Reward:
    """r_distance x r_format, the one that counts. Columns: `lat` and `lon`, the true place. Never None: a failure counts as 0."""

    rule: Rule = field(default_factory=Rule)
    __name__ = "reward"

    def __call__(self, completions: Sequence[Completion], lat: Sequence[float], lon: Sequence[float], **_: Any) -> Rewards:
        """From 0 to 1 for each completion."""
        return [score.reward for score in _scores(self.rule, completions, lat, lon)]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the reward for the charts, with weight 0: "r_distance", "r_format", or "km", which is None where no place was read."""

    name: Literal["r_distance", "r_format", "km"]
    rule: Rule = field(default_factory=Rule)

    @property
    def __name__(self) -> str:
        return self.name

    def __call__(self, completions: Sequence[Completion], lat: Sequence[float], lon: Sequence[float], **_: Any) -> Rewards:
        """The part for each completion; columns as of `Reward`."""
        return [getattr(score, self.name) for score in _scores(self.rule, completions, lat, lon)]


@dataclass(frozen=True, slots=True)
class Names:
    """Optional: the share of the true names that were written, from the general down to the first wrong one.

    Columns: the levels' words ("country", "province", "city"), None where no name is known; None when no level has one.
    A name counts when it is the same but for case, accents and punctuation. One place has many spellings, so a distance teaches
    more than a name (GeoAgent, 2026, ablation): keep its weight small.
    """

    rule: Rule = field(default_factory=Rule)
    levels: tuple[Level, ...] = (Level.COUNTRY, Level.PROVINCE, Level.CITY)
    __name__ = "names"

    def __call__(self, completions: Sequence[Completion], **columns: Any) -> Rewards:
        """From 0 to 1 for each completion."""
        truths = [
            Chain.of((level, columns[level.word][row]) for level in self.levels if level.word in columns)
            for row in range(len(completions))
        ]
        return [self._one(text_of(completion), truth) for completion, truth in zip(completions, truths, strict=True)]

    def _one(self, text: str, truth: Chain) -> float | None:
        if not truth.regions:
            return None
        return _share_written(text, truth) if self.rule.readable(text) else 0.0


@dataclass(frozen=True, slots=True)
class Agreement:
    """Optional: the share of the regions around the written pair that were written, from the general down to the first wrong one.

    It needs no truth: it asks whether the written levels and the written coordinate speak of the same place. A pair in the sea,
    in no region at all, earns 0.
    """

    labeller: Labeller
    rule: Rule = field(default_factory=Rule)
    __name__ = "agreement"

    def __call__(self, completions: Sequence[Completion], **_: Any) -> Rewards:
        """From 0 to 1 for each completion."""
        return [self._one(text_of(completion)) for completion in completions]

    def _one(self, text: str) -> float:
        place = self.rule.readable(text)
        return _share_written(text, self.labeller(place)) if place else 0.0


def _share_written(text: str, truth: Chain) -> float:
    try:
        written = read(text).chain
    except AnswerError:
        return 0.0
    right = 0
    for region in truth.regions:
        if folded(written.name(region.level) or "") != folded(region.name):
            break
        right += 1
    return right / len(truth.regions) if truth.regions else 0.0


_CLUES = re.compile(r"\s*<think>(.+?)</think>", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Clues:
    """Optional: 1 for an answer that begins with its clues inside <think> and </think>, neither none nor too many words."""

    rule: Rule = field(default_factory=Rule)
    fewest_words: int = 5
    most_words: int = 120
    __name__ = "clues"

    def __call__(self, completions: Sequence[Completion], **_: Any) -> Rewards:
        """0 or 1 for each completion."""
        return [self._one(text_of(completion)) for completion in completions]

    def _one(self, text: str) -> float:
        found = _CLUES.match(text)
        enough = found is not None and self.fewest_words <= len(found[1].split()) <= self.most_words
        return float(enough and self.rule.readable(text) is not None)


def reward_functions(
    rule: Rule, *, names: float = 0.0, agreement: float = 0.0, clues: float = 0.0, labeller: Labeller | None = None
) -> tuple[list[RewardFunction], list[float]]:
    """Functions and weights for GRPOTrainer. The last three count as much as said, and are left out at 0.

    Raises ValueError when agreement is asked for without a labeller.
    """
    functions: list[RewardFunction] = [Reward(rule), Part("r_distance", rule), Part("r_format", rule), Part("km", rule)]
    weights = [1.0, 0.0, 0.0, 0.0]
    if agreement and labeller is None:
        raise ValueError("The agreement of levels and coordinate needs something that says where a coordinate lies.")
    optional: list[tuple[float, RewardFunction]] = [(names, Names(rule)), (clues, Clues(rule))]
    if labeller:
        optional.append((agreement, Agreement(labeller, rule)))
    wanted = [(weight, function) for weight, function in optional if weight]
    return functions + [function for _, function in wanted], weights + [weight for weight, _ in wanted]
