"""The Chain of Region, and the exact text that the model is trained to write (the wire format).

    Continent: Europe
    Country: France
    State: Île-de-France
    City: Paris
    Coordinates: (48.8584, 2.2945)

That is the five-level format. Geo-R's own has four levels: the same without the first line. A level that is not known is
written as "—". This module knows only what our own models write; `reading.py` reads what any model may write.
"""

from __future__ import annotations

import enum
import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass, field

from georapp.geo import Coordinate

UNKNOWN = "—"


class Level(enum.IntEnum):
    """From general to exact."""

    CONTINENT = 0
    COUNTRY = 1
    PROVINCE = 2
    CITY = 3

    @property
    def word(self) -> str:
        """The word for people: "province"."""
        return self.name.lower()


class ChainFormat(enum.Enum):
    """Which lines the model writes."""

    FOUR = "four"  # Geo-R exact
    FIVE = "five"  # continent first

    @property
    def labels(self) -> dict[Level, str]:
        """Level -> the word at the beginning of its line, in order."""
        return {level: label for level, label in LABELS.items() if self is ChainFormat.FIVE or level is not Level.CONTINENT}


LABELS = {Level.CONTINENT: "Continent", Level.COUNTRY: "Country", Level.PROVINCE: "State", Level.CITY: "City"}
COORDINATES = "Coordinates"

# ASCII digits only: \d would match Arabic and other digits, which float() also reads.
_NUMBER = r"[+-]?[0-9]{1,3}(?:\.[0-9]+)?"
PAIR = re.compile(rf"\(\s*({_NUMBER})\s*,\s*({_NUMBER})\s*\)")


# Marks that a name is also written without: accents, Hebrew points, Arabic vowel signs. Marks of other scripts (Devanagari and Thai
# vowels, the Japanese voiced sound mark) are letters: without them names fall apart.
_ACCENTS = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05c7\u0610-\u061a\u064b-\u065f\u0670\u06d6-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff\ufe20-\ufe2f]"
)


def folded(name: str) -> str:
    """The form in which names are compared: no case, no accents, single spaces, letters and digits of any script."""
    apart = _ACCENTS.sub("", unicodedata.normalize("NFKD", name.casefold()))
    kept = "".join(c if c.isalnum() or unicodedata.category(c)[0] == "M" else " " for c in apart)
    return " ".join(kept.split())


@dataclass(frozen=True, slots=True)
class Region:
    """One rung: a level and a name as it was written. Equal when level and folded name are equal."""

    level: Level
    name: str = field(compare=False)
    key: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        name = " ".join(self.name.split())
        if name in ("", UNKNOWN):
            raise ValueError(f"A {self.level.word} needs a name.")
        object.__setattr__(self, "name", name)
        object.__setattr__(self, "key", folded(name) or name)


@dataclass(frozen=True, slots=True)
class Chain:
    """Regions from general to exact, each level at most once, and a coordinate if one is known."""

    regions: tuple[Region, ...] = ()
    coordinate: Coordinate | None = None

    def __post_init__(self) -> None:
        levels = [region.level for region in self.regions]
        if levels != sorted(set(levels)):
            raise ValueError("The regions of a chain go from general to exact, each level once.")

    @classmethod
    def of(cls, names: Iterable[tuple[Level, str | None]], coordinate: Coordinate | None = None) -> Chain:
        """From (level, name) in any order; a level without a name is left out."""
        regions = (Region(level, name) for level, name in names if name and name.strip() not in ("", UNKNOWN))
        return cls(tuple(sorted(regions, key=lambda region: region.level)), coordinate)

    def name(self, level: Level) -> str | None:
        """The name at a level, or None."""
        return next((region.name for region in self.regions if region.level is level), None)

    def __str__(self) -> str:
        """For people: "Europe > France > Paris (48.8584, 2.2945)"."""
        names = " > ".join(region.name for region in self.regions)
        return " ".join(part for part in (names, str(self.coordinate or "")) if part)


def render(chain: Chain, chain_format: ChainFormat = ChainFormat.FIVE, *, decimals: int = 4) -> str:
    """The text that the model is trained to write. 4 decimals are 11 m."""
    lines = [f"{label}: {chain.name(level) or UNKNOWN}" for level, label in chain_format.labels.items()]
    place = chain.coordinate
    pair = f"({place.lat:.{decimals}f}, {place.lon:.{decimals}f})" if place else UNKNOWN
    return "\n".join([*lines, f"{COORDINATES}: {pair}"])


def strict_pair(text: str) -> Coordinate | None:
    """Geo-R's format reward: exactly one "(lat, lon)" in the whole text, and possible values. None otherwise."""
    found = PAIR.findall(text)
    if len(found) != 1:
        return None
    try:
        return Coordinate(float(found[0][0]), float(found[0][1]))
    except ValueError:
        return None


def parse(text: str, chain_format: ChainFormat = ChainFormat.FIVE) -> Chain | None:
    """The inverse of `render`: every line of the format, once, in order, and nothing else. None otherwise."""
    labels = [*chain_format.labels.values(), COORDINATES]
    lines = [line.strip() for line in text.strip().splitlines()]
    if len(lines) != len(labels):
        return None
    values = []
    for label, line in zip(labels, lines, strict=True):
        word, colon, value = line.partition(":")
        if word != label or not colon or not value.strip():
            return None
        values.append(value.strip())
    *names, pair = values
    coordinate = strict_pair(pair)
    if coordinate is None and pair != UNKNOWN:
        return None
    known = ((level, None if name == UNKNOWN else name) for level, name in zip(chain_format.labels, names, strict=True))
    return Chain.of(known, coordinate)
