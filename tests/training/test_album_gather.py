"""The album stage on real files: sources, gates, labels, and what is written; bad input as people have it."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageFilter

from georapp.case import Case, Ruling, Verdict
from georapp.chain import Chain, ChainFormat, Level, parse
from georapp.errors import RunError, Stopped
from georapp.events import Located
from georapp.geo import Coordinate
from georapp.intake import facts
from georapp.photo import read as read_photo
from georapp.places import Label
from georapp.prediction import Prediction
from georapp.prompt import profile_named
from georapp.run_events import Album, Alert, RunEvent, from_line
from georapp.run_settings import Model, RunConfig
from tests.conftest import textured
from tests.training.album_files import config, gathered, saved, table
from training import gather, labels, looks, readings
from training.gates import Gate
from training.report import EventWriter
from training.rows import AlbumRow, Part, read_rows

PARIS, ROME, TOKYO, OSLO, NAIROBI, LIMA = (
    (48.8566, 2.3522),
    (41.9, 12.5),
    (35.68, 139.69),
    (59.91, 10.75),
    (-1.29, 36.82),
    (-12.05, -77.04),
)
TOWNS = (PARIS, ROME, TOKYO, OSLO, NAIROBI, LIMA)


@pytest.fixture
def run(tmp_path: Path) -> Path:
    return tmp_path / "run"


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """24 photos of six towns."""
    folder = tmp_path / "photos"
    for i in range(24):
        lat, lon = TOWNS[i % 6]
        saved(folder / f"{i:02}.jpg", (lat + i / 1000, lon), seed=i)
    return folder


def events_of(run: Path) -> list[RunEvent]:
    found = (from_line(line) for line in (run / "events.jsonl").read_bytes().splitlines())
    return [event for event in found if event]


def counts(report: dict[str, dict[str, dict[str, int]]]) -> dict[str, int]:
    return {name: entry["count"] for name, entry in report["left_out"].items()}


# ---- sources ----


def test_a_folder(run: Path, photos: Path) -> None:
    report = gathered(run, config(photos))
    rows = read_rows(run / "album")
    assert len(rows) == report["photos"] == report["used"] == 24
    assert {row.country for row in rows} == {"FR", "IT", "JP", "NO", "KE", "PE"}
    assert {row.part for row in rows} == {Part.TRAIN, Part.PROBE}
    paris = next(row for row in rows if row.country == "FR")
    chain = parse(paris.answer)
    assert chain is not None
    assert chain.name(Level.CITY) == "Paris"
    assert chain.coordinate == Coordinate(round(paris.lat, 4), round(paris.lon, 4))
    assert [type(event) for event in events_of(run)][:2][1] is Album


def test_a_table_with_authors_and_a_split(run: Path, photos: Path, tmp_path: Path) -> None:
    rows = [
        f"{i:02},{TOWNS[i % 6][0]},{TOWNS[i % 6][1]},{'  ANN ' if i % 6 else 'Bob'},{'train' if i % 6 else 'VAL'}"
        for i in range(24)
    ]
    path = table(tmp_path / "places.csv", "IMG_ID,LAT,LON,AUTHOR,split", rows)
    report = gathered(run, config(path))
    made = read_rows(run / "album")
    assert {row.author for row in made if row.part is Part.TRAIN} == {"ann"}
    assert {row.author for row in made if row.part is not Part.TRAIN} == {"bob"}
    assert report["split"]["by"] == "places and photographers"
    assert report["split"]["parts"]["probe"] == {"photos": 4, "places": 1, "photographers": 1, "countries": 1}


def test_a_table_as_of_mp16(run: Path, photos: Path, tmp_path: Path) -> None:
    """IMG_ID with shards, LAT, LON and names that are not needed; the photos in a folder of the table's name."""
    lines = []
    for i in range(24):
        name = f"{i:02}/a{i}.jpg"
        (tmp_path / "MP16" / f"{i:02}").mkdir(parents=True)
        shutil.copy(photos / f"{i:02}.jpg", tmp_path / "MP16" / name)
        lines.append(f"{name},{TOWNS[i % 6][0]},{TOWNS[i % 6][1]},,Somewhere")
    path = table(tmp_path / "MP16.csv", "IMG_ID,LAT,LON,neighbourhood,city", lines)
    assert gathered(run, config(path))["used"] == 24


