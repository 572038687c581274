"""What the album of a run would be: python -m training.scan RUN_FOLDER

Does the album stage into RUN_FOLDER/album exactly as a run does, without starting one; files that were read before are not read again.
JSON lines on standard output: {"done": 640, "of": 1582} now and then, at last {"album": {...}}. Needs no torch. An error is a sentence on
standard error and {"failed": sentence, "hint": hint}, and exit code 1. SIGTERM ends it at once; what was read is kept.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from georapp import run_toml
from georapp.errors import GeorappError, RunError
from georapp.places import Label
from georapp.run_events import CONFIG, LOCK
from training import gather
from training.album_report import Made
from training.rows import AlbumRow, Part
from training.work import ALBUM, DONE

USAGE = "usage: python -m training.scan RUN_FOLDER"
MOST_PLACES = 20_000
APART_S = 0.1  # between two lines about progress
PATIENCE_S = 5.0  # for an earlier scan of this folder to end
_SIDES = {Part.TRAIN: "train", Part.PROBE: "held_out", Part.HELD_OUT: "held_out"}


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) != 1 or arguments[0].startswith("-"):
        print(USAGE, file=sys.stdout if arguments in (["-h"], ["--help"]) else sys.stderr)
        return 0 if arguments in (["-h"], ["--help"]) else 2
    try:
        _say(album=about(scan(Path(arguments[0]))))
    except GeorappError as error:
        _say(failed=str(error), hint=error.hint)
        print(" ".join(part for part in (str(error), error.hint) if part), file=sys.stderr)
        return 1
    return 0


def scan(run: Path) -> Made:
    """Raises RunError, also for a run that has its album or is being worked on; GazetteerError without place data."""
    config = run_toml.read(run / CONFIG)
    if (run / ALBUM / DONE).exists():
        raise RunError(
            f"The album of {run} was made, and what is trained on it must not change.",
            hint="Copy its run.toml into a new folder.",
        )
    with _alone(run):
        return gather.make(config, run / ALBUM, progress=_Progress())


def about(made: Made) -> dict[str, Any]:
    """What is printed at last."""
    train, held = made.of(Part.TRAIN), made.of(Part.PROBE, Part.HELD_OUT)
    return {
        "photos": made.photos,
        "with_place": made.found.with_place,
        "train": len(train),
        "held_out": len(held),
        "probe": len(made.of(Part.PROBE)),
        "groups": made.parted.groups,
        "left_out": list(made.tally.sentences()),
        "notes": list(made.notes()),
        "warnings": [list(alert) for alert in made.alerts()],
        "countries": countries(made.rows, made.named),
        "places": [[round(row.lat, 5), round(row.lon, 5), _SIDES[row.part]] for row in thinned(made.rows)],
    }


def countries(rows: Sequence[AlbumRow], named: Sequence[Label]) -> list[list[Any]]:
    """[code, name, train, held out], the largest first."""
    names = {label.country_code: label.country for label in named}
    counts = Counter((row.country, _SIDES[row.part]) for row in rows)
    codes = {code for code, _ in counts}
    found = [[code, names.get(code) or code, counts[code, "train"], counts[code, "held_out"]] for code in codes]
    return sorted(found, key=lambda one: (-one[2] - one[3], one[0]))


def thinned(rows: Sequence[AlbumRow], most: int = MOST_PLACES) -> list[AlbumRow]:
    """No more than so many of them, evenly."""
    if len(rows) <= most:
        return list(rows)
    return [rows[i * len(rows) // most] for i in range(most)]


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    """An earlier scan that was just ended may still hold the folder for a moment."""
    try:
        with FileLock(run / LOCK).acquire(timeout=PATIENCE_S):
            yield
    except Timeout as error:
        raise RunError(f"Another process works on {run}.", hint="Wait until it has ended, or stop it.") from error
    except OSError as error:
        raise RunError(f"{run} cannot be written to: {(error.strerror or str(error)).lower()}.") from error


class _Progress:
    """Lines about progress, not too many."""

    def __init__(self) -> None:
        self._said_at = 0.0

    def __call__(self, done: int, of: int) -> None:
        if done == of or time.monotonic() >= self._said_at + APART_S:
            self._said_at = time.monotonic()
            _say(done=done, of=of)


def _say(**said: Any) -> None:
    try:
        print(json.dumps(said), flush=True)
    except BrokenPipeError:  # nobody listens any more
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(1) from None


def _alone_in_the_process() -> None:
    """What would change the process of whoever calls `main`."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.SIG_DFL)  # ends it at once, whatever it inherited
    if hasattr(os, "nice"):  # a window that is used meanwhile stays quick
        os.nice(5)


if __name__ == "__main__":
    _alone_in_the_process()
    sys.exit(main(sys.argv[1:]))
