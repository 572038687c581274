"""What the text model is fine-tuned on: photos of `fit` as the tower of their fold saw them, and the answers to them.

Each photo comes several times: whole and cropped, with all reference photos, and with those of its own place taken away, so that
places which the tower does not know are half of what the model meets.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from georapp.chain import Chain, ChainFormat, render
from training.album import AlbumPhoto
from training.mini.evidence import DECIMALS, Candidates, RowWriter, rows_of

Floats = npt.NDArray[np.float64]


def answer_text(chain: Chain) -> str:
    """The target, in the five-level format."""
    return render(chain, ChainFormat.FIVE, decimals=DECIMALS)


@dataclass(frozen=True, slots=True)
class Records:
    """Evidence of n examples: candidates (rows of `fit`), and the photo (row of `fit`) that each example is about."""

    found: Candidates
    photo: Tensor  # [n]

    def __len__(self) -> int:
        return len(self.photo)

    def take(self, rows: Tensor) -> Records:
        """Some of the examples."""
        return Records(self.found.take(rows), self.photo[rows])


def joined(parts: Sequence[Records]) -> Records:
    """One after another."""
    fields = [torch.cat([getattr(p.found, name) for p in parts]) for name in Candidates.FIELDS]
    return Records(Candidates(*fields), torch.cat([p.photo for p in parts]))


class RealExamples:
    """Records -> (evidence [rows, FEATURES], text)."""

    def __init__(self, records: Records, photos: Sequence[AlbumPhoto], writer: RowWriter) -> None:
        self.records = records
        self._words = writer.table([photo.chain for photo in photos])
        self._texts = [answer_text(photo.chain) for photo in photos]

    def evidence(self, rows: Tensor) -> Tensor:
        """[n, rows, FEATURES]."""
        part = self.records.take(rows)
        return rows_of(self._words[part.found.index], part.found.numbers)

    def texts(self, rows: Tensor) -> list[str]:
        """The answers."""
        return [self._texts[i] for i in self.records.photo[rows].tolist()]


def degrees(photos: Sequence[AlbumPhoto]) -> tuple[Floats, Floats]:
    """Latitudes and longitudes [n]."""
    return np.array([p.coordinate.lat for p in photos]), np.array([p.coordinate.lon for p in photos])
