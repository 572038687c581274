"""Every family, exported and run by llama.cpp, against the same weights in transformers: tokens, logits, samples, adapters.

The models are tiny and random, so nothing they say means anything; but each of their weights changes what they say. What differs
by design is small: llama.cpp computes parts in 16 bits and takes GELU from a table of 16-bit values (in its tanh form, where
transformers has the exact one). So logits are compared within DIFFERENCE, at a standard deviation of about 1.3, and tokens
exactly, except that the two may part where transformers itself sees no difference between two words (TIE).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp import gguf_head  # noqa: E402
from georapp.chat import chat_prompt  # noqa: E402
from georapp.engine import Engine, EngineFiles, EngineOptions, Timings  # noqa: E402
from georapp.errors import ModelError  # noqa: E402
from georapp.families import MARKER, Family, family_of  # noqa: E402
from georapp.network import Pixels  # noqa: E402
from georapp.sampler import Sampling  # noqa: E402
from georapp.tower import TextPart  # noqa: E402
from training import tiny  # noqa: E402
from training.export import write_lora, write_mmproj, write_text  # noqa: E402

DIFFERENCE = 0.04  # largest seen: 0.02
TIE = 2 * DIFFERENCE
TOKENS = 32
QUESTION = "Where was this photo taken?"
SIZES = [(64, 64), (300, 200), (150, 250)]


@dataclass
class Pair:
    """One family: as transformers has it, and as llama.cpp has it."""

    name: str
    folder: Path
    model: Any
    processor: Any
    text: Path
    image: Path
    family: Family
    prompt: str

    def inputs(self, photo: Image.Image) -> dict[str, Any]:
        messages = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": QUESTION}]}]
        prompt = self.processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)
        return dict(self.processor(images=[photo], text=[prompt], return_tensors="pt", add_special_tokens=False))

    @property
    def image_token(self) -> int:
        config = self.model.config
        return int(getattr(config, "image_token_id", None) or config.image_token_index)

    def photo(self, width: int, height: int) -> Image.Image:
        """Scaled as this family wants it."""
        return photo(width, height).resize(self.family.fit(width, height), Image.Resampling.BICUBIC)

    def engine(self, **options: Any) -> Engine:
        return Engine.open(EngineFiles(self.text, self.image), EngineOptions(threads=1, **options), begin=self.family.begin)


class Pairs(dict[str, Pair]):
    """Every pair, made when it is first asked for."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.root = folder

    def __missing__(self, name: str) -> Pair:
        folder, text, image = self.root / name, self.root / f"{name}.gguf", self.root / f"mmproj-{name}.gguf"
        tiny.build(name, folder, spread=0.12)
        write_text(folder, text, kind="f32", pair=name)
        write_mmproj(folder, image, kind="f32", pair=name)
        heads = gguf_head.read(text), gguf_head.read(image)
        gguf_head.check_pair(*heads)
        family = family_of(*heads)
        assert family is not None
        model, processor = tiny.load(folder)
        prompt = chat_prompt(family.template, QUESTION, image=MARKER, words={"bos_token": processor.tokenizer.bos_token or ""})
        self[name] = Pair(name, folder, model, processor, text, image, family, prompt)
        return self[name]


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> Pairs:
    return Pairs(tmp_path_factory.mktemp("pairs"))


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def pair(request: pytest.FixtureRequest, pairs: Pairs) -> Pair:
    return pairs[request.param]


@pytest.fixture(scope="module")
def engine(pair: Pair) -> Iterator[Engine]:
    with pair.engine() as engine:
        yield engine


def photo(width: int, height: int) -> Image.Image:
    """Edges, colours, gradients and noise; the same on every machine."""
    y, x = np.mgrid[0:height, 0:width]
    waves = [np.sin(x / (7 + 3 * i)) * np.cos(y / (11 - 2 * i)) + (x + y * (i + 1)) / (width + height) for i in range(3)]
    noise = np.random.default_rng(0).integers(-20, 20, (height, width, 3))
    return Image.fromarray((np.stack(waves, -1) * 70 + 100 + noise).clip(0, 255).astype(np.uint8))


