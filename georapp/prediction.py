"""What a model said of one photo, and what that is worth. Plain data: it crosses process borders and is kept in files."""

from __future__ import annotations

from dataclasses import dataclass, field

from georapp.chain import Chain, Level
from georapp.geo import Coordinate


@dataclass(frozen=True, slots=True)
class Sample:
    """One answer. `text` is the evidence; everything else is derived from it. No coordinate means that it named no place."""

    text: str
    finished: bool  # ended by itself, was not cut off
    chain: Chain | None = None  # None: the text holds no answer
    strict: bool = False  # exactly in the model's own format
    coordinate: Coordinate | None = None  # as decoded
    decoded_by: str = ""  # "coordinates" or "name"
    other: Coordinate | None = None  # what the other way of decoding gives
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Agreement:
    """The name that most samples share at a level, among those that share the levels above it."""

    level: Level
    name: str
    count: int
    of: int

    @property
    def share(self) -> float:
        """0 to 1; samples without an answer count as not agreeing."""
        return self.count / self.of


@dataclass(frozen=True, slots=True)
class Check:
    """A written region beside the region that the coordinates lie in. `agrees` is None where one of them is missing."""

    level: Level
    written: str | None
    lies_in: str | None
    agrees: bool | None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A group of samples that lie near each other: its most central point and how many of all samples it holds."""

    coordinate: Coordinate
    chain: Chain
    count: int
    share: float


@dataclass(frozen=True, slots=True)
class Timing:
    """Of one photo, on the machine that located it."""

    image_s: float = 0.0
    first_token_s: float = 0.0
    tokens: int = 0
    tokens_per_s: float = 0.0
    total_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Prediction:
    """The answer to one photo.

    `stated` is what the program stands for: the regions on which enough samples agree, and the coordinate only down to a city.
    Empty means: not localisable. `best` is the most central sample's coordinate, whether or not it is stated; the radii are those
    of the circles around it that hold 50 and 90 % of all samples, None where too few samples have a coordinate.
    """

    stated: Chain
    best: Coordinate | None
    radius_50_km: float | None
    radius_90_km: float | None
    samples: tuple[Sample, ...]
    agreements: tuple[Agreement, ...] = ()
    candidates: tuple[Candidate, ...] = ()
    checks: tuple[Check, ...] = ()
    timing: Timing = field(default_factory=Timing)

    @property
    def localisable(self) -> bool:
        """Whether at least a continent is stated."""
        return bool(self.stated.regions)
