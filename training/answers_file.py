"""Answers to many photos, one a line, in a file that grows: what was answered before a stop is not asked again."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from georapp.errors import RunError
from georapp.events import from_plain, to_plain


@dataclass(frozen=True, slots=True)
class Answered:
    """A photo, by its id, with what the model wrote, and how far off that is in km; None for no place."""

    id: str
    text: str
    km: float | None


class AnswersFile:
    """`known`: what is in it, by id. Answers of another model, which have another `key`, are thrown away when it is opened.

    A last line that a kill tore is left out. Raises RunError when the file cannot be read or written.
    """

    def __init__(self, path: Path, key: str) -> None:
        self._path = path
        try:
            lines = path.read_text("utf-8", errors="replace").splitlines() if path.is_file() else []
            same = bool(lines) and lines[0] == _head(key)
            self.known = {answer.id: answer for answer in _answers(lines[1:])} if same else {}
            part = path.with_name(f".{path.name}.part")
            part.write_text("".join([_head(key) + "\n", *map(_line, self.known.values())]), "utf-8")
            part.replace(path)  # without what was torn
        except OSError as error:
            raise self._unusable(error) from error

    def add(self, answers: Iterable[Answered]) -> None:
        """Append a batch and wait until it is on the disk."""
        new = list(answers)
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.writelines(map(_line, new))
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise self._unusable(error) from error
        self.known |= {answer.id: answer for answer in new}

    def _unusable(self, error: OSError) -> RunError:
        why = (error.strerror or str(error)).lower()
        hint = "Make room on that disk, or give the right to write, and start the run again: what was answered is kept."
        return RunError(f"The answers in {self._path} cannot be kept: {why}.", hint=hint)


def _head(key: str) -> str:
    return json.dumps({"key": key})


def _line(answer: Answered) -> str:
    return json.dumps(to_plain(answer)) + "\n"


def _answers(lines: Iterable[str]) -> Iterator[Answered]:
    for line in lines:
        try:
            yield from_plain(Answered, json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
