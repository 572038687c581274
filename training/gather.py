"""The album stage: sources, gates, labels and split become RUN/album/rows.jsonl, with every count in RUN/album/report.json."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from georapp import run_events
from georapp.errors import RunError
from georapp.places import Label
from georapp.prompt import profile_named
from georapp.run_settings import RunConfig
from training import shard_album
from training.album_report import Made
from training.gates import Gate, Tally
from training.labels import answer, disagreements, labels, other
from training.readings import read_all
from training.report import EventWriter
from training.rows import AlbumRow, Part, write_rows
from training.shard_album import ShardAlbum
from training.shots import Shot, admitted
from training.sources import read_sources
from training.split import Split, blocks, split

REPORT = "report.json"


def run(config: RunConfig, folder: Path, events: EventWriter) -> None:
    """Write into `folder`, which is RUN/album, and tell the window. Raises what `make` raises; Stopped when somebody asked for it."""
    made: Made | ShardAlbum
    if shard_album.listed(config.album.sources):
        made = shard_album.make(config, folder, stopped=events.stop_asked)
    else:
        made = make(config, folder, stopped=events.stop_asked)
    events.write(made.event())
    for reason, hint in made.alerts():
        events.write(run_events.Alert("album", reason, hint))


def make(
    config: RunConfig,
    folder: Path,
    *,
    stopped: Callable[[], bool] = lambda: False,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Made:
    """Write into `folder`. `progress` is told how many files were read, of how many; Stopped is raised when `stopped` says so.

    Raises RunError when no photo is usable, a source is not there, or the folder cannot be written to; GazetteerError without place data.
    """
    if shard_album.listed(config.album.sources):
        raise RunError(
            "The album lies in shards, which are read when the run begins and cannot be looked at before.",
            hint="Start the run: its album stage takes about as long as reading all photos once.",
        )
    album, tally = config.album, Tally()
    sources = read_sources(album.sources)
    for source in sources:
        for gate, count in source.left_out.items():
            tally.add(gate, *source.examples.get(gate, ()), count=count)
    candidates = [candidate for source in sources for candidate in source.candidates]
    readings = read_all([one.path for one in candidates], folder, stopped=stopped, progress=progress)
    found = admitted(candidates, readings, album, tally)
    places = [shot.place for shot in found.shots]
    named = labels(places, album.labels)
    differ = disagreements(places, named, labels(places, other(album.labels)))
    shots, kept = _on_land(found.shots, named, tally)
    _check(shots, tally)
    parted = split(shots, album, seed=config.seed)
    rows = _rows(shots, kept, parted, config, tally)
    made = Made(config, sources, tally, found, named, differ, shots, parted, rows)
    _write(made.report(), folder / REPORT)
    write_rows(rows, folder)
    return made


def _on_land(shots: Sequence[Shot], named: Sequence[Label], tally: Tally) -> tuple[list[Shot], list[Label]]:
    for shot, label in zip(shots, named, strict=True):
        if label.country_code is None:
            tally.add(Gate.SEA, shot.path)
    kept = [(shot, label) for shot, label in zip(shots, named, strict=True) if label.country_code is not None]
    return [shot for shot, _ in kept], [label for _, label in kept]


def _check(shots: Sequence[Shot], tally: Tally) -> None:
    if not shots:
        what = "; ".join(tally.sentences()) or "its sources hold no photos"
        raise RunError(
            f"The album has no usable photo: {what}.",
            hint="Add photos whose files hold a place, a table (.csv) of places, or a case with accepted places, to album.sources.",
        )
    if all(shot.said is Part.HELD_OUT for shot in shots):
        raise RunError(
            "There is nothing to train on: the tables say of all photos that they are for testing.",
            hint='Add a source to train on, or leave the column "split" out of the table.',
        )


def _rows(shots: Sequence[Shot], named: Sequence[Label], parted: Split, config: RunConfig, tally: Tally) -> list[AlbumRow]:
    profile = profile_named(config.model.profile)
    kept = [(shot, label, part) for shot, label, part in zip(shots, named, parted.parts, strict=True) if part]
    for shot, part in zip(shots, parted.parts, strict=True):
        if part is None:
            tally.add(Gate.BETWEEN, shot.path)
    numbers = blocks([shot for shot, _, _ in kept], config.album).tolist()
    return [
        AlbumRow(
            shot.id,
            str(shot.path.absolute()),
            shot.place.lat,
            shot.place.lon,
            label.country_code or "",
            answer(label, shot.place, profile, config.album.decimals),
            part,
            shot.author,
            shot.taken_at,
            block,
        )
        for (shot, label, part), block in zip(kept, numbers, strict=True)
    ]


def _write(report: Mapping[str, Any], path: Path) -> None:
    """All or nothing. Raises RunError."""
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(json.dumps(report, indent=1, allow_nan=False) + "\n", "ascii")
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {(error.strerror or str(error)).lower()}.") from error
