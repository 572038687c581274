"""Folders of models to train: what is read out of heads and settings, and what is refused, in which words."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from georapp import base_licence, base_model, safetensors_head
from georapp.base_files import FAMILIES, INDEX, WEIGHTS
from georapp.base_sight import sight_of
from georapp.errors import RunError
from tests.unit.base_folders import PUBLISHED, qwen3_vl, text_shapes, write_folder, write_weights

SMALL = {"layers": 2, "hidden": 128, "inner": 256, "heads": 2}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return qwen3_vl(tmp_path / "Qwen-like", **SMALL)


def refused(folder: Path) -> RunError:
    with pytest.raises(RunError) as caught:
        base_model.read(folder)
    assert caught.value.hint, "an error without advice"
    return caught.value


# ---- what is read ----


@pytest.mark.parametrize(
    ("name", "billions", "lora_millions", "kv_kib"),
    [
        ("Qwen3-VL-2B", 2.13, 35, 112),
        ("Qwen2.5-VL-3B", 3.75, 60, 36),
        ("Qwen3-VL-4B", 4.44, 66, 144),
        ("Qwen2.5-VL-7B", 8.29, 81, 56),
        ("Qwen3-VL-8B", 8.77, 87, 144),
    ],
)
def test_published_models(tmp_path: Path, name: str, billions: float, lora_millions: float, kv_kib: float) -> None:
    base = base_model.read(PUBLISHED[name](tmp_path / name))
    assert base.name == name
    assert base.precision == "bf16"
    assert base.licence == "apache-2.0"
    assert base.no_export == ""
    assert base.parameters / 1e9 == pytest.approx(billions, abs=0.01)
    assert base.bytes == pytest.approx(2 * base.parameters, rel=0.001)
    assert base.lora_parameters(32) / 1e6 == pytest.approx(lora_millions, abs=0.6)
    assert 2 * base.layers * base.kv_heads * base.head_size * 2 / 1024 == kv_kib
    assert base.image_tokens(512 * 512) == (258 if name.startswith("Qwen3") else 336)


def test_shapes_win_over_what_the_settings_leave_out(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    config["text_config"] = {"model_type": "qwen3_vl_text"}
    (folder / "config.json").write_text(json.dumps(config))
    base = base_model.read(folder)
    assert (base.layers, base.hidden, base.intermediate, base.vocabulary) == (2, 128, 256, 151_936)
    assert base.kv_heads * base.head_size == 1024


def test_an_output_layer_that_is_the_table_of_words_counts_once(tmp_path: Path) -> None:
    shapes = text_shapes("model.language_model", layers=1, hidden=8, inner=16, q=8, kv=8, words=100, head="lm_head.weight")
    config = {"model_type": "qwen3_vl", "text_config": {}, "tie_word_embeddings": True}
    tied = base_model.read(write_folder(tmp_path / "tied", config, shapes, {"patch_size": 16}))
    untied = base_model.read(write_folder(tmp_path / "un", config | {"tie_word_embeddings": False}, shapes, {"patch_size": 16}))
    assert untied.parameters - tied.parameters == 800


def test_lora_on_the_tower_too(folder: Path) -> None:
    base = base_model.read(folder)
    assert base.lora_parameters(8, tower=True) > base.lora_parameters(8)
    assert base.lora_parameters(16) == 2 * base.lora_parameters(8)
    assert base.tower_layers == 24
    assert base.tower_hidden == 1024


def test_parts_of_weights_are_read_together(folder: Path) -> None:
    whole = base_model.read(folder)
    into_parts(folder)
    parted = base_model.read(folder)
    assert dataclasses.replace(parted, bytes=whole.bytes) == whole


def into_parts(folder: Path) -> None:
    """As published models of some size lie: two files and an index."""
    shapes = {name: weight.shape for name, weight in safetensors_head.read(folder / WEIGHTS).items()}
    names = list(shapes)
    halves = {"model-1-of-2.safetensors": names[::2], "model-2-of-2.safetensors": names[1::2]}
    for file, part in halves.items():
        write_weights(folder / file, {name: shapes[name] for name in part})
    (folder / WEIGHTS).unlink()
    index = {name: file for file, part in halves.items() for name in part}
    (folder / INDEX).write_text(json.dumps({"metadata": {}, "weight_map": index}))


def test_the_name_in_a_cache(tmp_path: Path) -> None:
    folder = qwen3_vl(tmp_path / "models--Qwen--Qwen3-VL-2B-Instruct" / "snapshots" / "0a1b2c", **SMALL)
    assert base_model.read(folder).name == "Qwen/Qwen3-VL-2B-Instruct"


def test_names_of_strangers_move_no_cursor(tmp_path: Path) -> None:
    folder = qwen3_vl(tmp_path / "a\x1b[2Jb", **SMALL)
    (folder / "README.md").write_text("---\nlicense: mit\x1b[31m\n---\n")
    base = base_model.read(folder)
    assert "\x1b" not in base.name + base.licence


# ---- photos ----


@pytest.mark.parametrize(
    ("family", "config", "processor", "pixels", "max_pixels", "tokens"),
    [
        ("qwen3_vl", {}, {}, {"patch_size": 16}, 512 * 512, 258),
        ("qwen2_vl", {}, {}, {"max_pixels": 10**7, "min_pixels": 3136}, 10**7, 1282),  # llama.cpp's limit
        ("qwen2_vl", {}, {}, {}, 784, 10),  # and its least
        (
            "smolvlm",
            {},
            {"image_seq_len": 64},
            {"size": {"longest_edge": 2048}, "max_image_size": {"longest_edge": 512}},
            1,
            1128,
        ),
        ("idefics3", {}, {"image_seq_len": 64}, {"do_image_splitting": False}, 1, 67),
        ("internvl", {"image_seq_length": 256}, {}, {"size": {"height": 448}, "max_patches": 12}, 512 * 512, 258),
        ("internvl", {"image_seq_length": 256}, {}, {"size": {"height": 448}, "max_patches": 12}, 448 * 448 * 4, 5 * 256 + 2),
        ("llava", {}, {"patch_size": 14, "vision_feature_select_strategy": "full"}, {"size": {"height": 384}}, 1, 27 * 27),
        ("llava", {"vision_config": {"patch_size": 14}}, {}, {"size": {"height": 336}}, 1, 24 * 24 - 1),
    ],
)
def test_tokens_of_a_photo(
    family: str, config: dict[str, object], processor: dict[str, object], pixels: dict[str, object], max_pixels: int, tokens: int
) -> None:
    assert sight_of(family, config, processor, pixels).tokens(max_pixels) == tokens


# ---- what is refused ----


def test_no_folder(tmp_path: Path) -> None:
    assert "is no folder" in str(refused(tmp_path / "nothing"))
    (tmp_path / "file").write_text("x")
    assert "is no folder" in str(refused(tmp_path / "file"))


@pytest.mark.parametrize("text", [None, "{", "[]", "{}", '{"model_type": ' + "[" * 100_000])
def test_no_settings(folder: Path, text: str | None) -> None:
    if text is None:
        (folder / "config.json").unlink()
    else:
        (folder / "config.json").write_text(text)
    assert "config.json is missing or cannot be read" in str(refused(folder))


@pytest.mark.parametrize(("file", "advice"), [("text.gguf", "GGUF"), ("adapter_config.json", "adapter")])
def test_folders_that_people_take_for_models(tmp_path: Path, file: str, advice: str) -> None:
    (tmp_path / file).write_text("{}")
    assert advice in refused(tmp_path).hint


def test_an_unknown_family(folder: Path) -> None:
    (folder / "config.json").write_text('{"model_type": "llama"}')
    error = refused(folder)
    assert "of the kind 'llama'" in str(error)
    assert "qwen3_vl" in error.hint


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("tokenizer.json", "tokenizer.json is not there"),
        ("preprocessor_config.json", "how photos are prepared"),
        ("chat_template.jinja", "no chat template"),
        (WEIGHTS, "has no weights"),
    ],
)
def test_a_part_is_missing(folder: Path, file: str, said: str) -> None:
    (folder / file).unlink()
    assert said in str(refused(folder))


def test_the_template_may_stand_with_the_tokenizer(folder: Path) -> None:
    (folder / "chat_template.jinja").unlink()
    (folder / "tokenizer_config.json").write_text('{"chat_template": "{{ messages }}"}')
    assert base_model.read(folder).parameters


def test_pickled_weights(folder: Path) -> None:
    (folder / WEIGHTS).rename(folder / "pytorch_model.bin")
    error = refused(folder)
    assert "can run programs" in str(error)
    assert "safetensors" in error.hint


def test_a_part_of_the_weights_is_missing(folder: Path) -> None:
    into_parts(folder)
    (folder / "model-2-of-2.safetensors").unlink()
    assert "lacks 1 of its 2 weight files, among them model-2-of-2.safetensors" in str(refused(folder))


def test_an_index_that_points_outside(folder: Path) -> None:
    into_parts(folder)
    (folder / INDEX).write_text('{"weight_map": {"a": "../../etc/passwd"}}')
    assert "no weights of this folder" in str(refused(folder))


def test_layers_are_missing(folder: Path) -> None:
    shapes = {name: weight.shape for name, weight in safetensors_head.read(folder / WEIGHTS).items() if ".layers.1." not in name}
    write_weights(folder / WEIGHTS, shapes)
    assert "lacks 7 of its weights, among them q_proj of layer 1" in str(refused(folder))


@pytest.mark.parametrize("left", [0, 4, 100, 10_000])
def test_weights_that_were_cut_off(folder: Path, left: int) -> None:
    with (folder / WEIGHTS).open("r+b") as file:
        file.truncate(left)
    assert "cut off" in str(refused(folder))


def test_weights_of_few_bits(folder: Path) -> None:
    shapes = {name: weight.shape for name, weight in safetensors_head.read(folder / WEIGHTS).items()}
    write_weights(folder / WEIGHTS, shapes, "U8")
    assert "were rounded" in str(refused(folder))


def test_odd_settings_of_the_image_processor(folder: Path) -> None:
    (folder / "preprocessor_config.json").write_text('{"patch_size": "a"}')
    assert "patch_size is missing or impossible" in str(refused(folder))


def test_what_can_be_trained_but_not_exported(tmp_path: Path) -> None:
    shapes = text_shapes("language_model.model", layers=1, hidden=8, inner=16, q=8, kv=8, words=100)
    config = {"model_type": "llava", "vision_config": {"model_type": "clip_vision_model", "patch_size": 14}}
    base = base_model.read(write_folder(tmp_path / "llava", config, shapes, {"size": {"height": 336}}))
    assert "class token" in base.no_export


# ---- damaged heads ----


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(data=st.binary(max_size=200))
def test_no_bytes_are_more_than_a_sentence(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "x.safetensors"
    for start in (b"", len(data).to_bytes(8, "little")):
        path.write_bytes(start + data)
        try:
            safetensors_head.read(path)
        except RunError as error:
            assert error.hint


_ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**70), 2**70) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(["dtype", "shape", "data_offsets", "a"]), inner),
    max_leaves=12,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=100)
@given(entries=st.dictionaries(st.text(max_size=8), _ANY, max_size=3))
def test_no_head_is_more_than_a_sentence(tmp_path: Path, entries: dict[str, object]) -> None:
    text = json.dumps(entries).encode()
    (tmp_path / "x.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    try:
        safetensors_head.read(tmp_path / "x.safetensors")
    except RunError as error:
        assert error.hint


_KEYS = st.sampled_from(
    [
        "text_config",
        "vision_config",
        "head_dim",
        "num_hidden_layers",
        "num_attention_heads",
        "tie_word_embeddings",
        "model_type",
        "quantization_config",
        "image_seq_length",
        "patch_size",
        "size",
        "merge_size",
        "height",
        "min_pixels",
        "max_pixels",
        "image_processor",
        "scale_factor",
        "image_size",
    ]
)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-10, 10**12) | st.floats() | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(_KEYS, inner, max_size=4),
    max_leaves=8,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=150)
@given(
    family=st.sampled_from(FAMILIES),
    config=st.dictionaries(_KEYS, _JSON, max_size=5),
    pixels=st.dictionaries(_KEYS, _JSON, max_size=5),
    processor=_JSON,
)
def test_no_settings_are_more_than_a_sentence(folder: Path, family: str, config: Any, pixels: Any, processor: Any) -> None:
    (folder / "config.json").write_text(json.dumps(config | {"model_type": family}))
    (folder / "preprocessor_config.json").write_text(json.dumps(pixels))
    (folder / "processor_config.json").write_text(json.dumps(processor))
    try:
        base = base_model.read(folder)
    except RunError as error:
        assert error.hint
    else:
        assert base.image_tokens(262_144) >= 0


def test_no_numbers_without_end(tmp_path: Path) -> None:
    text = b'{"a": {"dtype": "BF16", "shape": [' + b"9" * 5000 + b'], "data_offsets": [0, 2]}}'
    (tmp_path / "x.safetensors").write_bytes(len(text).to_bytes(8, "little") + text)
    with pytest.raises(RunError, match="damaged"):
        safetensors_head.read(tmp_path / "x.safetensors")


# ---- licences ----


def test_licences(tmp_path: Path) -> None:
    assert base_licence.licence_of(tmp_path) == ("", "")
    (tmp_path / "config.json").write_text('{"license": "mit"}')
    assert base_licence.licence_of(tmp_path) == ("mit", "config.json")
    (tmp_path / "LICENSE").write_text("\n  Apache License\n")
    assert base_licence.licence_of(tmp_path) == ("Apache License", "LICENSE")
    (tmp_path / "README.md").write_text("---\nlicense: other\nlicense_name: qwen\n---\n")
    assert base_licence.licence_of(tmp_path) == ("other, qwen", "README.md")
