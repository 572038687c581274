"""A linear probe of the tower: what its features say by themselves, as a baseline for the whole model.

Multinomial logistic regression from the features to places (photos within 25 km of each other), answered with the middle of the most
probable place. Its ridge is chosen by cross-fitting, on features from towers that did not know the photos.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from training.album import SAME_PLACE_KM, AlbumPhoto, bucket, distances_km

RIDGES = (1e-5, 1e-4, 1e-3)
_STEPS = 150


@dataclass(frozen=True, slots=True)
class Probe:
    """`weight` [places, width], `bias` [places]; `photo` [places]: the row of the photo in the middle of each place."""

    weight: Tensor
    bias: Tensor
    photo: Tensor

    def answers(self, features: Tensor) -> Tensor:
        """Rows of photos [n] for features [n, width]."""
        return self.photo[(features @ self.weight.T + self.bias).argmax(1)]


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


def chosen_ridge(features: Tensor, fold: Tensor, photos: Sequence[AlbumPhoto]) -> float:
    """The ridge with most photos within 25 km, each fold answered by a probe of the others.

    `features` [n, width] come from towers that did not know the photo; towers of different folds turn their features differently, so
    only differences in ridge, not the figures themselves, mean anything.
    """
    km = torch.from_numpy(distances_km(photos, photos))
    half = torch.tensor([bucket(photo.author, "probe", 2) for photo in photos])
    best = (-1, RIDGES[0])
    for ridge in RIDGES:
        right = 0
        for number in fold.unique().tolist():
            # Only within a fold features come from one tower, so each fold is halved, by photographers.
            learn, judge = (torch.nonzero((fold == number) & (half == side)).flatten() for side in (0, 1))
            probe = fit_probe(features[learn], [photos[i] for i in learn], ridge)
            answer = learn[probe.answers(features[judge])]
            right += int((km[judge, answer] <= SAME_PLACE_KM).sum())
        best = max(best, (right, ridge))
        print(f"probe: ridge {ridge:g}, {right} photos within 25 km", flush=True)
    return best[1]
