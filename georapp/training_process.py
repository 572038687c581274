"""A part of `training` that answers a question: a process that writes JSON lines, watched from outside. No Qt and no torch."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from georapp.errors import RunError
from georapp.printable import printable

LONGEST = 2**24  # bytes of a line; what is longer is no message
_LAST_WORDS = 4096  # bytes of standard error that are looked at
_SHOWN = 400  # characters of it that are shown
_CAUSES = {"SIGKILL": "it was killed, by the system for lack of memory or by hand", "SIGTERM": "it was asked to end"}


class Cancelled(RunError):
    """Nothing failed: somebody cancelled it."""


def source_root() -> Path | None:
    """The folder of the source code when this program runs from it; None where it is installed beside packages of its own Python."""
    root = Path(__file__).resolve().parents[1]
    return None if root.name in ("site-packages", "dist-packages") else root


def environment() -> dict[str, str]:
    """Of processes that import `training`, in whichever Python: with the source code first on their path."""
    root, before = source_root(), os.environ.get("PYTHONPATH", "")
    added: dict[str, str] = {} if root is None else {"PYTHONPATH": os.pathsep.join(filter(None, (str(root), before)))}
    return {**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONIOENCODING": "utf-8", **added}


class TrainingProcess:
    """One process. `messages` may be read once; `cancel` may come before it, in the middle and after it, from any thread.

    `command`: the program and its arguments. `patience_s`: after so long it is ended; None: it may take as long as it wants.
    """

    def __init__(self, command: Sequence[str], *, patience_s: float | None = None) -> None:
        self._command, self._patience_s = list(command), patience_s
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled = self._late = self._is_read = False

    def messages(self) -> Generator[Mapping[str, Any], None, None]:
        """The JSON objects that it writes; other lines are passed over. Raises Cancelled, and RunError for every end but a good one.

        {"failed": sentence, "hint": hint} is such an end. Close what is not read to its end: the process ends with it.
        """
        with tempfile.TemporaryFile() as complaints:
            process = self._start(complaints)
            timer = threading.Timer(self._patience_s or 0, self._give_up)
            timer.daemon = True
            try:
                if self._patience_s is not None:
                    timer.start()
                assert process.stdout
                for said in _objects(process.stdout):
                    if "failed" in said:
                        raise RunError(printable(str(said["failed"])), hint=printable(str(said.get("hint", ""))))
                    yield said
                self._is_read = True
                process.wait()
            finally:
                timer.cancel()
                self._end()
                if process.stdout:
                    process.stdout.close()
            self._check(process.returncode, complaints)

    def cancel(self) -> None:
        """End it at once."""
        self._cancelled = True
        self._end()

    def _start(self, complaints: IO[bytes]) -> subprocess.Popen[bytes]:
        with self._lock:
            if self._cancelled:
                raise Cancelled("It was cancelled.")
            try:
                self._process = subprocess.Popen(
                    self._command,
                    cwd=Path(sys.prefix).anchor,  # Python would import modules out of the folder that it is started in
                    stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE,
                    stderr=complaints,
                    start_new_session=True,  # a group of its own, which can be ended together
                    env=environment(),
                )
            except (OSError, ValueError) as error:
                why = getattr(error, "strerror", None) or str(error)
                raise RunError(f"{self._command[0]} cannot be started: {why.lower()}.", hint="Choose another Python.") from error
            return self._process

    def _give_up(self) -> None:
        self._late = True
        self._end()

    def _end(self) -> None:
        """With all that it started. Nothing happens to one that has ended, unless something that it started still holds its output."""
        with self._lock:
            process = self._process
            if process is None or (process.poll() is not None and self._is_read):
                return
            with contextlib.suppress(OSError):  # all gone
                if hasattr(os, "killpg"):
                    os.killpg(process.pid, signal.SIGKILL)
                else:
                    process.kill()
            process.wait()

    def _check(self, code: int, complaints: IO[bytes]) -> None:
        if self._cancelled:
            raise Cancelled("It was cancelled.")
        if self._late:
            raise RunError(f"{self._command[0]} had not ended after {self._patience_s:.0f} seconds, and was ended.")
        if code:
            said = last_words(complaints)
            raise RunError(f"{self._command[0]} failed: {_cause(code)}{f' ({said})' if said else ''}.")


def _objects(stream: IO[bytes]) -> Iterator[Mapping[str, Any]]:
    while line := stream.readline(LONGEST):
        try:
            said = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(said, dict):
            yield said


def last_words(complaints: IO[bytes]) -> str:
    """The last line of what it complained about, safe to show."""
    complaints.seek(max(0, complaints.seek(0, os.SEEK_END) - _LAST_WORDS))
    lines = [line.strip() for line in complaints.read().decode("utf-8", "replace").splitlines() if line.strip()]
    return printable(lines[-1][:_SHOWN]) if lines else ""


def _cause(code: int) -> str:
    if code > 0:
        return f"it ended with status {code}"
    name = signal.Signals(-code).name if -code in set(signal.Signals) else str(-code)
    return _CAUSES.get(name, f"it crashed ({name})")
