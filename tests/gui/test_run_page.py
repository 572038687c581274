"""The page of the current run: folders written by the real writer, alive, over, resumed, torn, deleted, killed; charts, answers, lights."""

from __future__ import annotations

import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PySide6.QtCore import QSize, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QWidget
from pytestqt.qtbot import QtBot

from georapp import map_shapes, run_events, runs
from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.train import run_questions
from georapp.gui.train.axes import FigureAxis
from georapp.gui.train.run.rays import frame_of
from georapp.gui.train.run.run_page import RunPage
from georapp.map_shapes import great_circle
from georapp.run_events import CONFIG, EVENTS, LOG, PAUSE, STOP, Alert, Sample, Stage, Step, to_line
from tests.gui.showing import expose, put_away
from training.report import EventWriter

PATIENCE_MS = 30_000
TRUTH = Coordinate(38.72, -9.14)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "2026-11-21-lisbon"
    made.mkdir()
    (made / CONFIG).write_text("")
    return made


@pytest.fixture
def writer(folder: Path) -> Iterator[EventWriter]:
    """A training process that lives: this one."""
    with EventWriter(folder) as events:
        yield events


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[RunPage]:
    page = RunPage()
    page.resize(1300, 800)
    expose(page, qtbot)
    yield page
    page.leave()
    put_away(page)


def step(number: int, stage: str = "grpo", total: int = 100, **values: float | None) -> Step:
    return Step.of(stage, number, total, {"reward": 0.5, "loss": 0.1} | values)


def sample(
    number: int, text: str = "Country: Portugal", *, lat: float | None = 38.0, lon: float | None = -9.0, n: int = 0
) -> Sample:
    km = None if lat is None else 80.0
    parts = {"reward": 0.5, "r_distance": 0.5, "r_format": 1.0}
    return Sample(
        "grpo", number, "/gone/photo.jpg", text, lat, lon, km, 0.5, 0.1 * n, 0, TRUTH.lat, TRUTH.lon, parts
    )  # fmt: skip


def write(folder: Path, *events: run_events.RunEvent) -> None:
    """As a process that is gone has left it."""
    with (folder / EVENTS).open("ab") as out:
        out.writelines(to_line(event) for event in events)


def shown(page: RunPage, qtbot: QtBot, steps: int, key: str = "reward") -> None:
    """Wait until a chart has so many steps."""

    def has() -> bool:
        chart = page.wall.charts.get(key)
        return chart is not None and bool(chart.curves) and len(chart.curves[0].x) == steps and not page.wall.busy

    qtbot.waitUntil(has, timeout=PATIENCE_MS)


def says(page: RunPage, qtbot: QtBot, text: str) -> None:
    qtbot.waitUntil(lambda: text in page.head.sentence(), timeout=PATIENCE_MS)


def button(page: RunPage, name: str) -> QAbstractButton:
    found = page.findChild(QAbstractButton, f"run {name}")
    assert found is not None
    return found


# ---- following ----


def test_without_a_run_it_says_so_and_nothing_can_be_stopped(page: RunPage) -> None:
    texts = [label.text() for label in page.findChildren(QLabel) if label.isVisible()]
    assert any("No run is open" in text for text in texts)
    assert not any(button(page, name).isEnabled() for name in ("pause", "save", "stop", "folder"))


