"""Rows of the album as the trainers want them, and what of them is learned, token by token.

What is learned is what is asked later: the prompt is that of the model's own chat template with the profile's question, up to where
an answer begins; the answer comes after it, with the token that ends it. Only these are counted in the loss. So no template needs
marks of where an answer stands, which published ones do not have.
"""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from PIL import Image
from trl.trainer.sft_trainer import DataCollatorForVisionLanguageModeling

from georapp.chain import Chain, Level, parse
from georapp.errors import DatasetError
from georapp.prompt import profile_named
from georapp.run_events import Alert
from georapp.run_settings import Model
from training.base import Base
from training.rows import AlbumRow, without_file
from training.work import Work

IGNORED = -100  # labels that the loss does not count
_KEPT_PICTURES = 32  # scaled photos that are kept: GRPO shows a photo once for every answer


def question(settings: Model) -> str:
    """What a model is asked about a photo."""
    return profile_named(settings.profile).question


# ---- rows ----


def present(rows: Sequence[AlbumRow], work: Work) -> list[AlbumRow]:
    """Rows whose photo is still there; an alert says how many are not. Raises DatasetError when none is left."""
    if not rows:
        raise DatasetError("The album of the run holds no photo to train on.", hint="Give it more photos with a known place.")
    there: list[AlbumRow] = []
    gone: list[AlbumRow] = []
    for row in rows:
        (gone if without_file(row) else there).append(row)
    if not there:
        raise DatasetError(
            f"None of the {len(rows)} photos of this run is there any more, for example {gone[0].path}.",
            hint="Connect the drive on which they lie, or bring them back, and start the run again.",
        )
    if gone:
        reason = f"{len(gone)} of {len(rows)} photos are not there any more, for example {gone[0].path}; they are left out."
        work.events.write(Alert("photos", reason, "Bring them back and start the run again, or go on without them."))
    return there


def digest(rows: Iterable[AlbumRow]) -> str:
    """A hash of what is trained on, in its order."""
    text = "\n".join(f"{row.id} {row.lat!r} {row.lon!r} {row.answer!r}" for row in rows)
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


def for_sft(base: Base, rows: Sequence[AlbumRow], settings: Model) -> Dataset:
    """Columns `images`, `prompt`, `completion`: texts, in which the processor puts the photo."""
    asked = question(settings)
    prompt = base.prompt(asked)
    columns = {
        "path": [row.path for row in rows],
        "prompt": [prompt] * len(rows),
        "completion": completions(base, asked, [row.answer for row in rows]),
    }
    return Dataset.from_dict(columns).with_transform(_with_photos(base))


def for_grpo(base: Base, rows: Sequence[AlbumRow], truths: Sequence[AlbumRow], settings: Model) -> Dataset:
    """Columns `images`, `prompt` (messages), and of the truth what the rewards want: `lat`, `lon`, names of levels.

    `truths`: the rows by whose places answers are rewarded; the same as `rows`, except in a control run.
    """
    names = [_names(row, settings) for row in truths]
    columns = {
        "path": [row.path for row in rows],
        "prompt": [[{"role": "user", "content": question(settings)}]] * len(rows),
        "lat": [row.lat for row in truths],
        "lon": [row.lon for row in truths],
        **{level.word: [chain.name(level) for chain in names] for level in Level},
    }
    return Dataset.from_dict(columns).with_transform(_with_photos(base))


def _names(row: AlbumRow, settings: Model) -> Chain:
    chain_format = profile_named(settings.profile).chain_format
    return (parse(row.answer, chain_format) if chain_format else None) or Chain()


def _with_photos(base: Base) -> Callable[[dict[str, list[Any]]], dict[str, list[Any]]]:
    @functools.lru_cache(maxsize=_KEPT_PICTURES)
    def picture(path: str) -> Image.Image:
        return base.photo(Path(path))

    def transform(part: dict[str, list[Any]]) -> dict[str, list[Any]]:
        return part | {"images": [[picture(path)] for path in part["path"]]}

    return transform


# ---- answers ----


def completions(base: Base, asked: str, answers: Sequence[str]) -> list[str]:
    """Answers as this model writes them after the prompt, each with the token that ends it."""
    lead, end = _lead(base, asked), str(base.processor.tokenizer.eos_token)
    return [lead + answer + end for answer in answers]


def _lead(base: Base, asked: str) -> str:
    """White space between prompt and answer: the template of Idefics3 and SmolVLM writes "Assistant: ", and asks with "Assistant:"."""
    prompt, answer = base.prompt(asked), "Country"
    messages = [
        {"role": "user", "content": [{"type": "image"}, {"type": "text", "text": asked}]},
        {"role": "assistant", "content": [{"type": "text", "text": answer}]},
    ]
    whole: str = base.processor.apply_chat_template(messages, tokenize=False)
    if not whole.startswith(prompt) or answer not in whole[len(prompt) :]:
        return ""
    lead = whole[len(prompt) :].partition(answer)[0]
    return "" if lead.strip() else lead


def collator(base: Base) -> DataCollatorForVisionLanguageModeling:
    """TRL's, which counts the completion only."""
    return DataCollatorForVisionLanguageModeling(processor=base.processor, completion_only_loss=True)


def preview(base: Base, row: AlbumRow, settings: Model) -> list[tuple[str, bool]]:
    """Every token of a row as SFT sees it, and whether it is learned. Tokens of the photo are there, one by one."""
    batch: Mapping[str, torch.Tensor] = collator(base)([dict(for_sft(base, [row], settings)[0])])
    learned = (batch["labels"][0] != IGNORED).tolist()
    texts = [base.processor.tokenizer.decode([number]) for number in batch["input_ids"][0].tolist()]
    return list(zip(texts, learned, strict=True))
