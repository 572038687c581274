"""What every test gets: a user's folder of its own. Nothing of the machine's real user is read or written."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import numpy as np
import pytest
from PIL import Image

from georapp import paths

hypothesis.settings.register_profile("georapp", deadline=None)  # a busy machine is no failure
hypothesis.settings.load_profile("georapp")

DEMO = paths.resources() / "demo"


@pytest.fixture(autouse=True)
def _own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("GEORAPP_HOME", str(tmp_path / "georapp-home"))
    yield


@pytest.fixture
def picture() -> Image.Image:
    """A picture with structure everywhere, so that scaling and turning it shows."""
    return textured(160, 120)


def textured(width: int, height: int, seed: int = 0) -> Image.Image:
    """Smooth noise: looks like nothing, compresses like a photo."""
    rng = np.random.default_rng(seed)
    small = rng.integers(0, 255, (max(2, height // 16), max(2, width // 16), 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


@pytest.fixture(scope="session")
def photo_folder() -> Path:
    """The folder of licensed training photos, for the tests marked `photos`."""
    return Path(os.environ["GEORAPP_PHOTOS"])


def pytest_unconfigure() -> None:
    """llama_cpp opens /dev/null twice and leaves both to the garbage collector, which complains when everything else is gone."""
    utils = sys.modules.get("llama_cpp._utils")
    for name in ("outnull_file", "errnull_file"):
        file = getattr(utils, name, None)
        if file is not None:
            file.close()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Tests marked `photos` need a folder that only builders of the model have; elsewhere they are skipped and counted."""
    folder = os.environ.get("GEORAPP_PHOTOS")
    if folder and (Path(folder) / "photos.csv").is_file():
        return
    for item in items:
        if "photos" in item.keywords:
            item.add_marker(pytest.mark.skip(reason="GEORAPP_PHOTOS does not name the folder of licensed training photos"))
