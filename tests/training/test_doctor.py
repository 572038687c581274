"""What a Python says of itself: environments in which made-up packages lie, some of them broken in the ways that real ones are."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from training import doctor, scan

ROOT = Path(doctor.__file__).parents[1]
FAKE_TORCH = """
import warnings
class Card:
    name, total_memory, major, minor = "Card 4000", 16 * 2**30, {major}, 9
class version:
    cuda, hip = {cuda!r}, None
class cuda:
    def is_available():
        warnings.warn("the driver is too old")
        return {seen}
    def device_count(): return 1
    def get_device_properties(number): return Card
    def mem_get_info(number):
        {memory}
print("Welcome to torch!")
"""


def torch(*, seen: bool = True, cuda: str | None = "12.8", major: int = 8, memory: str = "return 12 * 2**30, 16 * 2**30") -> str:
    return FAKE_TORCH.format(seen=seen, cuda=cuda, major=major, memory=memory)


Looks = Callable[..., dict[str, Any]]


@pytest.fixture
def looks(tmp_path: Path) -> Looks:
    """What a new environment says in which these packages lie: name="2.0" with a version, or name=("2.0", "code")."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    packages = next(folder.glob("lib/python*/site-packages"))

    def look(*, seconds: int = 60, **installed: str | tuple[str, str]) -> dict[str, Any]:
        for name, what in installed.items():
            version, code = (what, "") if isinstance(what, str) else what
            (packages / f"{name}-{version}.dist-info").mkdir()
            (packages / f"{name}-{version}.dist-info" / "METADATA").write_text(f"Name: {name}\nVersion: {version}\n")
            (packages / f"{name}.py").write_text(code)
        command = [str(folder / "bin" / "python"), str(doctor.__file__), str(seconds)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, env={"PATH": "/nowhere"})
        assert done.stderr == b""
        said: dict[str, Any] = json.loads(done.stdout)  # and nothing else
        return said

    return look


def test_nothing_is_installed(looks: Looks) -> None:
    said = looks()
    assert said["python"] == ".".join(map(str, sys.version_info[:3]))
    assert set(said["versions"]) == {*doctor.NEEDED, *doctor.OPTIONAL}
    assert set(said["versions"].values()) == {None}
    assert said["georapp"] is None
    assert (said["gpus"], said["unfit"]) == ([], [])
    assert (said["environment"], said["pip"]) == (True, False)
    assert said["cores"] > 0


def test_a_card(looks: Looks) -> None:
    said = looks(torch=("2.13.0+cu128", torch()))
    assert said["versions"]["torch"] == "2.13.0+cu128"
    assert said["gpus"] == [{"name": "Card 4000", "memory_gib": 16.0, "free_gib": 12.0, "bf16": True, "capability": "8.9"}]
    assert said["cuda"] == "12.8"
    assert (said["problems"], said["unfit"]) == ([], [])


def test_an_old_card_that_others_use(looks: Looks) -> None:
    (card,) = looks(torch=("2.13.0", torch(major=7, memory="raise RuntimeError('out of memory')")))["gpus"]
    assert (card["free_gib"], card["bf16"], card["capability"]) == (0.0, False, "7.9")


def test_versions_that_do_not_fit(looks: Looks) -> None:
    said = looks(torch=("2.9.1", torch()), trl="0.9", peft="0.21.2", transformers="5.24.1")
    assert said["unfit"] == ["transformers", "trl"]
    assert said["problems"] == [
        "torch 2.9.1 is installed; 2.13.0 was tried with this program. It may work.",
        "transformers 5.24.1 is installed; >=5.18,<5.24 is needed.",
        "trl 0.9 is installed; 1.16.0 is needed.",
    ]


def test_packages_that_are_broken(looks: Looks) -> None:
    said = looks(
        torch=("2.13.0", torch()),
        peft=("0.21.2", "raise ImportError('numpy has another\\n shape')"),
        trl=("1.16.0", "raise SystemExit(3)"),
    )
    assert said["unfit"] == ["peft", "trl"]
    assert said["problems"][0] == "peft is installed and cannot be imported: ImportError: numpy has another shape"
    assert len(said["gpus"]) == 1


