"""`georapp evaluate` and `georapp bench`: what they print can be trusted only if it adds up."""

from __future__ import annotations

import json
from pathlib import Path

from tests.program.conftest import CHINA, Run
from tests.program.test_locate import variant


def table(folder: Path) -> Path:
    """Three photos: the demo photo twice, and a file that is no photo, which is a miss."""
    variant(folder / "a.jpg", 1)
    variant(folder / "b.jpg", 2)
    (folder / "c.jpg").write_bytes(b"no photo")
    path = folder / "photos.csv"
    path.write_text("file,lat,lon,author\na.jpg,39.882,116.407,x\nb.jpg,39.882,116.407,y\nc.jpg,39.882,116.407,y\nd.jpg,1,1,z\n")
    return path


def test_every_photo_stays_in_the_denominator(georapp: Run, tmp_path: Path) -> None:
    ran = georapp("evaluate", table(tmp_path), "--format", "json", "--samples", "4")
    assert ran.code == 1  # c.jpg could not be asked
    assert [s for s in ran.sentences if "c.jpg" in s]
    report = json.loads(ran.out)
    assert report["left_out"] == {"without a file": 1}
    ((_, part),) = report["parts"].items()
    assert (part["n"], part["photographers"]) == (3, 2)
    names = [line["name"] for line in part["lines"]]
    assert names[0] == "georapp-mini"
    assert {"nearest training photo", "linear probe of the tower", "most frequent place", "random training place"} <= set(names)
    model = part["lines"][0]
    assert model["unanswered"] >= 1
    for line in part["lines"]:
        shares = list(line["within_km"].values())
        assert [share["n"] for share in shares] == [3] * 5
        assert all(share["low"] <= share["share"] <= share["high"] for share in shares)
        assert [share["share"] for share in shares] == sorted(share["share"] for share in shares)


def test_the_report_for_people_names_its_baselines(georapp: Run, tmp_path: Path) -> None:
    ran = georapp("evaluate", table(tmp_path), "--limit", "2", "--samples", "1", COLUMNS="200")
    assert "nearest training photo" in ran.out
    assert "most frequent country" in ran.out
    assert "95 % Wilson intervals" in ran.out


def test_an_interrupted_evaluation_goes_on(georapp: Run, tmp_path: Path) -> None:
    kept = tmp_path / "kept.jsonl"
    first = georapp("evaluate", table(tmp_path), "--format", "json", "--resume", kept, "--samples", "2")
    lines = len(kept.read_text().splitlines())
    second = georapp("evaluate", table(tmp_path), "--format", "json", "--resume", kept, "--samples", "2")
    assert json.loads(first.out)["parts"] == json.loads(second.out)["parts"]
    assert len(kept.read_text().splitlines()) == lines + 1  # only the failure was tried again


def test_tables_that_cannot_be_used(georapp: Run, tmp_path: Path) -> None:
    for name, text, words in (
        ("a.csv", "file,lat\nx.jpg,1\n", "no column for lon"),
        ("b.csv", "file,lat,lon\nx.jpg,1,1\n", "no usable photo"),
        ("c.csv", "file,lat,lon\nchina.jpg,116.4,39.9\n", "swapped"),
    ):
        (tmp_path / name).write_text(text)
        ran = georapp("evaluate", tmp_path / name, CHINA.parent)
        assert ran.code == 4
        assert words in ran.complaints
        assert len(ran.sentences) == 1


def test_the_bench_measures_what_is_promised(georapp: Run) -> None:
    ran = georapp("bench", "--rounds", "1", "--format", "json")
    assert ran.code == 0, ran.complaints
    figures = {figure["name"]: figure for figure in json.loads(ran.out)}
    assert sum(bool(figure["wanted"]) for figure in figures.values()) >= 5
    assert all(figure["value"] > 0 for figure in figures.values())
