"""Map files: the program's own, some made here, and some that lie."""

from __future__ import annotations

import gzip
import itertools
import json
import sqlite3
import struct
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp import paths, tile_file, tiles
from georapp import pmtiles as pmtiles_reader
from georapp.errors import MapError

BASEMAP = paths.resources() / "map" / "basemap.pmtiles"
LAYERS = {"vector_layers": [{"id": "earth"}, {"id": "roads"}], "attribution": '© <a href="x">Some&amp;one</a>\n people'}


def varint(number: int) -> bytes:
    octets = bytearray()
    while number >= 0x80:
        octets.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes([*octets, number])


def directory(entries: list[tuple[int, int, int, int]]) -> bytes:
    """Of (tile id, run, length, offset)."""
    steps = [entry[0] - before for entry, before in zip(entries, [0, *(entry[0] for entry in entries)], strict=False)]
    columns = [steps, *([entry[n] for entry in entries] for n in (1, 2)), [entry[3] + 1 for entry in entries]]
    return gzip.compress(b"".join(varint(number) for number in [len(entries), *itertools.chain(*columns)]))


def pmtiles(
    path: Path,
    *,
    bodies: tuple[bytes, ...] = (b"zero", b"one"),
    kind: int = 1,
    packing: int = 2,
    version: int = 3,
    layers: object = LAYERS,
) -> Path:
    """Tiles 0, 1 ... one after the other, in a leaf directory."""
    packed = [gzip.compress(body) if packing == 2 else body for body in bodies]
    offsets = [sum(map(len, packed[:n])) for n in range(len(packed))]
    leaf = directory([(n, 1, len(body), offsets[n]) for n, body in enumerate(packed)])
    root, metadata, data = directory([(0, 0, len(leaf), 0)]), gzip.compress(json.dumps(layers).encode()), b"".join(packed)
    places, at = [], 127
    for part in (root, metadata, leaf, data):
        places += [at, len(part)]
        at += len(part)
    header = b"PMTiles" + bytes([version]) + struct.pack("<8Q3Q6B", *places, 2, 2, 2, 1, 2, packing, kind, 0, 2)
    path.write_bytes(
        header + struct.pack("<4iB2i", -10_000_000, 20_000_000, 30_000_000, 40_000_000, 0, 0, 0) + root + metadata + leaf + data
    )
    return path


def mbtiles(path: Path, rows: list[tuple[int, int, int, object]], **metadata: str) -> Path:
    with sqlite3.connect(path) as database:
        database.execute("create table metadata (name text, value text)")
        database.execute("create table tiles (zoom_level integer, tile_column integer, tile_row integer, tile_data blob)")
        database.executemany("insert into metadata values (?, ?)", metadata.items())
        database.executemany("insert into tiles values (?, ?, ?, ?)", rows)
    database.close()
    return path


def test_the_basemap_has_land_and_leaves_out_the_open_sea() -> None:
    basemap = tiles.read(BASEMAP)

    assert basemap.about.vector
    assert (basemap.about.min_zoom, basemap.about.max_zoom) == (0, 7)
    assert b"earth" in (basemap.tile(7, 66, 44) or b"")  # Bern
    assert basemap.tile(7, 20, 70) is None  # the Pacific
    assert basemap.tile(8, 0, 0) is None
    basemap.close()


def test_tile_numbers_are_those_of_the_format() -> None:
    assert [pmtiles_reader.tile_id(*place) for place in [(0, 0, 0), (1, 0, 0), (1, 0, 1), (1, 1, 1), (1, 1, 0), (2, 0, 0)]] == [
        0,
        1,
        2,
        3,
        4,
        5,
    ]
    assert pmtiles_reader.tile_id(12, 3423, 1763) == 19078479  # the example of its specification


def test_pmtiles_with_a_leaf_directory(tmp_path: Path) -> None:
    file = tiles.read(pmtiles(tmp_path / "own.pmtiles"))

    assert file.tile(0, 0, 0) == b"zero"
    assert file.tile(1, 0, 0) == b"one"
    assert file.tile(1, 1, 0) is None
    assert file.about.box == (-1.0, 2.0, 3.0, 4.0)
    assert file.about.attribution == "© Some&one people"
    file.close()


@pytest.mark.parametrize("place", [(-1, 0, 0), (0, 1, 0), (3, 8, 0), (3, 0, -1), (99, 0, 0)])
def test_places_that_do_not_exist_have_no_tile(tmp_path: Path, place: tuple[int, int, int]) -> None:
    for file in (tiles.read(BASEMAP), tiles.read(mbtiles(tmp_path / "a.mbtiles", [(0, 0, 0, b"x")], format="png"))):
        assert file.tile(*place) is None
        file.close()


def test_rows_of_mbtiles_are_counted_from_the_south(tmp_path: Path) -> None:
    rows = [(1, 0, 1, b"north-west"), (1, 0, 0, b"south-west")]
    file = tiles.read(mbtiles(tmp_path / "b.mbtiles", rows, format="png", bounds="-10,-20,30,40", attribution="<b>me</b>"))

    assert file.tile(1, 0, 0) == b"north-west"
    assert file.tile(1, 0, 1) == b"south-west"
    assert (file.about.mime, file.about.min_zoom, file.about.max_zoom) == ("image/png", 1, 1)
    assert file.about.box == (-10.0, -20.0, 30.0, 40.0)
    assert file.about.attribution == "me"
    file.close()


