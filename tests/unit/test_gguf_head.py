"""Heads of GGUF files, written byte by byte here: what is right is read, every lie is refused with a sentence."""

from __future__ import annotations

import struct
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from georapp import gguf_head
from georapp.errors import ModelError

U32, U64, F32, STRING, LIST = 4, 10, 6, 8, 9
Keys = dict[str, tuple[int, object]]
Tensors = dict[str, tuple[int, tuple[int, ...], bytes]]


def text(value: str | bytes) -> bytes:
    data = value.encode() if isinstance(value, str) else value
    return struct.pack("<Q", len(data)) + data


def value(kind: int, content: object) -> bytes:
    if kind == STRING:
        assert isinstance(content, str | bytes)
        return text(content)
    if kind == LIST:
        assert isinstance(content, tuple)
        inner, entries = content
        return struct.pack("<IQ", inner, len(entries)) + b"".join(value(inner, entry) for entry in entries)
    return struct.pack({U32: "<I", U64: "<Q", F32: "<f"}[kind], content)


def gguf(
    keys: Keys, tensors: Tensors, *, magic: bytes = b"GGUF", version: int = 3, cut: int = 0, counts: tuple[int, int] | None = None
) -> bytes:
    n_tensors, n_keys = counts or (len(tensors), len(keys))
    head = magic + struct.pack("<IQQ", version, n_tensors, n_keys)
    head += b"".join(text(key) + struct.pack("<I", kind) + value(kind, content) for key, (kind, content) in keys.items())
    data, offset = b"", 0
    for name, (kind, shape, content) in tensors.items():
        head += (
            text(name) + struct.pack("<I", len(shape)) + struct.pack(f"<{len(shape)}Q", *shape) + struct.pack("<IQ", kind, offset)
        )
        data += content + b"\0" * (-len(content) % 32)
        offset = len(data)
    whole = head + b"\0" * (-len(head) % 32) + data
    return whole[: len(whole) - cut] if cut else whole


KEYS: Keys = {
    "general.architecture": (STRING, "llama"),
    "llama.block_count": (U32, 2),
    "llama.embedding_length": (U32, 64),
    "llama.attention.head_count": (U32, 4),
    "tokenizer.ggml.tokens": (LIST, (STRING, [f"w{i}" for i in range(100)])),
    "llama.scales": (LIST, (F32, [1.0, 2.0])),
    "georapp.pair": (STRING, "ab" * 16),
}
TENSORS: Tensors = {
    "token_embd.weight": (0, (64, 100), b"\0" * (64 * 100 * 4)),
    "blk.0.attn_q.weight": (8, (64, 64), b"\0" * (64 * 64 // 32 * 34)),
}
IMAGE_KEYS: Keys = {
    "general.architecture": (STRING, "clip"),
    "clip.projector_type": (STRING, "idefics3"),
    "clip.vision.block_count": (U32, 2),
    "clip.vision.embedding_length": (U32, 32),
    "clip.vision.attention.head_count": (U32, 2),
    "clip.vision.image_size": (U32, 64),
    "clip.vision.patch_size": (U32, 16),
    "clip.vision.projection_dim": (U32, 64),
    "clip.vision.projector.scale_factor": (U32, 2),
    "georapp.pair": (STRING, "ab" * 16),
}
IMAGE_TENSORS: Tensors = {
    "v.patch_embd.weight": (0, (16, 16, 3, 32), b"\0" * (16 * 16 * 3 * 32 * 4)),
    "v.position_embd.weight": (0, (32, 16), b"\0" * (32 * 16 * 4)),
}


def written(tmp_path: Path, data: bytes, name: str = "model.gguf") -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


def test_a_good_head(tmp_path: Path) -> None:
    head = gguf_head.read(written(tmp_path, gguf(KEYS, TENSORS)))
    assert (head.architecture, head.kind, head.width, head.pair) == ("llama", "model", 64, "ab" * 16)
    assert head.keys["tokenizer.ggml.tokens"] == 100  # long lists are not kept
    assert head.keys["llama.scales"] == [1.0, 2.0]
    assert head.quantisation == "F32"
    assert head.parameters == 64 * 100 + 64 * 64


def test_a_good_image_part_and_its_pair(tmp_path: Path) -> None:
    model = gguf_head.read(written(tmp_path, gguf(KEYS, TENSORS)))
    image = gguf_head.read(written(tmp_path, gguf(IMAGE_KEYS, IMAGE_TENSORS), "mmproj.gguf"))
    assert (image.kind, image.projector, image.width) == ("mmproj", "idefics3", 64)
    gguf_head.check_pair(model, image)


def refused(path: Path) -> str:
    with pytest.raises(ModelError) as caught:
        gguf_head.read(path)
    sentence = str(caught.value)
    assert path.name in sentence
    assert sentence.endswith(".")
    return sentence


def changed(keys: Keys, **new: tuple[int, object] | None) -> Keys:
    merged = {**keys, **{key.replace("__", "."): entry for key, entry in new.items()}}
    return {key: entry for key, entry in merged.items() if entry is not None}


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "not a GGUF file"),
        (b"GGUF", "not a GGUF file"),
        (gguf(KEYS, TENSORS, magic=b"GGML"), "not a GGUF file"),
        (gguf(KEYS, TENSORS, version=9), "version 9"),
        (gguf(KEYS, TENSORS, counts=(1 << 40, 3)), "claims"),
        (gguf(KEYS, TENSORS, counts=(2, 60_000)), "in its head"),
        (gguf(KEYS, TENSORS, cut=100), "cut off"),
        (gguf(KEYS, TENSORS)[:300], "in the middle of its head"),
        (gguf({}, TENSORS), "does not say what model it is"),
        (gguf(KEYS, {}), "no weights"),
        (gguf(changed(KEYS, llama__block_count=(U32, 0)), TENSORS), "not a possible model"),
        (gguf(changed(KEYS, llama__block_count=(U32, 100_000)), TENSORS), "not a possible model"),
        (gguf(changed(KEYS, llama__attention__head_count=None), TENSORS), "not a possible model"),
        (gguf(changed(KEYS, **{"llama.attention.head_count": (U32, 0)}), TENSORS), "not a possible model"),
        (gguf(changed(KEYS, **{"llama.attention.head_count": (U32, 7)}), TENSORS), "do not divide"),
        (gguf(changed(KEYS, **{"general.alignment": (U32, 33)}), TENSORS), "alignment"),
        (gguf(changed(KEYS, **{"general.name": (STRING, b"\xff\xfe")}), TENSORS), "not UTF-8"),
        (gguf(KEYS, {"w": (77, (64,), b"")}), "unknown type 77"),
        (gguf(KEYS, {"w": (0, (0,), b"")}), "impossible shape"),
        (gguf(KEYS, {"w": (8, (33,), b"")}), "impossible shape"),
        (gguf(KEYS, {"w": (0, (1 << 39, 1 << 39), b"")}), "impossible shape"),
        (gguf(KEYS, {"w": (0, (2, 2, 2, 2, 2), b"")}), "5 dimensions"),
        (gguf(KEYS, {"x" * 64: (0, (2,), b"\0" * 8)}), "claims 64 bytes"),
        (gguf(changed(IMAGE_KEYS, **{"clip.vision.patch_size": (U32, 0)}), IMAGE_TENSORS), "patches of 0"),
        (gguf(changed(IMAGE_KEYS, **{"clip.vision.patch_size": (U32, 8)}), IMAGE_TENSORS), "do not fit weights"),
        (gguf(changed(IMAGE_KEYS, **{"clip.projector_type": (STRING, "internvl")}), IMAGE_TENSORS), "'v.class_embd' is missing"),
        (gguf(changed(IMAGE_KEYS, **{"clip.vision.image_size": (U32, 80)}), IMAGE_TENSORS), "leaves a rest"),
        (gguf(changed(IMAGE_KEYS, **{"clip.vision.image_size": (U32, 128)}), IMAGE_TENSORS), "position table"),
        (gguf(changed(IMAGE_KEYS, **{"clip.vision.projector.scale_factor": (U32, 3)}), IMAGE_TENSORS), "leaves a rest"),
    ],
)
def test_lies_are_refused(data: bytes, words: str, tmp_path: Path) -> None:
    assert words in refused(written(tmp_path, data))


