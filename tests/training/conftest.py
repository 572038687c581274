"""What tests of the training half get, where it is installed: one thread, because others compute on the same cores, and no bars."""

from __future__ import annotations

import importlib.util

import pytest


@pytest.fixture(scope="session", autouse=True)
def _one_quiet_thread() -> None:
    if importlib.util.find_spec("torch") is None:
        return
    import torch
    import transformers

    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
