"""Which photos of a case are shown, and in which order: filters, sorting, and how good the answers among them are. No Qt.

shown = apply(case.rows(), Filter(text="paris", rulings=frozenset({Ruling.UNSURE})), Sort.RADIUS, reversed=True)
"""

from __future__ import annotations

import enum
import functools
import json
import math
import operator
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from georapp.case import Row, Ruling, State
from georapp.chain import folded
from georapp.evaluate import THRESHOLDS_KM, Share

_NOT_ASCII_WORD = re.compile("[^0-9a-z]+")
_DIGITS = re.compile("[0-9]+")
_STATE_ORDER = {state: place for place, state in enumerate(State)}


class Sort(enum.Enum):
    """By what photos are sorted. Those that lack it come last in both directions; equals stay in the order of the queue."""

    QUEUE = "queue"
    NAME = "name"
    COUNTRY = "country"
    RADIUS = "radius"
    ERROR = "error"
    STATE = "state"


@dataclass(frozen=True, slots=True)
class Filter:
    """What a photo must fulfil to be shown; what is empty or None asks for nothing.

    Every word of `text` must occur in the file name, the stated regions or the model's name, without regard to case and accents.
    Kilometres include their ends. A photo without an error or radius fulfils no condition on it.
    """

    text: str = ""
    states: frozenset[State] = frozenset()
    rulings: frozenset[Ruling] = frozenset()
    countries: frozenset[str] = frozenset()
    models: frozenset[str] = frozenset()
    least_error_km: float | None = None
    most_error_km: float | None = None
    least_radius_km: float | None = None

    def matches(self, row: Row) -> bool:
        """Whether this photo is shown."""
        return all(condition(row) for condition in _conditions(self))

    def to_text(self) -> str:
        """For keeping it under a name: JSON, the same for equal filters."""
        return json.dumps(
            {
                "text": self.text,
                "states": sorted(state.value for state in self.states),
                "rulings": sorted(ruling.value for ruling in self.rulings),
                "countries": sorted(self.countries),
                "models": sorted(self.models),
                "least_error_km": self.least_error_km,
                "most_error_km": self.most_error_km,
                "least_radius_km": self.least_radius_km,
            },
            ensure_ascii=True,  # a file name's lone surrogate in the search field must not make it impossible to save
        )

    @classmethod
    def from_text(cls, text: str) -> Filter:
        """The inverse. The empty filter for anything that `to_text` did not write: a broken view shows all photos."""
        try:
            return _from_plain(json.loads(text))
        except (ValueError, TypeError, RecursionError):
            return cls()


def apply(rows: Sequence[Row], wanted: Filter, sort: Sort = Sort.QUEUE, *, reversed: bool = False) -> list[Row]:
    """The photos that are shown, sorted. `rows` are in the order of the queue."""
    kept = list(rows)
    for condition in _conditions(wanted):
        kept = [row for row in kept if condition(row)]
    if sort is Sort.QUEUE:
        return kept[::-1] if reversed else kept
    key = _KEYS[sort]
    keyed = [(key(row), row) for row in kept]
    known = sorted((pair for pair in keyed if pair[0] is not None), key=_first, reverse=reversed)
    return [row for _, row in known] + [row for value, row in keyed if value is None]


def remember(rows: Iterable[Row]) -> None:
    """Prepare the texts that searching compares, so that the first search is as quick as all others."""
    for row in rows:
        _said(row.path.name, row.stated, row.model)


def accuracy(rows: Iterable[Row]) -> dict[int, Share]:
    """Threshold in km -> share of the photos with a known place whose answer lies within it. No answer is a miss."""
    errors = [row.error_km for row in rows if row.known is not None]
    return {km: Share(sum(error is not None and error <= km for error in errors), len(errors)) for km in THRESHOLDS_KM}


# ---- conditions ----

_Condition = Callable[[Row], bool]


