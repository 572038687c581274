"""The parts around the trainers: what is learned, what is shown of an answer, what may change, and what goes wrong in words."""

from __future__ import annotations

import itertools
import json
import random
import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from safetensors.torch import load_file, save_file  # noqa: E402

from georapp.errors import DatasetError, PhotoError, RunError  # noqa: E402
from georapp.run_events import Alert, Sample  # noqa: E402
from georapp.run_settings import Grpo, Model, RunConfig, Sft  # noqa: E402
from tests.training.short_runs import LORA, QUIET, of_kind  # noqa: E402
from tests.training.toy_world import ToyWorld, run_of  # noqa: E402
from training import changes, examples, grpo, tiny  # noqa: E402
from training.arguments import for_grpo, for_sft  # noqa: E402
from training.base import TOWERS, load  # noqa: E402
from training.callback import set_rate, undisturbed  # noqa: E402
from training.memory import in_words  # noqa: E402
from training.rewards import Rule, reward_functions  # noqa: E402
from training.rows import Part  # noqa: E402
from training.samples import advantages  # noqa: E402
from training.work import GRPO, SFT, Work  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)


@pytest.fixture
def work(toy: ToyWorld, tmp_path: Path) -> Iterator[Work]:
    with run_of(tmp_path / "run", toy.album, toy.taught, model={"method": "lora"}) as found:
        yield found


# ---- what is learned ----


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_exactly_the_answer_and_its_end_are_learned(family: str, toy: ToyWorld, tmp_path: Path) -> None:
    tiny.build(family, tmp_path)
    settings, row = Model(base=str(tmp_path), profile="mini", max_pixels=20_000), toy.album[0]
    base = load(tmp_path, settings)
    tokens = examples.preview(base, row, settings)

    learned = [is_learned for _, is_learned in tokens]
    answer = "".join(text for text, is_learned in tokens if is_learned)
    assert answer.strip() == row.answer + base.processor.tokenizer.eos_token
    assert learned == sorted(learned)  # nothing before it, nothing after it
    asked = base.processor(
        images=[base.photo(Path(row.path))], text=[base.prompt("Where?")], return_tensors="pt", add_special_tokens=False
    )["input_ids"]
    assert len(learned) - sum(learned) == asked.shape[1]  # the rest is what is asked in use


def test_photos_that_are_gone_are_counted(work: Work, toy: ToyWorld) -> None:
    gone = [row.__class__(**{name: getattr(row, name) for name in row.__slots__} | {"path": row.path + "x"}) for row in toy.album]

    assert examples.present([*toy.album[:3], gone[0]], work) == toy.album[:3]
    assert "1 of 4 photos are not there any more" in of_kind(work.folder, Alert)[-1].reason
    with pytest.raises(DatasetError, match="None of the"):
        examples.present(gone, work)
    with pytest.raises(DatasetError, match="no photo to train on"):
        examples.present([], work)


