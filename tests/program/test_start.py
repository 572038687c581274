"""Help, versions, errors of usage, and what is not imported at the start."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from georapp import __version__
from tests.program.conftest import Run

HEAVY = ("PySide6", "llama_cpp", "torch", "transformers", "onnxruntime", "scipy", "shapely")


@pytest.mark.parametrize("start", ["import georapp", "from georapp import cli; cli._parser().format_help()"])
def test_nothing_heavy_is_imported_at_the_start(start: str) -> None:
    code = f"{start}\nimport sys; print(sorted(set({HEAVY!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"


def test_help_lists_commands_and_exit_codes(georapp: Run) -> None:
    ran = georapp("--help")
    assert ran.code == 0
    for word in ("locate", "evaluate", "models", "bench", "130"):
        assert word in ran.out
    assert georapp("--version").out == f"georapp {__version__}\n"


@pytest.mark.parametrize(
    "arguments", [["fly"], ["locate"], ["locate", "x.jpg", "--samples", "0"], ["locate", "x.jpg", "--decode", "guess"]]
)
def test_a_command_line_that_is_not_understood(arguments: list[str], georapp: Run) -> None:
    ran = georapp(*arguments)
    assert ran.code == 2
    assert "usage:" in ran.complaints
    assert "Traceback" not in ran.complaints


def test_the_installed_wheel_works_in_another_folder(georapp: Run, tmp_path: Path) -> None:
    project = Path(__file__).parents[2]
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "-q"]
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    subprocess.run([*pip, "wheel", "--no-deps", "--no-build-isolation", "-w", wheels, project], check=True)
    subprocess.run([*pip, "install", "--no-deps", "--no-index", "--target", site, *wheels.glob("*.whl")], check=True)
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    photo = site / "georapp" / "resources" / "demo" / "china.jpg"
    ran = georapp("locate", photo, cwd=elsewhere, PYTHONPATH=str(site))
    assert ran.code == 0
    assert ran.lines[0]["status"] == "located"
    where = subprocess.run(
        [sys.executable, "-c", "import georapp; print(georapp.__file__)"],
        cwd=elsewhere,
        env={"PYTHONPATH": str(site)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(where.stdout.strip()).is_relative_to(site)
