"""The page of all runs: listed, searched, compared, exported, noted, queued, deleted; and many, long, damaged and living ones."""

from __future__ import annotations

import csv
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PySide6.QtCore import QPoint, Qt
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QLabel, QMessageBox, QPushButton, QToolButton, QWidget
from pytestqt.qtbot import QtBot

from georapp import run_events, run_notes, run_queue, run_toml, runs
from georapp.gui import look
from georapp.gui.train.history import history_orders, history_questions
from georapp.gui.train.history.history_page import HistoryPage
from georapp.run_events import CONFIG, EVENTS, Alert, Began, Failed, Finished, ModelMade, Probe, RunEvent, Stage, Step, to_line
from georapp.run_notes import Notes
from georapp.run_settings import Grpo, RunConfig
from tests.gui.showing import expose, put_away
from training.report import EventWriter

PATIENCE_MS = 30_000
BASELINES = {
    "frequent/within_25_km": 0.04,
    "frequent/median_km": 2200.0,
    "random/within_25_km": 0.005,
    "random/median_km": 4200.0,
}


def probe(stage: str, step: int, km: float, at: float = 0.0) -> Probe:
    values = {"within_25_km": 0.3, "within_200_km": 0.5, "median_km": km, "error_km": km} | BASELINES
    return Probe(stage, step, 200, values, at=at)


def new(name: str, config: str) -> Path:
    """A run that was never started."""
    folder = runs.home() / name
    folder.mkdir(parents=True)
    (folder / CONFIG).write_text(config)
    return folder


def make(
    name: str, *, at: float = 1000.0, beta: float = 0.04, end: Sequence[RunEvent] = (Finished(),), model: bool = True
) -> Path:
    """A run that is over, of a process of another machine."""
    folder = new(name, run_toml.text_of(RunConfig(name=name, grpo=Grpo(beta=beta))))
    events: list[RunEvent] = [
        Began(1, "elsewhere", "0.1.0", at=at),
        Stage("grpo", "began", 0, 100, at=at + 1),
        probe("grpo", 0, 900.0),
    ]
    events += [Step("grpo", n, 100, {"reward": n / 100, "kl": 0.1}, at=at + n) for n in range(1, 101)]
    events += [probe("grpo", 50, 400.0), probe("grpo", 100, 300.0), probe("export", 0, 310.0)]
    if model:
        (folder / "model").mkdir()
        (folder / "model" / "model.json").write_text("{}")
        events.append(ModelMade("model"))
    write(folder, *events, *end)
    return folder


def write(folder: Path, *events: RunEvent) -> None:
    with (folder / EVENTS).open("ab") as out:
        out.writelines(to_line(event) for event in events)


def album(folder: Path, first: int = 0) -> None:
    """Rows of which the last five are held out."""
    (folder / "album").mkdir(exist_ok=True)
    line = '{{"id": "{}", "lat": {}, "lon": 2.0, "answer": "a", "part": "{}"}}\n'
    text = "".join(line.format(n, n, "probe" if n >= first + 15 else "train") for n in range(first, first + 20))
    (folder / "album" / "rows.jsonl").write_text(text)


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[HistoryPage]:
    page = HistoryPage()
    page.resize(1300, 800)
    yield page
    put_away(page)


def shown(page: HistoryPage, qtbot: QtBot, *, total: int) -> None:
    """On the screen, and everything read."""
    if not page.isVisible():
        expose(page, qtbot)

    def all_read() -> bool:
        found = page.rows.summaries([page.rows.folder_at(page.rows.index(n)) or Path() for n in range(page.rows.rowCount())])
        return page.rows.total == total and not page.summaries.busy and all(one.read for one in found)

    qtbot.waitUntil(all_read, timeout=PATIENCE_MS)


def button(page: HistoryPage, name: str) -> QPushButton:
    found = page.findChild(QPushButton, f"history {name}")
    assert found is not None
    return found


def choose(page: HistoryPage, folder: Path, qtbot: QtBot) -> None:
    page.column.list.choose(folder)
    qtbot.waitUntil(lambda: page.panel.details.summary is not None and page.panel.details.summary.folder == folder)


def texts(widget: QWidget) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisibleTo(widget)).replace("\u200b", "")


def shows(widget: QWidget, qtbot: QtBot, text: str) -> None:
    qtbot.waitUntil(lambda: text in texts(widget), timeout=PATIENCE_MS)


def said(page: HistoryPage) -> str:
    return page._said.text().replace("\u200b", "")