def accepted(place: Coordinate) -> Located:
    """An answer of a model."""
    return Located("1", "mini", "f" * 64, 1, "mini", 7, 0.7, Prediction(Chain(), place, 1.0, 90.0, ()))


def test_a_case_gives_its_judged_photos(run: Path, photos: Path, tmp_path: Path) -> None:
    """The place that a person gave, or of the answer that a person accepted; while the case is open elsewhere."""
    files = sorted(photos.iterdir())
    with Case.create(tmp_path / "a.georapp") as case:
        numbers = [number for number, _ in case.add([(file, facts("", read_photo(file))) for file in files])]
        for number in numbers[:6]:
            case.judge(number, Verdict(Ruling.CORRECTED, Coordinate(*ROME)))
        case.judge(numbers[5], Verdict(Ruling.REJECTED))
        for number in numbers[6:8]:
            case.save(number, accepted(Coordinate(*TOKYO)))
        case.judge(numbers[6], Verdict(Ruling.ACCEPTED))
        saved(files[0], seed=99)
        report = gathered(run, config(tmp_path / "a.georapp"))
        assert case.writable
    assert counts(report) == {"undecided": 18, "changed": 1}
    assert sorted(row.country for row in read_rows(run / "album")) == ["IT"] * 4 + ["JP"]


def test_the_same_photo_in_two_sources(run: Path, photos: Path, tmp_path: Path) -> None:
    """Once, at the place that a person decided; that its place was another elsewhere is said."""
    with Case.create(tmp_path / "a.georapp") as case:
        file = photos / "00.jpg"
        ((number, _),) = case.add([(file, facts("", read_photo(file)))])
        case.judge(number, Verdict(Ruling.CORRECTED, Coordinate(*TOKYO)))
    report = gathered(run, config(photos, tmp_path / "a.georapp"))
    assert counts(report) == {"duplicate": 1}
    assert report["other_places_of_copies"] == 1
    assert read_rows(run / "album")[0].country == "JP"
    assert any("other places in another source" in text for text in report["alerts"])


def test_a_copy_that_a_table_holds_out_is_not_trained_on(run: Path, photos: Path, tmp_path: Path) -> None:
    rows = ["photos/01.jpg,41.9,12.5,test", f"photos/02.jpg,{TOKYO[0]},{TOKYO[1]},train"]
    path = table(tmp_path / "test.csv", "file,lat,lon,split", rows)
    gathered(run, config(photos, path))
    assert {row.country for row in read_rows(run / "album") if row.part is not Part.TRAIN} == {"IT"}


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path / "gone", "is not there"),
        (lambda path: path.joinpath("photos.zip").write_bytes(b"x") and path / "photos.zip", "is no source"),
        (
            lambda path: path.joinpath("shards.tar").write_bytes(b"x") and path / "shards.tar",
            r"1 shards that are damaged.*shards\.tar",
        ),
        (lambda path: path / "gone.tar", "is not there"),
        (lambda path: table(path / "a.csv", "x,y", ["1,2"]), "no column for"),
        (lambda path: table(path / "a.csv", "file,lat,lon", ["none.jpg,1,2"]), "1 without a file"),
        (lambda path: path.joinpath("a.georapp").write_bytes(b"no case") and path / "a.georapp", "cannot be opened as a case"),
    ],
)
def test_sources_that_cannot_be_used(make: Callable[[Path], Path], words: str, tmp_path: Path, run: Path) -> None:
    with pytest.raises(RunError, match=words) as error:
        gathered(run, config(make(tmp_path)))
    assert error.value.hint


