"""How much a training run has to compute: tokens of a sequence, answers that are written together, steps of a stage. Computed, not measured."""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

from georapp.base_model import BaseModel
from georapp.prompt import profile_named
from georapp.run_settings import Grpo, RunConfig

Stage = Literal["sft", "grpo"]
SIXTEEN_BIT = ("bf16", "fp16")
_LETTERS_A_TOKEN = 4  # of English, roughly, in vocabularies of 50,000 words and more
_TEMPLATE = 30  # tokens of the marks and roles around question and answer


def question_tokens(config: RunConfig) -> int:
    """Of the question with the marks around it, roughly."""
    return len(profile_named(config.model.profile).question) // _LETTERS_A_TOKEN + _TEMPLATE


def answer_tokens(config: RunConfig, stage: Stage) -> int:
    """The most of an answer: in SFT those for which the profile has room, in GRPO those that may be sampled."""
    return config.grpo.max_answer_tokens if stage == "grpo" else profile_named(config.model.profile).max_tokens


def sequence_tokens(base: BaseModel, config: RunConfig, stage: Stage) -> int:
    """Of photo, question and answer, at most."""
    return base.image_tokens(config.model.max_pixels) + question_tokens(config) + answer_tokens(config, stage)


def answers_together(grpo: Grpo) -> int:
    """How many answers a device writes at once: TRL lets generate() write those of a whole step, whatever the batch of training is, unless
    it is told otherwise.
    """
    return grpo.together or grpo.batch * grpo.accumulate


def bytes_a_number(config: RunConfig, bf16: bool) -> int:
    """Of weights that are not trained, and of activations. `bf16`: whether the device has it, for precision "auto"."""
    chosen = config.model.precision
    return 2 if chosen in SIXTEEN_BIT or (chosen == "auto" and bf16) else 4


def steps(config: RunConfig, stage: Stage, train_photos: int) -> int:
    """Of a stage with so many photos to train on, as the trainers count them on one device; 0 for a stage that is not done.

    Without grpo.max_steps this is the most that GRPO can take: how many photos are left for it is known after SFT.
    """
    settings = config.sft if stage == "sft" else config.grpo
    if not settings.enabled or train_photos <= 0:
        return 0
    if settings.max_steps:
        return settings.max_steps
    if stage == "sft":
        an_epoch = math.ceil(math.ceil(train_photos / config.sft.batch) / config.sft.accumulate)
    else:
        together = answers_together(config.grpo)
        rounds = max(1, train_photos // (together // config.grpo.generations))  # what fills none is left out
        an_epoch = math.ceil(rounds * together / (config.grpo.batch * config.grpo.accumulate)) * config.grpo.iterations
    return math.ceil(settings.epochs * an_epoch)


def photos_a_step(grpo: Grpo) -> int:
    """Different photos in a step of GRPO; with fewer in the album each is taken several times."""
    return grpo.batch * grpo.accumulate // grpo.generations


def with_settings(config: RunConfig, section: Literal["model", "sft", "grpo"], **values: object) -> RunConfig:
    """The same run with other settings in one section. Raises RunError for what cannot be."""
    changed = dataclasses.replace(getattr(config, section), **values)
    return dataclasses.replace(config, **{section: changed})
