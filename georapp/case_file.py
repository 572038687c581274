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
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from georapp.errors import CaseError

APPLICATION_ID = 0x67656F52  # "geoR"
_BUSY_S = 5.0  # others only read, and not for long
_PAGES = 128  # are copied at once; whoever uses the case meanwhile waits a millisecond for them
Migration = Callable[[sqlite3.Connection], None]


class Writer:
    """The right to write one case file, while it is open. `holder`: who has it when it is not ours."""

    def __init__(self, case: Path) -> None:
        self._note = case.with_name(f".{case.name}.writer")
        lock = case.with_name(f".{case.name}.lock")
        self._lock = FileLock(lock, thread_local=False)  # a window asks about it from another thread
        self.holder = ""
        if os.access(case, os.F_OK) and not os.access(case, os.W_OK):  # SQLite would say so only when something is to be saved
            self.holder = "nobody: the file is write-protected"
            return
        try:
            self._lock.acquire(timeout=0)
        except Timeout:
            self.holder = self._read_note() or "another window"
            return
        except OSError as error:  # a folder that cannot be written to
            self.holder = f"nobody: its folder, or {lock.name} in it, cannot be written to ({_why(error)})"
            return
        with contextlib.suppress(OSError):  # whoever may write the case may also take the right to; it may be another user's lock
            lock.chmod(case.stat().st_mode & 0o666 | 0o600)
        with contextlib.suppress(OSError):  # only a courtesy to others
            self._note.write_text(f"{_user()} on {socket.gethostname()} (process {os.getpid()})", "utf-8")

    @property
    def ours(self) -> bool:
        """Whether this process may write."""
        return self._lock.is_locked

    def close(self) -> None:
        """Give the right back. May be called twice."""
        if self.ours:
            with contextlib.suppress(OSError):  # the right must be given back whatever happens to the note
                self._note.unlink(missing_ok=True)
            self._lock.release()

    def _read_note(self) -> str:
        try:
            return self._note.read_text("utf-8", "replace").strip()[:200]
        except OSError:
            return ""


def create(path: Path, migrations: Sequence[Migration]) -> sqlite3.Connection:
    """A new, empty case. Raises CaseError when something lies there already."""
    check_free(path)
    try:
        with contextlib.closing(sqlite3.connect(path)) as fresh:
            fresh.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    except sqlite3.Error as error:
        with contextlib.suppress(OSError):  # a folder that cannot be written to
            path.unlink(missing_ok=True)
        raise CaseError(f"{path} cannot be made: {error}.", hint="Choose another folder.") from error
    return connect(path, migrations, writable=True)


def connect(path: Path, migrations: Sequence[Migration], *, writable: bool) -> sqlite3.Connection:
    """An existing case, brought up to date when it may be written. Raises CaseError. One thread at a time may use the connection."""
    check_there(path)
    connection: sqlite3.Connection | None = None
    try:
        address = f"{path.resolve().as_uri()}?mode={'rw' if writable else 'ro'}"
        connection = sqlite3.connect(address, uri=True, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
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


def check_free(path: Path) -> None:
    """Raises CaseError when something lies there."""
    if _is_there(path):
        raise CaseError(f"{path} exists already.", hint="Open it, or choose another name.")


def check_there(path: Path) -> None:
    """Raises CaseError when there is no such file, or when it cannot be read."""
    if not _is_there(path) or not path.is_file():
        raise CaseError(f"There is no case {path}.")
    if not os.access(path, os.R_OK):
        raise CaseError(f"{path} cannot be opened: permission denied.", hint="Ask its owner for the right to read it.")


def _is_there(path: Path) -> bool:
    """Raises CaseError when nobody may know."""
    try:
        return path.exists()
    except OSError as error:  # a folder on the way is closed to this user
        raise CaseError(f"{path} cannot be opened: {_why(error)}.", hint="Ask its owner for the right to read it.") from error


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
    """Everything as it is now, in another file; a file that lies there is replaced when the copy is whole. Raises CaseError.

    May be called by another thread than the one that uses the case, which waits for milliseconds only, however slow the target's disk is.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        part.unlink(missing_ok=True)
        with contextlib.closing(_snapshot(connection)) as now, contextlib.closing(sqlite3.connect(part)) as copy:
            now.backup(copy)
        with part.open("rb+") as file:
            os.fsync(file.fileno())
        part.replace(target)
    except (sqlite3.Error, OSError) as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        raise CaseError(f"The copy {target} could not be written: {error}.", hint="Choose a disk with more room.") from error


def _snapshot(connection: sqlite3.Connection) -> sqlite3.Connection:
    """The pages as they are now, damaged ones too, in a temporary database of this machine. Raises sqlite3.Error.

    Taken through the open connection: it still reads a file that was deleted, and its own changes do not make it begin again.
    """
    now = sqlite3.connect("")
    try:
        connection.backup(now, pages=_PAGES, progress=lambda *_counts: time.sleep(0.001), sleep=0.05)
    except BaseException:
        now.close()
        raise
    return now


def salvage(damaged: Path, target: Path, migrations: Sequence[Migration]) -> dict[str, int]:
    """All rows of a damaged case that can be read, in a new one; how many of each table. The damaged file is only read.

    Raises CaseError when nothing of it can be read or the new one cannot be written.
    """
    check_there(damaged)
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
    """What SQLite finds wrong with the file; empty when it is whole. May be called by another thread, as `save_copy`."""
    try:
        with contextlib.closing(_snapshot(connection)) as now:
            found = [str(row[0]) for row in now.execute("PRAGMA integrity_check(20)")]
            found += [f"row {row[1]} of {row[0]} points nowhere" for row in now.execute("PRAGMA foreign_key_check")]
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
