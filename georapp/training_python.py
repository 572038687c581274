"""Python installations that may be able to train: found, asked in a process of their own, and described in words."""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import georapp
from georapp.errors import RunError
from georapp.interpreters import candidates, interpreter, made_for_training, python_of
from georapp.printable import printable
from georapp.training_process import Cancelled, TrainingProcess, source_root

__all__ = ["Gpu", "TrainingPython", "ask", "candidates", "find", "installation", "words"]

PATIENCE_S = 60.0
OPTIONAL = ("bitsandbytes", "vllm", "deepspeed")
_MANY = 6  # packages; more are named by the file that lists them
_SHOWN = 4
_DOCTOR = Path("training", "doctor.py")


@dataclass(frozen=True, slots=True)
class Gpu:
    """A graphics card as torch sees it. `bf16`: computed by the card itself, not imitated."""

    name: str
    memory_gib: float
    free_gib: float
    bf16: bool
    capability: str = ""  # "8.9" of CUDA, "" of others


@dataclass(frozen=True, slots=True)
class TrainingPython:
    """What a Python said of itself and of its machine. `versions`: None where a package is not installed."""

    path: Path
    version: str
    versions: dict[str, str | None] = field(default_factory=dict)
    gpus: tuple[Gpu, ...] = ()
    cores: int = 0
    memory_gib: float = 0.0
    problems: tuple[str, ...] = ()  # sentences
    unfit: tuple[str, ...] = ()  # installed and not to be used: another version, or broken; "python" itself when it is too old
    needed: dict[str, str] = field(default_factory=dict)  # package -> "==1.16.0", in the order in which they are installed
    cuda: str = ""  # that torch was built for; "" for none
    environment: bool = True  # False: the system's own, into which nothing should be installed
    pip: bool = True

    @property
    def can_train(self) -> bool:
        """Whether a run can be started with it, if only on the processor."""
        return bool(self.versions) and not self.missing

    @property
    def missing(self) -> tuple[str, ...]:
        """What must be installed, or replaced, before it can train: packages, "python", "georapp"."""
        absent = [name for name, version in self.versions.items() if version is None and name not in OPTIONAL]
        return tuple(dict.fromkeys([*absent, *(name for name in self.unfit if name not in OPTIONAL)]))

    def has(self, name: str) -> bool:
        """Whether a package is installed and can be used."""
        return self.versions.get(name) is not None and name not in self.unfit


# ---- finding ----


def find(chosen: str = "") -> TrainingPython:
    """The first that can train, else the one that lacks least. Raises RunError when none answers."""
    asked: list[TrainingPython] = []
    first: RunError | None = None
    for path in candidates(chosen):
        try:
            asked.append(ask(path))
        except RunError as error:
            first = first or error
            continue
        if asked[-1].can_train:
            return asked[-1]
    if not asked:
        raise first or RunError("No Python was found that could train.", hint="Choose one by its path.")
    return min(asked, key=lambda one: len(one.missing))


# ---- asking ----


def ask(path: Path, *, patience_s: float = PATIENCE_S) -> TrainingPython:
    """Let it look at itself, which takes some seconds. Raises RunError for what is no Python, crashes, or is not done after so long."""
    path = interpreter(path.expanduser())
    if not path.is_file():
        raise RunError(f"{path} is not there.", hint="Choose a Python, or the folder of its environment.")
    doctor = Path(__file__).resolve().parents[1] / _DOCTOR
    process = TrainingProcess([str(path), str(doctor), f"{max(1.0, 0.75 * patience_s):.0f}"], patience_s=patience_s)
    said: Mapping[str, Any] = {}
    try:
        with contextlib.closing(process.messages()) as messages:
            said = next((one for one in messages if "doctor" in one), {})
    except Cancelled:
        raise
    except RunError as error:
        raise RunError(f"{path} cannot be asked what it can train with. {error}", hint=_ADVICE) from error
    try:
        return _python(path, said)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise RunError(f"{path} does not answer as a Python does.", hint=_ADVICE) from error


_ADVICE = "Choose another Python: one of 3.11 or newer, in which torch is installed."


def _python(path: Path, said: Mapping[str, Any]) -> TrainingPython:
    versions = {str(name): None if version is None else printable(str(version)) for name, version in said["versions"].items()}
    unfit = [str(name) for name in said["unfit"]]
    problems = [printable(str(problem)) for problem in said["problems"]]
    versions["georapp"] = own = None if said["georapp"] is None else printable(str(said["georapp"]))
    if own not in (None, georapp.__version__):
        unfit.append("georapp")
        problems.append(f"georapp {own} is installed there, and this is {georapp.__version__}: both must be the same.")
    return TrainingPython(
        path=path,
        version=printable(str(said["python"])),
        versions=versions,
        gpus=tuple(_gpu(one) for one in said["gpus"]),
        cores=int(said["cores"]),
        memory_gib=_number(said["memory_gib"]),
        problems=tuple(problems),
        unfit=tuple(dict.fromkeys(unfit)),
        needed={str(name): str(wanted) for name, wanted in said["needed"].items()},
        cuda=printable(str(said["cuda"] or "")),
        environment=said["environment"] is True,
        pip=said["pip"] is True,
    )


