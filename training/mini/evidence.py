"""What the text model gets to know of a photo: the places that its tower thinks of, and how sure it is of each.

A candidate is a training photo that stands for all within 25 km of it. It is shown to the text model in the model's own words, so that
an answer can be copied from it: a row is one word, marked with the word before it, with the name above it (a province with its country),
with its slot (which line of an answer it belongs to), and with the numbers of its candidate.

`candidates_of` and `rows_of` are the reference for the ONNX file, which computes the same (tests/training/test_mini.py compares both).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import ClassVar

import torch
from torch import Tensor

from georapp.chain import Chain, Level
from georapp.geo import EARTH_RADIUS_KM
from training.album import SAME_PLACE_KM, AlbumPhoto, unit_vectors
from training.mini.probe import Probe, fit_probe
from training.mini.settings import EvidenceSettings
from training.mini.vocabulary import Vocabulary

WORDS = 22  # rows of one candidate; longer names of cities are cut
DECIMALS = 2  # of coordinates: 1.1 km
SLOTS = ("nothing", "latitude", "longitude", *(level.word for level in Level))
CIRCLES_KM = (SAME_PLACE_KM, 200.0, 2500.0)  # around a candidate, in which similarity is summed
MOST_CANDIDATES = 4
NUMBERS = 8 + MOST_CANDIDATES  # of a candidate, see `Candidates`
WORD_FEATURES = 4  # of a row: word, word before it in an answer, last word of the name above it, slot
FEATURES = WORD_FEATURES + NUMBERS

_NEVER = -1e4  # a logit that no softmax sees


def cosine_within(km: float) -> float:
    """The cosine of the angle that two points at this distance have."""
    return math.cos(km / EARTH_RADIUS_KM)


@dataclass(frozen=True, slots=True)
class Candidates:
    """The c best places of n photos: the reference photo [n, c] that stands for each, and its numbers [n, c, NUMBERS].

    Numbers: the highest similarity of the photo to any reference; that to this one; the share of all similarity within each of
    CIRCLES_KM and in its country; its votes, and their logarithm; its rank, one-hot.
    """

    FIELDS: ClassVar[tuple[str, ...]] = ("index", "numbers")

    index: Tensor
    numbers: Tensor

    def take(self, rows: Tensor) -> Candidates:
        """Those of some photos."""
        return Candidates(self.index[rows], self.numbers[rows])


@dataclass(frozen=True, slots=True)
class References:
    """m training photos: features [m, w] of length 1, where they were taken [m, 3] on the unit sphere, numbers of countries [m].

    `hub` [m]: how similar each is to those nearest to it. Photos that are similar to everything are believed less for it (Conneau et
    al. 2018, cross-domain similarity local scaling, one-sided). `probe`: see probe.py; it is asked beside the photos.
    """

    features: Tensor
    points: Tensor
    country: Tensor
    hub: Tensor
    probe: Probe


def references_of(features: Tensor, photos: Sequence[AlbumPhoto], settings: EvidenceSettings, ridge: float) -> References:
    """Of photos with these features [m, w]."""
    similarity = (features @ features.T).fill_diagonal_(-1.0)
    hub = similarity.topk(min(settings.hub_neighbours, len(photos) - 1), dim=1).values.mean(1)
    points = torch.from_numpy(unit_vectors(photos))
    country = country_numbers([photo.label.country_code for photo in photos])
    return References(features, points, country, settings.hub_share * hub, fit_probe(features, photos, ridge))


def candidates_of(
    queries: Tensor, references: References, sharpness: float, settings: EvidenceSettings, excluded: Tensor | None = None
) -> Candidates:
    """For queries [n, w]: the place with most votes within 25 km, then the next one farther away, and so on.

    `excluded` [n, m]: references that a query may not see (a place that is to be new to it).
    """
    similarity = queries @ references.features.T
    logits = settings.softness * sharpness * (similarity - references.hub)
    said = references.probe.logits(queries)
    if excluded is not None:
        similarity = similarity.masked_fill(excluded, -1.0)
        logits = logits.masked_fill(excluded, _NEVER)
        said = said.masked_fill(excluded[:, references.probe.photo], _NEVER)
    share, probed = logits.softmax(1), said.softmax(1)
    points = references.points.double()
    near = (points @ points.T >= cosine_within(SAME_PLACE_KM)).float()
    votes = (1 - settings.probe_share) * share @ near + settings.probe_share * probed @ near[references.probe.photo]
    found, numbers = [], []
    for rank in range(settings.candidates):
        best = votes.argmax(1)
        found.append(best)
        cosine = points[best] @ points.T  # [n, m]
        mine = torch.arange(len(queries)), best
        sums = [(share * (cosine >= cosine_within(km))).sum(1) for km in CIRCLES_KM]
        sums.append((share * (references.country[best][:, None] == references.country)).sum(1))
        here = votes[mine].clamp(min=1e-4)
        place = [torch.full_like(here, float(rank == other)) for other in range(MOST_CANDIDATES)]
        numbers.append(torch.stack([similarity.amax(1), similarity[mine], *sums, here, here.log() / 4, *place], 1))
        votes = votes.masked_fill(near[best] > 0, -1.0)
    return Candidates(torch.stack(found, 1), torch.stack(numbers, 1))


class RowWriter:
    """Chains -> the words of candidates' rows."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary
        self._known: dict[str, list[int]] = {}

    def words(self, chain: Chain) -> list[tuple[int, int, int, int]]:
        """(word, word before it in an answer, last word of the name above, slot) WORDS times, as they stand in an answer."""
        point = chain.coordinate
        assert point is not None
        nothing = self._vocabulary.pad
        rows, above = [], nothing
        for slot, level in enumerate(Level, start=SLOTS.index(Level.CONTINENT.word)):
            words = self._ids(f" {chain.name(level)}") if chain.name(level) else []
            rows += [(word, last, above, slot) for last, word in pairwise([self._ids(":")[-1], *words])]
            above = words[-1] if words else above
        pair = []
        for slot, (before, degrees) in enumerate(((" (", point.lat), (" ", point.lon)), start=1):
            words = self._vocabulary.ids(f"{degrees:.{DECIMALS}f}")
            pair += [(word, last, above, slot) for last, word in pairwise([self._ids(before)[-1], *words])]
        return ([*pair, *rows] + [(nothing, nothing, nothing, 0)] * WORDS)[:WORDS]

    def _ids(self, text: str) -> list[int]:
        if text not in self._known:
            self._known[text] = self._vocabulary.ids(text)
        return self._known[text]

    def table(self, chains: Sequence[Chain]) -> Tensor:
        """[n, WORDS, WORD_FEATURES], int64."""
        return torch.tensor([self.words(chain) for chain in chains]).reshape(len(chains), WORDS, WORD_FEATURES)


def rows_of(words: Tensor, numbers: Tensor) -> Tensor:
    """Tables of words [n, c, WORDS, WORD_FEATURES], numbers [n, c, NUMBERS] -> rows [n, c * WORDS, FEATURES]."""
    spread = numbers[:, :, None].expand(-1, -1, WORDS, -1)
    return torch.cat([words.float(), spread], -1).flatten(1, 2)


def country_numbers(codes: Sequence[str | None]) -> Tensor:
    """[n]; equal numbers for equal codes, a number of its own for each photo without one."""
    known: dict[str, int] = {}
    return torch.tensor([known.setdefault(code or f"none {i}", len(known)) for i, code in enumerate(codes)])
