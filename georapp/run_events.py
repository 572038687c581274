"""What a training run writes into its folder while it goes: events.jsonl, one message a line, and process.json, its heartbeat.

The lines are those of `events` with other kinds, each with the time at which it was written. JSON knows no NaN: a number that is
none is written as null and its name is listed in `not_finite`, so that a chart has a gap and a reader still knows why.
"""

from __future__ import annotations

import json
import math
import os
import socket
import typing
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from georapp.events import from_plain, to_plain, types_of

CONFIG, EVENTS, HEARTBEAT, LOG = "run.toml", "events.jsonl", "process.json", "log.txt"  # files of a run folder
STOP, PAUSE = "stop", "pause"  # made by people: save and end after this step; wait after this step for as long as it is there
VERSIONS = "versions.json"  # libraries of the process that worked on it last, by name
WORSE = "worse"  # the guard of the alert about a model that got worse, and the mark in its model.json
LOCK = ".lock"  # held by the process that writes events

Values = Mapping[str, float | None]


@dataclass(frozen=True, slots=True)
class Began:
    """A process began, or went on with, this run. `config`: SHA-256 of run.toml as it was read."""

    pid: int
    machine: str
    version: str = ""
    config: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A stage of the run. `state`: "began", "resumed" (from `step`), "skipped" or "done". `total`: its steps, 0 where none are counted."""

    name: str
    state: str
    step: int = 0
    total: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Album:
    """What was found in the album; `left_out` are sentences with counts, `notes` sentences about what was made of it."""

    photos: int
    with_place: int
    countries: int
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Step:
    """A step of training. A value is None where there was nothing to measure; those in `not_finite` were NaN or infinite."""

    stage: str
    step: int
    total: int
    values: Values = field(default_factory=dict)
    not_finite: tuple[str, ...] = ()
    at: float = 0.0

    @classmethod
    def of(cls, stage: str, step: int, total: int, logs: Mapping[str, object]) -> Step:
        """From what a trainer logs: everything that is a number, or None."""
        numbers = {
            name: None if value is None else float(value)
            for name, value in logs.items()
            if value is None or (isinstance(value, int | float) and not isinstance(value, bool))
        }
        odd = tuple(name for name, value in numbers.items() if value is not None and not math.isfinite(value))
        return cls(stage, step, total, numbers | dict.fromkeys(odd), odd)


@dataclass(frozen=True, slots=True)
class Sample:
    """An answer that was rewarded. `group`: which photo of the step; without a readable place `lat`, `lon` and `distance_km` are None."""

    stage: str
    step: int
    photo: str
    text: str
    lat: float | None = None
    lon: float | None = None
    distance_km: float | None = None
    reward: float | None = None
    advantage: float | None = None
    group: int = 0
    true_lat: float | None = None
    true_lon: float | None = None
    parts: Values = field(default_factory=dict)
    not_finite: tuple[str, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Probe:
    """How good the model is on the held-out photos at this step: median km, mean reward, percent within 25 km, ..."""

    stage: str
    step: int
    photos: int
    values: Values = field(default_factory=dict)
    not_finite: tuple[str, ...] = ()
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Alert:
    """Something that a person should know. `action`: "none", "pause" or "stop", what the run does about it.

    `over`: good news, that what this guard said before is well again.
    """

    guard: str
    reason: str
    hint: str
    action: str = "none"
    step: int = 0
    at: float = 0.0
    over: bool = False


@dataclass(frozen=True, slots=True)
class CheckpointSaved:
    """A checkpoint is whole and on disk. `path` is relative to the run folder."""

    stage: str
    step: int
    path: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class ModelMade:
    """A model folder is ready."""

    path: str
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Paused:
    """The run waits until the file `pause` is gone."""

    reason: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Unpaused:
    """The run goes on."""

    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Stopped:
    """Somebody asked for it, and everything worth keeping is saved."""

    stage: str = ""
    step: int = 0
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Failed:
    """The run ended early: a sentence, and what to do."""

    reason: str
    hint: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class Finished:
    """All stages are done."""

    at: float = 0.0


RunEvent = (
    Began
    | Stage
    | Album
    | Step
    | Sample
    | Probe
    | Alert
    | CheckpointSaved
    | ModelMade
    | Paused
    | Unpaused
    | Stopped
    | Failed
    | Finished
)
LAST = (Stopped, Failed, Finished)  # a process writes nothing after one of these
_RENAMED: Mapping[type, str] = {CheckpointSaved: "checkpoint", ModelMade: "model"}
_KINDS: dict[str, type] = {_RENAMED.get(kind, kind.__name__.lower()): kind for kind in typing.get_args(RunEvent)}
_NAMES = {kind: name for name, kind in _KINDS.items()}
_TABLES = ("values", "parts")  # fields with values by name


def to_line(event: RunEvent) -> bytes:
    """One line with its newline."""
    plain = to_plain(event) | _tables(event)
    if odd := _not_finite(event):
        plain["not_finite"] = odd
    data = {"kind": _NAMES[type(event)]} | plain
    # Half characters, which file names may hold, become JSON's own escapes.
    return json.dumps(data, ensure_ascii=False, allow_nan=False).encode("utf-8", "backslashreplace") + b"\n"


def _tables(event: RunEvent) -> dict[str, Any]:
    tables = {name: getattr(event, name) for name in _TABLES if hasattr(event, name)}
    return {name: {key: to_plain(value) for key, value in table.items()} for name, table in tables.items()}


def _not_finite(event: RunEvent) -> list[str]:
    """The names of all numbers that are none, also those that were marked before."""
    plain: dict[str, Any] = {f.name: getattr(event, f.name) for f in fields(event)}
    tables = [plain.pop(name, {}) for name in _TABLES]
    numbers = [entry for table in (plain, *tables) for entry in table.items()]  # a value may be called as a field is
    odd = [name for name, value in numbers if isinstance(value, float) and not math.isfinite(value)]
    return list(dict.fromkeys([*plain.get("not_finite", ()), *odd]))


def from_line(line: str | bytes) -> RunEvent | None:
    """None for a kind that this version does not know. Raises ValueError for anything that is no message at all."""
    try:
        data = json.loads(line)
    except RecursionError as error:
        raise ValueError("A message is nested too deeply.") from error
    if not isinstance(data, dict) or not isinstance(data.get("kind"), str):
        raise ValueError("A message is an object with a kind.")
    kind = _KINDS.get(data["kind"])
    if kind is None:
        return None
    try:
        return _built(kind, data)
    except OverflowError as error:
        raise ValueError("A number in a message is too large.") from error


def _built(kind: type, data: dict[str, Any]) -> RunEvent:
    known = ((name, declared) for name, declared in types_of(kind).items() if name in data)
    values = {name: _values(data[name]) if name in _TABLES else from_plain(declared, data[name]) for name, declared in known}
    try:
        event: RunEvent = kind(**values)
    except TypeError as error:
        raise ValueError(f"A message lacks a field of {kind.__name__}.") from error
    return event


def _values(data: Any) -> dict[str, float | None]:
    if not isinstance(data, dict):
        raise ValueError("A message holds no values by name.")
    if not all(value is None or (isinstance(value, int | float) and not isinstance(value, bool)) for value in data.values()):
        raise ValueError("A value in a message is no number.")
    return {name: None if value is None else float(value) for name, value in data.items()}


def steps_of(events: Iterable[RunEvent], stage: str) -> dict[int, Step]:
    """The steps of a stage as they stand: of a step that was done again the later line; none beyond the point of a resume."""
    steps: dict[int, Step] = {}
    for event in events:
        if isinstance(event, Stage) and event.name == stage and event.state in ("began", "resumed"):
            steps = {number: step for number, step in steps.items() if number <= event.step}
        elif isinstance(event, Step) and event.stage == stage:
            steps[event.step] = event
    return steps


# ---- which process ----


@dataclass(frozen=True, slots=True)
class Heartbeat:
    """Which process works on a run. `started` tells it from a later one with the same pid; `beats` is 0 until it speaks itself."""

    pid: int
    started: str
    machine: str
    beats: int
    at: float


def machine() -> str:
    """This machine since it was started, and the part of it that sees the same processes: where both are equal, a pid can be looked up."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text("ascii").strip()
        return f"{socket.gethostname()} {boot} {Path('/proc/self/ns/pid').readlink()}"
    except OSError:  # not Linux
        return socket.gethostname()


def started(pid: int) -> str:
    """When a living process of this machine began, as a text to compare; "" where there is none, or none can be seen."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
    except OSError:
        return ""
    state, *later = stat[stat.rindex(b")") + 2 :].split()  # the name in parentheses may hold anything
    return "" if state in (b"Z", b"X") else later[18].decode()


def write_heartbeat(folder: Path, beat: Heartbeat) -> None:
    """Replaces the last one. Not fsynced: after a power loss no process lives anyway."""
    part = folder / f".{HEARTBEAT}.{os.getpid()}.part"
    part.write_text(json.dumps(to_plain(beat)), "utf-8")
    part.replace(folder / HEARTBEAT)


def read_heartbeat(folder: Path) -> Heartbeat | None:
    """None when there is none, or none that can be read."""
    try:
        beat: Heartbeat = from_plain(Heartbeat, json.loads((folder / HEARTBEAT).read_bytes()))
    except (OSError, ValueError, RecursionError):
        return None
    return beat
