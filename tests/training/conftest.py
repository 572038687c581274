"""What tests of the training half get, where it is installed: one thread, because others compute on the same cores, and no bars."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

from tests.training.toy_world import ToyWorld


@pytest.fixture(scope="session", autouse=True)
def _one_quiet_thread() -> None:
    if importlib.util.find_spec("torch") is None:
        return
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> ToyWorld:
    """The toy world of toy_world.py, with a model that knows eight of its cities; made once. Nobody may write into it."""
    return ToyWorld.make(tmp_path_factory.mktemp("toy"))


@pytest.fixture(scope="session")
def finished(toy: ToyWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of SFT and GRPO without any interruption (short_runs.py). Nobody may write into it."""
    from tests.training.short_runs import new_run
    from training import pipeline

    run = new_run(tmp_path_factory.mktemp("runs") / "finished", toy)
    assert pipeline.run(run) == 0
    return run