def test_torch_is_broken(looks: Looks) -> None:
    said = looks(torch=("2.13.0", "import libcudart_that_is_not_there"), trl="1.16.0")
    assert said["unfit"] == ["torch"]
    assert "ModuleNotFoundError: No module named 'libcudart_that_is_not_there'" in said["problems"][0]


def test_torch_crashes(looks: Looks) -> None:
    code = "import os, signal, sys; print('a last word', file=sys.stderr, flush=True); os.kill(os.getpid(), signal.SIGSEGV)"
    said = looks(torch=("2.13.0", code))
    assert said["unfit"] == ["torch"]
    assert said["problems"] == ["torch crashes when it is imported (a last word)."]


def test_torch_hangs(looks: Looks) -> None:
    said = looks(seconds=1, torch=("2.13.0", "import time; time.sleep(600)"))
    assert said["unfit"] == ["torch"]
    assert "torch takes more than 1 seconds to import" in said["problems"][0]


def test_what_is_only_slow_is_not_called_broken(looks: Looks) -> None:
    said = looks(seconds=3, torch=("2.13.0", torch()), trl=("1.16.0", "import time; time.sleep(600)"))
    assert said["unfit"] == []
    assert "trl takes more than 3 seconds to import" in said["problems"][0]
    assert len(said["gpus"]) == 1


def test_modules_beside_it_are_not_taken_for_packages(looks: Looks) -> None:
    """training/gguf.py is no gguf."""
    said = looks(gguf=("0.19.0", "mine = True"), torch=("2.13.0", "import gguf; gguf.mine\n" + torch()))
    assert (said["unfit"], said["problems"]) == ([], [])


# ---- in this process ----


@pytest.mark.parametrize(
    ("installed", "wanted", "fits"),
    [
        ("2.13.0+cu128", "==2.13.0", True),
        ("2.13.0", "==2.13.1", False),
        ("2.13", "==2.13.0", True),
        ("5.23.0", ">=5.18,<5.24", True),
        ("5.24.0rc1", ">=5.18,<5.24", False),
        ("5.9", ">=5.18", False),
        ("12", ">=2", True),
        ("unknown", ">=2", False),
    ],
)
def test_versions_are_compared_by_number(installed: str, wanted: str, fits: bool) -> None:
    assert doctor.fits(installed, wanted) is fits


def test_what_is_needed_is_what_this_program_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    asked = {*project["dependencies"], *project["optional-dependencies"]["train"]}
    assert {name + wanted for name, wanted in doctor.NEEDED.items()} <= asked


@pytest.mark.parametrize(("cuda", "words"), [(None, "built without CUDA"), ("12.8", "does not see the graphics card")])
def test_a_card_that_torch_does_not_use(cuda: str | None, words: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_has_card", lambda: True)
    found = {"gpus": [], "cuda": cuda, "said": "The driver is too old."}
    monkeypatch.setattr(doctor, "_imported", lambda names, patience_s: {"torch": found, "broken": [], "problems": []})
    monkeypatch.setattr(doctor, "version", lambda name: doctor.NEEDED.get(name, "").lstrip("=>").partition(",")[0] or None)
    assert [words in problem for problem in doctor.look()["problems"]] == [True]


def test_a_card_and_no_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "_has_card", lambda: True)
    monkeypatch.setattr(doctor, "version", lambda name: None)
    assert "torch is not installed, which would use it" in doctor.look()["problems"][0]


def test_a_python_that_is_too_old(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "PYTHON", (99, 0))
    monkeypatch.setattr(doctor, "version", lambda name: None)
    said = doctor.look()
    assert said["unfit"] == ["python"]
    assert "99.0 or newer is needed" in said["problems"][0]


def test_wrong_calls(capsys: pytest.CaptureFixture[str]) -> None:
    assert (doctor.main(["many"]), doctor.main(["1", "2"]), doctor.main(["-h"])) == (2, 2, 2)
    assert capsys.readouterr().err.startswith("usage")
    assert (scan.main([]), scan.main(["a", "b"]), scan.main(["--help"])) == (2, 2, 0)
