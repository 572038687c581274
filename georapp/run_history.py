"""A run as it stands, made from its messages: columns of values by step, stages, alerts, checkpoints, where the answers are.

It is made message by message, so a run that goes on, one that is over, and one that is read for the second time give the same.
"""

from __future__ import annotations

import math
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from georapp import run_events
from georapp.evaluate import THRESHOLDS_KM
from georapp.run_events import Alert, RunEvent, Stage
from georapp.run_reader import Answers, Seen

Floats = npt.NDArray[np.float64]

STEP, PROBE, ANSWERS = "step", "probe", "answers"  # kinds of tables
PERCENTILES = (10, 50, 90)
MOST_ALERTS = 200
_RECENT = 50  # steps from which the time that is left is told


class Table:
    """Values of one stage by name and step. NaN: nothing was measured; `odd` names the steps at which a value was no number."""

    def __init__(self) -> None:
        self.steps, self.at = array("q"), array("d")
        self._columns: dict[str, array[float]] = {}
        self.odd: dict[str, list[int]] = {}
        self.names: dict[str, None] = {}  # with something to show, in the order in which they came

    def __len__(self) -> int:
        return len(self.steps)

    def put(self, step: int, at: float, values: Mapping[str, float | None], odd: Iterable[str] = ()) -> None:
        """One row, in the place of an earlier one of this step."""
        n = len(self.steps) if not self.steps or step > self.steps[-1] else self._replaced(step)
        self.steps.insert(n, step)
        self.at.insert(n, at)
        for name, value in values.items():
            number = math.nan if value is None or not math.isfinite(value) else value
            self._column(name).insert(n, number)
            if number == number:
                self.names[name] = None
        for name in odd:
            self.odd.setdefault(name, []).append(step)
            self.names[name] = None
        self._level(n)

    def _replaced(self, step: int) -> int:
        """Take a row out, if there is one; where the new one belongs."""
        n = bisect_left(self.steps, step)
        if n < len(self.steps) and self.steps[n] == step:
            for column in self._all():
                del column[n]
            self._forget_odd(lambda other: other != step)
        return n

    def _all(self) -> list[array[Any]]:
        return [self.steps, self.at, *self._columns.values()]

    def _column(self, name: str) -> array[float]:
        if name not in self._columns:
            self._columns[name] = array("d", [math.nan]) * (len(self.steps) - 1)
        return self._columns[name]

    def _level(self, n: int) -> None:
        """Columns that were not in this row get a gap."""
        for column in self._columns.values():
            if len(column) < len(self.steps):
                column.insert(n, math.nan)

    def cut(self, last: int) -> None:
        """Forget all rows after a step."""
        n = bisect_right(self.steps, last)
        for column in self._all():
            del column[n:]
        self._forget_odd(lambda step: step <= last)

    def _forget_odd(self, kept: Callable[[int], bool]) -> None:
        self.odd = {name: [step for step in steps if kept(step)] for name, steps in self.odd.items()}

    def column(self, name: str) -> tuple[Floats, Floats]:
        """Steps and values, as arrays of their own."""
        values = self._columns.get(name)
        steps = np.array(self.steps, np.float64)
        return steps, np.array(values, np.float64) if values is not None else np.full(len(steps), np.nan)

    def last(self, name: str) -> float | None:
        """The newest value that is a number."""
        return next((value for value in reversed(self._columns.get(name, ())) if value == value), None)


@dataclass(frozen=True, slots=True)
class StageSeen:
    """How far a stage is. `state`: "began", "done" or "skipped"."""

    name: str
    state: str
    step: int = 0
    total: int = 0

    @property
    def going_on(self) -> bool:
        """Begun and not done."""
        return self.state == "began"


@dataclass(frozen=True, slots=True)
class Noted:
    """An alert, and the stage in which it was said."""

    stage: str
    alert: Alert


