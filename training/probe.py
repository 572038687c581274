"""How good a model is on photos that were held out: the same photos, question, reading and figures from beginning to end.

The figures are those of `georapp evaluate` (evaluate.figures, decoding.sample_of): a photo without an answer is a miss everywhere.
Beside them stand always those of answers that need no model; `baselines` are computed once, from the training photos, and every
event carries them: a value named "within_25_km" has its "random/within_25_km" and "frequent/within_25_km".

    probe = ProbeSet.of(work)
    work.events.write(probe.measure(base, stage="sft", step=0))
"""

from __future__ import annotations

import contextlib
import random
import statistics
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from georapp import gazetteer
from georapp.dataset import Reference
from georapp.decoding import sample_of
from georapp.errors import RunError
from georapp.evaluate import Figures, figures, fullest_place, most_frequent_place, random_prior
from georapp.geo import HALF_CIRCUMFERENCE_KM, Coordinate, distance_km
from georapp.prompt import Profile, profile_named
from georapp.run_events import EVENTS, Probe, from_line
from training.answering import answers
from training.base import Base
from training.rewards import Rule, rule_of
from training.rows import AlbumRow, Part, read_rows
from training.work import ALBUM, Work

RANDOM, FREQUENT = "random/", "frequent/"  # what the names of baselines begin with
ERROR_KM = "error_km"  # by which checkpoints are compared: smaller is better, and it is always a number
MISSING = "missing"  # photos that could not be read any more; they are in no figure
MOST_REFERENCES = 2000  # of a larger album a part is drawn: tables of all pairs would not fit the memory

Values = Mapping[str, float | None]
Ask = Callable[..., list[list[str]]]  # like `answers`


@dataclass(frozen=True, slots=True)
class ProbeSet:
    """The probe of a run: its photos, how they are asked and scored, and what is reached without a model."""

    rows: tuple[AlbumRow, ...]
    profile: Profile
    rule: Rule
    batch: int
    baselines: Values

    @classmethod
    def of(cls, work: Work) -> ProbeSet:
        """Raises RunError when the album cannot be read."""
        rows, taught = (read_rows(work.folder / ALBUM, part) for part in (Part.PROBE, Part.TRAIN))
        grpo = work.config.grpo
        profile, rule = profile_named(work.config.model.profile), rule_of(grpo)
        return cls(tuple(rows), profile, rule, grpo.batch, baselines(rows, taught, rule=rule))

    def measure(self, base: Base, *, stage: str, step: int, ask: Ask = answers) -> Probe:
        """As `measure`, of this run."""
        return measure(
            base,
            self.rows,
            self.profile,
            stage=stage,
            step=step,
            batch=self.batch,
            baselines=self.baselines,
            rule=self.rule,
            ask=ask,
        )


def measure(
    base: Base,
    rows: Sequence[AlbumRow],
    profile: Profile,
    *,
    stage: str,
    step: int,
    batch: int,
    baselines: Values | None = None,
    rule: Rule = Rule(),  # noqa: B008 - frozen
    ask: Ask = answers,
) -> Probe:
    """Ask for greedy answers to the probe photos. `baselines`: of `baselines(rows, ...)`; `rule`: of the reward.

    `ask`: in a training of several processes `measuring.answers_of_all`.

    Raises RunError when not one of the photos can be read.
    """
    photos = [Path(row.path) for row in rows]
    found = ask(base, photos, profile.question, max_tokens=profile.max_tokens, batch=batch)
    seen = [(row, texts[0]) for row, texts in zip(rows, found, strict=True) if texts]
    if not seen:
        raise RunError(
            f"None of the {len(rows)} probe photos can be read, so nobody can say how good the model is.",
            hint="Connect the drive that they are on, and start the run again." if rows else "Use an album with more places.",
        )
    distances = [distance_of(text, row.coordinate, profile) for row, text in seen]
    rewards = [rule.score(text, row.coordinate).reward for row, text in seen]
    values = _values(figures(stage, distances), statistics.fmean(rewards))
    values |= {ERROR_KM: error_km(distances), MISSING: float(len(rows) - len(seen)), **(baselines or {})}
    return Probe(stage, step, len(seen), values)


def place_of(text: str, profile: Profile) -> Coordinate | None:
    """The place that georapp takes from an answer, as this profile decodes it; None for no answer."""
    return sample_of(text, True, profile, profile.decode, gazetteer.load()).coordinate


def distance_of(text: str, truth: Coordinate, profile: Profile) -> float | None:
    """How far off an answer is, in km; None for no answer."""
    place = place_of(text, profile)
    return distance_km(place, truth) if place else None


def error_km(distances: Sequence[float | None]) -> float:
    """The median distance, where no answer counts as the other side of the Earth."""
    return statistics.median(HALF_CIRCUMFERENCE_KM if km is None else km for km in distances)


# ---- what needs no model ----


def baselines(rows: Sequence[AlbumRow], taught: Sequence[AlbumRow], *, rule: Rule = Rule()) -> dict[str, float | None]:  # noqa: B008
    """Figures on the probe photos of always answering a random place, or the most frequent one, of the training photos.

    Of more than MOST_REFERENCES training photos so many are drawn, the same ones every time. Empty without training photos.
    """
    if not rows or not taught:
        return {}
    truths = [row.coordinate for row in rows]
    chosen = taught if len(taught) <= MOST_REFERENCES else random.Random(0).sample(taught, MOST_REFERENCES)
    references = [Reference(row.coordinate, row.country) for row in chosen]
    points = [reference.coordinate for reference in references]
    prior = _values(random_prior(truths, references), _reward(points, truths, rule))
    frequent = _values(most_frequent_place(truths, references), _reward([fullest_place(references)], truths, rule))
    return {RANDOM + name: value for name, value in prior.items()} | {FREQUENT + name: value for name, value in frequent.items()}


def _reward(places: Sequence[Coordinate], truths: Sequence[Coordinate], rule: Rule) -> float:
    return statistics.fmean(rule.curve(distance_km(place, truth)) for place in places for truth in truths)


def _values(line: Figures, reward: float) -> dict[str, float | None]:
    shares: dict[str, float | None] = {f"within_{km}_km": share.value for km, share in line.within.items()}
    rest = {"median_km": line.median_km, "geoscore": line.geoscore, "reward": reward, "unanswered": float(line.unanswered)}
    return shares | rest


# ---- what was measured before ----


def probes_in(run: Path) -> dict[tuple[str, int], Probe]:
    """(stage, step) -> what a run has said of it, of steps that were done again the later one. Lines that cannot be read are left out."""
    found = {}
    try:
        lines = (run / EVENTS).read_bytes().splitlines()
    except OSError:
        return {}
    for line in lines:
        if b'"probe"' not in line:
            continue
        with contextlib.suppress(ValueError):
            if isinstance(event := from_line(line), Probe):
                found[event.stage, event.step] = event
    return found
