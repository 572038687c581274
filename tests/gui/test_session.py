"""The session with a real worker process: queue, stops, deaths, what is left in the case."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from georapp import events
from georapp.case import Case, Ruling, State, Verdict
from georapp.errors import CaseError
from georapp.gui.session import Session
from tests.conftest import textured

PATIENCE_MS = 30_000


def begun(session: Session, tmp_path: Path) -> Session:
    session.open(tmp_path / "a.georapp", new=True)
    session.use_model("")
    return session


def finished(session: Session) -> bool:
    return bool(session.rows) and session.current is None and not session.count(State.WAITING)


def named(session: Session, name: str) -> int:
    return next(row.number for row in session.rows.values() if row.path.name == name)


def test_photos_that_are_added_are_located_and_kept(session: Session, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    heard: list[events.Event] = []
    session.heard.connect(lambda _number, event: heard.append(event))
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: session.count(State.LOCATED) == 6, timeout=PATIENCE_MS)
    rungs = [event.level for event in heard if isinstance(event, events.RegionRead)]
    assert rungs[:4] == ["continent", "country", "province", "city"]
    session.close()
    with Case.open(tmp_path / "a.georapp") as case:
        assert case.counts()[State.LOCATED] == 6
        assert {row.country for row in case.rows()} == {"France"}


def test_the_same_bytes_are_one_photo_and_what_is_none_is_listed(
    session: Session, tmp_path: Path, photos: Path, qtbot: QtBot
) -> None:
    (photos / "copy.jpg").write_bytes((photos / "photo 0.jpg").read_bytes())
    (photos / "broken.jpg").write_bytes(b"\xff\xd8 no photo")
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: session.count(State.LOCATED) == 6, timeout=PATIENCE_MS)
    assert session.case is not None
    ((path, reason, _hint),) = session.case.unreadable()
    assert path.name == "broken.jpg"
    assert reason.endswith(".")


def test_a_worker_that_dies_costs_one_photo(session: Session, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    textured(64, 48, 70).save(photos / "die.jpg")
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: finished(session) and len(session.rows) == 7, timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 6
    assert session.case is not None
    failed = session.case.failure(named(session, "die.jpg"))
    assert failed is not None
    assert "killed" in failed.reason
    assert "tried twice" in failed.hint


def test_a_photo_that_is_too_much_is_tried_again_with_less(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    textured(64, 48, 71).save(tmp_path / "twice.jpg")
    said: list[str] = []
    session.said.connect(lambda sentence, _hint: said.append(sentence))
    begun(session, tmp_path).add([tmp_path / "twice.jpg"])
    qtbot.waitUntil(lambda: finished(session), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 1
    assert session.case is not None
    (answer,) = session.case.answers(1)
    assert len(answer.located.prediction.samples) == 1
    assert len(said) == 1


def test_a_worker_that_hangs_is_ended_and_named(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    textured(64, 48, 72).save(tmp_path / "hang.jpg")
    textured(64, 48, 73).save(tmp_path / "other.jpg")
    begun(session, tmp_path).add([tmp_path / "hang.jpg", tmp_path / "other.jpg"])
    qtbot.waitUntil(lambda: finished(session) and len(session.rows) == 2, timeout=PATIENCE_MS)
    assert session.rows[named(session, "other.jpg")].state is State.LOCATED
    assert "said nothing" in session.rows[named(session, "hang.jpg")].reason


def test_stopping_ends_the_photo_which_then_waits(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    for seed, name in enumerate(("slow", "hang")):
        textured(64, 48, 90 + seed).save(tmp_path / f"{name}.jpg")
    begun(session, tmp_path).add([tmp_path / "slow.jpg", tmp_path / "hang.jpg"])
    for _photo in range(2):
        qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
        number = session.current
        assert number is not None
        session.stop()
        qtbot.waitUntil(lambda: session.current is None, timeout=PATIENCE_MS)
        assert not session.running
        assert session.rows[number].state is State.WAITING
        session.skip([number])
        session.resume()
    qtbot.waitUntil(lambda: session.current is None)
    assert session.count(State.SKIPPED) == 2


def test_skipping_the_photo_that_is_worked_on_goes_on_with_the_next(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    textured(64, 48, 74).save(tmp_path / "slow.jpg")
    textured(64, 48, 75).save(tmp_path / "z.jpg")
    begun(session, tmp_path).add([tmp_path / "slow.jpg", tmp_path / "z.jpg"])
    qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
    session.skip([1])
    qtbot.waitUntil(lambda: session.count(State.LOCATED) == 1, timeout=PATIENCE_MS)
    assert session.rows[1].state is State.SKIPPED


def test_a_paused_queue_keeps_and_an_order_holds(session: Session, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    session.pause()
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: len(session.rows) == 6, timeout=PATIENCE_MS)
    session.move_first([5, 6])
    began: list[int] = []
    session.began.connect(lambda number, _samples: began.append(number))
    session.resume()
    qtbot.waitUntil(lambda: finished(session), timeout=PATIENCE_MS)
    assert began == [5, 6, 1, 2, 3, 4]


def test_an_answer_of_a_closed_case_is_not_kept_in_the_next(session: Session, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    textured(64, 48, 76).save(tmp_path / "slow.jpg")
    begun(session, tmp_path).add([tmp_path / "slow.jpg"])
    qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
    session.open(tmp_path / "b.georapp", new=True)
    session.add([photos / "photo 1.jpg"])
    qtbot.waitUntil(lambda: finished(session), timeout=PATIENCE_MS)
    assert session.case is not None
    assert len(session.case.answers(1)) == 1
    session.open(tmp_path / "a.georapp")
    qtbot.waitUntil(lambda: finished(session), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 1


def test_verdicts_can_be_undone_and_nothing_is_taken_away(session: Session, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    session.pause()
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: len(session.rows) == 6, timeout=PATIENCE_MS)
    session.judge([1, 2], Verdict(Ruling.ACCEPTED, note="sure"))
    session.judge([1], Verdict(Ruling.REJECTED))
    session.undo.undo()
    assert session.rows[1].ruling is Ruling.ACCEPTED
    session.undo.undo()
    assert session.rows[1].ruling is session.rows[2].ruling is Ruling.NONE
    session.undo.redo()
    assert session.rows[2].ruling is Ruling.ACCEPTED
    assert session.case is not None
    rulings = [verdict.ruling for verdict in session.case.verdicts(1)]
    assert rulings == [Ruling.ACCEPTED, Ruling.REJECTED, Ruling.ACCEPTED, Ruling.NONE, Ruling.ACCEPTED]
    assert all(verdict.author for verdict in session.case.verdicts(1))


def test_a_second_session_only_reads_and_says_who_writes(session: Session, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    session.pause()
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: len(session.rows) == 6, timeout=PATIENCE_MS)
    with Case.open(tmp_path / "a.georapp") as second:
        assert not second.writable
        assert f"process {os.getpid()}" in second.holder


def test_a_case_that_cannot_be_opened_leaves_the_open_one(session: Session, tmp_path: Path) -> None:
    begun(session, tmp_path)
    (tmp_path / "b.georapp").write_text("no case")
    with pytest.raises(CaseError):
        session.open(tmp_path / "b.georapp")
    assert session.case is not None
    assert session.case.path.name == "a.georapp"


def test_mess_is_an_answer_without_a_place(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    textured(64, 48, 77).save(tmp_path / "mess.jpg")
    begun(session, tmp_path).add([tmp_path / "mess.jpg"])
    qtbot.waitUntil(lambda: finished(session), timeout=PATIENCE_MS)
    row = session.rows[1]
    assert (row.state, row.stated, row.best) == (State.LOCATED, "", None)


def test_killing_the_worker_by_hand_leaves_the_queue_running(
    session: Session, tmp_path: Path, photos: Path, qtbot: QtBot
) -> None:
    textured(64, 48, 78).save(photos / "a slow one.jpg")
    begun(session, tmp_path).add([photos])
    qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
    worker = session._asking.locating._supervisor
    assert worker is not None
    assert worker.pid is not None
    os.kill(worker.pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: finished(session) and len(session.rows) == 7, timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 7  # the one that was hit was asked once more


def test_a_model_that_rests_gives_its_memory_back_and_photos_wait(
    session: Session, tmp_path: Path, photos: Path, qtbot: QtBot
) -> None:
    begun(session, tmp_path)
    qtbot.waitUntil(lambda: session.ready is not None, timeout=PATIENCE_MS)
    worker = session._asking.locating._supervisor
    assert worker is not None
    with qtbot.waitSignal(session.model_changed, timeout=PATIENCE_MS) as said:
        session.rest_model("resting")
    assert said.args == ["resting", False]
    qtbot.waitUntil(lambda: worker.pid is None, timeout=PATIENCE_MS)

    session.add([photos])
    qtbot.waitUntil(lambda: session.count(State.WAITING) == 6, timeout=PATIENCE_MS)
    assert session.current is None
    session.use_model("")
    qtbot.waitUntil(lambda: session.count(State.LOCATED) == 6, timeout=PATIENCE_MS)


def test_the_window_goes_on_while_an_answer_is_written(
    session: Session, tmp_path: Path, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    written, begun_to_write = threading.Event(), threading.Event()
    save = Case.save

    def slowly(case: Case, number: int, outcome: events.Located | events.Failed) -> None:
        begun_to_write.set()
        assert written.wait(PATIENCE_MS / 1000)
        save(case, number, outcome)

    monkeypatch.setattr(Case, "save", slowly)
    begun(session, tmp_path).add([photos / "photo 0.jpg"])
    qtbot.waitUntil(begun_to_write.is_set, timeout=PATIENCE_MS)
    (number,) = session.rows
    assert session.current == number
    session.skip([number])
    assert session.rows[number].state is State.WAITING

    written.set()
    qtbot.waitUntil(lambda: session.count(State.LOCATED) == 1, timeout=PATIENCE_MS)
    assert session.current is None
