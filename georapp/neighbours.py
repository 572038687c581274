"""Features of training photos and where they were taken: the nearest one to a photo is a baseline for every model."""

from __future__ import annotations

import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from georapp.dataset import Reference
from georapp.errors import ModelError
from georapp.geo import Coordinate
from georapp.network import Pixels, input_size, open_network, run_network
from georapp.photo import Photo, scaled_to
from georapp.stop_flag import StopFlag


@dataclass(frozen=True, slots=True)
class References:
    """`features` float32 [n, d], each of length 1; `rows` say where they were taken, in the same order.

    `probe`: weights [p, d], biases [p] and rows of photos [p] of a linear classifier of the features into p places.
    """

    features: npt.NDArray[np.float32]
    rows: tuple[Reference, ...]
    probe: tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int64]] | None = None

    def nearest(self, features: npt.NDArray[np.float32]) -> int:
        """Index of the most similar training photo, by cosine, for features [d]."""
        return int((self.features @ features).argmax())

    def probed(self, features: npt.NDArray[np.float32]) -> Coordinate | None:
        """Where the linear probe puts features [d]; None for a model that comes without one."""
        if self.probe is None:
            return None
        weight, bias, row = self.probe
        return self.rows[int(row[(weight @ features + bias).argmax()])].coordinate


def read_references(path: Path) -> References:
    """A references.npz: features float16 [n, d], lat and lon float64 [n], country str [n]; perhaps a probe. Raises ModelError."""
    try:
        with np.load(path, allow_pickle=False) as data:
            features = data["features"].astype(np.float32)
            rows = tuple(
                Reference(Coordinate(float(lat), float(lon)), str(country))
                for lat, lon, country in zip(data["lat"], data["lon"], data["country"], strict=True)
            )
            probe = _probe(data, features.shape, len(rows)) if "probe_weight" in data else None
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise ModelError(f"{path.name} is damaged or no list of reference photos.") from error
    if features.ndim != 2 or len(features) != len(rows) or not len(rows):
        raise ModelError(f"{path.name} is damaged: its features and places differ in number.")
    return References(_unit(features), rows, probe)


def _probe(
    data: Mapping[str, npt.NDArray[Any]], shape: tuple[int, ...], photos: int
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    weight, bias, row = data["probe_weight"].astype(np.float32), data["probe_bias"].astype(np.float32), data["probe_row"]
    fits = weight.shape == (len(row), shape[-1]) and bias.shape == row.shape and np.issubdtype(row.dtype, np.integer)
    if not fits or not len(row) or row.min() < 0 or row.max() >= photos:
        raise ValueError("the probe does not fit the photos")
    return weight, bias, row


class FeatureTower:
    """The image tower of a model with an output `features`, run without llama.cpp."""

    def __init__(self, path: Path, *, threads: int) -> None:
        self._session = open_network(path, threads=threads)
        self._size = input_size(self._session)
        self._stop = StopFlag()

    def features(self, photo: Photo) -> npt.NDArray[np.float32]:
        """float32 [d] of length 1. Raises PhotoError, ModelError."""
        image = scaled_to(photo.pixels(), self._size)
        outputs = run_network(self._session, Pixels(image.tobytes(), *image.size), self._stop)
        if "features" not in outputs:
            raise ModelError("This image tower gives no features.")
        unit: npt.NDArray[np.float32] = _unit(outputs["features"])[0]
        return unit


def _unit(rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    length: npt.NDArray[np.float32] = np.linalg.norm(rows, axis=-1, keepdims=True)
    unit: npt.NDArray[np.float32] = (rows / np.maximum(length, 1e-12)).astype(np.float32)
    return unit
