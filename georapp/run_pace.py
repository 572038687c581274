"""How fast earlier runs went: seconds a step, of runs of this machine with the same model and the settings on which a step's time hangs."""

from __future__ import annotations

import functools
import json
import os
import statistics
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path

from georapp import run_events, run_toml
from georapp.errors import RunError
from georapp.run_events import CONFIG, EVENTS
from georapp.run_settings import RunConfig
from georapp.run_time import Pace

MOST_RUNS = 30  # newest ones that are looked at
HEAD, TAIL = 4 << 20, 1 << 20  # bytes of events.jsonl that are read: SFT stands at its beginning, GRPO goes on to its end
FEWEST = 3  # steps; the first ones are slower than the rest
A_PAUSE = 20.0  # times the usual step: the machine slept, or somebody paused
LONGEST_MEASURING = 600.0  # seconds between two steps
_STAGES = ("sft", "grpo")
_STEP = b'{"kind": "step"'
_BEGAN = b'{"kind": "began"'


def paces(parent: Path, config: RunConfig) -> dict[str, Pace]:
    """By stage, each of the newest run that fits. Empty where none does. Reads files; the same ones only once."""
    found: dict[str, Pace] = {}
    for folder in _newest(parent):
        fitting = [stage for stage in _STAGES if stage not in found and _fits(folder, config, stage)]
        measured = _measured(folder, *_stamp(folder / EVENTS)) if fitting else {}
        found |= {stage: measured[stage] for stage in fitting if stage in measured}
        if len(found) == len(_STAGES):
            break
    return found


def _newest(parent: Path) -> list[Path]:
    try:
        folders = [path for path in parent.iterdir() if not path.name.startswith(".") and (path / EVENTS).is_file()]
    except OSError:
        return []
    return sorted(folders, key=lambda path: _stamp(path / EVENTS), reverse=True)[:MOST_RUNS]


def _stamp(path: Path) -> tuple[int, int]:
    """Of a file as it is now: when it was changed, and its size."""
    try:
        seen = path.stat()
    except OSError:
        return 0, 0
    return seen.st_mtime_ns, seen.st_size


# ---- which runs fit ----


def _fits(folder: Path, config: RunConfig, stage: str) -> bool:
    other = _config(folder / CONFIG, *_stamp(folder / CONFIG))
    return other is not None and _what_counts(other, stage) == _what_counts(config, stage)


@functools.lru_cache(maxsize=256)
def _config(path: Path, _changed: int, _size: int) -> RunConfig | None:
    try:
        return run_toml.read(path)
    except RunError:
        return None


def _what_counts(config: RunConfig, stage: str) -> tuple[object, ...]:
    """On what the time of a step hangs."""
    model, sft, grpo = config.model, config.sft, config.grpo
    same = (
        model.base,
        model.method,
        model.profile,
        model.lora_rank,
        model.freeze_vision,
        model.max_pixels,
        model.precision,
        model.checkpointing,
    )
    if stage == "sft":
        return (*same, sft.batch, sft.accumulate)
    return (
        *same, grpo.batch, grpo.accumulate, grpo.generations, grpo.max_answer_tokens, grpo.iterations, grpo.vllm, grpo.beta > 0
    )  # fmt: skip


# ---- how fast they went ----


@functools.lru_cache(maxsize=64)
def _measured(folder: Path, _changed: int, _size: int) -> dict[str, Pace]:
    """Of runs of this machine only."""
    times: dict[str, list[tuple[int, float]]] = {stage: [] for stage in _STAGES}
    here = _host(run_events.machine())
    for line in _lines(folder / EVENTS):
        if line.startswith(_BEGAN) and _host(str(_read(line).get("machine", here))) != here:
            return {}
        if line.startswith(_STEP) and (step := _step(line)) and step[0] in times:
            times[step[0]].append(step[1:])
    return {stage: pace for stage, steps in times.items() if (pace := _pace(steps, folder.name))}


def _host(machine: str) -> str:
    return machine.partition(" ")[0]


def _lines(path: Path) -> Iterator[bytes]:
    """Of the beginning and the end of a file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
            yield from _whole(file.read(HEAD))
            if size > HEAD:
                file.seek(max(HEAD, size - TAIL))
                yield from _whole(file.read(TAIL))
    except OSError:
        return


def _whole(data: bytes) -> Iterable[bytes]:
    return data.split(b"\n")[:-1]


def _read(line: bytes) -> dict[str, object]:
    try:
        data = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _step(line: bytes) -> tuple[str, int, float] | None:
    """Stage, step and time of a line; None for one that was torn."""
    data = _read(line)
    stage, step, at = data.get("stage"), data.get("step"), data.get("at")
    right = isinstance(stage, str) and type(step) is int and isinstance(at, float)
    return (stage, step, at) if right else None  # type: ignore[return-value]


def _pace(steps: Sequence[tuple[int, float]], run: str) -> Pace | None:
    """From steps that follow each other; what lies between two processes is no step."""
    gaps = [later - before for (n, before), (m, later) in pairwise(steps) if m == n + 1 and later > before]
    if len(gaps) < FEWEST:
        return None
    usual = statistics.median(gaps)
    return Pace(usual, statistics.fmean(gap for gap in gaps if gap <= max(A_PAUSE * usual, LONGEST_MEASURING)), run)
