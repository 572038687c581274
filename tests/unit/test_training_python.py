"""Pythons that are asked what they can train with: real ones without torch, and scripts that stand for odd ones."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import georapp
from georapp import interpreters, training_process, training_python
from georapp.errors import RunError
from georapp.training_python import Gpu, TrainingPython, ask, installation, words
from tests.unit.stand_ins import GOOD, says, script


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """An environment with nothing in it, not even pip."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    return tmp_path / "bare"


def answering(path: Path, **other: Any) -> TrainingPython:
    return ask(says(path / "python", GOOD | other))


def text_of(python: TrainingPython) -> str:
    return "\n".join(sentence for sentence, _ in words(python))


# ---- asking ----


def test_a_python_without_torch(bare: Path) -> None:
    """Nothing of this program's own packages may be taken for its."""
    python = ask(bare)
    assert python.path == bare / "bin" / "python"
    assert python.version == ".".join(map(str, sys.version_info[:3]))
    assert python.versions["torch"] is python.versions["numpy"] is None
    assert "torch" in python.missing
    assert "vllm" not in python.missing
    assert not python.can_train
    assert python.cores > 0
    commands = installation(python)
    assert commands[0] == f"{python.path} -m ensurepip"
    assert commands[1] == f"{python.path} -m pip install torch==2.13.0"
    assert commands[2].endswith("[train]'")
    assert "It cannot train: torch, transformers, trl, peft and" in text_of(python)
    assert all(command in text_of(python) for command in commands)


def test_one_that_can_train(tmp_path: Path) -> None:
    python = answering(tmp_path)
    assert python.can_train
    assert python.missing == ()
    assert installation(python) == []
    assert python.gpus == (Gpu("Card 4000", 15.7, 15.1, True, "8.9"),)
    assert (python.cuda, python.cores, python.memory_gib) == ("12.8", 16, 62.7)
    assert [good for _, good in words(python)] == [True, True, True, True, False, True]
    assert "It can train: torch 2.13.0+cu128, transformers 5.23.0, trl 1.16.0, peft 0.21.2." in text_of(python)
    assert "Card 4000: 15.1 of 15.7 GiB are free." in text_of(python)
    assert "models in 4 bits (qlora) cannot be trained" in text_of(python)
    assert "pip install vllm" in text_of(python)


def test_cards_that_are_old_or_in_use(tmp_path: Path) -> None:
    python = answering(tmp_path, gpus=[GOOD["gpus"][0] | {"free_gib": 2, "bf16": False}])
    said = dict(words(python))
    assert said["Card 4000: 2.0 of 15.7 GiB are free."] is False
    assert said["Card 4000 does not compute in bf16 by itself: it imitates it, slowly."] is False


def test_extras_are_said_when_they_are_there(tmp_path: Path) -> None:
    python = answering(tmp_path, versions=GOOD["versions"] | {"bitsandbytes": "0.49", "vllm": "0.30", "deepspeed": "0.18"})
    assert python.has("vllm")
    assert dict(words(python))["bitsandbytes 0.49: models in 4 bits (qlora) can be trained."]
    assert "deepspeed 0.18: a model can be spread over several cards." in text_of(python)


def test_broken_extras_do_not_hinder(tmp_path: Path) -> None:
    versions = GOOD["versions"] | {"bitsandbytes": "0.49"}
    python = answering(tmp_path, versions=versions, unfit=["bitsandbytes"], problems=["bitsandbytes cannot be imported."])
    assert python.can_train
    assert not python.has("bitsandbytes")
    assert ("bitsandbytes cannot be imported.", False) in words(python)


def test_the_processor_alone(tmp_path: Path) -> None:
    python = answering(tmp_path, gpus=[], cuda=None)
    assert python.can_train
    assert words(python)[-1] == (
        "No graphics card can be used: it trains on the processor (16 cores), which is for trying out.",
        False,
    )


def test_a_wrong_version_is_replaced(tmp_path: Path) -> None:
    versions = GOOD["versions"] | {"trl": "0.9", "peft": None}
    python = answering(tmp_path, versions=versions, unfit=["trl"], problems=["trl 0.9 is installed; 1.16.0 is needed."])
    assert python.missing == ("peft", "trl")
    assert installation(python) == [f"{python.path} -m pip install peft==0.21.2 trl==1.16.0"]
    assert "It cannot train: peft is not installed." in text_of(python)


