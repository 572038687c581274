"""What SFT learns of the photos of a run, token by token: python -m training.preview RUN_FOLDER [PHOTOS]

One JSON object a photo on standard output: {"photo": path, "tokens": [[text, learned], ...]}. Every token of the photo is one entry.
The model's weights are not loaded. RUN_FOLDER needs no more than a run.toml and an album as `python -m training.scan` makes it.
Exit codes as of `python -m training`; an error also stands on standard output, as {"failed": sentence, "hint": hint}.
"""

from __future__ import annotations

import itertools
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from georapp import run_toml
from georapp.errors import GeorappError, RunError
from georapp.run_events import CONFIG
from training.__main__ import ENVIRONMENT
from training.rows import FILE, AlbumRow, Part, read_rows, without_file
from training.work import ALBUM

USAGE = "usage: python -m training.preview RUN_FOLDER [PHOTOS]"


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) not in (1, 2) or arguments[0].startswith("-") or not all(text.isdecimal() for text in arguments[1:]):
        print(USAGE, file=sys.stderr)
        return 2
    try:
        for line in lines(Path(arguments[0]), int(arguments[1]) if arguments[1:] else 1):
            print(line, flush=True)
    except GeorappError as error:
        print(json.dumps({"failed": str(error), "hint": error.hint}), flush=True)
        print(" ".join(part for part in (str(error), error.hint) if part), file=sys.stderr)
        return 1
    return 0


def lines(run: Path, photos: int) -> Iterator[str]:
    """Of the first training photos that are there, of a run whose album is made. Raises RunError, PhotoError."""
    settings = run_toml.read(run / CONFIG).model
    if not settings.base:
        raise RunError("No model is chosen to begin with.", hint="Set model.base to the folder of one.")
    if not Path(settings.base).is_dir():
        raise RunError(f"The model {settings.base} is not there.", hint="Connect its drive, or set model.base to another folder.")
    rows = _rows(run, photos)
    try:
        from training.base import without_weights  # imports torch
        from training.examples import preview
    except ImportError as error:
        raise RunError(
            f"This Python cannot show what is learned: {error}.", hint="Choose one that can train, or see: georapp doctor"
        ) from error
    base = without_weights(Path(settings.base), settings)
    for row in rows:
        yield json.dumps({"photo": row.path, "tokens": preview(base, row, settings)})


def _rows(run: Path, photos: int) -> list[AlbumRow]:
    if not (run / ALBUM / FILE).is_file():
        raise RunError("Nobody has looked at the photos yet.", hint=f"Do so with: python -m training.scan {run}")
    rows = read_rows(run / ALBUM, Part.TRAIN)
    there = list(itertools.islice((row for row in rows if not without_file(row)), photos))
    if rows and not there:
        raise RunError(
            f"None of the {len(rows):,} photos to train on is there any more, for example {rows[0].path}.",
            hint="Connect the drive on which they lie, or look at the photos again.",
        )
    return there


if __name__ == "__main__":
    for _name, _value in ENVIRONMENT.items():
        os.environ.setdefault(_name, _value)
    sys.exit(main(sys.argv[1:]))
