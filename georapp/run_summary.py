"""A run in a few facts: how it stands, how long it took, how good its model is, and on which photos, settings and versions.

Of a long run's messages one in a hundred counts here. The others are passed over without being parsed, and what was read is
not read again: `SummaryReader.read` goes on where the file has grown, and costs nothing where it has not.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from georapp import run_events, run_facts, run_notes, run_toml, runs
from georapp.errors import RunError
from georapp.models import MANIFEST
from georapp.run_events import CONFIG, EVENTS, VERSIONS, WORSE, Album
from georapp.run_facts import ROWS, Data, Facts, Measured, StageSeen
from georapp.run_notes import Notes
from georapp.run_settings import RunConfig
from georapp.runs import Run

_TURN = 2**20  # bytes of messages at once: some ms, in which another thread waits for Python's lock


@dataclass(frozen=True, slots=True)
class Summary:
    """`folder`: of the run; `read`: whether its messages were read to their end; `config_error`: why run.toml cannot be read.

    `started`: Unix time of its first start, 0 when it never was; `seconds`: for which its processes worked. `model`: the folder of the
    model that it made, while it is there; `worse`: a sentence when that got worse by its training.
    """

    folder: Path
    run: Run
    notes: Notes = field(default_factory=Notes)
    config: RunConfig | None = None
    config_error: str = ""
    read: bool = False
    started: float = 0.0
    seconds: float = 0.0
    starts: int = 0
    stages: tuple[StageSeen, ...] = ()
    album: Album | None = None
    data: Data | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    before: Measured | None = None
    best: Measured | None = None
    model: Path | None = None
    worse: str = ""
    events: tuple[int, int] = (0, 0)  # size and time of events.jsonl

    @property
    def title(self) -> str:
        """What people call it."""
        return self.notes.title or self.folder.name

    @property
    def base(self) -> str:
        """Name of the folder of the model that it began with; "" when nobody knows."""
        return Path(self.config.model.base).name if self.config else ""

    @property
    def baselines(self) -> list[Measured]:
        """What is reached without a model, on the same photos."""
        return run_facts.baselines_of(self.best or self.before)


class SummaryReader:
    """Of one run folder. For any thread, one at a time."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._seen = Facts()
        self._offset, self._marks = 0, dict[str, Any]()
        self._config: tuple[RunConfig | None, str] = None, ""
        self._data: Data | None = None
        self.summary: Summary | None = None

    def is_fresh(self) -> bool:
        """Whether nothing was written since the last `read`, and no process lives that may."""
        return self.summary is not None and self.summary.read and not self.summary.run.state.alive and self._mark() == self._marks

    def glance(self) -> Summary:
        """State, title and settings, and what was read before: milliseconds."""
        self._read_small()
        self.summary = self._summary(read=self.summary is not None and self.summary.read)
        return self.summary

    def read(self) -> Summary:
        """All that is new in it."""
        if self.summary is not None and self.is_fresh():
            return self.summary
        mark = self._mark()
        self._read_small()
        self._read_events()
        self.summary = self._summary(read=True)
        self._marks = mark
        return self.summary

    def _mark(self) -> dict[str, Any]:
        """Size and time of every file that matters."""
        names = (EVENTS, CONFIG, run_events.HEARTBEAT, run_notes.FILE, VERSIONS, str(ROWS), f"model/{MANIFEST}")
        return {name: _stamp(self.folder / name) for name in names}

    def _read_small(self) -> None:
        now = self._mark()
        if self.summary is None or now[CONFIG] != self._marks.get(CONFIG):
            self._config = _config(self.folder / CONFIG)
            self._marks[CONFIG] = now[CONFIG]

    def _read_events(self) -> None:
        path = self.folder / EVENTS
        try:
            with path.open("rb") as file:
                if file.seek(0, 2) < self._offset:  # another file
                    self._offset, self._seen = 0, Facts()
                file.seek(self._offset)
                while data := file.read(_TURN):
                    while b"\n" not in data and (more := file.read(_TURN)):  # a line longer than that
                        data += more
                    whole = data[: data.rfind(b"\n") + 1]
                    if not whole:
                        break
                    self._seen.take(whole)
                    self._offset += len(whole)
                    file.seek(self._offset)
                    time.sleep(run_facts.REST_S)  # the window's thread needs Python's lock too
        except OSError:
            return
        rows = self._mark()[str(ROWS)]
        if rows != self._marks.get(str(ROWS)) or self._data is None:
            self._data = run_facts.data_of(self.folder)

    def _summary(self, *, read: bool) -> Summary:
        seen, run = self._seen, runs.look(self.folder)
        best = seen.best()
        model = self.folder / seen.model if seen.model else None
        there = model is not None and (model / MANIFEST).is_file()
        return Summary(
            folder=self.folder,
            run=run,
            notes=run_notes.read(self.folder),
            config=self._config[0],
            config_error=self._config[1],
            read=read,
            started=seen.started,
            seconds=seen.seconds(run),
            starts=seen.starts,
            stages=tuple(seen.stages.values()),
            album=seen.album,
            data=self._data,
            versions=_versions(self.folder, seen.version),
            before=seen.before(),
            best=best,
            model=model if there else None,
            worse=(seen.worse or _marked_worse(model)) if there and model else "",
            events=_stamp(self.folder / EVENTS),
        )


# ---- files ----


def _stamp(path: Path) -> tuple[int, int]:
    try:
        stat = path.stat()
    except OSError:
        return 0, 0
    return stat.st_size, stat.st_mtime_ns


def _config(path: Path) -> tuple[RunConfig | None, str]:
    try:
        return run_toml.read(path), ""
    except RunError as error:
        return None, f"{error} {error.hint}".strip()


def _json(path: Path) -> dict[str, Any]:
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def _versions(folder: Path, georapp: str) -> dict[str, str]:
    libraries = {name: value for name, value in _json(folder / VERSIONS).items() if isinstance(value, str)}
    return ({"georapp": georapp} if georapp else {}) | libraries


def _marked_worse(model: Path) -> str:
    made_by = _json(model / MANIFEST).get("made_by")
    worse = isinstance(made_by, dict) and made_by.get(WORSE) is True
    return "On the held-out photos it is farther off than the model before." if worse else ""
