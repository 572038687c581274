"""How good a model is on held-out photos, photo by photo, asked and scored by the code of the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from georapp.geo import HALF_CIRCUMFERENCE_KM
from georapp.prompt import profile_named
from georapp.run_settings import RunConfig
from tests.proof.figures import GREEDY, SAMPLED, Answers
from tests.proof.plan import SAMPLES
from training.answering import answers
from training.base import load
from training.rewards import Score, rule_of
from training.rows import AlbumRow

BATCH = 16  # photos at once


def measure(config: RunConfig, rows: Sequence[AlbumRow], adapter: Path) -> dict[str, list[Answers]]:
    """Greedy answers, and sampled ones at the temperature of the training, of the base model with this adapter."""
    base = load(Path(config.model.base), config.model, adapter=adapter)
    profile, rule = profile_named(config.model.profile), rule_of(config.grpo)
    photos = [Path(row.path) for row in rows]
    found = {}
    for name, samples, temperature in ((GREEDY, 1, 0.0), (SAMPLED, SAMPLES, config.grpo.temperature)):
        texts = answers(
            base,
            photos,
            profile.question,
            max_tokens=profile.max_tokens,
            samples=samples,
            temperature=temperature,
            batch=BATCH,
            seed=config.seed,
        )
        scores = [[rule.score(text, row.coordinate) for text in some] for some, row in zip(texts, rows, strict=True)]
        found[name] = [_answers(some) for some in scores]
    return found


def _answers(scores: Sequence[Score]) -> Answers:
    return Answers(
        tuple(score.reward for score in scores),
        tuple(score.r_format for score in scores),
        tuple(HALF_CIRCUMFERENCE_KM if score.km is None else score.km for score in scores),
    )