def _gpu(said: Mapping[str, Any]) -> Gpu:
    name, capability = printable(str(said["name"])), printable(str(said["capability"]))
    return Gpu(name, _number(said["memory_gib"]), _number(said["free_gib"]), said["bf16"] is True, capability)


def _number(said: Any) -> float:
    number = float(said)
    if not math.isfinite(number):
        raise ValueError("no number")
    return number


# ---- words ----


def words(python: TrainingPython) -> list[tuple[str, bool]]:
    """What it can do, and what to install for the rest: sentences, and whether each is good news."""
    found = [(f"Python {python.version} in {printable(str(python.path))}", "python" not in python.unfit)]
    found += [(problem, False) for problem in python.problems]
    if python.missing:
        found += _lacks(python)
    else:
        tools = ", ".join(
            f"{name} {python.versions[name]}" for name in ("torch", "transformers", "trl", "peft") if python.has(name)
        )
        found.append((f"It can train: {tools}.", True))
    return found + _cards(python) + _extras(python)


def installation(python: TrainingPython) -> list[str]:
    """Commands to type, in their order, after which there is a Python that can train; none when nothing is missing, or none would help."""
    if python.can_train or "python" in python.unfit:
        return []
    if python.environment:
        before, path, wanted = ([] if python.pip else [[str(python.path), "-m", "ensurepip"]]), python.path, python.missing
    else:
        folder = made_for_training()
        before, path, wanted = [[str(python.path), "-m", "venv", str(folder)]], python_of(folder), tuple(python.needed)
    return [shlex.join(command) for command in (*before, *_pip(path, python, wanted))]


def _pip(path: Path, python: TrainingPython, wanted: Sequence[str]) -> list[list[str]]:
    """torch is installed first and alone, or pip chooses another build of it."""
    exact = {name: f"{name}{python.needed[name]}" for name in wanted if name in python.needed}
    rest = [text for name, text in exact.items() if name != "torch"]
    root = source_root()
    if root and len(rest) > _MANY and (root / "pyproject.toml").is_file():
        rest = [f"{root}[train]"]
    if root is None and ("georapp" in wanted or not python.environment):
        rest.append(f"georapp=={georapp.__version__}")
    parts = ([exact["torch"]] if "torch" in exact else [], rest)
    return [[str(path), "-m", "pip", "install", *part] for part in parts if part]


def _lacks(python: TrainingPython) -> list[tuple[str, bool]]:
    absent = [name for name in python.missing if name not in python.unfit]
    more = f" and {len(absent) - _SHOWN} more" if len(absent) > _SHOWN else ""
    verb = "is" if len(absent) == 1 else "are"
    found = [(f"It cannot train: {', '.join(absent[:_SHOWN])}{more} {verb} not installed.", False)] if absent else []
    return found + [(f"To be typed in a terminal: {printable(command)}", False) for command in installation(python)]


def _cards(python: TrainingPython) -> list[tuple[str, bool]]:
    if not python.has("torch"):
        return []
    if not python.gpus:
        return [
            (f"No graphics card can be used: it trains on the processor ({python.cores} cores), which is for trying out.", False)
        ]
    return [sentence for gpu in python.gpus for sentence in _card(gpu)]


def _card(gpu: Gpu) -> list[tuple[str, bool]]:
    found = [(f"{gpu.name}: {gpu.free_gib:.1f} of {gpu.memory_gib:.1f} GiB are free.", gpu.free_gib > 0.5 * gpu.memory_gib)]
    if gpu.bf16:
        return [*found, (f"{gpu.name} computes in bf16.", True)]
    return [*found, (f"{gpu.name} does not compute in bf16 by itself: it imitates it, slowly.", False)]


def _extras(python: TrainingPython) -> list[tuple[str, bool]]:
    """What helps and need not be there; only where there is a card that could use it."""
    if not python.gpus:
        return []
    found = []
    for name, good, without in _EXTRAS:
        if python.has(name):
            found.append((f"{name} {python.versions[name]}: {good}", True))
        elif without:
            found.append((f"{name} {without} To have it: {_one(python, name)}", name != "bitsandbytes"))
    return found


def _one(python: TrainingPython, name: str) -> str:
    return printable(shlex.join([str(python.path), "-m", "pip", "install", name]))


_EXTRAS = (
    ("bitsandbytes", "models in 4 bits (qlora) can be trained.", "is not there: models in 4 bits (qlora) cannot be trained."),
    ("vllm", "answers can be sampled faster (grpo.vllm).", "is not there, and need not be: it samples answers faster."),
    ("deepspeed", "a model can be spread over several cards.", ""),
)
