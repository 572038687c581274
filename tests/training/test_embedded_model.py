"""The embedded model on real photos: llama.cpp beside torch, and the model beside its baselines."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp import models  # noqa: E402
from georapp.engine import EngineOptions  # noqa: E402
from georapp.families import MARKER  # noqa: E402
from georapp.locate import Locator, Request  # noqa: E402
from georapp.network import open_network, run_network  # noqa: E402
from georapp.photo import read as read_photo  # noqa: E402
from georapp.stop_flag import StopFlag  # noqa: E402
from training.album import read_album  # noqa: E402
from training.mini.parity import TextTwin  # noqa: E402

PHOTOS = 110
WANTED = 0.99  # share of photos with the same greedy chain


@pytest.mark.photos
def test_llama_cpp_and_torch_write_the_same_chains(photo_folder: Path) -> None:
    model = models.find()
    assert model.image
    twin = TextTwin(model.path(model.text))
    session = open_network(model.path(model.image), threads=1)
    same = []
    album = read_album(photo_folder)
    photos = (*album.known, *album.new)[::3][:PHOTOS]
    assert len(photos) >= 100
    with Locator.open(model, EngineOptions(threads=1)) as locator:
        before, after = (locator.engine.text.tokenize(part, begin=False) for part in locator._prompt.split(MARKER))
        for row in photos:
            photo = read_photo(row.path)
            answer = locator.locate(photo, Request(samples=1)).samples[0].text
            rows = run_network(session, locator.pixels(photo.pixels()), StopFlag())["rows"][0]
            ids = twin.greedy(before, torch.from_numpy(rows), after, locator.profile.max_tokens)
            same.append(b"".join(locator.engine.text.piece(token) for token in ids).decode("utf-8", "replace") == answer)
    assert sum(same) >= WANTED * len(same), f"{sum(same)} of {len(same)}"
