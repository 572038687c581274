"""Where Pythons are looked for, in which order, and which of them is taken."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from georapp import interpreters
from georapp.errors import RunError
from georapp.training_python import candidates, find
from tests.unit.stand_ins import GOOD, says, script


@pytest.fixture
def own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """No environments around, and this program as if installed."""
    for name in ("VIRTUAL_ENV", "CONDA_PREFIX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(interpreters, "source_root", lambda: None)
    path = says(tmp_path / "own" / "bin" / "python", GOOD | {"versions": GOOD["versions"] | {"trl": None}})
    monkeypatch.setattr(sys, "executable", str(path))
    return path


def test_candidates_come_once_and_in_order(own: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen, conda = script(tmp_path / "a" / "bin" / "python"), script(tmp_path / "c" / "bin" / "python")
    home = script(tmp_path / "home" / ".venv" / "bin" / "python")
    other = script(tmp_path / "home" / "miniforge3" / "envs" / "tuning" / "bin" / "python")
    made = script(interpreters.made_for_training() / "bin" / "python")
    monkeypatch.setenv("VIRTUAL_ENV", str(own.parents[1]))
    monkeypatch.setenv("CONDA_PREFIX", str(conda.parents[1]))
    assert candidates(str(chosen)) == [chosen, own, conda, made, home, other]
    assert candidates(str(chosen.parents[1])) == [chosen, own, conda, made, home, other]
    assert candidates(str(own))[0] == own
    assert candidates() == [own, conda, made, home, other]


def test_environments_are_told_apart_though_their_python_is_one(own: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name / "bin").mkdir(parents=True)
        (tmp_path / name / "bin" / "python").symlink_to(own)
    (tmp_path / "a" / "bin" / "python3").symlink_to("python")
    assert candidates(str(tmp_path / "a" / "bin" / "python3")) == [tmp_path / "a" / "bin" / "python3", own]


def test_what_was_chosen_and_is_gone_is_named_first(own: Path, tmp_path: Path) -> None:
    assert candidates(str(tmp_path / "gone")) == [tmp_path / "gone", own]


def test_the_first_that_can_train_is_found(own: Path, tmp_path: Path) -> None:
    able = says(tmp_path / "home" / ".venv" / "bin" / "python", GOOD)
    assert find().path == able
    assert find(str(tmp_path / "gone")).path == able
    assert find(str(script(tmp_path / "broken", "exit 1"))).path == able


def test_else_the_one_that_lacks_least(own: Path, tmp_path: Path) -> None:
    says(tmp_path / "home" / ".venv" / "bin" / "python", GOOD | {"versions": GOOD["versions"] | {"trl": None, "peft": None}})
    assert find().path == own


def test_none_answers(own: Path, tmp_path: Path) -> None:
    script(own, "exit 3")
    with pytest.raises(RunError, match="status 3"):
        find()
    with pytest.raises(RunError, match="gone is not there"):
        find(str(tmp_path / "gone"))
