"""Short texts of the window that are made from values."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from georapp.case import Row
from georapp.chain import Level
from georapp.geo import Coordinate, distance_km
from georapp.notation import kilometres as kilometres  # the widgets take their words from here
from georapp.printable import printable


def time_left(seconds: float | None) -> str:
    """ "12 min left"; empty when nothing was measured yet."""
    if seconds is None:
        return ""
    if seconds < 60:
        return f"{max(1, round(seconds))} s left"
    minutes = round(seconds / 60)
    return f"{minutes} min left" if minutes < 90 else f"{minutes / 60:.1f} h left"


def truth(best: Coordinate | None, known: Coordinate, levels: Mapping[Level, bool | None]) -> tuple[str, str]:
    """How the answer's best point compares with the place in the file: words, and their tone ("good", "warning", "bad", "dim")."""
    if best is None:
        return "The file holds a place (GPS). The answers name none.", "dim"
    km = distance_km(best, known)
    right = [level.word for level, same in levels.items() if same]
    text = f"{kilometres(km)} from the place in the file (GPS)"
    if levels:
        text += f"; right: {', '.join(right)}" if right else "; no region is right"
    return f"{text}.", "good" if km <= 25 else "warning" if km <= 750 else "bad"


def spot(row: Row) -> str:
    """A photo on the map of all photos."""
    return f"{file_name(row.path)}: {row.stated or 'not localisable'}"


def file_name(path: Path) -> str:
    """Of a photo, on one line."""
    return printable(path.name)


def case_name(path: Path) -> str:
    """Of a case, without its ending."""
    return printable(path.stem)


def with_ending(path: Path) -> Path:
    """The file that a person named, as a case file."""
    return path if path.suffix == ".georapp" else path.with_name(f"{path.name}.georapp")
