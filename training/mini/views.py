"""Views of photos as the frozen part of the trunk sees them, computed once: [photos, 1 + views, c, h, w]. View 0 is the whole photo."""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from georapp import photo as photos
from georapp.photo import scaled_to
from training.album import AlbumPhoto
from training.mini.settings import TowerSettings
from training.mini.trunk import MEAN, SCALE, Trunk


def cached_views(album: Sequence[AlbumPhoto], trunk: Trunk, settings: TowerSettings, file: Path, *, seed: int) -> Tensor:
    """bfloat16, memory-mapped from `file`, which is made when it is not there."""
    if not file.exists():
        torch.save(_compute(album, trunk, settings, seed), file)
    views: Tensor = torch.load(file, mmap=True)
    if len(views) != len(album):
        raise ValueError(f"{file} belongs to another album; delete it.")
    return views


def _compute(album: Sequence[AlbumPhoto], trunk: Trunk, settings: TowerSettings, seed: int) -> Tensor:
    trunk.eval()
    found = []
    for i, row in enumerate(album):
        rng = random.Random(f"{seed} {row.id}")
        image = photos.read(row.path).pixels()
        pixels = [whole(image, settings.image_size), *(random_view(image, settings, rng) for _ in range(settings.views))]
        batch = torch.stack(pixels).contiguous(memory_format=torch.channels_last)
        with torch.no_grad():
            found.append(trunk.lower(batch).bfloat16().contiguous())
        if i % 100 == 0:
            print(f"views of {i} of {len(album)} photos", flush=True)
    return torch.stack(found)


def whole(image: Image.Image, size: int) -> Tensor:
    """The whole photo, as in use: normalised [3, size, size]."""
    return _normalised(scaled_to(image, (size, size)))


def random_view(image: Image.Image, settings: TowerSettings, rng: random.Random) -> Tensor:
    """A random crop, perhaps mirrored, in other light."""
    size = settings.image_size
    view = image.resize((size, size), Image.Resampling.BICUBIC, box=_random_box(image.size, settings.smallest_crop, rng))
    if rng.random() < 0.5:
        view = view.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    pixels = _normalised(view) * rng.uniform(0.75, 1.25) + rng.uniform(-0.25, 0.25)
    pixels = pixels + torch.tensor([rng.gauss(0, 0.08) for _ in range(3)]).view(3, 1, 1)
    return pixels.mean(0, keepdim=True).expand(3, -1, -1) if rng.random() < 0.1 else pixels


def _random_box(size: tuple[int, int], smallest: float, rng: random.Random) -> tuple[float, float, float, float]:
    width, height = size
    for _ in range(20):
        area = rng.uniform(smallest, 1.0) * width * height
        shape = math.exp(rng.uniform(-0.35, 0.35)) * width / height
        w, h = math.sqrt(area * shape), math.sqrt(area / shape)
        if w <= width and h <= height:
            left, top = rng.uniform(0, width - w), rng.uniform(0, height - h)
            return left, top, left + w, top + h
    return 0.0, 0.0, float(width), float(height)


def _normalised(image: Image.Image) -> Tensor:
    pixels = (np.asarray(image, np.float32) - MEAN) / SCALE
    return torch.from_numpy(pixels.transpose(2, 0, 1).copy())
