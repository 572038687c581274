"""What every stage of a run is given: the run's folder, its settings, its voice, and what was done before."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from georapp.run_settings import RunConfig
from training.report import EventWriter

ALBUM, SFT, HARD, GRPO, EXPORT = "album", "sft", "hard", "grpo", "export"  # the stages, in order
MODEL = "model"  # in a stage's folder: what it made. Of the run: the exported model.
DONE = "done.json"
MADE = "made"  # in done.json: names in the stage's folder without which it is not done


@dataclass(frozen=True, slots=True)
class Work:
    """A run, as its stages see it."""

    folder: Path
    config: RunConfig
    events: EventWriter

    def stage(self, name: str) -> Path:
        """The folder of a stage, which is there afterwards. Raises RunError."""
        path = self.folder / name
        try:
            path.mkdir(exist_ok=True)
        except OSError as error:
            raise RunError(f"{path} cannot be made: {(error.strerror or str(error)).lower()}.") from error
        return path

    def is_done(self, name: str) -> bool:
        """Whether a stage was finished, and all that it said to have made is still there."""
        facts = self.facts(name)
        return facts is not None and all((self.folder / name / made).exists() for made in facts.get(MADE, ()))

    def facts(self, name: str) -> dict[str, Any] | None:
        """What `done` was told; None when the stage was not finished, or its note was damaged."""
        try:
            facts = json.loads((self.folder / name / DONE).read_bytes())
        except (OSError, ValueError, RecursionError):
            return None
        return facts if isinstance(facts, dict) else None

    def done(self, name: str, **facts: Any) -> None:
        """Note that a stage is finished, all or nothing. `made`: names of what it made, in its folder. Raises RunError."""
        path = self.stage(name) / DONE
        part = path.with_name(f".{DONE}.{os.getpid()}.part")
        try:
            with part.open("w", encoding="utf-8") as out:
                json.dump(facts, out, indent=1)
                out.flush()
                os.fsync(out.fileno())
            part.replace(path)
        except OSError as error:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
            raise RunError(
                f"{path} cannot be written: {(error.strerror or str(error)).lower()}.",
                hint="Make room on that disk and start the run again: only the end of this stage is done again.",
            ) from error

    def adapter(self, *names: str) -> Path | None:
        """What the last finished one of these stages made, GRPO before SFT when none are named; None for the base model itself."""
        made = (self.folder / name / MODEL for name in names or (GRPO, SFT) if self.is_done(name))
        return next((path for path in made if path.is_dir()), None)
