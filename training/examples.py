"""Rows of the album as the trainers want them, and what of them is learned, token by token.

What is learned is what is asked later: the prompt is that of the model's own chat template with the profile's question, up to where
an answer begins; the answer comes after it, with the token that ends it. Only these are counted in the loss. So no template needs
marks of where an answer stands, which published ones do not have.
"""

from __future__ import annotations

import dataclasses
import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
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
ROOM = 10**9  # bytes for photos that were decoded: a thousand of 512 x 512 pixels
_MOST_READERS = 8  # threads that decode photos
_BYTES_OF_A_LETTER = 4


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
    return Dataset.from_dict(columns).with_transform(Pictures(base))


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
    return Dataset.from_dict(columns).with_transform(Pictures(base))


def _names(row: AlbumRow, settings: Model) -> Chain:
    chain_format = profile_named(settings.profile).chain_format
    return (parse(row.answer, chain_format) if chain_format else None) or Chain()


class Pictures:
    """Puts photos, as the model sees them, into a part of a dataset: the column `images`.

    They are decoded side by side, in threads, for Pillow computes without Python's lock. As many as `room` bytes hold are kept: GRPO
    asks for a photo once for every answer and every pass of a step, and a small album comes round again in every epoch.
    """

    def __init__(self, base: Base, room: int | None = None) -> None:
        self._eyes = dataclasses.replace(base, model=None, processor=None)  # datasets pickles it with all that it holds
        self._room = ROOM // _processes() if room is None else room
        self._kept: dict[str, Image.Image] = {}  # the one that was asked for last is the last one
        self._used = 0  # bytes
        self._readers = ThreadPoolExecutor(_readers(), "photo")

    def __call__(self, part: dict[str, list[Any]]) -> dict[str, list[Any]]:
        """Raises PhotoError."""
        paths = dict.fromkeys(part["path"])
        fresh = [path for path in paths if path not in self._kept]
        read = dict(zip(fresh, self._readers.map(self._picture, fresh), strict=True))
        pictures = {path: read[path] if path in read else self._kept.pop(path) for path in paths}
        self._keep(pictures, read.values())
        return part | {"images": [[pictures[path]] for path in part["path"]]}

    def _picture(self, path: str) -> Image.Image:
        return self._eyes.photo(Path(path))

    def _keep(self, pictures: dict[str, Image.Image], read: Iterable[Image.Image]) -> None:
        """This part in any case, and of the others those that were asked for last."""
        self._kept |= pictures
        self._used += sum(map(_bytes, read))
        while self._used > self._room and (oldest := next(iter(self._kept))) not in pictures:
            self._used -= _bytes(self._kept.pop(oldest))

    def __reduce__(self) -> tuple[type[Pictures], tuple[Base]]:
        return Pictures, (self._eyes,)


def _bytes(picture: Image.Image) -> int:
    """Pillow keeps 4 bytes of every pixel."""
    return 4 * picture.width * picture.height


def _processes() -> int:
    """That train on this machine, and share its memory and cores."""
    return int(os.environ.get("LOCAL_WORLD_SIZE", "1"))


def _readers() -> int:
    return min(_MOST_READERS, max(1, (os.cpu_count() or 1) // _processes()))


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
    return list(zip(_texts(base.processor.tokenizer, batch["input_ids"][0].tolist()), learned, strict=True))


def _texts(tokenizer: Any, numbers: Sequence[int]) -> list[str]:
    """Of each token. A letter whose bytes are several tokens stands at the last of them, and the others are empty."""
    texts: list[str] = []
    begun: list[int] = []
    for number in numbers:
        begun.append(number)
        text = str(tokenizer.decode(begun))
        if text.endswith("\N{REPLACEMENT CHARACTER}") and len(begun) < _BYTES_OF_A_LETTER:
            texts.append("")
        else:
            texts.append(text)
            begun = []
    return texts if not begun else [*texts[:-1], str(tokenizer.decode(begun))]
