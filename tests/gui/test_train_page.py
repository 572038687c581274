"""The training tab in its window: opened late, follows runs, takes their models, gives the GPU to them."""

from __future__ import annotations

import json
import os
import shutil
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QFileDialog
from pytestqt.qtbot import QtBot

from georapp import gpu_sharing, models, paths, run_events, run_queue, run_toml, runs, training_python
from georapp.events import Ready
from georapp.gui.map.view import MapView
from georapp.gui.train import run_questions, sharing
from georapp.gui.train_page import CONFIGURE, CURRENT, HISTORY, TrainPage
from georapp.gui.window import Window
from georapp.models import Model
from georapp.run_events import Began, Heartbeat, Stage, Step, to_line
from georapp.run_settings import RunConfig
from georapp.runs import Run, State
from georapp.training_python import Gpu, TrainingPython

PATIENCE = 30_000
PYTHON = TrainingPython(Path(sys.executable), "3.11.7", {}, cores=2, memory_gib=8.0)


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> TrainingPython:
    """A Python that answers at once: the real one takes seconds."""
    monkeypatch.setattr(training_python, "find", lambda chosen="": PYTHON)
    return PYTHON


@pytest.fixture
def page(window: Window, found: TrainingPython, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> Iterator[TrainPage]:
    monkeypatch.setattr(MapView, "begin", lambda self: None)
    window.show_page("train_page")
    page = window.train_page
    qtbot.waitUntil(lambda: page.history is not None and page.python is not None, timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.configure is not None and page.configure.isVisible(), timeout=PATIENCE)
    yield page
    window.show_page("locate_page")


def run_folder(name: str = "Lisbon", *, alive: bool = False) -> Path:
    folder = runs.create(name, run_toml.text_of(RunConfig(name=name)))
    with (folder / run_events.EVENTS).open("wb") as out:
        out.writelines(map(to_line, (Began(1, "here"), Stage("sft", "began", 0, 9), Step("sft", 4, 9, {"loss": 1.0}))))
    if alive:
        pid = os.getpid()
        beat = Heartbeat(pid, run_events.started(pid), run_events.machine(), 1, time.time())
        run_events.write_heartbeat(folder, beat)
    return folder


def test_nothing_of_it_is_made_before_it_is_opened(window: Window) -> None:
    assert window.train_page.configure is None
    assert window.train_page.current is None


def test_it_opens_on_configure_and_goes_through_its_tabs(page: TrainPage, window: Window) -> None:
    for name, shown in ((HISTORY, page.history), (CURRENT, page.current), (CONFIGURE, page.configure)):
        page.show_tab(name)
        assert shown is not None
        assert shown.isVisible()
    assert not page.open_button.isVisible()
    assert window.rail.isVisible()


def test_keys_for_photos_do_nothing_while_no_photo_is_seen(page: TrainPage, window: Window) -> None:
    names = ("accept", "reject", "undo", "skip", "next")
    assert not any(window.actions_by_name[name].isEnabled() for name in names)
    window.show_page("locate_page")
    assert all(window.actions_by_name[name].isEnabled() for name in names)
    window.show_page("train_page")


def test_a_run_that_goes_on_is_shown_at_once(
    window: Window, found: TrainingPython, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    folder = run_folder(alive=True)
    window.show_page("train_page")
    page = window.train_page
    qtbot.waitUntil(lambda: page.current is not None and page.current.folder == folder, timeout=PATIENCE)
    assert page.current is not None
    assert page.current.isVisible()
    assert page.current.head.line.isVisible()


def test_a_folder_that_is_no_run_is_said(page: TrainPage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args, **_more: str(tmp_path))
    page.show_tab(HISTORY)
    with qtbot.waitSignal(page.said, timeout=PATIENCE) as said:
        page.open_button.click()
    assert "is no run" in said.args[0]
    assert said.args[1] is True

    folder = run_folder()
    monkeypatch.setattr(QFileDialog, "getExistingDirectory", lambda *_args, **_more: str(folder))
    page.open_button.click()
    assert page.current is not None
    assert page.current.folder == folder


def test_a_second_run_waits_for_the_first(page: TrainPage, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot) -> None:
    begun: list[Path] = []
    monkeypatch.setattr(run_queue, "start", lambda python: begun.append(python))
    run_folder("First", alive=True)
    second = run_folder("Second")
    with qtbot.waitSignal(page.said, timeout=PATIENCE) as said:
        page.resume(second)
    assert "waits for its turn" in said.args[0]
    assert run_queue.waiting() == [second]
    qtbot.waitUntil(lambda: begun == [PYTHON.path], timeout=PATIENCE)


# ---- models ----


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A model as training leaves it."""
    folder = tmp_path / "run" / "model"
    shutil.copytree(paths.built_in_models() / models.DEFAULT, folder)
    change(folder, name="lisbon")
    return folder


def change(folder: Path, **values: object) -> None:
    file = folder / models.MANIFEST
    file.write_text(json.dumps(json.loads(file.read_text("utf-8")) | values), "utf-8")


def test_the_model_of_a_run_answers_in_locate(page: TrainPage, window: Window, made: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.model_used, timeout=PATIENCE):
        page.use_model(made)
    assert window.session.settings.model == "lisbon"
    assert window.session.model is not None
    assert window.session.model.folder == paths.user_models() / "lisbon"
    assert not page.isVisible()


def test_a_model_that_got_worse_is_asked_about(
    page: TrainPage, window: Window, made: Path, monkeypatch: pytest.MonkeyPatch, qtbot: QtBot
) -> None:
    change(made, about="It got worse by its training.", made_by={"worse": True})
    asked: list[tuple[str, str]] = []
    monkeypatch.setattr(run_questions, "use_worse", lambda _parent, name, about: bool(asked.append((name, about))))
    page.use_model(made)
    qtbot.waitUntil(lambda: bool(asked), timeout=PATIENCE)
    assert asked == [("lisbon", "It got worse by its training.")]
    assert window.session.settings.model == ""
    assert not (paths.user_models() / "lisbon").exists()


def test_a_folder_without_a_model_is_said(page: TrainPage, tmp_path: Path, qtbot: QtBot) -> None:
    with qtbot.waitSignal(page.said, timeout=PATIENCE) as said:
        page.use_model(tmp_path)
    assert "not a model folder" in said.args[0]


# ---- the GPU ----


@pytest.mark.parametrize(("memory", "model", "need", "fits"), [(24, 2, 15, True), (24, 5, 15, False), (8, 0, 6, False)])
def test_the_rule_of_sharing(memory: float, model: float, need: float, fits: bool) -> None:
    assert gpu_sharing.fits_beside(memory, model, need) is fits


GPU = TrainingPython(Path(sys.executable), "3.11.7", {}, gpus=(Gpu("Card", 24.0, 20.0, True),), cores=2, memory_gib=8.0)


@pytest.mark.parametrize(("need", "rests"), [(10.0, False), (20.0, True), (None, True)])
def test_the_model_rests_only_where_there_is_no_room(
    qapp: QApplication, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, need: float | None, rests: bool
) -> None:
    monkeypatch.setattr(gpu_sharing, "need_gib", lambda folder: need)
    parent, model = QObject(), models.find()
    share = sharing.Sharing(parent)
    said: list[str] = []
    share.rest_asked.connect(said.append)
    share.wake_asked.connect(lambda: said.append("wake"))
    going = Run(tmp_path, State.RUNNING)
    decided: list[bool] = []
    monkeypatch.setattr(share, "_decide", lambda no_room, decide=share._decide: (decide(no_room), decided.append(no_room)))

    share.run_changed(going, python=PYTHON, model=model, on_gpu=True)  # no GPU
    share.run_changed(going, python=GPU, model=model, on_gpu=False)
    assert not decided
    share.run_changed(going, python=GPU, model=model, on_gpu=True)
    qtbot.waitUntil(lambda: decided == [rests], timeout=PATIENCE)
    assert said == ([sharing.RESTS] if rests else [])
    share.run_changed(None, python=GPU, model=model, on_gpu=True)
    assert said[1:] == (["wake"] if rests else [])


def test_a_model_that_rests_says_so_and_wakes(page: TrainPage, window: Window, qtbot: QtBot) -> None:
    window.session.use_model("")
    qtbot.waitUntil(lambda: window.session.ready is not None, timeout=PATIENCE)
    page.sharing.rest_asked.emit(sharing.RESTS)
    assert window.session.ready is None
    page.sharing.wake_asked.emit()
    qtbot.waitUntil(lambda: isinstance(window.session.ready, Ready), timeout=PATIENCE)
    assert isinstance(window.session.model, Model)
