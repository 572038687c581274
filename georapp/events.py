"""Every message between processes, as a dataclass and as one line of JSON.

UTF-8, no NaN, one object a line; its "kind" is the class name in lower case. Unknown fields are ignored and unknown kinds give
None, so that an older program can read a newer one's messages.
"""

from __future__ import annotations

import dataclasses
import enum
import functools
import json
import math
import types
import typing
from dataclasses import dataclass, field
from typing import Any

from georapp.prediction import Prediction

PROTOCOL = 1


# ---- to the worker ----


@dataclass(frozen=True, slots=True)
class Load:
    """Load the model in this folder, in place of the one that is loaded."""

    folder: str
    threads: int = 0
    gpu_layers: int = -1
    context: int = 0  # tokens; 0 leaves the model's own
    max_samples: int = 8


@dataclass(frozen=True, slots=True)
class Locate:
    """Locate one photo. `photo` is a name of the caller's that comes back in every event. 0 and "" mean the model's own."""

    photo: str
    path: str
    seed: int = 0
    samples: int = 0
    decode: str = ""
    temperature: float = -1.0


@dataclass(frozen=True, slots=True)
class Stop:
    """Stop this photo, now or when its turn comes."""

    photo: str


# ---- from the worker ----


@dataclass(frozen=True, slots=True)
class Hello:
    """The first line of a worker."""

    protocol: int
    version: str


@dataclass(frozen=True, slots=True)
class Loading:
    """A model is being loaded."""

    folder: str


@dataclass(frozen=True, slots=True)
class Ready:
    """The model can be asked. `backend`: "CPU" or "GPU"."""

    model: str
    backend: str
    seconds: float


@dataclass(frozen=True, slots=True)
class Began:
    """The photo was opened; what is known of the file. The known place is for comparing and is not shown to the model."""

    photo: str
    sha256: str = ""
    width: int = 0
    height: int = 0
    format: str = ""
    bytes: int = 0
    taken_at: str = ""
    heading: float | None = None
    known_lat: float | None = None
    known_lon: float | None = None
    known_from: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Text:
    """A piece of a sample's text, whole characters."""

    photo: str
    sample: int
    piece: str


@dataclass(frozen=True, slots=True)
class RegionRead:
    """A line of the first sample is complete: one more rung of the ladder."""

    photo: str
    level: str
    name: str


@dataclass(frozen=True, slots=True)
class Located:
    """The answer."""

    photo: str
    model: str
    model_sha256: str
    prompt_version: int
    profile: str
    seed: int
    temperature: float
    prediction: Prediction


@dataclass(frozen=True, slots=True)
class Failed:
    """No answer: a sentence, a hint, and the kind of error ("PhotoError", "ModelError", "Stopped", ...). `photo` empty: the load."""

    photo: str
    reason: str
    error: str
    hint: str = ""
    texts: tuple[str, ...] = field(default=())


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something is wrong, but no photo failed for it."""

    reason: str


Event = Load | Locate | Stop | Hello | Loading | Ready | Began | Text | RegionRead | Located | Failed | Trouble
_KINDS: dict[str, type] = {kind.__name__.lower(): kind for kind in typing.get_args(Event)}


def to_line(event: Event) -> str:
    """One line without its newline, in ASCII: a file's name may hold bytes that are no text."""
    data = {"kind": type(event).__name__.lower(), **to_plain(event)}
    return json.dumps(data, allow_nan=False)


def from_line(line: str | bytes) -> Event | None:
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
    event: Event = from_plain(kind, data)
    return event


def to_plain(value: Any) -> Any:
    """Dataclasses, enums and tuples to what JSON knows. NaN and infinity become None."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: to_plain(getattr(value, f.name)) for f in dataclasses.fields(value) if f.init}
    if isinstance(value, enum.IntEnum):
        return value.name.lower()
    if isinstance(value, enum.Enum):
        return value.value
    if isinstance(value, tuple | list):
        return [to_plain(entry) for entry in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def from_plain(kind: Any, data: Any) -> Any:
    """The inverse of `to_plain` for a type. Raises ValueError where the data does not fit it."""
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (types.UnionType, typing.Union):
        inner = next(argument for argument in arguments if argument is not type(None))
        return None if data is None else from_plain(inner, data)
    if origin is tuple:
        if not isinstance(data, list):
            raise ValueError("A list is missing in a message.")
        return tuple(from_plain(arguments[0], entry) for entry in data)
    if dataclasses.is_dataclass(kind):
        return _dataclass_from(kind, data)
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        return _enum_from(kind, data)
    return _scalar_from(kind, data)


def _dataclass_from(kind: Any, data: Any) -> Any:
    if not isinstance(data, dict):
        raise ValueError(f"A message holds no {kind.__name__}.")
    declared = types_of(kind)
    known = {f.name: from_plain(declared[f.name], data[f.name]) for f in dataclasses.fields(kind) if f.init and f.name in data}
    try:
        return kind(**known)
    except TypeError as error:
        raise ValueError(f"A message lacks a field of {kind.__name__}.") from error


@functools.cache
def types_of(kind: type) -> dict[str, Any]:
    """The types of a dataclass's fields; looking them up takes longer than reading a message."""
    return typing.get_type_hints(kind)


def _enum_from(kind: type[enum.Enum], data: Any) -> enum.Enum:
    for member in kind:
        if data in (member.name.lower(), member.value):
            return member
    raise ValueError(f"{data!r} is no {kind.__name__}.")


def _scalar_from(kind: Any, data: Any) -> Any:
    if kind is float and isinstance(data, int | float) and not isinstance(data, bool):
        return float(data)
    if isinstance(data, bool) != (kind is bool) or not isinstance(data, kind):
        raise ValueError(f"{data!r} is no {kind.__name__}.")
    return data
