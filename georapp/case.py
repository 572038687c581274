"""A case: photos, what models said of them, what people decided. Nothing in it is ever overwritten but the state of the queue.

    with Case.open(path) as case:
        ((number, new),) = case.add([(path, began)])
        case.save(number, located)

Every method that changes something is one transaction that is on disk when it returns. Raises CaseError with a sentence where the
file cannot be read or written. One thread at a time uses a case; `save_copy` and `problems` may be called by another one meanwhile.
"""

from __future__ import annotations

import contextlib
import enum
import functools
import json
import math
import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any

from georapp import case_file, events
from georapp.case_tables import MIGRATIONS, ROWS
from georapp.chain import Level
from georapp.errors import CaseError
from georapp.geo import Coordinate, distance_km
from georapp.printable import printable

Clock = Callable[[], datetime]


class State(enum.Enum):
    """Of a photo in the queue. That one is being worked on is not kept: whoever works on it knows, and a crash ends it."""

    WAITING = "waiting"
    SKIPPED = "skipped"
    LOCATED = "located"
    FAILED = "failed"


class Ruling(enum.Enum):
    """What a person decided about a photo."""

    ACCEPTED = "accepted"
    CORRECTED = "corrected"
    REJECTED = "rejected"
    UNSURE = "unsure"
    NONE = "none"  # taken back


@dataclass(frozen=True, slots=True)
class Verdict:
    """A decision with its place (of CORRECTED), who took it and when (UTC)."""

    ruling: Ruling
    place: Coordinate | None = None
    note: str = ""
    author: str = ""
    at: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """A photo of the case in short, with its newest answer and verdict."""

    number: int
    path: Path
    sha256: str
    state: State
    known: Coordinate | None
    stated: str  # "Europe › France", empty for not localisable or no answer
    country: str
    best: Coordinate | None
    radius_km: float | None  # of the circle that holds 90 % of the samples
    error_km: float | None  # from the known place
    model: str
    reason: str  # why it failed
    ruling: Ruling
    corrected: Coordinate | None = None  # the place that a person gave it


@dataclass(frozen=True)
class Answer:
    """A stored answer of a model, newest last. `text`: as it stands in the file."""

    number: int
    at: str
    model: str
    text: str

    @functools.cached_property
    def located(self) -> events.Located:
        """Read when it is first wanted: a photo may have many answers, of which one is shown. Raises ValueError for a damaged one."""
        found: events.Located = events.from_plain(events.Located, json.loads(self.text))
        return found


