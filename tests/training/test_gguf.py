"""From trained weights to a model that georapp opens: written, compared through the real command line, described."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp import gguf_head, models  # noqa: E402
from georapp.errors import ModelError, RunError  # noqa: E402
from georapp.run_events import WORSE, Alert, ModelMade, Probe  # noqa: E402
from georapp.run_settings import Album, Export, Grpo, Model  # noqa: E402
from tests.training.toy_world import SETTINGS, ToyWorld, run_of, said  # noqa: E402
from training import gguf, merging  # noqa: E402
from training.answering import answers  # noqa: E402
from training.base import load  # noqa: E402
from training.model_card import CARD, CREDITS  # noqa: E402
from training.probe import ERROR_KM  # noqa: E402
from training.provenance import album_hash  # noqa: E402
from training.rows import AlbumRow, Part  # noqa: E402
from training.work import EXPORT, MODEL, SFT, Work  # noqa: E402

AT_ONCE = Grpo(batch=8)
LORA = {"method": "lora", "freeze_vision": True, "lora_rank": 4, "lora_alpha": 8}
# peft 0.21 asks transformers 5.23 under an old name.
pytestmark = pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing` is deprecated:FutureWarning")


def finish_sft(work: Work, trained: Path) -> None:
    """As if stage sft had made this."""
    shutil.copytree(trained, work.stage(SFT) / MODEL)
    work.done(SFT, made=[MODEL], steps=70)


def photo_column(toy: ToyWorld) -> Album:
    return Album(sources=(str(toy.shots[0].path.parent / "photos.csv"),))


def made_by(folder: Path) -> dict[str, Any]:
    return dict(models.read(folder).made_by)


# ---- a whole model ----


@dataclass
class Exported:
    """A run whose export is done."""

    folder: Path
    album: list[AlbumRow]

    @property
    def model(self) -> Path:
        return self.folder / MODEL


@pytest.fixture(scope="module")
def exported(toy: ToyWorld, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exported]:
    """Begun with random weights; SFT made the taught model."""
    folder = tmp_path_factory.mktemp("exported") / "run"
    export = Export(kinds=("f16", "q4_1"), parity_photos=6)
    with run_of(folder, toy.album, toy.base, export=export, grpo=AT_ONCE, album=photo_column(toy)) as work:
        finish_sft(work, toy.taught)
        gguf.run(work)
        assert work.is_done(EXPORT)
    yield Exported(folder, toy.album)


def test_the_model_that_georapp_runs_writes_the_chains_of_the_one_in_torch(exported: Exported) -> None:
    whole, small = made_by(exported.model)["parity"]

    assert (whole["kind"], whole["n"], whole["one_sided"]) == ("f16", 6, 0)
    assert whole["same"] >= 5  # a tie may fall otherwise
    assert whole["largest_km"] < 25
    assert (small["kind"], small["n"]) == ("q4_1", 6)


def test_the_folder_is_whole_and_of_one_piece(exported: Exported) -> None:
    model = models.read(exported.model)
    findings = list(models.check(model))

    assert [finding.sentence for finding in findings if not finding.good] == []
    assert (model.name, model.text.file, model.profile, model.licence) == ("toy-run", "text-f16.gguf", "mini", "apache-2.0")
    assert (model.multiple_of, model.max_pixels) == (64, 64 * 64)
    assert gguf_head.read(exported.model / "text-q4_1.gguf").pair == gguf_head.read(exported.model / "mmproj.gguf").pair
    assert sorted(path.name for path in (exported.folder / EXPORT).iterdir()) == ["done.json"]


def test_the_card_shows_figures_beside_their_baselines(exported: Exported) -> None:
    card = (exported.model / CARD).read_text("utf-8")
    lines = {line.split(" | ")[0].strip("| "): line.split(" | ") for line in card.splitlines() if line.startswith("|")}

    assert lines["before training"][2] == "0.0 (0–32)"
    assert lines["this model"][2] == "75.0 (41–93)"  # six of eight cities, Wilson
    assert lines["always the most frequent place"][2] == "12.5 (2–47)"
    assert lines["a training place at random"][2] == "12.5 (2–47)"
    assert "f16: " in card
    assert "apache-2.0 (as its README.md says)" in card
    assert "- CC0: 40 photos" in card
    assert "got worse" not in card
    assert str(exported.folder) not in card


def test_model_json_tells_where_the_model_comes_from(exported: Exported) -> None:
    told = made_by(exported.model)

    assert (told["run"], told["base_licence"], told["worse"]) == ("toy run", "apache-2.0", False)
    assert told["trained"] == ["supervised fine-tuning, 70 steps"]
    assert told["album_sha256"] == album_hash(exported.album)
    assert told["probe"]["this model"]["within_25_km"] == 0.75
    assert told["baselines"]["random"]["within_25_km"] == 0.125


def test_every_training_photo_is_credited(exported: Exported) -> None:
    lines = [line.split("\t") for line in (exported.model / CREDITS).read_text("utf-8").splitlines()]

    assert lines[0] == ["id", "file", "title", "author", "licence", "page"]
    assert {line[0] for line in lines[1:]} == {row.id for row in exported.album if row.part is Part.TRAIN}
    assert all(line[3].startswith("Author ") and line[4] == "CC0" for line in lines[1:])


def test_the_run_says_what_was_measured_and_made(exported: Exported) -> None:
    events = said(exported.folder)
    probes = {event.stage: event for event in events if isinstance(event, Probe)}

    assert [event.path for event in events if isinstance(event, ModelMade)] == [MODEL]
    assert probes.keys() == {"base", EXPORT}  # nobody had measured the base model before
    assert "random/within_25_km" in probes[EXPORT].values
    assert not [event for event in events if isinstance(event, Alert)]


# ---- adapters ----


@pytest.fixture(scope="module")
def adapter(toy: ToyWorld, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA that changes what the taught model says, and leaves it chains."""
    from peft import LoraConfig, get_peft_model

    from training.base import TEXT_PART

    torch.manual_seed(0)
    settings = LoraConfig(r=4, lora_alpha=8, target_modules=TEXT_PART, task_type="CAUSAL_LM")
    tuned = get_peft_model(load(toy.taught, Model(**SETTINGS)).model, settings)
    for name, weight in tuned.named_parameters():
        if "lora_B" in name:
            torch.nn.init.normal_(weight, std=0.15)
    folder = tmp_path_factory.mktemp("adapter") / "adapter"
    tuned.save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("weights", "kind"), [("merged", "f32"), ("adapter", "f16")])
