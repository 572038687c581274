"""Writes the model folder: text.gguf, tower.onnx, references.npz, model.json."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from transformers import LlamaForCausalLM

from georapp.chain import Level
from georapp.models import DEFAULT, MANIFEST, Model, ModelFile, manifest
from training.album import AlbumPhoto
from training.export.text import write_text
from training.mini.corpus import degrees
from training.mini.decoder import RowsLlama
from training.mini.evidence import References, RowWriter
from training.mini.network_file import write_network
from training.mini.settings import Settings
from training.mini.trunk import Trunk
from training.mini.vocabulary import Vocabulary

TITLE = "georapp mini: a small model for a first look"
ABOUT = "Made by this project from 1,204 licensed photos of sights and the gazetteer. Its answers are weak hints; see its card."


@dataclass(frozen=True, slots=True)
class Finished:
    """All that was trained. `references` are those of `photos`."""

    trunk: Trunk
    decoder: RowsLlama
    vocabulary: Vocabulary
    photos: Sequence[AlbumPhoto]
    references: References
    temperature: float
    needed: Mapping[Level, float]


def publish(done: Finished, out: Path, settings: Settings, made_by: Mapping[str, Any]) -> None:
    """The folder `out` with all files. The id that pairs them depends on the weights alone."""
    out.mkdir(parents=True, exist_ok=True)
    pair = _pair_of(done)
    _write_text(done, out / "text.gguf", pair)
    _write_tower(done, out / "tower.onnx", settings, pair)
    _write_references(done, out / "references.npz")
    files = {name: _file(out / name) for name in ("text.gguf", "tower.onnx", "references.npz")}
    model = Model(
        folder=out,
        name=DEFAULT,
        text=files["text.gguf"],
        image=files["tower.onnx"],
        references=files["references.npz"],
        title=TITLE,
        about=ABOUT,
        licence="Apache-2.0",
        family="georapp-mini",
        profile="mini",
        samples=settings.answer.samples,
        temperature=done.temperature,
        context=1024,
        needed=dict(done.needed),
        made_by=dict(made_by),
    )
    (out / MANIFEST).write_text(manifest(model), encoding="utf-8")


def _pair_of(done: Finished) -> str:
    digest = hashlib.sha256()
    for module in (done.trunk, done.decoder):
        for name, values in sorted(module.state_dict().items()):
            digest.update(name.encode())
            digest.update(values.float().contiguous().numpy().tobytes())
    return digest.hexdigest()[:32]


def _write_text(done: Finished, path: Path, pair: str) -> None:
    config = done.decoder.config
    plain = LlamaForCausalLM(config)
    backbone = done.decoder.model
    own = {
        id(values) for part in (backbone.before, backbone.above, backbone.slots, backbone.numbers) for values in part.parameters()
    }
    weights = {name: values for name, values in done.decoder.state_dict(keep_vars=True).items() if id(values) not in own}
    plain.load_state_dict(weights)
    with tempfile.TemporaryDirectory() as folder:
        named = Path(folder) / DEFAULT  # the folder's name becomes the name inside the GGUF
        plain.save_pretrained(named)
        done.vocabulary.save(named)
        write_text(named, path, kind="f16", pair=pair)


def _write_tower(done: Finished, path: Path, settings: Settings, pair: str) -> None:
    words = RowWriter(done.vocabulary).table([photo.chain for photo in done.photos])
    write_network(path, done.trunk, done.decoder.model, done.references, words, settings, pair=pair)


def _write_references(done: Finished, path: Path) -> None:
    lat, lon = degrees(done.photos)
    probe = done.references.probe
    np.savez(
        path,
        features=done.references.features.numpy().astype(np.float16),
        lat=lat,
        lon=lon,
        country=np.array([photo.label.country_code or "" for photo in done.photos]),
        probe_weight=probe.weight.numpy().astype(np.float16),
        probe_bias=probe.bias.numpy().astype(np.float32),
        probe_row=probe.photo.numpy(),
    )


def _file(path: Path) -> ModelFile:
    data = path.read_bytes()
    return ModelFile(path.name, hashlib.sha256(data).hexdigest(), len(data))
