"""Files of results: complete lines count, torn ones are passed over, a full disk is a sentence."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from georapp import events, gazetteer
from georapp.chain import Level
from georapp.errors import ResultsError
from georapp.geo import Coordinate
from georapp.results import Result, ResultsFile, compared, same_regions
from tests.unit.test_events import PREDICTION

LOCATED = events.Located("7", "mini", "ab", 1, "mini", 0, 1.0, PREDICTION)
FAILED = events.Failed("7", "It broke.", "PhotoError")
PARIS = Coordinate(48.8584, 2.2945)


def began(lat: float | None, lon: float | None) -> events.Began:
    return events.Began("7", "s1", 640, 480, "JPEG", known_lat=lat, known_lon=lon, known_from="EXIF" if lat is not None else "")


def test_a_result_is_one_line_and_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    with ResultsFile(path) as file:
        file.add(Result("a\nb.jpg", "s1", began(None, None), LOCATED))
        file.add(Result("bad.jpg", "s2", None, FAILED))
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert [line["status"] for line in lines] == ["located", "failed"]
    assert lines[0]["path"] == "a\nb.jpg"
    assert "photo" not in lines[1]
    with ResultsFile(path) as file:
        assert file.answers == {"s1": PREDICTION}  # failures are tried again


def test_torn_and_foreign_lines_are_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    good = Result("a.jpg", "s1", None, LOCATED).to_line()
    path.write_text(f'\n{{"status": "located"}}\nwords\n{good}\n{good[:50]}')
    with ResultsFile(path) as file:
        assert set(file.answers) == {"s1"}
        file.add(Result("b.jpg", "s2", None, LOCATED))
    with ResultsFile(path) as file:
        assert set(file.answers) == {"s1", "s2"}


def test_a_folder_is_no_file_of_results(tmp_path: Path) -> None:
    with pytest.raises(ResultsError, match="cannot be used for results"):
        ResultsFile(tmp_path)


def test_a_full_disk_is_a_sentence() -> None:
    file = ResultsFile(Path("/dev/full"))
    with pytest.raises(ResultsError, match=r"a\.jpg could not be written to /dev/full: no space left"):
        file.add(Result("a.jpg", "s1", None, LOCATED))
    file.close()


def test_truth_from_the_file_itself() -> None:
    truth = compared(PREDICTION, began(PARIS.lat, PARIS.lon), gazetteer.load())
    assert truth is not None
    assert truth.distance_km == pytest.approx(4.2, abs=0.3)
    assert truth.levels[Level.COUNTRY] is True
    assert compared(PREDICTION, began(None, None), gazetteer.load()) is None
    assert compared(PREDICTION, None, gazetteer.load()) is None


def test_same_regions_at_sea_and_abroad() -> None:
    places = gazetteer.load()
    assert same_regions(PARIS, Coordinate(45.76, 4.84), places) == {
        Level.CONTINENT: True,
        Level.COUNTRY: True,
        Level.PROVINCE: False,
        Level.CITY: False,
    }
    assert set(same_regions(PARIS, Coordinate(40.0, -40.0), places).values()) == {None}
    assert same_regions(None, PARIS, places)[Level.COUNTRY] is False
