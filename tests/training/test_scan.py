"""Looking at an album without starting a run: what is found, what is not read twice, and how it ends."""

from __future__ import annotations

import itertools
import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock

from georapp import album_scan, run_toml
from georapp.album_scan import Scan
from georapp.errors import RunError
from georapp.run_events import LOCK
from georapp.run_settings import RunConfig
from tests.training.album_files import config, gathered, saved
from training import gather, preview, readings, scan
from training.rows import AlbumRow, Part
from training.work import DONE

TOWNS = ((48.8566, 2.3522), (41.9, 12.5), (35.68, 139.69), (59.91, 10.75))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """12 photos of four towns, and one without a place."""
    for i in range(12):
        lat, lon = TOWNS[i % 4]
        saved(tmp_path / "photos" / f"{i:02}.jpg", (lat + i / 1000, lon), seed=i)
    saved(tmp_path / "photos" / "none.jpg", seed=50)
    return tmp_path / "photos"


def draft(folder: Path, settings: RunConfig) -> Path:
    folder.mkdir(exist_ok=True)
    run_toml.write(settings, folder / "run.toml")
    return folder


def scanned(folder: Path, capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    assert scan.main([str(folder)]) == 0
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_it_finds_what_a_run_would_find(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = draft(tmp_path / "draft", config(photos))
    *progress, last = scanned(run, capsys)
    assert progress[-1] == {"done": 13, "of": 13}
    album = last["album"]
    assert (album["photos"], album["with_place"]) == (13, 12)
    assert album["train"] + album["held_out"] == 12
    assert album["left_out"] == ["1 without a place"]
    assert sorted(country[:2] for country in album["countries"]) == [
        ["FR", "France"],
        ["IT", "Italy"],
        ["JP", "Japan"],
        ["NO", "Norway"],
    ]
    assert [sum(country[i] for country in album["countries"]) for i in (2, 3)] == [album["train"], album["held_out"]]
    sides = [side for _, _, side in album["places"]]
    assert (sides.count("train"), sides.count("held_out")) == (album["train"], album["held_out"])
    assert "only 12 usable photos" in album["warnings"][0][0]
    assert album["groups"] > 0
    report = gathered(tmp_path / "run", config(photos))
    assert album["notes"] == report["notes"]
    for name in ("rows.jsonl", "report.json", readings.FILE):
        assert (run / "album" / name).read_bytes() == (tmp_path / "run" / "album" / name).read_bytes()
    assert not list(run.glob("events.jsonl"))


def test_nothing_is_read_twice_also_not_by_the_run(
    tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = draft(tmp_path / "draft", config(photos))
    scanned(run, capsys)
    read, seen = readings.read, list[str]()
    monkeypatch.setattr(readings, "read", lambda path: seen.append(path.name) or read(path))
    scanned(draft(run, config(photos, decimals=2, block_km=5.0)), capsys)
    assert seen == []
    saved(photos / "03.jpg", TOWNS[0], seed=99)
    saved(photos / "new.jpg", TOWNS[0], seed=98)
    scanned(run, capsys)
    assert sorted(seen) == ["03.jpg", "new.jpg"]
    new = tmp_path / "new"
    new.mkdir()
    album_scan.keep_readings(run, new)
    gathered(new, config(photos))
    assert len(seen) == 2


def test_the_window_scans_a_draft(tmp_path: Path, photos: Path) -> None:
    told: list[tuple[int, int]] = []
    seen = Scan(draft(tmp_path / "draft", config(photos)), Path(sys.executable)).run(lambda *said: told.append(said))
    assert told[-1] == (13, 13)
    assert seen.train + seen.held_out == len(seen.places) == 12
    assert {country.code for country in seen.countries} == {"FR", "IT", "JP", "NO"}


def test_the_window_is_told_why_not(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="The album has no sources") as error:
        Scan(draft(tmp_path / "draft", config())).run(lambda *_: None)
    assert "Name folders of photos" in error.value.hint


@pytest.mark.parametrize(("make", "words"), [(False, "run.toml cannot be read"), (True, "is not there")])
def test_errors_are_sentences(make: bool, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    if make:
        draft(tmp_path, config(tmp_path / "gone"))
    assert scan.main([str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert words in json.loads(said.out)["failed"]
    assert len(said.err.splitlines()) == 1


def test_a_run_that_is_trained_on_is_left_alone(
    tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = draft(tmp_path / "run", config(photos))
    monkeypatch.setattr(scan, "PATIENCE_S", 0.1)
    with FileLock(run / LOCK):
        assert scan.main([str(run)]) == 1
    assert "Another process works on" in capsys.readouterr().err
    (run / "album").mkdir()
    (run / "album" / DONE).write_text("{}")
    assert scan.main([str(run)]) == 1
    assert "must not change" in capsys.readouterr().err


@pytest.mark.parametrize("asked", [True, False])
def test_it_ends_when_asked_or_when_nobody_listens(asked: bool, tmp_path: Path, photos: Path) -> None:
    for i in range(1500):
        (photos / f"copy {i}.jpg").hardlink_to(photos / "00.jpg")
    run = draft(tmp_path / "draft", config(photos))
    command, pipe = [sys.executable, "-m", "training.scan", str(run)], subprocess.PIPE
    with subprocess.Popen(command, stdout=pipe, stderr=pipe) as process:
        assert process.stdout
        assert process.stderr
        assert json.loads(process.stdout.readline()) == {"done": 64, "of": 1513}
        if asked:
            process.send_signal(signal.SIGTERM)
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait() == (-signal.SIGTERM if asked else 1)
    assert not (run / "album" / "rows.jsonl").exists()
    assert (run / "album" / readings.FILE).stat().st_size > 0


def test_places_are_thinned_evenly() -> None:
    rows = [AlbumRow(str(i), "", i / 1000, 0.0, "FR", "", Part.TRAIN) for i in range(1000)]
    assert scan.thinned(rows) == rows
    some = scan.thinned(rows, 300)
    assert len(some) == 300
    assert all(b.lat - a.lat < 0.0045 for a, b in itertools.pairwise(some))


def test_progress_is_not_told_too_often(tmp_path: Path, photos: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[tuple[int, int]] = []
    monkeypatch.setattr(readings, "TOGETHER", 4)
    gather.make(config(photos), tmp_path / "album", progress=lambda *said: told.append(said))
    assert told == [(4, 13), (8, 13), (12, 13), (13, 13)]
    said: list[int] = []
    monkeypatch.setattr(scan, "_say", lambda done, of: said.append(done))
    progress = scan._Progress()
    for done in range(1, 14):
        progress(done, 13)
    assert said[-1] == 13


# ---- showing what is learned: what can be said without torch ----


def test_a_preview_of_what_is_not_ready(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = draft(tmp_path / "draft", config(photos))
    assert preview.main([str(run)]) == 1
    assert json.loads(capsys.readouterr().out)["failed"] == "No model is chosen to begin with."
    values = {"model": {"base": str(tmp_path / "model")}, "album": {"sources": [str(photos)], "blur_below": 0.0}}
    draft(run, run_toml.from_values(values))
    assert preview.main([str(run)]) == 1
    assert f"The model {tmp_path / 'model'} is not there." in capsys.readouterr().err
    (tmp_path / "model").mkdir()
    assert preview.main([str(run)]) == 1
    assert "Nobody has looked at the photos yet." in capsys.readouterr().err
    scanned(run, capsys)
    photos.rename(tmp_path / "moved")
    assert preview.main([str(run), "2"]) == 1
    assert "photos to train on is there any more" in capsys.readouterr().err


def test_a_preview_of_a_draft(tmp_path: Path, photos: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")
    from georapp.sample_preview import samples
    from training import tiny

    values: dict[str, Any] = {"model": {"base": str(tmp_path / "model"), "max_pixels": 20_000}, "album": {"blur_below": 0.0}}
    values["album"]["sources"] = [str(photos)]
    run = draft(tmp_path / "draft", run_toml.from_values(values))
    scanned(run, capsys)
    tiny.build("qwen3vl", tmp_path / "model")
    (photos / "00.jpg").unlink()
    found = samples(run, Path(sys.executable), 2)
    assert len(found) == 2
    assert all(path.is_file() for path, _ in found)
    learned = "".join(text for text, is_learned in found[0][1] if is_learned)
    assert learned.startswith("Continent: ")


def test_letters_of_several_tokens_are_whole() -> None:
    pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")
    from training import examples

    class Bytes:
        def decode(self, numbers: list[int]) -> str:
            return bytes(numbers).decode("utf-8", "replace")

    assert examples._texts(Bytes(), list("aÇ東b".encode())) == ["a", "", "Ç", "", "", "東", "b"]
    assert examples._texts(Bytes(), [97, 0xE6]) == ["a", "\N{REPLACEMENT CHARACTER}"]
    assert len(examples._texts(Bytes(), [0xFF] * 9)) == 9
