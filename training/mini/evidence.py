"""What the text model gets to know of a photo: its nearest training photos, where they were taken, and how near they are.

`describe` is the reference for the ONNX file, which computes the same (tests/training/test_mini.py compares both).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

from georapp import places
from georapp.geo import EARTH_RADIUS_KM
from training.album import SAME_PLACE_KM

OCTAVES = 4  # of the waves that describe a place: the shortest is 45 degrees long
DECIMALS = 2  # of the digits that describe a place: 1.1 km, as fine as the answers
COUNTRIES = tuple(sorted(places.countries()))
_DIGITS = {"lat": 2 + DECIMALS, "lon": 3 + DECIMALS}
STATIC = 3 + 4 * OCTAVES + sum(1 + 10 * digits for digits in _DIGITS.values()) + len(COUNTRIES)  # where a photo was taken
DYNAMIC = 6  # numbers that describe how it is related to this photo
FEATURES = STATIC + DYNAMIC
_SAME_PLACE = math.cos(SAME_PLACE_KM / EARTH_RADIUS_KM)


@dataclass(frozen=True, slots=True)
class Neighbours:
    """The k nearest reference photos of n photos: index, cosine, share of all similarity, and of that within 25 km; all [n, k]."""

    index: Tensor
    similarity: Tensor
    share: Tensor
    mass: Tensor


def nearest(
    queries: Tensor, references: Tensor, points: Tensor, sharpness: float, k: int, excluded: Tensor | None = None
) -> Neighbours:
    """Queries [n, w] and references [m, w], unit vectors; `points` [m, 3] of the references on the unit sphere.

    `excluded` [n, m]: references that a query may not see (itself, its photographer, a place that is to be new).
    """
    similarity = queries @ references.T
    logits = sharpness * similarity
    if excluded is not None:
        logits = logits.masked_fill(excluded, -1e4)
    share = logits.softmax(1)
    mass = share @ same_place(points).float()
    index = logits.topk(k, dim=1).indices
    return Neighbours(index, similarity.gather(1, index), share.gather(1, index), mass.gather(1, index))


def same_place(points: Tensor) -> Tensor:
    """Which of these points [n, 3] lie within 25 km of each other, bool [n, n]."""
    return points.double() @ points.double().T >= _SAME_PLACE


def place_features(lat: Tensor, lon: Tensor, country: Tensor) -> Tensor:
    """Degrees [...] and numbers of countries [...] (see country_numbers) -> [..., STATIC].

    The point on the sphere, waves of latitude and longitude, their signs and digits, the country. Digits and country are one-hot, so
    that a text model can copy them; from waves alone it had not learned to in 64,000 examples.
    """
    north, east = torch.deg2rad(lat), torch.deg2rad(lon)
    parts = [torch.stack([north.cos() * east.cos(), north.cos() * east.sin(), north.sin()], -1)]
    for octave in range(OCTAVES):
        angles = torch.stack([north, east], -1) * 2**octave
        parts += [angles.sin(), angles.cos()]
    for degrees, digits in ((lat, _DIGITS["lat"]), (lon, _DIGITS["lon"])):
        number = (degrees.abs().double() * 10**DECIMALS).round().long()
        each = torch.stack([number // 10**place % 10 for place in reversed(range(digits))], -1)
        parts += [(degrees < 0).float()[..., None], F.one_hot(each, 10).flatten(-2).float()]
    parts.append(F.one_hot(country + 1, len(COUNTRIES) + 1)[..., 1:].float())
    return torch.cat(parts, -1)


def country_numbers(codes: Sequence[str | None]) -> Tensor:
    """[n]; -1 for none."""
    numbers = {code: i for i, code in enumerate(COUNTRIES)}
    return torch.tensor([numbers.get(code or "", -1) for code in codes])


def describe(places: Tensor, found: Neighbours) -> Tensor:
    """`places` [n, k, STATIC] of the neighbours -> [n, k, FEATURES]."""
    k = found.similarity.shape[1]
    rank = (torch.arange(k, dtype=torch.float32) / k).expand_as(found.similarity)
    best = found.similarity[:, :1]
    dynamic = [
        found.similarity,
        (best - found.similarity) * 10,
        found.share,
        found.share.clamp(min=1e-6).log() / 10,
        found.mass,
        rank,
    ]
    return torch.cat([places, torch.stack(dynamic, -1)], -1)
