"""Title and note of a run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from georapp import run_notes
from georapp.errors import RunError
from georapp.run_notes import Notes


def test_there_are_none(tmp_path: Path) -> None:
    assert run_notes.read(tmp_path) == Notes()
    assert run_notes.read(tmp_path / "gone") == Notes()


def test_written_and_read(tmp_path: Path) -> None:
    (tmp_path / "run.toml").write_text("seed = 1\n")
    run_notes.write(tmp_path, Notes("  A title\n of two lines ", "東京\n\nsecond line  "))
    assert run_notes.read(tmp_path) == Notes("A title of two lines", "東京\n\nsecond line")
    assert (tmp_path / "run.toml").read_text() == "seed = 1\n"
    assert sorted(file.name for file in tmp_path.iterdir()) == ["notes.json", "run.toml"]


@given(title=st.text(), note=st.text())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_text(tmp_path: Path, title: str, note: str) -> None:
    run_notes.write(tmp_path, Notes(title, note))
    once = run_notes.read(tmp_path)
    run_notes.write(tmp_path, once)
    assert run_notes.read(tmp_path) == once
    assert once.title == " ".join(title.split())[:200]


def test_too_long(tmp_path: Path) -> None:
    run_notes.write(tmp_path, Notes("x" * 1000, "y" * 100_000))
    assert [len(text) for text in (run_notes.read(tmp_path).title, run_notes.read(tmp_path).note)] == [200, 20_000]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"title": 3}', '{"title": null}', "[" * 5000, '"' + "x" * 2_000_000 + '"'])
def test_a_damaged_file_is_none(tmp_path: Path, text: str) -> None:
    (tmp_path / run_notes.FILE).write_text(text)
    assert run_notes.read(tmp_path) == Notes()


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be kept"):
        run_notes.write(tmp_path / "gone", Notes("a"))


@pytest.mark.skipif(os.name == "nt", reason="a name that is a folder")
def test_nothing_is_left_when_it_fails(tmp_path: Path) -> None:
    (tmp_path / run_notes.FILE).mkdir()
    with pytest.raises(RunError):
        run_notes.write(tmp_path, Notes("a"))
    assert [file.name for file in tmp_path.iterdir()] == [run_notes.FILE]