def test_no_sources(run: Path) -> None:
    with pytest.raises(RunError, match="has no sources"):
        gathered(run, config())


# ---- gates ----


def test_every_gate_counts(run: Path, photos: Path, tmp_path: Path) -> None:
    saved(photos / "none.jpg", seed=50)
    saved(photos / "zero.jpg", (0.0, 0.0), seed=51)
    saved(photos / "impossible.jpg", (95.0, 10.0), seed=52)
    saved(photos / "home.jpg", (52.5, 13.4), seed=53)
    saved(photos / "sea.jpg", (0.0, -30.0), seed=54)
    saved(photos / "blurred.jpg", PARIS, picture=Image.new("RGB", (320, 240), (90, 120, 150)))
    shutil.copy(photos / "00.jpg", photos / "copy.jpg")
    (photos / "broken.jpg").write_bytes((photos / "01.jpg").read_bytes()[:2000])
    (photos / "text.jpg").write_text("no photo")
    report = gathered(run, config(photos, home_zones=((52.5, 13.4, 5.0),), blur_below=1.0))
    expected = {"unreadable": 2, "no place": 1, "zero": 1, "impossible": 1, "home": 1, "blurred": 1, "duplicate": 1, "sea": 1}
    assert counts(report) == expected
    assert report["photos"] == 24 + 9
    assert report["with_place"] == 24 + 4
    assert report["used"] == 24
    event = next(event for event in events_of(run) if isinstance(event, Album))
    assert event.photos == 33
    assert event.with_place == 28
    assert event.countries == 6
    assert "2 no photos, or damaged" in event.left_out
    assert event.notes[0].startswith("Labels by polygons. By nearest others: country 0 of ")


def test_a_home_zone_also_guards_the_place_in_the_file(run: Path, photos: Path, tmp_path: Path) -> None:
    """A table that puts a photo elsewhere does not bring a photo of the home into the album."""
    path = table(tmp_path / "a.csv", "file,lat,lon", [f"photos/{i:02}.jpg,{ROME[0]},{ROME[1]}" for i in range(24)])
    report = gathered(run, config(path, home_zones=((*PARIS, 20.0),)))
    assert counts(report) == {"home": 4}


def test_gates_have_names_and_words_of_their_own() -> None:
    assert len({gate.title for gate in Gate}) == len({gate.words for gate in Gate}) == len(Gate)
    assert all(Gate.named(gate.title) is gate for gate in Gate)


def test_a_blurred_photo_is_less_sharp_than_any_other() -> None:
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 255, (1024, 1024, 3), np.uint8))
    detail = Image.blend(textured(1024, 1024), noise, 0.5)
    sharp, soft = (
        looks.sharpness(looks._shrunk(image.convert("L"))) for image in (detail, detail.filter(ImageFilter.GaussianBlur(20)))
    )
    assert soft < RunConfig().album.blur_below < sharp
    assert looks.sharpness(Image.new("L", (2, 2))) == 0


def test_looks_stay_when_a_photo_is_scaled_and_saved_again(tmp_path: Path) -> None:
    picture = textured(1600, 1200, seed=3)
    whole = readings.read(saved(tmp_path / "a.jpg", picture=picture))
    half = readings.read(saved(tmp_path / "b.jpg", picture=picture.resize((800, 600)), quality=40))
    other = readings.read(saved(tmp_path / "c.jpg", picture=textured(1600, 1200, seed=4)))
    assert isinstance(whole, readings.Reading)
    assert isinstance(half, readings.Reading)
    assert isinstance(other, readings.Reading)
    assert (whole.look ^ half.look).bit_count() <= 6
    assert (whole.look ^ other.look).bit_count() > 30


# ---- bad input ----


