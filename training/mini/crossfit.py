"""Evidence for every training photo from a tower that was trained without it, its photographer and its fold.

A text model that saw the evidence of photos that the tower knows by heart would learn to believe it always. Each photo is described
twice: as it is, and with all references near its own place taken away, which is how photos of new places look.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from training.album import SAME_PLACE_KM, AlbumPhoto, bucket, distances_km, unit_vectors
from training.mini.corpus import Records, joined
from training.mini.evidence import Neighbours, nearest
from training.mini.settings import Settings
from training.mini.tower import train_trunk
from training.mini.trunk import Trunk, in_batches

_TAKEN_AWAY_KM = 2 * SAME_PLACE_KM
THRESHOLDS_KM = (25, 200, 750, 2500)


@dataclass(frozen=True, slots=True)
class CrossFit:
    """`records`: examples of all folds. `is_new`: those whose own place was taken away. `features` [n, w] of the whole photos."""

    records: Records
    is_new: Tensor
    view: Tensor
    fold: Tensor  # of each photo, not of each example
    features: Tensor

    def rows(self, photos: Tensor, *, whole_only: bool = False) -> Tensor:
        """The examples about these photos; `photos` bool [n]."""
        wanted = photos[self.records.photo]
        return torch.nonzero(wanted & (self.view == 0) if whole_only else wanted).flatten()


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


def cross_fit(photos: Sequence[AlbumPhoto], views: Tensor, settings: Settings, folder: Path) -> CrossFit:
    """One trunk for each fold; all that is known of a photo comes from the trunk and the photos of the other folds."""
    file = folder / "crossfit.pt"
    if file.exists():
        kept: CrossFit = torch.load(file, weights_only=False)
        return kept
    found = _cross_fit(photos, views, settings, folder)
    torch.save(found, file)
    return found


def _cross_fit(photos: Sequence[AlbumPhoto], views: Tensor, settings: Settings, folder: Path) -> CrossFit:
    fold = fold_of(photos, settings.folds)
    km = torch.from_numpy(distances_km(photos, photos))
    features = torch.zeros(len(photos), settings.tower.width)
    records, is_new, view = [], [], []
    for number in range(settings.folds):
        inside = torch.nonzero(fold != number).flatten()
        outside = torch.nonzero(fold == number).flatten()
        file = folder / f"trunk_fold{number}.pt"
        trunk = trained_trunk(
            [photos[i] for i in inside], views[inside], settings, file, seed=settings.seed + number, say=f" {number}"
        )
        references = in_batches(trunk, views[inside, 0])
        for which in range(settings.text.evidence_views):
            queries = in_batches(trunk, views[outside, which])
            if which == 0:
                features[outside] = queries
            for away in (False, True):
                excluded = km[outside][:, inside] <= _TAKEN_AWAY_KM if away else None
                records.append(_records(queries, references, photos, inside, outside, trunk, settings.text.rows, excluded))
                is_new.append(torch.full((len(outside),), away))
                view.append(torch.full((len(outside),), which))
        _report(number, records[-2 * settings.text.evidence_views], km)
    return CrossFit(joined(records), torch.cat(is_new), torch.cat(view), fold, features)


def _records(
    queries: Tensor,
    references: Tensor,
    photos: Sequence[AlbumPhoto],
    inside: Tensor,
    outside: Tensor,
    trunk: Trunk,
    k: int,
    excluded: Tensor | None,
) -> Records:
    points = torch.from_numpy(unit_vectors([photos[i] for i in inside]))
    found = nearest(queries, references, points, float(trunk.log_sharpness.detach().exp()), k, excluded)
    return Records(Neighbours(inside[found.index], found.similarity, found.share, found.mass), outside)


def _report(fold: int, records: Records, km: Tensor) -> None:
    """What the evidence alone is worth: the nearest photo, and the photo around which most similarity lies within 25 km."""
    voted = records.found.index.gather(1, records.found.mass.argmax(1, keepdim=True))[:, 0]
    for name, answer in (("nearest photo", records.found.index[:, 0]), ("most similarity", voted)):
        distance = km[records.photo, answer]
        shares = " ".join(f"<={limit} km {(distance <= limit).double().mean():.3f}" for limit in THRESHOLDS_KM)
        print(f"tower: fold {fold}, {len(records)} photos, {name}: {shares}", flush=True)
