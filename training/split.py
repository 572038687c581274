"""Which photos are held out: whole groups of what belongs together, drawn by a hash, so that later photos do not move earlier ones.

Where the photos of an album hang together so that nothing can be held out, the split gives way step by step, and says so.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum

import numpy as np
import numpy.typing as npt

from georapp.run_settings import Album
from training import links
from training.album import bucket
from training.links import Pairs
from training.rows import Part
from training.shots import Shot

CELL_BLOCKS = 4  # a cell of the map is so many times as wide as a block
_DRAWS = 10**9

Numbers = npt.NDArray[np.int64]
Marks = npt.NDArray[np.bool_]


class Link(Enum):
    """What holds photos on one side."""

    PLACE = "places"
    BURST = "bursts"
    LOOK = "near-duplicates"
    AUTHOR = "photographers"
    DAY = "days"


@dataclass(frozen=True, slots=True)
class Step:
    """A way of splitting. `gap`: cells of the map are held out, and what lies near both sides is left out."""

    name: str
    links: tuple[Link, ...]
    gap: bool = False
    loss: str = ""  # what it gives up, for people


_PLACED = (Link.PLACE, Link.BURST, Link.LOOK)
_GAP = "Nearly all photos hang together through others near them, so parts of the map were held out and photos near both sides left out."
_AUTHORS = "Photographers stand on both sides: with each on one side, too little could be held out."
_KNOWN = "Places stand on both sides: the photos lie too near each other. Progress is measured on known places and says nothing of new ones."
STEPS = (
    Step("places and photographers", (*_PLACED, Link.AUTHOR)),
    Step("places and photographers, with a gap", (*_PLACED, Link.AUTHOR), True, _GAP),
    Step("places", _PLACED, False, _AUTHORS),
    Step("places, with a gap", _PLACED, True, f"{_AUTHORS} {_GAP}"),
    Step("days", (Link.DAY, Link.BURST, Link.LOOK), False, _KNOWN),
    Step("bursts", (Link.BURST, Link.LOOK), False, f"{_KNOWN} Days stand on both sides, too."),
)
NOTHING = Step("nothing", (), False, "No photo could be held out: progress cannot be measured.")


@dataclass(frozen=True, slots=True)
class Split:
    """The part of each photo; None for one near both sides. `remarks`: what a person should know about it."""

    parts: tuple[Part | None, ...]
    step: Step
    remarks: tuple[str, ...]
    groups: int  # of photos that lie on one side together
    largest: int


def split(shots: Sequence[Shot], album: Album, *, seed: int) -> Split:
    """By the first of STEPS that holds out at least half, and no more than twice, of what is wanted."""
    pairs = ties(shots, album)
    for step in STEPS:
        numbers = grouped(len(shots), pairs, step.links)
        if step.gap:
            held, between = _gap(shots, pairs, step, album, seed)
        else:
            held, between = _drawn(shots, numbers, album.held_out_percent, seed), np.zeros(len(shots), bool)
        if _enough(shots, held, between, album.held_out_percent):
            break
    else:
        step, numbers = NOTHING, np.arange(len(shots))
        held, between = np.array([shot.said is Part.HELD_OUT for shot in shots], bool), np.zeros(len(shots), bool)
    probe, remark = _probe(shots, step, held, album, seed)
    sizes = np.bincount(numbers)
    remarks = tuple(text for text in (step.loss, remark, _unnamed(shots), _undated(shots, step)) if text)
    return Split(_parts(held, probe, between), step, remarks, len(sizes), int(sizes.max(initial=0)))


def ties(shots: Sequence[Shot], album: Album) -> dict[Link, Pairs]:
    """What holds photos together."""
    taken_at, rolls = [shot.taken_at for shot in shots], [shot.roll for shot in shots]
    return {
        Link.PLACE: links.near(_points(shots), album.block_km),
        Link.BURST: links.bursts(taken_at, rolls, album.burst_seconds),
        Link.LOOK: links.alike([shot.look for shot in shots]),
        Link.AUTHOR: links.same([shot.author or None for shot in shots]),
        Link.DAY: links.days(taken_at, rolls),
    }


def grouped(count: int, pairs: Mapping[Link, Pairs], kinds: Iterable[Link]) -> Numbers:
    """The group of each photo, where these links hold photos together."""
    return links.groups(count, [pairs[kind] for kind in kinds])


def blocks(shots: Sequence[Shot], album: Album) -> Numbers:
    """Photos of one place have one number, from 0 in the order of the photos."""
    return links.groups(len(shots), [links.near(_points(shots), album.block_km)])


def on_both_sides(shots: Sequence[Shot], parts: Sequence[Part | None], album: Album) -> dict[Link, int]:
    """How many places, bursts, ... have photos among those that are trained on and among those that are held out."""
    kept = [shot for shot, part in zip(shots, parts, strict=True) if part]
    is_train = np.array([part is Part.TRAIN for part in parts if part], bool)
    pairs = ties(kept, album)
    return {
        kind: sum(len(set(is_train[group].tolist())) > 1 for group in links.members(grouped(len(kept), pairs, [kind])))
        for kind in Link
    }


def _points(shots: Sequence[Shot]) -> links.Floats:
    return links.points([shot.place.lat for shot in shots], [shot.place.lon for shot in shots])


# ---- drawing ----


def _draw(text: str, seed: int) -> float:
    """From 0 to 1, by the text and the seed alone."""
    return bucket(text, f"split {seed}", _DRAWS) / _DRAWS


def _ordered(shots: Sequence[Shot], numbers: Numbers, seed: int) -> list[tuple[float, Numbers]]:
    """Groups with their draws, the lowest first. A group is drawn by the photo whose own draw is lowest, as most newcomers leave it."""
    own = [_draw(shot.id, seed) for shot in shots]
    groups = links.members(numbers)
    first = [min(group.tolist(), key=lambda i: own[i]) for group in groups]
    draws = [_draw(f"group of {shots[i].id}", seed) for i in first]
    return sorted(zip(draws, groups, strict=True), key=lambda entry: entry[0])


def _limits(shots: Sequence[Shot], percent: float) -> tuple[float, float]:
    """How many photos should be held out at least, and at most. Those that tables hold out count, and may be all."""
    said = sum(shot.said is Part.HELD_OUT for shot in shots)
    wanted = len(shots) * percent / 100
    return max(1, (said or wanted) / 2), max(1, min(2 * wanted, (wanted + len(shots)) / 2)) + said


def _drawn(shots: Sequence[Shot], numbers: Numbers, percent: float, seed: int) -> Marks:
    """Groups that a table holds out; then those drawn under the wanted share, and further ones until it is half reached."""
    least, most = _limits(shots, percent)
    held = np.zeros(len(shots), bool)
    free = []
    for draw, group in _ordered(shots, numbers, seed):
        said = {shots[i].said for i in group}
        if Part.HELD_OUT in said:
            held[group] = True
        elif said != {Part.TRAIN}:
            free.append((draw, group))
    for draw, group in free:
        if (draw < percent / 100 or held.sum() < least) and held.sum() + len(group) <= most:
            held[group] = True
    return held


def _gap(shots: Sequence[Shot], pairs: Mapping[Link, Pairs], step: Step, album: Album, seed: int) -> tuple[Marks, Marks]:
    """Held out, and left out because something of the other side is too near. Twice as much is drawn, as edges are lost."""
    cells = links.groups(len(shots), [links.same(_cells(shots, album.block_km * CELL_BLOCKS))])
    drawn = _drawn(shots, cells, min(2 * album.held_out_percent, 50), seed)
    others = grouped(len(shots), pairs, [kind for kind in step.links if kind is not Link.PLACE])
    points = _points(shots)
    between = drawn & np.isin(others, others[~drawn])
    between[drawn] |= links.nearest_km(points[drawn], points[~drawn]) <= album.block_km
    return drawn & ~between, between


def _cells(shots: Sequence[Shot], km: float) -> list[object]:
    """A square of the map for each photo; for those that a table speaks of, what it says."""
    keys: list[object] = []
    for shot in shots:
        row = int((shot.place.lat + 90) * 111.2 // km)
        middle = np.radians((row + 0.5) * km / 111.2 - 90)
        column = int((shot.place.lon + 180) * 111.2 * max(float(np.cos(middle)), 0.0) // km)
        keys.append(shot.said or (row, column))
    return keys


def _enough(shots: Sequence[Shot], held: Marks, between: Marks, percent: float) -> bool:
    least, most = _limits(shots, percent)
    return bool(least <= held.sum() <= most and held.sum() + between.sum() < len(shots))


# ---- parts ----


def _parts(held: Marks, probe: Marks, between: Marks) -> tuple[Part | None, ...]:
    parts: list[Part | None] = [Part.TRAIN] * len(held)
    for part, marks in ((Part.HELD_OUT, held), (Part.PROBE, probe), (None, between)):
        for i in np.flatnonzero(marks).tolist():
            parts[i] = part
    return tuple(parts)


def _probe(shots: Sequence[Shot], step: Step, held: Marks, album: Album, seed: int) -> tuple[Marks, str]:
    """Of the groups that are held out as many as fit into the probe, the first drawn first; or a part of the smallest one."""
    indices = np.flatnonzero(held)
    some = [shots[i] for i in indices.tolist()]
    numbers = grouped(len(some), ties(some, album), step.links)
    groups = [indices[group] for _, group in _ordered(some, numbers, seed)]
    probe = np.zeros(len(shots), bool)
    for group in groups:
        if probe.sum() + len(group) <= album.probe_photos:
            probe[group] = True
    if probe.any() or not groups:
        return probe, ""
    smallest = min(groups, key=len).tolist()
    probe[sorted(smallest, key=lambda i: _draw(shots[i].id, seed))[: album.probe_photos]] = True
    return probe, "The probe is a part of one group of photos that is held out; the rest of that group measures nothing."


def _unnamed(shots: Sequence[Shot]) -> str:
    count = sum(not shot.author for shot in shots)
    if count == len(shots):
        return "Nobody is named as photographer, so photographers may stand on both sides."
    return f"{count:,} photos name no photographer; each of them counts as by somebody else." if count else ""


def _undated(shots: Sequence[Shot], step: Step) -> str:
    count = sum(links.clock(shot.taken_at) is None for shot in shots)
    return f"{count:,} photos have no time; each counts as of another day." if count and Link.DAY in step.links else ""
