"""A case file on disk: one SQLite database, opened safely. What is in it: case.py.

The file says whose it is (application_id) and how many migrations it has seen (user_version). One process writes at a time: it holds
an operating system's lock on a file beside the case, which a crash gives back, and leaves its name in another; everybody else reads.
"""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from georapp.errors import CaseError

APPLICATION_ID = 0x67656F52  # "geoR"
Migration = Callable[[sqlite3.Connection], None]


class Writer:
    """The right to write one case file, while it is open. `holder`: who has it when it is not ours."""

    def __init__(self, case: Path) -> None:
        self._note = case.with_name(f".{case.name}.writer")
        self._lock = FileLock(case.with_name(f".{case.name}.lock"))
        self.holder = ""
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self.holder = self._read_note() or "another window"
            return
        except OSError as error:  # a folder that cannot be written to
            self.holder = f"nobody: its folder cannot be written to ({_why(error)})"
            return
        with contextlib.suppress(OSError):  # only a courtesy to others
            self._note.write_text(f"{_user()} on {socket.gethostname()} (process {os.getpid()})", "utf-8")

    @property
    def ours(self) -> bool:
        """Whether this process may write."""
        return self._lock.is_locked

    def close(self) -> None:
        """Give the right back. May be called twice."""
        if self.ours:
            self._note.unlink(missing_ok=True)
            self._lock.release()

    def _read_note(self) -> str:
        try:
            return self._note.read_text("utf-8", "replace").strip()[:200]
        except OSError:
            return ""


def create(path: Path, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """A new, empty case. Raises CaseError when something lies there already."""
    if path.exists():
        raise CaseError(f"{path} exists already.", hint="Open it, or choose another name.")
    try:
        with contextlib.closing(sqlite3.connect(path)) as fresh:
            fresh.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except sqlite3.Error as error:
        path.unlink(missing_ok=True)
        raise CaseError(f"{path} cannot be made: {error}.", hint="Choose another folder.") from error
    return connect(path, migrations, writable=True)


def connect(path: Path, migrations: Sequence[Migration], *, writable: bool) -> sqlite3.Connection:
    """An existing case, brought up to date when it may be written. Raises CaseError."""
    if not path.is_file():
        raise CaseError(f"There is no case {path}.")
    connection: sqlite3.Connection | None = None
    try:
        mode = "rw" if writable else "ro"
        connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode={mode}", uri=True, timeout=5, isolation_level=None)
        version = _checked_version(connection, path, len(migrations))
        if version < len(migrations):
            if not writable:
                raise CaseError(f"{path} was made by an older version and cannot be brought up to date while it is only read.")
            _migrate(connection, path, version, migrations)
        connection.execute("PRAGMA foreign_keys = ON")
        if writable:
            connection.execute("PRAGMA journal_mode = DELETE")
            connection.execute("PRAGMA synchronous = FULL")
    except CaseError:
        if connection:
            connection.close()
        raise
    except sqlite3.Error as error:
        if connection:
            connection.close()
        raise CaseError(
            f"{path} cannot be opened as a case: {error}.",
            hint="Open a copy of it, or save what can be read: Case, Repair a damaged case.",
        ) from error
    connection.row_factory = sqlite3.Row
    return connection


def _checked_version(connection: sqlite3.Connection, path: Path, known: int) -> int:
    (identity,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if identity != APPLICATION_ID:
        raise CaseError(f"{path} is a database of another program.")
    if version > known:
        raise CaseError(f"{path} was made by a newer version of georapp.", hint="Update this program.")
    return int(version)


def _migrate(connection: sqlite3.Connection, path: Path, version: int, migrations: Sequence[Migration]) -> None:
    """Each step in a transaction of its own; a case that held something is copied beforehand."""
    if version:
        shutil.copy2(path, path.with_name(f"{path.name}.before-version-{len(migrations)}"))
    for number in range(version, len(migrations)):
        connection.execute("BEGIN IMMEDIATE")
        try:
            migrations[number](connection)
            connection.execute(f"PRAGMA user_version = {number + 1}")
        except BaseException:
            connection.execute("ROLLBACK")
            raise
        connection.execute("COMMIT")


def save_copy(connection: sqlite3.Connection, target: Path) -> None:
    """Everything as it is now, in another file; a file that lies there is replaced when the copy is whole. Raises CaseError."""
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(part)) as copy:
            connection.backup(copy)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise CaseError(f"The copy {target} could not be written: {error}.", hint="Choose a disk with more room.") from error


def salvage(damaged: Path, target: Path, migrations: Sequence[Migration]) -> dict[str, int]:
    """All rows of a damaged case that can be read, in a new one; how many of each table. The damaged file is only read.

    Raises CaseError when nothing of it can be read or the new one cannot be written.
    """
    with contextlib.closing(create(target, migrations)) as fresh:
        try:
            fresh.execute("ATTACH ? AS damaged", (f"{damaged.resolve().as_uri()}?mode=ro",))
            fresh.execute("PRAGMA foreign_keys = OFF")  # an answer may be whole where its photo is not
            tables = [row["name"] for row in fresh.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            found = {table: _salvage_table(fresh, table) for table in tables}
        except sqlite3.Error:
            found = {}
    if not any(found.values()):
        target.unlink(missing_ok=True)
        raise CaseError(f"Nothing of {damaged} can be read.", hint="Use the newest copy of it.")
    return found


def _salvage_table(fresh: sqlite3.Connection, table: str) -> int:
    """Row by row, from the start and, where that ends at a damaged page, from the end."""
    columns = [row["name"] for row in fresh.execute(f"PRAGMA table_info({table})")]
    names = ", ".join(columns)
    found: dict[int, tuple[Any, ...]] = {}
    for order in ("ASC", "DESC"):
        try:
            for row in fresh.execute(f"SELECT rowid, {names} FROM damaged.{table} ORDER BY rowid {order}"):
                found[row[0]] = tuple(row)[1:]
            break
        except sqlite3.DatabaseError:
            continue
    marks = ", ".join("?" * len(columns))
    saved = 0
    fresh.execute("BEGIN IMMEDIATE")
    for number in sorted(found):
        with contextlib.suppress(sqlite3.IntegrityError):  # what the damage made of it fits nowhere
            saved += fresh.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", found[number]).rowcount
    fresh.execute("COMMIT")
    return saved


def problems(connection: sqlite3.Connection) -> list[str]:
    """What SQLite finds wrong with the file; empty when it is whole."""
    try:
        found = [str(row[0]) for row in connection.execute("PRAGMA integrity_check(20)")]
        found += [f"row {row[1]} of {row[0]} points nowhere" for row in connection.execute("PRAGMA foreign_key_check")]
    except sqlite3.Error as error:
        return [str(error)]
    return [line for line in found if line != "ok"]


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return "somebody"


def _why(error: OSError) -> str:
    return (error.strerror or str(error)).lower()