def test_no_photo_with_a_place(run: Path, tmp_path: Path) -> None:
    for i in range(5):
        saved(tmp_path / "photos" / f"{i}.jpg", seed=i)
    with pytest.raises(RunError, match=r"no usable photo: 5 without a place\.") as error:
        gathered(run, config(tmp_path / "photos"))
    assert "table" in error.value.hint
    assert not (run / "album" / "rows.jsonl").exists()


def test_an_empty_folder(run: Path, tmp_path: Path) -> None:
    (tmp_path / "photos").mkdir()
    with pytest.raises(RunError, match="hold no photos"):
        gathered(run, config(tmp_path / "photos"))


def test_ten_photos_of_one_place(run: Path, tmp_path: Path) -> None:
    for i in range(10):
        saved(tmp_path / "photos" / f"{i}.jpg", PARIS, seed=i, taken_at=f"2024:05:{i + 1:02} 12:00:00")
    report = gathered(run, config(tmp_path / "photos"))
    reasons = [event.reason for event in events_of(run) if isinstance(event, Alert)]
    assert "only 10 usable photos" in reasons[0]
    assert "Places stand on both sides" in reasons[1]
    assert "its figures will jump" in reasons[2]
    assert report["split"]["by"] == "days"
    assert report["split"]["smallest_km"]["probe to train"] == 0
    assert read_rows(run / "album")[0].taken_at == "2024-05-01T12:00:00"


def test_everything_is_for_testing(run: Path, photos: Path, tmp_path: Path) -> None:
    path = table(tmp_path / "a.csv", "file,lat,lon,split", [f"photos/{i:02}.jpg,41.9,12.5,test" for i in range(24)])
    with pytest.raises(RunError, match="nothing to train on"):
        gathered(run, config(path))


def test_a_moved_drive(run: Path, photos: Path, tmp_path: Path) -> None:
    rows = [f"photos/{i:02}.jpg,{TOWNS[i % 6][0]},{TOWNS[i % 6][1]}" for i in range(24)]
    path = table(tmp_path / "a.csv", "file,lat,lon", rows)
    for i in range(8):
        (photos / f"{i:02}.jpg").unlink()
    report = gathered(run, config(path))
    assert counts(report) == {"missing": 8}
    assert any("8 of 24 photos are not there" in text for text in report["alerts"])


def test_a_case_whose_photos_were_moved(run: Path, photos: Path, tmp_path: Path) -> None:
    with Case.create(tmp_path / "a.georapp") as case:
        for number, _ in case.add([(file, facts("", read_photo(file))) for file in photos.iterdir()]):
            case.judge(number, Verdict(Ruling.CORRECTED, Coordinate(*ROME)))
    photos.rename(tmp_path / "elsewhere")
    with pytest.raises(RunError, match="24 named and not there"):
        gathered(run, config(tmp_path / "a.georapp"))


def test_a_full_disk_or_a_closed_folder_is_a_sentence(run: Path, photos: Path) -> None:
    run.mkdir()
    (run / "album").write_text("a file where the folder should be")
    with pytest.raises(RunError, match="cannot be written"):
        gathered(run, config(photos))


# ---- again ----


def test_the_same_album_gives_the_same_bytes(run: Path, photos: Path, tmp_path: Path) -> None:
    gathered(run, config(photos))
    gathered(tmp_path / "again", config(photos))
    for name in ("rows.jsonl", "report.json"):
        assert (run / "album" / name).read_bytes() == (tmp_path / "again" / "album" / name).read_bytes()