def pixels(picture: Image.Image) -> Pixels:
    return Pixels(picture.tobytes(), *picture.size)


def logits_after(model: Any, inputs: dict[str, Any], tokens: list[int]) -> npt.NDArray[np.float32]:
    """transformers' logits after the prompt and a part of an answer."""
    more = torch.tensor([tokens], dtype=torch.long)
    longer = dict(inputs, input_ids=torch.cat([inputs["input_ids"], more], 1))
    longer["attention_mask"] = torch.ones_like(longer["input_ids"])
    if "mm_token_type_ids" in inputs:
        longer["mm_token_type_ids"] = torch.cat([inputs["mm_token_type_ids"], torch.zeros_like(more)], 1)
    with torch.no_grad():
        row: npt.NDArray[np.float32] = model(**longer).logits[0, -1].numpy()
    return row


def logits_of(engine: Engine, prompt: str, picture: Image.Image, tokens: Sequence[int] = ()) -> npt.NDArray[np.float32]:
    """llama.cpp's logits after the prompt and a part of an answer."""
    assert engine.tower is not None
    engine.forget()
    timings = Timings()
    with engine.tower.split(prompt, [pixels(picture)], begin=False) as parts:
        engine._read_parts(parts, timings)
    engine.text.decode_tokens(tokens, timings.prompt_tokens, logits=True)
    row = engine.text.logits()
    engine.forget()
    return row


def answer_of(model: Any, engine: Engine, inputs: dict[str, Any], count: int = TOKENS) -> list[int]:
    """transformers' greedy answer, up to whatever llama.cpp takes for its end."""
    with torch.no_grad():
        whole = model.generate(**inputs, do_sample=False, max_new_tokens=count)
    tokens: list[int] = whole[0, inputs["input_ids"].shape[1] :].tolist()
    end = next((i for i, token in enumerate(tokens) if engine.text.ends(token)), len(tokens))
    return tokens[:end]


def assert_same(model: Any, engine: Engine, inputs: dict[str, Any], expected: list[int], got: list[int]) -> None:
    """The same tokens, or the same up to a tie in transformers' own eyes."""
    if expected == got:
        return
    part = next(i for i in range(max(len(expected), len(got))) if expected[i : i + 1] != got[i : i + 1])
    row = logits_after(model, inputs, expected[:part])
    end = max(row[token] for token in range(len(row)) if engine.text.ends(token))
    gap = float((row[expected[part]] if part < len(expected) else end) - (row[got[part]] if part < len(got) else end))
    assert gap < TIE, f"the answers part after {part} tokens, where transformers sees a gap of {gap:.3f}: {expected} {got}"


# ---- the answer ----


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_the_answer_is_that_of_transformers(pair: Pair, engine: Engine, size: tuple[int, int]) -> None:
    picture = pair.photo(*size)
    inputs = pair.inputs(picture)

    expected = answer_of(pair.model, engine, inputs)
    got = engine.answer(pair.prompt, [pixels(picture)], max_tokens=TOKENS).tokens[0]

    assert_same(pair.model, engine, inputs, expected, got)
    told = expected[: expected.index(pair.image_token)] if pair.image_token in expected else expected
    for tokens in ([], told):
        difference = logits_of(engine, pair.prompt, picture, tokens) - logits_after(pair.model, inputs, tokens)
        assert np.abs(difference).max() < DIFFERENCE


def test_the_prompt_is_that_of_transformers(pair: Pair, engine: Engine) -> None:
    """The family's template, and the words that llama.cpp itself writes around a photo, token by token."""
    picture = pair.photo(200, 120)
    assert engine.tower is not None
    with engine.tower.split(pair.prompt, [pixels(picture)], begin=pair.family.begin) as parts:
        words = [token for part in parts if isinstance(part, TextPart) for token in part.tokens]
    expected = pair.inputs(picture)["input_ids"][0].tolist()

    assert words == [token for token in expected if token != pair.image_token]


# ---- photos that do not fit: why the two differ ----


