"""Prompts and photo sizes of the families, without any model."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.chat import chat_prompt
from georapp.families import FAMILIES, MARKER, Family, family_of, shifts_patches
from georapp.gguf_head import Head, Tensor

PROMPTS = {
    "SmolVLM and Idefics3": "<|im_start|>User:PHOTOWhere?<end_of_utterance>\nAssistant:",
    "Qwen2-VL and Qwen2.5-VL": (
        "<|im_start|>system\nYou are a helpful assistant.<|im_end|>\n<|im_start|>user\nPHOTOWhere?<|im_end|>\n<|im_start|>assistant\n"
    ),
    "Qwen3-VL": "<|im_start|>user\nPHOTOWhere?<|im_end|>\n<|im_start|>assistant\n",
    "InternVL": "<|im_start|>user\nPHOTO\nWhere?<|im_end|>\n<|im_start|>assistant\n",
    "LLaVA with a SigLIP tower": "<|im_start|>user\nPHOTO\nWhere?<|im_end|>\n<|im_start|>assistant\n",
}


def head(architecture: str, **keys: object) -> Head:
    named = {key.replace("__", "."): value for key, value in keys.items()}
    return Head(Path(f"{architecture}.gguf"), 1, {"general.architecture": architecture, **named})  # type: ignore[dict-item]


def image_head(projector: str, **vision: int) -> Head:
    keys = {f"clip__vision__{key}": value for key, value in vision.items()}
    return head("clip", clip__projector_type=projector, **keys)


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.name)
def test_the_prompt_for_one_photo_and_one_question(family: Family) -> None:
    words = {"bos_token": "<|im_start|>"}

    assert chat_prompt(family.template, "Where?", image=MARKER, words=words).replace(MARKER, "PHOTO") == PROMPTS[family.name]


def test_a_model_without_a_named_first_word_gets_that_of_smolvlm() -> None:
    assert chat_prompt(FAMILIES[0].template, "Where?", image=MARKER).startswith("<|im_start|>User:")


@given(st.sampled_from(FAMILIES), st.integers(1, 12_000), st.integers(1, 12_000))
def test_a_fitted_photo_is_of_a_size_that_the_family_takes(family: Family, width: int, height: int) -> None:
    new = family.fit(width, height)

    assert all(side > 0 and side % family.multiple_of == 0 for side in new)
    assert family.min_pixels <= new[0] * new[1] <= family.max_pixels
    assert (new[0] - new[1]) * (width - height) >= 0


@given(st.sampled_from(FAMILIES), st.integers(1, 12_000), st.integers(1, 12_000))
def test_fitting_twice_changes_nothing(family: Family, width: int, height: int) -> None:
    new = family.fit(width, height)

    assert family.fit(*new) == new


@pytest.mark.parametrize(
    ("text", "image", "name", "multiple_of", "max_pixels"),
    [
        ("llama", image_head("idefics3", image_size=512, preproc_image_size=2048), "SmolVLM and Idefics3", 1, 4 * 2048**2),
        ("qwen2vl", image_head("qwen2vl_merger", patch_size=14), "Qwen2-VL and Qwen2.5-VL", 28, 1280 * 28**2),
        (
            "qwen2vl",
            image_head("qwen2.5vl_merger", patch_size=14, spatial_merge_size=2),
            "Qwen2-VL and Qwen2.5-VL",
            28,
            1280 * 28**2,
        ),
        ("qwen3vl", image_head("qwen3vl_merger", patch_size=16, spatial_merge_size=2), "Qwen3-VL", 32, 1280 * 32**2),
        ("llama", image_head("internvl", image_size=224, preproc_max_tiles=1), "InternVL", 224, 224**2),
        ("qwen3", image_head("internvl", image_size=448), "InternVL", 448, 12 * 448**2),
        ("qwen2", image_head("mlp", image_size=378), "LLaVA with a SigLIP tower", 378, 378**2),
    ],
)
def test_a_pair_has_the_sizes_of_its_model(text: str, image: Head, name: str, multiple_of: int, max_pixels: int) -> None:
    family = family_of(head(text), image)

    assert family is not None
    assert (family.name, family.multiple_of, family.max_pixels) == (name, multiple_of, max_pixels)


@pytest.mark.parametrize(
    ("text", "image"),
    [
        ("llama", None),
        ("qwen2", image_head("idefics3")),
        ("llama", image_head("gemma3")),
        ("qwen3", image_head("qwen3vl_merger")),
    ],
)
def test_other_pairs_have_no_family(text: str, image: Head | None) -> None:
    assert family_of(head(text), image) is None


@pytest.mark.parametrize("projector", ["mlp", "ldp", "ldpv2"])
def test_llava_with_a_class_token_has_no_family(projector: str) -> None:
    image = image_head(projector, image_size=336)
    image.tensors["v.class_embd"] = Tensor("F32", (1024,), 0, 4096)

    assert shifts_patches(image)
    assert family_of(head("llama"), image) is None


def test_internvl_has_its_class_token_for_itself() -> None:
    image = image_head("internvl", image_size=448)
    image.tensors["v.class_embd"] = Tensor("F32", (1024,), 0, 4096)

    assert not shifts_patches(image)
