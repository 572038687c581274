"""Labels of the album: by polygons or, as in Geo-R's paper, by the nearest town; how far both agree; and the text to learn."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from georapp import gazetteer, nearest_city
from georapp.chain import Level, Region, render
from georapp.geo import Coordinate
from georapp.places import Label
from georapp.prompt import Profile

Labeller = Callable[[npt.ArrayLike, npt.ArrayLike], list[Label]]

LABELLERS: Mapping[str, Callable[[], Labeller]] = {
    "polygons": lambda: gazetteer.load().labels,
    "nearest": lambda: nearest_city.load().labels,
}
LEVELS = (Level.COUNTRY, Level.PROVINCE, Level.CITY)


@dataclass(frozen=True, slots=True)
class Disagreement:
    """How often two ways of labelling name different regions at a level, of the photos to which both give a name."""

    level: str
    photos: int
    differ: int
    one_only: int  # photos to which only one of them gives a name
    spelled: int = 0  # of those that differ: another name of the same province, as Latium of Lazio; not known of cities

    @property
    def percent(self) -> float | None:
        """None where there was nothing to compare."""
        return 100 * self.differ / self.photos if self.photos else None

    def __str__(self) -> str:
        share = "nothing to compare" if self.percent is None else f"{self.differ:,} of {self.photos:,} ({self.percent:.1f} %)"
        return f"{self.level} {share}" + (f", {self.spelled:,} of them in the name alone" if self.spelled else "")


def other(by: str) -> str:
    """The way of labelling that is compared with."""
    return next(name for name in LABELLERS if name != by)


def labels(places: Sequence[Coordinate], by: str) -> list[Label]:
    """What each place lies in, by one of LABELLERS. Raises GazetteerError when its data is missing."""
    return LABELLERS[by]()(np.array([place.lat for place in places]), np.array([place.lon for place in places]))


def disagreements(places: Sequence[Coordinate], ours: Sequence[Label], theirs: Sequence[Label]) -> list[Disagreement]:
    """At each level under the continent. Names are compared folded: without case and accents."""
    chains = [(a.chain(place), b.chain(place)) for place, a, b in zip(places, ours, theirs, strict=True)]
    found = [_disagreement(level, [(a.name(level), b.name(level)) for a, b in chains]) for level in LEVELS]
    spelled = sum(_one_province(a, b) for a, b in zip(ours, theirs, strict=True))
    return [replace(one, spelled=spelled) if one.level == Level.PROVINCE.word else one for one in found]


def _disagreement(level: Level, names: Sequence[tuple[str | None, str | None]]) -> Disagreement:
    both = [(a, b) for a, b in names if a and b]
    differ = sum(_differ(level, a, b) for a, b in both)
    return Disagreement(level.word, len(both), differ, sum(bool(a) != bool(b) for a, b in names))


def _differ(level: Level, a: str, b: str) -> bool:
    return Region(level, a).key != Region(level, b).key


def _one_province(a: Label, b: Label) -> bool:
    """Whether two labels mean one province and call it differently."""
    if a.country_code is None or a.country_code != b.country_code or not a.province or not b.province:
        return False
    codes = {label.province_code or _code(label.province, a.country_code) for label in (a, b) if label.province}
    return _differ(Level.PROVINCE, a.province, b.province) and len(codes) == 1 and None not in codes


@functools.cache
def _code(province: str, country: str) -> str | None:
    return gazetteer.load().province_code(province, country)


def answer(label: Label, place: Coordinate, profile: Profile, decimals: int) -> str:
    """What a model should write about a photo of this place, in the profile's own lines."""
    if profile.chain_format is None:
        raise ValueError(f"The profile {profile.name} has no lines of its own that could be learned.")
    rounded = Coordinate(round(place.lat, decimals) + 0.0, round(place.lon, decimals) + 0.0)  # + 0.0: no "-0.0000"
    return render(label.chain(rounded), profile.chain_format, decimals=decimals)
