"""What `locate` and `evaluate` share: from options to a supervised worker, from a photo to a result."""

from __future__ import annotations

import argparse
import hashlib
from collections.abc import Callable
from pathlib import Path

from georapp import events, models
from georapp.errors import WorkerDied, WorkerStuck
from georapp.gazetteer import Gazetteer
from georapp.results import Result, compared
from georapp.supervisor import Supervisor

OnEvent = Callable[[events.Event], None]


def supervisor_for(options: argparse.Namespace) -> tuple[models.Model, Supervisor]:
    """The chosen model and a worker for it, not started yet. Raises ModelError."""
    model = models.find(options.model)
    load = events.Load(
        str(model.folder.resolve()),
        threads=options.threads,
        gpu_layers=options.gpu_layers,
        max_samples=max(options.samples or 0, model.samples),
    )
    return model, Supervisor(load)


def how(options: argparse.Namespace) -> dict[str, object]:
    """The options that go with every photo."""
    return {
        "seed": options.seed,
        "samples": options.samples or 0,
        "decode": options.decode or "",
        "temperature": -1.0 if options.temperature is None else options.temperature,
    }


def hash_of(path: Path) -> str:
    """SHA-256 of a file; empty when it cannot be read, which locating it will explain."""
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() if path.is_file() else ""
    except (OSError, ValueError):
        return ""


def ask(
    supervisor: Supervisor,
    path: Path,
    sha256: str,
    options: dict[str, object],
    places: Callable[[], Gazetteer],
    on_event: OnEvent,
) -> Result:
    """One photo to one result. A worker that dies costs this photo and no other; a failed load raises ModelError."""
    began: events.Began | None = None
    outcome: events.Located | events.Failed | None = None
    try:
        for event in supervisor.locate(path, **options):
            on_event(event)
            if isinstance(event, events.Began):
                began = event
            elif isinstance(event, events.Located | events.Failed):
                outcome = event
    except (WorkerDied, WorkerStuck) as error:
        outcome = events.Failed("", str(error), type(error).__name__, error.hint)
    assert outcome is not None
    truth = (
        compared(outcome.prediction, began, places())
        if isinstance(outcome, events.Located) and began and began.known_lat is not None
        else None
    )
    return Result(str(path), began.sha256 if began else sha256, began, outcome, truth)
