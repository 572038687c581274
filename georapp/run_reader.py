"""Reads what a run has written and goes on writing, fast enough for a hundred thousand steps. No Qt; for any thread.

A long run holds a million answers, which nobody looks at all at once. Of them the reader keeps how far off they are and where they
stand in the file; `answers_at` reads a group of them when somebody wants to see it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp.run_events import EVENTS, RunEvent, Sample, Step, from_line
from georapp.runs import Tail

TURN = 256 * 1024  # bytes of one `read`: some 10 ms, in which another thread waits for Python's lock
MOST_ANSWERS = 1024  # of one group
_LARGEST_STEP = 2**53
_STEP = b'{"kind": "step"'
_SAMPLE = re.compile(
    rb'\{"kind": "sample", "stage": "([^"\\]*)", "step": (\d{1,15}), .*?, "distance_km": (null|[-+.\deE]{1,40}), .*?"group": (\d{1,9}), '
)
_NUMBERS = frozenset((float, type(None)))


@dataclass(frozen=True, slots=True)
class Answers:
    """The answers to one photo of a step: where they stand in events.jsonl, and how many km off each is (None: it names no place)."""

    stage: str
    step: int
    group: int
    offset: int
    distances: tuple[float | None, ...]


Seen = RunEvent | Answers


@dataclass(frozen=True, slots=True)
class Chunk:
    """What is new. `restarted`: everything before it is void, the file is another one. `offset` of `size` bytes are read."""

    seen: Sequence[Seen]
    restarted: bool = False
    offset: int = 0
    size: int = 0


class RunReader:
    """Of one run folder. A folder that is not there has nothing new."""

    def __init__(self, folder: Path) -> None:
        self._events = folder / EVENTS
        self._tail = Tail(folder, chunk=TURN)
        self._open: tuple[str, int, int, int] | None = None  # stage, step, group and offset of answers that may go on
        self._distances: list[float | None] = []

    def read(self) -> Chunk:
        """The next messages. Call again as long as `offset` grows."""
        self._tail.restarted = False
        before = self._tail.offset
        lines = self._tail.lines()
        if self._tail.restarted:
            before, self._open, self._distances = 0, None, []
        seen = list(self._seen(lines, before))
        return Chunk(seen, self._tail.restarted, self._tail.offset, self._size())

    def _size(self) -> int:
        try:
            return self._events.stat().st_size
        except OSError:
            return self._tail.offset

    def _seen(self, lines: Iterable[bytes], offset: int) -> Iterator[Seen]:
        for line in lines:
            if answer := _answer(line):
                stage, step, group, km = answer
                if self._open is None or self._open[:3] != (stage, step, group):
                    yield from self._closed()
                    self._open = (stage, step, group, offset)
                self._distances.append(km)
            elif event := _event(line):
                yield from self._closed()
                yield event
            offset += len(line) + 1

    def _closed(self) -> Iterator[Answers]:
        if self._open:
            yield Answers(*self._open, tuple(self._distances))
        self._open, self._distances = None, []


def answers_at(folder: Path, place: Answers) -> list[Sample]:
    """The answers themselves; none when the file is another one now."""
    tail, found = Tail(folder, offset=place.offset, chunk=TURN), list[Sample]()
    while len(found) < MOST_ANSWERS and (events := tail.read()):
        for event in events:
            if not isinstance(event, Sample) or (event.stage, event.step, event.group) != (place.stage, place.step, place.group):
                return found
            found.append(event)
    return found[:MOST_ANSWERS]


# ---- one line ----


def _answer(line: bytes) -> tuple[str, int, int, float | None] | None:
    """Stage, step, group and distance of a sample; a quote inside of a text is escaped, so the names of fields cannot be mistaken."""
    found = _SAMPLE.match(line)
    if not found:
        return None
    stage, step, km, group = found.groups()
    try:
        return stage.decode(), int(step), int(group), None if km == b"null" else float(km)
    except ValueError:
        return None


def _event(line: bytes) -> RunEvent | None:
    """None for what cannot be read, and for kinds of a newer version."""
    try:
        event = (_step(json.loads(line)) if line.startswith(_STEP) else None) or from_line(line)
    except (ValueError, OverflowError, RecursionError):
        return None
    return None if abs(getattr(event, "step", 0)) > _LARGEST_STEP else event


def _step(data: dict[str, Any]) -> Step | None:
    """Three times as fast as `from_line`, for lines as they should be; None for others."""
    stage, step, total, at = (data.get(name) for name in ("stage", "step", "total", "at"))
    values, odd = data.get("values"), data.get("not_finite", [])
    right = type(stage) is str and type(step) is int and type(total) is int and type(at) is float
    if not (right and type(values) is dict and type(odd) is list and _NUMBERS.issuperset(map(type, values.values()))):
        return None
    if not all(type(name) is str for name in odd):
        return None
    return Step(stage, step, total, values, tuple(odd), at)  # type: ignore[arg-type]
