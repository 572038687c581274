"""Reading ahead changes nothing but the time: the same batches in the same order, errors at their step, an end without leftovers."""

from __future__ import annotations

import itertools
import pickle
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.errors import PhotoError  # noqa: E402
from georapp.run_settings import Model  # noqa: E402
from tests.training.toy_world import SETTINGS, ToyWorld  # noqa: E402
from training.ahead import Ahead  # noqa: E402
from training.base import load  # noqa: E402
from training.examples import Pictures  # noqa: E402

PATIENCE_S = 30


def of_a_step(source: Iterator[Any], count: int, device: Any) -> tuple[list[Any], int]:
    """As transformers' Trainer.get_batch_samples does it."""
    found = list(itertools.islice(source, count))
    return found, len(found)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 4)), max_size=3))
def test_every_epoch_gives_its_batches_in_order(epochs: list[tuple[int, int]]) -> None:
    with Ahead(of_a_step) as ahead:
        for length, count in epochs:
            source, steps = iter(range(length)), -(-length // count)
            counts = [*[count] * (steps - 1), length - count * (steps - 1)] if steps else []  # the last step may be a short one
            found = [ahead(source, wanted, None) for wanted in counts]
            assert [batch for batches, _ in found for batch in batches] == list(range(length))
            assert [said for _, said in found] == counts


def test_an_epoch_that_is_left_early_leaves_nothing_behind() -> None:
    with Ahead(of_a_step) as ahead:
        ahead(iter("abcdef"), 2, None)
        assert ahead(iter("uvwxyz"), 2, None)[0] == ["u", "v"]


def test_the_next_step_is_read_while_this_one_is_computed() -> None:
    read = threading.Semaphore(0)

    def batches() -> Iterator[int]:
        for number in range(6):
            yield number
            read.release()  # the next one is asked for

    with Ahead(of_a_step) as ahead:
        found, _ = ahead(batches(), 2, None)
        assert found == [0, 1]
        for _ in range(3):  # 0 and 1, and of the next step 2, for somebody asks for 3
            assert read.acquire(timeout=PATIENCE_S)


def test_what_cannot_be_read_is_said_at_its_own_step() -> None:
    def batches() -> Iterator[int]:
        yield 0
        raise PhotoError("b.jpg is damaged.")

    source = batches()
    with Ahead(of_a_step) as ahead:
        assert ahead(source, 1, None)[0] == [0]
        with pytest.raises(PhotoError, match=r"b\.jpg"):
            ahead(source, 1, None)


def test_an_end_waits_for_one_batch_at_most() -> None:
    asked: list[int] = []
    begun, go_on = threading.Event(), threading.Event()

    def batches() -> Iterator[int]:
        for number in range(1000):
            asked.append(number)
            if number == 3:
                begun.set()
                assert go_on.wait(PATIENCE_S)
            yield number

    with Ahead(of_a_step) as ahead:
        ahead(batches(), 3, None)
        assert begun.wait(PATIENCE_S)
        threading.Timer(0.05, go_on.set).start()
    assert asked == [0, 1, 2, 3]


# ---- photos ----


@pytest.fixture
def base(toy: ToyWorld) -> Any:
    return load(toy.taught, Model(**SETTINGS))


def test_photos_are_those_that_the_model_is_shown(base: Any, toy: ToyWorld) -> None:
    paths = [row.path for row in toy.album[:5]] * 2
    shown = Pictures(base)({"path": paths})

    assert shown["path"] == paths
    assert [picture.tobytes() for (picture,) in shown["images"]] == [base.photo(Path(path)).tobytes() for path in paths]


@pytest.mark.parametrize("room", [0, 40_000, 10**9])
def test_as_many_photos_are_kept_as_there_is_room_for(
    base: Any, toy: ToyWorld, room: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    photo = type(base).photo
    monkeypatch.setattr(type(base), "photo", lambda self, path: read.append(path) or photo(self, path))
    pictures, paths = Pictures(base, room), [row.path for row in toy.album[:4]]

    for _ in range(2):
        pictures({"path": [paths[0]] * 8})
    assert len(read) == 1  # answers to one photo
    for path in (*paths, *paths):
        pictures({"path": [path]})
    assert len(read) == {0: 8, 40_000: 8, 10**9: 4}[room]  # of 16 KB each, two fit into 40 KB
    assert pictures._used == {0: 1, 40_000: 2, 10**9: 4}[room] * 4 * 64 * 64


def test_the_model_is_not_pickled_with_the_photos(base: Any, toy: ToyWorld) -> None:
    """datasets does so, to tell two datasets apart."""
    data = pickle.dumps(Pictures(base))

    assert len(data) < 1000
    assert pickle.loads(data)({"path": [toy.album[0].path]})["images"][0][0].size == (64, 64)
