"""Albums in shards: read where they lie, split photo by photo, counted in whole; damaged ones are named and cost only themselves."""

from __future__ import annotations

import io
import itertools
import json
import random
import tarfile
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.errors import PhotoError, RunError, Stopped
from georapp.geo import Coordinate, distance_km
from georapp.run_settings import Model
from tests.conftest import textured
from tests.training.album_files import config, gathered, saved
from tests.training.toy_world import SETTINGS, ToyWorld
from training import gather, shard_album, shard_rows, shards
from training.gates import Gate
from training.map_split import MapSplit
from training.rows import AlbumRow, Part, read_rows, without_file
from training.shards import ShardError, as_file, data_of, entries, file_of

Sample = tuple[bytes, dict[str, Any] | None]
CITIES = (
    (38.72, -9.14),
    (48.86, 2.35),
    (52.52, 13.4),
    (41.9, 12.5),
    (35.69, 139.69),
    (-12.05, -77.04),
    (-1.29, 36.82),
    (30.06, 31.25),
)


def photo(seed: int, place: tuple[float, float] | None = None) -> bytes:
    out = io.BytesIO()
    textured(64, 48, seed).save(out, "JPEG")
    return out.getvalue() if place is None else with_place(seed, place)


def with_place(seed: int, place: tuple[float, float]) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        return saved(Path(folder) / "a.jpg", place, seed=seed, picture=textured(64, 48, seed)).read_bytes()


def samples(count: int, *, first: int = 0) -> list[Sample]:
    """In turn in each of the cities, each photo at another spot."""
    rng = random.Random(first)
    spots = [CITIES[number % len(CITIES)] for number in range(count)]
    return [
        (photo(first + number), {"lat": lat + rng.uniform(-0.02, 0.02), "lon": lon + rng.uniform(-0.02, 0.02), "author": f"A {number % 3}"})
        for number, (lat, lon) in enumerate(spots)
    ]  # fmt: skip


def tar(path: Path, content: Sequence[Sample], *, more: Sequence[tuple[str, bytes]] = ()) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with tarfile.open(path, "w") as out:
        for number, (data, about) in enumerate(content):
            files = [(f"x/{number:06}.jpg", data)] + ([(f"x/{number:06}.json", json.dumps(about).encode())] if about else [])
            for name, body in (*files, *more):
                entry = tarfile.TarInfo(name)
                entry.size = len(body)
                out.addfile(entry, io.BytesIO(body))
    return path


def parquet(path: Path, content: Sequence[Sample], *, struct: bool = False) -> Path:
    images = [{"bytes": data, "path": None} if struct else data for data, _ in content]
    columns = {"image": images} | {name: [about and about[name] for _, about in content] for name in ("lat", "lon", "author")}
    pyarrow.parquet.write_table(pyarrow.table(columns), path, row_group_size=5)
    return path


SOME = samples(20)


# ---- reading ----


@pytest.mark.parametrize("kind", ["tar", "parquet", "struct"])
def test_photos_are_read_where_they_lie(kind: str, tmp_path: Path) -> None:
    content = samples(12)
    shard = (
        tar(tmp_path / "0.tar", content) if kind == "tar" else parquet(tmp_path / "0.parquet", content, struct=kind == "struct")
    )
    found = list(entries(shard))

    assert [(one.data, one.lat, one.lon, one.author) for one in found] == [
        (data, about["lat"], about["lon"], about["author"]) for data, about in content if about
    ]
    assert [data_of(one.path) for one in found] == [data for data, _ in content]
    assert {file_of(one.path) for one in found} == {shard}
    assert list(tmp_path.iterdir()) == [shard]
    copy = as_file(found[3].path, tmp_path / "copies")
    assert (copy.read_bytes(), copy.parent) == (content[3][0], tmp_path / "copies")


def test_a_photo_that_is_a_file_stays_one(tmp_path: Path) -> None:
    path = tmp_path / "a::b.jpg"
    assert (data_of(path), file_of(path), as_file(path, tmp_path)) == (None, path, path)


def test_a_tar_file_of_strange_names_and_descriptions(tmp_path: Path) -> None:
    more = [
        ("../../etc/passwd.jpg", b"no photo"),
        ("x/a.json", b"[1]"),
        ("x/b.json", b"{"),
        ("x/c.JSON", b'{"lat": 1}'),
        ("x/d", b""),
    ]
    shard = tar(tmp_path / "0.tar", [(photo(0), {"LAT": "38.7", "Longitude": -9.1})], more=more)
    assert [(one.lat, one.lon) for one in entries(shard)] == [("38.7", -9.1), (None, None)]
    assert [path.name for path in tmp_path.rglob("*")] == ["0.tar"]


