"""Evidence for every training photo from a tower that was trained without it, its photographer and its fold.

A text model that saw the evidence of photos that the tower knows by heart would learn to believe it always. Each photo is described
twice: as it is, and with all references near its own place taken away, which is how photos of new places look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import torch
from torch import Tensor

from training.album import SAME_PLACE_KM, AlbumPhoto, bucket, distances_km
from training.mini.corpus import Records, joined
from training.mini.evidence import Candidates, candidates_of, references_of
from training.mini.probe import RIDGES, fit_probe
from training.mini.settings import EvidenceSettings, Settings
from training.mini.tower import train_trunk
from training.mini.trunk import Trunk, in_batches

_TAKEN_AWAY_KM = 2 * SAME_PLACE_KM
THRESHOLDS_KM = (25, 200, 750, 2500)


@dataclass(frozen=True, slots=True)
class CrossFit:
    """`records`: examples of all folds. `is_new`: those whose own place was taken away. `view`: 0 for the whole photo. `right`:
    those with a candidate within 25 km. `ridge`: the probe's."""

    records: Records
    is_new: Tensor
    view: Tensor
    right: Tensor
    ridge: float

    def to_tune(self, photos: Tensor) -> Tensor:
        """Examples about these photos (bool [n]) for the text model: all views in which one of the candidates is right.

        It is to learn to choose between them.
        """
        return torch.nonzero(photos[self.records.photo] & self.right).flatten()

    def to_judge(self, photos: Tensor) -> Tensor:
        """Examples about these photos, whole, with their own place and without."""
        return torch.nonzero(photos[self.records.photo] & (self.view == 0)).flatten()


def fold_of(photos: Sequence[AlbumPhoto], folds: int) -> Tensor:
    """[n]; a photographer is in one fold."""
    return torch.tensor([bucket(photo.author, "fold", folds) for photo in photos])


def trained_trunk(photos: Sequence[AlbumPhoto], views: Tensor, settings: Settings, file: Path, *, seed: int, say: str) -> Trunk:
    """Trained, or read from `file` when it was trained before."""
    if file.exists():
        trunk = Trunk(settings.tower)
        trunk.load_state_dict(torch.load(file))
        return trunk
    trunk = train_trunk(photos, views, settings.tower, seed=seed, say=say)
    torch.save(trunk.state_dict(), file)
    return trunk


@dataclass(frozen=True, slots=True)
class Seen:
    """What the trunk of one fold sees: features [inside, w] of its training photos, and [outside, 1 + views, w] of all others."""

    inside: Tensor
    outside: Tensor
    known: Tensor
    queries: Tensor
    sharpness: float


def seen(photos: Sequence[AlbumPhoto], views: Tensor, settings: Settings, folder: Path) -> list[Seen]:
    """One trunk for each fold; all that is known of a photo comes from the trunk and the photos of the other folds."""
    file = folder / "seen.pt"
    if not file.exists():
        fold = fold_of(photos, settings.folds)
        torch.save([_seen(photos, views, settings, folder, fold, number) for number in range(settings.folds)], file)
    found: list[Seen] = torch.load(file, weights_only=False)
    return found


def _seen(photos: Sequence[AlbumPhoto], views: Tensor, settings: Settings, folder: Path, fold: Tensor, number: int) -> Seen:
    inside, outside = (torch.nonzero(side).flatten() for side in (fold != number, fold == number))
    chosen, file = [photos[i] for i in inside], folder / f"trunk_fold{number}.pt"
    trunk = trained_trunk(chosen, views[inside], settings, file, seed=settings.seed + number, say=f" {number}")
    queries = torch.stack([in_batches(trunk, views[outside, view]) for view in range(views.shape[1])], 1)
    return Seen(inside, outside, in_batches(trunk, views[inside, 0]), queries, trunk.sharpness)


def cross_fit(photos: Sequence[AlbumPhoto], folds: Sequence[Seen], settings: EvidenceSettings) -> CrossFit:
    """Evidence for all photos, in all views, with their own place and without."""
    km = torch.from_numpy(distances_km(photos, photos))
    ridge = _chosen_ridge(photos, folds, km)
    records, is_new, view = [], [], []
    for number, part in enumerate(folds):
        references = references_of(part.known, [photos[i] for i in part.inside], settings, ridge)
        for which, away in product(range(part.queries.shape[1]), (False, True)):
            excluded = km[part.outside][:, part.inside] <= _TAKEN_AWAY_KM if away else None
            found = candidates_of(part.queries[:, which], references, part.sharpness, settings, excluded)
            record = Records(Candidates(part.inside[found.index], found.numbers), part.outside)
            if which == 0 and not away:
                _report(number, record, km)
            records.append(record)
            is_new.append(torch.full((len(record),), away))
            view.append(torch.full((len(record),), which))
    every = joined(records)
    right = (km[every.photo[:, None], every.found.index] <= SAME_PLACE_KM).any(1)
    return CrossFit(every, torch.cat(is_new), torch.cat(view), right, ridge)


def _chosen_ridge(photos: Sequence[AlbumPhoto], folds: Sequence[Seen], km: Tensor) -> float:
    """The ridge of the linear probe with most photos within 25 km, each fold answered by a probe of the others."""
    right = dict.fromkeys(RIDGES, 0)
    for ridge, part in product(RIDGES, folds):
        probe = fit_probe(part.known, [photos[i] for i in part.inside], ridge)
        answers = part.inside[probe.answers(part.queries[:, 0])]
        right[ridge] += int((km[part.outside, answers] <= SAME_PLACE_KM).sum())
    print(f"probe: photos within 25 km for each ridge: {right}", flush=True)
    return max(right, key=lambda ridge: right[ridge])


def _report(fold: int, records: Records, km: Tensor) -> None:
    """What the evidence alone is worth: its first candidate, and any of them."""
    far = km[records.photo[:, None], records.found.index]
    for name, distance in (("first candidate", far[:, 0]), ("best candidate", far.amin(1))):
        shares = " ".join(f"<={limit} km {(distance <= limit).double().mean():.3f}" for limit in THRESHOLDS_KM)
        print(f"tower: fold {fold}, {len(records)} photos, {name}: {shares}", flush=True)
