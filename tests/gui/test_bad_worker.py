"""Workers that abort, die or hang, also while a model is loaded, and models that are changed meanwhile."""

from __future__ import annotations

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from pytestqt.qtbot import QtBot

from georapp import paths, supervisor
from georapp.case import State
from georapp.gui.session import Session
from tests.conftest import textured

PATIENCE_MS = 30_000


@pytest.fixture(autouse=True)
def _models(session: Session) -> None:
    """Their names are what the stand-in does with them."""
    for name in ("fine", "broken", "die", "abort", "hang"):
        folder = paths.user_models() / name
        folder.mkdir(parents=True)
        text = {"file": "text.gguf", "sha256": "0" * 64, "bytes": 1}
        (folder / "model.json").write_text(json.dumps({"format": 1, "name": name, "text": text}))
    (paths.user_models() / "no json").mkdir()
    (paths.user_models() / "no json" / "model.json").write_text("{")


@pytest.fixture
def said(session: Session) -> list[str]:
    found: list[str] = []
    session.said.connect(lambda sentence, _hint: found.append(sentence))
    return found


@pytest.fixture
def words(session: Session) -> list[str]:
    """About the model."""
    found: list[str] = []
    session.model_changed.connect(lambda text, _ready: found.append(text))
    return found


def begun(session: Session, tmp_path: Path, *names: str, model: str = "fine") -> None:
    session.open(tmp_path / "a.georapp", new=True)
    for seed, name in enumerate(names):
        textured(64, 48, 300 + seed).save(tmp_path / f"{name}.jpg")
    session.add([tmp_path / f"{name}.jpg" for name in names])
    session.use_model(model)


def settled(session: Session, n: int) -> bool:
    return len(session.rows) == n and session.current is None and not session.count(State.WAITING)


def worker(session: Session) -> int | None:
    return session._asking.locating._supervisor.pid if session._asking.locating._supervisor else None


def counted_starts(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    starts: list[float] = []
    spawn: Callable[[supervisor.Supervisor], None] = supervisor.Supervisor._spawn

    def count(self: supervisor.Supervisor) -> None:
        starts.append(time.monotonic())
        spawn(self)

    monkeypatch.setattr(supervisor.Supervisor, "_spawn", count)
    return starts


@pytest.mark.parametrize(("name", "cause"), [("die", "killed"), ("abort", "llama.cpp gave up"), ("hang", "said nothing")])
def test_each_death_has_a_name_and_one_retry(
    name: str, cause: str, session: Session, tmp_path: Path, qtbot: QtBot, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = counted_starts(monkeypatch)
    begun(session, tmp_path, "a", name, "b")
    qtbot.waitUntil(lambda: settled(session, 3), timeout=PATIENCE_MS)
    failed = next(row for row in session.rows.values() if row.path.stem == name)
    assert (failed.state, session.count(State.LOCATED)) == (State.FAILED, 2)
    assert cause in failed.reason
    assert failed.reason.endswith(".")
    assert len(starts) == 3  # for the first photo, the retry, and those after it
    assert len([sentence for sentence in said if cause in sentence]) == 1


def test_a_case_of_nothing_but_deadly_photos_ends(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    begun(session, tmp_path, *(f"abort {i}" for i in range(4)))
    qtbot.waitUntil(lambda: settled(session, 4), timeout=PATIENCE_MS)
    assert session.count(State.FAILED) == 4
    session.retry_failed()
    qtbot.waitUntil(lambda: settled(session, 4), timeout=PATIENCE_MS)
    assert session.count(State.FAILED) == 4


@pytest.mark.parametrize(
    ("model", "cause"), [("broken", "is broken"), ("die", "killed"), ("abort", "gave up"), ("hang", "said nothing")]
)
def test_a_model_that_cannot_be_loaded_costs_no_photo(
    model: str, cause: str, session: Session, tmp_path: Path, qtbot: QtBot, said: list[str], words: list[str]
) -> None:
    begun(session, tmp_path, "a", model=model)
    qtbot.waitUntil(lambda: bool(said) and words[-1] == "no model", timeout=PATIENCE_MS)
    assert cause in said[-1]
    assert len(said) == 1
    qtbot.waitUntil(lambda: len(session.rows) == 1, timeout=PATIENCE_MS)
    assert session.rows[1].state is State.WAITING
    session.use_model("fine")
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 1


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGABRT])
def test_a_worker_that_is_ended_by_hand_while_it_loads(
    how: signal.Signals, session: Session, tmp_path: Path, qtbot: QtBot, said: list[str]
) -> None:
    session._asking.locating._patience = {"patience_s": 60.0}
    begun(session, tmp_path, "a", model="hang")
    qtbot.waitUntil(lambda: worker(session) is not None, timeout=PATIENCE_MS)
    pid = worker(session)
    assert pid is not None
    os.kill(pid, how)
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE_MS)
    assert "could not be loaded" in said[-1]
    assert said[-1].endswith(".")


