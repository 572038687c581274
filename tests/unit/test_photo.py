"""Photos of every kind, upright and checked; hostile ones refused with a sentence; metadata read and never passed on."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import ExifTags, Image
from PIL.TiffImagePlugin import IFDRational

from georapp import photo
from georapp.errors import PhotoError
from tests.conftest import textured

GPS = ExifTags.GPS


def saved(image: Image.Image, path: Path, **how: object) -> Path:
    image.save(path, **how)
    return path


def exif(orientation: int = 1, *, gps: dict[int, object] | None = None, details: dict[int, object] | None = None) -> Image.Exif:
    data = Image.Exif()
    data[ExifTags.Base.Orientation] = orientation
    if gps is not None:
        data._ifds[ExifTags.IFD.GPSInfo] = gps
    if details is not None:
        data._ifds[ExifTags.IFD.Exif] = details
    return data


def place(lat: tuple[float, float, float], north: str, lon: tuple[float, float, float], east: str) -> dict[int, object]:
    return {
        GPS.GPSLatitudeRef: north,
        GPS.GPSLatitude: tuple(IFDRational(round(v * 100), 100) for v in lat),
        GPS.GPSLongitudeRef: east,
        GPS.GPSLongitude: tuple(IFDRational(round(v * 100), 100) for v in lon),
    }


@pytest.mark.parametrize(
    ("name", "how"),
    [
        ("a.jpg", {"quality": 95}),
        ("a.png", {}),
        ("a.webp", {"quality": 95}),
        ("a.tiff", {}),
        ("a.heic", {"quality": 95}),
        ("a.avif", {"quality": 95}),
    ],
)
def test_every_format_is_read(name: str, how: dict[str, object], tmp_path: Path, picture: Image.Image) -> None:
    path = saved(picture, tmp_path / name, **how)
    read = photo.read(path)
    assert (read.width, read.height) == picture.size
    assert read.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    difference = np.abs(np.asarray(read.pixels(), float) - np.asarray(picture, float)).mean()
    assert difference < 8


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("ending", ["jpg", "heic"])
def test_photos_arrive_upright(orientation: int, ending: str, tmp_path: Path, picture: Image.Image) -> None:
    upright = picture
    # how a camera held that way stores the upright picture
    stored = {
        1: upright,
        2: upright.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        3: upright.transpose(Image.Transpose.ROTATE_180),
        4: upright.transpose(Image.Transpose.FLIP_TOP_BOTTOM),
        5: upright.transpose(Image.Transpose.TRANSPOSE),
        6: upright.transpose(Image.Transpose.ROTATE_90),
        7: upright.transpose(Image.Transpose.TRANSVERSE),
        8: upright.transpose(Image.Transpose.ROTATE_270),
    }[orientation]
    path = saved(
        stored, tmp_path / f"a.{ending}", quality=95, exif=exif(orientation).tobytes()
    )  # as bytes: pillow-heif turns only then
    read = photo.read(path)
    assert (read.width, read.height) == upright.size
    assert np.abs(np.asarray(read.pixels(), float) - np.asarray(upright, float)).mean() < 8


@pytest.mark.parametrize("mode", ["L", "LA", "P", "RGBA", "CMYK", "1", "I;16"])
def test_every_colour_mode_becomes_rgb(mode: str, tmp_path: Path, picture: Image.Image) -> None:
    if mode == "I;16":
        image = Image.fromarray((np.asarray(picture.convert("L"), np.uint16) * 257).astype(np.uint16))
    else:
        image = picture.convert(mode)
    path = saved(image, tmp_path / ("a.tiff" if mode == "CMYK" else "a.png"))
    pixels = photo.read(path).pixels()
    assert pixels.mode == "RGB"
    assert 60 < np.asarray(pixels).mean() < 200  # neither cut off to white nor to black


def test_transparent_parts_become_white(tmp_path: Path) -> None:
    path = saved(Image.new("RGBA", (32, 32), (200, 0, 0, 0)), tmp_path / "a.png")
    assert photo.read(path).pixels().getpixel((5, 5)) == (255, 255, 255)


def test_animations_give_their_first_frame(tmp_path: Path) -> None:
    frames = [Image.new("RGB", (32, 32), colour) for colour in ("red", "blue")]
    path = tmp_path / "a.webp"
    frames[0].save(path, save_all=True, append_images=frames[1:], lossless=True)
    red, green, blue = np.asarray(photo.read(path).pixels(), float)[5, 5]
    assert red > 200
    assert max(green, blue) < 60


def test_exif_place_time_and_heading(tmp_path: Path, picture: Image.Image) -> None:
    gps = place((48, 51, 30.24), "N", (2, 17, 40.2), "E") | {GPS.GPSImgDirection: IFDRational(4500, 10)}
    details = {ExifTags.Base.DateTimeOriginal: "2025:06:14 16:20:05", ExifTags.Base.OffsetTimeOriginal: "+02:00"}
    read = photo.read(saved(picture, tmp_path / "a.jpg", exif=exif(gps=gps, details=details))).metadata
    assert read.place is not None
    assert (read.place.lat, read.place.lon) == (pytest.approx(48.8584, abs=1e-4), pytest.approx(2.2945, abs=1e-4))
    assert read.place_from == "EXIF"
    assert read.taken_at == "2025-06-14T16:20:05+02:00"
    assert read.heading == pytest.approx(90.0)


def test_south_and_west_are_negative(tmp_path: Path, picture: Image.Image) -> None:
    read = photo.read(saved(picture, tmp_path / "a.jpg", exif=exif(gps=place((33, 55, 0), "S", (70, 30, 0), "W")))).metadata
    assert read.place is not None
    assert (read.place.lat, read.place.lon) == (pytest.approx(-33.91667, abs=1e-4), pytest.approx(-70.5, abs=1e-4))


@pytest.mark.parametrize(
    ("gps", "note"),
    [
        (place((0, 0, 0), "N", (0, 0, 0), "E"), "(0, 0)"),
        (place((95, 0, 0), "N", (10, 0, 0), "E"), "impossible"),
        (
            place((1, 2, 3), "N", (1, 2, 3), "E") | {GPS.GPSLatitude: (IFDRational(1, 0), IFDRational(0, 0), IFDRational(0, 0))},
            "",
        ),
        ({GPS.GPSLatitude: (IFDRational(48), IFDRational(51), IFDRational(30)), GPS.GPSLatitudeRef: "N"}, ""),
        ({}, ""),
    ],
)
def test_unusable_positions_are_no_place(gps: dict[int, object], note: str, tmp_path: Path, picture: Image.Image) -> None:
    read = photo.read(saved(picture, tmp_path / "a.jpg", exif=exif(gps=gps))).metadata
    assert read.place is None
    assert any(note in sentence for sentence in read.notes) or not note


def test_broken_exif_does_not_cost_the_photo(tmp_path: Path, picture: Image.Image) -> None:
    path = saved(
        picture, tmp_path / "a.jpg", exif=exif(gps=place((48, 51, 30), "N", (2, 17, 40), "E")).tobytes()[:40] + b"\xff" * 60
    )
    assert photo.read(path).metadata.place is None


def test_xmp_place(tmp_path: Path, picture: Image.Image) -> None:
    packet = (
        b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description '
        b'xmlns:exif="http://ns.adobe.com/exif/1.0/" exif:GPSLatitude="33,55.5S" exif:GPSLongitude="18,25.4E"/></rdf:RDF></x:xmpmeta>'
    )
    read = photo.read(saved(picture, tmp_path / "a.jpg", xmp=packet)).metadata
    assert read.place is not None
    assert (read.place.lat, read.place.lon) == (pytest.approx(-33.925, abs=1e-4), pytest.approx(18.42333, abs=1e-4))
    assert read.place_from == "XMP"


def test_metadata_and_name_never_reach_the_pixels(tmp_path: Path, picture: Image.Image) -> None:
    plain = saved(picture, tmp_path / "a.png")
    telling = tmp_path / "Eiffel Tower, Paris 48.8584 2.2945.png"
    picture.save(telling, exif=exif(gps=place((48, 51, 30), "N", (2, 17, 40), "E")))
    assert plain.read_bytes() != telling.read_bytes()
    a, b = photo.read(plain).pixels(), photo.read(telling).pixels()
    assert a.tobytes() == b.tobytes()
    assert not b.getexif()
    assert "exif" not in photo.scaled_to(b, (32, 32)).info


def bomb(width: int, height: int) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 100_000, 9)) + chunk(b"IEND", b"")


def refused(path: Path) -> str:
    with pytest.raises(PhotoError) as caught:
        photo.read(path)
    sentence = str(caught.value)
    assert sentence.endswith(".")
    assert path.name in sentence
    return sentence


def test_hostile_files(tmp_path: Path, picture: Image.Image) -> None:
    cases = {
        "empty.jpg": (b"", "is empty"),
        "text.jpg": (b"not a photo at all, only words " * 9, "is not a photo"),
        "bomb.png": (bomb(20_000, 20_000), "claims 20000 x 20000 pixels"),
        "wide.png": (bomb(1_000_000, 200), "claims 1000000 x 200 pixels"),
        "page.svg": (b"<svg xmlns='http://www.w3.org/2000/svg' width='99' height='99'/>", "is not a photo"),
        "art.eps": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 100 100\n", "is not a photo"),
    }
    for name, (data, words) in cases.items():
        (tmp_path / name).write_bytes(data)
        assert words in refused(tmp_path / name)
    buffer = io.BytesIO()
    picture.save(buffer, "GIF")
    (tmp_path / "a.gif").write_bytes(buffer.getvalue())
    assert "is not a photo" in refused(tmp_path / "a.gif")


@pytest.mark.parametrize("ending", ["jpg", "png", "webp", "tiff", "heic", "avif"])
def test_cut_off_files(ending: str, tmp_path: Path) -> None:
    whole = saved(textured(640, 480), tmp_path / f"a.{ending}").read_bytes()
    path = tmp_path / f"cut.{ending}"
    path.write_bytes(whole[: len(whole) // 2])
    assert "damaged" in refused(path)


def test_what_is_no_file(tmp_path: Path) -> None:
    assert "cannot be opened: no such file" in refused(tmp_path / "missing.jpg")
    assert "is not a file" in refused(tmp_path)
    os.mkfifo(tmp_path / "pipe.jpg")
    assert "is not a file" in refused(tmp_path / "pipe.jpg")
    with pytest.raises(PhotoError, match="not a possible file name"):
        photo.read(Path("a\0b.jpg"))


def test_a_speck_is_refused(tmp_path: Path) -> None:
    assert "only 4 x 4 pixels" in refused(saved(Image.new("RGB", (4, 4)), tmp_path / "a.png"))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    ending=st.sampled_from(["jpg", "png", "webp", "tiff", "heic", "avif"]),
    damage=st.lists(st.tuples(st.floats(0, 0.999), st.integers(0, 255)), min_size=1, max_size=12),
)
def test_random_damage_is_a_photo_or_a_photo_error(ending: str, damage: list[tuple[float, int]], tmp_path: Path) -> None:
    path = tmp_path / f"whole.{ending}"
    if not path.exists():
        saved(textured(64, 48), path, exif=exif(gps=place((48, 51, 30), "N", (2, 17, 40), "E")))
    data = bytearray(path.read_bytes())
    for where, value in damage:
        data[int(where * len(data))] = value
    hurt = tmp_path / f"hurt.{ending}"
    hurt.write_bytes(data)
    try:
        read = photo.read(hurt)
    except PhotoError as error:
        assert str(error).endswith(".")
    else:
        assert read.pixels().size == (read.width, read.height)


def test_folders_are_walked_by_name(tmp_path: Path, picture: Image.Image) -> None:
    (tmp_path / "b").mkdir()
    for name in ("z.jpg", "b/é.JPG", "b/x.png", "a.txt", "._z.jpg", "emoji 🗼\u202e.webp", "new\nline.jpg"):
        picture.save(tmp_path / name, "JPEG")
    found = [str(path.relative_to(tmp_path)) for path, _error in photo.find([tmp_path])]
    assert found == ["b/x.png", "b/é.JPG", "emoji 🗼\u202e.webp", "new\nline.jpg", "z.jpg"]
    assert list(photo.find([tmp_path / "a.txt"])) == [(tmp_path / "a.txt", None)]  # named by hand: tried, whatever it is called


def test_scaling_keeps_the_whole_photo() -> None:
    image = textured(400, 200)
    small = photo.scaled_to(image, (320, 320))
    assert small.size == (320, 320)
    corner = np.asarray(image.crop((380, 180, 400, 200)), float).mean((0, 1))
    assert np.abs(np.asarray(small.crop((304, 288, 320, 320)), float).mean((0, 1)) - corner).max() < 12


def test_a_folder_that_may_not_be_read_costs_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a", "closed", "more/closed", "z"):
        (tmp_path / name).mkdir(parents=True)
        (tmp_path / name / "p.jpg").touch()
    iterdir = Path.iterdir

    def closed(folder: Path) -> Iterator[Path]:  # root may read everything, so the refusal is made up
        if folder.name == "closed":
            raise PermissionError(13, "Permission denied")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", closed)
    found = dict(photo.find([tmp_path]))
    folders = [tmp_path / "closed", tmp_path / "more" / "closed"]
    assert list(found) == [tmp_path / "a" / "p.jpg", *folders, tmp_path / "z" / "p.jpg"]
    for path, error in found.items():
        assert (path in folders) == (error is not None)
        assert error is None or f"{path} cannot be opened: permission denied" in str(error)


def test_what_lies_in_a_folder_that_may_not_be_entered_is_refused_when_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "p.jpg"
    path.touch()
    stat = Path.stat

    def refusing(file: Path, **how: bool) -> os.stat_result:  # as above; its name may be listed all the same
        if file == path:
            raise PermissionError(13, "Permission denied")
        return stat(file, **how)

    monkeypatch.setattr(Path, "stat", refusing)
    assert list(photo.find([tmp_path])) == list(photo.find([path])) == [(path, None)]
    assert "cannot be opened: permission denied" in refused(path)