def titles(page: HistoryPage) -> list[str]:
    return [str(page.rows.index(n).data()) for n in range(page.rows.rowCount())]


# ---- listed ----


def test_without_a_run_it_teaches(page: HistoryPage, qtbot: QtBot) -> None:
    expose(page, qtbot)
    qtbot.waitUntil(lambda: page.empty.isVisible(), timeout=PATIENCE_MS)
    shows(page.empty, qtbot, "No run yet")
    shows(page.empty, qtbot, "kept here with its settings")
    with qtbot.waitSignal(page.configure_asked):
        page.empty.configure.click()
    make("lisbon")
    page.refresh()
    shown(page, qtbot, total=1)
    assert not page.empty.isVisible()
    assert page.column.list.isVisible()


def test_figures_stand_with_n_interval_and_baselines(page: HistoryPage, qtbot: QtBot) -> None:
    folder = make("lisbon")
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    for part in (
        "this model",
        "30 %\n(24–37)",
        "310 km",
        "200",
        "before training",
        "most frequent place",
        "2,200 km",
        "random training place",
    ):
        shows(page.panel.details, qtbot, part)
    assert "Within 25 km: 30 % (24–37), n = 200" in page.rows.index(0).data(Qt.ItemDataRole.AccessibleTextRole)


def test_newest_first_and_other_orders(page: HistoryPage, qtbot: QtBot) -> None:
    old, new = make("zebra", at=1000.0), make("aardvark", at=2000.0)
    run_notes.write(old, Notes("The old one", "with a lower rate"))
    shown(page, qtbot, total=2)
    assert titles(page) == ["aardvark", "The old one"]
    page.column.sort.setCurrentText("Name")
    assert titles(page) == ["aardvark", "The old one"]
    page.column.search.setText("LOWER rate")
    assert titles(page) == ["The old one"]
    page.column.search.setText("no such run")
    assert titles(page) == []
    shows(page.panel, qtbot, "No run is called so")
    page.column.search.clear()
    choose(page, new, qtbot)


def test_failed_died_and_stopped_runs_say_why(page: HistoryPage, qtbot: QtBot) -> None:
    failed = make("failed", end=[Failed("The GPU ran out of memory.", "Lower sft.batch.")], model=False)
    died = make("died", end=[], model=False)
    stopped = make("stopped", end=[run_events.Stopped("grpo", 100)], model=False)
    shown(page, qtbot, total=3)
    choose(page, failed, qtbot)
    shows(page.panel.details, qtbot, "The GPU ran out of memory. Lower sft.batch.")
    choose(page, died, qtbot)
    shows(page.panel.details, qtbot, "gone without a word")
    for folder in (failed, died, stopped):
        choose(page, folder, qtbot)
        assert button(page, "resume").isEnabled()
        assert not button(page, "use").isEnabled()
        with qtbot.waitSignal(page.resumed) as resumed:
            button(page, "resume").click()
        assert resumed.args == [folder]


def test_damaged_folders_are_shown_all_the_same(page: HistoryPage, qtbot: QtBot) -> None:
    damaged, other = make("damaged"), make("other")
    (damaged / CONFIG).write_bytes(b"\xff\xfe no toml")
    (damaged / "notes.json").write_text("{{{")
    with (damaged / EVENTS).open("ab") as out:
        out.write(b"\x00\xff not json\n" + b"[" * 5000)
    (other / EVENTS).unlink()
    (runs.home() / "no run").mkdir()
    (runs.home() / "a file").write_text("")
    shown(page, qtbot, total=2)
    choose(page, damaged, qtbot)
    shows(page.panel.details, qtbot, "is no text in UTF-8")
    shows(page.panel.details, qtbot, "310 km")
    assert not button(page, "duplicate").isEnabled()
    choose(page, other, qtbot)
    shows(page.panel.details, qtbot, "not started")


def test_names_are_characters_and_nothing_else(page: HistoryPage, qtbot: QtBot) -> None:
    folder = make("evil")
    run_notes.write(folder, Notes("<b>bold</b> \x1b[31m\u202e" + "long" * 60, "<img src=x>"))
    shown(page, qtbot, total=1)
    assert titles(page)[0].startswith("<b>bold</b> \N{REPLACEMENT CHARACTER}[31m\N{REPLACEMENT CHARACTER}")
    for label in page.findChildren(QLabel):
        assert label.textFormat() == Qt.TextFormat.PlainText
    assert "<" not in page.rows.index(0).data(Qt.ItemDataRole.ToolTipRole)


