"""Tables as published sets write them."""

from __future__ import annotations

from pathlib import Path

import pytest

from georapp.dataset import read_table
from georapp.errors import DatasetError
from georapp.geo import Coordinate


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("a.jpg", "b.png", "c_d.jpg", "é.jpg"):
        (folder / name).write_bytes(b"x")
    return folder


def table(tmp_path: Path, text: str, encoding: str = "utf-8") -> Path:
    path = tmp_path / "table.csv"
    path.write_bytes(text.encode(encoding))
    return path


@pytest.mark.parametrize(
    "header",
    [
        "IMG_ID,AUTHOR,LAT,LON",
        "id,photographer,latitude,longitude",
        "\ufeffFilename,user,Lat,Lng",
        "img_file,creator_id, lat , long ",
    ],
)
def test_usual_column_names(header: str, tmp_path: Path, photos: Path) -> None:
    rows = read_table(table(tmp_path, f"{header}\na,Ann,48.5,2.5\n"), photos).rows
    assert [(r.name, r.path.name, r.coordinate, r.author) for r in rows] == [("a", "a.jpg", Coordinate(48.5, 2.5), "Ann")]


def test_names_without_ending_with_slashes_and_of_other_scripts(tmp_path: Path, photos: Path) -> None:
    rows = read_table(table(tmp_path, "file,lat,lon\nb,1,1\nc/d,2,2\né.jpg,3,3\n"), photos).rows
    assert [r.path.name for r in rows] == ["b.png", "c_d.jpg", "é.jpg"]


def test_unusable_rows_are_counted(tmp_path: Path, photos: Path) -> None:
    text = "file,lat,lon,split\na.jpg,1,1,val\n"
    text += "a.jpg,,1,val\na.jpg,0,0,val\na.jpg,91,181,val\nnone.jpg,1,1,val\n../table.csv,1,1,val\nb.png,1,1,train\n"
    found = read_table(table(tmp_path, text), photos, split="val")
    assert len(found.rows) == 1
    assert found.left_out == {"without a position": 1, "at (0, 0)": 1, "with an impossible position": 1, "without a file": 2}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no column for photo and lat and lon"),
        ("file,x,y\na.jpg,1,2\n", "no column for lat and lon"),
        ("file,lat,lon\n", "no usable photo: it has no rows"),
        ("file,lat,lon\nnone.jpg,1,2\n", "1 without a file"),
        ("file,lat,lon\na.jpg,139.7,35.6\n", "seem to be swapped"),
    ],
)
def test_unusable_tables(text: str, words: str, tmp_path: Path, photos: Path) -> None:
    with pytest.raises(DatasetError, match=words):
        read_table(table(tmp_path, text), photos)


def test_a_table_in_another_encoding(tmp_path: Path, photos: Path) -> None:
    with pytest.raises(DatasetError, match="not a CSV table in UTF-8"):
        read_table(table(tmp_path, "file,lat,lon\né.jpg,1,2\n", "utf-16"), photos)


def test_a_missing_table(tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="cannot be read"):
        read_table(tmp_path / "none.csv")
