"""What a model would learn of the first photos of an album, token by token, asked of a Python that can train."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from georapp.training_process import TrainingProcess

PATIENCE_S = 180.0  # torch and a tokenizer from a slow disk

Tokens = tuple[tuple[str, bool], ...]  # text, and whether it is learned


class Preview:
    """One preview of the first `count` photos to train on, of a run folder whose album was made."""

    def __init__(self, folder: Path, python: Path, count: int = 4) -> None:
        command = [str(python), "-m", "training.preview", str(folder.absolute()), str(count)]
        self._process = TrainingProcess(command, patience_s=PATIENCE_S)

    def run(self) -> list[tuple[Path, Tokens]]:
        """Blocks some seconds. Token texts are as the tokenizer gives them, with line ends. Raises RunError; Cancelled after `cancel`."""
        with contextlib.closing(self._process.messages()) as messages:
            found = [_sample(said) for said in messages if "tokens" in said]
        if not found:
            raise RunError("There is no photo to train on that could be shown.", hint="Look at the photos again.")
        return found

    def cancel(self) -> None:
        """From any thread; `run` then ends at once."""
        self._process.cancel()


def samples(folder: Path, python: Path, count: int) -> list[tuple[Path, Tokens]]:
    """Blocks some seconds. Raises RunError."""
    return Preview(folder, python, count).run()


def _sample(said: Mapping[str, Any]) -> tuple[Path, Tokens]:
    try:
        return Path(said["photo"]), tuple((str(text), bool(learned)) for text, learned in said["tokens"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError("What was said about a photo cannot be understood.", hint="Update this program.") from error
