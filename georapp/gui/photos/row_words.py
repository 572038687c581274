"""A photo of the case in words: what its row in the list says, shows on hovering, and reads aloud. No widgets."""

from __future__ import annotations

import enum
import textwrap
from dataclasses import dataclass

from georapp.case import Row, Ruling, State
from georapp.notation import kilometres
from georapp.printable import printable

WIDE_KM = 200.0  # a circle wider than a region is worth a look

RULING_WORDS: dict[Ruling, tuple[str, str]] = {  # ruling -> symbol, word
    Ruling.ACCEPTED: ("✓", "accepted"),
    Ruling.CORRECTED: ("✎", "corrected"),
    Ruling.REJECTED: ("✕", "rejected"),
    Ruling.UNSURE: ("?", "unsure"),
    Ruling.NONE: ("", "no verdict"),
}


class Tone(enum.Enum):
    """The part that a piece of text plays; the painter knows its colour."""

    PLAIN = "plain"
    DIM = "dim"
    GOOD = "good"
    WARNING = "warning"
    BAD = "bad"
    HUMAN = "human"
    ACCENT = "accent"
    TRUTH = "truth"  # with a ring before it


RULING_TONES = {
    Ruling.ACCEPTED: Tone.GOOD,
    Ruling.CORRECTED: Tone.HUMAN,
    Ruling.REJECTED: Tone.BAD,
    Ruling.UNSURE: Tone.WARNING,
    Ruling.NONE: Tone.DIM,
}


@dataclass(frozen=True, slots=True)
class Piece:
    """A few words in one tone; a chip has a ground of its own."""

    text: str
    tone: Tone
    chip: bool = False


@dataclass(frozen=True, slots=True)
class Words:
    """The three lines of a row; the last one in pieces."""

    name: str
    place: Piece
    pieces: tuple[Piece, ...]


def words(row: Row, *, running: str = "", following: bool = False) -> Words:
    """`running` is what is being done with the photo now; `following` says that it is the next."""
    name = printable(row.path.name) or "(no name)"
    if running:
        return Words(name, Piece(printable(running), Tone.ACCENT), _verdict(row))
    if row.state is State.FAILED:
        why = printable(row.reason).removeprefix(f"{name} could not be located: ")
        return Words(name, Piece(why, Tone.BAD), (Piece("⚠ failed", Tone.BAD), *_verdict(row)))
    if row.state is State.LOCATED:
        return Words(name, _stated(row), (*_distances(row), *_verdict(row)))
    word = "next" if following else row.state.value
    return Words(name, Piece(word, Tone.PLAIN if following else Tone.DIM), _verdict(row))


def aloud(row: Row, *, running: str = "", following: bool = False) -> str:
    """For screen readers: the row as one sentence, without symbols."""
    said = words(row, running=running, following=following)
    parts = [said.name, said.place.text]
    if row.state is State.LOCATED and not running:
        parts += [f"within {km(_radius(row))}"] if _radius(row) is not None else []
        parts += [f"{km(row.error_km)} off the known place"] if row.error_km is not None else []
    parts += [RULING_WORDS[row.ruling][1]] if row.ruling is not Ruling.NONE else []
    return ", ".join(part for part in parts if part)


def on_hover(row: Row) -> str:
    """More than the row has room for. Its first line is ours: Qt takes a text for HTML whose first line has a tag."""
    lines = [f"Photo {row.number}: {row.state.value}", printable(str(row.path)), printable(row.reason), row.stated]
    return "\n".join(part for line in lines for part in textwrap.wrap(line, 80, break_long_words=True))


def km(distance: float | None) -> str:
    """In words; empty for None."""
    return "" if distance is None else kilometres(distance)


def answered(row: Row) -> bool:
    """Whether a model has answered, also if the photo waits again."""
    return row.state is State.LOCATED or bool(row.model)


def counted(number: int, noun: str) -> str:
    """ "1 photo", "1,204 photos"."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _stated(row: Row) -> Piece:
    """Exact first, because the end is cut off where there is no room; the continent only where nothing else is known."""
    regions = [region for region in row.stated.split(" › ") if region]
    if not regions:
        return Piece("not localisable", Tone.DIM)
    names = dict.fromkeys(reversed(regions[1:] or regions))  # Singapore lies in Singapore in Singapore
    return Piece(", ".join(names), Tone.DIM)


def _radius(row: Row) -> float | None:
    """Of what is stated: where nothing is, a radius of half the world says no more than "not localisable"."""
    return row.radius_km if row.stated else None


def _distances(row: Row) -> tuple[Piece, ...]:
    radius = _radius(row)
    found = [Piece(f"± {km(radius)}", Tone.WARNING if radius > WIDE_KM else Tone.PLAIN)] if radius is not None else []
    return (*found, Piece(f"{km(row.error_km)} off", Tone.TRUTH)) if row.error_km is not None else tuple(found)


def _verdict(row: Row) -> tuple[Piece, ...]:
    symbol, word = RULING_WORDS[row.ruling]
    return (Piece(f"{symbol} {word}", RULING_TONES[row.ruling], chip=True),) if symbol else ()
