"""What `georapp locate` leaves behind: one result a line, JSON, readable and resumable. Torn last lines are expected."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from georapp import events
from georapp.chain import Level
from georapp.errors import ResultsError
from georapp.gazetteer import Gazetteer
from georapp.geo import Coordinate, distance_km
from georapp.prediction import Prediction


@dataclass(frozen=True, slots=True)
class Truth:
    """The photo's own place beside the answer. `levels`: whether the answer's best point lies in the same region as the true place."""

    coordinate: Coordinate
    source: str
    distance_km: float | None
    levels: dict[Level, bool | None]


@dataclass(frozen=True, slots=True)
class Result:
    """One photo: where it lies, what was found out of the file, and the answer or the failure."""

    path: str
    sha256: str
    photo: events.Began | None
    outcome: events.Located | events.Failed
    truth: Truth | None = None

    @property
    def located(self) -> bool:
        """Whether there is an answer; it may be "not localisable"."""
        return isinstance(self.outcome, events.Located)

    def to_line(self) -> str:
        """One line without its newline. The worker's own names for photos are left out."""
        data: dict[str, Any] = {"path": self.path, "sha256": self.sha256, "status": "located" if self.located else "failed"}
        if self.photo:
            data["photo"] = _without_name(self.photo)
        data["result" if self.located else "failure"] = _without_name(self.outcome)
        if self.truth:
            data["truth"] = {
                "lat": self.truth.coordinate.lat,
                "lon": self.truth.coordinate.lon,
                "from": self.truth.source,
                "distance_km": self.truth.distance_km,
                "same": {level.word: same for level, same in self.truth.levels.items()},
            }
        return json.dumps(data, ensure_ascii=False, allow_nan=False)


def _without_name(event: events.Event) -> dict[str, Any]:
    data: dict[str, Any] = events.to_plain(event)
    data.pop("photo", None)
    return data


def compared(prediction: Prediction, photo: events.Began | None, places: Gazetteer) -> Truth | None:
    """The answer beside the place in the photo's own metadata; None when it has none."""
    if photo is None or photo.known_lat is None or photo.known_lon is None:
        return None
    known = Coordinate(photo.known_lat, photo.known_lon)
    best = prediction.best
    distance = distance_km(best, known) if best else None
    return Truth(known, photo.known_from, distance, same_regions(best, known, places))


def same_regions(a: Coordinate | None, b: Coordinate, places: Gazetteer) -> dict[Level, bool | None]:
    """For each level whether both points lie in the same region; None where the true point lies in none (sea)."""
    there = places.label(b)
    here = places.label(a) if a else None
    pairs = {
        Level.CONTINENT: (here and here.continent, there.continent),
        Level.COUNTRY: (here and here.country_code, there.country_code),
        Level.PROVINCE: (here and here.province_code, there.province_code),
        Level.CITY: (here and (here.province_code, here.city), there.city and (there.province_code, there.city)),
    }
    return {level: None if true is None else mine == true for level, (mine, true) in pairs.items()}


class ResultsFile:
    """A file of results that grows photo by photo, each safe on disk before the next begins.

    `answers`: the predictions in it, by SHA-256 of the photo; lines that cannot be read are passed over, failures are tried again.
    Raises ResultsError when it cannot be opened, read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            text = path.read_text("utf-8", errors="replace") if path.is_file() else ""  # a device would never end
            self.answers = dict(_answers(text))
            self._out = path.open("ab", buffering=0)  # nothing waits in memory when the disk is full
            if text and not text.endswith("\n"):  # torn by a crash or a full disk
                self._write(b"\n")
        except OSError as error:
            raise ResultsError(f"{path} cannot be used for results: {(error.strerror or str(error)).lower()}.") from error

    def add(self, result: Result) -> None:
        """Append one result and wait until it is on disk."""
        try:
            self._write(result.to_line().encode() + b"\n")
            os.fsync(self._out.fileno())
        except OSError as error:
            raise ResultsError(
                f"The result of {result.path} could not be written to {self.path}: {(error.strerror or str(error)).lower()}.",
                hint="Free some room and start again with the same --resume file: what is in it is not done twice.",
            ) from error
        if isinstance(result.outcome, events.Located):
            self.answers[result.sha256] = result.outcome.prediction

    def close(self) -> None:
        """Close the file; what was added is on disk already."""
        self._out.close()

    def _write(self, data: bytes) -> None:
        while data:  # a nearly full disk takes a part
            data = data[self._out.write(data) :]

    def __enter__(self) -> ResultsFile:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close()


def _answers(text: str) -> Iterator[tuple[str, Prediction]]:
    for line in text.splitlines():
        try:
            data = json.loads(line)
            if data["status"] == "located":
                yield str(data["sha256"]), events.from_plain(Prediction, data["result"]["prediction"])
        except (ValueError, TypeError, KeyError):
            continue
