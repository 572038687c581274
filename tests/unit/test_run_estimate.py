"""Memory, disk, steps and hours of a run: against the published table of the method, and that each setting moves what it should."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from georapp import base_model, run_events, run_time, runs
from georapp.base_model import BaseModel
from georapp.run_estimate import disk, hours, memory, steps, total
from georapp.run_pace import paces
from georapp.run_presets import PRESETS
from georapp.run_settings import Export, Grpo, Model, RunConfig, Sft
from georapp.run_time import Pace, device_of, step_seconds
from georapp.run_toml import text_of
from georapp.training_python import Gpu, TrainingPython
from tests.unit.base_folders import PUBLISHED, qwen3_vl


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> dict[str, BaseModel]:
    folder = tmp_path_factory.mktemp("published")
    return {name: base_model.read(make(folder / name)) for name, make in PUBLISHED.items()}


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return base_model.read(qwen3_vl(tmp_path_factory.mktemp("small") / "m", layers=2, hidden=128, inner=256, heads=2))


def card(name: str = "NVIDIA GeForce RTX 4090", gib: float = 24.0, *, bf16: bool = True, cores: int = 8) -> TrainingPython:
    gpus = (Gpu(name, gib, gib - 0.5, bf16),) if name else ()
    return TrainingPython(Path("/usr/bin/python3"), "3.11", {"torch": "2.13.0"}, gpus, cores=cores, memory_gib=32.0)


def needed(base: BaseModel, config: RunConfig, stage: Any = "grpo", **more: Any) -> float:
    return total(memory(base, config, stage, **more))


# ---- the table ----

TABLE = {  # GiB: SFT with 4 photos in bf16, GRPO with 8 answers at once in bf16, GRPO in 4 bits with 1 at once and 8 in turn, full states
    "Qwen3-VL-2B": (7.6, 8.9, 4.6, 32),
    "Qwen2.5-VL-3B": (11.2, 12.7, 6.0, 56),
    "Qwen3-VL-4B": (12.6, 14.2, 6.4, 66),
    "Qwen2.5-VL-7B": (20.4, 22.3, 9.6, 124),
    "Qwen3-VL-8B": (21.4, 23.4, 10.2, 131),
}


@pytest.mark.parametrize("name", TABLE)
def test_the_published_table(models: dict[str, BaseModel], name: str) -> None:
    """It counts 600 tokens a sequence; here they follow from the question, so a few tenths of a GiB may differ."""
    sft, grpo, four_bits, full = TABLE[name]
    base, at_once = models[name], Grpo(batch=8, accumulate=1)
    lora = RunConfig(model=Model(freeze_vision=True), sft=Sft(batch=4), grpo=at_once)
    qlora = RunConfig(model=Model(method="qlora"), grpo=Grpo(batch=1, accumulate=8))
    assert needed(base, lora, "sft") == pytest.approx(sft, abs=0.4)
    assert needed(base, lora) == pytest.approx(grpo, abs=0.5)
    assert needed(base, qlora) == pytest.approx(four_bits, abs=0.4)
    whole = memory(base, RunConfig(model=Model(method="full", freeze_vision=False)), "sft")
    assert whole[0].gib == pytest.approx(full, abs=1)


def test_the_terms_of_one_row(models: dict[str, BaseModel]) -> None:
    terms = {term.name: term.gib for term in memory(models["Qwen3-VL-2B"], RunConfig(), "sft")}
    assert terms["Weights"] == pytest.approx(4.0, abs=0.05)
    assert terms["LoRA and optimiser"] == pytest.approx(0.5, abs=0.05)
    assert terms["Context"] == 1.5
    four_bits = memory(models["Qwen3-VL-2B"], RunConfig(model=Model(method="qlora")), "sft")
    assert four_bits[0].gib == pytest.approx(2.0, abs=0.05)
    assert all(term.about.endswith(".") for term in four_bits)


def test_all_answers_of_a_step_are_written_together(models: dict[str, BaseModel]) -> None:
    """Half as many at once and twice as often does not make the memory of generate() smaller."""
    base = models["Qwen3-VL-4B"]
    many = memory(base, RunConfig(grpo=Grpo(batch=1, accumulate=64)), "grpo")
    few = memory(base, RunConfig(grpo=Grpo(batch=1, accumulate=8)), "grpo")
    assert many[-2].name == "Memory of the answers (KV)"
    assert many[-2].gib == pytest.approx(64 * 505 * 144 / 2**20, rel=0.01)
    assert total(many) - total(few) > 3
    assert "grpo.batch x grpo.accumulate" in many[-2].about


@pytest.mark.parametrize(
    ("cheap", "dear"),
    [
        (Model(method="qlora"), Model()),
        (Model(), Model(method="full")),
        (Model(lora_rank=8), Model(lora_rank=64)),
        (Model(max_pixels=65_536), Model(max_pixels=786_432)),
        (Model(precision="bf16"), Model(precision="fp32")),
        (Model(), Model(checkpointing=False)),
        (Model(), Model(freeze_vision=False)),
        (Model(method="full"), Model(method="full", freeze_vision=False)),
    ],
)
@pytest.mark.parametrize("stage", ["sft", "grpo"])
def test_what_costs_memory(models: dict[str, BaseModel], cheap: Model, dear: Model, stage: str) -> None:
    base = models["Qwen3-VL-2B"]
    assert needed(base, RunConfig(model=cheap), stage) < needed(base, RunConfig(model=dear), stage)


def test_a_reference_costs_memory(models: dict[str, BaseModel]) -> None:
    base, held, free = models["Qwen3-VL-2B"], Grpo(beta=0.04), Grpo(beta=0.0)
    lora = needed(base, RunConfig(grpo=held)) - needed(base, RunConfig(grpo=free))
    assert lora == pytest.approx(4 * base.lora_parameters(32) / 2**30)
    full = Model(method="full")
    more = needed(base, RunConfig(model=full, grpo=held)) - needed(base, RunConfig(model=full, grpo=free))
    assert more == pytest.approx(4 * base.parameters / 2**30)


def test_without_bf16_auto_means_twice_the_weights(models: dict[str, BaseModel]) -> None:
    base, config = models["Qwen3-VL-2B"], RunConfig()
    assert memory(base, config, "sft", bf16=False)[0].gib == pytest.approx(2 * memory(base, config, "sft")[0].gib)


def test_vllm_takes_its_share_of_the_card(models: dict[str, BaseModel]) -> None:
    config = RunConfig(grpo=Grpo(vllm="colocate", vllm_memory=0.25))
    terms = {term.name: term.gib for term in memory(models["Qwen3-VL-2B"], config, "grpo", gpu_gib=80)}
    assert terms["vLLM"] == 20
    assert "Memory of the answers (KV)" not in terms


@pytest.mark.parametrize(
    ("size", "name"), [(8, "Qwen3-VL-4B"), (12, "Qwen3-VL-2B"), (16, "Qwen2.5-VL-3B"), (24, "Qwen3-VL-4B"), (48, "Qwen3-VL-8B")]
)
def test_presets_fit_what_they_are_for(models: dict[str, BaseModel], size: int, name: str) -> None:
    assert max(needed(models[name], PRESETS[size].config, stage) for stage in ("sft", "grpo")) < size


# ---- disk ----


def test_disk(models: dict[str, BaseModel]) -> None:
    base, config = models["Qwen3-VL-2B"], RunConfig()
    terms = {term.name: term.gib for term in disk(base, config)}
    adapter = base.lora_parameters(32) / 2**30
    assert terms["Checkpoints"] == pytest.approx(2 * 4 * 16 * adapter)
    assert terms["Merged model"] == pytest.approx(base.bytes / 2**30)
    assert terms["GGUF files"] == pytest.approx(1.3 * base.bytes / 2**30)
    less = RunConfig(export=Export(weights="adapter"), keep_checkpoints=2)
    assert "Merged model" not in {term.name for term in disk(base, less)}
    assert total(disk(base, RunConfig(export=Export(enabled=False)))) < 6
    full = {term.name: term.gib for term in disk(base, RunConfig(model=Model(method="full")))}
    assert full["Checkpoints"] > 100
    assert "Merged model" not in full


# ---- steps and hours ----


@pytest.mark.parametrize(
    ("config", "stage", "photos", "wanted"),
    [
        (RunConfig(), "sft", 10_000, 157),
        (RunConfig(), "sft", 1, 1),
        (RunConfig(), "sft", 0, 0),
        (RunConfig(sft=Sft(epochs=2.5)), "sft", 640, 25),
        (RunConfig(sft=Sft(max_steps=7)), "sft", 640, 7),
        (RunConfig(sft=Sft(enabled=False)), "sft", 640, 0),
        (RunConfig(), "grpo", 640, 300),
        (RunConfig(grpo=Grpo(max_steps=0)), "grpo", 640, 80),
        (RunConfig(grpo=Grpo(max_steps=0)), "grpo", 3, 1),
        (RunConfig(grpo=Grpo(max_steps=0, iterations=2, epochs=0.5)), "grpo", 640, 80),
        (RunConfig(grpo=Grpo(enabled=False)), "grpo", 640, 0),
    ],
)
def test_steps(config: RunConfig, stage: Any, photos: int, wanted: int) -> None:
    assert steps(config, stage, photos) == wanted


@pytest.mark.parametrize(
    ("name", "gpu", "sft_minutes", "grpo_hours"),
    [
        ("Qwen3-VL-2B", "NVIDIA H100 80GB HBM3", 4, 1.9),
        ("Qwen3-VL-2B", "NVIDIA A100-SXM4-80GB", 12, 3.3),
        ("Qwen3-VL-2B", "NVIDIA GeForce RTX 4090", 22, 5.2),
        ("Qwen3-VL-8B", "NVIDIA H100 80GB HBM3", 15, 3.9),
        ("Qwen3-VL-8B", "NVIDIA GeForce RTX 4090", 91, 17),
    ],
)
def test_hours_of_the_published_table(
    models: dict[str, BaseModel], name: str, gpu: str, sft_minutes: float, grpo_hours: float
) -> None:
    """SFT on 10,000 photos, 1,000 steps of GRPO with 64 answers; it counts 600 tokens a sequence."""
    base, config = models[name], RunConfig()
    device = device_of(base, config, card(gpu, 80))
    sft = steps(config, "sft", 10_000) * step_seconds(base, config, "sft", device) / 60
    grpo = 1000 * step_seconds(base, config, "grpo", device) / 3600
    assert sft == pytest.approx(sft_minutes, rel=0.25)
    assert grpo == pytest.approx(grpo_hours, rel=0.25)


def test_hours_are_a_guess_and_say_so(models: dict[str, BaseModel]) -> None:
    found = hours(models["Qwen3-VL-2B"], RunConfig(), train_photos=1700, python=card())
    assert found
    assert 0.5 < found.low < found.high < 8
    assert not found.measured
    assert "A guess" in found.why
    assert "RTX 4090" in found.why


def test_a_card_that_nobody_knows_has_a_wider_guess(models: dict[str, BaseModel]) -> None:
    base = models["Qwen3-VL-2B"]
    known, unknown = (hours(base, RunConfig(), train_photos=1700, python=card(name)) for name in ("RTX 4090", "Card X"))
    assert known
    assert unknown
    assert unknown.high / unknown.low > known.high / known.low
    assert "whose speed is not known" in unknown.why


def test_the_processor_takes_much_longer(models: dict[str, BaseModel]) -> None:
    base = models["Qwen3-VL-2B"]
    fast, slow = (hours(base, RunConfig(), train_photos=1700, python=card(name)) for name in ("RTX 4090", ""))
    assert fast
    assert slow
    assert slow.low > 10 * fast.high
    assert "the processor, 8 cores" in slow.why


def test_a_measured_step_of_the_processor() -> None:
    """157 million parameters on one core: 5 to 6 s for 4 photos of 107 tokens, measured; half of it is lost in the rounding of a formula."""
    device = run_time.Device("core", run_time.CORE, 0.0, 0.0, 3)
    seconds = 4 * 107 * 157e6 * 4 / device.speed
    assert 3 < seconds < 9


@pytest.mark.parametrize("photos", [0, -1])
def test_nothing_is_known(small: BaseModel, photos: int) -> None:
    assert hours(small, RunConfig(), train_photos=photos, python=card()) is None
    assert hours(small, RunConfig(), train_photos=100) is None


def test_hours_after_an_earlier_run(small: BaseModel) -> None:
    config = RunConfig(grpo=Grpo(max_steps=100), export=Export(enabled=False))
    found = hours(small, config, train_photos=640, python=card(), paces={"sft": Pace(60, 66, "a"), "grpo": Pace(360, 400, "a")})
    assert found
    assert found.measured
    assert found.low == pytest.approx((10 * 60 + 100 * 360) / 3600, abs=0.3)
    assert found.why.startswith("Measured: the steps of SFT and GRPO took so long in a")


def test_a_pace_of_one_stage_only(small: BaseModel) -> None:
    found = hours(small, RunConfig(), train_photos=640, python=card(), paces={"sft": Pace(60, 66, "a")})
    assert found
    assert "the steps of SFT took" in found.why


# ---- earlier runs ----


def earlier(parent: Path, config: RunConfig, *, name: str = "earlier", gap: float = 2.0, machine: str = "") -> Path:
    """A run with 20 steps of SFT, some broken lines, a night in between, and 10 steps of GRPO."""
    folder = runs.create(name, text_of(config), parent=parent)
    at, events = 1000.0, [run_events.Began(1, machine or run_events.machine(), at=1000.0)]
    for stage, count, seconds in (("sft", 20, gap), ("grpo", 10, 5 * gap)):
        for step in range(1, count + 1):
            at += 40_000 if (stage, step) == ("sft", 11) else seconds
            events.append(run_events.Step(stage, step, count, {"loss": 1.0}, at=at))
    lines = [run_events.to_line(event) for event in events]
    (folder / run_events.EVENTS).write_bytes(b"".join([*lines[:5], b'{"kind": "step", "sta\n', *lines[5:]]))
    return folder


def test_paces(tmp_path: Path) -> None:
    config = RunConfig(name="x", model=Model(base="/m"))
    folder = earlier(tmp_path, config)
    assert paces(tmp_path, config) == {"sft": Pace(2.0, 2.0, folder.name), "grpo": Pace(10.0, 10.0, folder.name)}


@pytest.mark.parametrize(
    ("change", "left"),
    [
        ({"name": "y", "seed": 3}, {"sft", "grpo"}),
        ({"sft": Sft(batch=2)}, {"grpo"}),
        ({"grpo": Grpo(max_answer_tokens=64)}, {"sft"}),
        ({"grpo": Grpo(learning_rate=1e-6)}, {"sft", "grpo"}),
        ({"model": Model(base="/other")}, set()),
        ({"model": Model(base="/m", max_pixels=100_000)}, set()),
    ],
)
def test_only_runs_whose_steps_cost_the_same(tmp_path: Path, change: dict[str, Any], left: set[str]) -> None:
    earlier(tmp_path, RunConfig(name="x", model=Model(base="/m")))
    assert set(paces(tmp_path, RunConfig(**({"model": Model(base="/m")} | change)))) == left


def test_not_of_another_machine(tmp_path: Path) -> None:
    config = RunConfig(model=Model(base="/m"))
    earlier(tmp_path, config, machine="elsewhere 123 pid:[1]")
    assert paces(tmp_path, config) == {}


def test_no_earlier_runs(tmp_path: Path) -> None:
    assert paces(tmp_path / "nothing", RunConfig()) == {}
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "events.jsonl").write_text("null\n[]\n{}\n")
    (tmp_path / "folder" / "run.toml").write_text("= broken")
    assert paces(tmp_path, RunConfig()) == {}


def test_a_run_that_goes_on_is_read_again(tmp_path: Path) -> None:
    config = RunConfig(model=Model(base="/m"), grpo=Grpo(enabled=False))
    folder = runs.create("new", text_of(config), parent=tmp_path)
    assert paces(tmp_path, config) == {}
    lines = [run_events.to_line(run_events.Step("sft", n, 9, {}, at=float(n))) for n in range(1, 6)]
    (folder / run_events.EVENTS).write_bytes(b"".join(lines))
    assert paces(tmp_path, config)["sft"].usual == 1.0
