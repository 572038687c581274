"""Gates of the album: what keeps a photo out, each with a name, words for people, and a count. Nothing is left out without one."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path

EXAMPLES = 3  # of each gate that are kept, to look at


class Gate(Enum):
    """Why something is not in the album: a name, and words that go on after a number."""

    MISSING = ("missing", "named and not there")
    CLOSED = ("closed", "folders that cannot be opened")
    SHARD = ("shard", "shards that are damaged, as a whole or from somewhere on")
    UNREADABLE = ("unreadable", "no photos, or damaged")
    UNDECIDED = ("undecided", "in a case without an accepted or corrected place")
    CHANGED = ("changed", "changed since they were judged in a case")
    NO_PLACE = ("no place", "without a place")
    ZERO = ("zero", "at (0, 0), which cameras write when they do not know")
    IMPOSSIBLE = ("impossible", "at an impossible place")
    HOME = ("home", "in a home zone")
    BLURRED = ("blurred", "blurred")
    DUPLICATE = ("duplicate", "copies of photos that are in the album")
    SEA = ("sea", "at sea, or where no country is known")
    BETWEEN = ("between", "near both sides of the split, and therefore on none")

    def __init__(self, title: str, words: str) -> None:
        self.title, self.words = title, words

    @classmethod
    def named(cls, title: str) -> Gate:
        """The gate of that name."""
        return next(gate for gate in cls if gate.title == title)


@dataclass(slots=True)
class Tally:
    """How many each gate kept out, and a few paths or reasons to look at."""

    counts: dict[Gate, int] = field(default_factory=dict)
    examples: dict[Gate, list[str]] = field(default_factory=dict)

    def add(self, gate: Gate, *examples: str | Path, count: int = 1) -> None:
        """Count one more, or several."""
        if count:
            self.counts[gate] = self.counts.get(gate, 0) + count
            shown = self.examples.setdefault(gate, [])
            shown += [str(example) for example in examples][: EXAMPLES - len(shown)]

    @property
    def total(self) -> int:
        """Everything that was left out."""
        return sum(self.counts.values())

    def sentences(self) -> tuple[str, ...]:
        """Like "61 without a place", in the order of the gates."""
        return tuple(f"{self.counts[gate]:,} {gate.words}" for gate in Gate if gate in self.counts)
