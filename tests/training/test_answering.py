"""Answers of a model in torch: of one family that has learned something, and of all families that have not."""

from __future__ import annotations

from pathlib import Path

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.prompt import profile_named  # noqa: E402
from georapp.run_settings import Model  # noqa: E402
from tests.training.toy_world import SETTINGS, ToyWorld, is_known  # noqa: E402
from training import tiny  # noqa: E402
from training.answering import answers  # noqa: E402
from training.base import Base, load  # noqa: E402
from training.rewards import place_in  # noqa: E402

QUESTION = profile_named("mini").question


@pytest.fixture(scope="module")
def taught(toy: ToyWorld) -> Base:
    return load(toy.taught, Model(**SETTINGS))


def photos_of(toy: ToyWorld, count: int) -> list[Path]:
    known = [Path(row.path) for row in toy.album if is_known(row)]
    return known[:: len(known) // count][:count]


def test_a_taught_model_writes_the_chain_of_each_photo(toy: ToyWorld, taught: Base) -> None:
    rows = [row for row in toy.album if is_known(row)][::5]
    texts = answers(taught, [Path(row.path) for row in rows], QUESTION, max_tokens=96)

    cities = [text.splitlines()[3] for (text,) in texts]

    assert cities == [row.answer.splitlines()[3] for row in rows]
    assert all(place_in(text) for (text,) in texts)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_answers_alike_in_batches_of_any_size(family: str, toy: ToyWorld, tmp_path: Path) -> None:
    tiny.build(family, tmp_path, spread=0.12)
    base = load(tmp_path, Model())
    photos = photos_of(toy, 3)

    together = answers(base, photos, "Where was this?", max_tokens=6, batch=2)

    assert together == [answers(base, [photo], "Where was this?", max_tokens=6)[0] for photo in photos]
    assert all(len(texts) == 1 for texts in together)


def test_samples_depend_on_the_seed_alone(toy: ToyWorld, taught: Base) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()

    first, again, other = (
        answers(taught, photos_of(toy, 2), QUESTION, max_tokens=40, samples=3, temperature=1.5, seed=seed) for seed in (4, 4, 5)
    )

    assert first == again != other
    assert [len(texts) for texts in first] == [3, 3]
    assert len(set(first[0])) > 1
    assert torch.equal(before, torch.get_rng_state())


def test_the_most_probable_answer_is_the_same_as_often_as_one_asks(toy: ToyWorld, taught: Base) -> None:
    ((text,),) = answers(taught, photos_of(toy, 1), QUESTION, max_tokens=96)

    assert answers(taught, photos_of(toy, 1), QUESTION, max_tokens=96, samples=3) == [[text] * 3]


def test_a_models_own_generation_settings_do_not_count(toy: ToyWorld) -> None:
    """As published models have them; llama.cpp knows nothing of them."""
    base = load(toy.taught, Model(**SETTINGS))
    plain = answers(base, photos_of(toy, 2), QUESTION, max_tokens=96)
    base.model.generation_config.update(repetition_penalty=5.0, do_sample=True, top_k=1, temperature=0.01, num_beams=2)

    assert answers(base, photos_of(toy, 2), QUESTION, max_tokens=96) == plain


def test_a_photo_that_is_gone_gets_no_answer_and_the_others_do(toy: ToyWorld, taught: Base, tmp_path: Path) -> None:
    damaged = tmp_path / "damaged.png"
    damaged.write_bytes(b"no photo")
    photos = [tmp_path / "gone.png", *photos_of(toy, 2), damaged]

    found = answers(taught, photos, QUESTION, max_tokens=8)

    assert [len(texts) for texts in found] == [0, 1, 1, 0]


def test_a_model_in_training_goes_on_as_it_was(toy: ToyWorld) -> None:
    base = load(toy.taught, Model(**SETTINGS))
    base.model.train()

    answers(base, photos_of(toy, 1), QUESTION, max_tokens=4)

    assert base.model.training
    assert all(weight.grad is None for weight in base.model.parameters())
