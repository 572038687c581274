"""The window's side of scanning an album and of showing what is learned: scripts stand for the processes that do it."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from georapp import album_scan
from georapp.album_scan import AlbumSeen, Country, Scan
from georapp.errors import RunError
from georapp.sample_preview import Preview, samples
from georapp.training_process import Cancelled
from tests.unit.stand_ins import says, script

ALBUM: dict[str, Any] = {
    "photos": 30,
    "with_place": 24,
    "train": 20,
    "held_out": 3,
    "probe": 3,
    "groups": 9,
    "left_out": ["6 without a place", "1 at sea"],
    "notes": ["Labels by polygons."],
    "warnings": [["Few.", "Add photos."]],
    "countries": [["FR", "France", 12, 3], ["JP", "Japan", 8, 0]],
    "places": [[48.85, 2.35, "train"], [35.68, 139.69, "held_out"]],
}


def ignored(_done: int, _of: int) -> None:
    """Nobody wants to know."""


# ---- scanning ----


def test_a_scan_says_how_far_it_is_and_what_it_found(tmp_path: Path) -> None:
    python = says(tmp_path / "python", {"done": 64, "of": 90}, {"done": 90, "of": 90}, {"album": ALBUM})
    told: list[tuple[int, int]] = []
    seen = Scan(tmp_path, python).run(lambda done, of: told.append((done, of)))
    assert told == [(64, 90), (90, 90)]
    assert seen == AlbumSeen(
        photos=30,
        with_place=24,
        train=20,
        held_out=3,
        countries=(Country("FR", "France", 12, 3), Country("JP", "Japan", 8, 0)),
        places=((48.85, 2.35, False), (35.68, 139.69, True)),
        left_out=("6 without a place", "1 at sea"),
        notes=("Labels by polygons.",),
        warnings=(("Few.", "Add photos."),),
        groups=9,
        probe=3,
    )


def test_it_asks_for_the_folder_by_its_whole_path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    python = script(tmp_path / "python", f'echo "$@" > {tmp_path}/asked', "exit 1")
    with pytest.raises(RunError):
        Scan(Path("draft"), python).run(ignored)
    assert (tmp_path / "asked").read_text() == f"-m training.scan {tmp_path}/draft\n"


def test_what_it_says_of_its_failure(tmp_path: Path) -> None:
    python = says(tmp_path / "python", {"failed": "No photo\x07.", "hint": "Add some."}, then=["echo No photo. >&2; exit 1"])
    with pytest.raises(RunError, match="No photo\N{REPLACEMENT CHARACTER}.") as error:
        Scan(tmp_path, python).run(ignored)
    assert error.value.hint == "Add some."


@pytest.mark.parametrize(
    ("then", "sentence"),
    [
        ("echo 'ModuleNotFoundError: no numpy' >&2; exit 1", "failed: it ended with status 1 .ModuleNotFoundError: no numpy."),
        ("kill -KILL $$", "it was killed, by the system for lack of memory or by hand"),
        ("exit 0", "nothing was said about them"),
    ],
)
def test_an_end_without_a_word(then: str, sentence: str, tmp_path: Path) -> None:
    with pytest.raises(RunError, match=sentence):
        Scan(tmp_path, says(tmp_path / "python", {"done": 1, "of": 2}, then=[then])).run(ignored)


@pytest.mark.parametrize("broken", [{}, ALBUM | {"photos": None}, ALBUM | {"countries": [["FR"]]}, ALBUM | {"places": 3}, 7])
def test_nonsense_is_refused(broken: Any, tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be understood"):
        Scan(tmp_path, says(tmp_path / "python", {"album": broken})).run(ignored)


def test_it_is_cancelled_in_the_middle(tmp_path: Path) -> None:
    scan = Scan(tmp_path, says(tmp_path / "python", {"done": 1, "of": 9}, then=["sleep 600"]))
    with pytest.raises(Cancelled):
        scan.run(lambda _done, _of: scan.cancel())
    scan.cancel()


def test_it_is_cancelled_from_another_thread(tmp_path: Path) -> None:
    scan = Scan(tmp_path, says(tmp_path / "python", {"done": 1, "of": 9}, then=["sleep 600"]))
    others: list[threading.Thread] = []

    def cancel_elsewhere(_done: int, _of: int) -> None:
        others.append(threading.Thread(target=scan.cancel))
        others[-1].start()

    with pytest.raises(Cancelled):
        scan.run(cancel_elsewhere)
    for other in others:
        other.join()


def test_it_is_cancelled_before_it_began(tmp_path: Path) -> None:
    scan = Scan(tmp_path, script(tmp_path / "python", f"touch {tmp_path}/began"))
    scan.cancel()
    with pytest.raises(Cancelled):
        scan.run(ignored)
    assert not (tmp_path / "began").exists()


def test_a_listener_that_fails_ends_it(tmp_path: Path) -> None:
    def fails(_done: int, _of: int) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        Scan(tmp_path, says(tmp_path / "python", {"done": 1, "of": 9}, then=["sleep 600"])).run(fails)


def test_a_new_run_is_given_what_was_read(tmp_path: Path) -> None:
    draft, run = tmp_path / "draft", tmp_path / "run"
    run.mkdir()
    album_scan.keep_readings(draft, run)  # nothing was read yet: nothing happens
    assert list((run / "album").iterdir()) == []
    (draft / "album").mkdir(parents=True)
    (draft / album_scan.READINGS).write_text("a line\n")
    album_scan.keep_readings(draft, run)
    assert (run / album_scan.READINGS).read_text() == "a line\n"
    assert len(list((run / "album").iterdir())) == 1
    album_scan.keep_readings(draft, tmp_path / "gone")


# ---- what is learned ----


def test_samples_of_a_draft(tmp_path: Path) -> None:
    one = {"photo": "/photos/a.jpg", "tokens": [["<image>", False], ["Country: Peru\n", True]]}
    found = samples(tmp_path, says(tmp_path / "python", "loading", one, one), 2)
    assert found == [(Path("/photos/a.jpg"), (("<image>", False), ("Country: Peru\n", True)))] * 2


def test_samples_are_asked_for_by_number(tmp_path: Path) -> None:
    python = script(tmp_path / "python", f'echo "$@" > {tmp_path}/asked')
    with pytest.raises(RunError, match="no photo to train on"):
        samples(tmp_path, python, 3)
    assert (tmp_path / "asked").read_text() == f"-m training.preview {tmp_path} 3\n"


def test_no_samples(tmp_path: Path) -> None:
    python = says(tmp_path / "python", {"failed": "No model is chosen.", "hint": "Choose one."}, then=["exit 1"])
    with pytest.raises(RunError, match="No model is chosen") as error:
        samples(tmp_path, python, 1)
    assert error.value.hint == "Choose one."
    with pytest.raises(RunError, match="cannot be understood"):
        samples(tmp_path, says(tmp_path / "python", {"tokens": [[1]]}), 1)


def test_a_preview_is_cancelled(tmp_path: Path) -> None:
    preview = Preview(tmp_path, script(tmp_path / "python", "sleep 600"))
    ended: list[str] = []

    def run() -> None:
        try:
            preview.run()
        except Cancelled:
            ended.append("cancelled")

    thread = threading.Thread(target=run)
    thread.start()
    preview.cancel()
    thread.join()
    assert ended == ["cancelled"]