def test_a_living_run_grows(page: HistoryPage, qtbot: QtBot) -> None:
    folder = new("alive", "")
    with EventWriter(folder) as events:
        events.write(Stage("grpo", "began", 0, 100))
        shown(page, qtbot, total=1)
        choose(page, folder, qtbot)
        shows(page.panel.details, qtbot, "running")
        assert not button(page, "delete").isEnabled()
        assert not button(page, "resume").isEnabled()
        events.write(probe("grpo", 50, 400.0))
        page.refresh()
        shows(page.panel.details, qtbot, "GRPO, step 50")
        events.write(Finished())
    page.refresh()
    shows(page.panel.details, qtbot, "finished")


def test_runs_come_and_go(page: HistoryPage, qtbot: QtBot) -> None:
    one, two = make("one"), make("two")
    shown(page, qtbot, total=2)
    choose(page, two, qtbot)
    page.rows.check(one, on=True)
    page.rows.check(two, on=True)
    shutil.rmtree(two)
    make("three")
    page.refresh()
    qtbot.waitUntil(lambda: sorted(titles(page)) == ["one", "three"], timeout=PATIENCE_MS)
    assert page.rows.checked == [one]
    assert not page.panel.compares


# ---- what can be done with one ----


def test_opened_duplicated_used(page: HistoryPage, qtbot: QtBot) -> None:
    folder = make("lisbon", beta=0.3)
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    with qtbot.waitSignal(page.opened) as opened:
        qtbot.keyClick(page.column.list, Qt.Key.Key_Return)
    assert opened.args == [folder]
    with qtbot.waitSignal(page.duplicated) as duplicated:
        button(page, "duplicate").click()
    assert duplicated.args is not None
    assert duplicated.args[0].grpo.beta == 0.3
    with qtbot.waitSignal(page.model_chosen) as used:
        button(page, "use").click()
    assert used.args == [folder / "model"]


def test_a_model_that_got_worse_says_so(page: HistoryPage, qtbot: QtBot) -> None:
    folder = make("lisbon", end=[Alert("worse", "It is 320 km off and was 212 km.", "Look."), ModelMade("model"), Finished()])
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    shows(page.panel.details, qtbot, "Its model got worse. It is 320 km off and was 212 km.")
    assert button(page, "use").property("role") != "accent"


def test_title_and_note_are_kept(page: HistoryPage, qtbot: QtBot) -> None:
    one, two = make("one", at=2000.0), make("two")
    before = (one / CONFIG).read_bytes()
    shown(page, qtbot, total=2)
    choose(page, one, qtbot)
    field = page.panel.details.field
    qtbot.keyClick(page.column.list, Qt.Key.Key_F2)
    qtbot.keyClicks(field.title, "Second try")
    field.note.setPlainText("The rate was too high.")
    choose(page, two, qtbot)  # what was written of the other one is kept
    qtbot.waitUntil(lambda: run_notes.read(one) == Notes("Second try", "The rate was too high."), timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: "Second try" in titles(page), timeout=PATIENCE_MS)
    assert run_notes.read(two) == Notes()
    assert (field.title.text(), field.note.toPlainText()) == ("", "")
    assert (one / CONFIG).read_bytes() == before


def test_what_is_being_written_is_not_replaced(page: HistoryPage, qtbot: QtBot) -> None:
    folder = make("one")
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    field = page.panel.details.field
    qtbot.keyClicks(field.title, "half a ti")
    write(folder, probe("export", 0, 200.0))
    page.refresh()
    shows(page.panel.details, qtbot, "200 km")
    assert field.title.text() == "half a ti"


def test_a_note_that_cannot_be_kept_is_told(page: HistoryPage, qtbot: QtBot) -> None:
    folder = make("one")
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    (folder / "notes.json").mkdir()
    page.panel.details.field.note.setPlainText("A note")
    page.panel.details.field.keep()
    qtbot.waitUntil(lambda: "cannot be kept" in said(page), timeout=PATIENCE_MS)


# ---- deleted ----


