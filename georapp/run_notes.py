"""What people write about a run: a title and a note, in RUN/notes.json. run.toml, from which the run is made, stays as it is."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import dataclass
from pathlib import Path

from georapp.errors import RunError
from georapp.events import from_plain, to_plain

FILE = "notes.json"
LONGEST_TITLE, LONGEST_NOTE = 200, 20_000  # characters
_LARGEST = 1_000_000  # bytes; a larger file is not one of these


@dataclass(frozen=True, slots=True)
class Notes:
    """`title`: what the run is called instead of its folder's name, "" for that; `note`: any text."""

    title: str = ""
    note: str = ""


def read(folder: Path) -> Notes:
    """Empty where there are none, or none that can be read."""
    try:
        if (folder / FILE).stat().st_size > _LARGEST:
            return Notes()
        notes: Notes = from_plain(Notes, json.loads((folder / FILE).read_bytes()))
    except (OSError, ValueError, RecursionError):
        return Notes()
    return Notes(notes.title[:LONGEST_TITLE], notes.note[:LONGEST_NOTE])


def write(folder: Path, notes: Notes) -> None:
    """All or nothing. A title is one line. Raises RunError."""
    tidy = Notes(" ".join(notes.title.split())[:LONGEST_TITLE], notes.note.strip()[:LONGEST_NOTE])
    part = folder / f".{FILE}.{os.getpid()}.part"
    try:
        part.write_text(json.dumps(to_plain(tidy), indent=1), "utf-8")
        part.replace(folder / FILE)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunError(
            f"The note on {folder.name} cannot be kept: {(error.strerror or str(error)).lower()}.",
            hint="Make room on that disk, or give the right to write to that folder.",
        ) from error
