"""Photos that passed the gates, each once, with what is known of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from georapp.geo import Coordinate, distance_km
from georapp.run_settings import Album
from training.gates import Gate, Tally
from training.readings import Reading, Unread
from training.rows import Part
from training.sources import Candidate


@dataclass(frozen=True, slots=True)
class Shot:
    """A photo with a place. `roll`: whose or which source's; bursts are looked for in one. `said`: what its table wants it for."""

    id: str  # SHA-256 of its bytes
    path: Path
    place: Coordinate
    author: str = ""
    roll: str = ""
    taken_at: str = ""
    look: int = 0
    sharpness: float = 0.0
    said: Part | None = None
    judged: bool = False


@dataclass(frozen=True, slots=True)
class Admitted:
    """The shots, in the order of the sources. `moved`: copies whose sources put them more than a block apart."""

    shots: tuple[Shot, ...]
    with_place: int
    moved: int


def admitted(candidates: Sequence[Candidate], readings: Mapping[Path, Reading | Unread], album: Album, tally: Tally) -> Admitted:
    """Everything that passes; what does not is counted in `tally`."""
    placed = [shot for candidate in candidates if (shot := _shot(candidate, readings[candidate.path], tally))]
    gates = [(Gate.HOME, _in_a_home_zone(album, readings)), (Gate.BLURRED, lambda shot: shot.sharpness < album.blur_below)]
    passed = placed
    for gate, refuses in gates:
        for shot in passed:
            if refuses(shot):
                tally.add(gate, shot.path)
        passed = [shot for shot in passed if not refuses(shot)]
    shots, moved = _each_once(passed, album.block_km, tally)
    return Admitted(tuple(shots), len(placed), moved)


def _shot(candidate: Candidate, reading: Reading | Unread, tally: Tally) -> Shot | None:
    if isinstance(reading, Unread):
        tally.add(reading.gate, reading.reason)
        return None
    place = candidate.place or reading.place
    if candidate.judged and candidate.sha256 != reading.sha256:
        tally.add(Gate.CHANGED, candidate.path)
    elif place is None:
        tally.add(Gate.named(reading.trouble), candidate.path)
    else:
        return Shot(
            reading.sha256,
            candidate.path,
            place,
            candidate.author,
            candidate.author or f"source {candidate.source}",
            reading.taken_at,
            reading.look,
            reading.sharpness,
            candidate.said,
            candidate.judged,
        )
    return None


def _in_a_home_zone(album: Album, readings: Mapping[Path, Reading | Unread]) -> Callable[[Shot], bool]:
    """By the place that is learned, and by the one in the file: neither may give a home away."""
    zones = [(Coordinate(lat, lon), km) for lat, lon, km in album.home_zones]

    def refuses(shot: Shot) -> bool:
        reading = readings[shot.path]
        own = reading.place if isinstance(reading, Reading) else None
        return any(distance_km(place, centre) <= km for centre, km in zones for place in (shot.place, own) if place)

    return refuses


def _each_once(shots: Sequence[Shot], apart_km: float, tally: Tally) -> tuple[list[Shot], int]:
    """The same bytes are one photo. A place that a person decided goes before others, then the first source's."""
    best: dict[str, Shot] = {}
    moved = 0
    for shot in sorted(shots, key=lambda shot: not shot.judged):
        kept = best.setdefault(shot.id, shot)
        if kept is not shot:
            tally.add(Gate.DUPLICATE, shot.path)
            moved += distance_km(kept.place, shot.place) > apart_km
            best[shot.id] = _joined(kept, shot)
    first = {shot.id: i for i, shot in reversed(list(enumerate(shots)))}
    return sorted(best.values(), key=lambda shot: first[shot.id]), moved


def _joined(kept: Shot, copy: Shot) -> Shot:
    """What only a copy's source says is kept; a photo that any source holds out is held out."""
    author = kept.author or copy.author
    said = Part.HELD_OUT if Part.HELD_OUT in (kept.said, copy.said) else kept.said or copy.said
    return replace(kept, author=author, roll=author or kept.roll, said=said)