class History:
    """What is known of a run. Give it all messages in order."""

    def __init__(self) -> None:
        self.stages: dict[str, StageSeen] = {}
        self.stage = ""  # the one that began last
        self.album: run_events.Album | None = None
        self.alerts: list[Noted] = []
        self.checkpoint: run_events.CheckpointSaved | None = None
        self.model = ""  # folder of the exported one, relative to the run's
        self.places: dict[str, list[Answers]] = {}  # by stage, in the order of steps
        self._tables: dict[tuple[str, str], Table] = {}

    def table(self, stage: str, kind: str) -> Table:
        """Empty where nothing was said yet."""
        return self._tables.setdefault((stage, kind), Table())

    def take(self, seen: Iterable[Seen]) -> None:
        """Add what is new."""
        for event in seen:
            if isinstance(event, Answers):
                self._take_answers(event)
            else:
                self._take(event)

    def _take(self, event: RunEvent) -> None:
        match event:
            case run_events.Step():
                self.table(event.stage, STEP).put(event.step, event.at, event.values, event.not_finite)
                seen = self.stages.get(event.stage) or StageSeen(event.stage, "began")
                self.stages[event.stage] = replace(seen, step=event.step, total=event.total)
            case run_events.Probe():
                self.table(event.stage, PROBE).put(event.step, event.at, event.values, event.not_finite)
            case run_events.Stage():
                self._take_stage(event)
            case run_events.Alert():
                self.alerts = [*self.alerts, Noted(self.stage, event)][-MOST_ALERTS:]
            case run_events.Album():
                self.album = event
            case run_events.CheckpointSaved():
                self.checkpoint = event
            case run_events.ModelMade():
                self.model = event.path

    def _take_stage(self, event: Stage) -> None:
        """A stage that begins or goes on loses what came after that step; one that is skipped because it is done stays done."""
        before = self.stages.get(event.name)
        if event.state in ("began", "resumed"):
            self.stage = event.name
            self._cut(event.name, event.step)
            total = event.total or (before.total if before else 0)
            self.stages[event.name] = StageSeen(event.name, "began", event.step, total)
        elif event.state == "done" or before is None or before.state != "done":
            step, total = (before.step, before.total) if before else (0, 0)
            self.stages[event.name] = StageSeen(event.name, event.state, max(step, event.step), max(total, event.total))

    def _cut(self, stage: str, step: int) -> None:
        for kind in (STEP, PROBE, ANSWERS):
            self.table(stage, kind).cut(step)
        places = self.places.setdefault(stage, [])
        del places[bisect_right(places, step, key=lambda place: place.step) :]
        self.alerts = [noted for noted in self.alerts if noted.stage != stage or noted.alert.step <= step]

    def _take_answers(self, place: Answers) -> None:
        places = self.places.setdefault(place.stage, [])
        if places and place.step < places[-1].step:
            del places[bisect_left(places, place.step, key=lambda other: other.step) :]
        places.append(place)
        if place.group == 0 and place.distances:
            self.table(place.stage, ANSWERS).put(place.step, 0.0, _figures(place.distances))

    def seconds_left(self, stage: str) -> float | None:
        """Until this stage ends, if its steps go on as the last ones did; None when too few were made, or none is left."""
        table, seen = self.table(stage, STEP), self.stages.get(stage)
        if not seen or not seen.going_on or len(table) < 3 or seen.total <= seen.step:
            return None
        seconds, steps = np.diff(np.array(table.at[-_RECENT:])), np.diff(np.array(table.steps[-_RECENT:]))
        return float(np.median(seconds / steps)) * (seen.total - seen.step)


def _figures(distances: tuple[float | None, ...]) -> dict[str, float | None]:
    """Percentiles of the answers that name a place; shares of all, where one without a place is a miss."""
    ordered = sorted(km for km in distances if km is not None)
    n = len(ordered)
    found: dict[str, float | None] = {f"p{p}_km": ordered[min(n - 1, p * n // 100)] if n else None for p in PERCENTILES}
    return found | {f"within_{km}_km": bisect_right(ordered, km) / len(distances) for km in THRESHOLDS_KM}