def padded(picture: Image.Image, size: tuple[int, int], colour: tuple[int, int, int]) -> Image.Image:
    """What llama.cpp makes of a photo: proportions kept, edges added."""
    scale = min(size[0] / picture.width, size[1] / picture.height)
    inner = [min(int(np.ceil(side * scale)), limit) for side, limit in zip(picture.size, size, strict=True)]
    canvas = Image.new("RGB", size, colour)
    canvas.paste(
        picture.resize((inner[0], inner[1]), Image.Resampling.BICUBIC), ((size[0] - inner[0]) // 2, (size[1] - inner[1]) // 2)
    )
    return canvas


@pytest.mark.parametrize("name", ["qwen2vl", "qwen25vl", "qwen3vl", "llava"])
def test_a_photo_of_another_size_differs_only_by_its_edges(name: str, pairs: Pairs) -> None:
    """llama.cpp adds edges where transformers stretches: with the same edges transformers gives the same logits."""
    pair = pairs[name]
    picture = photo(150, 203)
    with_edges = padded(picture, pair.family.fit(*picture.size), (122, 116, 104) if name == "llava" else (0, 0, 0))
    with pair.engine() as engine:
        row = logits_of(engine, pair.prompt, picture)

    assert np.abs(row - logits_after(pair.model, pair.inputs(with_edges), [])).max() < DIFFERENCE
    assert np.abs(row - logits_after(pair.model, pair.inputs(picture), [])).max() > 10 * DIFFERENCE


def test_internvl_cuts_a_photo_that_does_not_fill_tiles_in_its_own_way(pairs: Pairs) -> None:
    """Here one row of two tiles with edges, and an overview that is stretched."""
    pair = pairs["internvl"]
    picture = photo(100, 64)
    row_of_two = padded(picture, (128, 64), (0, 0, 0))
    tiles = [
        row_of_two.crop((0, 0, 64, 64)),
        row_of_two.crop((64, 0, 128, 64)),
        picture.resize((64, 64), Image.Resampling.BICUBIC),
    ]
    inputs = pair.inputs(row_of_two)  # three tiles too, so the words are right
    inputs["pixel_values"] = torch.cat(
        [pair.processor.image_processor(tile, return_tensors="pt")["pixel_values"] for tile in tiles]
    )
    with pair.engine() as engine:
        row = logits_of(engine, pair.prompt, picture)

    assert np.abs(row - logits_after(pair.model, inputs, [])).max() < DIFFERENCE


# ---- several answers, several questions ----


def test_the_same_seeds_give_the_same_samples(pair: Pair, engine: Engine) -> None:
    picture = pixels(pair.photo(128, 128))
    first, second = (
        engine.answer(pair.prompt, [picture], samples=4, max_tokens=12, sampling=Sampling(temperature=1.0), seed=7).tokens
        for _ in range(2)
    )

    assert first == second
    assert len({tuple(tokens) for tokens in first}) > 1


def test_all_greedy_samples_of_a_batch_agree(pair: Pair, engine: Engine) -> None:
    picture = pair.photo(128, 128)
    inputs = pair.inputs(picture)
    expected = answer_of(pair.model, engine, inputs, 16)
    answers = engine.answer(pair.prompt, [pixels(picture)], samples=3, max_tokens=16).tokens

    for tokens in answers:
        assert_same(pair.model, engine, inputs, expected, tokens)


def test_a_photo_that_was_read_is_not_read_again(pair: Pair, engine: Engine) -> None:
    picture = pair.photo(160, 100)
    engine.forget()
    engine.answer(pair.prompt.replace(QUESTION, "Where?"), [pixels(picture)], max_tokens=4)
    again = engine.answer(pair.prompt, [pixels(picture)], max_tokens=TOKENS)
    with pair.engine() as fresh:
        anew = fresh.answer(pair.prompt, [pixels(picture)], max_tokens=TOKENS)

    assert again.timings.image_s == 0
    assert 0 < again.timings.reused_tokens < again.timings.prompt_tokens == anew.timings.prompt_tokens
    assert_same(pair.model, engine, pair.inputs(picture), anew.tokens[0], again.tokens[0])


def test_another_photo_is_read_anew_and_matters(pair: Pair, engine: Engine) -> None:
    first, second = pair.photo(128, 128), pair.photo(160, 100)
    difference = logits_of(engine, pair.prompt, first) - logits_of(engine, pair.prompt, second)
    engine.answer(pair.prompt, [pixels(first)], max_tokens=4)
    answer = engine.answer(pair.prompt, [pixels(second)], max_tokens=TOKENS)
    inputs = pair.inputs(second)

    assert np.abs(difference).max() > 10 * DIFFERENCE
    assert_same(pair.model, engine, inputs, answer_of(pair.model, engine, inputs), answer.tokens[0])


def test_a_photo_fills_more_memory_than_it_has_positions(pairs: Pairs) -> None:
    """M-RoPE: 121 rows in 31 positions. What does not fit is noticed before the first answer is written."""
    pair = pairs["qwen2vl"]
    with pair.engine(context=256) as engine, pytest.raises(ModelError, match=r"prompt of 1\d\d tokens and 4 answers"):
        engine.answer(pair.prompt, [pixels(photo(308, 308))], samples=4, max_tokens=30)


# ---- other types, adapters, files that do not belong together ----


@pytest.mark.parametrize(("kind", "cosine"), [("f16", 0.9999), ("q8_0", 0.999), ("q4_1", 0.9)])
@pytest.mark.parametrize("name", ["smolvlm", "qwen3vl"])
def test_a_quantised_pair_answers_nearly_alike(name: str, kind: str, cosine: float, pairs: Pairs, tmp_path: Path) -> None:
    pair = pairs[name]
    text, image = tmp_path / "text.gguf", tmp_path / "mmproj.gguf"
    write_text(pair.folder, text, kind=kind)
    write_mmproj(pair.folder, image, kind="q8_0" if kind == "q4_1" else kind)
    picture = pair.photo(128, 128)
    with Engine.open(EngineFiles(text, image), EngineOptions(threads=1)) as engine:
        row = logits_of(engine, pair.prompt, picture)
    whole = logits_after(pair.model, pair.inputs(picture), [])

    assert gguf_head.read(text).quantisation == kind.upper()
    assert gguf_head.read(text).size < 0.6 * pair.text.stat().st_size
    assert float(row @ whole / np.linalg.norm(row) / np.linalg.norm(whole)) > cosine


# peft 0.21 asks transformers 5.23 under an old name.
@pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")
@pytest.mark.parametrize("name", ["smolvlm", "qwen25vl", "internvl"])
def test_an_adapter_on_the_base_answers_as_peft_does(name: str, pairs: Pairs, tmp_path: Path) -> None:
    peft = pytest.importorskip("peft", reason="the training half (georapp[train]) is not installed")
    pair = pairs[name]
    model, _ = tiny.load(pair.folder)
    layers = r".*(language_model|text_model)\.layers.*\.(q|k|v|o|gate|up|down)_proj"
    torch.manual_seed(3)
    tuned = peft.get_peft_model(model, peft.LoraConfig(r=4, lora_alpha=8, target_modules=layers, init_lora_weights=False))
    tuned.save_pretrained(tmp_path / "adapter")
    write_lora(tmp_path / "adapter", tmp_path / "lora.gguf", base=pair.text, kind="f32", pair=pair.name)
    tuned.eval()
    picture = pair.photo(200, 120)
    inputs = pair.inputs(picture)

    with pair.engine() as engine:
        bare = logits_of(engine, pair.prompt, picture)
        engine.text.set_adapters([(tmp_path / "lora.gguf", 1.0)])
        adapted = logits_of(engine, pair.prompt, picture)
        answer = engine.answer(pair.prompt, [pixels(picture)], max_tokens=TOKENS).tokens[0]
        assert_same(tuned, engine, inputs, answer_of(tuned, engine, inputs), answer)

    assert gguf_head.read(tmp_path / "lora.gguf").pair == pair.name
    assert np.abs(adapted - logits_after(tuned, inputs, [])).max() < DIFFERENCE
    assert np.abs(adapted - bare).max() > 10 * DIFFERENCE


def test_files_of_two_models_are_no_pair(pairs: Pairs) -> None:
    text, image = gguf_head.read(pairs["smolvlm"].text), gguf_head.read(pairs["idefics3"].image)

    with pytest.raises(ModelError, match="were not made together"):
        gguf_head.check_pair(text, image)
