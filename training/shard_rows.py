"""One shard becomes rows, with a count of everything that it leaves out; kept in RUN/album/shards/, so that no start reads it again."""

from __future__ import annotations

import hashlib
import json
import math
import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from georapp.errors import RunError, Stopped
from georapp.events import to_plain
from georapp.geo import Coordinate
from georapp.prompt import profile_named
from georapp.run_settings import RunConfig
from training import readings
from training.gates import Gate, Tally
from training.labels import answer, labels
from training.map_split import MapSplit
from training.readings import Reading, Unread
from training.rows import AlbumRow
from training.shards import Entry, ShardError, entries
from training.shots import Shot, admitted
from training.sources import Candidate, folded_author

FOLDER = "shards"  # in RUN/album
TOGETHER = 256  # photos that are in memory at once


@dataclass(slots=True)
class ShardRows:
    """Counts of a shard; its rows lie in `file`, behind a line of these. `damage`: why it could not be read to its end."""

    file: Path
    photos: int = 0
    with_place: int = 0
    damage: str = ""
    tally: Tally = field(default_factory=Tally)

    def lines(self) -> Iterator[str]:
        """The rows as they stand in the file, each with its line feed."""
        with self.file.open(encoding="ascii") as file:
            yield from islice(file, 1, None)


def rows_of(shard: Path, config: RunConfig, folder: Path, *, stopped: Callable[[], bool] = lambda: False) -> ShardRows:
    """Of an earlier start, or read now. Raises Stopped, RunError when they cannot be kept, and GazetteerError."""
    try:
        kept = folder / FOLDER / f"{_key(shard, config)}.jsonl"
        return _known(kept) or _read(shard, config, kept, stopped)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise RunError(f"The rows of {shard} cannot be kept in {folder}: {why}.") from error


def _key(shard: Path, config: RunConfig) -> str:
    """Of its file, and of every setting that its rows depend on."""
    status = shard.stat() if shard.exists() else None
    said = (str(shard), status and (status.st_size, status.st_mtime_ns), config.album, config.seed, config.model.profile)
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def _known(kept: Path) -> ShardRows | None:
    try:
        with kept.open(encoding="ascii") as file:
            head = json.loads(file.readline())
        counts = {Gate.named(name): (count, tuple(examples)) for name, (count, examples) in head["left_out"].items()}
        found = ShardRows(kept, head["photos"], head["with_place"], head["damage"])
    except (OSError, ValueError, KeyError, TypeError, StopIteration):
        return None
    for gate, (count, examples) in counts.items():
        found.tally.add(gate, *examples, count=count)
    return found


def _read(shard: Path, config: RunConfig, kept: Path, stopped: Callable[[], bool]) -> ShardRows:
    """All or nothing: the counts are known at the end and stand at the beginning."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    found, body, part = ShardRows(kept), kept.with_suffix(".body"), kept.with_suffix(".part")
    with body.open("w", encoding="ascii", newline="\n") as out, ThreadPoolExecutor(os.cpu_count()) as readers:
        for some in _batches(shard, found):
            if stopped():
                raise Stopped
            for row in _rows(some, config, readers, found):
                out.write(json.dumps(to_plain(row)) + "\n")
    if found.damage:
        found.tally.add(Gate.SHARD, f"{shard}: {found.damage}")
    with part.open("w", encoding="ascii", newline="\n") as out, body.open(encoding="ascii") as lines:
        out.write(json.dumps(_head(found)) + "\n")
        out.writelines(lines)
        out.flush()
        os.fsync(out.fileno())
    part.replace(kept)
    body.unlink()
    return found


def _head(found: ShardRows) -> dict[str, Any]:
    counts = {gate.title: [count, found.tally.examples[gate]] for gate, count in found.tally.counts.items()}
    return {"photos": found.photos, "with_place": found.with_place, "damage": found.damage, "left_out": counts}


def _batches(shard: Path, found: ShardRows) -> Iterator[list[Entry]]:
    """What is still whole of a damaged shard comes too."""
    some: list[Entry] = []
    try:
        for entry in entries(shard):
            some.append(entry)
            if len(some) == TOGETHER:
                yield some
                some = []
    except ShardError as error:
        found.damage = str(error)
    if some:
        yield some


def _rows(some: Sequence[Entry], config: RunConfig, readers: ThreadPoolExecutor, found: ShardRows) -> list[AlbumRow]:
    """Of the photos that pass all gates."""
    found.photos += len(some)
    read = dict(zip([entry.path for entry in some], readers.map(_reading, some), strict=True))
    candidates = [Candidate(entry.path, place=_place(entry), author=folded_author(entry.author)) for entry in some]
    passed = admitted(candidates, read, config.album, found.tally)
    found.with_place += passed.with_place
    return _labelled(passed.shots, config, found.tally)


def _reading(entry: Entry) -> Reading | Unread:
    """What is written beside a photo goes before what its file says; an impossible place does not become another one."""
    reading = readings.read(entry.path, entry.data)
    if entry.lat is None or isinstance(reading, Unread) or _place(entry):
        return reading
    zero = entry.lat == 0 and entry.lon == 0
    return Unread(Gate.ZERO if zero else Gate.IMPOSSIBLE, f"{entry.path} at ({entry.lat}, {entry.lon})")


def _place(entry: Entry) -> Coordinate | None:
    try:
        lat, lon = float(entry.lat), float(entry.lon)
        return Coordinate(lat, lon) if (lat, lon) != (0, 0) and math.isfinite(lat + lon) else None
    except (TypeError, ValueError):
        return None


def _labelled(shots: Sequence[Shot], config: RunConfig, tally: Tally) -> list[AlbumRow]:
    album, profile = config.album, profile_named(config.model.profile)
    split, rows = MapSplit(album.block_km, album.held_out_percent, config.seed), []
    for shot, label in zip(shots, labels([shot.place for shot in shots], album.labels) if shots else (), strict=True):
        part = split.part(shot.place)
        if label.country_code is None:
            tally.add(Gate.SEA, shot.path)
        elif part is None:
            tally.add(Gate.BETWEEN, shot.path)
        else:
            text = answer(label, shot.place, profile, album.decimals)
            lat, lon, block = shot.place.lat, shot.place.lon, split.cell(shot.place)
            row = AlbumRow(shot.id, str(shot.path), lat, lon, label.country_code, text, part, shot.author, shot.taken_at, block)
            rows.append(row)
    return rows