def test_a_photo_that_is_damaged_in_the_middle_of_a_run_is_named(work: Work, toy: ToyWorld, tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    base = load(toy.taught, work.config.model)
    row = type(toy.album[0])(**{name: getattr(toy.album[0], name) for name in toy.album[0].__slots__} | {"path": str(broken)})

    with pytest.raises(PhotoError, match=r"broken\.jpg"):
        examples.for_sft(base, [row], work.config.model)[0]


@given(st.integers(2, 60), st.integers(0, 2**31))
def test_the_control_gives_every_photo_another_ones_place(count: int, seed: int) -> None:
    rows: Any = list(range(count))
    shuffled = grpo.shuffled(rows, seed)

    assert sorted(shuffled) == rows
    assert all(mine != other for mine, other in zip(rows, shuffled, strict=True))


# ---- rewards as they are shown ----


def test_advantages_are_those_of_the_method() -> None:
    assert advantages([0.9833, 0.8667, 0.5, 0], 4, "group") == pytest.approx([0.8943, 0.6308, -0.1977, -1.3274], abs=1e-3)


@given(st.lists(st.floats(0, 1), min_size=4, max_size=24), st.sampled_from(["group", "batch", "none"]))
def test_advantages_of_whole_groups_have_no_mean(rewards: list[float], scale: Any) -> None:
    found = advantages(rewards, 4, scale)

    whole = len(rewards) // 4 * 4
    assert found[whole:] == [None] * (len(rewards) - whole)
    for first in range(0, whole, 4):
        group = [value for value in found[first : first + 4] if value is not None]
        assert statistics.fmean(group) == pytest.approx(0, abs=1e-6)


def test_optional_rewards_are_part_of_what_is_shown(work: Work) -> None:
    config = RunConfig(grpo=Grpo(generations=2, batch=2, names_weight=0.2, agreement_weight=0.1))
    functions, weights = grpo.rewards(config, work.events)
    state = type("State", (), {"global_step": 4})()
    text = "Continent: Europe\nCountry: Portugal\nState: Lisbon\nCity: Lisbon\nCoordinates: (38.72, -9.14)"
    columns: dict[str, Any] = {
        "lat": [38.72, 38.72], "lon": [-9.14, -9.14], "country": ["Portugal"] * 2, "province": ["Lisbon"] * 2, "city": ["Lisbon"] * 2,
        "path": ["a.jpg"] * 2, "trainer_state": state,
    }  # fmt: skip

    assert functions[0](["nothing", text], **columns) == [0.0, 1.0]
    assert weights == [1.0, 0.0, 0.0, 0.0, 0.2, 0.1]
    nothing, right = of_kind(work.folder, Sample)
    assert (nothing.step, nothing.lat, nothing.reward, nothing.distance_km) == (5, None, 0.0, None)
    agreement = functions[-1](["nothing", text], **columns)[1]
    assert right.parts == {"reward": 1.0, "names": 1.0, "agreement": agreement, "r_distance": 1.0, "r_format": 1.0}
    assert right.reward == pytest.approx(1.2 + 0.1 * (agreement or 0.0))
    assert [function.__name__ for function in functions] == [  # type: ignore[attr-defined]
        function.__name__ for function in reward_functions(Rule(), names=1, agreement=1, labeller=grpo.Regions("polygons"))[0]  # type: ignore[attr-defined]
    ]  # fmt: skip


# ---- what is remembered, and what may change ----


def test_a_stage_is_done_when_its_note_and_what_it_made_are_there(work: Work) -> None:
    assert not work.is_done(SFT)
    work.done(SFT, made=["model"], steps=3)
    assert not work.is_done(SFT)
    (work.stage(SFT) / "model").mkdir()
    assert work.is_done(SFT)
    assert work.facts(SFT) == {"made": ["model"], "steps": 3}
    assert work.adapter(SFT) == work.folder / "sft" / "model"
    (work.folder / "sft" / "done.json").write_text("[")
    assert not work.is_done(SFT)


def test_changes_that_count_are_said_and_others_are_not() -> None:
    def of(**sections: Any) -> dict[str, Any]:
        return changes.record(RunConfig(**sections), GRPO, rows="a")

    assert changes.since(of(), of(grpo=Grpo(probe_every=7, save_every=9), sft=Sft(batch=2))) == ()
    assert changes.since(of(), of(grpo=Grpo(beta=0.1))) == ("grpo.beta was changed from 0.04 to 0.1.",)
    assert "photos" in changes.since(of(), of() | {"rows": "b"})[0]
    assert changes.since({}, of()) == ()  # a checkpoint whose note is gone
    with pytest.raises(RunError, match=r"model\.method was changed"):
        changes.since(of(), of(model=Model(method="full")))


def test_a_new_rate_counts_and_an_old_one_stays_to_the_last_bit() -> None:
    weight = torch.nn.Parameter(torch.zeros(1))
    optimizer = torch.optim.AdamW([weight], lr=0.1)
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: 1 / (1 + step))
    optimizer.step()
    schedule.step()
    before = optimizer.param_groups[0]["lr"]

    set_rate(optimizer, schedule, 0.1)
    assert optimizer.param_groups[0]["lr"] == before
    set_rate(optimizer, schedule, 0.01)
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.005)
    schedule.step()
    assert optimizer.param_groups[0]["lr"] == pytest.approx(0.01 / 3)


def test_measuring_draws_no_random_number_of_the_training() -> None:
    def draw(_: int = 0) -> float:
        return float(torch.rand(1)) + random.random() + float(np.random.rand())

    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    expected = draw()
    torch.manual_seed(0), random.seed(0), np.random.seed(0)
    undisturbed(draw, 1)

    assert draw() == expected


# ---- arguments ----


def test_arguments_are_those_of_the_method(tmp_path: Path) -> None:
    config = RunConfig(model=Model(precision="fp32"))
    ours = for_grpo(config, tmp_path, weights=[1.0])

    assert (ours.beta, ours.loss_type, ours.scale_rewards, ours.temperature, ours.top_k) == (0.04, "grpo", "group", 1.0, 0)
    assert (ours.num_generations, ours.num_iterations, ours.use_bias_correction_kl) == (8, 1, False)
    assert for_sft(config, tmp_path).max_length is None
    assert (ours.bf16, ours.logging_nan_inf_filter) == (False, False)