def test_another_model_does_not_wait_for_one_that_hangs(
    session: Session, tmp_path: Path, qtbot: QtBot, said: list[str], words: list[str]
) -> None:
    session._asking.locating._patience = {"patience_s": 600.0}
    begun(session, tmp_path, "a", model="hang")
    qtbot.waitUntil(lambda: worker(session) is not None, timeout=PATIENCE_MS)
    for name in ("fine", "hang", "broken", "fine"):
        session.use_model(name)
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    assert said == []
    assert [text for text in words if "loaded" not in text] == ["stand-in · CPU"]


def test_a_model_is_changed_while_a_photo_is_worked_on(session: Session, tmp_path: Path, qtbot: QtBot, said: list[str]) -> None:
    begun(session, tmp_path, "a slow one", "b", "c")
    qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
    session.use_model("broken")
    qtbot.waitUntil(lambda: session.ready is None and bool(said), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 1  # the old one finished it
    assert session.current is None
    assert "is broken" in said[-1]
    session.use_model("fine")
    qtbot.waitUntil(lambda: settled(session, 3), timeout=PATIENCE_MS)
    assert session.count(State.LOCATED) == 3


@pytest.mark.parametrize("name", ["no json", "nowhere"])
def test_a_model_that_is_not_there_leaves_the_one_that_is(
    name: str, session: Session, tmp_path: Path, qtbot: QtBot, said: list[str]
) -> None:
    begun(session, tmp_path, "a")
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    session.use_model(name)
    assert said[-1].endswith(".")
    session.locate_again([1])
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    assert session.case is not None
    assert len(session.case.answers(1)) == 2


def test_stopping_while_a_model_is_loaded_begins_nothing(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    begun(session, tmp_path, "a")
    session.stop()
    qtbot.waitUntil(lambda: session.ready is not None and len(session.rows) == 1, timeout=PATIENCE_MS)
    assert session.current is None
    assert session.rows[1].state is State.WAITING
    session.resume()
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)


@pytest.mark.parametrize("act", ["stop", "skip"])
def test_a_photo_that_hangs_is_ended_while_its_retry_is_loaded(act: str, session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    begun(session, tmp_path, "hang")
    qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
    with qtbot.waitSignal(session._asking.locating.tried_again, timeout=PATIENCE_MS):
        pass
    session._asking.locating._patience = {"patience_s": 600.0}
    if act == "stop":
        session.stop()
    else:
        session.skip([1])
    qtbot.waitUntil(lambda: session.current is None, timeout=PATIENCE_MS)
    assert session.rows[1].state is (State.WAITING if act == "stop" else State.SKIPPED)


@pytest.mark.parametrize("model", ["hang", "fine"])
def test_closing_waits_for_no_model(model: str, session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    session._asking.locating._patience = {"patience_s": 600.0}
    begun(session, tmp_path, "hang", model=model)
    if model == "fine":
        qtbot.waitUntil(lambda: session.current is not None, timeout=PATIENCE_MS)
    session.use_model("hang")  # and another one after it
    session.end()
    assert not session.hangs
    assert not session._asking.locating.running


def test_closing_at_any_moment(session: Session, tmp_path: Path, qtbot: QtBot) -> None:
    """From before the worker is started until after its first answer."""
    for moment in range(0, 400, 40):
        other = Session(session.settings, patience_s=600.0)
        folder = tmp_path / str(moment)
        folder.mkdir()
        begun(other, folder, "slow", "b")
        qtbot.wait(moment)
        other.end()
        assert not other.hangs


def test_a_worker_that_cannot_be_started(
    session: Session, tmp_path: Path, qtbot: QtBot, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    begun(session, tmp_path, "a")
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    monkeypatch.setattr(supervisor, "COMMAND", (str(tmp_path / "nowhere"),))
    pid = worker(session)
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    session.locate_again([1])
    qtbot.waitUntil(lambda: settled(session, 1), timeout=PATIENCE_MS)
    assert session.rows[1].state is State.FAILED
    assert "could not be started" in session.rows[1].reason
