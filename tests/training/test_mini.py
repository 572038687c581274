"""The making of the embedded model, from album to model folder, on a small made-up album; and its parts by themselves."""

from __future__ import annotations

import copy
import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from PIL import Image  # noqa: E402
from trl.trainer.utils import add_fused_lm_head  # noqa: E402

from georapp import gazetteer, models  # noqa: E402
from georapp.chain import Chain, Level, parse  # noqa: E402
from georapp.engine import EngineOptions  # noqa: E402
from georapp.geo import Coordinate, distance_km  # noqa: E402
from georapp.locate import Locator, Request  # noqa: E402
from georapp.neighbours import read_references  # noqa: E402
from georapp.network import Pixels, open_network, run_network  # noqa: E402
from georapp.photo import read as read_photo  # noqa: E402
from georapp.photo import scaled_to  # noqa: E402
from georapp.stop_flag import StopFlag  # noqa: E402
from tests.conftest import textured  # noqa: E402
from training.album import Album, bucket, distances_km, read_album  # noqa: E402
from training.mini.__main__ import Making  # noqa: E402
from training.mini.card import card, credits  # noqa: E402
from training.mini.corpus import RealExamples, Records, answer_text  # noqa: E402
from training.mini.evidence import (  # noqa: E402
    FEATURES,
    NUMBERS,
    SLOTS,
    WORDS,
    Candidates,
    RowWriter,
    candidates_of,
    references_of,
    rows_of,
)
from training.mini.moved import MovedExamples, Towns  # noqa: E402
from training.mini.pretrain import answer_loss  # noqa: E402
from training.mini.publish import Finished, publish  # noqa: E402
from training.mini.settings import AnswerSettings, EvidenceSettings, Phase, Settings, TextSettings, TowerSettings  # noqa: E402
from training.mini.sft import IGNORED, Collator  # noqa: E402
from training.mini.thresholds import NEVER, Judged, judged, needed_shares  # noqa: E402
from training.mini.tower import levels_of, loss_of  # noqa: E402
from training.mini.views import whole  # noqa: E402
from training.mini.vocabulary import Vocabulary  # noqa: E402

SITES = {"Paris": (48.8584, 2.2945), "Rome": (41.8902, 12.4922), "Sydney": (-33.8568, 151.2153), "Lima": (-12.046, -77.043)}
SITES_IN = {"France", "Italy", "Australia", "Peru"}
SMALL = Settings(
    folds=2,
    threads=1,
    tower=TowerSettings(image_size=64, views=1, width=4, epochs=1, batch=4),
    evidence=EvidenceSettings(candidates=3),
    text=TextSettings(
        vocabulary=600,
        width=64,
        layers=1,
        heads=2,
        inner=96,
        pretrain_phases=(Phase(640, 1.5e-3, 6.0),),
        pretrain_batch=32,
        sft_epochs=1,
        sft_batch=8,
        smallest_town=2_000_000,
    ),
    answer=AnswerSettings(samples=4, temperatures=(0.5, 1.0)),
)


