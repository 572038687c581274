"""`georapp doctor`: what it says of this program, and of a Python that should train."""

from __future__ import annotations

import argparse
import json
import os
from pathlib import Path
from typing import Any

import pytest

from georapp import gazetteer, paths
from georapp.commands import doctor
from georapp.errors import GazetteerError, ModelError
from tests.unit.stand_ins import GOOD, says, script


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Libraries are imported in processes of their own, which takes seconds."""
    monkeypatch.setattr(doctor, "_LLAMA", 'print(\'{"version": "0.3", "gpu": false}\')')
    monkeypatch.setattr(doctor, "_WINDOW", 'print(\'{"version": "6.11"}\')')


def said(capsys: pytest.CaptureFixture[str], python: Path | None = None) -> tuple[int, dict[str, Any]]:
    code = doctor.run(argparse.Namespace(python=python and str(python), format="json"))
    return code, json.loads(capsys.readouterr().out)


def bad(report: dict[str, Any]) -> list[str]:
    return [finding["sentence"] for finding in report["program"] if not finding["good"]]


def test_all_is_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = said(capsys, says(tmp_path / "python", GOOD))
    assert (code, bad(report)) == (0, [])
    sentences = " ".join(finding["sentence"] for finding in report["program"])
    for part in ("llama.cpp works", "comes with the program is whole", "places of the world", "JPEG", "PySide6 6.11", "kept in"):
        assert part in sentences
    assert report["training"]["can_train"] is True
    assert report["training"]["install"] == []


def test_in_words(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = argparse.Namespace(python=str(says(tmp_path / "python", GOOD)), format="text")
    assert doctor.run(options) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "This program"
    assert "Training own models" in lines
    assert "  ✓ It can train: torch 2.13.0+cu128, transformers 5.23.0, trl 1.16.0, peft 0.21.2." in lines
    assert any(line.startswith("  ✗ bitsandbytes is not there") for line in lines)


def test_a_python_that_cannot_train_is_a_failure_only_when_it_was_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    unable = says(tmp_path / "python", GOOD | {"versions": GOOD["versions"] | {"trl": None}})
    code, report = said(capsys, unable)
    assert (code, bad(report)) == (1, [])
    assert report["training"]["missing"] == ["trl"]
    assert report["training"]["install"] == [f"{unable} -m pip install trl==1.16.0"]
    monkeypatch.setattr(doctor.training_python, "find", lambda: doctor.training_python.ask(unable))
    assert said(capsys)[0] == 0


def test_a_python_that_does_not_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, report = said(capsys, script(tmp_path / "python", "exit 3"))
    assert code == 1
    assert "status 3" in report["training"]["sentences"][0]["sentence"]
    assert "can_train" not in report["training"]


@pytest.mark.parametrize(
    ("code", "words"),
    [
        ("import os; os.kill(os.getpid(), 4)", "it crashed (SIGILL)"),
        ("raise ImportError('libEGL.so.1: cannot open shared object file')", "sudo apt install libegl1"),
        ("pass", "it said nothing"),
        ("import a_module_that_is_gone", "pip install --force-reinstall"),
    ],
)
def test_a_library_that_does_not_work(
    code: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor, "_WINDOW", code)
    exit_code, report = said(capsys, says(tmp_path / "python", GOOD))
    assert exit_code == 1
    assert [words in sentence for sentence in bad(report)] == [True]


def test_damaged_models(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    broken = paths.user_models() / "mine"
    broken.mkdir(parents=True)
    (broken / "model.json").write_text("{")
    code, report = said(capsys, says(tmp_path / "python", GOOD))
    assert code == 1
    assert ["The model mine cannot be used" in sentence for sentence in bad(report)] == [True]

    def none() -> None:
        raise ModelError("There is no model.", hint="Import one.")

    monkeypatch.setattr(doctor.models, "find", none)
    (broken / "model.json").unlink()
    assert bad(said(capsys, says(tmp_path / "python", GOOD))[1]) == ["There is no model. Import one."]


def test_place_data_is_missing_or_damaged(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing() -> None:
        raise GazetteerError("The place data is missing.", hint="Install georapp again.")

    monkeypatch.setattr(gazetteer, "load", missing)
    assert bad(said(capsys, says(tmp_path / "python", GOOD))[1]) == ["The place data is missing. Install georapp again."]


def test_a_home_that_is_closed(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)
    assert "cannot be written to" in bad(said(capsys, says(tmp_path / "python", GOOD))[1])[0]