class Case:
    """An open case. `writable` is False where somebody else, `holder`, is writing it."""

    def __init__(self, path: Path, connection: sqlite3.Connection, writer: case_file.Writer | None, clock: Clock) -> None:
        self.path, self._connection, self._writer, self._clock = path, connection, writer, clock

    @classmethod
    def create(cls, path: Path, *, clock: Clock = lambda: datetime.now(UTC)) -> Case:
        """A new one. Raises CaseError when the file exists or cannot be made."""
        case_file.check_free(path)
        writer = case_file.Writer(path)
        try:
            if not writer.ours:
                why = (
                    writer.holder.removeprefix("nobody: ")
                    if writer.holder.startswith("nobody")
                    else f"{writer.holder} is making it"
                )
                raise CaseError(f"{path} cannot be made: {why}.", hint="Choose another folder or name.")
            return cls(path, case_file.create(path, MIGRATIONS), writer, clock)
        except BaseException:
            writer.close()
            raise

    @classmethod
    def open(cls, path: Path, *, clock: Clock = lambda: datetime.now(UTC)) -> Case:
        """An existing one; only for reading when somebody else is writing it."""
        case_file.check_there(path)
        writer = case_file.Writer(path)
        try:
            return cls(path, case_file.connect(path, MIGRATIONS, writable=writer.ours), writer, clock)
        except BaseException:
            writer.close()
            raise

    @classmethod
    def look(cls, path: Path) -> Case:
        """An existing one, only for reading: nobody is kept from writing it meanwhile. Raises CaseError, also while it is being written."""
        return cls(path, case_file.connect(path, MIGRATIONS, writable=False), None, lambda: datetime.now(UTC))

    @staticmethod
    def salvage(damaged: Path, target: Path) -> str:
        """What can still be read of a damaged case, in a new one; says what. Raises CaseError."""
        found = case_file.salvage(damaged, target, MIGRATIONS)
        return ", ".join(f"{count:,} of {table}" for table, count in found.items())

    def __enter__(self) -> Case:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file. May be called twice."""
        self._connection.close()
        if self._writer:
            self._writer.close()

    @property
    def writable(self) -> bool:
        """Whether this process may change it."""
        return bool(self._writer and self._writer.ours)

    @property
    def holder(self) -> str:
        """Who may, when this process may not."""
        return self._writer.holder if self._writer else "another process"

    # ---- photos ----

    def add(self, found: Sequence[tuple[Path, events.Began]]) -> list[tuple[int, bool]]:
        """(number, whether it is new) of each. The same bytes are one photo, wherever they lie. One transaction for all."""
        with self._change() as change:
            return [self._add(change, path, photo) for path, photo in found]

    def _add(self, change: sqlite3.Connection, path: Path, photo: events.Began) -> tuple[int, bool]:
        change.execute("DELETE FROM unreadable WHERE path = ?", (os.fsencode(path),))
        known = change.execute("SELECT number FROM photo WHERE sha256 = ?", (photo.sha256,)).fetchone()
        if known:
            return int(known["number"]), False
        (last,) = change.execute("SELECT coalesce(max(place_in_queue), 0) FROM photo").fetchone()
        values = (photo.sha256, os.fsencode(path), self._now(), last + 1, photo.known_lat, photo.known_lon, _text(photo))
        cursor = change.execute(
            "INSERT INTO photo (sha256, path, added_at, place_in_queue, known_lat, known_lon, file) VALUES (?, ?, ?, ?, ?, ?, ?)",
            values,
        )
        return int(cursor.lastrowid or 0), True

    def add_unreadable(self, files: Sequence[tuple[Path, str, str]]) -> None:
        """(path, reason, hint) of files that are no photos. One transaction for all."""
        values = [(os.fsencode(path), self._now(), reason, hint) for path, reason, hint in files]
        with self._change() as change:
            change.executemany("INSERT OR REPLACE INTO unreadable VALUES (?, ?, ?, ?)", values)

    def unreadable(self) -> list[tuple[Path, str, str]]:
        """(path, reason, hint) of each."""
        found = self._read("SELECT path, reason, hint FROM unreadable ORDER BY path")
        return [(Path(os.fsdecode(row["path"])), row["reason"], row["hint"]) for row in found]

    def rows(self) -> list[Row]:
        """All photos in the order of the queue."""
        return [_row(row) for row in self._read(f"{ROWS} ORDER BY photo.place_in_queue")]

    def parts(self, size: int) -> Iterator[list[Row]]:
        """The same in parts, for a window that must not wait; what is added meanwhile may be in them or not."""
        after = -math.inf
        while True:
            found = self._read(f"{ROWS} WHERE photo.place_in_queue > ? ORDER BY photo.place_in_queue LIMIT ?", after, size)
            if not found:
                return
            yield [_row(row) for row in found]
            after = found[-1]["place_in_queue"]

    def row(self, number: int) -> Row:
        """One photo."""
        return _row(self._one(f"{ROWS} WHERE photo.number = ?", number))

    def file(self, number: int) -> events.Began:
        """What was found out of the file when it was added."""
        found: events.Began = events.from_plain(
            events.Began, json.loads(self._one("SELECT file FROM photo WHERE number = ?", number)["file"])
        )
        return found

    def counts(self) -> dict[State, int]:
        """Photos in each state."""
        found = {row["state"]: row["n"] for row in self._read("SELECT state, count(*) AS n FROM photo GROUP BY state")}
        return {state: found.get(state.value, 0) for state in State}

    # ---- the queue ----

    def next_waiting(self) -> int | None:
        """The photo whose turn it is."""
        found = self._read("SELECT number FROM photo WHERE state = 'waiting' ORDER BY place_in_queue LIMIT 1")
        return int(found[0]["number"]) if found else None

    def set_state(self, numbers: Sequence[int], state: State) -> None:
        """Skip photos, or let them wait again."""
        with self._change() as change:
            change.executemany("UPDATE photo SET state = ? WHERE number = ?", [(state.value, number) for number in numbers])

    def move_first(self, numbers: Sequence[int]) -> None:
        """Let these photos be the next, in this order."""
        with self._change() as change:
            (first,) = change.execute("SELECT coalesce(min(place_in_queue), 0) FROM photo").fetchone()
            places = [(first - len(numbers) + i, number) for i, number in enumerate(numbers)]
            change.executemany("UPDATE photo SET place_in_queue = ? WHERE number = ?", places)

    # ---- answers ----

    def save(self, number: int, outcome: events.Located | events.Failed) -> None:
        """An answer or a failure, and with it the photo's new state."""
        row = self.row(number)
        with self._change() as change:
            if isinstance(outcome, events.Located):
                self._save_located(change, row, outcome)
            else:
                values = (number, self._now(), outcome.reason, _text(outcome))
                change.execute("INSERT INTO failure (photo, at, reason, failed) VALUES (?, ?, ?, ?)", values)
            state = State.LOCATED if isinstance(outcome, events.Located) else State.FAILED
            change.execute("UPDATE photo SET state = ? WHERE number = ?", (state.value, number))

    def _save_located(self, change: sqlite3.Connection, row: Row, located: events.Located) -> None:
        prediction = located.prediction
        best = prediction.best
        stated = " › ".join(printable(region.name) for region in prediction.stated.regions)
        country = prediction.stated.name(Level.COUNTRY) or ""
        error = distance_km(best, row.known) if best and row.known else None
        place = (best.lat, best.lon) if best else (None, None)
        values = (row.number, self._now(), located.model, stated, country, *place, prediction.radius_90_km, error, _text(located))
        change.execute(
            "INSERT INTO answer (photo, at, model, stated, country, lat, lon, radius_km, error_km, located)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            values,
        )

    def answers(self, number: int) -> list[Answer]:
        """All answers to a photo, newest last."""
        found = self._read("SELECT number, at, model, located FROM answer WHERE photo = ? ORDER BY number", number)
        return [Answer(row["number"], row["at"], row["model"], row["located"]) for row in found]

    def failure(self, number: int) -> events.Failed | None:
        """The newest failure of a photo."""
        found = self._read("SELECT failed FROM failure WHERE photo = ? ORDER BY number DESC LIMIT 1", number)
        return events.from_plain(events.Failed, json.loads(found[0]["failed"])) if found else None

    # ---- verdicts ----

    def judge(self, number: int, verdict: Verdict) -> None:
        """Add a decision; those before it stay. Its time is now."""
        place = (verdict.place.lat, verdict.place.lon) if verdict.place else (None, None)
        values = (number, self._now(), verdict.author, verdict.ruling.value, *place, verdict.note)
        with self._change() as change:
            change.execute("INSERT INTO verdict (photo, at, author, ruling, lat, lon, note) VALUES (?, ?, ?, ?, ?, ?, ?)", values)

    def verdicts(self, number: int) -> list[Verdict]:
        """All decisions about a photo, newest last."""
        return [
            Verdict(Ruling(row["ruling"]), _place(row["lat"], row["lon"]), row["note"], row["author"], row["at"])
            for row in self._read("SELECT * FROM verdict WHERE photo = ? ORDER BY number", number)
        ]

    # ---- the file ----

    def setting(self, name: str, default: str = "") -> str:
        """A text that was kept under a name."""
        found = self._read("SELECT value FROM setting WHERE name = ?", name)
        return str(found[0]["value"]) if found else default

    def keep(self, name: str, value: str) -> None:
        """Keep a text under a name."""
        with self._change() as change:
            change.execute("INSERT OR REPLACE INTO setting VALUES (?, ?)", (name, value))

    def save_copy(self, target: Path) -> None:
        """Everything in another file. Raises CaseError."""
        if target.resolve() == self.path.resolve():
            raise CaseError("A copy of a case needs another name than the case.")
        case_file.save_copy(self._connection, target)

    def problems(self) -> list[str]:
        """What is wrong with the file; empty when it is whole."""
        return case_file.problems(self._connection)

    def _now(self) -> str:
        return self._clock().isoformat(timespec="milliseconds")

    @contextlib.contextmanager
    def _change(self) -> Iterator[sqlite3.Connection]:
        """One transaction, on disk at its end."""
        if not self.writable:
            raise CaseError(f"{self.path} is only read here; the right to write it has {self.holder}.")
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
            except BaseException:
                self._connection.execute("ROLLBACK")
                raise
            self._connection.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                self._connection.execute("ROLLBACK")
            raise CaseError(
                f"{self.path} could not be written: {error}.", hint="Free some room on its disk; what was saved before is safe."
            ) from error

    def _read(self, query: str, *values: Any) -> list[sqlite3.Row]:
        try:
            return self._connection.execute(query, values).fetchall()
        except sqlite3.Error as error:
            raise CaseError(
                f"{self.path} cannot be read: {error}.",
                hint="Open a copy of it, or save what can be read: Case, Repair a damaged case.",
            ) from error

    def _one(self, query: str, number: int) -> sqlite3.Row:
        found = self._read(query, number)
        if not found:
            raise CaseError(f"{self.path} holds no photo {number}.")
        return found[0]


def _row(row: sqlite3.Row) -> Row:
    return Row(
        row["number"],
        Path(os.fsdecode(row["path"])),
        row["sha256"],
        State(row["state"]),
        _place(row["known_lat"], row["known_lon"]),
        row["stated"] or "",
        row["country"] or "",
        _place(row["lat"], row["lon"]),
        row["radius_km"],
        row["error_km"],
        row["model"] or "",
        (row["reason"] or "") if row["state"] == State.FAILED.value else "",
        Ruling(row["ruling"] or "none"),
        _place(row["corrected_lat"], row["corrected_lon"]),
    )


def _place(lat: float | None, lon: float | None) -> Coordinate | None:
    return None if lat is None or lon is None else Coordinate(lat, lon)


def _text(event: events.Event) -> str:
    return json.dumps(events.to_plain(event), ensure_ascii=False, allow_nan=False)
