"""Trains the trunk so that photos of one place lie near each other, whoever took them.

The loss is the one thing that is wanted: among all training photos *by other photographers*, the share of similarity that falls on
photos of the same sight, town, region, country and continent (neighbourhood components analysis, Goldberger et al. 2004, at five
levels). A classifier was tried and only learned the photos by heart.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from training.album import SAME_PLACE_KM, SAME_SIGHT_KM, AlbumPhoto, distances_km
from training.mini.settings import TowerSettings
from training.mini.trunk import Trunk, in_batches

_NEVER = -1e4  # a logit that no softmax sees
_WARM_UP = 50  # steps


@dataclass(frozen=True, slots=True)
class Levels:
    """For each level which pairs of photos count as the same place, [n, n], with the weight of the level; and pairs to ignore."""

    same: tuple[tuple[Tensor, float], ...]
    ignore: Tensor


def levels_of(photos: Sequence[AlbumPhoto]) -> Levels:
    """Photos by the same photographer are ignored everywhere: they are too much alike."""
    km = torch.from_numpy(distances_km(photos, photos)).float()
    authors = _equal([photo.author for photo in photos])
    countries = _equal([photo.label.country_code or photo.id for photo in photos])
    wanted = ((km <= SAME_SIGHT_KM, 1.0), (km <= SAME_PLACE_KM, 1.0), (km <= 200, 0.5), (countries, 0.3), (km <= 2500, 0.3))
    return Levels(tuple((same & ~authors, weight) for same, weight in wanted), authors)


def _equal(words: Sequence[str]) -> Tensor:
    numbers = {word: i for i, word in enumerate(dict.fromkeys(words))}
    ids = torch.tensor([numbers[word] for word in words])
    return ids[:, None] == ids[None]


def loss_of(queries: Tensor, rows: Tensor, memory: Tensor, sharpness: Tensor, levels: Levels) -> Tensor:
    """Queries [b, w] of the photos `rows` [b] against the memory [n, w] of all photos. Photos without a partner at a level skip it."""
    keys = memory.index_copy(0, rows, queries)
    logits = (sharpness * queries @ keys.T).masked_fill(levels.ignore[rows], _NEVER)
    log_share = logits.log_softmax(1)
    total = queries.new_zeros(())
    for same, weight in levels.same:
        here = same[rows]
        partners = here.any(1)
        if partners.any():
            mass = torch.logsumexp(log_share.masked_fill(~here, _NEVER), 1)
            total = total - weight * mass[partners].sum() / len(rows)
    return total


def train_trunk(photos: Sequence[AlbumPhoto], views: Tensor, settings: TowerSettings, *, seed: int, say: str = "") -> Trunk:
    """The averaged weights after all epochs. `views` [n, 1 + v, c, h, w] are those of `photos`, in the same order."""
    torch.manual_seed(seed)
    trunk = Trunk(settings)
    trunk.start_embedding(in_batches(trunk, views[:, 0], "pooled"))
    average = copy.deepcopy(trunk)
    levels, memory = levels_of(photos), in_batches(trunk, views[:, 0])
    optimiser, schedule = _optimiser(trunk, settings, len(photos))
    generator = torch.Generator().manual_seed(seed)
    for epoch in range(settings.epochs):
        total, steps = 0.0, 0
        trunk.train()
        for rows in torch.randperm(len(photos), generator=generator).split(settings.batch)[: len(photos) // settings.batch]:
            chosen = torch.randint(1, views.shape[1], (len(rows),), generator=generator)
            total += _step(trunk, views[rows, chosen], rows, memory, levels, optimiser)
            schedule.step()
            steps += 1
            _follow(average, trunk, settings.average, epoch * len(photos) // settings.batch + steps)
        print(f"tower{say}: epoch {epoch + 1}, loss {total / steps:.3f}", flush=True)
    return average


def _optimiser(
    trunk: Trunk, settings: TowerSettings, n: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler]:
    head = [trunk.power, trunk.log_sharpness, *trunk.embedding.parameters()]
    ids = {id(parameter) for parameter in head}
    body = [parameter for parameter in trunk.parameters() if parameter.requires_grad and id(parameter) not in ids]
    optimiser = torch.optim.AdamW(
        [
            {"params": body, "lr": settings.rate, "weight_decay": settings.weight_decay},
            {"params": head, "lr": settings.head_rate, "weight_decay": 0.0},
        ]
    )
    steps = settings.epochs * (n // settings.batch)

    def rate(step: int) -> float:
        return min(1.0, (step + 1) / _WARM_UP) * 0.5 * (1 + math.cos(math.pi * step / steps))

    return optimiser, torch.optim.lr_scheduler.LambdaLR(optimiser, rate)


def _step(trunk: Trunk, maps: Tensor, rows: Tensor, memory: Tensor, levels: Levels, optimiser: torch.optim.Optimizer) -> float:
    queries = trunk(maps.float().contiguous(memory_format=torch.channels_last))
    loss = loss_of(queries, rows, memory, trunk.log_sharpness.exp(), levels)
    optimiser.zero_grad()
    loss.backward()
    nn.utils.clip_grad_norm_(trunk.parameters(), 1.0)
    optimiser.step()
    memory[rows] = F.normalize(memory[rows] + queries.detach(), dim=1)
    return float(loss.detach())


def _follow(average: Trunk, trunk: Trunk, share: float, step: int) -> None:
    share = min(share, (1 + step) / (10 + step))
    with torch.no_grad():
        for mine, theirs in zip(average.parameters(), trunk.parameters(), strict=True):
            mine.mul_(share).add_(theirs, alpha=1 - share)
