"""Cases on disks and networks that hang, before and after they are opened: the window says it, lives, and loses nothing."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from georapp import case_file, settings
from georapp.case import Case, Ruling, State, Verdict
from georapp.gui import adding, background
from georapp.gui.app import FIRST_CASE, begin
from georapp.gui.opening import Way
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.paths import home
from tests.conftest import textured
from tests.gui.beginning import begun, opened, taken

PATIENCE_MS = 30_000
SHORT_S = 0.3


@pytest.fixture
def network(tmp_path: Path) -> Path:
    """A folder whose disk may stop answering."""
    (tmp_path / "network").mkdir()
    return tmp_path / "network"


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """Files below the folder called "network" are asked about in vain until this is set. It is never set on the window's thread alone."""
    found, stat, unlink = threading.Event(), Path.stat, Path.unlink

    def held(path: Path) -> None:
        if "network" in path.parts and not found.is_set():
            assert threading.current_thread() is not threading.main_thread(), f"the window waits for {path}"
            found.wait()

    def slow_stat(path: Path, *, follow_symlinks: bool = True) -> os.stat_result:
        held(path)
        return stat(path, follow_symlinks=follow_symlinks)

    def slow_unlink(path: Path, missing_ok: bool = False) -> None:
        held(path)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "stat", slow_stat)
    monkeypatch.setattr(Path, "unlink", slow_unlink)
    yield found
    found.set()


def said(window: Window) -> str:
    return window.status._text


def name_above(window: Window) -> str:
    return window.top._case.text()


def open_name(window: Window) -> str:
    assert window.session.case is not None
    return window.session.case.path.name


def settled(session: Session, n: int) -> bool:
    return len(session.rows) == n and session.current is None and not session.count(State.WAITING)


def answers_to_people(window: Window, qtbot: QtBot) -> None:
    """Pages turn, and soon."""
    before = time.monotonic()
    window.actions_by_name["case_page"].trigger()
    qtbot.waitUntil(window.case_page.isVisible)
    window.actions_by_name["locate_page"].trigger()
    qtbot.waitUntil(lambda: not window.case_page.isVisible())
    assert time.monotonic() - before < SHORT_S * 5


# ---- opening ----


def test_a_case_that_hangs_is_given_up_and_offered_when_it_answers(
    window: Window, network: Path, answers: threading.Event, qtbot: QtBot
) -> None:
    path = network / "slow.georapp"
    answers.set()
    Case.create(path).close()
    answers.clear()
    begun(window, [], qtbot)
    window.session._opening.patience_s = SHORT_S
    window.take([path])
    assert name_above(window).startswith("Opening slow…")
    answers_to_people(window, qtbot)
    qtbot.waitUntil(lambda: "does not answer" in said(window), timeout=PATIENCE_MS)
    assert f"The case {path} does not answer: is its disk or network there?" in said(window)
    assert "goes on without it" in said(window)
    assert name_above(window).startswith("My photos")
    assert open_name(window) == FIRST_CASE
    assert window.session.writable
    answers.set()
    qtbot.waitUntil(lambda: "answers now" in said(window), timeout=PATIENCE_MS)
    assert open_name(window) == FIRST_CASE  # not under the hands of a person who works on another one
    taken(window, [path], qtbot)
    assert open_name(window) == "slow.georapp"
    assert window.session.writable  # the late one has given the right back


def test_a_case_that_hangs_is_asked_for_again_before_it_answers(
    window: Window, network: Path, answers: threading.Event, qtbot: QtBot
) -> None:
    path = network / "slow.georapp"
    answers.set()
    Case.create(path).close()
    answers.clear()
    begun(window, [], qtbot)
    window.session._opening.patience_s = SHORT_S
    for _time in range(2):
        taken(window, [path], qtbot)
        assert "does not answer" in said(window)
    window.session._opening.patience_s = 60.0
    window.take([path])
    qtbot.wait(50)
    answers.set()
    opened(window, qtbot)
    assert open_name(window) == "slow.georapp"
    assert window.session.writable
    assert said(window) == ""


def test_at_the_start_the_first_case_takes_the_place_of_one_that_hangs(
    window: Window, network: Path, photos: Path, answers: threading.Event, qtbot: QtBot
) -> None:
    window.session.settings = settings.Settings(recent=(str(network / "last.georapp"),))
    window.session._opening.patience_s = SHORT_S
    begin(window, [photos])
    assert "is being opened" in window.empty._note.text()
    assert window.empty.first.isEnabled()
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    assert open_name(window) == FIRST_CASE
    assert window.session.count(State.LOCATED) == 6
    assert "last.georapp does not answer" in said(window)


