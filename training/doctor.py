"""What this Python can train with: python -m training.doctor [SECONDS]

One JSON object on standard output: python, versions (null where a package is not installed), unfit (packages that are installed and
cannot be used), gpus, cores, memory_gib, problems (sentences). It needs nothing but the standard library of Python 3.8 or newer, and is
therefore also run by its path, in a Python that has neither this program nor torch. torch and what stands on it are imported in another
process, because a broken installation may crash or hang; what is not imported after SECONDS is given up.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:  # run by its path: Python would take training/gguf.py for the package gguf
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

import contextlib
import importlib.util
import json
import os
import platform
import re
import subprocess
from importlib import metadata
from typing import Any

USAGE = "usage: python -m training.doctor [SECONDS]"
FORMAT = 1
PATIENCE_S = 15.0
PYTHON = (3, 11)
NEEDED = {  # as in pyproject.toml, of what a run imports
    "torch": "==2.13.0",
    "transformers": ">=5.18,<5.24",
    "trl": "==1.16.0",
    "peft": "==0.21.2",
    "accelerate": ">=1.15,<2",
    "datasets": ">=5.2,<6",
    "gguf": ">=0.19",
    "safetensors": ">=0.6",
    "numpy": ">=2",
    "pillow": ">=12",
    "pillow-heif": ">=1.1",
    "defusedxml": ">=0.7.1",
    "jinja2": ">=3.1",
    "rich": ">=13",
    "rapidfuzz": ">=3",
    "scipy": ">=1.11",
    "shapely": ">=2.1",
    "filelock": ">=3.15",
    "reverse_geocoder": "==1.5.1",
    "llama-cpp-python": "==0.3.36",
}
OPTIONAL = ("bitsandbytes", "vllm", "deepspeed")
LENIENT = ("torch",)  # others than the one that was tried work too, as a rule
_HEAVY = ("transformers", "peft", "trl", "datasets", "bitsandbytes")  # imported to see whether they fit each other
_QUIET = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false", "TRANSFORMERS_VERBOSITY": "error", "OMP_NUM_THREADS": "1"}
_CHILD = "doctor_imports.py"
_CARDS = ("/dev/nvidia0", "/proc/driver/nvidia/version", "/dev/dxg")  # what a driver by NVIDIA leaves; the last in WSL


def main(arguments: list[str]) -> int:
    """The exit code."""
    if len(arguments) > 1 or not all(re.fullmatch(r"\d+(\.\d+)?", text) for text in arguments):
        print(USAGE, file=sys.stderr)
        return 2
    print(json.dumps(look(float(arguments[0]) if arguments else PATIENCE_S)), flush=True)
    return 0


def look(patience_s: float = PATIENCE_S) -> dict[str, Any]:
    """The object that is printed."""
    versions = {name: version(name) for name in (*NEEDED, *OPTIONAL)}
    unfit, problems = _wrong_versions(versions)
    if sys.version_info < PYTHON:
        unfit.append("python")
        problems.append("Python {} is too old: {}.{} or newer is needed.".format(platform.python_version(), *PYTHON))
    found: dict[str, Any] = {"gpus": []}
    if versions["torch"]:
        tried = _imported([name for name in _HEAVY if versions[name] and name not in unfit], patience_s)
        found.update(tried.get("torch", {}))
        unfit += tried["broken"]
        problems += tried["problems"]
        problems += _unseen_card(found) if "torch" in tried else []
    elif _has_card():
        problems.append("This machine has a graphics card by NVIDIA, and torch is not installed, which would use it.")
    return {
        "doctor": FORMAT,
        "python": platform.python_version(),
        "environment": sys.prefix != sys.base_prefix or Path(sys.prefix, "conda-meta").is_dir(),
        "pip": importlib.util.find_spec("pip") is not None,
        "versions": versions,
        "needed": NEEDED,
        "georapp": _own_version(),
        "unfit": unfit,
        "gpus": found["gpus"],
        "cuda": found.get("cuda"),
        "cores": cores(),
        "memory_gib": memory_gib(),
        "problems": problems,
    }


# ---- versions ----


def version(name: str) -> str | None:
    """Of an installed package; nothing is imported."""
    try:
        return str(metadata.version(name))
    except Exception:  # noqa: BLE001 - also for what is half removed
        return None


def fits(installed: str, wanted: str) -> bool:
    """Whether "5.23.0" is in ">=5.18,<5.24". Local parts like "+cu128" and pre-releases do not count."""
    have = _numbers(installed)
    for bound in wanted.split(","):
        sign, text = re.match(r"(==|>=|<)(.*)", bound).groups()  # type: ignore[union-attr]
        limit = _numbers(text)
        size = max(len(have), len(limit))
        a, b = (part + (0,) * (size - len(part)) for part in (have, limit))
        if not {"==": a == b, ">=": a >= b, "<": a < b}[sign]:
            return False
    return True


def _numbers(text: str) -> tuple[int, ...]:
    found = re.match(r"\d+(\.\d+)*", text)
    return tuple(int(part) for part in found.group().split(".")) if found else ()


def _wrong_versions(versions: dict[str, str | None]) -> tuple[list[str], list[str]]:
    """Packages that cannot be used, and sentences about them and about those that were not tried."""
    unfit, problems = [], []
    for name, wanted in NEEDED.items():
        installed = versions[name]
        if not installed or fits(installed, wanted):
            continue
        if name in LENIENT:
            problems.append(f"{name} {installed} is installed; {wanted.lstrip('=')} was tried with this program. It may work.")
        else:
            unfit.append(name)
            problems.append(f"{name} {installed} is installed; {wanted.replace('==', '')} is needed.")
    return unfit, problems


def _own_version() -> str | None:
    """Of this program, where that Python finds it."""
    try:
        return str(importlib.import_module("georapp").__version__)
    except Exception:  # noqa: BLE001 - not installed, or for another Python
        return None


# ---- what happens when it is imported ----


def _imported(names: list[str], patience_s: float) -> dict[str, Any]:
    """What the other process said: `torch` (its cards), `broken` (names), `problems` (sentences)."""
    command = [sys.executable, str(Path(__file__).resolve().with_name(_CHILD)), *names]
    pipe, late = subprocess.PIPE, False
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=pipe, stderr=pipe, env={**_QUIET, **os.environ})
    try:
        out, complaints = process.communicate(timeout=patience_s)
    except subprocess.TimeoutExpired:
        process.kill()
        out, complaints = process.communicate()
        late = True
    found: dict[str, Any] = {"broken": [], "problems": []}
    trying = "torch"
    for said in _objects(out):
        trying = said.get("trying", trying)
        found.update({key: said[key] for key in ("torch",) if key in said})
        if "broken" in said:
            found["broken"].append(said["broken"])
            found["problems"].append(f"{said['broken']} is installed and cannot be imported: {said['why']}")
    if late or process.returncode:
        why = (
            f"takes more than {patience_s:.0f} seconds to import; the second time may be faster"
            if late
            else "crashes when it is imported"
        )
        found["problems"].append(f"{trying} {why}{_last_words(complaints)}.")
        if trying == "torch" or not late:
            found["broken"].append(trying)
    return found


def _objects(out: bytes) -> list[dict[str, Any]]:
    found = []
    for line in out.splitlines():
        with contextlib.suppress(ValueError):
            found.append(json.loads(line))
    return [said for said in found if isinstance(said, dict)]


def _last_words(complaints: bytes) -> str:
    lines = [line.strip() for line in complaints.decode("utf-8", "replace").splitlines() if line.strip()]
    return f" ({lines[-1][:200]})" if lines else ""


# ---- graphics cards ----


def _unseen_card(found: dict[str, Any]) -> list[str]:
    """Why torch does not use a card that this machine has."""
    if found["gpus"] or not _has_card():
        return []
    if not found.get("cuda"):
        return [
            "This machine has a graphics card by NVIDIA, but this torch was built without CUDA. Install one that was built with it."
        ]
    return [
        " ".join(
            ["torch does not see the graphics card of this machine: its driver may be too old.", found.get("said", "")]
        ).strip()
    ]


def _has_card() -> bool:
    return any(Path(path).exists() for path in _CARDS)


# ---- the machine ----


def cores() -> int:
    """That this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not Linux
        return os.cpu_count() or 1


def memory_gib() -> float:
    """Of the machine, or of the container; 0 where nobody says it."""
    try:
        amounts = [os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")]
    except (AttributeError, ValueError, OSError):
        return 0.0
    try:
        amounts.append(int(Path("/sys/fs/cgroup/memory.max").read_text("ascii")))
    except (OSError, ValueError):  # no container, or "max"
        pass
    return round(min(amounts) / 2**30, 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