@pytest.fixture
def answers(monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """What is answered to questions, one after the other; the questions are taken out."""
    found = [True]
    monkeypatch.setattr(history_questions, "_asked", lambda *_: found[0])
    return found


def test_into_the_trash_after_a_question(
    page: HistoryPage, qtbot: QtBot, answers: list[bool], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    trash = tmp_path / "trash"
    monkeypatch.setattr(history_orders.QFile, "moveToTrash", lambda name: bool(shutil.move(name, trash)))
    one, two = make("one"), make("two", end=[Failed("No.")])
    run_queue.add(two)
    shown(page, qtbot, total=2)
    choose(page, two, qtbot)
    answers[0] = False
    button(page, "delete").click()
    answers[0] = True
    assert two.exists()
    button(page, "delete").click()
    qtbot.waitUntil(lambda: titles(page) == ["one"], timeout=PATIENCE_MS)
    assert (trash / CONFIG).is_file()
    assert run_queue.waiting() == []
    assert one.exists()
    assert "is in the trash" in said(page)


def test_without_a_trash_nothing_is_deleted(
    page: HistoryPage, qtbot: QtBot, answers: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history_orders.QFile, "moveToTrash", lambda _: False)
    folder = make("one")
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    button(page, "delete").click()
    qtbot.waitUntil(lambda: "there is no trash for that disk" in said(page), timeout=PATIENCE_MS)
    assert (folder / CONFIG).is_file()


def test_a_run_that_began_meanwhile_is_not_deleted(page: HistoryPage, qtbot: QtBot, answers: list[bool]) -> None:
    folder = make("one", end=[])
    shown(page, qtbot, total=1)
    choose(page, folder, qtbot)
    with EventWriter(folder):
        button(page, "delete").click()
        qtbot.waitUntil(lambda: "is going on" in said(page), timeout=PATIENCE_MS)
    assert (folder / CONFIG).is_file()


def test_the_question_names_the_run_and_offers_to_leave_it(
    page: HistoryPage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []

    def look_at(box: QMessageBox) -> int:
        seen.append(f"{box.text()} {box.informativeText()} {box.defaultButton().text()} {box.textFormat().name}")
        return 0

    monkeypatch.setattr(QMessageBox, "exec", look_at)
    assert not history_questions.delete(page, "<b>x</b>", "All goes.", waits=True)
    assert "Move ‹b>x‹/b> to the trash?" in seen[0]
    assert "taken out of the queue" in seen[0]
    assert seen[0].endswith("Cancel PlainText")


# ---- compared ----


@pytest.fixture
def two(page: HistoryPage, qtbot: QtBot) -> list[Path]:
    """Two runs of one album that differ in a setting, checked."""
    found = [make("one", at=2000.0), make("two", beta=0.3)]
    for folder in found:
        album(folder)
    shown(page, qtbot, total=2)
    for folder in found:
        page.rows.check(folder, on=True)
    drawn(page, qtbot, 3)
    return found


def drawn(page: HistoryPage, qtbot: QtBot, lines: int) -> None:
    overlay = page.panel.comparison.overlay
    qtbot.waitUntil(
        lambda: (
            overlay.chart is not None and len(overlay.chart.curves) == lines and page.panel.comparison.histories.percent is None
        ),
        timeout=PATIENCE_MS,
    )


def test_two_runs_over_each_other(page: HistoryPage, two: list[Path], qtbot: QtBot) -> None:
    assert page.panel.compares
    comparison = page.panel.comparison
    chart = comparison.overlay.chart
    assert chart is not None
    assert chart.plan.title == "GRPO: Median distance, held-out photos"
    assert [series.word for series in chart.plan.series] == ["A", "B", "most frequent place"]
    assert [[*curve.raw] for curve in chart.curves[:2]] == [[900.0, 400.0, 300.0]] * 2
    assert "A: one" in comparison.overlay.key.accessibleName()
    table = comparison.table.texts()
    assert ("grpo.beta", "0.04", "0.3") in table
    assert not any(line[0] == "grpo.temperature" for line in table)
    assert ("within 25 km", "30 % (24–37)", "30 % (24–37)") in table
    assert ("most frequent place, ≤ 25 km", "4 %, 2,200 km", "4 %, 2,200 km") in table
    comparison.all_settings.click()
    assert ("grpo.temperature", "1.0", "1.0") in comparison.table.texts()
    assert "All learned from the same photos" in texts(comparison)


def test_another_chart(page: HistoryPage, two: list[Path], qtbot: QtBot) -> None:
    comparison = page.panel.comparison
    wanted = comparison.choice.findText("GRPO: Reward")
    assert wanted >= 0
    comparison.choice.setCurrentIndex(wanted)
    comparison.choice.activated.emit(wanted)
    drawn(page, qtbot, 2)
    assert comparison.overlay.chart is not None
    assert len(comparison.overlay.chart.curves[1].x) == 100


def test_other_held_out_photos_are_a_warning(page: HistoryPage, two: list[Path], qtbot: QtBot) -> None:
    album(two[1], first=3)
    page.refresh()
    qtbot.waitUntil(
        lambda: "Not measured on the same held-out photos (A / B)" in texts(page.panel.comparison), timeout=PATIENCE_MS
    )
    drawn(page, qtbot, 2)  # and there is no baseline for both


def test_checks_by_keyboard_and_mouse(page: HistoryPage, qtbot: QtBot) -> None:
    one, other = make("one", at=2000.0), make("other")
    shown(page, qtbot, total=2)
    page.column.list.setCurrentIndex(page.rows.index(0))
    qtbot.keyClick(page.column.list, Qt.Key.Key_Space)
    assert page.rows.checked == [one]
    area = page.column.list.visualRect(page.rows.index(1))
    qtbot.mouseClick(page.column.list.viewport(), Qt.MouseButton.LeftButton, pos=area.topLeft() + QPoint(18, 18))
    assert page.rows.checked == [one, other]
    assert page.panel.compares
    page.panel.one.click()
    assert not page.panel.compares
    page.panel.clear.click()
    assert page.rows.checked == []
    assert page.panel.comparison.folders == []
    qtbot.mouseClick(page.column.list.viewport(), Qt.MouseButton.LeftButton, pos=area.topLeft() + QPoint(90, 18))
    assert page.rows.checked == []


def test_not_more_than_can_be_told_apart(page: HistoryPage, qtbot: QtBot) -> None:
    folders = [make(f"run {n}", at=1000.0 + n) for n in range(9)]
    shown(page, qtbot, total=9)
    for folder in folders:
        page.rows.check(folder, on=True)
    assert page.rows.checked == folders[:8]
    assert "8 runs are compared at most" in said(page)
    drawn(page, qtbot, 8)


def test_a_run_without_values_is_named_as_such(page: HistoryPage, qtbot: QtBot) -> None:
    one, nothing = make("one"), new("nothing", "")
    shown(page, qtbot, total=2)
    page.rows.check(one, on=True)
    page.rows.check(nothing, on=True)
    drawn(page, qtbot, 1)
    assert "B: nothing (no such values)" in page.panel.comparison.overlay.key.accessibleName()
    shows(page.panel.comparison, qtbot, "On which photos A and B were measured is not known")


def test_a_compared_run_grows(page: HistoryPage, qtbot: QtBot) -> None:
    one, alive = make("one"), new("alive", "")
    with EventWriter(alive) as events:
        events.write(Stage("grpo", "began", 0, 100))
        events.write(probe("grpo", 0, 900.0))
        shown(page, qtbot, total=2)
        page.rows.check(alive, on=True)
        page.rows.check(one, on=True)
        drawn(page, qtbot, 2)
        events.write(probe("grpo", 50, 500.0))
        page._look_again()
        chart = page.panel.comparison.overlay.chart
        assert chart is not None
        qtbot.waitUntil(lambda: len(chart.curves[0].x) == 2, timeout=PATIENCE_MS)


def test_exported_as_table_and_picture(
    page: HistoryPage, two: list[Path], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(history_questions, "where", lambda _parent, _title, name, kind: tmp_path / f"{name}.{kind}")
    page.panel.comparison.csv.click()
    qtbot.waitUntil(lambda: "208 steps and measurements are in runs.csv" in said(page), timeout=PATIENCE_MS)
    with (tmp_path / "runs.csv").open(newline="", encoding="utf-8") as file:
        lines = [*csv.DictReader(file)]
    assert {line["run"] for line in lines} == {"one", "two"}
    page.panel.comparison.png.click()
    qtbot.waitUntil(lambda: "The chart is in runs.png" in said(page), timeout=PATIENCE_MS)
    assert QImage(str(tmp_path / "runs.png")).width() > 300


def test_a_file_that_cannot_be_written_is_told(
    page: HistoryPage, two: list[Path], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(history_questions, "where", lambda _parent, _title, name, kind: tmp_path / "gone" / f"{name}.{kind}")
    page.panel.comparison.csv.click()
    qtbot.waitUntil(lambda: "runs.csv cannot be written" in said(page), timeout=PATIENCE_MS)
    page.panel.comparison.png.click()
    qtbot.waitUntil(lambda: "runs.png cannot be written" in said(page), timeout=PATIENCE_MS)


# ---- the queue ----


def queue_buttons(page: HistoryPage, words: str) -> list[QToolButton]:
    found = [
        one for one in page.column.queue.findChildren(QToolButton) if one.accessibleName().startswith(words) and one.isVisible()
    ]
    return sorted(found, key=lambda one: one.mapTo(page, QPoint()).y())


def test_waiting_moving_leaving(page: HistoryPage, qtbot: QtBot) -> None:
    folders = [new(name, "") for name in ("one", "two", "three")]
    shown(page, qtbot, total=3)
    assert not page.column.queue.isVisible()
    for folder in folders:
        choose(page, folder, qtbot)
        with qtbot.waitSignal(page.queue_asked, timeout=PATIENCE_MS):
            button(page, "queue").click()
    qtbot.waitUntil(lambda: len(queue_buttons(page, "Take out")) == 3, timeout=PATIENCE_MS)
    assert run_queue.waiting() == folders
    assert not button(page, "queue").isEnabled()
    queue_buttons(page, "Earlier")[1].click()
    qtbot.waitUntil(lambda: run_queue.waiting() == [folders[1], folders[0], folders[2]], timeout=PATIENCE_MS)
    qtbot.waitUntil(lambda: queue_buttons(page, "Take out")[0].accessibleName().endswith("two"), timeout=PATIENCE_MS)
    queue_buttons(page, "Take out")[0].click()
    qtbot.waitUntil(lambda: run_queue.waiting() == [folders[0], folders[2]], timeout=PATIENCE_MS)
    with qtbot.waitSignal(page.queue_asked):
        page.column.queue.start.click()


def test_what_could_not_be_started_is_told(page: HistoryPage, qtbot: QtBot) -> None:
    folder = new("one", "")
    run_queue.add(folder)
    run_queue.work("", arguments=lambda _: ["/no/such/python"])
    shown(page, qtbot, total=1)
    shows(page.column.queue, qtbot, "one could not be started")
    page.column.queue.forgive.click()
    qtbot.waitUntil(lambda: not page.column.queue.isVisible(), timeout=PATIENCE_MS)


# ---- many, and both themes ----


def test_many_long_runs_do_not_hold_up_the_window(page: HistoryPage, qtbot: QtBot) -> None:
    line = to_line(Step("grpo", 1, 100_000, {f"value {n}": 0.5 for n in range(20)}, at=5.0))
    long = make("long")
    with (long / EVENTS).open("ab") as out:
        out.write(line * 20_000)
    for n in range(60):
        folder = new(f"run {n}", "")
        shutil.copyfile(long / EVENTS, folder / EVENTS) if n < 3 else write(folder, Began(1, "m", at=float(n)))
    expose(page, qtbot)
    qtbot.waitUntil(lambda: page.rows.rowCount() == 61, timeout=PATIENCE_MS)
    choose(page, long, qtbot)  # while the others are read
    shown(page, qtbot, total=61)
    reads = [page.summaries._readers[folder]._offset for folder in page.summaries._readers]
    page.refresh()
    qtbot.waitUntil(lambda: not page.summaries.busy, timeout=PATIENCE_MS)
    assert reads == [page.summaries._readers[folder]._offset for folder in page.summaries._readers]


@pytest.mark.parametrize("dark", [True, False])
def test_both_themes_and_a_small_window(page: HistoryPage, two: list[Path], qtbot: QtBot, qapp: QApplication, dark: bool) -> None:
    look.apply(qapp, dark=dark)
    page.resize(896, 520)
    drawn(page, qtbot, 3)
    pictures = [page.grab().toImage()]
    page.panel.one.click()
    pictures.append(page.grab().toImage())
    for picture in pictures:
        assert picture.size() == page.size() * page.devicePixelRatio()
        assert len({picture.pixel(x, y) for x in range(0, 890, 7) for y in range(0, 510, 7)}) > 8
    look.apply(qapp, dark=True)


def test_every_control_has_a_name_and_a_tip(page: HistoryPage, two: list[Path], qtbot: QtBot) -> None:
    for name in ("open", "use", "resume", "queue", "duplicate", "csv", "folder", "delete"):
        assert button(page, name).toolTip()
        assert button(page, name).text()
    for widget in (
        page.column.search,
        page.column.sort,
        page.column.list,
        page.panel.comparison.choice,
        page.panel.comparison.table,
    ):
        assert widget.accessibleName()
