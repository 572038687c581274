"""Where Pythons lie on a machine."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from georapp import paths
from georapp.training_process import source_root

_ENVIRONMENTS = (".venv", "venv", "env")
_CONDA = ("miniconda3", "miniforge3", "mambaforge", "anaconda3")


def candidates(chosen: str = "") -> list[Path]:
    """Interpreters to ask, each once, the likeliest first: the chosen one, this one, the environments around, those of conda."""
    found: dict[tuple[Path, Path], Path] = {}
    if chosen:
        path = interpreter(Path(chosen).expanduser())
        found[_identity(path)] = path
    for path in _around():
        with contextlib.suppress(OSError):  # in a folder that is closed to this user
            if path.is_file():
                found.setdefault(_identity(path), path)
    return list(found.values())


def interpreter(path: Path) -> Path:
    """The Python of an environment's folder; any other path as it is. Links are kept: they are what makes an environment."""
    path = path.absolute()
    return next((inside for inside in _inside(path) if inside.is_file()), path) if path.is_dir() else path


def made_for_training() -> Path:
    """Where a person is told to make an environment for training when there is none."""
    return paths.home() / "training"


def python_of(environment: Path) -> Path:
    """Where an environment that is made on this machine has its Python."""
    return environment / "Scripts" / "python.exe" if sys.platform == "win32" else environment / "bin" / "python"


def _around() -> Iterator[Path]:
    yield Path(sys.executable)
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        if chosen := os.environ.get(name):
            yield from _inside(Path(chosen))
    yield from _inside(made_for_training())
    root, home = source_root(), Path.home()
    for parent in (home, *((root, root.parent) if root else ())):
        for name in _ENVIRONMENTS:
            yield from _inside(parent / name)
    for name in _CONDA:
        yield from _inside(home / name)
        with contextlib.suppress(OSError):
            for folder in sorted((home / name / "envs").iterdir()):
                yield from _inside(folder)


def _inside(folder: Path) -> Iterator[Path]:
    """Where an environment has its Python, under Linux and under Windows."""
    yield folder / "bin" / "python"
    yield folder / "Scripts" / "python.exe"
    yield folder / "python.exe"


def _identity(path: Path) -> tuple[Path, Path]:
    """One installation may have several names in its folder; environments are different folders with links to one file."""
    return path.parent.resolve(), path.resolve()
