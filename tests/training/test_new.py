"""A new run from the command line: what is asked for stands in run.toml, and nothing that is there is overwritten."""

from __future__ import annotations

from pathlib import Path

import pytest

from georapp import run_presets, run_toml
from georapp.run_presets import PRESETS
from training.new import main


@pytest.fixture
def base(tmp_path: Path) -> Path:
    folder = tmp_path / "a model"
    folder.mkdir()
    return folder


def test_a_run_is_made_and_says_how_to_start_it(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = tmp_path / "runs" / "lisbon"
    table = tmp_path / 'a "table".csv'
    wanted = ["--preset", "8", "--set", "grpo.max_steps=100", "model.method=lora", "grpo.curve=steps", "seed=7"]
    assert main([str(run), "--base", str(base), "--photos", str(tmp_path), str(table), *wanted]) == 0
    made = run_toml.read(run / "run.toml")
    assert made.name == "lisbon"
    assert (made.seed, made.grpo.max_steps, made.model.method, made.grpo.curve) == (7, 100, "lora", "steps")
    assert made.model.base == str(base)
    assert made.album.sources == (str(tmp_path), str(table))
    assert set(run_presets.differences(made, PRESETS[8].config)) == {"grpo.max_steps", "model.method", "grpo.curve"}
    assert "python -m training" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("grpo.max_steps", "sets nothing"),
        ("grpo.max_steps=many", "grpo.max_steps cannot be"),
        ("grpo.steps=3", "unknown setting"),
        ("nowhere.steps=3", "unknown setting"),
        ("version.steps=3", "no section"),
        ("grpo.generations=3", "no multiple"),
    ],
)
def test_what_is_not_possible_is_a_sentence(
    change: str, said: str, base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "run"), "--base", str(base), "--photos", str(tmp_path), "--set", change]) == 1
    assert said in capsys.readouterr().err
    assert not (tmp_path / "run").exists()


def test_a_run_that_is_there_is_left_alone(base: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [str(tmp_path / "run"), "--base", str(base), "--photos", str(tmp_path)]
    assert main(arguments) == 0
    before = (tmp_path / "run" / "run.toml").read_bytes()
    assert main([*arguments, "--set", "seed=3"]) == 1
    assert "holds a run already" in capsys.readouterr().err
    assert (tmp_path / "run" / "run.toml").read_bytes() == before
