"""A linear probe of the tower: what its features say by themselves, as a baseline for the whole model.

Multinomial logistic regression from the features to places (photos within 25 km of each other), answered with the middle of the most
probable place. Its ridge is chosen by cross-fitting (crossfit.py), on features from towers that did not know the photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.album import SAME_PLACE_KM, AlbumPhoto, distances_km

RIDGES = (1e-5, 1e-4, 1e-3)
_STEPS = 150


@dataclass(frozen=True, slots=True)
class Probe:
    """`weight` [places, width], `bias` [places]; `photo` [places]: the row of the photo in the middle of each place."""

    weight: Tensor
    bias: Tensor
    photo: Tensor

    def logits(self, features: Tensor) -> Tensor:
        """[n, places] for features [n, width]."""
        return features @ self.weight.T + self.bias

    def answers(self, features: Tensor) -> Tensor:
        """Rows of photos [n] for features [n, width]."""
        return self.photo[self.logits(features).argmax(1)]


def places_of(photos: Sequence[AlbumPhoto]) -> tuple[Tensor, Tensor]:
    """(place of each photo [n], row of the photo in the middle of each place): the fullest circles first."""
    near = torch.from_numpy(distances_km(photos, photos)) <= SAME_PLACE_KM
    place, middles = torch.full((len(photos),), -1), list[int]()
    while (place < 0).any():
        free = place < 0
        middle = int((near & free[None]).sum(1).masked_fill(~free, -1).argmax())
        place[near[middle] & free] = len(middles)
        middles.append(middle)
    return place, torch.tensor(middles)


def fit_probe(features: Tensor, photos: Sequence[AlbumPhoto], ridge: float) -> Probe:
    """Features [n, width] of length 1."""
    place, middles = places_of(photos)
    weight = torch.zeros(len(middles), features.shape[1], requires_grad=True)
    bias = torch.zeros(len(middles), requires_grad=True)
    optimiser = torch.optim.LBFGS([weight, bias], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        value = F.cross_entropy(features @ weight.T + bias, place) + ridge * weight.square().sum()
        value.backward()
        return value

    optimiser.step(loss)
    return Probe(weight.detach(), bias.detach(), middles)