@pytest.fixture(scope="module")
def album_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 pictures by 24 photographers at 4 sights: those of a sight look alike."""
    folder = tmp_path_factory.mktemp("album")
    with (folder / "photos.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "file", "lat", "lon", "precision", "photographer_or_group", "licence", "split"))
        for i in range(48):
            site = i % len(SITES)
            lat, lon = list(SITES.values())[site]
            name = f"{i:02d}.jpg"
            base, noise = np.asarray(textured(96, 72, site), float), np.asarray(textured(96, 72, 100 + i), float)
            Image.fromarray((0.7 * base + 0.3 * noise).astype(np.uint8)).save(folder / name)
            split = "val" if i >= 40 else "train"
            table.writerow((f"p{i:02d}", name, lat + i * 1e-4, lon, "landmark", f"Author {i // 2}", "CC0", split))
    return folder


@pytest.fixture(scope="module")
def album(album_folder: Path) -> Album:
    return read_album(album_folder)


@pytest.fixture(scope="module")
def made(album: Album, tmp_path_factory: pytest.TempPathFactory) -> tuple[Finished, Path]:
    folder = tmp_path_factory.mktemp("mini")
    done = Making(album, folder / "work", SMALL).run()
    publish(done, folder / "model", SMALL, {"command": "test"})
    return done, folder / "model"


def test_the_split_keeps_photographers_and_places_apart(album: Album) -> None:
    assert len(album.fit) + len(album.known) + len(album.new) + album.unused == 48
    assert not {p.author for p in album.fit} & {p.author for p in album.known}
    assert {p.split for p in album.new} == {"val"}
    assert len(album.fit) >= 24


def test_the_finished_folder_is_a_model_that_answers(made: tuple[Finished, Path], album_folder: Path) -> None:
    _, folder = made
    model = models.read(folder)
    models.check_heads(model)
    with Locator.open(model, EngineOptions(threads=1)) as locator:
        prediction = locator.locate(read_photo(album_folder / "40.jpg"), Request(samples=4, seed=1))
    assert len(prediction.samples) == 4
    assert all(sample.text for sample in prediction.samples)


def test_the_network_file_computes_what_torch_computes(made: tuple[Finished, Path], album_folder: Path, album: Album) -> None:
    done, folder = made
    image = scaled_to(read_photo(album_folder / "41.jpg").pixels(), (64, 64))
    session = open_network(folder / "tower.onnx", threads=1)
    out = run_network(session, Pixels(image.tobytes(), *image.size), StopFlag())
    with torch.no_grad():
        features = done.trunk.eval()(done.trunk.lower(whole(image, 64)[None]))
        rows = done.decoder.model.rows(_evidence(torch.from_numpy(out["features"]), done))
    assert float((features.numpy() * out["features"]).sum()) > 0.999  # weights lie in the file as 16-bit floats
    assert out["rows"].shape == (1, SMALL.evidence.candidates * WORDS, SMALL.text.width)
    assert np.abs(out["rows"] - rows.numpy()).max() < 0.02 * float(rows.std())


def _evidence(features: Any, done: Finished) -> Any:
    references = replace(done.references, features=done.references.features.half().float())  # as they lie in the file
    found = candidates_of(features, references, done.trunk.sharpness, SMALL.evidence)
    words = RowWriter(done.vocabulary).table([photo.chain for photo in done.photos])
    return rows_of(words[found.index], found.numbers)


def test_llama_cpp_writes_the_same_greedy_answer_as_torch(made: tuple[Finished, Path], album_folder: Path) -> None:
    done, folder = made
    session = open_network(folder / "tower.onnx", threads=1)
    with Locator.open(models.read(folder), EngineOptions(threads=1)) as locator:
        for name in ("40.jpg", "41.jpg", "42.jpg", "43.jpg"):
            photo = read_photo(album_folder / name)
            image = scaled_to(photo.pixels(), (64, 64))
            features = torch.from_numpy(run_network(session, Pixels(image.tobytes(), *image.size), StopFlag())["features"])
            expected = done.decoder.answers(done.vocabulary, _evidence(features, done), temperature=0.0)[0][0]
            got = locator.locate(photo, Request(samples=1)).samples[0].text
            assert got[:20] == expected[:20]  # a barely trained model is torn between words, later ones may differ


def test_references_say_where_each_photo_was_taken(made: tuple[Finished, Path]) -> None:
    done, folder = made
    references = read_references(folder / "references.npz")
    assert [row.coordinate for row in references.rows] == [photo.coordinate for photo in done.photos]
    probed = references.probed(done.references.features[0].numpy())
    assert probed is not None
    assert any(distance_km(probed, photo.coordinate) < 1 for photo in done.photos)


def test_a_second_run_takes_what_the_first_one_left(made: tuple[Finished, Path], album: Album) -> None:
    done, folder = made
    again = Making(album, folder.parent / "work", SMALL).run()
    assert all(torch.equal(a, b) for a, b in zip(done.decoder.parameters(), again.decoder.parameters(), strict=True))
    assert again.needed == done.needed


# ---- parts ----


def test_the_loss_counts_the_answer_and_nothing_else(made: tuple[Finished, Path]) -> None:
    vocabulary = made[0].vocabulary
    batch = Collator(vocabulary)([{"evidence": torch.zeros(4, FEATURES), "text": text} for text in ("Country: France", "x")])
    assert (batch["labels"][:, : len(vocabulary.prompt(4))] == IGNORED).all()
    counted = [vocabulary.tokenizer.decode(row[row != IGNORED]) for row in batch["labels"]]
    assert counted == ["Country: France<|end|>", "x<|end|>"]
    assert (batch["input_ids"] == vocabulary.row).sum(1).tolist() == [4, 4]


@torch.no_grad()
def test_the_rows_reach_the_loss_of_the_trainer_too(made: tuple[Finished, Path]) -> None:
    done = made[0]
    evidence = torch.cat(
        [torch.tensor([[70.0, 9, 8, 1], [71.0, 9, 8, 2], [300.0, 9, 8, 3], [301.0, 9, 8, 4]]), torch.randn(4, NUMBERS)], 1
    )
    batch = Collator(done.vocabulary)([{"evidence": evidence, "text": "Country: France"}])
    model = copy.deepcopy(done.decoder)
    plain = model(**batch).loss
    add_fused_lm_head(model)  # what TRL's trainers do: they call the backbone past the causal model
    fused = -model(**batch, fused_lm_head=True).log_probs.sum() / (batch["labels"] != IGNORED).sum()
    assert float(plain) == pytest.approx(float(fused), rel=1e-4)
    assert float(plain) == pytest.approx(float(answer_loss(model, batch)), rel=1e-4)
    other = dict(batch, evidence=batch["evidence"].flip(1))
    assert float(model(**other).loss) != pytest.approx(float(plain), rel=1e-6)


def test_every_town_can_be_written_and_read_again(made: tuple[Finished, Path]) -> None:
    vocabulary: Vocabulary = made[0].vocabulary
    for text in Towns(gazetteer.load(), 2_000_000).every_text():
        assert vocabulary.text([*vocabulary.ids(text), vocabulary.end, vocabulary.pad]) == text
        assert parse(text).coordinate is not None


def test_a_candidates_rows_spell_its_chain(made: tuple[Finished, Path], album: Album) -> None:
    vocabulary = made[0].vocabulary
    chain = album.fit[0].chain
    rows = RowWriter(vocabulary).words(chain)
    assert len(rows) == WORDS
    spelt = [vocabulary.text([word for word, _, _, slot in rows if slot == number]).strip() for number in range(len(SLOTS))]
    assert chain.coordinate is not None
    assert spelt[:3] == ["", f"{chain.coordinate.lat:.2f}", f"{chain.coordinate.lon:.2f}"]
    for level, text in zip(Level, spelt[3:], strict=True):
        assert (chain.name(level) or "").startswith(text)
    assert spelt[4] == chain.name(Level.COUNTRY)


def test_candidates_lie_apart_and_leave_out_what_is_excluded(album: Album) -> None:
    photos = album.fit
    torch.manual_seed(0)
    features = torch.nn.functional.normalize(torch.randn(len(photos), 8), dim=1)
    references = references_of(features, photos, SMALL.evidence, 1e-4)
    km = torch.from_numpy(distances_km(photos, photos))
    found = candidates_of(features, references, 10.0, SMALL.evidence)
    assert found.numbers.shape == (len(photos), 3, NUMBERS)
    for index in found.index:
        assert (km[index][:, index][~torch.eye(3, dtype=torch.bool)] > 25).all()
    votes = found.numbers[..., 6]
    assert (votes[:, :-1] >= votes[:, 1:] - 1e-6).all()
    away = candidates_of(features, references, 10.0, SMALL.evidence, km <= 50)
    assert (km[torch.arange(len(photos))[:, None], away.index] > 50).all()


def test_moved_examples_keep_the_same_the_same(made: tuple[Finished, Path], album: Album) -> None:
    vocabulary = made[0].vocabulary
    photos = album.fit
    km = torch.from_numpy(distances_km(photos, photos))
    index = torch.stack([torch.arange(len(photos)), km.argmax(1)], 1)  # the photo itself, and the one farthest away
    records = Records(Candidates(index, torch.zeros(len(photos), 2, NUMBERS)), torch.arange(len(photos)))
    towns = Towns(gazetteer.load(), 1_000_000)
    evidence, texts = MovedExamples(records, photos, towns, RowWriter(vocabulary), seed=0, favour=1.0).draw(64)
    moved = 0
    for rows, text in zip(evidence, texts, strict=True):
        lat, lon = (float(vocabulary.text([int(row[0]) for row in rows[:WORDS] if row[3] == slot])) for slot in (1, 2))
        chain = parse(text)
        assert chain is not None
        assert chain.coordinate is not None
        assert distance_km(chain.coordinate, Coordinate(lat, lon)) < 2  # two decimals
        moved += (chain.name(Level.COUNTRY) or "") not in SITES_IN
    assert moved > 40
    assert MovedExamples(records, photos, towns, RowWriter(vocabulary), seed=0, favour=1.0).draw(64)[1] == texts


def test_real_examples_answer_with_the_photos_chain(made: tuple[Finished, Path], album: Album) -> None:
    photos = album.fit
    index = torch.tensor([[1, 0], [0, 1]])
    records = Records(Candidates(index, torch.ones(2, 2, NUMBERS)), torch.tensor([0, 1]))
    real = RealExamples(records, photos, RowWriter(made[0].vocabulary))
    evidence = real.evidence(torch.tensor([1]))
    assert evidence.shape == (1, 2 * WORDS, FEATURES)
    assert real.texts(torch.tensor([1])) == [answer_text(photos[1].chain)]


def test_photos_by_the_same_photographer_never_help_the_loss(album: Album) -> None:
    photos = album.fit
    levels = levels_of(photos)
    memory = torch.nn.functional.normalize(torch.randn(len(photos), 8, generator=torch.Generator().manual_seed(0)), dim=1)
    rows = torch.arange(2)
    before = loss_of(memory[rows], rows, memory, torch.tensor(5.0), levels)
    own = levels.ignore[0].clone()
    own[:2] = False  # rows of the batch are replaced by their own queries anyway
    changed = memory.clone()
    changed[own & levels.ignore[1]] = -changed[own & levels.ignore[1]]
    assert torch.isfinite(before)
    assert torch.allclose(loss_of(memory[rows], rows, changed, torch.tensor(5.0), levels), before)
    for same, _ in levels.same:
        assert not (same & levels.ignore).any()


def test_thresholds_are_the_smallest_share_that_was_right_often_enough() -> None:
    def photo(share: float, right: bool) -> Judged:
        return Judged({Level.CONTINENT: share, Level.COUNTRY: share}, {Level.CONTINENT: right, Level.COUNTRY: False}, None)

    photos = [photo(1.0, True)] * 20 + [photo(0.5, True)] * 5 + [photo(0.5, False)] * 20
    needed = needed_shares(photos, 8, 2 / 3)
    assert needed[Level.CONTINENT] == 5 / 8
    assert needed[Level.COUNTRY] == NEVER
    assert needed[Level.CITY] == NEVER


def test_answers_without_sense_are_judged_as_no_answer() -> None:
    truth = Chain.of([(Level.CONTINENT, "Europe"), (Level.COUNTRY, "France")], Coordinate(48.9, 2.3))
    found = judged(["la la la", "", "Continent: Europe\nCountry: France\nCoordinates: (48.900, 2.300)"], truth)
    assert found.right[Level.CONTINENT]
    assert found.shares[Level.CONTINENT] == pytest.approx(1 / 3)
    assert judged(["", ""], truth) == Judged({}, {}, None)


def test_folds_depend_on_the_photographer_alone(album: Album) -> None:
    assert {bucket(p.author, "fold", 3) for p in album.fit} <= {0, 1, 2}
    assert bucket("a", "fold", 3) == bucket("a", "fold", 3)
    assert replace(SMALL, seed=1).seed == 1


def test_the_card_shows_what_was_measured(made: tuple[Finished, Path], album: Album) -> None:
    share = {"share": 0.25, "count": 5, "n": 20, "low": 0.11, "high": 0.47}
    line = {
        "name": "georapp-mini",
        "within_km": dict.fromkeys(("1", "25", "200", "750", "2500"), share),
        "median_km": 1234.5,
        "geoscore": 1500.2,
        "levels": {"country": share},
    }
    part = {"n": 20, "photographers": 7, "lines": [line], "stated": {"continent": [share, {**share, "n": 0}]}}
    text = card(models.read(made[1]), album, {"parts": {"known places (x)": part}}, {"parts": {"new places (x)": part}})
    assert text.count("| georapp-mini | 25.0 (11–47) |") == 2
    assert "| 1,234 | 1,500 | 25.0 |" in text
    assert "| continent | 25.0 (11–47) | – |" in text
    assert "20 photos by 7 photographers" in text


def test_the_credits_name_every_training_photo(album: Album, tmp_path: Path) -> None:
    with (tmp_path / "photos.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(("id", "title", "photographer_or_group", "licence", "source_page"))
        table.writerows((photo.id, "A\ttitle", "Somebody", "CC0", "") for photo in (*album.fit, *album.new))
    lines = credits(tmp_path, album).splitlines()
    assert len(lines) == 1 + len(album.fit)
    assert lines[1] == f"{min(p.id for p in album.fit)}\tA title\tSomebody\tCC0\t"
