"""Photos inside shards: tar files as webdataset writes them, and parquet tables. Nothing is unpacked; a photo is named by where it lies.

    /data/00017.tar::10240+48731         48,731 bytes of that file, from byte 10,240 on
    /data/00017.parquet::512             row 512 of that table

A sample of a tar file are neighbours with one name up to the first dot: a photo, and perhaps a .json with lat, lon and author. A table
has a column of photos (bytes, or a struct with bytes), lat, lon, and perhaps author. A photo of a parquet table is read together with
the whole group of rows in which it lies, so tar files are the quicker ones to train from.
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

from georapp.errors import PhotoError
from georapp.photo import ENDINGS, MAX_BYTES

KINDS = (".tar", ".parquet")
_INSIDE = re.compile(r"(?P<shard>.+\.(?:tar|parquet))::(?P<at>\d+)(?:\+(?P<size>\d+))?", re.DOTALL | re.IGNORECASE)
_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "photo": ("image", "jpg", "jpeg", "img", "photo", "bytes"),
    "lat": ("lat", "latitude"),
    "lon": ("lon", "lng", "long", "longitude"),
    "author": ("author", "photographer", "user", "user_id", "owner"),
}
# what reading a damaged file raises; pyarrow's own errors are of these kinds
_ODD = (OSError, EOFError, tarfile.TarError, ValueError, TypeError, LookupError, NotImplementedError, MemoryError)
_MOST_JSON = 1_000_000  # bytes that are read of one
_TOGETHER = 64  # rows of a table


@dataclass(frozen=True, slots=True)
class Entry:
    """A photo of a shard: what `path` names is `data`. `lat` and `lon` are as they were written, None where nothing was."""

    path: Path
    data: bytes
    lat: Any = None
    lon: Any = None
    author: str = ""


class ShardError(Exception):
    """A shard cannot be read, or from somewhere on not any further; the text is the reason, a part of a sentence."""


def find(folder: Path) -> list[Path]:
    """The shards in a folder, also in folders in it, by name."""
    return sorted(path for path in folder.rglob("*") if path.suffix.lower() in KINDS and not path.name.startswith("."))


def entries(shard: Path) -> Iterator[Entry]:
    """All photos, one after another. Raises ShardError after those that could be read."""
    try:
        yield from _of_table(shard) if shard.suffix.lower() == ".parquet" else _of_tar(shard)
    except _ODD as error:
        raise ShardError(str(error).partition("\n")[0] or type(error).__name__) from error


# ---- single photos ----


def file_of(path: Path) -> Path:
    """The file in which a photo lies: the shard, or the photo itself."""
    found = _INSIDE.fullmatch(str(path))
    return Path(found["shard"]) if found else path


def data_of(path: Path) -> bytes | None:
    """The bytes of a photo inside a shard; None for a photo that is a file. Raises PhotoError."""
    found = _INSIDE.fullmatch(str(path))
    if not found:
        return None
    shard, at = Path(found["shard"]), int(found["at"])
    try:
        return _row(shard, at) if found["size"] is None else _part(shard, at, int(found["size"]))
    except _ODD as error:
        raise PhotoError(f"{path} cannot be read: {str(error).lower()}.", hint="Was the shard changed or moved?") from error


def as_file(path: Path, folder: Path) -> Path:
    """A photo as a file of its own, for those who need one: copied into `folder` if it lies in a shard. Raises PhotoError, OSError."""
    data = data_of(path)
    if data is None:
        return path
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / re.sub(r"[^\w.+-]", "-", path.name)
    file.write_bytes(data)
    return file


# ---- tar ----


def _of_tar(shard: Path) -> Iterator[Entry]:
    key, photo, about = "", None, dict[str, Any]()
    with shard.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
        for member in tar:
            tar.members = []  # type: ignore[attr-defined]  # it would keep them all
            folder, _, name = member.name.rpartition("/")
            stem, _, ending = name.partition(".")
            if not member.isreg() or name.startswith("._"):
                continue
            if f"{folder}/{stem}" != key:
                if photo:
                    yield _entry(shard, photo, about)
                key, photo, about = f"{folder}/{stem}", None, {}
            ending = f".{ending.rpartition('.')[2].lower()}"
            if ending in ENDINGS and photo is None:
                photo = (member.offset_data, member.size)
            elif ending == ".json" and member.size <= _MOST_JSON:
                about = _about(_part(shard, member.offset_data, member.size))
        if photo:
            yield _entry(shard, photo, about)
        _check_end(file, tar.offset)


def _check_end(file: BinaryIO, at: int) -> None:
    """tarfile ends without a word at a head that is damaged or cut off; a whole file has an empty block there. Raises ValueError."""
    file.seek(at)
    block = file.read(tarfile.BLOCKSIZE)
    if len(block) < tarfile.BLOCKSIZE:
        raise ValueError(f"it was cut off after {at:,} bytes")
    if block.strip(b"\0"):
        raise ValueError(f"it is damaged at byte {at:,}, and what comes after that is lost")


def _entry(shard: Path, photo: tuple[int, int], about: Mapping[str, Any]) -> Entry:
    at, size = photo
    path = shard.with_name(f"{shard.name}::{at}+{size}")
    return Entry(path, _part(shard, at, size), about.get("lat"), about.get("lon"), str(about.get("author") or ""))


def _about(data: bytes) -> dict[str, Any]:
    """What a .json says, under our names; nothing if it is damaged."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return {}
    if not isinstance(found, dict):
        return {}
    folded = {str(name).casefold(): value for name, value in found.items()}
    return {ours: folded[name] for ours, names in _COLUMNS.items() for name in reversed(names) if name in folded}


