"""The album stage for photos in shards: millions of them, one shard after another, with no more in memory than a few hundred.

Each shard becomes a file of rows (training.shard_rows); these are joined into RUN/album/rows.jsonl, and the same photo of two shards is
taken once. The split is decided photo by photo (training.map_split). All that grows with the album is 8 bytes of every photo's hash.
"""

from __future__ import annotations

import contextlib
import heapq
import json
import os
import tempfile
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TextIO

from georapp import run_events
from georapp.errors import RunError, Stopped
from georapp.run_settings import RunConfig
from training import shards
from training.gates import Gate, Tally
from training.rows import FILE, Part
from training.shard_rows import ShardRows, rows_of

FEW = 20  # photos to measure progress on


@dataclass(slots=True)
class ShardAlbum:
    """What was made of all shards."""

    config: RunConfig
    shards: int = 0
    photos: int = 0
    with_place: int = 0
    tally: Tally = field(default_factory=Tally)
    parts: Counter[Part] = field(default_factory=Counter)
    countries: set[str] = field(default_factory=set)
    places: set[int] = field(default_factory=set)

    def add(self, found: ShardRows) -> None:
        """The counts of one more shard."""
        self.shards += 1
        self.photos += found.photos
        self.with_place += found.with_place
        for gate, count in found.tally.counts.items():
            self.tally.add(gate, *found.tally.examples[gate], count=count)

    def event(self) -> run_events.Album:
        """For the window."""
        sentences = self.tally.sentences()
        return run_events.Album(self.photos, self.with_place, len(self.countries), sentences, self.notes())

    def notes(self) -> tuple[str, ...]:
        """For people."""
        held, album = self.parts[Part.PROBE] + self.parts[Part.HELD_OUT], self.config.album
        return (
            f"{self.shards:,} shards. Labels by {album.labels}.",
            f"Split by cells of the map: {self.parts[Part.TRAIN]:,} photos to train on, {held:,} held out, "
            f"{self.parts[Part.PROBE]:,} of them to measure progress; no photo to train on lies within {album.block_km:g} km of them. "
            "Photographers and near-duplicates may stand on both sides.",
        )

    def alerts(self) -> list[tuple[str, str]]:
        """Reasons and hints."""
        found = []
        if damaged := self.tally.counts.get(Gate.SHARD, 0):
            named = "; ".join(self.tally.examples[Gate.SHARD])
            hint = "What could be read of them is used. Copy them again and make a new run to have it all."
            found.append((f"{damaged:,} of {self.shards:,} shards are damaged, for example {named}", hint))
        if self.parts[Part.PROBE] < FEW:
            reason = f"Progress is measured on only {self.parts[Part.PROBE]} photos: its figures will jump."
            found.append((reason, "Add photos of other places, or make album.block_km smaller."))
        return found

    def report(self) -> dict[str, Any]:
        """As it stands in report.json."""
        left_out = {
            gate.title: {"count": count, "words": gate.words, "examples": self.tally.examples[gate]}
            for gate, count in self.tally.counts.items()
        }
        return {
            "photos": self.photos,
            "with_place": self.with_place,
            "used": self.parts.total(),
            "shards": self.shards,
            "left_out": left_out,
            "split": {"by": "cells", "cells": len(self.places), "parts": {part.value: self.parts[part] for part in Part}},
            "notes": list(self.notes()),
            "alerts": [f"{reason} {hint}" for reason, hint in self.alerts()],
        }


def listed(sources: Sequence[str]) -> list[Path]:
    """The shards that these sources name: files, and all in folders. Empty where they name none.

    Raises RunError when some sources are shards and some are not.
    """
    found = [_in_source(Path(name).expanduser()) for name in sources]
    if any(found) and not all(found):
        raise RunError(
            f"album.sources names shards, and {sources[found.index([])]}, which is none or is not there.",
            hint="Give shards a run of their own: which photos are held out is decided differently.",
        )
    return list(dict.fromkeys(shard for some in found for shard in some))


def _in_source(path: Path) -> list[Path]:
    try:
        if path.is_dir():
            return shards.find(path)
        return [path] if path.suffix.lower() in shards.KINDS and path.is_file() else []
    except OSError:  # whoever reads the source says it better
        return []


def make(
    config: RunConfig,
    folder: Path,
    *,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> ShardAlbum:
    """Write rows.jsonl and report.json into `folder`. `progress` is told how many shards were read, of how many.

    Raises Stopped, RunError when no photo is usable or the folder cannot be written to, and GazetteerError without place data.
    """
    made, files = ShardAlbum(config), listed(config.album.sources)
    read = []
    for number, shard in enumerate(files, 1):
        if stopped():
            raise Stopped
        read.append(rows_of(shard, config, folder, stopped=stopped))
        made.add(read[-1])
        progress(number, len(files))
    try:
        with _written(folder / FILE) as out:
            _join(read, config.album.probe_photos, out, made)
            if not made.parts[Part.TRAIN]:
                damaged = made.tally.examples.get(Gate.SHARD, ())
                raise RunError(
                    f"The shards of the album hold no photo to train on: {'; '.join((*made.tally.sentences(), *damaged)) or 'they are empty'}.",
                    hint="A sample needs a photo and its place: lat and lon in a .json beside it, in columns, or in the photo.",
                )
        with _written(folder / "report.json") as out:
            out.write(json.dumps(made.report(), indent=1) + "\n")
    except OSError as error:
        raise RunError(f"The album cannot be written to {folder}: {(error.strerror or str(error)).lower()}.") from error
    return made


@contextlib.contextmanager
def _written(path: Path) -> Iterator[TextIO]:
    """All or nothing. Raises OSError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with part.open("w", encoding="ascii", newline="\n") as out:
            yield out
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


# ---- joining ----


def _join(read: Iterable[ShardRows], probe_photos: int, out: TextIO, made: ShardAlbum) -> None:
    """All rows, each photo once; those that are held out come last, when it is known which of them are for the probe."""
    smallest: list[int] = []  # of the hashes of photos that are held out, negative
    with tempfile.TemporaryFile("w+", encoding="ascii", newline="\n", dir=Path(out.name).parent) as held:
        for line, row in _each_once(read, made):
            made.countries.add(row["country"])
            made.places.add(row["block"])
            made.parts[Part(row["part"])] += 1
            if row["part"] == Part.TRAIN:
                out.write(line)
                continue
            held.write(line)
            heapq.heappush(smallest, -_start(row))
            if len(smallest) > probe_photos:
                heapq.heappop(smallest)
        held.seek(0)
        for line in held:
            row = json.loads(line)
            if -_start(row) >= smallest[0]:
                row["part"] = Part.PROBE.value
                made.parts.subtract([Part.HELD_OUT])
                made.parts[Part.PROBE] += 1
            out.write(json.dumps(row) + "\n")


def _each_once(read: Iterable[ShardRows], made: ShardAlbum) -> Iterator[tuple[str, dict[str, Any]]]:
    seen: set[int] = set()
    for found in read:
        for line in found.lines():
            row = json.loads(line)
            if _start(row) in seen:
                made.tally.add(Gate.DUPLICATE, row["path"])
            else:
                seen.add(_start(row))
                yield line, row


def _start(row: Mapping[str, Any]) -> int:
    """64 bits of a photo's hash: among 10 million photos two different ones share them with a chance of 1 in 370,000."""
    return int(row["id"][:16], 16)