def test_what_has_gone_is_a_sentence(tmp_path: Path) -> None:
    written = (tar(tmp_path / "0.tar", samples(2)), parquet(tmp_path / "0.parquet", samples(2)))
    found = [next(entries(shard)).path for shard in written]
    rows = [AlbumRow("a", str(path), 0, 0, "", "", Part.TRAIN) for path in found]
    assert not any(map(without_file, rows))
    with pytest.raises(PhotoError, match="only 2 rows"):
        data_of(tmp_path / "0.parquet::7")
    for path in found:
        file_of(path).unlink()
        with pytest.raises(PhotoError, match="cannot be read"):
            data_of(path)
    assert all(map(without_file, rows))


def read_until_damage(shard: Path) -> tuple[int, str]:
    """How many photos come, and what is said then."""
    some = entries(shard)
    for count in itertools.count():
        try:
            next(some)
        except ShardError as error:
            return count, str(error)
    raise AssertionError


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.7, 0.9])
def test_a_tar_file_that_was_cut_off_says_so_after_what_is_whole(share: float, tmp_path: Path) -> None:
    shard = tar(tmp_path / "0.tar", samples(20))
    with tarfile.open(shard) as whole:
        ends = [member.offset_data + member.size for member in whole if member.name.endswith("jpg")]
    cut = int(share * ends[-1])
    shard.write_bytes(shard.read_bytes()[:cut])
    count, _ = read_until_damage(shard)
    assert sum(end <= cut for end in ends) - 1 <= count <= sum(end <= cut for end in ends)  # whose .json may be lost


