"""Cases and settings on bad disks: the window says it, lives, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from filelock import FileLock
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu
from pytestqt.qtbot import QtBot

from georapp import settings
from georapp.case import Case, Ruling, State, Verdict
from georapp.gui.app import FIRST_CASE
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.paths import home
from tests.conftest import textured
from tests.gui.beginning import begun, opened, taken
from tests.gui.drops import drop, files

PATIENCE_MS = 30_000


def settled(session: Session, n: int) -> bool:
    return len(session.rows) == n and session.current is None and not session.count(State.WAITING)


def said(window: Window) -> str:
    return window.status._text


def pages_of(case: Case | None, most: int | None) -> None:
    """As on a disk that is full when the case has so many pages; None: there is room again."""
    assert case is not None
    (now,) = case._connection.execute("PRAGMA page_count").fetchone()
    case._connection.execute(f"PRAGMA max_page_count = {now if most is None else now + most}")
    if most is None:
        case._connection.execute("PRAGMA max_page_count = 1000000")


def filled(folder: Path, n: int) -> list[Path]:
    folder.mkdir()
    for seed in range(n):
        textured(32, 24, 200 + seed).save(folder / f"{seed:03}.jpg", comment=b"x" * 3000)
    return sorted(folder.iterdir())


def test_a_full_disk_pauses_and_resuming_goes_on(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: session.ready is not None, timeout=PATIENCE_MS)
    pages_of(session.case, 1)
    paths = filled(tmp_path / "many", 12)
    drop(window, files(tmp_path / "many"))
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: session.current is None, timeout=PATIENCE_MS)
    assert "could not be written" in said(window)
    assert "Free some room" in said(window)
    assert session.case is not None
    assert session.case.problems() == []
    window.actions_by_name["pause"].trigger()  # resume, while there is no room yet: said again, no loop
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE_MS)
    pages_of(session.case, None)
    window.actions_by_name["pause"].trigger()
    qtbot.waitUntil(lambda: settled(session, len(paths)), timeout=PATIENCE_MS)
    assert [row.path for row in session.rows.values()] == paths
    assert session.count(State.LOCATED) == len(paths)
    assert session.case.counts()[State.LOCATED] == len(paths)


def test_an_answer_that_finds_no_room_leaves_its_photo_waiting(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    session = window.session
    session.pause()
    textured(64, 48, 41).save(tmp_path / "a.jpg")
    session.add([tmp_path / "a.jpg"])
    qtbot.waitUntil(lambda: len(session.rows) == 1 and session.ready is not None, timeout=PATIENCE_MS)
    pages_of(session.case, 0)
    session.resume()
    qtbot.waitUntil(lambda: not session.running and session.current is None, timeout=PATIENCE_MS)
    assert session.rows[1].state is State.WAITING
    assert "paused" in said(window)
    pages_of(session.case, None)
    session.resume()
    qtbot.waitUntil(lambda: session.count(State.LOCATED) == 1, timeout=PATIENCE_MS)


def test_a_verdict_that_finds_no_room_is_said_and_not_shown(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    assert session.case is not None
    session.case._connection.execute("PRAGMA query_only = ON")  # what SQLite says of a file that may only be read
    session.judge([1, 2], Verdict(Ruling.ACCEPTED))
    assert "could not be written" in said(window)
    assert session.rows[1].ruling is Ruling.NONE
    assert not session.undo.canUndo()
    session.case._connection.execute("PRAGMA query_only = OFF")
    session.judge([1, 2], Verdict(Ruling.ACCEPTED))
    assert session.rows[2].ruling is Ruling.ACCEPTED


def test_a_folder_that_cannot_be_written_to(
    window: Window, tmp_path: Path, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    Case.create(tmp_path / "kept.georapp").close()

    def refuse(_lock: FileLock, **_how: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(FileLock, "acquire", refuse)
    assert drop(window, files(tmp_path / "kept.georapp"))
    opened(window, qtbot)
    assert not window.session.writable
    assert "read-only file system" in window.top._held.text()
    assert said(window) == ""
    drop(window, files(photos))
    assert "only read here" in said(window)
    window.actions_by_name["undo"].trigger()
    window.session.skip([])
    assert not window.session.rows


def test_a_case_that_another_process_holds(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "held.georapp"
    Case.create(path).close()
    text = (
        "import sys; from pathlib import Path; from georapp.case import Case; case = Case.open(Path(sys.argv[1])); "
        "print(case.writable, flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "True\n"
        taken(window, [path], qtbot)
        assert f"process {holder.pid}" in window.top._held.text()
        assert not window.session.writable
        holder.kill()
    other = tmp_path / "other.georapp"
    Case.create(other).close()
    taken(window, [other], qtbot)
    taken(window, [path], qtbot)  # the right came back with the end of that process
    assert window.session.writable


def bad_case(kind: str, path: Path) -> None:
    if kind == "truncated":
        with Case.create(path) as case:
            case.keep("x", "y" * 50_000)
        os.truncate(path, path.stat().st_size // 3)
    elif kind == "head only":
        with Case.create(path):
            pass
        os.truncate(path, 100)
    elif kind == "empty":
        path.touch()
    elif kind == "text":
        path.write_text("no database" * 1000)
    elif kind == "foreign":
        sqlite3.connect(path).execute("CREATE TABLE x (y)").connection.close()
    elif kind == "newer":
        with Case.create(path) as case:
            case._connection.execute("PRAGMA user_version = 99")
    elif kind == "no tables":
        connection = sqlite3.connect(path)
        connection.execute("PRAGMA application_id = 0x67656F52")
        connection.execute("PRAGMA user_version = 1")
        connection.close()
    elif kind == "folder":
        path.mkdir()
    elif kind == "loop":
        path.symlink_to(path)


KINDS = ("truncated", "head only", "empty", "text", "foreign", "newer", "no tables", "folder", "loop", "missing")


@pytest.mark.parametrize("way", ["drop", "recent", "start"])
def test_bad_cases_leave_the_open_one_open(way: str, window: Window, photos: Path, tmp_path: Path, qtbot: QtBot) -> None:
    if way == "start":
        for kind in KINDS:
            bad_case(kind, tmp_path / f"{kind}.georapp")
        window.session.settings = settings.Settings(recent=(str(tmp_path / "truncated.georapp"),))
        begun(window, [photos, tmp_path / "missing.georapp"], qtbot)
        assert "There is no case" in said(window)
        assert window.session.case is not None
        assert window.session.case.path.name == FIRST_CASE
        return
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    for kind in KINDS:
        path = tmp_path / f"{kind}.georapp"
        bad_case(kind, path)
        before = path.read_bytes() if path.is_file() else b""
        window.status.say("", wrong=False)
        if way == "drop":
            assert drop(window, files(path))
        else:
            window.session.settings = settings.Settings(recent=(str(path),))
            recent_entries(window)[0].trigger()
        opened(window, qtbot)
        assert said(window), kind
        assert window.session.case is not None
        assert window.session.case.path.name == FIRST_CASE
        assert len(window.session.rows) == 6
        assert window.session.writable
        if before and kind != "empty":
            assert path.read_bytes() == before  # a file that is no case of ours is left as it is


def recent_entries(window: Window) -> list[QAction]:
    menu = QMenu(window)
    window.cases.fill_recent(menu)
    return menu.actions()


def test_a_case_with_damaged_pages_is_read_as_far_as_possible(window: Window, photos: Path, tmp_path: Path, qtbot: QtBot) -> None:
    path = tmp_path / "damaged.georapp"
    begun(window, [], qtbot)
    window.session.open(path, new=True)
    window.session.add([photos])
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    window.session.open(tmp_path / "next.georapp", new=True)
    whole = path.read_bytes()
    for page in range(2, len(whole) // 4096, 2):
        path.write_bytes(whole[: page * 4096] + b"\xff" * 4096 + whole[(page + 1) * 4096 :])
        taken(window, [path], qtbot)
        qtbot.wait(1)
        for number in list(window.session.rows):
            window.page.photos.choose(number)
        window.actions_by_name["case_page"].trigger()
        window.actions_by_name["map_page"].trigger()
        window.actions_by_name["locate_page"].trigger()
        taken(window, [tmp_path / "next.georapp"], qtbot)
    assert window.session.case is not None
    assert window.session.case.path.name == "next.georapp"


STRANGE = (
    "UPDATE answer SET located = '{}'",
    "UPDATE photo SET file = 'nonsense'",
    "UPDATE photo SET known_lat = 900, known_lon = 0",
    "UPDATE photo SET path = 7",
    "UPDATE verdict SET ruling = 'perhaps'",
    "UPDATE setting SET value = '[[[['",
)


@pytest.mark.parametrize("change", STRANGE)
def test_a_case_that_somebody_wrote_nonsense_into(
    change: str, window: Window, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    path = tmp_path / "strange.georapp"
    begun(window, [], qtbot)
    session = window.session
    session.open(path, new=True)
    session.add([photos])
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    session.judge([1], Verdict(Ruling.ACCEPTED))
    session.keep_view("mine", "{}")
    session.open(tmp_path / "next.georapp", new=True)
    with contextlib.closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(change)
    with qtbot.waitSignal(session.rows_read, timeout=PATIENCE_MS):
        taken(window, [path], qtbot)
    for number in list(session.rows):
        window.page.photos.choose(number)
    window.actions_by_name["case_page"].trigger()
    assert "setting" in change or "did not write" in said(window)


def test_a_case_whose_file_is_deleted_while_it_is_open(window: Window, photos: Path, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    assert session.case is not None
    session.case.path.unlink()
    session.judge([1], Verdict(Ruling.ACCEPTED))
    assert "is gone" in said(window)
    assert "Save a copy" in said(window)
    textured(64, 48, 42).save(tmp_path / "more.jpg")
    session.add([tmp_path / "more.jpg"])
    qtbot.waitUntil(lambda: not session.running, timeout=PATIENCE_MS)
    session.case.save_copy(tmp_path / "saved.georapp")
    taken(window, [tmp_path / "saved.georapp"], qtbot)
    qtbot.waitUntil(lambda: len(session.rows) == 6, timeout=PATIENCE_MS)
    assert session.case.path.name == "saved.georapp"


def test_a_case_that_is_cut_off_while_it_is_open(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    assert session.case is not None
    os.truncate(session.case.path, 5000)
    for number in session.rows:
        window.page.photos.choose(number)
    session.judge([1], Verdict(Ruling.ACCEPTED))
    session.locate_again([1])
    window.actions_by_name["case_page"].trigger()
    assert "cannot be read" in said(window) or "could not be written" in said(window)


# ---- settings and the user's folder ----


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", '{"model": 7, "recent": [1, null], "theme": "pink", "samples": "many"}', "\udcff", "[" * 100_000],
)
def test_broken_settings_are_replaced(text: str, qtbot: QtBot, standin: None) -> None:
    home().mkdir()
    settings.file().write_bytes(text.encode("utf-8", "surrogateescape"))
    (home() / "window.ini").write_text("[General]\ngeometry=nonsense\nacross=@ByteArray(x)\nmiddle=7\n")
    session = Session(settings.load())
    window = Window(session)
    begun(window, [], qtbot)
    assert session.case is not None
    window.close()


def test_a_home_that_cannot_be_written_to(window: Window, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    shutil.rmtree(home(), ignore_errors=True)
    home().write_text("a file where a folder should be")
    begun(window, [photos], qtbot)
    assert "No case" in said(window) or "no case" in said(window)
    assert window.session.case is None
    window.session.open(tmp_path / "elsewhere.georapp", new=True)
    qtbot.waitUntil(lambda: "settings could not be kept" in said(window))
    window.session.add([photos])
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    assert window.session.count(State.LOCATED) == 6
