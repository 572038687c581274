"""The program as its users start it: a process, its output, its exit code."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from georapp import paths

CHINA = paths.resources() / "demo" / "china.jpg"


@dataclass(frozen=True)
class Ran:
    """A finished process."""

    code: int
    out: str
    complaints: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def sentences(self) -> list[str]:
        """What was said to the user on stderr, without hints."""
        return [line for line in self.complaints.splitlines() if line.startswith("georapp: ")]


Run = Callable[..., Ran]


@pytest.fixture
def georapp(tmp_path: Path) -> Run:
    """Runs `georapp ARGUMENTS` in a folder of its own, on one thread where the command has threads."""

    def run(*arguments: str | Path, out: Any = subprocess.PIPE, cwd: Path = tmp_path, **environment: str) -> Ran:
        done = subprocess.run(
            command(arguments), cwd=cwd, env={**os.environ, **environment}, stdout=out, stderr=subprocess.PIPE, timeout=300
        )
        return Ran(done.returncode, (done.stdout or b"").decode(), done.stderr.decode())

    return run


def command(arguments: Sequence[str | Path]) -> list[str]:
    """The command line that starts the program."""
    return [sys.executable, "-m", "georapp", *map(str, arguments)]
