"""Files into a case: facts, small pictures, refusals; one bad file stops nothing."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from georapp import photo
from georapp.intake import SIDE, Refused, Taken, facts, small_picture, take
from tests.conftest import textured


def saved(path: Path, width: int = 640, height: int = 480, **how: object) -> Path:
    textured(width, height).save(path, **how)  # type: ignore[arg-type]
    return path


def test_photos_are_taken_and_other_files_are_refused(tmp_path: Path) -> None:
    saved(tmp_path / "a.jpg")
    (tmp_path / "b.jpg").write_bytes(b"this is no photo")
    (tmp_path / "notes.txt").write_text("not looked at in a folder")
    saved(tmp_path / "c\n🙂.png")
    found = list(take([tmp_path]))
    assert [(type(entry), entry.path.name) for entry in found] == [(Taken, "a.jpg"), (Refused, "b.jpg"), (Taken, "c\n🙂.png")]
    refused = found[1]
    assert isinstance(refused, Refused)
    assert "is not a photo" in refused.reason
    assert refused.hint


def test_the_facts_are_those_of_the_photo(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by a quarter
    path = saved(tmp_path / "a.jpg", exif=exif)
    (entry,) = take([path])
    assert isinstance(entry, Taken)
    assert entry.facts == facts("", photo.read(path))
    assert (entry.facts.width, entry.facts.height) == (480, 640)
    with Image.open(small_picture(entry.facts.sha256)) as small:
        assert small.size == (SIDE * 480 // 640, SIDE)
        assert not small.getexif()


def test_a_small_picture_is_made_once(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg")
    (first,) = take([path])
    assert isinstance(first, Taken)
    small = small_picture(first.facts.sha256)
    before = small.stat().st_mtime_ns
    copy = tmp_path / "copy.jpg"
    copy.write_bytes(path.read_bytes())
    (second,) = take([copy])
    assert isinstance(second, Taken)
    assert second.facts.sha256 == first.facts.sha256
    assert small.stat().st_mtime_ns == before
    assert [entry.name for entry in small.parent.iterdir()] == [small.name]  # nothing half written lies about


def test_no_room_for_small_pictures_refuses_no_photo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GEORAPP_HOME", str(saved(tmp_path / "a file.jpg")))  # no folder can be made in it
    (entry,) = take([saved(tmp_path / "a.jpg")])
    assert isinstance(entry, Taken)
    assert not small_picture(entry.facts.sha256).exists()


def test_it_ends_when_it_is_told_to(tmp_path: Path) -> None:
    for i in range(5):
        saved(tmp_path / f"{i}.jpg", 32 + i, 32)
    seen: list[object] = []
    for entry in take([tmp_path], stopped=lambda: len(seen) >= 2):
        seen.append(entry)
    assert len(seen) == 2


def test_a_vanished_file_is_one_sentence(tmp_path: Path) -> None:
    (entry,) = take([tmp_path / "gone.jpg"])
    assert isinstance(entry, Refused)
    assert "gone.jpg" in entry.reason


def test_every_closed_folder_is_refused_under_its_own_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    closed = [tmp_path / "a", tmp_path / "b"]
    for folder in closed:
        folder.mkdir()
    saved(tmp_path / "c.jpg")
    iterdir = Path.iterdir

    def refusing(folder: Path) -> Iterator[Path]:  # root may read everything, so the refusal is made up
        if folder in closed:
            raise PermissionError(13, "Permission denied")
        return iterdir(folder)

    monkeypatch.setattr(Path, "iterdir", refusing)
    first, second, photo_after = take([tmp_path])
    for entry, folder in ((first, closed[0]), (second, closed[1])):
        assert isinstance(entry, Refused)
        assert entry.path == folder
        assert f"The folder {folder} cannot be opened" in entry.reason
        assert entry.hint
    assert isinstance(photo_after, Taken)
