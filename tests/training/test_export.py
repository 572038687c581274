"""The exporter refuses what llama.cpp would compute wrongly, and says why."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gguf
import jinja2
import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from georapp import gguf_head  # noqa: E402
from georapp.errors import ModelError  # noqa: E402
from georapp.families import family_of, shifts_patches  # noqa: E402
from training import tiny  # noqa: E402
from training.export import new_pair, write_lora, write_mmproj, write_text  # noqa: E402
from training.export.tokenizer import chat_template  # noqa: E402

Settings = dict[str, Any]


@pytest.fixture
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A tiny model of the family that the test names, without pretty weights."""
    tiny.build(request.param, tmp_path / "model")
    return tmp_path / "model"


def of(*families: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("folder", families, indirect=True)


def change(file: Path, edit: Callable[[Settings], object]) -> None:
    settings = json.loads(file.read_text(encoding="utf-8"))
    edit(settings)
    file.write_text(json.dumps(settings), encoding="utf-8")


def head_of(file: Path) -> gguf_head.Head:
    return gguf_head.read(file)


# ---- what is in the files ----


@of("qwen25vl")
def test_both_files_carry_the_id_and_fit_each_other(folder: Path, tmp_path: Path) -> None:
    pair = new_pair()
    write_text(folder, tmp_path / "t.gguf", pair=pair)
    write_mmproj(folder, tmp_path / "i.gguf", pair=pair)
    text, image = head_of(tmp_path / "t.gguf"), head_of(tmp_path / "i.gguf")

    gguf_head.check_pair(text, image)
    assert (text.pair, text.kind, text.architecture) == (pair, "model", "qwen2vl")
    assert (image.pair, image.kind, image.projector) == (pair, "mmproj", "qwen2.5vl_merger")
    assert not list(tmp_path.glob("*.part"))


@of("llava")
def test_the_template_loses_the_tags_that_only_transformers_knows(folder: Path) -> None:
    from training.export.folder import open_folder

    written = (folder / "chat_template.jinja").read_text(encoding="utf-8")
    exported = chat_template(open_folder(folder))
    talk = {"messages": [{"role": "user", "content": "Where?"}, {"role": "assistant", "content": "Lisbon"}]}

    assert "{%- generation -%}" in written
    assert exported is not None
    assert (
        jinja2.Template(exported).render(talk) == "<|im_start|>user\nWhere?<|im_end|>\n<|im_start|>assistant\nLisbon<|im_end|>\n"
    )


@of("llava")
def test_weights_in_bfloat16_and_in_several_files_are_read(folder: Path, tmp_path: Path) -> None:
    weights = {name: weight.to(torch.bfloat16) for name, weight in load_file(folder / "model.safetensors").items()}
    names = sorted(weights)
    parts = {"model-1.safetensors": names[::2], "model-2.safetensors": names[1::2]}
    for part, inside in parts.items():
        save_file({name: weights[name] for name in inside}, folder / part)
    index = {"weight_map": {name: part for part, inside in parts.items() for name in inside}}
    (folder / "model.safetensors.index.json").write_text(json.dumps(index), encoding="utf-8")
    (folder / "model.safetensors").unlink()
    write_text(folder, tmp_path / "t.gguf", kind="f32")
    written = {tensor.name: tensor.data for tensor in gguf.GGUFReader(tmp_path / "t.gguf").tensors}

    expected = weights["language_model.model.layers.1.mlp.up_proj.weight"].float().numpy()
    assert np.array_equal(written["blk.1.ffn_up.weight"], expected)
    (folder / "model-2.safetensors").unlink()
    with pytest.raises(ModelError, match=r"model-2\.safetensors are missing"):
        write_text(folder, tmp_path / "t.gguf")


@of("smolvlm")
def test_four_bits_keep_the_words_in_eight(folder: Path, tmp_path: Path) -> None:
    write_text(folder, tmp_path / "t.gguf", kind="q4_1")
    types = {name: tensor.type for name, tensor in head_of(tmp_path / "t.gguf").tensors.items()}

    assert types["token_embd.weight"] == "Q8_0"
    assert types["blk.0.ffn_up.weight"] == "Q4_1"
    assert types["blk.0.attn_norm.weight"] == "F32"


# ---- refusals ----


@of("qwen2vl")
def test_an_unknown_weight_is_refused_and_nothing_is_left(folder: Path, tmp_path: Path) -> None:
    weights = load_file(folder / "model.safetensors")
    save_file(weights | {"model.layers.0.mlp.gate.weight": torch.zeros(4)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match=r"does not know the weight 'layers\.0\.mlp\.gate\.weight'"):
        write_text(folder, tmp_path / "t.gguf")
    save_file(weights | {"visual.blocks.0.attn.q_norm.weight": torch.zeros(4)}, folder / "model.safetensors")
    with pytest.raises(ModelError, match="does not know the weight"):
        write_mmproj(folder, tmp_path / "i.gguf")

    assert [file.name for file in tmp_path.iterdir()] == ["model"]


@of("internvl")
@pytest.mark.parametrize(
    ("left_out", "sentence"),
    [
        ("language_model.model.layers.1.", "2 of 3 layers"),
        ("language_model.lm_head", r"weights for output\.weight"),
        ("vision_tower.encoder.layer.1.", "1 of 2 layers of the image tower"),
    ],
)
def test_missing_weights_are_noticed(folder: Path, tmp_path: Path, left_out: str, sentence: str) -> None:
    weights = {name: weight for name, weight in load_file(folder / "model.safetensors").items() if not name.startswith(left_out)}
    save_file(weights, folder / "model.safetensors")
    write = write_mmproj if left_out.startswith("vision") else write_text
    with pytest.raises(ModelError, match=sentence):
        write(folder, tmp_path / "out.gguf")

    assert not (tmp_path / "out.gguf").exists()


def _text(**changes: Any) -> Callable[[Settings], object]:
    return lambda config: config["text_config"].update(changes)


def _vision(**changes: Any) -> Callable[[Settings], object]:
    return lambda config: config["vision_config"].update(changes)


def _whole(**changes: Any) -> Callable[[Settings], object]:
    return lambda config: config.update(changes)


def _pixels(**changes: Any) -> Callable[[Settings], object]:
    return lambda config: config["image_processor"].update(changes)


LLAMA3 = {"rope_type": "llama3", "rope_theta": 1e4, "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0}
LLAMA3 |= {"original_max_position_embeddings": 1024}
CLIP = {"model_type": "clip_vision_model", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}


@pytest.mark.parametrize(
    ("folder", "edit", "sentence"),
    [
        ("smolvlm", _text(rope_parameters=LLAMA3), "stretches its positions"),
        ("llava", _text(hidden_act="gelu"), "computes with gelu"),
        ("llava", _text(use_sliding_window=True, sliding_window=64), "only a window of its text"),
        ("llava", _text(model_type="mistral"), "of the kind mistral"),
        ("llava", lambda config: config.clear(), "cannot be read"),
    ],
    indirect=["folder"],
)
def test_text_models_that_would_answer_wrongly_are_refused(
    folder: Path, tmp_path: Path, edit: Callable[[Settings], object], sentence: str
) -> None:
    change(folder / "config.json", edit)
    with pytest.raises(ModelError, match=sentence):
        write_text(folder, tmp_path / "t.gguf")


@pytest.mark.parametrize(
    ("folder", "file", "edit", "sentence"),
    [
        ("smolvlm", "processor", _pixels(do_image_splitting=False), "trained without splitting"),
        ("smolvlm", "processor", _pixels(size={"longest_edge": 64}), "not to two or more tiles of 64"),
        ("smolvlm", "processor", _pixels(max_image_size={"longest_edge": 32}), "tiles of another size"),
        ("smolvlm", "processor", lambda config: config["image_processor"].pop("image_mean"), "does not say image_mean"),
        ("smolvlm", "tokenizer", lambda data: data["model"]["vocab"].pop("ĊĊ"), "word for two line ends"),
        ("idefics3", "config", _vision(intermediate_size=64), "llama.cpp would swap two weights"),
        ("qwen25vl", "config", _vision(window_size=56), "windows of 56 pixels"),
        ("qwen25vl", "config", _vision(fullatt_block_indexes=[1, 2]), r"sees everything in the layers \[1, 2\]"),
        ("qwen3vl", "config", _vision(num_position_embeddings=60), "not square"),
        ("internvl", "config", _vision(use_qk_norm=True), "the 6B tower"),
        ("internvl", "config", _whole(vision_feature_layer=-2), "another layer than the last"),
        ("llava", "config", _whole(vision_config=CLIP), "a tower with a class token"),
        ("llava", "config", _whole(vision_feature_layer=[-1, -2]), "several layers"),
        ("llava", "config", _whole(vision_feature_select_strategy="default"), "drops its first patch"),
        ("llava", "config", _vision(hidden_act="relu"), "computes with relu"),
    ],
    indirect=["folder"],
)
def test_image_parts_that_would_see_wrongly_are_refused(
    folder: Path, tmp_path: Path, file: str, edit: Callable[[Settings], object], sentence: str
) -> None:
    name = {"processor": "processor_config.json", "config": "config.json", "tokenizer": "tokenizer.json"}[file]
    change(folder / name, edit)
    with pytest.raises(ModelError, match=sentence):
        write_mmproj(folder, tmp_path / "i.gguf")

    assert not list(tmp_path.glob("i.gguf*"))


@of("idefics3")
@pytest.mark.parametrize(
    "edit",
    [
        lambda data: data["pre_tokenizer"]["pretokenizers"][0]["pattern"].update(Regex="\\w+"),
        lambda data: data["model"].update(ignore_merges=False),
        lambda data: data["model"].update(byte_fallback=True),
        lambda data: data.update(normalizer={"type": "Lowercase"}),
        lambda data: data["added_tokens"].append({"id": 9999, "content": "<far>", "special": True}),
    ],
)
def test_tokenizers_that_llama_cpp_would_read_differently_are_refused(
    folder: Path, tmp_path: Path, edit: Callable[[Settings], object]
) -> None:
    change(folder / "tokenizer.json", edit)
    with pytest.raises(ModelError, match="okenizer"):
        write_text(folder, tmp_path / "t.gguf")


def test_a_folder_without_a_model_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is no model folder"):
        write_text(tmp_path, tmp_path / "t.gguf")


# ---- LLaVA with a class token ----


@of("llava")
def test_a_class_token_behind_llavas_projector_is_recognised(folder: Path, tmp_path: Path) -> None:
    write_text(folder, tmp_path / "t.gguf")
    write_mmproj(folder, tmp_path / "i.gguf", kind="f32")
    text, image = head_of(tmp_path / "t.gguf"), head_of(tmp_path / "i.gguf")
    assert family_of(text, image) is not None
    assert not shifts_patches(image)

    image.tensors["v.class_embd"] = gguf_head.Tensor("F32", (64,), 0, 256)
    assert shifts_patches(image)
    assert family_of(text, image) is None


# ---- adapters ----


@pytest.fixture
def adapter(tmp_path: Path) -> Path:
    """An adapter folder for one matrix of a tiny SmolVLM, which lies beside it as text.gguf."""
    tiny.build("smolvlm", tmp_path / "model")
    write_text(tmp_path / "model", tmp_path / "text.gguf")
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8}), encoding="utf-8")
    stem = "base_model.model.model.text_model.layers.0.mlp.up_proj.lora_"
    matrices = {f"{stem}A.weight": torch.ones(4, 128), f"{stem}B.weight": torch.ones(256, 4)}
    save_file(matrices, folder / "adapter_model.safetensors")
    return folder


