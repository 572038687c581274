"""What the window says of a model to train, held against the model itself: weights, adapters, tokens of photos, steps."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from georapp import base_model, base_sight, run_settings
from georapp.base_files import FAMILIES
from georapp.errors import RunError
from georapp.run_settings import Grpo, Model, RunConfig, Sft
from georapp.run_size import steps
from training import tiny
from training.base import QWEN_TOKENS, TOWERS, freeze_tower, load, without_weights
from training.processors import PROCESSORS

pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")  # peft asks


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("models") / str(request.param)
    tiny.build(str(request.param), path)
    return path


def counted(model: Any, trainable: bool = False) -> int:
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad or not trainable)


def test_parameters(folder: Path) -> None:
    base, model = base_model.read(folder), load(folder, Model()).model
    freeze_tower(model)
    assert base.parameters == counted(model)
    assert base.parameters - base.tower_parameters == counted(model, trainable=True)
    text = model.config.text_config
    assert (base.layers, base.hidden, base.intermediate) == (text.num_hidden_layers, text.hidden_size, text.intermediate_size)
    assert (base.kv_heads, base.vocabulary) == (text.num_key_value_heads, text.vocab_size)
    head = getattr(text, "head_dim", None) or text.hidden_size // text.num_attention_heads
    assert base.head_size == head
    assert base.precision == "fp32"
    assert base.no_export == ""


@pytest.mark.parametrize("frozen", [True, False])
def test_adapters(folder: Path, frozen: bool) -> None:
    settings = Model(lora_rank=4, lora_alpha=8, freeze_vision=frozen)
    model = load(folder, settings, trainable=True).model
    assert base_model.read(folder).lora_parameters(4, tower=not frozen) == counted(model, trainable=True)


@pytest.mark.parametrize("max_pixels", [64 * 64, 100_000, 262_144])
def test_tokens_of_photos(folder: Path, max_pixels: int) -> None:
    """Never more than was said, and for the dearest shape not much less."""
    if folder.name.startswith("qwen"):
        max_pixels = max(50_000, max_pixels)  # below that the shape of a photo decides, and none has many tokens
    settings = Model(min_pixels=1, max_pixels=max_pixels)
    base, said = without_weights(folder, settings), base_model.read(folder).image_tokens(max_pixels)
    nothing = tokens(base, None)
    seen = [tokens(base, Image.new("RGB", size, "grey")) - nothing for size in ((900, 900), (1200, 800), (500, 1500))]
    assert max(seen) <= said + 1  # a line break of a template may hold on to its neighbour
    assert max(seen) >= 0.85 * said


def tokens(base: Any, photo: Image.Image | None) -> int:
    """Of a short question, with a photo or without."""
    text = (
        base.prompt("Where?")
        if photo
        else base.processor.apply_chat_template(
            [{"role": "user", "content": [{"type": "text", "text": "Where?"}]}], add_generation_prompt=True, tokenize=False
        )
    )
    if photo is None:
        return len(base.processor.tokenizer(text, add_special_tokens=False)["input_ids"])
    scaled = photo.resize(base.scaling.size(*photo.size))
    return len(base.processor(images=[[scaled]], text=[text], add_special_tokens=False)["input_ids"][0])


def test_both_halves_know_the_same_families() -> None:
    assert tuple(PROCESSORS) == FAMILIES
    assert frozenset(TOWERS) == base_model.TOWERS
    assert base_sight.QWEN_TOKENS == QWEN_TOKENS


@pytest.mark.parametrize(
    "missing", ["config.json", "model.safetensors", "tokenizer.json", "processor_config.json", "chat_template.jinja"]
)
def test_both_halves_refuse_the_same(tmp_path: Path, missing: str) -> None:
    tiny.build("qwen3vl", tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(RunError) as ours:
        base_model.read(tmp_path)
    with pytest.raises(RunError) as theirs:
        load(tmp_path, run_settings.Model())
    said, meant = (str(error.value).split() for error in (ours, theirs))
    assert said[:5] == meant[:5] or missing == "model.safetensors"


# ---- steps, as the trainers count them ----


@pytest.mark.parametrize("photos", [1, 3, 16, 17, 50])
@pytest.mark.parametrize(("batch", "accumulate", "epochs"), [(1, 1, 1.0), (4, 2, 1.5), (3, 5, 0.3)])
def test_steps_of_sft(tmp_path: Path, photos: int, batch: int, accumulate: int, epochs: float) -> None:
    config = RunConfig(sft=Sft(batch=batch, accumulate=accumulate, epochs=epochs))
    assert steps(config, "sft", photos) == by_trainer(photos, batch, accumulate, epochs, tmp_path)


def by_trainer(photos: int, batch: int, accumulate: int, epochs: float, folder: Path) -> int:
    """What transformers itself makes of a data set."""
    import torch
    from transformers import Trainer, TrainingArguments

    arguments = TrainingArguments(
        str(folder),
        per_device_train_batch_size=batch,
        gradient_accumulation_steps=accumulate,
        num_train_epochs=epochs,
        use_cpu=True,
    )
    trainer = Trainer(torch.nn.Linear(1, 1), arguments, train_dataset=[{"x": 0}] * photos)
    *_, most = trainer.set_initial_training_values(arguments, trainer.get_train_dataloader())
    return int(most)


@pytest.mark.parametrize("photos", [1, 7, 8, 20, 33])
@pytest.mark.parametrize(("generations", "batch", "accumulate", "iterations"), [(4, 4, 2, 1), (2, 4, 4, 2), (8, 1, 8, 1)])
def test_steps_of_grpo(photos: int, generations: int, batch: int, accumulate: int, iterations: int) -> None:
    from trl.trainer.utils import RepeatSampler

    grpo = Grpo(max_steps=0, epochs=1.5, generations=generations, batch=batch, accumulate=accumulate, iterations=iterations)
    room = batch * accumulate // generations
    taken = photos * (1 if photos >= room else -(-room // photos))  # training.grpo.copies
    sampler = RepeatSampler([0] * taken, generations, batch_size=room, repeat_count=iterations * accumulate)
    batches = len(sampler) // (batch * accumulate)  # of the loader, whose batches are as large as a whole step
    wanted = -(-3 * -(-batches // accumulate) // 2)  # 1.5 times, rounded up
    assert steps(RunConfig(grpo=grpo), "grpo", photos) == wanted


def test_a_stage_that_is_off_has_no_steps() -> None:
    config = RunConfig(sft=dataclasses.replace(Sft(), enabled=False))
    assert steps(config, "sft", 100) == 0
