"""Every number that was chosen. They were chosen by cross-fitting inside `fit`; README.md has the runs that lost."""

from __future__ import annotations

import math
from dataclasses import dataclass

HELD_OUT_PERCENT = 15  # of the photographers: answering is chosen on their photos, which the text model is not tuned on


@dataclass(frozen=True, slots=True)
class TowerSettings:
    """The image tower. Distances of the loss are levels of "the same place": sight, town, region, and the country and continent."""

    image_size: int = 448  # pixels a side
    frozen_blocks: int = 8  # of 16; their maps are computed once for every view
    views: int = 4  # random crops of each photo, besides the whole
    smallest_crop: float = 0.35  # share of the photo's area
    width: int = 256  # of an embedding
    epochs: int = 4
    batch: int = 32
    rate: float = 2e-5  # trunk; larger ones learn the photos by heart
    head_rate: float = 1e-4  # embedding
    weight_decay: float = 0.05
    dropout: float = 0.1
    sharpness: float = 20.0  # of the similarity, at the start; it is learned
    average: float = 0.99  # of the weights over steps


@dataclass(frozen=True, slots=True)
class EvidenceSettings:
    """How places are voted for."""

    candidates: int = 4  # places that are shown to the text model; evidence.MOST_CANDIDATES at most
    softness: float = 0.75  # factor on the tower's own sharpness
    hub_neighbours: int = 5
    hub_share: float = 0.5  # of a photo's likeness to its neighbours that is taken from its likeness to a new photo
    probe_share: float = 0.3  # of all votes


@dataclass(frozen=True, slots=True)
class Phase:
    """A part of pretraining. `favour`: how much more often than in truth it draws evidence that holds the right place; infinity for
    always, and then it is shown alone, for copying to be learned."""

    examples: int
    rate: float
    favour: float


@dataclass(frozen=True, slots=True)
class TextSettings:
    """The text model."""

    vocabulary: int = 4096
    width: int = 192
    layers: int = 4
    heads: int = 3
    inner: int = 512
    pretrain_batch: int = 32
    pretrain_phases: tuple[Phase, ...] = (Phase(20_000, 1.5e-3, math.inf), Phase(45_000, 1.5e-3, 6.0))
    sft_epochs: int = 2
    sft_favour: float = 100.0  # of the moved examples among them
    sft_batch: int = 32
    sft_rate: float = 3e-4
    smallest_town: int = 15_000  # people; the towns whose names and places it learns


@dataclass(frozen=True, slots=True)
class AnswerSettings:
    """How the finished model answers."""

    samples: int = 8
    temperatures: tuple[float, ...] = (0.5, 0.7, 1.0)  # to choose from, on held-out photographers
    needed_right: float = 0.6  # share of statements at a level that must be right on held-out photos for it to be stated


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything, with the seed of all drawing."""

    seed: int = 0
    folds: int = 3
    threads: int = 2
    tower: TowerSettings = TowerSettings()
    evidence: EvidenceSettings = EvidenceSettings()
    text: TextSettings = TextSettings()
    answer: AnswerSettings = AnswerSettings()