def test_a_stabilised_adapter_is_scaled_by_the_root_of_its_rank(adapter: Path, tmp_path: Path) -> None:
    change(adapter / "adapter_config.json", _whole(use_rslora=True))
    write_lora(adapter, tmp_path / "lora.gguf", base=tmp_path / "text.gguf")
    head = head_of(tmp_path / "lora.gguf")

    assert (head.kind, head.architecture) == ("adapter", "llama")
    assert head.keys["adapter.lora.alpha"] == 16  # divided by the rank 4 in llama.cpp: 8 / sqrt(4) is meant
    assert set(head.tensors) == {"blk.0.ffn_up.weight.lora_a", "blk.0.ffn_up.weight.lora_b"}


@pytest.mark.parametrize(
    "changes",
    [{"use_dora": True}, {"modules_to_save": ["connector"]}, {"bias": "all"}, {"alpha_pattern": {"q_proj": 3}}],
    ids=str,
)
def test_adapters_that_ask_for_more_are_refused(adapter: Path, tmp_path: Path, changes: Settings) -> None:
    change(adapter / "adapter_config.json", _whole(**changes))
    with pytest.raises(ModelError, match="cannot do"):
        write_lora(adapter, tmp_path / "lora.gguf", base=tmp_path / "text.gguf")


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("model.vision_model.encoder.layers.0.mlp.fc1", "only the layers of the text model"),
        ("lm_head", "only the layers of the text model"),
        ("model.text_model.layers.7.mlp.up_proj", "made for another model"),
    ],
)
def test_adapters_of_other_parts_are_refused(adapter: Path, tmp_path: Path, target: str, sentence: str) -> None:
    save_file({f"base_model.model.{target}.lora_A.weight": torch.ones(4, 128)}, adapter / "adapter_model.safetensors")
    with pytest.raises(ModelError, match=sentence):
        write_lora(adapter, tmp_path / "lora.gguf", base=tmp_path / "text.gguf")


# ---- the command line ----


@of("qwen3vl")
def test_the_command_line_writes_a_file_and_names_its_pair(folder: Path, tmp_path: Path) -> None:
    out = tmp_path / "i.gguf"
    command = [sys.executable, "-m", "training.export", "mmproj", str(folder), str(out), "--type", "q8_0", "--pair", "new"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)

    pair = head_of(out).pair
    assert pair is not None
    assert pair in done.stdout


def test_the_command_line_ends_with_a_sentence(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from training.export.__main__ import main

    assert main(["text", str(tmp_path), str(tmp_path / "t.gguf")]) == 1
    assert "is no model folder" in capsys.readouterr().err
