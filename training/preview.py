"""What SFT learns of the photos of a run, token by token: python -m training.preview RUN_FOLDER [PHOTOS]

One JSON object a photo on standard output: {"photo": path, "tokens": [[text, learned], ...]}. Every token of the photo is one entry.
The model's weights are not loaded. Exit codes as of `python -m training`.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

from georapp import run_toml
from georapp.errors import GeorappError
from georapp.run_events import CONFIG

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
        print(" ".join(part for part in (str(error), error.hint) if part), file=sys.stderr)
        return 1
    return 0


def lines(run: Path, photos: int) -> Iterator[str]:
    """Of the first training photos of a run whose album is made. Raises RunError, PhotoError."""
    from training.base import without_weights  # imports torch
    from training.examples import preview
    from training.rows import Part, read_rows

    settings = run_toml.read(run / CONFIG).model
    base = without_weights(Path(settings.base), settings)
    for row in read_rows(run / "album", Part.TRAIN)[:photos]:
        yield json.dumps({"photo": row.path, "tokens": preview(base, row, settings)})


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