def test_what_was_read_before_a_kill_is_not_read_again(run: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gathered(run, config(photos))
    before = (run / "album" / "rows.jsonl").read_bytes()
    notes = run / "album" / readings.FILE
    lines = notes.read_bytes().splitlines(keepends=True)
    notes.write_bytes(b"".join(lines[:12]) + lines[12][:40])
    (run / "album" / "rows.jsonl").unlink()
    saved(photos / "00.jpg", PARIS, seed=77)
    seen: list[str] = []
    read = readings.read
    monkeypatch.setattr(readings, "read", lambda path: seen.append(path.name) or read(path))
    gathered(run, config(photos))
    assert len(seen) == 24 - 11 + 1
    assert "00.jpg" in seen
    assert len((run / "album" / "rows.jsonl").read_bytes().splitlines()) == len(before.splitlines())
    gathered(run, config(photos))
    assert len(seen) == 24 - 11 + 1


def test_somebody_asks_to_stop(run: Path, photos: Path) -> None:
    run.mkdir()
    (run / "stop").touch()
    with EventWriter(run, beat_s=60) as events, pytest.raises(Stopped):
        gather.run(config(photos), run / "album", events)
    assert not (run / "album" / "rows.jsonl").exists()


# ---- labels ----


def test_labels_as_in_the_paper(run: Path, photos: Path) -> None:
    settings = RunConfig(model=Model(profile="geo-r"), album=config(photos, labels="nearest", decimals=6).album)
    report = gathered(run, settings)
    row = next(row for row in read_rows(run / "album") if row.country == "JP")
    assert row.answer.startswith("Country: Japan\nState: Tokyo\nCity: ")
    assert parse(row.answer, ChainFormat.FOUR) is not None
    assert f"{row.lat:.6f}" in row.answer
    assert report["labels"]["by"] == "nearest"
    assert report["labels"]["compared_with"] == "polygons"
    assert report["labels"]["how"] == {"nearest": 23, "border": 1}  # in Rome, beside the Vatican


def label(country: str | None, province: str | None, city: str | None, code: str | None = None) -> Label:
    return Label("Europe", country, "IT", province, code, city, 1.0, "inside")


def test_disagreement_is_counted_where_both_give_a_name() -> None:
    place = Coordinate(*ROME)
    ours = [label("Italy", "Lazio", "Rome", "IT.07"), label("Italy", None, "Rome"), label("Italy", "Tuscany", "Siena", "IT.16")]
    theirs = [label("Italy", "Latium", "Rome"), label("Italy", "Lazio", "Vatican"), label("France", "Umbria", None)]
    found = {one.level: one for one in labels.disagreements([place] * 3, ours, theirs)}
    assert {level: (one.photos, one.differ, one.one_only, one.spelled) for level, one in found.items()} == {
        "country": (3, 1, 0, 0),
        "province": (2, 2, 1, 1),
        "city": (2, 1, 1, 0),
    }
    assert str(found["province"]) == "province 2 of 2 (100.0 %), 1 of them in the name alone"
    assert str(labels.Disagreement("city", 0, 0, 0)) == "city nothing to compare"


def test_a_place_just_south_of_the_equator_is_not_minus_zero() -> None:
    text = labels.answer(label("Kenya", None, None), Coordinate(-0.00001, 36.0), profile_named("georapp"), 4)
    assert text.endswith("Coordinates: (0.0000, 36.0000)")


def test_a_profile_without_lines_cannot_be_learned() -> None:
    with pytest.raises(ValueError, match="no lines of its own"):
        labels.answer(label("Italy", None, None), Coordinate(*ROME), profile_named("gre"), 4)


# ---- the licensed photos ----


@pytest.mark.photos
def test_the_licensed_photos(run: Path, photo_folder: Path) -> None:
    """Their own split is kept: places and photographers of `val` are in no other part."""
    from georapp.dataset import read_table

    expected = {row.path.name for row in random.Random(0).sample(read_table(photo_folder / "photos.csv", split="val").rows, 50)}
    report = gathered(run, config(photo_folder / "photos.csv"))
    rows: list[AlbumRow] = read_rows(run / "album", Part.PROBE, Part.HELD_OUT)
    assert expected <= {Path(row.path).name for row in rows}
    assert report["split"]["by"] == "places and photographers"
    assert report["split"]["smallest_km"]["held out to train"] > 25
    assert set(report["split"]["on_both_sides"].values()) == {0}
    assert report["labels"]["levels"]["country"]["percent"] < 3
