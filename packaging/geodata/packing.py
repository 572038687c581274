"""Writes the files of resources/places so that the same tables give the same bytes. The readers are in georapp/places.py."""

from __future__ import annotations

import io
import lzma
import zipfile
from pathlib import Path

import numpy as np
import numpy.typing as npt

from georapp.places import arrays, unpacked

EPOCH = (1980, 1, 1, 0, 0, 0)  # a zip entry has a date; this one never changes


def packed(values: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Integers as the bytes of their differences; `georapp.places.unpacked` is the inverse."""
    integers = np.asarray(values, dtype=np.int64)
    planes = apart(np.diff(integers, prepend=0))
    if not np.array_equal(unpacked(planes), integers):
        raise ValueError("These integers do not fit into 32 bits.")
    return planes


def apart(values: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    """Integers as their (4, n) bytes; `georapp.places.joined` is the inverse."""
    return np.ascontiguousarray(np.asarray(values, dtype="<i4").view(np.uint8).reshape(-1, 4).T)


def text(lines: list[str]) -> npt.NDArray[np.uint8]:
    """Lines as one array of UTF-8 bytes."""
    if any("\n" in line for line in lines):
        raise ValueError("A name with a line break.")
    return np.frombuffer("\n".join(lines).encode(), np.uint8)


def write(file: Path, table: dict[str, npt.NDArray[np.uint8]]) -> None:
    """An .npz file packed with xz."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as archive:
        for name, array in table.items():
            member = io.BytesIO()
            np.lib.format.write_array(member, array, version=(1, 0), allow_pickle=False)
            archive.writestr(zipfile.ZipInfo(f"{name}.npy", EPOCH), member.getvalue())
    data = lzma.compress(buffer.getvalue(), check=lzma.CHECK_CRC32, preset=9 | lzma.PRESET_EXTREME)
    file.write_bytes(data)
    again = arrays(data)
    if any(not np.array_equal(again[name], array) for name, array in table.items()):
        raise ValueError(f"{file} does not read back as it was written.")
