"""Checkpoints that are either whole or do not count.

A checkpoint is written into a temporary folder. All its files are pushed to the disk; then its manifest, with the SHA-256 of every
file and of itself, is written last; then the folder is renamed to checkpoint-N. So a process may be killed at any moment, and
a disk may turn a bit: what `newest` finds is whole, and what was passed over is said in a sentence.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp.errors import RunError

MANIFEST = "manifest.json"
_UNFINISHED, _REPLACED, _DELETED = ".unfinished-", ".replaced-", ".deleted-"


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """A whole checkpoint. `error_km`: on the probe photos, smaller is better; None when it was not measured."""

    path: Path
    step: int
    error_km: float | None


@dataclass(frozen=True, slots=True)
class Found:
    """The newest whole checkpoint, and a sentence about each newer one that was passed over."""

    checkpoint: Checkpoint | None
    passed_over: tuple[str, ...] = ()


# ---- writing ----


@contextlib.contextmanager
def writing(folder: Path, step: int, *, error_km: float | None = None) -> Iterator[Path]:
    """An empty folder to write a checkpoint into; when the block ends well it becomes checkpoint-N, otherwise it is gone.

    Raises RunError when the disk does not take it.
    """
    fresh = folder / f"{_UNFINISHED}{step}-{uuid.uuid4().hex}"
    try:
        fresh.mkdir(parents=True)
        yield fresh
        seal(fresh, step, error_km=error_km)
        _place(fresh, step)
    except OSError as error:
        shutil.rmtree(fresh, ignore_errors=True)
        raise RunError(
            f"Checkpoint {step} could not be written to {folder}: {(error.strerror or str(error)).lower()}.",
            hint="Make room on that disk and start the run again: it goes on from the checkpoint before.",
        ) from error
    except BaseException:
        shutil.rmtree(fresh, ignore_errors=True)
        raise


def adopt(written: Path, folder: Path, step: int, *, error_km: float | None = None) -> Path:
    """Make a folder that somebody else wrote, on the same disk, into checkpoint-N of `folder`. Raises RunError."""
    with writing(folder, step, error_km=error_km) as fresh:
        for entry in sorted(written.iterdir()):
            entry.rename(fresh / entry.name)
    shutil.rmtree(written, ignore_errors=True)
    return folder / f"checkpoint-{step}"


def seal(path: Path, step: int, *, error_km: float | None = None) -> None:
    """Push all files of a folder to the disk and write its manifest last. Raises OSError."""
    if error_km is not None and not math.isfinite(error_km):
        error_km = None
    files = {name: _digest(path / name, flush=True) for name in _files(path)}
    for inner in [entry for entry in path.rglob("*") if entry.is_dir()]:
        _flush(inner)
    with (path / f".{MANIFEST}").open("w", encoding="utf-8") as out:
        out.write(_manifest({"step": step, "error_km": error_km, "files": files}))
        out.flush()
        os.fsync(out.fileno())
    (path / f".{MANIFEST}").rename(path / MANIFEST)
    _flush(path)


def _place(fresh: Path, step: int) -> None:
    """Rename to checkpoint-N. A step that was done again takes the place of the one before, which `recover` can bring back."""
    target = fresh.with_name(f"checkpoint-{step}")
    old = fresh.with_name(f"{_REPLACED}{step}-{uuid.uuid4().hex}")
    if target.exists():
        target.rename(old)
    fresh.rename(target)
    _flush(fresh.parent)
    shutil.rmtree(old, ignore_errors=True)


# ---- finding ----


def newest(folder: Path) -> Found:
    """Reads and checks whole files from the newest backwards; changes nothing."""
    passed_over: list[str] = []
    for path in reversed(listed(folder)):
        if not (problem := problem_of(path)):
            return Found(_checkpoint(path), tuple(passed_over))
        passed_over.append(f"{path.name} was passed over: {problem}.")
    return Found(None, tuple(passed_over))


def best(folder: Path) -> Checkpoint | None:
    """The whole checkpoint with the smallest error on the probe photos, of equals the newest; None when none was measured."""
    for checkpoint in _ranked(folder):
        if not problem_of(checkpoint.path):
            return checkpoint
    return None


def listed(folder: Path) -> list[Path]:
    """Folders called checkpoint-N, by N, whole or not."""
    found = [path for path in folder.glob("checkpoint-*") if _step_of(path) is not None and path.is_dir()]
    return sorted(found, key=lambda path: _step_of(path) or 0)


def problem_of(path: Path, *, step: int | None = None, deep: bool = True) -> str:
    """Why a checkpoint does not count, as a part of a sentence; "" when it is whole.

    `step`: which it should be, when its folder has another name. Not `deep`: the content of its files is not read.
    """
    if not (path / MANIFEST).is_file():
        return "it was not finished"
    try:
        manifest = _read_manifest(path)
        if manifest["step"] != (_step_of(path) if step is None else step):
            return f"it was written as step {manifest['step']}"
        return _problem_of_files(path, dict(manifest["files"]), deep)
    except OSError as error:
        return f"its files cannot be read: {(error.strerror or str(error)).lower()}"
    except (ValueError, KeyError, TypeError, RecursionError):
        return "its manifest is damaged"


def _problem_of_files(path: Path, files: dict[str, tuple[int, str]], deep: bool) -> str:
    for name, (size, sha256) in files.items():
        if not (path / name).is_file():
            return f"{name} is missing"
        if (path / name).stat().st_size != size or (deep and _digest(path / name)[1] != sha256):
            return f"{name} was changed or damaged"
    return "" if files else "it is empty"


# ---- cleaning; only the process that trains may do this ----


def prune(folder: Path, *, keep: int = 2) -> None:
    """Delete what is older than the `keep` newest whole checkpoints, but never the best one. Reads no large files."""
    whole = [path for path in listed(folder) if not problem_of(path, deep=False)][-keep:]
    if len(whole) < keep:
        return
    best_one = next((one.path for one in _ranked(folder) if not problem_of(one.path, deep=False)), None)
    for path in listed(folder):
        if path == whole[0]:
            return
        if path != best_one:
            _delete(path)


def recover(folder: Path) -> tuple[str, ...]:
    """At the start of a process: finish what a killed one had sealed, delete what it had not. Sentences about both."""
    said = []
    for path in [*sorted(folder.glob(f"{_UNFINISHED}*")), *sorted(folder.glob(f"{_REPLACED}*"))]:
        target = folder / f"checkpoint-{path.name.split('-')[1]}"
        if target.exists() or _step_of(target) is None or problem_of(path, step=_step_of(target)):
            shutil.rmtree(path, ignore_errors=True)
            said.append(f"What was left of writing {target.name} was deleted.")
        else:
            path.rename(target)
            _flush(folder)
            said.append(f"{target.name} was whole, and was put in its place.")
    for path in folder.glob(f"{_DELETED}*"):
        shutil.rmtree(path, ignore_errors=True)
    return tuple(said)


def _delete(path: Path) -> None:
    """In two steps, so that a kill in the middle leaves no half checkpoint under its name."""
    gone = path.with_name(f"{_DELETED}{uuid.uuid4().hex}")
    path.rename(gone)
    shutil.rmtree(gone, ignore_errors=True)


# ---- the manifest ----


def _step_of(path: Path) -> int | None:
    number = path.name.removeprefix("checkpoint-")
    return int(number) if number.isascii() and number.isdigit() and len(number) < 12 else None


def _files(path: Path) -> list[str]:
    """Relative names of all files. Raises OSError for a link: what it points to may change after it was checked."""
    entries = sorted(path.rglob("*"))
    if links := [entry for entry in entries if entry.is_symlink()]:
        raise OSError(f"{links[0].name} is a link")
    return [entry.relative_to(path).as_posix() for entry in entries if entry.is_file()]


def _digest(path: Path, *, flush: bool = False) -> list[Any]:
    """Size in bytes and SHA-256 of a file, which is first pushed to the disk."""
    with path.open("rb") as file:
        if flush:
            os.fsync(file.fileno())
        return [os.fstat(file.fileno()).st_size, hashlib.file_digest(file, "sha256").hexdigest()]


def _manifest(content: dict[str, Any]) -> str:
    """The text of a manifest, which holds the SHA-256 of its own content."""
    own = hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()
    return json.dumps(content | {"sha256": own}, sort_keys=True, indent=1) + "\n"


def _read_manifest(path: Path) -> dict[str, Any]:
    """Raises ValueError when a single bit of it is not as it was written."""
    text = (path / MANIFEST).read_bytes().decode()
    content = json.loads(text)
    if not isinstance(content, dict):
        raise ValueError("no manifest")
    content.pop("sha256", None)
    if _manifest(content) != text:
        raise ValueError("a changed manifest")
    return content


def _checkpoint(path: Path) -> Checkpoint:
    manifest = _read_manifest(path)
    return Checkpoint(path, manifest["step"], manifest["error_km"])


def _ranked(folder: Path) -> list[Checkpoint]:
    """Those that were measured, best first; only their manifests are read."""
    found = []
    for path in listed(folder):
        try:
            found.append(_checkpoint(path))
        except (OSError, ValueError, KeyError, TypeError, RecursionError):
            continue
    measured = [checkpoint for checkpoint in found if checkpoint.error_km is not None]
    return sorted(measured, key=lambda checkpoint: (checkpoint.error_km, -checkpoint.step))


def _flush(folder: Path) -> None:
    """Push the names in a folder to the disk, where the system can."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
