"""Measuring in the middle of a training, by all of its processes: each asks some of the probe photos, and all are given every answer.

Where weights are sharded (FSDP, ZeRO-3) no process has a whole model, and every pass through it is made by all together. So all ask
equally often and write equally long; one that has no photo left asks about an empty picture and forgets the answer. Photos are asked
in the same batches however many processes there are, so their number changes no figure.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch.distributed as dist
from torch.distributed.tensor import DTensor
from transformers import PreTrainedModel, TrainerCallback, TrainerControl, TrainerState, TrainingArguments

from training import ranks
from training.answering import answers, join_in
from training.base import Base
from training.probe import ERROR_KM, ProbeSet
from training.work import Work

_MANAGED = "_is_fsdp_managed_module"  # what transformers.generation asks a model for


class Measuring:
    """Measures a model on the probe photos, says what came out, and returns the error in km by which checkpoints are compared."""

    def __init__(self, work: Work, stage: str, base: Base) -> None:
        self._work, self._stage, self._base = work, stage, base
        self._probe = ProbeSet.of(work)

    def __call__(self, step: int) -> float | None:
        """The same on all ranks, which must all call this; None where there is no probe."""
        if not self._probe.rows:
            return None
        probe = self._probe.measure(self._base, stage=self._stage, step=step, ask=answers_of_all)
        self._work.events.write(probe)  # of the other ranks nobody hears anything
        return probe.values.get(ERROR_KM)


class Synced(TrainerCallback):
    """Lets all ranks generate equally long where weights are sharded, or one would wait for ever for those that are done.

    transformers sees that for itself with ZeRO-3, and with FSDP where it has sharded the weights itself; accelerate does that here.
    """

    def on_train_begin(
        self, args: TrainingArguments, state: TrainerState, control: TrainerControl, model: Any = None, **more: Any
    ) -> None:
        """When the weights have been sharded."""
        if is_sharded(model):
            for part in model.modules():
                if isinstance(part, PreTrainedModel):
                    vars(part)[_MANAGED] = True


def is_sharded(model: Any) -> bool:
    """Whether this process has only a part of some weights. `ds_id` is DeepSpeed's mark of them."""
    return any(isinstance(weight, DTensor) or hasattr(weight, "ds_id") for weight in model.parameters())


def answers_of_all(base: Base, photos: Sequence[Path], question: str, *, max_tokens: int, batch: int) -> list[list[str]]:
    """Greedy answers as `answers` gives them. All ranks must call this with the same photos; each gets all answers."""
    parts = [photos[start : start + batch] for start in range(0, len(photos), batch)]
    sharded, found = is_sharded(base.model), dict[int, list[list[str]]]()
    for turn in range(math.ceil(len(parts) / ranks.count())):
        number = turn * ranks.count() + ranks.rank()
        part = parts[number] if number < len(parts) else ()
        texts = answers(base, part, question, max_tokens=max_tokens, batch=batch)
        if sharded and not any(texts):
            join_in(base, question, max_tokens=max_tokens)
        found[number] = texts
    known = _gathered(found)
    return [texts for number in range(len(parts)) for texts in known[number]]


def _gathered(mine: dict[int, list[list[str]]]) -> dict[int, list[list[str]]]:
    """What all ranks have found."""
    if not ranks.together():
        return mine
    every: list[dict[int, list[list[str]]]] = [{} for _ in range(ranks.count())]
    dist.all_gather_object(every, mine)
    return {number: texts for found in every for number, texts in found.items()}
