"""`georapp doctor`: what works on this machine, what is missing, and what to type to install it."""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import platform
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

import georapp
from georapp import cli, gazetteer, models, paths, photo, training_python
from georapp.errors import GeorappError, RunError
from georapp.geo import Coordinate
from georapp.models import Finding
from georapp.printable import printable
from georapp.training_process import TrainingProcess
from georapp.training_python import TrainingPython

PATIENCE_S = 60.0
_PARIS = Coordinate(48.8566, 2.3522)
_LLAMA = "import json, llama_cpp as l; print(json.dumps({'version': l.__version__, 'gpu': bool(l.llama_supports_gpu_offload())}))"
_WINDOW = (
    "import json, PySide6, PySide6.QtWidgets, PySide6.QtWebEngineWidgets, pyqtgraph, folium;"
    "print(json.dumps({'version': PySide6.__version__}))"
)

_SYSTEM = (
    "sudo apt install libegl1 libgl1 libnss3 libasound2 libdbus-1-3 libfontconfig1 libgbm1 libglib2.0-0 libx11-xcb1 libxcb-cursor0 "
    "libxcb-icccm4 libxcb-keysyms1 libxcb-shape0 libxcomposite1 libxdamage1 libxkbcommon-x11-0 libxkbfile1 libxrandr2 libxtst6"
)


def run(options: argparse.Namespace) -> int:
    """0: the program works, and so does a Python that was named; 1: something of that does not."""
    findings = list(program())
    trainer = _trainer(options.python or "")
    if options.format == "json":
        _say_json(findings, trainer)
    else:
        _say_text(findings, trainer)
    trains = isinstance(trainer, TrainingPython) and trainer.can_train
    good = all(finding.good for finding in findings) and (trains or not options.python)
    return cli.EXIT_GOOD if good else cli.EXIT_SOME_FAILED


def program() -> Iterator[Finding]:
    """Everything that this program itself needs."""
    yield Finding(True, f"georapp {georapp.__version__} with Python {platform.python_version()} in {sys.executable}.")
    for look in (_llama, _models, _places, _photos, _window, _home):
        yield from _looked(look)


def _looked(look: Callable[[], Iterator[Finding]]) -> Iterator[Finding]:
    try:
        yield from look()
    except GeorappError as error:
        yield Finding(False, " ".join(part for part in (str(error), error.hint) if part))


def _llama() -> Iterator[Finding]:
    said = _asked(_LLAMA, "llama.cpp, which runs the models,", "llama-cpp-python")
    where = "on the graphics card too" if said["gpu"] else "on the processor"
    yield Finding(True, f"llama.cpp works, and computes {where} (llama-cpp-python {said['version']}).")


def _window() -> Iterator[Finding]:
    said = _asked(_WINDOW, "A library of the window", "PySide6 pyqtgraph folium")
    yield Finding(True, f"The libraries of the window are there (PySide6 {said['version']}).")
    if sys.platform.startswith("linux") and not any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY")):
        yield Finding(True, "No screen is seen from here, so the window cannot open here; everything else works.")


def _asked(code: str, what: str, packages: str) -> dict[str, Any]:
    """In another process: a library that does not fit this machine may crash. Raises RunError."""
    process = TrainingProcess([sys.executable, "-c", code], patience_s=PATIENCE_S)
    try:
        with contextlib.closing(process.messages()) as messages:
            return dict(next(iter(messages)))
    except (RunError, StopIteration) as error:
        hint = f"Install it anew: {sys.executable} -m pip install --force-reinstall {packages}"
        if "cannot open shared object" in str(error):  # of the system, not of Python
            hint = f"Install the library of the system that is named. Under Debian and Ubuntu these are enough: {_SYSTEM}"
        raise RunError(f"{what} does not work: {str(error) or 'it said nothing'}", hint=hint) from error


def _models() -> Iterator[Finding]:
    for folder in models.folders():
        try:
            model = models.read(folder)
            bad = [finding.sentence for finding in models.check(model) if not finding.good] if _is_quick(model) else []
        except GeorappError as error:
            bad = [str(error)]
        if bad:
            yield Finding(False, f"The model {folder.name} cannot be used: {' '.join(bad)}")
        elif folder.parent == paths.built_in_models():
            yield Finding(True, f"The model {folder.name} that comes with the program is whole.")
        else:
            checked = "is whole" if _is_quick(model) else f"is there; to check its files: georapp models check {folder.name}"
            yield Finding(True, f"Your model {folder.name} {checked}.")
    models.find()


def _is_quick(model: models.Model) -> bool:
    """Whether its files are hashed within seconds."""
    return sum(file.bytes for file in model.files) < 500_000_000


def _places() -> Iterator[Finding]:
    label = gazetteer.load().label(_PARIS)
    good = (label.country_code, label.city) == ("FR", "Paris")
    yield Finding(good, "The places of the world are there." if good else "The place data is damaged. Install georapp again.")


def _photos() -> Iterator[Finding]:
    demo = sorted(path for path in (paths.resources() / "demo").glob("*") if path.suffix.lower() in photo.ENDINGS)
    for path in demo[:1]:
        photo.read(path)
    yield Finding(True, f"Photos can be opened: {', '.join(photo.FORMATS)}.")


def _home() -> Iterator[Finding]:
    home = paths.home()
    nearest = next((folder for folder in (home, *home.parents) if folder.exists()), home)
    good = os.access(nearest, os.W_OK)
    yield Finding(
        good, f"Cases, models and runs are kept in {home}." if good else f"{home} cannot be written to. Set GEORAPP_HOME."
    )


# ---- training ----


def _trainer(chosen: str) -> TrainingPython | RunError:
    try:
        return training_python.ask(Path(chosen)) if chosen else training_python.find()
    except RunError as error:
        return error


def _sentences(trainer: TrainingPython | RunError) -> list[tuple[str, bool]]:
    if isinstance(trainer, RunError):
        return [(text, False) for text in (str(trainer), trainer.hint) if text]
    return training_python.words(trainer)


def _say_text(findings: list[Finding], trainer: TrainingPython | RunError) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(Text("This program", style="bold"))
    for finding in findings:
        _line(console, finding.sentence, finding.good)
    console.print(Text("\nTraining own models", style="bold"))
    for sentence, good in _sentences(trainer):
        _line(console, sentence, good)


def _line(console: Console, sentence: str, good: bool) -> None:
    console.print(Text("  ✓ " if good else "  ✗ ", style="green" if good else "red").append(printable(sentence)))


def _say_json(findings: list[Finding], trainer: TrainingPython | RunError) -> None:
    training: dict[str, Any] = {"sentences": [{"good": good, "sentence": text} for text, good in _sentences(trainer)]}
    if isinstance(trainer, TrainingPython):
        training |= {
            "python": str(trainer.path),
            "can_train": trainer.can_train,
            "missing": list(trainer.missing),
            "install": training_python.installation(trainer),
        }
    program = [{"good": finding.good, "sentence": finding.sentence} for finding in findings]
    sys.stdout.write(json.dumps({"program": program, "training": training}, indent=1) + "\n")