def _conditions(wanted: Filter) -> list[_Condition]:
    """The cheap ones first; none for what is not asked."""
    found: list[_Condition] = []
    if wanted.states:
        found.append(lambda row: row.state in wanted.states)
    if wanted.rulings:
        found.append(lambda row: row.ruling in wanted.rulings)
    if wanted.countries:
        found.append(lambda row: row.country in wanted.countries)
    if wanted.models:
        found.append(lambda row: row.model in wanted.models)
    if wanted.least_error_km is not None or wanted.most_error_km is not None:
        found.append(lambda row: _lies_in(row.error_km, wanted.least_error_km, wanted.most_error_km))
    if wanted.least_radius_km is not None:
        found.append(lambda row: _lies_in(row.radius_km, wanted.least_radius_km, None))
    if wanted.text.strip():
        found.append(_says(wanted.text))
    return found


def _lies_in(value: float | None, least: float | None, most: float | None) -> bool:
    return value is not None and (least is None or value >= least) and (most is None or value <= most)


def _says(text: str) -> _Condition:
    words = folded(text).split()
    if not words:  # only signs, as in "🙂" or "§", which folding drops
        sign = text.strip().casefold()
        return lambda row: sign in f"{row.path.name} {row.stated} {row.model}".casefold()

    if len(words) == 1:
        (word,) = words
        return lambda row: word in _said(row.path.name, row.stated, row.model)
    return lambda row: all(word in _said(row.path.name, row.stated, row.model) for word in words)


@functools.lru_cache(maxsize=65_536)
def _said(name: str, stated: str, model: str) -> str:
    return f"{_folded(name)} {_folded(stated)} {_folded(model)}"


@functools.lru_cache(maxsize=65_536)
def _folded(text: str) -> str:
    """As `chain.folded`, remembered, and by a shorter way for what most file names are made of."""
    return _NOT_ASCII_WORD.sub(" ", text.lower()).strip() if text.isascii() else folded(text)


# ---- order ----


_first = operator.itemgetter(0)


@functools.lru_cache(maxsize=65_536)
def _name_key(name: str) -> str:
    """So that "IMG_9" comes before "IMG_10": every number is led by how many digits it has."""
    return f"{_DIGITS.sub(_with_length, name.casefold())}\0{name}"


def _with_length(found: re.Match[str]) -> str:
    digits = found[0].lstrip("0")
    return f"{len(digits):06}{digits}"


@functools.lru_cache(maxsize=65_536)
def _country_key(country: str, stated: str) -> str | None:
    return f"{_folded(country)}\0{_folded(stated)}" if country else None


_KEYS: dict[Sort, Callable[[Row], Any]] = {
    Sort.NAME: lambda row: _name_key(row.path.name),
    Sort.COUNTRY: lambda row: _country_key(row.country, row.stated),
    Sort.RADIUS: lambda row: row.radius_km,
    Sort.ERROR: lambda row: row.error_km,
    Sort.STATE: lambda row: _STATE_ORDER[row.state],
}


# ---- text ----


def _from_plain(data: Any) -> Filter:
    """Raises ValueError or TypeError where the data is no filter."""
    if not isinstance(data, dict):
        raise TypeError("A filter is an object.")
    return Filter(
        _text(data.get("text", "")),
        frozenset(State(value) for value in _texts(data.get("states", []))),
        frozenset(Ruling(value) for value in _texts(data.get("rulings", []))),
        _texts(data.get("countries", [])),
        _texts(data.get("models", [])),
        _km(data.get("least_error_km")),
        _km(data.get("most_error_km")),
        _km(data.get("least_radius_km")),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("A text is missing in a filter.")
    return value


def _texts(values: Any) -> frozenset[str]:
    if not isinstance(values, list):
        raise TypeError("A list is missing in a filter.")
    return frozenset(_text(value) for value in values)


def _km(value: Any) -> float | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value) or value < 0:
        raise ValueError("A filter's kilometres are a number from 0 on.")
    return float(value)