def test_nothing_is_installed_into_the_systems_own(tmp_path: Path) -> None:
    python = answering(tmp_path, environment=False, versions=GOOD["versions"] | {"trl": None})
    made = interpreters.made_for_training()
    first, torch, rest = installation(python)
    assert first == f"{python.path} -m venv {made}"
    assert torch == f"{made / 'bin' / 'python'} -m pip install torch==2.13.0"
    assert "trl==1.16.0" in rest


def test_a_python_that_is_too_old(tmp_path: Path) -> None:
    python = answering(tmp_path, python="3.8.10", unfit=["python"], problems=["Python 3.8.10 is too old."])
    assert not python.can_train
    assert installation(python) == []
    assert not words(python)[0][1]


def test_another_version_of_this_program(tmp_path: Path) -> None:
    python = answering(tmp_path, georapp="0.0.1")
    assert python.missing == ("georapp",)
    assert "georapp 0.0.1 is installed there" in text_of(python)


def test_this_program_is_missing_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As installed from a wheel, its own folder cannot be lent: there are packages of another Python in it."""
    monkeypatch.setattr(training_python, "source_root", lambda: None)
    python = answering(tmp_path, georapp=None)
    assert installation(python) == [f"{python.path} -m pip install georapp=={georapp.__version__}"]


def test_text_from_there_is_made_safe(tmp_path: Path) -> None:
    python = answering(tmp_path, gpus=[GOOD["gpus"][0] | {"name": "Card\x1b[31m"}], problems=["a\nb"])
    assert "\x1b" not in text_of(python)
    assert ("a\N{REPLACEMENT CHARACTER}b", False) in words(python)


@pytest.mark.parametrize(
    ("lines", "sentence"),
    [
        (["exit 0"], "does not answer as a Python does"),
        (["echo '[1]'; echo nonsense; printf '\\377\\n'"], "does not answer as a Python does"),
        (["""echo '{"doctor": 1}'"""], "does not answer as a Python does"),
        (
            ["echo no such option >&2; exit 2"],
            "it ended with status 2 .no such option.",
        ),
        (["kill -SEGV $$"], "it crashed .SIGSEGV."),
        (["kill -KILL $$"], "it was killed"),
    ],
)
def test_what_is_no_python(lines: list[str], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=sentence) as error:
        ask(script(tmp_path / "python", *lines))
    assert str(tmp_path) in str(error.value)
    assert error.value.hint


def test_values_that_are_none(tmp_path: Path) -> None:
    for other in ({"memory_gib": float("nan")}, {"gpus": [1]}, {"versions": []}, {"cores": "many"}):
        with pytest.raises(RunError, match="does not answer"):
            answering(tmp_path, **other)


@pytest.mark.parametrize(
    "lines", [["exec sleep 600"], ["sleep 600 & sleep 600"], ["sleep 600 &"], ["trap '' TERM; while :; do echo x; done"]]
)
def test_one_that_hangs_is_ended_with_all_that_it_started(lines: list[str], tmp_path: Path) -> None:
    with pytest.raises(RunError, match="had not ended after 1 seconds"):
        ask(script(tmp_path / "python", *lines), patience_s=1)


def test_what_is_not_there_or_cannot_be_run(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is not there"):
        ask(tmp_path / "gone")
    with pytest.raises(RunError, match="is not there"):
        ask(tmp_path)
    (tmp_path / "text").write_text("no program")
    with pytest.raises(RunError, match="cannot be started: permission denied"):
        ask(tmp_path / "text")
    (tmp_path / "text").chmod(0o755)
    with pytest.raises(RunError, match="cannot be started"):
        ask(tmp_path / "text")


# ---- processes ----


def test_the_source_code_is_lent_and_installed_packages_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    root = Path(georapp.__file__).parents[1]
    monkeypatch.setenv("PYTHONPATH", "/elsewhere")
    assert training_process.environment()["PYTHONPATH"] == f"{root}:/elsewhere"
    monkeypatch.setattr(training_process, "__file__", "/usr/lib/python3/site-packages/georapp/training_process.py")
    assert training_process.source_root() is None
    assert training_process.environment()["PYTHONPATH"] == "/elsewhere"
