"""Model folders: written, read, checked; everything that may be wrong with them has a sentence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from georapp import models, paths
from georapp.chain import Level
from georapp.errors import ModelError
from georapp.model_import import ImportRequest, adopt, import_model
from georapp.models import Model, ModelFile
from georapp.prompt import Decode
from tests.unit.test_gguf_head import IMAGE_KEYS, IMAGE_TENSORS, KEYS, STRING, TENSORS, changed, gguf


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    text, image = tmp_path / "Some Model-Q8_0.gguf", tmp_path / "mmproj-F16.gguf"
    text.write_bytes(gguf(KEYS, TENSORS))
    image.write_bytes(gguf(IMAGE_KEYS, IMAGE_TENSORS))
    return text, image


def test_a_manifest_survives_its_text(tmp_path: Path) -> None:
    model = Model(
        tmp_path,
        "mini",
        ModelFile("a.gguf", "ab", 10),
        image=ModelFile("tower.onnx", "cd", 20),
        title="Mini",
        profile="mini",
        decode=Decode.COORDINATES,
        samples=4,
        temperature=0.8,
        begin=True,
        needed={**models.DEFAULT_NEEDED, Level.CITY: 0.75},
        made_by={"seed": 3},
    )
    (tmp_path / models.MANIFEST).write_text(models.manifest(model), "utf-8")
    assert models.read(tmp_path) == model
    assert len(models.read(tmp_path).sha256) == 64


def manifest(tmp_path: Path, **changes: Any) -> Path:
    data: dict[str, Any] = {"format": 1, "name": "m", "text": {"file": "a.gguf", "sha256": "ab", "bytes": 1}}
    data |= changes
    (tmp_path / models.MANIFEST).write_text(json.dumps({key: value for key, value in data.items() if value is not None}))
    return tmp_path


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"format": 99}, "newer georapp"),
        ({"name": None}, "damaged"),
        ({"text": None}, "damaged"),
        ({"text": {"file": "../../etc/passwd", "sha256": "", "bytes": 1}}, "leads out of the folder"),
        ({"text": {"file": "/etc/passwd", "sha256": "", "bytes": 1}}, "leads out of the folder"),
        ({"image": {"file": "..", "sha256": "", "bytes": 1}}, "leads out of the folder"),
        ({"profile": "sing"}, "no prompt profile"),
        ({"decode": "guess"}, "damaged"),
        ({"samples": "many"}, "damaged"),
        ({"needed": {"village": 1}}, "damaged"),
    ],
)
def test_damaged_manifests(changes: dict[str, Any], words: str, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=words):
        models.read(manifest(tmp_path, **changes))


@pytest.mark.parametrize("text", ["", "{", "[]", "7", "[" * 100_000])
def test_a_manifest_that_is_no_object(text: str, tmp_path: Path) -> None:
    (tmp_path / models.MANIFEST).write_text(text)
    with pytest.raises(ModelError, match="damaged"):
        models.read(tmp_path)


def test_a_folder_without_manifest(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="not a model folder"):
        models.read(tmp_path)


def test_import_copies_checks_and_names(files: tuple[Path, Path]) -> None:
    steps: list[tuple[int, int]] = []
    model = import_model(ImportRequest(*files), lambda done, total: steps.append((done, total)))
    assert model.folder == paths.user_models() / "Some-Model-Q8_0"
    assert models.find("Some-Model-Q8_0") == models.read(model.folder) == model
    assert model.family == "SmolVLM and Idefics3"
    assert model.template  # this text model has none of its own
    assert steps[-1] == (sum(file.stat().st_size for file in files),) * 2
    assert [finding.good for finding in models.check(model)] == [True] * 5


def test_import_can_link(files: tuple[Path, Path]) -> None:
    model = import_model(ImportRequest(*files, name="linked", link=True))
    assert (model.folder / files[0].name).is_symlink()
    assert all(finding.good for finding in models.check(model))


def test_a_model_is_never_overwritten(files: tuple[Path, Path]) -> None:
    import_model(ImportRequest(*files, name="a"))
    with pytest.raises(ModelError, match="already"):
        import_model(ImportRequest(*files, name="a"))


@pytest.mark.parametrize("name", ["../a", ".hidden", "a/b", "a b", "x" * 100])
def test_impossible_names(name: str, files: tuple[Path, Path]) -> None:
    with pytest.raises(ModelError, match="cannot be a model's name"):
        import_model(ImportRequest(*files, name=name))


def test_import_refuses_and_leaves_nothing_behind(files: tuple[Path, Path], tmp_path: Path) -> None:
    text, image = files
    cut, other, clip, strange = (tmp_path / name for name in ("cut.gguf", "other.gguf", "clip.gguf", "strange.gguf"))
    cut.write_bytes(text.read_bytes()[:-500])
    other.write_bytes(gguf(changed(IMAGE_KEYS, **{"georapp.pair": (STRING, "cd")}), IMAGE_TENSORS))
    clip.write_bytes(
        gguf(
            changed(IMAGE_KEYS, **{"clip.projector_type": (STRING, "mlp")}),
            {**IMAGE_TENSORS, "v.class_embd": (0, (32,), b"\0" * 128)},
        )
    )
    strange.write_bytes(gguf(changed(IMAGE_KEYS, **{"clip.projector_type": (STRING, "resampler")}), IMAGE_TENSORS))
    cases = [
        (ImportRequest(cut, image), "cut off"),
        (ImportRequest(text, other), "not made together"),
        (ImportRequest(image, text), "no text model"),
        (ImportRequest(text), "cannot see photos"),
        (ImportRequest(text, clip), "CLIP tower"),
        (ImportRequest(text, strange), "does not know"),
        (ImportRequest(text, image, profile="sing"), "no prompt profile"),
        (ImportRequest(tmp_path / "none.gguf", image), "cannot be opened"),
    ]
    for request, words in cases:
        with pytest.raises(ModelError, match=words):
            import_model(request)
    assert not paths.user_models().exists() or not list(paths.user_models().iterdir())


@pytest.fixture
def made(files: tuple[Path, Path], tmp_path: Path) -> Path:
    """What training leaves in a run."""
    model = import_model(ImportRequest(*files, name="lisbon"))
    folder = tmp_path / "run" / "model"
    folder.parent.mkdir()
    model.folder.rename(folder)
    (folder / "MODEL CARD.md").write_text("# Lisbon")
    return folder


def test_a_trained_model_becomes_one_of_the_users(made: Path) -> None:
    model = adopt(made)
    assert model.folder == paths.user_models() / "lisbon"
    assert models.find("lisbon") == model
    assert all(finding.good for finding in models.check(model) if "memory" not in finding.sentence)
    assert (model.folder / "MODEL CARD.md").read_text() == "# Lisbon"
    assert adopt(made) == model
    assert [folder.name for folder in paths.user_models().iterdir()] == ["lisbon"]


def test_another_trained_model_of_that_name_gets_a_number(made: Path) -> None:
    first = adopt(made)
    (first.folder / models.MANIFEST).write_text("{}")
    second = adopt(made)
    assert (second.name, second.folder.name) == ("lisbon-2", "lisbon-2")
    assert models.find("lisbon-2").files == models.read(made).files


def test_a_trained_model_that_was_changed_is_refused(made: Path) -> None:
    data = json.loads((made / models.MANIFEST).read_text())
    data["text"]["sha256"] = "0" * 64
    (made / models.MANIFEST).write_text(json.dumps(data))
    with pytest.raises(ModelError, match="has changed since the model was made"):
        adopt(made)
    assert list(paths.user_models().iterdir()) == []


def test_a_trained_model_is_not_copied_to_where_its_name_leads(made: Path) -> None:
    data = json.loads((made / models.MANIFEST).read_text())
    (made / models.MANIFEST).write_text(json.dumps(data | {"name": "../../x"}))
    assert adopt(made).folder == paths.user_models() / "model"


def test_check_notices_changed_and_missing_files(files: tuple[Path, Path]) -> None:
    model = import_model(ImportRequest(*files, name="a"))
    file = model.path(model.text)
    data = bytearray(file.read_bytes())
    data[-1] ^= 1
    file.write_bytes(data)
    assert any("was changed" in finding.sentence for finding in models.check(model) if not finding.good)
    file.write_bytes(bytes(data[:-1]))
    assert any("should have" in finding.sentence for finding in models.check(model) if not finding.good)
    file.unlink()
    assert any("cannot be read" in finding.sentence for finding in models.check(model) if not finding.good)


def test_check_says_when_memory_is_short(files: tuple[Path, Path]) -> None:
    model = import_model(ImportRequest(*files, name="a"))
    findings = list(models.check(replace(model, context=1 << 40)))
    head = models.check_heads(model)[0]
    assert models.memory_terms(model, head)["weights"] == model.text.bytes
    assert findings  # the context is limited by what the model was trained with, when its head says so


def test_unknown_names_list_the_known(files: tuple[Path, Path]) -> None:
    import_model(ImportRequest(*files, name="a"))
    with pytest.raises(ModelError, match="no model 'b'") as caught:
        models.find("b")
    assert "a" in caught.value.hint
