"""Between the stages: which training photos GRPO is given. What the model solves already teaches nothing: all its answers earn the same.

The SFT model answers every training photo once, greedily. By settings ([hard]):

    missed      keep what it misses by more than over_km (200); never fewer than keep_at_least, the worst ones
    hotspots    as in Geo-R: drop everything within over_km of a photo that it solved (within solved_km), to the same floor

Of what is dropped, easy_share (half) stays in as an anchor: without it a model unlearns what it could. Answers are written to
answers.jsonl batch by batch, so a long album goes on where it was stopped.
"""

from __future__ import annotations

import hashlib
import math
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.spatial import cKDTree

from georapp import run_settings
from georapp.errors import RunError, Stopped
from georapp.geo import EARTH_RADIUS_KM, HALF_CIRCUMFERENCE_KM
from georapp.prompt import profile_named
from georapp.run_events import Stage, Step
from training import changes
from training.answering import answers
from training.answers_file import Answered, AnswersFile
from training.base import Base, load
from training.probe import distance_of
from training.rows import AlbumRow, Part, read_rows
from training.work import ALBUM, DONE, HARD, SFT, Work

ANSWERS = "answers.jsonl"


@dataclass(frozen=True, slots=True)
class Choice:
    """Ids, none twice. `floor`: kept although they are not hard, the worst of the rest, to reach keep_at_least."""

    hard: tuple[str, ...]
    floor: tuple[str, ...]
    anchor: tuple[str, ...]
    solved: int  # photos that were dropped, anchor included

    @property
    def kept(self) -> frozenset[str]:
        """What GRPO is given."""
        return frozenset((*self.hard, *self.floor, *self.anchor))


def run(work: Work) -> None:
    """Write RUN/hard/done.json: ids, distances, and a report in words. Raises RunError, and Stopped when somebody asked for it."""
    rows = read_rows(work.folder / ALBUM, Part.TRAIN)
    file = AnswersFile(work.stage(HARD) / ANSWERS, _key(work))
    left = [row for row in rows if row.id not in file.known]
    before = len(rows) - len(left)
    if before:
        work.events.write(Stage(HARD, "resumed", before, len(rows)))
    _ask(work, left, file, total=len(rows))
    seen = [row for row in rows if row.id in file.known]
    if not seen:
        raise RunError(
            f"None of the {len(rows)} training photos can be read, so none can be chosen.",
            hint="Connect the drive that they are on, and start the run again.",
        )
    distances = [file.known[row.id].km for row in seen]
    choice = choose(seen, distances, work.config.hard)
    work.done(
        HARD,
        ids=[row.id for row in seen if row.id in choice.kept],
        hard=len(choice.hard),
        floor=len(choice.floor),
        anchor=len(choice.anchor),
        photos=len(rows),
        missing=len(rows) - len(seen),
        distances={row.id: km for row, km in zip(seen, distances, strict=True)},
        report=report(choice, distances, work.config.hard, missing=len(rows) - len(seen)),
        **changes.record(work.config, HARD),
    )


# ---- asking ----


def _key(work: Work) -> str:
    """Of the model that is asked, and of how: other answers are of no use."""
    made = work.folder / SFT / DONE
    facts = made.read_bytes() if made.is_file() else b""
    return hashlib.sha256(facts + repr((work.config.model, work.config.seed)).encode("utf-8", "surrogatepass")).hexdigest()


def _ask(work: Work, rows: Sequence[AlbumRow], file: AnswersFile, *, total: int) -> None:
    """A batch at a time, each on the disk before the next."""
    if not rows:
        return
    base = load(Path(work.config.model.base), work.config.model, adapter=work.adapter(SFT))
    batch, before = work.config.grpo.batch, total - len(rows)
    for start in range(0, len(rows), batch):
        work.events.wait_while_paused()
        if work.events.stop_asked():
            raise Stopped
        file.add(_answered(base, rows[start : start + batch], work.config))
        done = before + min(start + batch, len(rows))
        if done == total or done * 100 // total > (done - batch) * 100 // total:
            work.events.write(Step.of(HARD, done, total, _progress(list(file.known.values()), work.config.hard)))