def test_a_run_is_followed_while_it_grows(page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    writer.write(Stage("grpo", "began"))
    page.follow(folder)
    says(page, qtbot, "Waiting for the first step of GRPO")
    for number in range(1, 4):
        writer.write(step(number, reward=0.25 * number))
    shown(page, qtbot, 3)
    assert not page.head.sentence()
    writer.write(step(4, reward=1.0))
    shown(page, qtbot, 4)
    assert page.wall.charts["reward"].curves[0].raw[-1] == 1.0
    assert "step 4 of 100" in page.stages.steps["grpo"].accessibleName()


def test_closing_and_opening_again_shows_the_whole_history(writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    for number in range(1, 30):
        writer.write(step(number))
    for _ in range(2):
        page = RunPage()
        page.resize(1300, 800)
        expose(page, qtbot)
        page.follow(folder)
        shown(page, qtbot, 29)
        put_away(page)
    assert runs.look(folder).state is runs.State.RUNNING


def test_a_torn_last_line_is_read_when_it_is_complete(page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    writer.write(step(1))
    line = to_line(step(2))
    with (folder / EVENTS).open("ab", buffering=0) as out:
        out.write(line[:40])
        page.follow(folder)
        shown(page, qtbot, 1)
        out.write(line[40:])
    shown(page, qtbot, 2)


def test_a_resume_cuts_the_curves_back(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, Stage("grpo", "began"), *(step(n, reward=1.0) for n in range(1, 11)))
    page.follow(folder)
    shown(page, qtbot, 10)
    write(folder, Stage("grpo", "resumed", 4), step(5, reward=0.0))
    shown(page, qtbot, 5)
    assert page.wall.charts["reward"].curves[0].raw.tolist() == [1, 1, 1, 1, 0]


def test_a_folder_that_is_deleted_meanwhile(page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    writer.write(step(1))
    page.follow(folder)
    shown(page, qtbot, 1)
    shutil.rmtree(folder)
    says(page, qtbot, "The folder of this run is gone")
    assert not button(page, "stop").isEnabled()
    assert "reward" in page.wall.charts
    folder.mkdir()


def test_messages_that_were_replaced_are_read_anew(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, *(step(n) for n in range(1, 9)))
    page.follow(folder)
    shown(page, qtbot, 8)
    (folder / EVENTS).write_bytes(to_line(step(1)))
    shown(page, qtbot, 1)


# ---- charts ----


def test_values_that_are_no_number_are_gaps_with_marks(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, step(1), step(2, loss=math.nan), step(3, loss=math.inf), step(4))
    page.follow(folder)
    shown(page, qtbot, 4, "loss")
    chart = page.wall.charts["loss"]
    assert np.isnan(chart.curves[0].main).tolist() == [False, True, True, False]
    assert chart.curves[0].odd.tolist() == [2, 3]
    assert "2 times" in chart.accessibleDescription()


def test_only_what_was_logged_has_a_chart(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, step(1, kl=None, gpu_memory_gb=17.9), step(2, kl=None, gpu_memory_gb=17.9))
    page.follow(folder)
    shown(page, qtbot, 2)
    assert set(page.wall.charts) == {"reward", "loss", "gpu_memory_gb"}


def test_a_hundred_thousand_steps_keep_their_spike_and_stay_few_points(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    line = '{"kind": "step", "stage": "sft", "step": %d, "total": 100000, "values": {"loss": %s}, "not_finite": [], "at": 1.5}\n'
    values = ["1.0"] * 100_001
    values[50_000], values[70_000:72_000] = "99.0", ["null"] * 2_000
    (folder / EVENTS).write_text("".join(line % (n, values[n]) for n in range(1, 100_001)))
    page.follow(folder)
    shown(page, qtbot, 100_000, "loss")
    x, y = page.wall.charts["loss"]._drawing._raw[0].getData()
    assert len(x) < 4_000
    assert np.nanmax(y) == 99.0
    assert np.isnan(y[(x > 70_200) & (x < 71_800)]).any()
    assert x[-1] > 99_000


def test_window_smoothing_and_log_axis(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, *(step(n, loss=10.0 ** (-n / 60), reward=float(n % 2)) for n in range(1, 301)))
    page.follow(folder)
    shown(page, qtbot, 300, "loss")
    choice = page.findChildren(QComboBox)[0]
    choice.setCurrentIndex(choice.findData(200))
    shown(page, qtbot, 200, "loss")
    assert abs(page.wall.charts["reward"].curves[0].main[0] - 0.5) < 0.05
    page.wall.bar._log.setChecked(True)
    qtbot.waitUntil(lambda: page.wall.charts["loss"]._scale.text() == "log" and not page.wall.busy, timeout=PATIENCE_MS)
    assert page.wall.charts["reward"]._scale.text() == ""  # it holds zeros


def test_the_cursor_goes_by_keys_and_tells_the_value(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, *(step(n, reward=n / 8) for n in range(1, 5)))
    page.follow(folder)
    shown(page, qtbot, 4)
    page.wall.bar._smooth.setCurrentIndex(0)
    qtbot.waitUntil(lambda: not page.wall.busy, timeout=PATIENCE_MS)
    chart = page.wall.charts["reward"]
    qtbot.keyClick(chart, Qt.Key.Key_Home)
    qtbot.keyClick(chart, Qt.Key.Key_Right)
    assert chart.value_text() == "step 2 · 0.25"
    qtbot.keyClick(chart, Qt.Key.Key_Escape)
    assert chart.value_text() == "0.5"
    assert "from 0.125 to 0.5 in steps 1 to 4" in chart.accessibleDescription()


def test_a_stage_can_be_looked_at_again(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    sft = (step(n, "sft", mean_token_accuracy=0.9) for n in (1, 2, 3))
    write(folder, Stage("sft", "began"), *sft, Stage("sft", "done", 3, 3), Stage("grpo", "began"), step(1), step(2))
    page.follow(folder)
    shown(page, qtbot, 2)
    qtbot.mouseClick(page.stages.steps["sft"], Qt.MouseButton.LeftButton)
    shown(page, qtbot, 3, "mean_token_accuracy")
    assert "done" in page.stages.steps["sft"].accessibleName()


# ---- answers ----


def test_answers_are_plain_text_and_a_chosen_one_is_told(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    evil = "<img src=x> <b>bold</b>\nCountry: <i>France</i>"
    write(folder, Stage("grpo", "began"), sample(1, evil), sample(1, "no idea", lat=None, lon=None, n=1), step(1))
    page.follow(folder)
    with qtbot.waitSignal(page.group_shown, timeout=PATIENCE_MS) as told:
        pass
    assert told.args == [TRUTH, [Coordinate(38.0, -9.0)]]
    table = page.completions.table
    with qtbot.waitSignal(page.answer_chosen) as chosen:
        table.selectRow(0)
    assert chosen.args == [TRUTH, Coordinate(38.0, -9.0)]
    assert page.completions.card.answer() == evil
    texts = [str(table.model().index(row, column).data()) for row in range(2) for column in range(8)]
    assert "names no place" in texts
    assert "80 km" in texts
    assert "<img" not in str(table.model().index(0, 1).data(Qt.ItemDataRole.ToolTipRole))
    assert "1 of 2 answers name a place" in page.completions.rays.accessibleDescription()


def test_older_answers_stay_shown_while_the_run_goes_on(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    names = {1: "Peru", 2: "Chile", 3: "Spain", 4: "Italy"}
    write(folder, *(event for n in (1, 2, 3) for event in (sample(n, f"Country: {names[n]}"), step(n))))
    page.follow(folder)

    def is_shown(text: str) -> bool:
        return [row.words for row in page.completions.table.rows] == [text]

    qtbot.waitUntil(lambda: is_shown(names[3]), timeout=PATIENCE_MS)
    qtbot.mouseClick(page.completions.steps.older, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: is_shown(names[2]), timeout=PATIENCE_MS)
    write(folder, sample(4, f"Country: {names[4]}"), step(4))
    shown(page, qtbot, 4)
    assert is_shown(names[2])
    page.completions.steps.newest.click()
    qtbot.waitUntil(lambda: is_shown(names[4]), timeout=PATIENCE_MS)


def test_rays_across_the_date_line_take_the_short_way() -> None:
    fiji, samoa, size = Coordinate(-17.0, 178.0), Coordinate(-14.0, -172.0), QSize(300, 200)
    frame = frame_of([great_circle(fiji, samoa)], size)
    south, west, north, east = frame.box(size)
    assert east - west < 40
    assert all(0 <= frame.at(lat, lon, size).x() <= 300 for lat, lon in great_circle(fiji, samoa))
    rings = map_shapes.land(south, west, north, east, frame.pixel)
    assert any((ring[:, 0] > 180).any() for ring in rings)  # the islands behind it are there too


# ---- health, log, states ----


def test_an_alert_turns_its_light_on_and_says_what_to_do(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(
        folder,
        Stage("grpo", "began"),
        step(1, kl=0.1),
        Alert("kl", "The KL jumped.", "Lower the rate.", "stop", 1),
        step(2, kl=9.0),
    )
    page.follow(folder)
    shown(page, qtbot, 2)
    lamp = page.health.lights["KL"]
    assert (lamp.light.tone, page.health.lights["numbers"].light.tone) == ("bad", "good")
    assert "alarm" in lamp.accessibleName()
    lamp.click()
    assert page.alert.isVisible()
    assert "Lower the rate." in page.alert.accessibleName()
    lamp.click()
    assert not page.alert.isVisible()


def test_the_log_shows_its_last_lines(page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    (folder / LOG).write_text("first\n\x1b[31mlast <b>line</b>\n")
    page.follow(folder)
    page.log_button.setVisible(True)
    page.log_button.click()
    qtbot.waitUntil(lambda: "last <b>line</b>" in page.log.text(), timeout=PATIENCE_MS)
    assert "\x1b" not in page.log.text()


def test_pause_and_go_on(page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    writer.write(step(1))
    page.follow(folder)
    qtbot.waitUntil(button(page, "pause").isEnabled, timeout=PATIENCE_MS)
    button(page, "pause").click()
    says(page, qtbot, "A pause was asked for")
    assert (folder / PAUSE).exists()
    writer.write(run_events.Paused("Only 1 GB is free."))
    says(page, qtbot, "Only 1 GB is free.")
    assert button(page, "pause").text() == "Go on"
    button(page, "pause").click()
    writer.write(run_events.Unpaused())
    qtbot.waitUntil(lambda: not (folder / PAUSE).exists() and not page.head.sentence(), timeout=PATIENCE_MS)


def test_stop_and_save_writes_the_stop_file(page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot) -> None:
    writer.write(step(1))
    page.follow(folder)
    qtbot.waitUntil(button(page, "save").isEnabled, timeout=PATIENCE_MS)
    button(page, "save").click()
    says(page, qtbot, "It saves after this step")
    assert (folder / STOP).exists()
    writer.write(run_events.Stopped("grpo", 1))
    says(page, qtbot, "Stopped and saved")
    assert button(page, "resume").isVisible()


def test_stop_now_tells_what_is_lost_and_can_be_taken_back(
    page: RunPage, writer: EventWriter, folder: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def answer(_: QWidget, _name: str, lost: str) -> str:
        asked.append(lost)
        return run_questions.CANCEL

    monkeypatch.setattr(run_questions, "stop_now", answer)
    writer.write(run_events.CheckpointSaved("grpo", 4, "grpo/checkpoint-4"))
    writer.write(step(7))
    page.follow(folder)
    shown(page, qtbot, 1)
    qtbot.waitUntil(button(page, "stop").isEnabled, timeout=PATIENCE_MS)
    button(page, "stop").click()
    assert asked == ["The last checkpoint is that of step 4; the 3 steps since then may be lost."]
    assert not (folder / STOP).exists()


LIVING = """
import sys, time
from pathlib import Path
from georapp.run_events import Stage, Step
from training.report import EventWriter
events = EventWriter(Path(sys.argv[1]))
events.write(Stage("grpo", "began"))
for number in range(1, 10**6):
    events.write(Step.of("grpo", number, 10**6, {"reward": 0.5}))
    time.sleep(0.01)
"""


@pytest.fixture
def process(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen([sys.executable, "-c", LIVING, str(folder)], start_new_session=True)
    yield started
    started.kill()
    started.wait()


def test_a_process_that_was_killed_is_told_and_can_be_resumed(
    page: RunPage, folder: Path, process: subprocess.Popen[bytes], qtbot: QtBot
) -> None:
    page.follow(folder)
    qtbot.waitUntil(lambda: "reward" in page.wall.charts and button(page, "stop").isEnabled(), timeout=PATIENCE_MS)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    says(page, qtbot, "gone without a word")
    with qtbot.waitSignal(page.resume_asked) as asked:
        button(page, "resume").click()
    assert asked.args == [folder]


def test_stop_now_ends_the_process(
    page: RunPage, folder: Path, process: subprocess.Popen[bytes], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run_questions, "stop_now", lambda *_: run_questions.STOP)
    page.follow(folder)
    qtbot.waitUntil(button(page, "stop").isEnabled, timeout=PATIENCE_MS)
    button(page, "stop").click()
    qtbot.waitUntil(lambda: process.poll() is not None, timeout=PATIENCE_MS)
    says(page, qtbot, "gone without a word")


def test_a_failed_run_says_why_and_what_to_do(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    with EventWriter(folder) as events:
        events.write(Stage("grpo", "began"))
        events.write(run_events.Failed("The <b>GPU</b> has too little memory.", "Lower grpo.batch."))
    page.follow(folder)
    says(page, qtbot, "The <b>GPU</b> has too little memory.")
    assert "Lower grpo.batch." in page.head.banner.accessibleName()
    assert "ended early" in page.stages.steps["grpo"].accessibleName()


def test_a_model_that_got_worse_is_no_good_news(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    worse = run_events.Alert(run_events.WORSE, "It is 900 km off, and was 500.", "Compare it first.")
    with EventWriter(folder) as events:
        for event in (step(1), worse, run_events.ModelMade("model"), run_events.Finished()):
            events.write(event)
    page.follow(folder)
    says(page, qtbot, "Finished, and the model got worse. It is 900 km off, and was 500.")
    assert button(page, "use").isVisible()


def test_a_finished_run_offers_its_model(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    with EventWriter(folder) as events:
        for event in (step(1), run_events.ModelMade("model"), run_events.Finished()):
            events.write(event)
    page.follow(folder)
    says(page, qtbot, "Finished. The model is ready.")
    with qtbot.waitSignal(page.model_chosen) as chosen:
        button(page, "use").click()
    assert chosen.args == [folder / "model"]


def test_leaving_stops_the_reading_and_another_run_is_shown_alone(
    page: RunPage, folder: Path, tmp_path: Path, qtbot: QtBot
) -> None:
    write(folder, *(step(n) for n in range(1, 9)))
    page.follow(folder)
    shown(page, qtbot, 8)
    page.leave()
    assert not page.history.stages
    other = tmp_path / "other"
    other.mkdir()
    (other / CONFIG).write_text("")
    write(other, step(1))
    page.follow(other)
    shown(page, qtbot, 1)


# ---- looks ----


def test_everything_that_can_be_pressed_has_a_name_and_keys_reach_it(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, Stage("grpo", "began"), sample(1), step(1, kl=0.1))
    page.follow(folder)
    shown(page, qtbot, 1)
    for found in page.findChildren(QAbstractButton):
        if found.isVisible() and found.isEnabled() and not found.objectName().startswith("qt_"):
            assert found.accessibleName() or found.text(), found
            assert found.focusPolicy() & Qt.FocusPolicy.TabFocus, found
    for chart in page.wall.charts.values():
        assert chart.accessibleName()
        assert chart.accessibleDescription()


def test_both_themes_are_drawn(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    write(folder, Stage("grpo", "began"), *(step(n) for n in range(1, 9)))
    page.follow(folder)
    shown(page, qtbot, 8)
    app = QApplication.instance()
    assert isinstance(app, QApplication)
    try:
        for dark in (False, True):
            look.apply(app, dark=dark)
            qtbot.waitUntil(lambda: not page.wall.busy, timeout=PATIENCE_MS)
            ground = page.wall.charts["reward"].grab().toImage().pixelColor(20, 80).name()
            assert ground == look.current().panel
    finally:
        look.apply(app, dark=True)


def test_it_fits_a_small_window(page: RunPage, folder: Path, qtbot: QtBot) -> None:
    long_name = folder.with_name("2026-11-21-" + "a very long name of a run " * 4)
    folder.rename(long_name)
    write(long_name, Stage("grpo", "began"), sample(1), replace(step(1, kl=0.1), total=100_000))
    page.follow(long_name)
    shown(page, qtbot, 1)
    page.resize(900, 640)
    qtbot.waitUntil(lambda: not page.wall.busy, timeout=PATIENCE_MS)
    assert (page.width(), page.height()) == (900, 640)


def test_a_chart_of_nothing_but_zeros_has_plain_axes(qtbot: QtBot) -> None:
    axis = FigureAxis("bottom")
    assert axis.tickSpacing(0.0, 1.0, 400) == [(1.0, 0.0)]
    assert axis.tickSpacing(0.0, 30.0, 400)[0][0] >= 1
    (left,) = FigureAxis("left").tickSpacing(0.0, 1.0, 100)
    assert left[0] < 1
