"""How long a GPU would wait for photos, with and without reading ahead: a part of tests/benchmarks/training.py."""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
import transformers
from PIL import Image
from trl.trainer.sft_trainer import SFTTrainer

from georapp.run_settings import Model, RunConfig, Sft
from tests.training.toy_world import PROFILE, ToyWorld, draw
from training import examples, tiny
from training.ahead import Ahead
from training.arguments import for_sft
from training.base import load
from training.rows import AlbumRow

NEVER = 10**6
CAMERA = (4032, 3024)  # pixels of a photo of a telephone
GPU_PHOTOS_A_SECOND = (5, 20)  # a graphics card with a model of some billion weights; one of a data centre


def say(name: str, figure: str) -> None:
    sys.stdout.write(f"{name:44} {figure}\n")
    sys.stdout.flush()


class Elsewhere(SFTTrainer):
    """A trainer whose steps are computed elsewhere, as on a GPU: here they only take their time."""

    photos_a_second = 1.0

    def training_step(self, model: Any, inputs: Any, *_: Any, **__: Any) -> torch.Tensor:
        time.sleep(len(inputs["input_ids"]) / self.photos_a_second)
        return torch.zeros(())


def starve(photos: Sequence[Path], toy: ToyWorld, home: Path, name: str) -> None:
    """How long a GPU of some speeds waits in the first epoch, with and without reading ahead. Later ones find small albums in memory."""
    tiny.build("qwen25vl", home / name)
    model = Model(base=str(home / name), profile=PROFILE, method="lora", precision="fp32")
    row = toy.album[0]
    album = [replace(row, id=str(number), path=str(path)) for number, path in enumerate(photos)]
    config = RunConfig(model=model, sft=Sft(batch=4, accumulate=2, epochs=100, max_steps=len(photos) // 8, save_every=NEVER))
    say(f"{name}: a photo takes", reading(album, config))
    for speed in GPU_PHOTOS_A_SECOND:
        shares = [waits(album, config, home / f"{name}-{speed}-{ahead}", speed, ahead=ahead) for ahead in (False, True)]
        say(
            f"{name}: a GPU of {speed} photos/s waits",
            f"{shares[0]:.1f} % of the time, {shares[1]:.1f} % when they are read ahead",
        )


def reading(album: Sequence[AlbumRow], config: RunConfig) -> str:
    """Computing time, decoded and made into numbers, and how many a second by the clock."""
    base = load(Path(config.model.base), config.model)
    rows, collate = examples.for_sft(base, album, config.model), examples.collator(base)
    count, parts = min(len(album), 32), []
    start, clock = time.process_time(), time.perf_counter()
    for first in range(0, count, 4):
        parts.append(rows.__getitems__(list(range(first, min(count, first + 4)))))
    took, clock = time.process_time() - start, time.perf_counter() - clock
    start = time.process_time()
    for part in parts:
        collate(part)
    numbers = time.process_time() - start
    return f"{1000 * took / count:.0f} ms to decode and {1000 * numbers / count:.0f} ms for its numbers; {count / clock:.0f} photos/s are decoded"


def waits(album: Sequence[AlbumRow], config: RunConfig, folder: Path, speed: float, *, ahead: bool) -> float:
    """Percent of the time, without the first step."""
    base = load(Path(config.model.base), config.model, trainable=True)
    waited: list[tuple[float, float]] = []
    trainer = Elsewhere(
        model=base.model,
        processing_class=base.processor,
        args=for_sft(config, folder),
        train_dataset=examples.for_sft(base, album, config.model),
        data_collator=examples.collator(base),
    )
    trainer.photos_a_second = speed
    trainer.remove_callback(transformers.PrinterCallback)
    with Ahead(trainer.get_batch_samples) as reader:
        batches: Any = reader if ahead else trainer.get_batch_samples

        def timed(*arguments: Any) -> Any:
            start = time.perf_counter()
            found = batches(*arguments)
            waited.append((start, time.perf_counter() - start))
            return found

        trainer.get_batch_samples = timed
        trainer.train()
        end = time.perf_counter()
    later = waited[1:]
    return 100 * sum(spent for _, spent in later) / (end - later[0][0])


def camera_photos(folder: Path, count: int = 32) -> list[Path]:
    """Drawn ones of the size that telephones make."""
    folder.mkdir()
    rng, paths = random.Random(0), []
    for number in range(count):
        noise = Image.effect_noise((CAMERA[0] // 4, CAMERA[1] // 4), 40).convert("RGB").resize(CAMERA)
        picture = Image.blend(draw(number % 16, rng).resize(CAMERA), noise, 0.3)
        paths.append(folder / f"{number}.jpg")
        picture.save(paths[-1], quality=90)
    return paths