def test_what_is_dropped_while_a_case_is_opened_is_added_to_it(
    window: Window, network: Path, photos: Path, answers: threading.Event, qtbot: QtBot
) -> None:
    begun(window, [photos / "photo 0.jpg"], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    window.cases.open(network / "new.georapp", new=True)
    window.take([photos / "photo 1.jpg", photos / "photo 2.jpg"])
    session.judge([1], Verdict(Ruling.ACCEPTED))  # of the case that is shown
    for name in ("undo", "redo", "pause", "pause", "stop", "pause", "skip", "again", "retry_failed", "case_page", "locate_page"):
        window.actions_by_name[name].trigger()
    assert len(session.rows) == 1
    answers.set()
    qtbot.waitUntil(lambda: settled(session, 2), timeout=PATIENCE_MS)
    assert {row.path.name for row in session.rows.values()} == {"photo 1.jpg", "photo 2.jpg"}
    taken(window, [home() / "cases" / FIRST_CASE], qtbot)
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    assert session.rows[1].ruling is Ruling.ACCEPTED


def test_what_is_dropped_is_added_to_the_open_case_when_the_other_cannot_be_opened(
    window: Window, photos: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    begun(window, [], qtbot)
    (tmp_path / "bad.georapp").write_text("no case")
    taken(window, [tmp_path / "bad.georapp", photos], qtbot)
    assert "cannot be opened as a case" in said(window)
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    assert open_name(window) == FIRST_CASE


def test_the_last_of_many_openings_wins_and_may_be_written(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    for name in "abc":
        Case.create(tmp_path / f"{name}.georapp").close()
    for name in "aabcbacabbca":
        window.cases.open(tmp_path / f"{name}.georapp")
    opened(window, qtbot)
    assert open_name(window) == "a.georapp"
    assert window.session.writable
    window.session.open(tmp_path / "b.georapp")
    with Case.open(tmp_path / "a.georapp") as case, Case.open(tmp_path / "c.georapp") as other:
        assert case.writable  # nobody holds it any more
        assert other.writable


def test_closing_the_window_does_not_wait_for_a_case_that_hangs(
    window: Window, network: Path, answers: threading.Event, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(adding, "_END_S", 0.1)
    begun(window, [], qtbot)
    window.cases.open(network / "slow.georapp")
    qtbot.wait(50)
    before = time.monotonic()
    window.close()
    assert time.monotonic() - before < 10
    assert window.session.hangs
    window.close()  # twice


# ---- copies, repairs, checks ----


def test_a_copy_to_a_disk_that_hangs_stops_nobody(
    window: Window, network: Path, photos: Path, answers: threading.Event, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(background, "PATIENCE_S", SHORT_S)
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    case = window.session.case
    assert case is not None
    for n in range(20):  # more than the pool has places
        window.cases.save_copy(case, network / f"copy {n}.georapp")
    qtbot.waitUntil(lambda: "is not saved yet" in said(window), timeout=PATIENCE_MS)
    answers_to_people(window, qtbot)
    window.session.judge([1], Verdict(Ruling.ACCEPTED))
    assert window.session.rows[1].ruling is Ruling.ACCEPTED
    answers.set()
    qtbot.waitUntil(lambda: "A copy was saved as" in said(window), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: not background._going_on, timeout=PATIENCE_MS)
    with Case.open(network / "copy 19.georapp") as copy:
        assert len(copy.rows()) == 6
        assert copy.problems() == []


def test_a_copy_is_whole_when_its_case_is_changed_and_closed_meanwhile(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(case_file, "_PAGES", 1)
    case = Case.create(tmp_path / "a.georapp")
    case.keep("much", "y" * 2_000_000)
    copying = threading.Thread(target=case.save_copy, args=(tmp_path / "copy.georapp",))
    copying.start()
    longest = 0.0
    for n in range(20):
        before = time.monotonic()
        case.keep(f"later {n}", "z")
        longest = max(longest, time.monotonic() - before)
    case.close()
    copying.join()
    assert longest < 1.0
    with Case.open(tmp_path / "copy.georapp") as copy:
        assert copy.problems() == []
        assert len(copy.setting("much")) == 2_000_000


def test_a_repair_says_what_was_saved_and_leaves_the_open_case(window: Window, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [], qtbot)
    with Case.create(tmp_path / "damaged.georapp") as case:
        case.keep("x", "y")
    window.cases.repair(tmp_path / "damaged.georapp", tmp_path / "repaired.georapp")
    qtbot.waitUntil(lambda: "1 of setting" in said(window), timeout=PATIENCE_MS)
    assert open_name(window) == FIRST_CASE
    window.cases.repair(tmp_path / "nowhere.georapp", tmp_path / "other.georapp")
    qtbot.waitUntil(lambda: "There is no case" in said(window), timeout=PATIENCE_MS)


def test_checking_originals_that_hang_is_said(
    window: Window, photos: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    monkeypatch.setattr(background, "PATIENCE_S", SHORT_S)
    begun(window, [photos], qtbot)
    qtbot.waitUntil(lambda: settled(window.session, 6), timeout=PATIENCE_MS)
    window.actions_by_name["case_page"].trigger()
    found, problems = threading.Event(), Case.problems

    def slow(case: Case) -> list[str]:
        assert threading.current_thread() is not threading.main_thread()
        found.wait()
        return problems(case)

    monkeypatch.setattr(Case, "problems", slow)
    window.case_page._check.click()

    def lines() -> str:
        form = window.case_page._whole._form
        labels = (item.widget() for row in range(form.rowCount()) if (item := form.itemAt(row, form.ItemRole.FieldRole)))
        spanning = (item.widget() for row in range(form.rowCount()) if (item := form.itemAt(row, form.ItemRole.SpanningRole)))
        return " ".join(label.text() for label in (*labels, *spanning))  # type: ignore[attr-defined]

    qtbot.waitUntil(lambda: "does not answer" in lines(), timeout=PATIENCE_MS)
    answers_to_people(window, qtbot)
    window.actions_by_name["case_page"].trigger()
    found.set()
    qtbot.waitUntil(lambda: "✓ whole" in lines(), timeout=PATIENCE_MS)
    assert window.case_page._check.isEnabled()


# ---- later ----


@contextlib.contextmanager
def disk_hangs(session: Session) -> Iterator[threading.Event]:
    """Everything that SQLite does with the case waits until this is set, with SQLite's locks held."""
    case, found = session.case, threading.Event()
    assert case is not None
    case._connection.set_progress_handler(lambda: not found.wait(60), 1)
    try:
        yield found
    finally:
        found.set()


def test_a_disk_that_hangs_later_holds_the_window_up_once_and_what_was_begun_is_saved(
    window: Window, photos: Path, qtbot: QtBot
) -> None:
    begun(window, [photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    assert session._opened is not None
    session._opened.thread.patience_s = SHORT_S
    session.pause()
    with disk_hangs(session) as found:
        session.locate_again([3])  # is begun
        assert "does not answer" in said(window)
        assert "is saved as soon as it answers" in said(window)
        before = time.monotonic()
        for number in session.rows:
            window.page.photos.choose(number)
            session.judge([number], Verdict(Ruling.ACCEPTED))
        assert time.monotonic() - before < SHORT_S * 5  # it is not asked again and again
        answers_to_people(window, qtbot)
        found.set()
        qtbot.waitUntil(lambda: "answers again" in said(window), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: len(session.rows) == 6, timeout=PATIENCE_MS)
    assert session.rows[3].state is State.WAITING
    assert session.count(State.WAITING) == 1
    session.judge([1], Verdict(Ruling.REJECTED))
    assert session.rows[1].ruling is Ruling.REJECTED


def test_an_answer_that_finds_a_silent_case_is_kept_and_the_queue_goes_on_by_itself(
    window: Window, tmp_path: Path, photos: Path, qtbot: QtBot
) -> None:
    textured(64, 48, 90).save(tmp_path / "slow.jpg")
    begun(window, [tmp_path / "slow.jpg", photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: len(session.rows) == 7 and session.current == 1, timeout=PATIENCE_MS)
    assert session._opened is not None
    session._opened.thread.patience_s = SHORT_S
    with disk_hangs(session) as found:
        qtbot.waitUntil(lambda: session.current is None, timeout=PATIENCE_MS)
        assert not session.running
        assert "goes on when it answers" in said(window)
        found.set()
        qtbot.waitUntil(lambda: settled(session, 7), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 7
    assert session.case is not None
    assert [len(session.case.answers(number)) for number in session.rows] == [1] * 7  # nothing was asked for twice


def test_another_case_can_be_opened_while_one_is_silent(window: Window, photos: Path, tmp_path: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    assert session._opened is not None
    session._opened.thread.patience_s = SHORT_S
    session.pause()
    with disk_hangs(session):
        session.locate_again([1])
        window.cases.open(tmp_path / "other.georapp", new=True)
        opened(window, qtbot)
        assert open_name(window) == "other.georapp"
        assert session.writable
        window.cases.open(home() / "cases" / FIRST_CASE)  # while the thread before still has the right to write it
        qtbot.wait(100)
        assert session.opening is not None
    opened(window, qtbot)
    assert open_name(window) == FIRST_CASE
    assert session.writable
    assert session.count(State.WAITING) == 1  # what was begun before was saved


def test_the_open_case_is_not_asked_when_another_one_is_opened(
    window: Window, network: Path, tmp_path: Path, answers: threading.Event, qtbot: QtBot
) -> None:
    answers.set()
    begun(window, [], qtbot)
    window.session.open(network / "open.georapp", new=True)
    answers.clear()
    window.cases.open(tmp_path / "other.georapp", new=True)
    opened(window, qtbot)
    assert open_name(window) == "other.georapp"
    assert window.session.writable


def test_a_case_that_another_process_locks_holds_nobody_up_for_long(window: Window, photos: Path, qtbot: QtBot) -> None:
    begun(window, [photos], qtbot)
    session = window.session
    qtbot.waitUntil(lambda: settled(session, 6), timeout=PATIENCE_MS)
    assert session.case is not None
    assert session._opened is not None
    session._opened.thread.patience_s = SHORT_S
    session.pause()
    text = (
        "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN EXCLUSIVE'); "
        "print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", text, str(session.case.path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "locked\n"
        before = time.monotonic()
        session.locate_again([2])
        assert time.monotonic() - before < 3
        assert "does not answer" in said(window)
        answers_to_people(window, qtbot)
        other.kill()
    qtbot.waitUntil(lambda: len(session.rows) == 6 and session.rows[2].state is State.WAITING, timeout=PATIENCE_MS)


# ---- the first of the ways ----


def test_the_first_way_that_can_be_opened_is_taken(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    Case.create(tmp_path / "b.georapp").close()
    told: list[str] = []
    session.said.connect(lambda sentence, _hint: told.append(sentence))
    session.begin_opening(*(Way(tmp_path / f"{name}.georapp") for name in "abc"))
    qtbot.waitUntil(lambda: session.opening is None, timeout=PATIENCE_MS)
    assert session.case is not None
    assert session.case.path.name == "b.georapp"
    assert told == [f"There is no case {tmp_path / 'a.georapp'}."]


# ---- the end of the program ----

START = """
import os, sys
from pathlib import Path
from georapp import supervisor
supervisor.COMMAND = (sys.executable, "-m", "tests.gui.standin_worker")
from georapp.gui import app, locating
locating._END_S = 0.3
"""
ENDINGS = {
    "the window cannot be made": """
def fail(session):
    raise RuntimeError("no window")
app.Window = fail
app.start([])
""",
    "the worker cannot be ended": """
supervisor.Supervisor.close = supervisor.Supervisor.kill = lambda self: None
supervisor.Supervisor.start = lambda self: __import__("time").sleep(1000)
from PySide6.QtCore import QTimer
begin = app.begin
def begin_and_close(window, files):
    begin(window, files)
    QTimer.singleShot(1000, window, window.close)
app.begin = begin_and_close
sys.exit(app.start([]))
""",
    "the loop ends and no window was closed": """
from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication
begin = app.begin
def begin_and_exit(window, files):
    begin(window, files)
    QTimer.singleShot(500, window, lambda: QApplication.exit(0))
app.begin = begin_and_exit
sys.exit(app.start([]))
""",
    "nobody ends the session": """
from PySide6.QtWidgets import QApplication
from georapp import settings
from georapp.gui.session import Session
application = QApplication(["georapp"])
supervisor.Supervisor.start = lambda self: __import__("time").sleep(1000)
session = Session(settings.Settings())
session.use_model("")
application.processEvents()
del session
""",
}


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_program_ends_whatever_happens_to_its_threads(ending: str, tmp_path: Path) -> None:
    environment = os.environ | {"GEORAPP_HOME": str(tmp_path / "home"), "QT_QPA_PLATFORM": "offscreen"}
    done = subprocess.run(
        [sys.executable, "-c", START + ENDINGS[ending]],
        env=environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    wanted = 1 if ending == "the window cannot be made" else 0
    assert done.returncode == wanted, done.stderr
    assert "QThread" not in done.stderr
    assert ("no window" in done.stderr) == bool(wanted)
