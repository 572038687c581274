"""How many samples must agree before the program states a level: chosen on photos that the text model was not tuned on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from georapp.chain import Chain, Level
from georapp.errors import AnswerError
from georapp.geo import Coordinate, distance_km, geoscore
from georapp.prediction import Sample
from georapp.prompt import profile_named
from georapp.uncertainty import agreements, candidates
from training.album import SAME_PLACE_KM

NEVER = 1.01  # more than all samples
_LEAST = 3  # samples; fewer say nothing
_ENOUGH = 10  # statements, to say how many of them are right


@dataclass(frozen=True, slots=True)
class Judged:
    """One photo: the shares of samples that agree, level by level, whether what they agree on is right; and where they point."""

    shares: Mapping[Level, float]
    right: Mapping[Level, bool]
    best: Coordinate | None


def judged(texts: Sequence[str], truth: Chain) -> Judged:
    """The samples of one photo beside the truth. A city is right when the best point lies within 25 km."""
    samples = [_sample(text) for text in texts]
    groups = candidates(samples)
    best = groups[0].coordinate if groups else None
    found = agreements(samples)
    right = {a.level: a.name == truth.name(a.level) for a in found}
    if Level.CITY in right:
        assert truth.coordinate is not None
        right[Level.CITY] = best is not None and distance_km(best, truth.coordinate) <= SAME_PLACE_KM
    return Judged({a.level: a.share for a in found}, right, best)


def off_km(photo: Judged, truth: Chain) -> float:
    """How far off its best point is; infinite without one."""
    assert truth.coordinate is not None
    return distance_km(photo.best, truth.coordinate) if photo.best else math.inf


def mean_geoscore(photos: Sequence[Judged], truths: Sequence[Chain]) -> float:
    """0 to 5000; photos without an answer count as 0."""
    return sum(geoscore(off_km(photo, truth)) for photo, truth in zip(photos, truths, strict=True)) / max(1, len(photos))


def _sample(text: str) -> Sample:
    try:
        chain = profile_named("mini").read(text).chain
    except AnswerError:
        return Sample(text, finished=True)
    return Sample(text, finished=True, chain=chain, coordinate=chain.coordinate)


def needed_shares(photos: Sequence[Judged], samples: int, wanted: float) -> dict[Level, float]:
    """For each level the smallest share with which at least `wanted` of the statements are right; NEVER where there is none.

    A level is only stated where all levels above it are.
    """
    needed: dict[Level, float] = {}
    alive = list(photos)
    for level in Level:
        needed[level] = NEVER
        for count in range(_LEAST, samples + 1):
            stated = [photo for photo in alive if photo.shares.get(level, 0.0) >= count / samples - 1e-9]
            right = sum(photo.right[level] for photo in stated)
            if len(stated) >= _ENOUGH and right >= wanted * len(stated):
                needed[level] = count / samples
                print(
                    f"thresholds: {level.word}: {count} of {samples} samples, {right} of {len(stated)} statements right",
                    flush=True,
                )
                break
        alive = [photo for photo in alive if photo.shares.get(level, 0.0) >= needed[level] - 1e-9]
    return needed
