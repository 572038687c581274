"""What was measured, as a table, and what it says, in words that may also be "no"."""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from tests.proof.figures import (
    CONTROL_MODEL,
    GRPO_MODEL,
    MEASURES,
    RATES,
    SFT_MODEL,
    Figure,
    Gain,
    Models,
    gain,
)

COMPARED = ((GRPO_MODEL, SFT_MODEL), (CONTROL_MODEL, SFT_MODEL), (GRPO_MODEL, CONTROL_MODEL))
_WIDTH = 26


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence that should hold, and the gain by which it is judged. `rises`: what is claimed of that gain."""

    sentence: str
    gain: Gain
    rises: bool

    @property
    def holds(self) -> bool:
        """Whether the gain does as claimed."""
        return self.gain.rises is self.rises

    @property
    def is_weak(self) -> bool:
        """Whether it holds, and chance in the choice of photos could have made it so."""
        return self.holds and self.rises and not self.gain.is_clear

    def __str__(self) -> str:
        word = "weak" if self.is_weak else "yes" if self.holds else "NO"
        numbers = ", ".join(f"{mean:+.3f}" for mean in self.gain.means)
        of = self.gain
        return f"{word:5}{self.sentence}: {of.mean:+.3f}, spread {of.spread:.3f}, standard error {of.error:.3f} (seeds {numbers})"


def claims(seeds: Sequence[Models]) -> list[Claim]:
    """All that is to be shown. At least two seeds, or there is no spread."""
    found = []
    for measure in MEASURES:
        found.append(Claim(f"GRPO raises the reward, {measure}", gain(seeds, measure, GRPO_MODEL, SFT_MODEL), True))
        found.append(
            Claim(f"the control does not raise the reward, {measure}", gain(seeds, measure, CONTROL_MODEL, SFT_MODEL), False)
        )
        found.append(Claim(f"GRPO gains more than the control, {measure}", gain(seeds, measure, GRPO_MODEL, CONTROL_MODEL), True))
    return found


def verdict(judged: Sequence[Claim]) -> str:
    """In a sentence or two."""
    failed = [claim.sentence for claim in judged if not claim.holds]
    weak = [claim.sentence for claim in judged if claim.is_weak]
    if failed:
        return f"Not shown. What does not hold: {'; '.join(failed)}."
    if weak:
        return (
            f"Shown in part. By more than its spread over the seeds, but by less than two standard errors over the photos, so that chance "
            f"may have done it: {'; '.join(weak)}. All else holds."
        )
    return (
        "Shown: on held-out places GRPO raises the reward by more than its spread over the seeds, greedy and sampled, also that "
        "of well-formed answers alone; rewarded for other photos' places it does not."
    )


# ---- tables ----


def lines(seeds: Mapping[int, Models]) -> Iterator[str]:
    """For people."""
    yield f"{'':{_WIDTH}}" + "".join(f"{name:>{_WIDTH}}" for name in (*MEASURES, *RATES))
    for seed, models in seeds.items():
        photos = len(next(iter(models[SFT_MODEL].values())))
        yield f"seed {seed}, {photos} held-out photos; ± standard error over photos"
        for model, measured in models.items():
            shown = [Figure.of(values(measured)) for values in (*MEASURES.values(), *RATES.values())]
            yield _line(model, [f"{one.mean:.3f} ± {one.error:.3f}" for one in shown])
        for after, before in COMPARED:
            gains = [gain([models], measure, after, before).by_seed[0] for measure in MEASURES]
            yield _line(f"{after} − {before}", [f"{one.mean:+.3f} ± {one.error:.3f}" for one in gains])
    yield f"mean over {len(seeds)} seeds; ± spread, the standard deviation over seeds"
    for model in (SFT_MODEL, GRPO_MODEL, CONTROL_MODEL):
        means = [
            [Figure.of(values(models[model])).mean for models in seeds.values()]
            for values in (*MEASURES.values(), *RATES.values())
        ]
        yield _line(model, [f"{statistics.fmean(one):.3f} ± {statistics.stdev(one):.3f}" for one in means])
    for after, before in COMPARED:
        gains_of = [gain(list(seeds.values()), measure, after, before) for measure in MEASURES]
        yield _line(f"{after} − {before}", [f"{one.mean:+.3f} ± {one.spread:.3f}" for one in gains_of])


def _line(name: str, cells: Sequence[str]) -> str:
    return f"{name:{_WIDTH}}" + "".join(f"{cell:>{_WIDTH}}" for cell in cells)


def as_json(seeds: Mapping[int, Models]) -> dict[str, Any]:
    """The same for programs."""
    judged = claims(list(seeds.values()))
    return {
        "verdict": verdict(judged),
        "shown": all(claim.holds and not claim.is_weak for claim in judged),
        "claims": [
            {"claim": claim.sentence, "holds": claim.holds, "weak": claim.is_weak}
            | {"mean": claim.gain.mean, "spread": claim.gain.spread, "standard_error": claim.gain.error}
            | {"by_seed": [{"mean": one.mean, "standard_error": one.error} for one in claim.gain.by_seed]}
            for claim in judged
        ],
        "seeds": {str(seed): {model: _figures(measured) for model, measured in models.items()} for seed, models in seeds.items()},
    }


def _figures(measured: Any) -> dict[str, Any]:
    found = {name: Figure.of(values(measured)) for name, values in (*MEASURES.items(), *RATES.items())}
    return {name: {"mean": one.mean, "standard_error": one.error} for name, one in found.items()}
