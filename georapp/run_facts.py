"""What the files of a run say in few words: figures, stages, times, photos. Read fast, for histories with many long runs. No Qt."""

from __future__ import annotations

import hashlib
import json
import math
import re
import time
from dataclasses import dataclass
from pathlib import Path

from georapp import run_events
from georapp.evaluate import Share
from georapp.run_events import WORSE, Album, Alert, Began, ModelMade, Probe, RunEvent, Stage, Values
from georapp.runs import Run

BEFORE, NOW = "before training", "this model"
BASELINES = {"frequent/": "most frequent place", "random/": "random training place"}
ERROR_KM = "error_km"  # by which checkpoints are compared: smaller is better
ROWS = Path("album") / "rows.jsonl"
REST_S = 0.002  # after every piece of reading: the window's thread needs Python's lock too
_COUNTS = re.compile(rb'\n\{"kind": "(?!step"|sample")[^\n]*')  # the newline in front makes it ten times as fast
_AT = re.compile(rb'"at": ([\d.]{1,30})\}?$')


@dataclass(frozen=True, slots=True)
class Measured:
    """Figures on the held-out photos, `n` of them. `name`: of what; `stage` and `step`: when."""

    name: str
    n: int
    values: Values
    stage: str = ""
    step: int = 0

    def within(self, km: int) -> Share | None:
        """The share of photos within so many km, with its interval; None where it was not measured."""
        share = self.values.get(f"within_{km}_km")
        possible = share is not None and 0 <= share <= 1 and self.n > 0  # a damaged file may say anything
        return Share(share * self.n, self.n) if possible and share is not None else None

    @property
    def median_km(self) -> float | None:
        """None when more than half have no answer."""
        km = self.values.get("median_km")
        return km if km is not None and math.isfinite(km) else None


@dataclass(frozen=True, slots=True)
class Data:
    """The photos of a run. `sha256`: of photos, places, answers and parts, as the model's card has it; `probe`: of those measured on."""

    sha256: str
    probe: str
    train: int
    measured_on: int
    held_out: int  # beside those


@dataclass(frozen=True, slots=True)
class StageSeen:
    """A stage: how it stands ("began", "resumed", "skipped", "done") and how many steps it had."""

    name: str
    state: str
    steps: int = 0


def baselines_of(measured: Measured | None) -> list[Measured]:
    """Out of the values that carry them; none when there were no training photos to make them of."""
    found = []
    for prefix, words in BASELINES.items() if measured else ():
        values = {name.removeprefix(prefix): value for name, value in measured.values.items() if name.startswith(prefix)}  # type: ignore[union-attr]
        if values and measured:
            found.append(Measured(words, measured.n, values))
    return found


class Facts:
    """What the messages have said so far."""

    def __init__(self) -> None:
        self.started, self.starts, self.version = 0.0, 0, ""
        self._began, self._last, self._before = 0.0, 0.0, 0.0  # of this process; of any message; seconds of earlier processes
        self.stages: dict[str, StageSeen] = {}
        self.album: Album | None = None
        self.probes: dict[tuple[str, int], Probe] = {}
        self.model = self.worse = ""

    def take(self, lines: bytes) -> None:
        """Whole lines."""
        lines = b"\n" + lines
        for found in _COUNTS.finditer(lines):
            if (event := _event(found[0])) is not None:
                if isinstance(event, Began):
                    self._begin(event, _time_before(lines, found.start()) or self._last)
                self._take(event)
                self._last = max(self._last, event.at)
        self._last = max(self._last, _time_before(lines, len(lines)))

    def _begin(self, event: Began, last: float) -> None:
        if self._began:
            self._before += max(0.0, last - self._began)
        self.started = self.started or event.at
        self._began, self.version = event.at, event.version
        self.starts += 1

    def _take(self, event: RunEvent) -> None:
        match event:
            case Stage():
                self._take_stage(event)
            case Album():
                self.album = event
            case Probe():
                self.probes[event.stage, event.step] = event
            case Alert() if event.guard == WORSE:
                self.worse = "" if event.over else event.reason
            case ModelMade():
                self.model = event.path if _is_inside(event.path) else ""

    def _take_stage(self, event: Stage) -> None:
        if event.state in ("began", "resumed"):
            self.probes = {key: probe for key, probe in self.probes.items() if key[0] != event.name or key[1] <= event.step}
            if event.name == "export":
                self.worse = ""
        before = self.stages.get(event.name)
        if event.state == "skipped" and before and before.state == "done":
            return
        steps = max(event.total, event.step) or (before.steps if before else 0)
        self.stages[event.name] = StageSeen(event.name, event.state, steps)

    def seconds(self, run: Run) -> float:
        """In which processes worked on it."""
        end = max(self._last, run.at)
        return self._before + (max(0.0, end - self._began) if self._began else 0.0)

    def before(self) -> Measured | None:
        """Of the model that it began with."""
        for key in (("sft", 0), ("base", 0), ("grpo", 0)):
            if probe := self.probes.get(key):
                return _measured(BEFORE, probe)
        return None

    def best(self) -> Measured | None:
        """Of the exported model; before there is one, of the best checkpoint of the last stage that was measured."""
        if probe := self.probes.get(("export", 0)):
            return _measured(NOW, probe)
        for stage in ("grpo", "sft"):
            found = [probe for (name, step), probe in self.probes.items() if name == stage and step]
            if found:
                best = min(found, key=lambda probe: _or_worst(probe.values.get(ERROR_KM)))
                return _measured(f"{stage.upper()}, step {best.step:,}", best)
        return None


def _measured(name: str, probe: Probe) -> Measured:
    return Measured(name, probe.photos, probe.values, probe.stage, probe.step)


def _or_worst(km: float | None) -> float:
    return float("inf") if km is None else km


# ---- files ----


def _event(line: bytes) -> RunEvent | None:
    try:
        return run_events.from_line(line)
    except ValueError:
        return None


def _is_inside(path: str) -> bool:
    """Whether a path, as a run names it, can only lie in the run's folder."""
    return not Path(path).is_absolute() and ".." not in Path(path).parts


def _time_before(lines: bytes, end: int) -> float:
    """Of the last line that ends before a place; 0 where it says none."""
    line = lines[lines.rfind(b"\n", 0, max(0, end - 1)) + 1 : end].rstrip()
    found = _AT.search(line)
    try:
        return float(found[1]) if found else 0.0
    except ValueError:
        return 0.0


def data_of(folder: Path) -> Data | None:
    """Of a run whose album is made; None where there is none, or a damaged one."""
    lines, parts = list[str](), dict[str, list[str]]()
    try:
        with (folder / ROWS).open(encoding="utf-8") as file:
            for number, line in enumerate(file):
                row = json.loads(line)
                lines.append(json.dumps([row["id"], row["lat"], row["lon"], row["answer"], row["part"]]))
                parts.setdefault(str(row["part"]), []).append(json.dumps([row["id"], row["lat"], row["lon"]]))
                if number % 500 == 0:
                    time.sleep(REST_S)
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None
    count = {part: len(found) for part, found in parts.items()}
    probe = _sha256(parts.get("probe", []))
    return Data(_sha256(lines), probe, count.get("train", 0), count.get("probe", 0), count.get("held out", 0))


def _sha256(lines: list[str]) -> str:
    return hashlib.sha256("\n".join(sorted(lines)).encode()).hexdigest()
