"""How far votes are to be believed: the probability that each candidate is the place, from the numbers of all of them.

A conditional logit (McFadden 1974) with one weight a number, fitted on what happened to photos in cross-fitting. Moved examples draw their
right candidate from it. When they kept the one that was right in truth, a text model that met each pattern of votes twenty times
learned by heart which candidate goes with which pattern, and chose worse than the votes themselves on photographers that it had not met.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional as F

_SHRINK = 1e-3  # of squared weights
_STEPS = 200
_LEAST_SHARE = 1e-4


@dataclass(frozen=True, slots=True)
class Belief:
    """Weights of `_inputs`."""

    weights: Tensor

    def of(self, numbers: Tensor) -> Tensor:
        """Numbers of candidates [n, c, NUMBERS] -> probabilities [n, c]."""
        return (_inputs(numbers) @ self.weights).softmax(1)


def fit_belief(numbers: Tensor, right: Tensor) -> Belief:
    """From examples [n, c, NUMBERS] of which candidate `right` [n] was the place."""
    inputs = _inputs(numbers)
    weights = torch.zeros(inputs.shape[-1], requires_grad=True)
    optimiser = torch.optim.LBFGS([weights], max_iter=_STEPS, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        found: Tensor = F.cross_entropy(inputs @ weights, right) + _SHRINK * weights.square().sum()
        found.backward()
        return found

    optimiser.step(loss)
    return Belief(weights.detach())


def _inputs(numbers: Tensor) -> Tensor:
    """[n, c, 4]: logarithms of the votes, and of the similarity within the largest circle and in the country; how much less similar
    the candidate is than the most similar photo."""
    highest, own, _, _, region, country, votes = numbers[..., :7].unbind(-1)
    shares = torch.stack([votes, region, country], -1).clamp(min=_LEAST_SHARE).log()
    return torch.cat([shares, (own - highest)[..., None]], -1)