def test_a_missing_vllm_is_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="vLLM is not installed"):
        for_grpo(RunConfig(model=Model(precision="fp32"), grpo=Grpo(vllm="colocate")), tmp_path, weights=[1.0])


# ---- models that cannot be used ----


@pytest.fixture
def model(toy: ToyWorld, tmp_path: Path) -> Path:
    folder = tmp_path / "model"
    folder.mkdir()
    for file in toy.base.iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    return folder


@pytest.mark.parametrize(
    ("file", "sentence"),
    [
        ("config.json", "no model to train"),
        ("tokenizer.json", "tokenizer or the image processor"),
        ("processor_config.json", "tokenizer or the image processor"),
        ("chat_template.jinja", "no chat template"),
        ("model.safetensors", "cannot be loaded"),
    ],
)
def test_a_model_that_lacks_a_file_is_refused(file: str, sentence: str, model: Path) -> None:
    (model / file).unlink()

    with pytest.raises(RunError, match=sentence):
        load(model, Model(**LORA))


def test_a_model_that_lacks_weights_is_refused_and_not_filled_with_random_ones(model: Path) -> None:
    weights = load_file(model / "model.safetensors")
    lost = sorted(weights)[3]
    save_file({name: value for name, value in weights.items() if name != lost}, model / "model.safetensors", {"format": "pt"})

    with pytest.raises(RunError, match="lacks 1 of its weights"):
        load(model, Model(**LORA))


def test_other_models_and_impossible_wishes_are_refused(model: Path, toy: ToyWorld) -> None:
    with pytest.raises(RunError, match="4 bits|qlora") as refused:
        load(model, Model(**LORA | {"method": "qlora"}), trainable=True)
    assert "lora" in refused.value.hint
    with pytest.raises(RunError, match="fp16"):
        load(model, Model(**LORA | {"precision": "fp16"}))
    config = json.loads((model / "config.json").read_text())
    (model / "config.json").write_text(json.dumps(config | {"model_type": "bert"}))
    with pytest.raises(RunError, match="'bert'"):
        load(model, Model(**LORA))


def test_an_adapter_of_another_model_is_refused(finished: Path, tmp_path: Path) -> None:
    tiny.build("qwen2vl", tmp_path)

    with pytest.raises(RunError, match="cannot be put on the model"):
        load(tmp_path, Model(**LORA), adapter=finished / "sft" / "model")


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_tower_is_trained_only_when_it_is_not_frozen(family: str, tmp_path: Path) -> None:
    tiny.build(family, tmp_path)
    for method, frozen in itertools.product(("lora", "full"), (True, False)):
        settings = Model(**LORA | {"method": method, "freeze_vision": frozen})
        names = [
            name for name, weight in load(tmp_path, settings, trainable=True).model.named_parameters() if weight.requires_grad
        ]
        in_tower = [name for name in names if any(part in TOWERS for part in name.split("."))]
        assert len(in_tower) < len(names)
        assert bool(in_tower) is not frozen
        assert not any("lm_head" in name for name in names if method == "lora")


# ---- errors of the libraries ----


def test_too_little_memory_names_three_settings() -> None:
    with pytest.raises(RuntimeError) as refused:
        torch.empty(2**60, dtype=torch.uint8)
    for error in (refused.value, torch.OutOfMemoryError("CUDA out of memory."), MemoryError()):
        said = in_words(error, RunConfig())
        assert said is not None
        assert "is not enough" in str(said)
        assert all(name in said.hint for name in ("grpo.batch is 8", "model.max_pixels is 262144", "grpo.max_answer_tokens"))


def test_only_mistakes_of_the_program_have_no_sentence() -> None:
    assert in_words(ZeroDivisionError(), RunConfig()) is None
    assert in_words(RuntimeError("shapes do not match"), RunConfig()) is None
    gone = in_words(FileNotFoundError(2, "No such file or directory", "photo.jpg"), RunConfig())
    assert "photo.jpg" in str(gone)
    known = RunError("known")
    assert in_words(known, RunConfig()) is known


def test_part_train_is_what_is_trained_on(toy: ToyWorld, tmp_path: Path) -> None:
    with run_of(tmp_path / "run", toy.album, toy.taught) as work:
        chosen = grpo.chosen(work)
        assert chosen == [row for row in toy.album if row.part is Part.TRAIN]
        work.done("hard", ids=[chosen[1].id])
        assert grpo.chosen(work) == [chosen[1]]
        work.done("hard", ids=["nobody"])
        with pytest.raises(DatasetError, match="None of the photos"):
            grpo.chosen(work)
