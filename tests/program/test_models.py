"""`georapp models` and models that cannot be used, from the command line; the embedded model's own promises."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from georapp import models
from tests.program.conftest import CHINA, Run

EMBEDDED = models.find()


def copied(folder: Path) -> Path:
    shutil.copytree(EMBEDDED.folder, folder)
    return folder


def cut(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[: len(data) // 2])


def test_the_embedded_model_is_listed_and_sound(georapp: Run) -> None:
    listed, checked = georapp("models", "list"), georapp("models", "check")
    assert (listed.code, checked.code) == (0, 0)
    assert "georapp-mini (default)" in listed.out
    assert "✗" not in checked.out
    assert checked.out.count("✓") >= 3


def test_the_embedded_model_is_small_and_says_what_it_is() -> None:
    assert sum(file.stat().st_size for file in EMBEDDED.folder.iterdir()) <= 28_000_000
    card = (EMBEDDED.folder / "README.md").read_text().casefold()
    for words in ("known places", "new places", "random", "What it cannot do", "Qwen", "models import", "Apache-2.0"):
        assert words.casefold() in card
    assert EMBEDDED.made_by["command"].startswith("python -m training.mini")


@pytest.mark.parametrize("name", ["text.gguf", "tower.onnx"])
def test_a_file_cut_in_half(name: str, georapp: Run, tmp_path: Path) -> None:
    folder = copied(tmp_path / "broken")
    cut(folder / name)
    ran = georapp("locate", "--model", folder, CHINA)
    assert ran.code == 3
    assert len(ran.sentences) == 1
    assert name in ran.sentences[0]
    checked = georapp("models", "check", folder)
    assert checked.code == 1
    assert "✗" in checked.out


def test_files_that_do_not_belong_together(georapp: Run, tmp_path: Path) -> None:
    folder = copied(tmp_path / "mixed")
    tower = folder / "tower.onnx"
    data = tower.read_bytes()
    key = data.rindex(b"georapp.pair") + len(b"georapp.pair")
    tower.write_bytes(data[: key + 2] + b"0" * 32 + data[key + 34 :])
    ran = georapp("locate", "--model", folder, CHINA)
    assert ran.code == 3
    assert "belong together" in ran.complaints or "pair" in ran.complaints


def test_a_text_model_alone_cannot_see(georapp: Run, tmp_path: Path) -> None:
    text = EMBEDDED.folder / "text.gguf"
    ran = georapp("models", "import", text, text)
    assert ran.code == 3
    assert len(ran.sentences) == 1
    folder = copied(tmp_path / "blind")
    manifest = json.loads((folder / "model.json").read_text())
    del manifest["image"]
    (folder / "model.json").write_text(json.dumps(manifest))
    blind = georapp("locate", "--model", folder, CHINA)
    assert blind.code == 3
    assert len(blind.sentences) == 1


def test_an_unknown_model(georapp: Run) -> None:
    ran = georapp("locate", "--model", "no-such", CHINA)
    assert ran.code == 3
    assert "georapp-mini" in ran.complaints


def test_a_model_that_answers_nonsense(georapp: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")
    from training import tiny
    from training.export import write_mmproj, write_text

    tiny.build("smolvlm", tmp_path / "hf", spread=0.12)
    write_text(tmp_path / "hf", tmp_path / "nonsense.gguf", pair="p")
    write_mmproj(tmp_path / "hf", tmp_path / "mmproj.gguf", pair="p")
    imported = georapp("models", "import", tmp_path / "nonsense.gguf", tmp_path / "mmproj.gguf", "--name", "nonsense")
    assert imported.code == 0, imported.complaints
    ran = georapp("locate", "--model", "nonsense", "--samples", "3", "--format", "text", CHINA)
    assert ran.code == 0, ran.complaints
    assert "not localisable" in ran.out
    assert "3 of 3 samples could not be read" in ran.out
    assert "0.00000, 0.00000" not in ran.out
    again = georapp("locate", "--model", "nonsense", "--samples", "3", CHINA)
    assert again.lines[0]["result"]["prediction"]["best"] is None