def _answered(base: Base, rows: Sequence[AlbumRow], settings: run_settings.RunConfig) -> list[Answered]:
    """Without the photos that cannot be read any more."""
    profile = profile_named(settings.model.profile)
    photos = [Path(row.path) for row in rows]
    found = answers(base, photos, profile.question, max_tokens=profile.max_tokens, batch=len(rows))
    return [
        Answered(row.id, texts[0], distance_of(texts[0], row.coordinate, profile))
        for row, texts in zip(rows, found, strict=True)
        if texts
    ]


def _progress(known: Sequence[Answered], settings: run_settings.Hard) -> dict[str, float]:
    missed = sum(is_missed(answer.km, settings.over_km) for answer in known)
    return {"missed": missed / len(known), "unanswered": sum(answer.km is None for answer in known) / len(known)} if known else {}


# ---- choosing ----


def is_missed(km: float | None, over_km: float) -> bool:
    """No answer is the worst answer."""
    return km is None or km > over_km


def choose(rows: Sequence[AlbumRow], distances: Sequence[float | None], settings: run_settings.Hard) -> Choice:
    """`distances` of the answers to `rows`, in km. The same rows give the same choice, whatever their order."""
    errors = [math.inf if km is None else km for km in distances]
    worst_first = sorted(range(len(rows)), key=lambda i: (-errors[i], rows[i].id))
    is_hard = (
        _far_from_solved(rows, errors, settings) if settings.method == "hotspots" else [e > settings.over_km for e in errors]
    )
    hard = [i for i in worst_first if is_hard[i]]
    rest = [i for i in worst_first if not is_hard[i]]
    lacking = max(0, settings.keep_at_least - len(hard))
    floor, easy = rest[:lacking], rest[lacking:]
    by_chance = sorted(rows[i].id for i in easy)  # ids are hashes: their order says nothing about the photos
    anchor = by_chance[: round(settings.easy_share * len(easy))]
    return Choice(tuple(rows[i].id for i in hard), tuple(rows[i].id for i in floor), tuple(anchor), len(rest))


def _far_from_solved(rows: Sequence[AlbumRow], errors: Sequence[float], settings: run_settings.Hard) -> list[bool]:
    """Geo-R's filter: whether no solved photo lies within over_km. Without a solved photo all are far."""
    points = _on_sphere(rows)
    solved = points[np.array(errors) <= settings.solved_km]
    if not len(solved):
        return [True] * len(rows)
    chord = 2 * math.sin(min(settings.over_km, HALF_CIRCUMFERENCE_KM) / (2 * EARTH_RADIUS_KM))
    nearest, _ = cKDTree(solved).query(points)
    return [bool(distance > chord) for distance in nearest]


def _on_sphere(rows: Sequence[AlbumRow]) -> npt.NDArray[np.float64]:
    """Points [n, 3] on a sphere of radius 1: the chord between two tells their distance."""
    lat, lon = np.radians([row.lat for row in rows]), np.radians([row.lon for row in rows])
    return np.stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)], 1)


def report(choice: Choice, distances: Sequence[float | None], settings: run_settings.Hard, *, missing: int = 0) -> list[str]:
    """What was chosen and why, in sentences."""
    missed = sum(is_missed(km, settings.over_km) for km in distances)
    silent = sum(km is None for km in distances)
    answered = [km for km in distances if km is not None]
    middle = f" The answers with a place are {statistics.median(answered):,.0f} km off in the middle." if answered else ""
    said = [
        f"The model was asked about {len(distances):,} training photos. It misses {missed:,} of them by more than "
        f"{settings.over_km:,g} km, {silent:,} of these without naming a place.{middle}"
    ]
    if settings.method == "hotspots":
        solved = sum(km <= settings.solved_km for km in answered)
        said.append(
            f"It solves {solved:,} within {settings.solved_km:,g} km; {choice.solved:,} photos lie within {settings.over_km:,g} km "
            "of one of these and count as solved."
        )
    said.append(f"Kept are {len(choice.hard):,} hard photos, and {len(choice.anchor):,} solved ones as an anchor.")
    if choice.floor:
        said.append(f"{len(choice.floor):,} more are kept, the worst of the rest, to reach hard.keep_at_least.")
    if len(choice.kept) < settings.keep_at_least:
        said.append("The album has fewer photos than hard.keep_at_least; GRPO will see the same ones again and again.")
    if missing:
        said.append(f"{missing:,} photos could not be read any more and are left out.")
    return said