def test_double_names_are_refused(tmp_path: Path) -> None:
    one = text("w") + struct.pack("<IQIQ", 1, 8, 0, 0)
    head = b"GGUF" + struct.pack("<IQQ", 3, 2, 0) + one + one
    assert "occurs twice" in refused(written(tmp_path, head + b"\0" * 200))
    key = text("general.name") + struct.pack("<I", STRING) + text("a")
    assert "occurs twice" in refused(written(tmp_path, b"GGUF" + struct.pack("<IQQ", 3, 0, 2) + key + key))


def test_overlapping_weights_are_refused(tmp_path: Path) -> None:
    tensors = b"".join(text(name) + struct.pack("<IQIQ", 1, 64, 0, 0) for name in ("a", "b"))
    head = b"GGUF" + struct.pack("<IQQ", 3, 2, 0) + tensors
    assert "overlaps" in refused(written(tmp_path, head + b"\0" * 600))


def test_a_missing_file(tmp_path: Path) -> None:
    assert "cannot be opened" in refused(tmp_path / "none.gguf")


def test_pairs_that_do_not_belong_together(tmp_path: Path) -> None:
    model = gguf_head.read(written(tmp_path, gguf(KEYS, TENSORS)))
    other = gguf_head.read(
        written(tmp_path, gguf(changed(IMAGE_KEYS, **{"georapp.pair": (STRING, "cd")}), IMAGE_TENSORS), "other.gguf")
    )
    no_id = changed(IMAGE_KEYS, **{"georapp.pair": None, "clip.vision.projection_dim": (U32, 96)})
    wide = gguf_head.read(written(tmp_path, gguf(no_id, IMAGE_TENSORS), "wide.gguf"))
    bare = gguf_head.read(written(tmp_path, gguf(changed(KEYS, **{"georapp.pair": None}), TENSORS), "bare.gguf"))
    for a, b, words in (
        (model, other, "not made together"),
        (bare, wide, "vectors of 96"),
        (model, model, "no image part"),
        (other, model, "no text"),
    ):
        with pytest.raises(ModelError, match=words):
            gguf_head.check_pair(a, b)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(damage=st.lists(st.tuples(st.integers(0, 900), st.integers(0, 255)), min_size=1, max_size=6))
def test_random_damage_is_a_head_or_a_model_error(damage: list[tuple[int, int]], tmp_path: Path) -> None:
    data = bytearray(gguf(KEYS, TENSORS))
    for where, byte in damage:
        data[where] = byte
    path = written(tmp_path, bytes(data), "hurt.gguf")
    try:
        head = gguf_head.read(path)
    except ModelError as error:
        assert "hurt.gguf" in str(error)
    else:
        assert head.tensors
