"""What is said before a run starts: what stops it, what is only a warning, what is not known yet."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from georapp import base_model, run_events, runs
from georapp.album_scan import AlbumSeen
from georapp.base_model import BaseModel
from georapp.errors import RunError
from georapp.run_estimate import total
from georapp.run_preflight import Preflight, check
from georapp.run_presets import PRESETS
from georapp.run_settings import Export, Grpo, RunConfig, Sft
from georapp.run_toml import text_of
from georapp.runs import Run, State
from georapp.training_python import Gpu, TrainingPython
from tests.unit.base_folders import PUBLISHED

VERSIONS = dict.fromkeys(("torch", "transformers", "trl", "peft", "accelerate", "datasets", "bitsandbytes", "vllm"), "1.0")
SEEN = AlbumSeen(
    photos=2000,
    with_place=1900,
    train=1600,
    held_out=280,
    countries=(),
    places=((38.7, -9.1, False), (48.1, 11.6, False), (60.0, 10.0, True)),
    left_out=("61 without a place",),
    notes=(),
)


class World(NamedTuple):
    """All that a good run needs, and where it would lie."""

    config: RunConfig
    base: BaseModel
    python: TrainingPython
    parent: Path


@pytest.fixture(scope="session")
def two_billion(tmp_path_factory: pytest.TempPathFactory) -> BaseModel:
    return base_model.read(PUBLISHED["Qwen3-VL-2B"](tmp_path_factory.mktemp("models") / "Qwen3-VL-2B"))


@pytest.fixture
def world(tmp_path: Path, two_billion: BaseModel) -> World:
    (tmp_path / "photos").mkdir()
    config = with_model(RunConfig(name="Lisbon"), base=str(two_billion.folder))
    config = dataclasses.replace(config, album=dataclasses.replace(config.album, sources=(str(tmp_path / "photos"),)))
    return World(config, two_billion, python_with(), tmp_path / "runs")


def python_with(
    name: str = "NVIDIA GeForce RTX 4090", gib: float = 24.0, *, free: float = 23.0, bf16: bool = True, **more: Any
) -> TrainingPython:
    gpus = (Gpu(name, gib, free, bf16),) if name else ()
    values: dict[str, Any] = {"versions": dict(VERSIONS), "gpus": gpus, "cores": 8, "memory_gib": 64.0}
    return TrainingPython(Path("/venv/bin/python"), "3.11.9", **(values | more))


def with_model(config: RunConfig, **values: Any) -> RunConfig:
    return dataclasses.replace(config, model=dataclasses.replace(config.model, **values))


def looked(world: World, **other: Any) -> Preflight:
    given: dict[str, Any] = {"base": world.base, "album": SEEN, "python": world.python, "parent": world.parent, "running": None}
    config = other.pop("config", world.config)
    return check(config, **(given | other))


def sentences(found: Preflight, *, stops: bool) -> str:
    return "\n".join(f"{reason.sentence} {reason.hint}" for reason in found.reasons if reason.stops == stops)


# ---- a good run ----


def test_a_run_that_can_start(world: World) -> None:
    found = looked(world)
    assert found.ready
    assert found.reasons == ()
    assert 7 < total(found.memory_sft) < total(found.memory_grpo) < 12
    assert total(found.disk) > 4
    assert found.hours
    assert found.hours.low > 0.3
    assert (found.steps_sft, found.steps_grpo) == (25, 300)
    assert found.preset == 24
    assert found.room
    assert found.room.name == "NVIDIA GeForce RTX 4090"
    assert found.disk_free_gib
    assert found.differences == {}


def test_differences_from_the_preset_of_the_card(world: World) -> None:
    config = dataclasses.replace(world.config, grpo=Grpo(beta=0.1), seed=7)
    assert looked(world, config=config).differences == {"grpo.beta": (0.1, 0.04)}
    small = looked(world, python=python_with(gib=8.0), config=PRESETS[8].config)
    assert small.preset == 8
    assert small.differences == {}
    nobody = looked(world, python=None, config=config)
    assert nobody.preset == 0
    assert nobody.differences == {"grpo.beta": (0.1, 0.04)}


def test_the_command_is_that_of_the_run_that_is_made(world: World) -> None:
    found = looked(world)
    made = runs.create(world.config.name, text_of(world.config), parent=world.parent)
    assert found.command == runs.command(made, world.python.path)
    second = looked(world)
    made = runs.create(world.config.name, text_of(world.config), parent=world.parent)
    assert second.command == runs.command(made, world.python.path)


def test_the_order_is_what_stops_first(world: World) -> None:
    found = looked(world, album=None, python=python_with(bf16=False), base=RunError("Broken.", hint="Copy it."))
    assert [reason.stops for reason in found.reasons] == sorted((reason.stops for reason in found.reasons), reverse=True)
    assert not found.ready


# ---- not known yet ----


def test_what_was_not_looked_at_is_said(world: World) -> None:
    found = looked(world, base=None, album=None, python=None)
    assert not found.ready
    said = sentences(found, stops=True)
    assert "No GPU was asked yet" in said
    assert "The model was not looked at yet." in said
    assert "The album was not scanned yet." in sentences(found, stops=False)
    assert (found.memory_sft, found.memory_grpo, found.disk, found.hours, found.room) == ((), (), (), None, None)
    assert found.command[0] == "python"


def test_without_a_python_the_memory_is_that_of_a_card(world: World) -> None:
    found, known = looked(world, python=None), looked(world)
    assert found.memory_sft == known.memory_sft
    assert found.hours is None


def test_without_an_album_no_hours(world: World) -> None:
    found = looked(world, album=None)
    assert found.ready
    assert found.hours is None
    assert found.steps_sft == 0


def test_an_empty_draft(world: World) -> None:
    found = looked(world, config=RunConfig(), base=None, album=None)
    said = sentences(found, stops=True)
    assert "No model is chosen." in said
    assert "No photos are chosen." in said
    assert "not looked" not in said


# ---- the model ----


def test_a_model_that_cannot_be_read(world: World) -> None:
    found = looked(world, base=RunError("The model in /m lacks 3 of its weights.", hint="Copy it."))
    assert "lacks 3 of its weights. Copy it." in sentences(found, stops=True)


def test_a_model_of_which_no_gguf_can_be_made(world: World) -> None:
    clip = dataclasses.replace(world.base, no_export="No GGUF can be made of it: it has a CLIP tower.")
    assert "CLIP tower" in sentences(looked(world, base=clip), stops=True)
    config = dataclasses.replace(world.config, export=Export(enabled=False))
    assert looked(world, base=clip, config=config).ready


def test_a_path_that_hangs_on_where_one_stands(world: World) -> None:
    found = looked(world, config=with_model(world.config, base="models/qwen"))
    assert "does not say where it begins" in sentences(found, stops=True)


# ---- the album ----


def test_no_photos(world: World) -> None:
    empty = dataclasses.replace(SEEN, photos=61, with_place=0, train=0, held_out=0, places=())
    said = sentences(looked(world, album=empty), stops=True)
    assert "no photo to train on: 61 photos were found, 0 of them with a place. Left out: 61 without a place." in said


def test_a_source_that_is_gone(world: World) -> None:
    (world.parent.parent / "photos").rmdir()
    assert "photos, a source of the album, is not there." in sentences(looked(world), stops=True)


def test_ten_photos(world: World) -> None:
    few = dataclasses.replace(SEEN, train=8, held_out=2)
    found = looked(world, album=few)
    assert found.ready
    assert "only 10 usable photos" in sentences(found, stops=False)


def test_few_photos_are_said_once(world: World) -> None:
    few = dataclasses.replace(SEEN, train=8, held_out=2, warnings=(("The album has only 10 usable photos.", "Add photos."),))
    assert sentences(looked(world, album=few), stops=False).count("usable photos") == 1


def test_a_step_with_more_room_than_photos(world: World) -> None:
    found = looked(world, album=dataclasses.replace(SEEN, train=5, held_out=40))
    assert "has room for 8 photos, and the album has 5" in sentences(found, stops=False)


def test_one_place(world: World) -> None:
    near = tuple((38.7 + n / 1000, -9.1, False) for n in range(50))
    found = looked(world, album=dataclasses.replace(SEEN, places=near))
    assert found.ready
    assert "at one place, within 25 km" in sentences(found, stops=False)
    assert "one place" not in sentences(looked(world), stops=False)


def test_nothing_held_out(world: World) -> None:
    found = looked(world, album=dataclasses.replace(SEEN, held_out=0))
    assert "nobody can say whether the model gets better" in sentences(found, stops=False)


# ---- Python and card ----


def test_a_python_that_does_not_answer(world: World) -> None:
    found = looked(world, python=RunError("/venv/bin/python is not there.", hint="Choose a Python."))
    assert "/venv/bin/python is not there. Choose a Python." in sentences(found, stops=True)
    assert found.hours is None


def test_trl_is_missing(world: World) -> None:
    found = looked(world, python=python_with(versions=VERSIONS | {"trl": None}, needed={"trl": "==1.16.0"}))
    said = sentences(found, stops=True)
    assert "it lacks trl." in said
    assert "/venv/bin/python -m pip install trl==1.16.0" in said


def test_four_bits_without_bitsandbytes(world: World) -> None:
    config = with_model(world.config, method="qlora")
    assert looked(world, config=config).ready
    found = looked(world, config=config, python=python_with(versions=VERSIONS | {"bitsandbytes": None}))
    assert 'model.method "qlora" cannot be used here: bitsandbytes is not installed.' in sentences(found, stops=True)


@pytest.mark.parametrize(
    ("values", "said"), [({"method": "qlora"}, "no GPU with CUDA is seen"), ({"precision": "fp16"}, "needs a GPU")]
)
def test_what_needs_a_card(world: World, values: dict[str, Any], said: str) -> None:
    found = looked(world, config=with_model(world.config, **values), python=python_with(""))
    assert said in sentences(found, stops=True)


def test_the_processor_is_slow_and_no_obstacle(world: World) -> None:
    found = looked(world, python=python_with(""))
    assert found.ready
    said = sentences(found, stops=False)
    assert "No GPU with CUDA is seen: the processor will train, for some" in said
    assert "hours" in said
    assert found.hours
    assert found.hours.low > 20
    assert found.memory_sft[0].gib == pytest.approx(2 * looked(world).memory_sft[0].gib)
    assert found.room
    assert not found.room.gpu


def test_too_little_memory_of_the_computer(world: World) -> None:
    found = looked(world, python=python_with("", memory_gib=4.0))
    said = sentences(found, stops=True)
    assert "and this computer has 4.0 GiB" in said
    assert "qlora" not in said


@pytest.mark.parametrize("precision", ["auto", "bf16"])
def test_bf16_that_is_only_imitated(world: World, precision: str) -> None:
    found = looked(world, python=python_with("Tesla T4", 15.0, bf16=False), config=with_model(world.config, precision=precision))
    said = sentences(found, stops=False)
    assert "Tesla T4 only imitates that" in said
    assert "fp16" in said


def test_too_little_memory_says_the_terms_and_what_helps(world: World) -> None:
    found = looked(world, python=python_with("NVIDIA GeForce RTX 3060", 6.0))
    said = sentences(found, stops=True)
    assert "and NVIDIA GeForce RTX 3060 has 6.0 GiB" in said
    assert "weights 4.0" in said
    assert "context 1.5" in said
    assert [f"{n}. " in said for n in (1, 2, 3)] == [True] * 3
    assert 'model.method = "qlora"' in said
    saved = float(said.partition("1. ")[2].partition(": ")[2].partition(" GiB")[0])
    assert saved < total(found.memory_grpo)


def test_what_is_advised_does_help(world: World) -> None:
    """The first advice for a card of 8 GB, followed, needs what was said."""
    said = sentences(looked(world, python=python_with(gib=8.0)), stops=True)
    assert "grpo.together = 8, slower" in said
    promised = float(said.partition("grpo.together = 8, slower: ")[2].partition(" GiB")[0])
    config = dataclasses.replace(world.config, grpo=Grpo(together=8))
    followed = looked(world, python=python_with(gib=8.0), config=config)
    assert max(map(total, (followed.memory_sft, followed.memory_grpo))) == pytest.approx(promised, abs=0.06)


def test_memory_that_is_just_enough(world: World) -> None:
    need = total(looked(world).memory_grpo)
    tight = looked(world, python=python_with(gib=need + 0.3, free=need + 0.2))
    assert tight.ready
    assert "with 15 % to spare it does not fit" in sentences(tight, stops=False)
    taken = looked(world, python=python_with(gib=24.0, free=2.0))
    assert taken.ready
    assert "of which only 2.0 are free now" in sentences(taken, stops=False)


def test_two_cards(world: World) -> None:
    two = python_with(gpus=(Gpu("A", 24, 24, True), Gpu("B", 24, 24, True)))
    assert "torchrun --nproc-per-node 2" in sentences(looked(world, python=two), stops=False)


def test_vllm(world: World) -> None:
    config = dataclasses.replace(world.config, grpo=Grpo(vllm="server", vllm_server="nonsense"))
    found = looked(world, config=config, python=python_with(versions=VERSIONS | {"vllm": None}))
    said = sentences(found, stops=True)
    assert "vLLM is not installed" in said
    assert "is no host:port" in said


# ---- disk, stages, other runs ----


def test_too_little_disk(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    real = shutil.disk_usage(world.parent.parent)

    def disk_with(gib: float) -> None:
        monkeypatch.setattr(shutil, "disk_usage", lambda _: real._replace(free=int(gib * 2**30)))

    need = total(looked(world).disk)
    disk_with(need - 1)
    assert "The run grows to about" in sentences(looked(world), stops=True)
    disk_with(need + 1)
    found = looked(world)
    assert found.ready
    assert "it would pause" in sentences(found, stops=False)
    disk_with(need + 10)
    assert looked(world).reasons == ()


def test_nothing_to_do(world: World) -> None:
    config = dataclasses.replace(world.config, sft=Sft(enabled=False), grpo=Grpo(enabled=False))
    found = looked(world, config=config)
    assert "nothing is trained" in sentences(found, stops=True)
    assert (found.memory_sft, found.memory_grpo) == ((), ())


def test_grpo_alone_and_no_export(world: World) -> None:
    config = dataclasses.replace(world.config, sft=Sft(enabled=False), export=Export(enabled=False))
    found = looked(world, config=config)
    assert found.ready
    said = sentences(found, stops=False)
    assert "GRPO begins without SFT: answers that lack country, province, city earn nothing" in said
    assert "No model folder is made" in said
    assert found.memory_sft == ()


def test_another_run_is_going_on(world: World) -> None:
    found = looked(world, running=Run(Path("/runs/2026-11-21-porto"), State.RUNNING, "grpo", 214, 400))
    assert found.ready
    said = sentences(found, stops=False)
    assert "2026-11-21-porto is going on, GRPO, step 214 of 400." in said
    assert "queue" in said
    assert looked(world, running=Run(Path("/runs/x"), State.FINISHED)).reasons == ()


def test_hours_of_an_earlier_run(world: World) -> None:
    folder = runs.create("earlier", text_of(world.config), parent=world.parent)
    lines = [run_events.to_line(run_events.Step("grpo", n, 300, {}, at=100.0 * n)) for n in range(1, 9)]
    (folder / run_events.EVENTS).write_bytes(b"".join(lines))
    found = looked(world).hours
    assert found
    assert found.measured
    assert found.low > 300 * 100 / 3600


def test_names_of_strangers_are_printable(world: World) -> None:
    found = looked(world, base=RunError("The model in /a\x1b[2J\u202eb is odd.", hint="\x07"))
    assert all((reason.sentence + reason.hint).isprintable() for reason in found.reasons)
    assert found.reasons


def test_all_words_end_as_sentences(world: World) -> None:
    config = with_model(RunConfig(), method="full", precision="bf16")
    found = looked(
        world, config=config, album=None, python=python_with("Tesla T4", 15.0, bf16=False, problems=("One thing is odd.",))
    )
    assert len(found.reasons) >= 4
    assert all(reason.sentence.endswith(".") for reason in found.reasons)
