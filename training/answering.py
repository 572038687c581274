"""Answers of a model in torch, to photos, in batches: what a probe, the choice of hard photos and a comparison with GGUF read.

The question, the template and the pixels are those of `georapp locate`. So is the sampling: nothing of the model's own generation
settings applies (published ones cut off after the 50 best words and punish repetition, which neither GRPO nor llama.cpp does here).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from PIL import Image
from transformers import GenerationConfig

from georapp.errors import PhotoError
from training.base import Base

_EMPTY = 256  # pixels: side of a picture that shows nothing


def answers(
    base: Base,
    photos: Sequence[Path],
    question: str,
    *,
    max_tokens: int,
    samples: int = 1,
    temperature: float = 0.0,
    batch: int = 8,
    seed: int = 0,
) -> list[list[str]]:
    """For each photo `samples` texts; none for a photo that cannot be read any more, which callers count.

    `temperature` 0: the most probable words, and every sample the same. `batch`: photos at once. The same call gives the same
    texts on the same machine, and leaves torch's random numbers as they were.
    """
    prompt = base.prompt(question)
    settings = _settings(base.model, max_tokens=max_tokens, samples=samples, temperature=temperature)
    found: list[list[str]] = [[] for _ in photos]
    with _answering(base.model, settings), torch.random.fork_rng(_gpus(base.model)):
        torch.manual_seed(seed)
        for pictures in _batches(base, photos, batch):
            texts = _generate(base, prompt, list(pictures.values()), settings)
            each = len(texts) // len(pictures)
            for place, number in enumerate(pictures):
                found[number] = texts[place * each : (place + 1) * each] * (samples // each)
    return found


def join_in(base: Base, question: str, *, max_tokens: int) -> None:
    """Ask about an empty picture and forget the answer: where weights are sharded, others cannot ask without this process."""
    settings = _settings(base.model, max_tokens=max_tokens, samples=1, temperature=0.0)
    picture = Image.new("RGB", base.scaling.size(_EMPTY, _EMPTY), "grey")
    with _answering(base.model, settings):
        _generate(base, base.prompt(question), [picture], settings)


def _batches(base: Base, photos: Sequence[Path], size: int) -> Iterator[dict[int, Image.Image]]:
    """Readable photos by their number, `size` at once."""
    pictures: dict[int, Image.Image] = {}
    for number, path in enumerate(photos):
        try:
            pictures[number] = base.photo(path)
        except PhotoError:
            continue
        if len(pictures) == size:
            yield pictures
            pictures = {}
    if pictures:
        yield pictures


def _settings(model: Any, *, max_tokens: int, samples: int, temperature: float) -> Any:
    """transformers' own defaults, and of the model's settings only its special tokens. Greedy sequences are written once."""
    own: Any = model.generation_config
    settings: Any = GenerationConfig
    drawn = {"temperature": temperature, "top_k": 0} if temperature > 0 else {}
    return settings(
        **drawn,
        do_sample=temperature > 0,
        num_return_sequences=samples if temperature > 0 else 1,
        max_new_tokens=max_tokens,
        use_cache=True,
        pad_token_id=own.pad_token_id,
        eos_token_id=own.eos_token_id,
        bos_token_id=own.bos_token_id,
    )


def _generate(base: Base, prompt: str, pictures: list[Image.Image], settings: Any) -> list[str]:
    """Texts of all samples of the first picture, then of the second, and so on."""
    asked = base.processor(
        images=[[picture] for picture in pictures],
        text=[prompt] * len(pictures),
        return_tensors="pt",
        padding=True,  # on the left, as the tokenizer is set after loading
        add_special_tokens=False,  # the template writes them
    )
    inputs = {name: _placed(values, base.model) for name, values in asked.items()}
    tokens = base.model.generate(**inputs, generation_config=settings)
    written = tokens[:, inputs["input_ids"].shape[1] :]
    texts: list[str] = base.processor.tokenizer.batch_decode(written, skip_special_tokens=True)
    return texts


def _placed(values: Any, model: Any) -> Any:
    """A tensor where the model is; pixels in the numbers that it computes with."""
    return values.to(model.device, model.dtype if values.is_floating_point() else None)


@contextlib.contextmanager
def _answering(model: Any, settings: Any) -> Iterator[None]:
    """Without dropout and gradients, and with these settings alone; a model in the middle of its training goes on as it was."""
    training = model.training
    holders = [model, model.get_base_model()] if hasattr(model, "peft_config") else [model]
    before = [holder.generation_config for holder in holders]
    try:
        model.eval()
        for holder in holders:  # what settings leave open would be filled in from the model's own
            holder.generation_config = settings
        with torch.no_grad():
            yield
    finally:
        for holder, own in zip(holders, before, strict=True):
            holder.generation_config = own
        model.train(training)


def _gpus(model: Any) -> list[torch.device]:
    return [model.device] if model.device.type == "cuda" else []
