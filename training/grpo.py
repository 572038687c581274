"""Stage 2: reinforcement with the distance as reward, with TRL's GRPOTrainer.

r = r_distance x r_format is one function (training.rewards), because TRL adds functions and Geo-R multiplies; its parts are charted
with weight 0.

Where it begins: from the model after SFT. With an adapter, that adapter is trained on, and a frozen copy of it ("ref") is the
reference that `grpo.beta` holds the model to. (TRL makes the copy. A new adapter with the raw base as its reference would pull the
model back to before SFT; merging first would spoil weights of 4 bits, and would leave two adapters to export instead of one.) So the
KL is 0 before the first step, which is tested. With all weights trained, the reference is a second copy of the whole SFT model.
Without SFT the base model itself is both. Left in <run>/grpo/model: one adapter for the base model, or the whole model.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from transformers import set_seed
from trl.trainer.grpo_trainer import GRPOTrainer

from georapp.chain import Chain
from georapp.errors import DatasetError
from georapp.geo import Coordinate
from georapp.run_events import Alert
from georapp.run_settings import RunConfig
from training import changes, examples, loop, ranks
from training.arguments import for_grpo
from training.base import load
from training.callback import Watch
from training.labels import labels
from training.measuring import Measuring, Synced
from training.report import EventWriter
from training.rewards import Reward, RewardFunction, reward_functions, rule_of
from training.rows import AlbumRow, Part, read_rows
from training.samples import Scale, WatchedReward
from training.work import ALBUM, GRPO, HARD, SFT, Work


def run(work: Work) -> None:
    """Begin or go on. Raises Stopped, RunError, DatasetError."""
    settings, grpo = work.config.model, work.config.grpo
    rows = examples.present(chosen(work), work)
    truths = shuffled(rows, work.config.seed) if grpo.shuffle_truth else rows
    record = changes.record(work.config, GRPO, rows=examples.digest(rows))
    start = loop.begin(work, GRPO, record)
    set_seed(work.config.seed)  # without SFT a new adapter is made, which is random
    base = load(Path(settings.base), settings, adapter=work.adapter(SFT), trainable=True, checkpoint=start.path)
    measure = Measuring(work, GRPO, base)
    times = copies(len(rows), work)
    watch = Watch(work, GRPO, record, measure=measure, probe_every=grpo.probe_every)
    functions: list[Any]
    functions, weights = rewards(work.config, work.events)
    trainer = GRPOTrainer(
        model=base.model,
        processing_class=base.processor,
        args=for_grpo(work.config, work.stage(GRPO), weights=weights),
        reward_funcs=list[Any](functions),
        train_dataset=examples.for_grpo(base, rows * times, truths * times, settings),
        callbacks=[Synced(), watch],
    )
    loop.train(trainer, watch, start)
    loop.finish(work, GRPO, record, photos=len(rows))


def chosen(work: Work) -> list[AlbumRow]:
    """The training photos, without those that stage `hard` has left out. Raises DatasetError."""
    rows = read_rows(work.folder / ALBUM, Part.TRAIN)
    if not (work.config.hard.enabled and work.is_done(HARD)):
        return rows
    ids = set((work.facts(HARD) or {}).get("ids", ()))
    kept = [row for row in rows if row.id in ids]
    if not kept:
        raise DatasetError(
            "None of the photos that stage hard has chosen is in the album of the run.",
            hint=f"Delete {work.folder / HARD} and start the run again: they are chosen anew.",
        )
    return kept


def copies(photos: int, work: Work) -> int:
    """How often to take so many photos to fill a step: TRL leaves out what fills none, which for a small album would be everything."""
    grpo = work.config.grpo
    room = grpo.batch * grpo.accumulate * ranks.count() // grpo.generations
    if photos >= room:
        return 1
    times = math.ceil(room / photos)
    reason = f"A step has room for {room} photos, and there are {photos}: each is taken {times} times."
    work.events.write(Alert("photos", reason, "Lower grpo.batch or grpo.accumulate, or give the run more photos."))
    return times


def shuffled(rows: Sequence[AlbumRow], seed: int) -> list[AlbumRow]:
    """For each row another one, each once: the control run, whose rewards can teach nothing about places."""
    order = list(range(len(rows)))
    random.Random(seed).shuffle(order)
    other = dict(zip(order, order[1:] + order[:1], strict=True))
    return [rows[other[number]] for number in range(len(rows))]


@dataclass(frozen=True, slots=True)
class Regions:
    """What a coordinate lies in, as the album was labelled: polygons or the nearest town."""

    by: str

    def __call__(self, place: Coordinate) -> Chain:
        """The regions of one place."""
        return labels([place], self.by)[0].chain(place)


def rewards(config: RunConfig, events: EventWriter) -> tuple[list[RewardFunction], list[float]]:
    """Functions and weights for the trainer; the first one also shows what it scores."""
    grpo = config.grpo
    (_, *others), (_, *weights) = reward_functions(
        rule_of(grpo),
        names=grpo.names_weight,
        agreement=grpo.agreement_weight,
        clues=grpo.clues_weight,
        labeller=Regions(config.album.labels) if grpo.agreement_weight else None,
    )
    counting = tuple((function, weight) for function, weight in zip(others, weights, strict=True) if weight)
    scale = cast(Scale, grpo.scale)
    watched = WatchedReward(Reward(rule_of(grpo)), events, grpo.generations, scale, counting)
    return [watched, *others], [1.0, *weights]