@given(st.integers(0, 19), st.integers(0, 511), st.integers(1, 255))
def test_a_damaged_head_of_a_tar_file_is_never_passed_over(number: int, at: int, change: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        shard = tar(Path(folder) / "0.tar", SOME)
        with tarfile.open(shard) as whole:
            head = [member.offset for member in whole if member.name.endswith("jpg")][number]
        data = bytearray(shard.read_bytes())
        data[head + at] ^= change
        shard.write_bytes(data)
        assert read_until_damage(shard)[0] <= number + (number == 0)


def test_damaged_tables_say_so(tmp_path: Path) -> None:
    shard = parquet(tmp_path / "0.parquet", samples(6))
    shard.write_bytes(shard.read_bytes()[:-9])
    assert read_until_damage(shard)[0] == 0  # its index is at its end
    table = tmp_path / "1.parquet"
    pyarrow.parquet.write_table(pyarrow.table({"a": [1]}), table)
    with pytest.raises(ShardError, match="no column of photos"):
        list(entries(table))


# ---- the album ----


def test_an_album_of_shards(tmp_path: Path) -> None:
    folder, content = tmp_path / "shards", samples(60)
    tar(folder / "0.tar", content[:30])
    parquet(folder / "1.parquet", content[30:])
    settings = config(folder, probe_photos=4, held_out_percent=40.0)
    report = gathered(tmp_path / "run", settings)
    rows = read_rows(tmp_path / "run" / "album")

    parts = Counter(row.part for row in rows)
    between = report["left_out"].pop("between")["count"]
    assert (report["photos"], report["with_place"], report["used"], report["shards"]) == (60, 60, 60 - between, 2)
    assert not report["left_out"]
    assert report["split"]["parts"] == {part.value: parts[part] for part in Part}
    assert parts[Part.PROBE] == 4
    assert parts[Part.TRAIN] > 0
    assert {row.country for row in rows} > {"JP"}
    assert {row.author for row in rows} == {"a 0", "a 1", "a 2"}
    assert all(data_of(Path(row.path)) in {data for data, _ in content} for row in rows)
    held = [row for row in rows if row.part is not Part.TRAIN]
    assert min(distance_km(a.coordinate, b.coordinate) for a in held for b in rows if b.part is Part.TRAIN) > 25


def test_nothing_is_left_out_without_a_count(tmp_path: Path) -> None:
    odd: list[Sample] = [
        (b"no photo", {"lat": 1, "lon": 2}),
        (photo(900), None),
        (photo(901), {"lat": 0, "lon": 0}),
        (photo(902), {"lat": 91, "lon": 0}),
        (photo(903), {"lat": "nan", "lon": "x"}),
        (photo(904), {"lat": 30.0, "lon": -40.0}),
        (photo(905), {"lat": 48.1, "lon": 11.5}),
        (photo(906, (38.7, -9.1)), None),
    ]
    folder, content = tmp_path / "shards", samples(16)
    tar(folder / "0.tar", [*content, *odd])
    tar(folder / "1.tar", [*content[:5], *samples(3, first=500)])
    report = gathered(tmp_path / "run", config(folder, home_zones=((48.1, 11.5, 2.0),)))
    counts = {name: entry["count"] for name, entry in report["left_out"].items()}

    assert report["photos"] == report["used"] + sum(counts.values()) == 32
    assert counts.pop("between") + counts.pop("duplicate") >= 5  # a copy of a photo near both sides is near them, too
    assert counts == {"unreadable": 1, "no place": 1, "zero": 1, "impossible": 2, "sea": 1, "home": 1}


def test_a_damaged_shard_is_named_and_costs_only_itself(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    for number in range(3):
        tar(folder / f"{number}.tar", samples(20, first=100 * number))
    whole = (folder / "1.tar").read_bytes()
    (folder / "1.tar").write_bytes(whole[: len(whole) // 2])
    (folder / "2.tar").write_bytes(b"")
    report = gathered(tmp_path / "run", config(folder))

    assert report["left_out"]["shard"]["count"] == 2
    assert [str(folder / f"{number}.tar") in report["left_out"]["shard"]["examples"][number - 1] for number in (1, 2)] == [
        True,
        True,
    ]
    assert 20 < report["photos"] < 40
    assert any("2 of 3 shards are damaged" in alert for alert in report["alerts"])


def test_shards_are_read_once_and_again_when_something_changed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder, read = tmp_path / "shards", []
    for number in range(3):
        tar(folder / f"{number}.tar", samples(16, first=100 * number))
    settings, album = config(folder), tmp_path / "album"
    known = entries
    monkeypatch.setattr(shard_rows, "entries", lambda shard: read.append(shard.name) or known(shard))
    with pytest.raises(Stopped):
        shard_album.make(settings, album, stopped=lambda: len(read) > 1)
    shard_album.make(settings, album)
    first = (album / "rows.jsonl").read_bytes()
    assert Counter(read) == {"0.tar": 1, "1.tar": 2, "2.tar": 1}  # the second one was interrupted
    shard_album.make(settings, album)
    assert len(read) == 4
    assert (album / "rows.jsonl").read_bytes() == first
    assert sorted(path.suffix for path in (album / "shards").iterdir()) == [".jsonl"] * 3

    kept = sorted((album / "shards").iterdir())[0]
    kept.write_text("{", "ascii")
    shard_album.make(config(folder, decimals=3), album)
    assert len(read) == 7
    shard_album.make(settings, album)
    assert len(read) == 8
    assert (album / "rows.jsonl").read_bytes() == first


def test_errors_are_sentences(tmp_path: Path) -> None:
    folder = tmp_path / "shards"
    tar(folder / "0.tar", [(b"no photo", None)])
    with pytest.raises(RunError, match="no photo to train on: 1 no photos, or damaged"):
        shard_album.make(config(folder), tmp_path / "album")
    assert not (tmp_path / "album" / "rows.jsonl").exists()
    saved(tmp_path / "photos" / "a.jpg")
    with pytest.raises(RunError, match="photos, which is none or is not there"):
        shard_album.listed([str(folder), str(tmp_path / "photos")])
    with pytest.raises(RunError, match="cannot be looked at before"):
        gather.make(config(folder / "0.tar"), tmp_path / "album")


def test_a_model_is_shown_what_lies_in_a_shard(toy: ToyWorld, tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")
    from training.base import without_weights

    base = without_weights(toy.taught, Model(**SETTINGS))
    file = saved(tmp_path / "a.jpg", seed=3)
    (inside,) = entries(tar(tmp_path / "0.tar", [(file.read_bytes(), None)]))
    assert base.photo(inside.path).tobytes() == base.photo(file).tobytes()
    with pytest.raises(PhotoError):
        base.photo(tmp_path / "0.tar::999999+10")


# ---- the split ----

PLACES = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))


@given(PLACES, st.floats(-1.2, 1.2), st.floats(-3, 3), st.integers(0, 3), st.sampled_from([1.0, 25.0, 100.0]))
def test_no_photo_to_train_on_lies_near_one_that_is_held_out(
    place: Coordinate, up: float, across: float, seed: int, km: float
) -> None:
    split = MapSplit(km, 30.0, seed)
    other = Coordinate(max(-90.0, min(90.0, place.lat + up * km / 111.2)), (place.lon + across * km / 111.2 + 180) % 360 - 180)
    if distance_km(place, other) < km * 0.999:
        assert {split.part(place), split.part(other)} != {Part.TRAIN, Part.HELD_OUT}


def test_about_as_many_are_held_out_as_is_wanted() -> None:
    rng, split = random.Random(0), MapSplit(25.0, 15.0, 0)
    places = [Coordinate(rng.uniform(-60, 70), rng.uniform(-180, 180)) for _ in range(4000)]
    parts = Counter(split.part(place) for place in places)
    assert 0.12 < parts[Part.HELD_OUT] / 4000 < 0.18
    assert parts[None] / 4000 < 0.12
    assert len({split.cell(place) for place in places}) > 2000


def test_gates_know_shards() -> None:
    assert Gate.named("shard") is Gate.SHARD
    assert shards.KINDS == (".tar", ".parquet")