def _part(shard: Path, at: int, size: int) -> bytes:
    if size > MAX_BYTES:
        raise ValueError(f"a photo of {size / 1e6:.0f} MB is too large")
    with shard.open("rb") as file:
        file.seek(at)
        data = file.read(size)
    if len(data) < size:
        raise EOFError("it was cut off")
    return data


# ---- parquet ----


def _of_table(shard: Path) -> Iterator[Entry]:
    with _parquet().ParquetFile(shard) as table:
        columns = _columns(table)
        number = 0
        for batch in table.iter_batches(_TOGETHER, columns=list(columns.values())):
            for values in batch.to_pylist():
                said = {ours: values[name] for ours, name in columns.items()}
                data = _bytes(said["photo"])
                yield Entry(_row_path(shard, number), data, said.get("lat"), said.get("lon"), str(said.get("author") or ""))
                number += 1


def _parquet() -> Any:
    return importlib.import_module("pyarrow.parquet")  # where there are no such shards, nothing needs it


def _columns(table: Any) -> dict[str, str]:
    """Our names -> those of the table. Raises ValueError when it has no photos."""
    folded = {name.casefold(): name for name in table.schema_arrow.names}
    found = {ours: folded[name] for ours, names in _COLUMNS.items() for name in reversed(names) if name in folded}
    if "photo" not in found:
        raise ValueError(f"it has no column of photos, but {', '.join(folded)[:200]}")
    return found


def _bytes(value: Any) -> bytes:
    """Of a column of bytes, or of one as the library datasets writes it. Empty where there is nothing."""
    data = value.get("bytes") if isinstance(value, dict) else value
    return data if isinstance(data, bytes) else b""


def _row_path(shard: Path, number: int) -> Path:
    return shard.with_name(f"{shard.name}::{number}")


def _row(shard: Path, number: int) -> bytes:
    status, first = shard.stat(), 0
    for group, rows in enumerate(_groups(shard, status.st_mtime_ns)):
        if number < first + rows:
            return _bytes(_photos(shard, status.st_mtime_ns, group)[number - first].as_py())
        first += rows
    raise IndexError(f"the table has only {first} rows")


@functools.lru_cache(maxsize=4096)
def _groups(shard: Path, _changed: int) -> tuple[int, ...]:
    """How many rows each group of a table has."""
    with _parquet().ParquetFile(shard) as table:
        return tuple(table.metadata.row_group(number).num_rows for number in range(table.num_row_groups))


@functools.lru_cache(maxsize=2)
def _photos(shard: Path, _changed: int, group: int) -> Any:
    """The column of photos of a group of rows."""
    with _parquet().ParquetFile(shard) as table:
        name = _columns(table)["photo"]
        return table.read_row_group(group, columns=[name]).column(name)