def test_mbtiles_that_do_not_say_where_they_are_have_the_box_of_their_tiles(tmp_path: Path) -> None:
    rows: list[tuple[int, int, int, object]] = [(1, 0, 0, b"x"), (3, 4, 4, b"x"), (3, 5, 4, b"x")]
    file = tiles.read(mbtiles(tmp_path / "nowhere.mbtiles", rows, format="png"))

    assert file.about.box == pytest.approx((0, 0, 90, 40.979898), abs=1e-5)
    file.close()


def test_vector_mbtiles_are_unpacked_and_say_their_schema(tmp_path: Path) -> None:
    layers = json.dumps({"vector_layers": [{"id": "transportation"}]})
    file = tiles.read(mbtiles(tmp_path / "c.mbtiles", [(0, 0, 0, gzip.compress(b"lines"))], format="pbf", json=layers))

    assert file.tile(0, 0, 0) == b"lines"
    assert file.about.schema == "openmaptiles"
    file.close()


def test_nothing_is_written_beside_a_map_file(tmp_path: Path) -> None:
    path = mbtiles(tmp_path / "d.mbtiles", [(0, 0, 0, b"x")], format="png")
    before = path.read_bytes()
    file = tiles.read(path)
    file.tile(0, 0, 0)
    file.close()

    assert [entry.name for entry in tmp_path.iterdir() if entry.is_file()] == ["d.mbtiles"]
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"version": 2}, "version 2"),
        ({"packing": 4}, "Zstandard"),
        ({"kind": 9}, "cannot be drawn"),
        ({"layers": {"vector_layers": [{"id": "mystery"}]}}, "names that this map does not know"),
        ({"layers": []}, "names that this map does not know"),
    ],
)
def test_pmtiles_that_cannot_be_drawn_say_why(tmp_path: Path, change: dict[str, object], words: str) -> None:
    with pytest.raises(MapError, match=words):
        tiles.read(pmtiles(tmp_path / "odd.pmtiles", **change))  # type: ignore[arg-type]


def test_a_tile_that_unpacks_to_a_giant_is_refused(tmp_path: Path) -> None:
    file = tiles.read(pmtiles(tmp_path / "bomb.pmtiles", bodies=(b"\0" * (tile_file.TILE_BYTES + 1),)))

    with pytest.raises(MapError, match="damaged"):
        file.tile(0, 0, 0)
    file.close()


def test_mbtiles_with_a_question_without_end(tmp_path: Path) -> None:
    path = tmp_path / "endless.mbtiles"
    with sqlite3.connect(path) as database:
        database.execute("create table metadata (name text, value text)")
        database.execute("insert into metadata values ('format', 'png')")
        database.execute(
            "create view tiles as with recursive n(i) as (select 1 union all select i + 1 from n) "
            "select i as zoom_level, 0 as tile_column, 0 as tile_row, x'00' as tile_data from n"
        )
    database.close()

    with pytest.raises(MapError, match="damaged"):
        tiles.read(path)


@pytest.mark.parametrize("body", ["text instead of bytes", 7, gzip.compress(b"torn")[:-9], b"\x1f\x8b not gzip at all"])
def test_a_damaged_tile_of_mbtiles(tmp_path: Path, body: object) -> None:
    file = tiles.read(mbtiles(tmp_path / "e.mbtiles", [(0, 0, 0, body)], format="png"))

    with pytest.raises(MapError, match="damaged"):
        file.tile(0, 0, 0)
    file.close()


@pytest.mark.parametrize("body", [b"", b"PMTiles", b"PMTiles\x03" + b"\xff" * 200, b"SQLite format 3\0" + b"x" * 500, b"\x89PNG"])
def test_files_that_are_no_maps(tmp_path: Path, body: bytes) -> None:
    path = tmp_path / "what\x1bever.pmtiles"
    path.write_bytes(body)

    with pytest.raises(MapError) as caught:
        tiles.read(path)
    assert "\x1b" not in str(caught.value)


def test_a_file_that_is_not_there_and_a_folder(tmp_path: Path) -> None:
    for path in (tmp_path / "none.pmtiles", tmp_path):
        with pytest.raises(MapError):
            tiles.read(path)


@given(at=st.integers(0, 400), octet=st.integers(0, 255), kept=st.integers(0, 500))
def test_any_damage_ends_in_a_sentence(tmp_path_factory: pytest.TempPathFactory, at: int, octet: int, kept: int) -> None:
    path = pmtiles(tmp_path_factory.mktemp("damaged") / "f.pmtiles")
    body = bytearray(path.read_bytes())
    body[at % len(body)] = octet
    path.write_bytes(body[: len(body) - kept % 40])

    try:
        file = tiles.read(path)
    except MapError:
        return
    for place in [(0, 0, 0), (1, 0, 0), (2, 3, 3)]:
        try:
            file.tile(*place)
        except MapError:
            pass
    file.close()


@given(st.lists(st.integers(0, 2**56 - 1), min_size=1, max_size=50))
def test_varints(numbers: list[int]) -> None:
    assert pmtiles_reader.varints(b"".join(map(varint, numbers))).tolist() == numbers


@pytest.mark.parametrize("data", [b"", b"\x80", b"\xff" * 9 + b"\x01"])
def test_varints_that_are_none(data: bytes) -> None:
    with pytest.raises(ValueError, match="number"):
        pmtiles_reader.varints(data)