def test_an_adapter_is_merged_or_lies_beside_its_base(
    weights: str, kind: str, toy: ToyWorld, adapter: Path, tmp_path: Path
) -> None:
    export = Export(weights=weights, kinds=(kind,), parity_photos=4, name="Tuned: a test")
    with run_of(tmp_path / "run", toy.album, toy.taught, model=LORA, export=export, grpo=AT_ONCE) as work:
        finish_sft(work, adapter)
        gguf.run(work)

    model = models.read(tmp_path / "run" / MODEL)
    assert model.name == "Tuned-a-test"
    assert (model.adapter is not None) == (weights == "adapter")
    assert [finding.sentence for finding in models.check(model) if not finding.good] == []
    (parity,) = model.made_by["parity"]
    assert parity["same"] >= 3
    assert parity["apart"] <= 1


def test_merged_weights_answer_as_base_and_adapter_do(toy: ToyWorld, adapter: Path, tmp_path: Path) -> None:
    photos = [shot.path for shot in toy.shots[::6]]
    with run_of(tmp_path / "run", toy.album, toy.taught, model=LORA) as work:
        finish_sft(work, adapter)
        merged = merging.weights_of(work, tmp_path / "merged")
        settings = work.config.model

    bare, beside, inside = (
        answers(load(folder, settings, adapter=extra), photos, "Where?", max_tokens=96)
        for folder, extra in ((toy.taught, None), (toy.taught, adapter), (merged.folder, merged.adapter))
    )

    assert inside == beside != bare
    assert merged.adapter is None
    assert (merged.folder / "tokenizer.json").read_bytes() == (toy.taught / "tokenizer.json").read_bytes()


def test_an_adapter_without_its_base_model_is_an_error(toy: ToyWorld, adapter: Path, tmp_path: Path) -> None:
    with run_of(tmp_path / "run", toy.album, tmp_path / "gone", model=LORA) as work:
        finish_sft(work, adapter)
        with pytest.raises(RunError, match="is no model to train"):
            gguf.run(work)


# ---- a model that got worse ----


