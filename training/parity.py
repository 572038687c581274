"""Does the exported model say what the trained one says? The same photos are asked in torch and with `georapp locate`, both greedily.

llama.cpp and torch do not compute bit for bit alike, so two nearly equal words may swap; a type of 8 or 4 bits differs by right. What
is told are counts and distances; only a type of 16 or 32 bits that says clearly other things is an error (`Parity.broken`).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import georapp
from georapp.errors import RunError, Stopped
from georapp.geo import distance_km
from georapp.prompt import Profile
from training.probe import place_of
from training.report import EventWriter

_EXACT_KINDS = ("f32", "f16")
_APART_KM = 25.0  # two answers farther apart are about different places
_POLL_S = 0.2


@dataclass(frozen=True, slots=True)
class Parity:
    """Of `n` photos: how many chains are the same to the letter, how far the places lie apart, how often only one names a place."""

    kind: str
    n: int
    same: int
    largest_km: float | None  # None where not one photo got a place from both
    one_sided: int
    apart: int  # places farther apart than 25 km, or only one

    @property
    def broken(self) -> bool:
        """Whether this is no matter of rounding: most answers differ, and lie elsewhere, in a type that loses nothing."""
        return self.kind in _EXACT_KINDS and 2 * self.same < self.n and 2 * self.apart >= self.n

    @property
    def sentence(self) -> str:
        """For people."""
        far = "no photo got a place from both" if self.largest_km is None else f"places differ by up to {self.largest_km:,.1f} km"
        lone = f", {self.one_sided} got one from only one of them" if self.one_sided else ""
        return f"{self.kind}: {self.same} of {self.n} chains are the same as in torch, {far}{lone}."


def compare(kind: str, trained: Sequence[str], exported: Sequence[str], profile: Profile) -> Parity:
    """Answers to the same photos, in the same order."""
    pairs = [(place_of(a, profile), place_of(b, profile)) for a, b in zip(trained, exported, strict=True)]
    distances = [distance_km(a, b) for a, b in pairs if a and b]
    one_sided = sum((a is None) != (b is None) for a, b in pairs)
    return Parity(
        kind=kind,
        n=len(pairs),
        same=sum(a.strip() == b.strip() for a, b in zip(trained, exported, strict=True)),
        largest_km=max(distances, default=None),
        one_sided=one_sided,
        apart=one_sided + sum(km > _APART_KM for km in distances),
    )


def locate(model: Path, photos: Sequence[Path], events: EventWriter) -> list[str]:
    """The most probable answer to each photo, by `georapp locate`, a process of its own: its failures are not ours.

    Raises RunError when it cannot use the model or fails at a photo, and Stopped when the run is asked to stop meanwhile.
    """
    with tempfile.TemporaryFile("w+b") as out, tempfile.TemporaryFile("w+b") as complaints:
        code = _ended(_command(model, photos), out, complaints, events)
        texts = _texts(_all_of(out))
        if code != 0 or len(texts) != len(photos):
            why = " ".join(_all_of(complaints).split())[-500:] or f"it ended with code {code}"
            raise RunError(
                f"The exported model does not answer in georapp: {why}",
                hint="Nothing was lost: the trained weights are in the run's folder. Try export.kinds with f16 alone.",
            )
    return texts


def _command(model: Path, photos: Sequence[Path]) -> list[str]:
    asked = [
        sys.executable,
        "-m",
        "georapp",
        "locate",
        *(str(path.resolve()) for path in photos),
        "--model",
        str(model.resolve()),
    ]
    return [*asked, "--format", "json", "--samples", "1", "--temperature", "0", "--threads", str(_threads())]


def _threads() -> int:
    """One core is left to others: llama.cpp's threads wait for each other, and for the one that does not run they wait long."""
    return max(1, min(8, os.cpu_count() or 1) - 1)


def _ended(command: Sequence[str], out: IO[bytes], complaints: IO[bytes], events: EventWriter) -> int:
    """The exit code. From the folder that georapp lies in, so that Python finds it however this process did."""
    home = Path(georapp.__file__).resolve().parents[1]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=out, stderr=complaints, cwd=home) as process:
        while True:
            try:
                return process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                if events.stop_asked():
                    process.terminate()
                    raise Stopped from None


def _all_of(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode("utf-8", "replace")


def _texts(output: str) -> list[str]:
    results = [json.loads(line) for line in output.splitlines()]
    return [result["result"]["prediction"]["samples"][0]["text"] for result in results if result["status"] == "located"]