def test_a_model_that_got_worse_says_so_everywhere(toy: ToyWorld, tmp_path: Path) -> None:
    """Begun with the taught model; "training" made it forget everything."""
    folder = tmp_path / "run"
    with run_of(folder, toy.album, toy.taught, export=Export(kinds=("q8_0",), parity_photos=0), grpo=AT_ONCE) as work:
        finish_sft(work, toy.base)
        gguf.run(work)
        assert "off in the middle" in (work.facts(EXPORT) or {})["worse"]

    model = models.read(folder / MODEL)
    assert model.made_by["worse"] is True
    assert model.about.startswith("It got worse by its training.")
    assert "**It got worse.**" in (folder / MODEL / CARD).read_text("utf-8")
    (alert,) = [event for event in said(folder) if isinstance(event, Alert)]
    assert alert.guard == WORSE
    assert "8 held-out photos" in alert.reason
    assert "not made the default" in alert.hint


def probe_of(km: float) -> Probe:
    return Probe("", 0, 8, {ERROR_KM: km})


@pytest.mark.parametrize(
    ("kilometres", "words"),
    [((100, 50, 90), "50 km after SFT"), ((50, 70, 90), "50 km before training, 70 km after SFT"), ((90, 90, 90), "")],
)
def test_it_is_compared_with_every_earlier_measurement(kilometres: tuple[float, ...], words: str) -> None:
    names = (gguf.BEFORE, gguf.AFTER_SFT, gguf.NOW)
    sentence = gguf.worse_than_before({name: probe_of(km) for name, km in zip(names, kilometres, strict=True)})

    assert words in sentence
    assert bool(sentence) == bool(words)


def test_without_a_probe_nothing_can_be_worse(toy: ToyWorld, tmp_path: Path) -> None:
    album = [row for row in toy.album if row.part is Part.TRAIN]
    with run_of(tmp_path / "run", album, toy.base, export=Export(kinds=("q4_1",))) as work:
        gguf.run(work)

    card = (tmp_path / "run" / MODEL / CARD).read_text("utf-8")
    assert "Nothing: the album has no photos that were held out." in card
    assert "Not compared" in card
    assert "these are the weights of the base model" in card


# ---- what can go wrong ----


def test_files_that_say_other_things_are_no_model(toy: ToyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    elsewhere = "Country: Chad\nCoordinates: (12.1, 15.0)"
    monkeypatch.setattr(gguf, "locate", lambda _model, photos, _events: [elsewhere] * len(photos))
    with run_of(tmp_path / "run", toy.album, toy.taught, export=Export(kinds=("f16",)), grpo=AT_ONCE) as work:
        with pytest.raises(RunError, match=r"do not say what the trained model says\. f16: 0 of 8 chains are the same"):
            gguf.run(work)
        assert not work.is_done(EXPORT)

    assert not (tmp_path / "run" / MODEL).exists()


def test_a_disk_without_room_is_noticed_before_the_work(
    toy: ToyWorld, adapter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(merging.shutil, "disk_usage", lambda _path: SimpleNamespace(free=1000))
    with run_of(tmp_path / "run", toy.album, toy.taught, model=LORA, grpo=AT_ONCE) as work:
        finish_sft(work, adapter)
        with pytest.raises(RunError, match="GB free, and making the model takes about"):
            gguf.run(work)


def test_a_model_of_another_run_is_replaced_as_a_whole(toy: ToyWorld, tmp_path: Path) -> None:
    old = tmp_path / "run" / MODEL
    old.mkdir(parents=True)
    (old / "left from before.gguf").touch()
    with run_of(tmp_path / "run", toy.album, toy.taught, export=Export(parity_photos=0), grpo=AT_ONCE) as work:
        gguf.run(work)

    assert sorted(path.name for path in old.iterdir()) == sorted(
        [CARD, CREDITS, "mmproj.gguf", models.MANIFEST, "text-q8_0.gguf"]
    )


def test_photos_of_other_sizes_than_llama_cpp_takes_are_refused(toy: ToyWorld, tmp_path: Path) -> None:
    from training.base import Scaling
    from training.model_folder import Weights, write_files, write_manifest

    settings = Export(kinds=("q4_1",))
    write_files(settings, Weights(toy.taught), tmp_path)
    with run_of(tmp_path / "run", toy.album, toy.taught, export=settings) as work:
        for scaling in (Scaling(48, 0, 64 * 64), Scaling(64, 0, 5 * 64 * 64)):
            with pytest.raises(ModelError, match="photos of other sizes"):
                write_manifest(work, tmp_path, "q4_1", scaling, about="", made_by={})


def test_the_models_answers_survive_json() -> None:
    """What `georapp locate` writes for a photo, as far as the comparison reads it."""
    from training.parity import _texts

    located = {"status": "located", "result": {"prediction": {"samples": [{"text": "City: Łódź"}]}}}

    assert _texts(json.dumps(located) + "\n" + json.dumps({"status": "failed"})) == ["City: Łódź"]
