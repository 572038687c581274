"""The page Configure: cards and preflight of one draft, scans, previews and starts on other threads, by pointer, drop and keyboard."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication, QWheelEvent
from PySide6.QtWidgets import QApplication, QFileDialog, QLabel, QPushButton, QWidget
from pytestqt.qtbot import QtBot

from georapp import run_queue, run_toml, runs
from georapp.album_scan import AlbumSeen, Country
from georapp.errors import RunError
from georapp.gui import background, look
from georapp.gui.train.configure import album_job, draft_file, preview_job, run_check, start_job
from georapp.gui.train.configure.configure_page import NARROW_PX, ConfigurePage
from georapp.gui.train.configure.setting_editors import Choice, TypedField
from georapp.gui.train.configure.setting_field import SettingField
from georapp.run_events import CONFIG
from georapp.run_presets import PRESETS
from georapp.run_settings import RunConfig
from georapp.runs import Run, State
from georapp.training_python import Gpu, TrainingPython
from tests.gui.drops import drop, files
from tests.gui.showing import expose, put_away
from tests.unit.base_folders import qwen3_vl

PATIENCE = 30_000
VERSIONS: dict[str, str | None] = {
    "torch": "2.13.0",
    "transformers": "5.23.0",
    "trl": "1.16.0",
    "peft": "0.21.2",
    "bitsandbytes": "0.48",
}
GPU = Gpu("Card", 24.0, 23.0, bf16=True)
PYTHON = TrainingPython(Path(sys.executable), "3.11.9", versions=VERSIONS, gpus=(GPU,), cores=8, memory_gib=64.0)
SEEN = AlbumSeen(
    photos=2000,
    with_place=1939,
    train=1600,
    held_out=339,
    countries=(Country("PT", "Portugal", 1000, 139), Country("JP", "Japan", 600, 200)),
    places=((38.7, -9.1, False), (35.7, 139.7, True)),
    left_out=("61 without a place", "14 duplicates"),
    notes=("Labels by polygons.",),
    groups=400,
    probe=200,
)


class StandInScan:
    """Scans nothing; tells how far it is and waits until it may end."""

    last: StandInScan | None = None

    def __init__(self, folder: Path, python: Path | None = None) -> None:
        self.folder, self.cancelled, self.may_end = folder, False, threading.Event()
        type(self).last = self

    def run(self, progress: Callable[[int, int], None]) -> AlbumSeen:
        progress(812, 2000)
        self.may_end.wait(30)
        if self.cancelled:
            raise RunError("It was cancelled.")
        return SEEN

    def cancel(self) -> None:
        self.cancelled = True
        self.may_end.set()


@pytest.fixture
def scans(monkeypatch: pytest.MonkeyPatch) -> Iterator[type[StandInScan]]:
    monkeypatch.setattr(album_job, "Scan", StandInScan)
    StandInScan.last = None
    yield StandInScan
    if StandInScan.last:
        StandInScan.last.cancel()


@pytest.fixture
def page(qtbot: QtBot) -> Iterator[ConfigurePage]:
    page = ConfigurePage()
    page.resize(1378, 760)
    expose(page, qtbot)
    qtbot.waitUntil(lambda: page.preflight.title.text() != "…  Checking", timeout=PATIENCE)
    qtbot.waitUntil(lambda: page.parameters.curve.editor is not None, timeout=PATIENCE)
    yield page
    page.work.scan.cancel()
    page.work.preview.cancel()
    put_away(page)


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return qwen3_vl(tmp_path / "Qwen3-VL-2B")


def plain(text: str) -> str:
    return text.replace("\N{ZERO WIDTH SPACE}", "")


def reasons(page: ConfigurePage) -> str:
    return plain(" ".join(page.preflight.list.reasons()))


def settled(page: ConfigurePage, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not page.work.check.busy, timeout=PATIENCE)


def field(page: ConfigurePage, key: str, qtbot: QtBot) -> SettingField:
    page.parameters.go_to(key)
    qtbot.waitUntil(lambda: page.parameters.field(key) is not None, timeout=PATIENCE)
    found = page.parameters.field(key)
    assert found
    return found


def type_in(editor: QWidget, text: str, qtbot: QtBot) -> None:
    assert isinstance(editor, TypedField)
    editor.setFocus()
    editor.selectAll()
    qtbot.keyClicks(editor, text)
    qtbot.keyClick(editor, Qt.Key.Key_Return)


def make_ready(page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot) -> None:
    page.set_python(PYTHON)
    page.draft.set("model.base", str(base))
    page.album.sources.add([str(photos)])
    assert scans.last
    scans.last.may_end.set()
    qtbot.waitUntil(lambda: page.album.result is not None, timeout=PATIENCE)
    settled(page, qtbot)
    qtbot.waitUntil(lambda: page.preflight.start.isEnabled(), timeout=PATIENCE)


# ---- empty ----


def test_an_empty_page_teaches_and_is_not_ready(page: ConfigurePage) -> None:
    assert page.preflight.title.text() == "✕  Not ready"
    assert "No model" in reasons(page)
    assert not page.preflight.start.isEnabled()
    assert "config.json" in page.model.hint.text()
    assert page.album.sources.hint.isVisible()
    assert not page.album.scan.isVisible()
    assert page.row.buttons[0].text().startswith("✕ Model")


def test_nothing_is_written_before_something_is_changed(page: ConfigurePage) -> None:
    assert not (page.work.file.folder / CONFIG).exists()


# ---- model ----


def test_a_model_is_read_and_described(page: ConfigurePage, base: Path, qtbot: QtBot) -> None:
    page.draft.set("model.base", str(base))
    qtbot.waitUntil(lambda: page.row.buttons[0].text().startswith("✓"), timeout=PATIENCE)
    chips = [chip.text() for chip in page.model.facts.findChildren(QLabel)]
    assert any("billion parameters" in chip for chip in chips)
    assert "qwen3_vl" in chips
    assert any("tokens a photo" in chip for chip in chips)
    settled(page, qtbot)
    assert page.preflight.list.bars["grpo"].isVisible()


def test_a_folder_that_is_no_model_says_why_where_it_was_chosen(page: ConfigurePage, tmp_path: Path, qtbot: QtBot) -> None:
    page.draft.set("model.base", str(tmp_path))
    qtbot.waitUntil(lambda: page.model.sentence.isVisible() and "✕" in page.model.sentence.text(), timeout=PATIENCE)
    settled(page, qtbot)
    assert not page.preflight.start.isEnabled()


def test_the_answer_about_an_older_folder_is_dropped(
    page: ConfigurePage, base: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, read = threading.Event(), run_check.base_model.read
    began = threading.Event()

    def reading(folder: Path) -> object:
        if folder.name == "slow":
            began.set()
            slow.wait(30)
            raise RunError("slow")
        return read(folder)

    monkeypatch.setattr(run_check.base_model, "read", reading)
    page.draft.set("model.base", "/models/slow")
    qtbot.waitUntil(began.is_set, timeout=PATIENCE)
    page.draft.set("model.base", str(base))
    qtbot.waitUntil(lambda: page.row.buttons[0].text().startswith("✓"), timeout=PATIENCE)
    slow.set()
    settled(page, qtbot)
    assert "slow" not in page.model.sentence.text()
    assert page.row.buttons[0].text().startswith("✓")


def test_a_model_folder_can_be_dropped(page: ConfigurePage, base: Path) -> None:
    assert drop(page.model, files(base))
    assert page.draft.value("model.base") == str(base)
    assert drop(page.model, files(base / "config.json"))
    assert page.draft.value("model.base") == str(base)


# ---- album ----


def test_photos_that_are_added_are_scanned_at_once(
    page: ConfigurePage, photos: Path, scans: type[StandInScan], qtbot: QtBot
) -> None:
    page.album.sources.add([str(photos)])
    assert page.album.scan.text() == "Cancel"
    qtbot.waitUntil(lambda: "812 of 2,000" in page.album.said.text(), timeout=PATIENCE)
    assert page.album.progress.maximum() == 2000
    assert scans.last
    scans.last.may_end.set()
    qtbot.waitUntil(lambda: page.album.result is not None, timeout=PATIENCE)
    assert page.album.result
    chips = [chip.text() for chip in page.album.result.counts.findChildren(QLabel)]
    assert "● 1,600 to train on" in chips
    assert "○ 339 held out" in chips
    assert "Left out: 61 without a place; 14 duplicates." in page.album.result.texts()
    assert page.album.scan.text() == "Scan again"
    assert "1,939 photos" in page.row.buttons[1].text()


def test_a_scan_can_be_cancelled(page: ConfigurePage, photos: Path, scans: type[StandInScan], qtbot: QtBot) -> None:
    page.album.sources.add([str(photos)])
    qtbot.mouseClick(page.album.scan, Qt.MouseButton.LeftButton)
    assert scans.last
    assert scans.last.cancelled
    assert page.album.scan.text() == "Scan"
    assert not page.work.scan.busy
    assert page.album.result is None


def test_a_scan_that_was_replaced_shows_nothing(
    page: ConfigurePage, photos: Path, tmp_path: Path, scans: type[StandInScan], qtbot: QtBot
) -> None:
    page.album.sources.add([str(photos)])
    first = scans.last
    page.album.sources.add([str(tmp_path)])
    assert first
    assert first.cancelled
    assert scans.last is not first
    assert page.work.scan.busy


def test_other_settings_of_the_album_make_a_scan_old_and_back_again(
    page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot
) -> None:
    make_ready(page, base, photos, scans, qtbot)
    page.draft.set("album.held_out_percent", 20.0)
    assert "changed" in page.album.said.text()
    assert page.work.check.fitting_album is None
    page.draft.undo()
    assert page.album.said.text() == "✓ Scanned"
    assert page.work.check.fitting_album == SEEN
    page.draft.set("grpo.beta", 0.1)
    assert page.work.check.fitting_album == SEEN


def test_a_scan_that_fails_says_why(page: ConfigurePage, photos: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(StandInScan):
        def run(self, progress: Callable[[int, int], None]) -> AlbumSeen:
            raise RunError("The album has no usable photo: 6 without a place.", hint="Add photos whose files hold a place.")

    monkeypatch.setattr(album_job, "Scan", Broken)
    page.album.sources.add([str(photos)])
    qtbot.waitUntil(lambda: "no usable photo" in plain(page.album.said.text()), timeout=PATIENCE)
    assert page.album.hint.isVisible()


def test_sources_are_dropped_removed_and_counted_once(page: ConfigurePage, photos: Path, scans: type[StandInScan]) -> None:
    table = photos / "photos.csv"
    assert drop(page.album, files(photos, table))
    assert drop(page.album, files(photos))
    assert page.draft.value("album.sources") == (str(photos), str(table))
    removes = [button for button in page.album.sources.findChildren(QWidget) if button.accessibleName() == f"Remove {photos}"]
    qtclick(removes[0])
    assert page.draft.value("album.sources") == (str(table),)
    page.draft.undo()
    assert page.draft.value("album.sources") == (str(photos), str(table))


def qtclick(button: QWidget) -> None:
    assert hasattr(button, "click")
    button.click()


def test_home_zones_are_added_in_any_notation_and_removed(page: ConfigurePage, qtbot: QtBot) -> None:
    zones = page.album.zones
    qtbot.keyClicks(zones.place, "48°08'14\"N 11°34'31\"E")
    qtbot.keyClick(zones.place, Qt.Key.Key_Return)
    (zone,) = page.draft.value("album.home_zones")
    assert zone == pytest.approx((48.1372, 11.5753, 2.0), abs=1e-3)
    assert page.draft.config() is not None
    qtbot.keyClicks(zones.place, "somewhere")
    qtbot.keyClick(zones.place, Qt.Key.Key_Return)
    assert zones.error.isVisible()
    assert len(page.draft.value("album.home_zones")) == 1
    chip = next(chip for chip in zones.zones.findChildren(QWidget) if chip.accessibleName().startswith("Remove the home zone"))
    qtclick(chip)
    assert page.draft.value("album.home_zones") == ()


# ---- parameters ----


def test_typing_a_number_changes_the_setting_and_shows_the_difference(page: ConfigurePage, qtbot: QtBot) -> None:
    row = field(page, "grpo.beta", qtbot)
    assert not row.back.isVisible()
    type_in(row.editor, "0.1", qtbot)
    assert page.draft.value("grpo.beta") == 0.1
    assert row.back.isVisible()
    assert "0.04" in row.back.text()
    assert "1 setting differs" in page.preflight.list.differences.head.text()
    qtclick(row.back)
    assert page.draft.value("grpo.beta") == 0.04
    assert not row.back.isVisible()


def test_an_error_stands_beside_the_field_and_stops_the_start(page: ConfigurePage, qtbot: QtBot) -> None:
    row = field(page, "grpo.beta", qtbot)
    type_in(row.editor, "12", qtbot)
    assert row.error
    assert "from 0 to 10" in plain(row.error.text())
    assert page.preflight.title.text() == "✕  Not ready"
    assert "from 0 to 10" in reasons(page)
    assert page.row.buttons[2].text().startswith("✕")
    type_in(row.editor, "1", qtbot)
    assert not row.error.isVisible()


def test_typed_letters_count_after_a_rest_without_return(page: ConfigurePage, qtbot: QtBot) -> None:
    row = field(page, "grpo.max_steps", qtbot)
    assert isinstance(row.editor, TypedField)
    row.editor.selectAll()
    qtbot.keyClicks(row.editor, "120")
    qtbot.waitUntil(lambda: page.draft.value("grpo.max_steps") == 120, timeout=PATIENCE)
    qtbot.keyClick(row.editor, Qt.Key.Key_Up)
    assert page.draft.value("grpo.max_steps") == 121


def test_ctrl_z_takes_settings_back_also_from_within_a_field(page: ConfigurePage, qtbot: QtBot) -> None:
    row = field(page, "grpo.beta", qtbot)
    type_in(row.editor, "0.5", qtbot)
    page.draft.set("seed", 3)
    qtbot.waitUntil(lambda: row.editor.hasFocus(), timeout=PATIENCE)
    assert isinstance(row.editor, TypedField)
    row.editor.setText("0.5")  # nothing typed that the field itself could take back
    qtbot.keyClick(row.editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.draft.value("seed") == 0
    qtbot.keyClick(row.editor, Qt.Key.Key_Z, Qt.KeyboardModifier.ControlModifier)
    assert page.draft.value("grpo.beta") == 0.04
    shift = Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier
    qtbot.keyClick(row.editor, Qt.Key.Key_Z, shift)
    assert page.draft.value("grpo.beta") == 0.5


def test_search_finds_by_name_and_by_meaning(page: ConfigurePage, qtbot: QtBot) -> None:
    def shown() -> set[str]:
        return {key for group in page.parameters.groups.values() for key, row in group.fields.items() if row.isVisible()}

    qtbot.keyClick(page, Qt.Key.Key_F, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: page.parameters.search.hasFocus(), timeout=PATIENCE)
    qtbot.keyClicks(page.parameters.search, "duplicates cannot be found")
    assert shown() == set()
    page.parameters.search.setText("entropy")
    qtbot.waitUntil(lambda: shown() == {"guards.entropy_below", "guards.drift_above"}, timeout=PATIENCE)
    page.parameters.search.setText("grpo.epsilon")
    qtbot.waitUntil(lambda: shown() == {"grpo.epsilon"}, timeout=PATIENCE)
    page.parameters.search.clear()
    qtbot.waitUntil(lambda: "grpo.beta" in shown() and "grpo.epsilon" not in shown(), timeout=PATIENCE)


def test_every_setting_has_a_row_when_all_is_unfolded(page: ConfigurePage, qtbot: QtBot) -> None:
    for group in page.parameters.groups.values():
        group.fold.setChecked(True)
    missing = lambda: [key for group in page.parameters.groups.values() for key in group.missing()]  # noqa: E731
    qtbot.waitUntil(lambda: not missing(), timeout=PATIENCE)
    rows = [row for group in page.parameters.groups.values() for row in group.fields.values()]
    assert len(rows) > 60
    for row in rows:
        assert row.editor.accessibleName()
        assert row.editor.toolTip()
        assert row.width() >= row.minimumSizeHint().width() or page.parameters.width() < 400


def test_presets_say_what_fits_and_follow_the_gpu(page: ConfigurePage, qtbot: QtBot) -> None:
    page.set_python(PYTHON)
    assert page.draft.preset == 24
    button = page.parameters.presets.button(8)
    qtclick(button)
    assert page.draft.value("model.method") == "qlora"
    assert PRESETS[8].fits in button.accessibleName()
    assert page.model.fields["model.method"].editor.currentText() == "qlora"  # type: ignore[union-attr]


def test_the_wheel_scrolls_and_changes_nothing(page: ConfigurePage, qtbot: QtBot) -> None:
    choice = page.model.fields["model.method"].editor
    assert isinstance(choice, Choice)
    place = choice.rect().center().toPointF()
    wheel = QWheelEvent(
        place,
        choice.mapToGlobal(place),
        choice.rect().center() * 0,
        choice.rect().center() * 0 + type(choice.rect().center())(0, -120),
        Qt.MouseButton.NoButton,
        Qt.KeyboardModifier.NoModifier,
        Qt.ScrollPhase.NoScrollPhase,
        False,
    )
    QApplication.sendEvent(choice, wheel)
    assert not wheel.isAccepted() or choice.currentText() == "lora"
    assert page.draft.value("model.method") == "lora"


def test_the_reward_curve_goes_into_the_draft_as_one_step(page: ConfigurePage) -> None:
    editor = page.parameters.curve.editor
    assert editor
    editor.changed.emit("own", ((0.0, 1.0), (500.0, 0.0)), False)
    config = page.draft.config()
    assert config
    assert config.grpo.curve_points == ((0.0, 1.0), (500.0, 0.0))
    assert page.parameters.curve.back.isVisible()
    editor.changed.emit("geoscore", (), False)
    config = page.draft.config()
    assert config
    assert (config.grpo.curve, config.grpo.curve_points) == ("geoscore", ())
    page.draft.undo()
    page.draft.undo()
    assert not page.draft.can_undo
    assert not page.parameters.curve.back.isVisible()


def test_the_list_of_differences_goes_to_the_setting(page: ConfigurePage, qtbot: QtBot) -> None:
    page.draft.set("guards.window", 20)
    differences = page.preflight.list.differences
    qtclick(differences.head)
    row = next(b for b in differences.findChildren(QPushButton) if b.text().startswith("Guards: Window"))
    qtclick(row)
    qtbot.waitUntil(
        lambda: (found := page.parameters.field("guards.window")) is not None and found.editor.hasFocus(), timeout=PATIENCE
    )
    page.draft.set("grpo.beta", 0.1)
    backs = lambda: [b for b in differences.findChildren(QPushButton) if b.text().startswith("↺") and b.isVisible()]  # noqa: E731
    qtbot.waitUntil(lambda: len(backs()) == 1, timeout=PATIENCE)
    qtclick(backs()[0])
    assert page.draft.differences() == {}
    assert not differences.head.isEnabled()


# ---- pipeline ----


def test_stages_are_switched_and_the_export_folds_with_its_own(page: ConfigurePage, qtbot: QtBot) -> None:
    for name in ("hard", "export"):
        qtclick(page.pipeline.switches[name])
    config = page.draft.config()
    assert config
    assert not config.hard.enabled
    assert not config.export.enabled
    assert not page.pipeline.fields["export.kinds"].isVisible()
    page.draft.undo()
    assert page.pipeline.switches["export"].isChecked()
    assert page.pipeline.fields["export.kinds"].isVisible()


def test_kinds_of_gguf_are_ticked(page: ConfigurePage) -> None:
    boxes = page.pipeline.fields["export.kinds"].editor.boxes  # type: ignore[union-attr]
    qtclick(boxes["f16"])
    assert page.draft.value("export.kinds") == ("f16", "q8_0")


def test_a_preview_says_what_it_lacks_and_then_shows_samples(
    page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    class StandInPreview:
        def __init__(self, folder: Path, python: Path, count: int) -> None:
            self.folder = folder

        def run(self) -> list[tuple[Path, tuple[tuple[str, bool], ...]]]:
            assert run_toml.read(self.folder / CONFIG).model.base == str(base)
            return [(photos / "photo 0.jpg", (("Where?", False), ("Country: Portugal", True)))]

        def cancel(self) -> None:
            pass

    monkeypatch.setattr(preview_job, "Preview", StandInPreview)
    qtclick(page.pipeline.preview)
    assert page.pipeline.view
    assert page.pipeline.view.isVisible()
    assert not page.work.preview.busy
    make_ready(page, base, photos, scans, qtbot)
    qtclick(page.pipeline.preview)
    qtbot.waitUntil(lambda: page.pipeline.view is not None and "Portugal" in page.pipeline.view.text(), timeout=PATIENCE)
    page.draft.set("model.max_pixels", 100_000)
    assert not page.pipeline.view.isVisible()


# ---- preflight and start ----


def test_a_run_is_made_and_started(
    page: ConfigurePage,
    base: Path,
    photos: Path,
    scans: type[StandInScan],
    qtbot: QtBot,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(start_job.runs, "command", lambda folder, python: [sys.executable, "-c", "print('hello')", str(folder)])
    make_ready(page, base, photos, scans, qtbot)
    assert page.preflight.title.text() == "✓  Ready"
    assert "of 24.0 GiB" in page.preflight.list.bars["grpo"].sum.text()
    assert page.preflight.list.command.isVisible()
    config = page.draft.config()
    with qtbot.waitSignal(page.started, timeout=PATIENCE) as told:
        qtbot.keyClick(page, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    assert told.args is not None
    folder: Path = told.args[0]
    assert folder.parent == runs.home()
    assert folder.name.endswith("qwen3-vl-2b-photos")
    assert config is not None
    assert run_toml.read(folder / CONFIG) == replace(config, name="Qwen3-VL-2B photos")
    assert page.preflight.start.text() == "Start"


def test_a_start_that_fails_says_why_and_leaves_no_folder(
    page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_job.runs, "command", lambda folder, python: ["/nowhere/python", str(folder)])
    make_ready(page, base, photos, scans, qtbot)
    qtclick(page.preflight.start)
    said = lambda: plain(" ".join(text.text() for text in page.preflight.list.findChildren(QLabel)))  # noqa: E731
    qtbot.waitUntil(lambda: "cannot be started" in said(), timeout=PATIENCE)
    assert runs.list_runs() == []
    assert page.preflight.start.isEnabled()


def test_behind_a_run_that_goes_on_it_waits(
    page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot
) -> None:
    make_ready(page, base, photos, scans, qtbot)
    page.set_running(Run(runs.home() / "2026-11-21-other", State.RUNNING))
    settled(page, qtbot)
    assert page.preflight.start.text() == "Add to queue"
    assert page.preflight.start.isEnabled()
    with qtbot.waitSignal(page.queued, timeout=PATIENCE) as told:
        qtclick(page.preflight.start)
    assert told.args is not None
    assert run_queue.waiting() == [told.args[0]]
    page.set_running(None)
    assert page.preflight.start.text() == "Start"


def test_a_start_right_after_a_change_waits_for_the_preflight(
    page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(start_job.runs, "command", lambda folder, python: [sys.executable, "-c", "", str(folder)])
    make_ready(page, base, photos, scans, qtbot)
    page.draft.set("name", "Porto")
    assert page.work.check.busy
    with qtbot.waitSignal(page.started, timeout=PATIENCE) as told:
        qtclick(page.preflight.start)
    assert told.args is not None
    assert told.args[0].name.endswith("-porto")


def test_a_change_that_makes_it_impossible_stops_a_start(
    page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot
) -> None:
    make_ready(page, base, photos, scans, qtbot)
    page.draft.set("model.base", "")
    qtclick(page.preflight.start)
    settled(page, qtbot)
    assert runs.list_runs() == []
    assert page.preflight.start.text() == "Start"


def test_the_command_is_copied(page: ConfigurePage, base: Path, photos: Path, scans: type[StandInScan], qtbot: QtBot) -> None:
    make_ready(page, base, photos, scans, qtbot)
    qtclick(page.preflight.list.copy)
    assert "-m training" in QGuiApplication.clipboard().text()


def test_a_python_is_described_and_another_one_asked_for(page: ConfigurePage, qtbot: QtBot) -> None:
    row = page.preflight.list.python
    page.set_python(RunError("No Python here has torch.", hint="Install it."))
    settled(page, qtbot)
    assert "No Python here has torch" in plain(" ".join(text.text() for text in row.findChildren(QLabel)))
    with qtbot.waitSignal(page.python_asked):
        qtclick(row.choose)
    page.set_python(PYTHON)
    assert row.fold.isVisible()
    page.set_python(None)
    assert not row.fold.isVisible()


# ---- run.toml ----


def test_settings_are_saved_opened_pasted_and_copied(
    page: ConfigurePage, tmp_path: Path, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "run.toml"
    page.draft.set("grpo.beta", 0.1)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_args: (str(file), ""))
    page.menu.actions_["save"].trigger()
    qtbot.waitUntil(file.is_file, timeout=PATIENCE)
    page.menu.actions_["copy"].trigger()
    assert QGuiApplication.clipboard().text() == file.read_text("utf-8")
    page.draft.undo()
    page.menu.actions_["paste"].trigger()
    assert page.draft.value("grpo.beta") == 0.1
    page.draft.undo()
    monkeypatch.setattr(QFileDialog, "getOpenFileName", lambda *_args: (str(file), ""))
    page.menu.actions_["open"].trigger()
    qtbot.waitUntil(lambda: page.draft.value("grpo.beta") == 0.1, timeout=PATIENCE)


def test_what_is_no_run_toml_is_refused_in_words(page: ConfigurePage, tmp_path: Path, qtbot: QtBot) -> None:
    QGuiApplication.clipboard().setText("Dear John,")
    page.menu.paste()
    said = lambda: plain(" ".join(text.text() for text in page.findChildren(QLabel) if text.isVisible()))  # noqa: E731
    assert "cannot be read as TOML" in said()
    (tmp_path / "bad.toml").write_bytes(b"\xff\xfe")
    assert drop(page.preflight, files(tmp_path / "bad.toml"))
    qtbot.waitUntil(lambda: "no text in UTF-8" in said(), timeout=PATIENCE)
    assert not page.draft.can_undo


def test_settings_of_another_run_are_taken_over(page: ConfigurePage) -> None:
    config = replace(PRESETS[8].config, name="Porto", seed=5)
    page.use_config(config)
    assert page.draft.config() == config
    assert page.preflight.name.text() == "Porto"
    page.draft.undo()
    assert page.draft.value("name") == ""


def test_a_page_that_is_opened_again_goes_on_where_it_was(page: ConfigurePage, qtbot: QtBot) -> None:
    page.draft.set("grpo.beta", 0.1)
    page.draft.set("name", "Porto")
    file = page.work.file.folder / CONFIG
    qtbot.waitUntil(lambda: file.is_file() and "Porto" in file.read_text("utf-8"), timeout=PATIENCE)
    other = ConfigurePage()
    expose(other, qtbot)
    qtbot.waitUntil(lambda: other.draft.value("name") == "Porto", timeout=PATIENCE)
    assert other.draft.value("grpo.beta") == 0.1
    assert other.preflight.name.text() == "Porto"
    put_away(other)


# ---- keys, drops, look ----


def test_cards_are_reached_by_keys(page: ConfigurePage, qtbot: QtBot) -> None:
    for n, first in enumerate((page.model.folder, page.album.sources.add_folder, page.parameters.search)):
        qtbot.keyClick(page, Qt.Key(Qt.Key.Key_1 + n), Qt.KeyboardModifier.AltModifier)
        qtbot.waitUntil(first.hasFocus, timeout=PATIENCE)


def test_everything_is_reached_by_the_tab_key(page: ConfigurePage, qtbot: QtBot) -> None:
    qtclick(page.row.buttons[0])
    seen: list[QWidget] = []
    while (now := page.focusWidget()) is not None and now not in seen:
        seen.append(now)
        qtbot.keyClick(now, Qt.Key.Key_Tab)
    wanted = (
        page.album.sources.add_folder,
        page.album.zones.place,
        page.parameters.search,
        page.pipeline.preview,
        page.preflight.name,
    )
    assert all(widget in seen for widget in wanted)
    assert all(row.editor in seen for row in page.parameters.groups["sft"].fields.values() if row.isVisible())


def test_a_file_that_is_dropped_on_a_field_is_for_its_card(page: ConfigurePage, base: Path, tmp_path: Path) -> None:
    assert drop(page.model.folder, files(base))
    assert page.draft.value("model.base") == str(base)
    assert drop(page.album.zones.place, files(tmp_path))
    assert page.draft.value("album.sources") == (str(tmp_path),)
    assert page.album.zones.place.text() == ""
    page.work.scan.cancel()


def test_settings_that_are_dropped_on_a_card_are_for_the_page(page: ConfigurePage, tmp_path: Path, qtbot: QtBot) -> None:
    (tmp_path / "run.toml").write_text("[grpo]\nbeta = 0.5\n", "utf-8")
    assert drop(page.model, files(tmp_path / "run.toml"))
    qtbot.waitUntil(lambda: page.draft.value("grpo.beta") == 0.5, timeout=PATIENCE)
    assert page.draft.value("model.base") == ""


def test_a_space_before_the_next_word_is_not_taken_away(page: ConfigurePage, qtbot: QtBot) -> None:
    name = page.preflight.name
    name.setFocus()
    qtbot.keyClicks(name, "Lisbon ")
    qtbot.waitUntil(lambda: page.draft.value("name") == "Lisbon", timeout=PATIENCE)
    qtbot.keyClicks(name, "trip")
    assert name.text() == "Lisbon trip"
    qtbot.keyClick(name, Qt.Key.Key_Return)
    assert page.draft.value("name") == "Lisbon trip"
    page.draft.undo()
    assert page.draft.value("name") == ""


def test_names_from_outside_are_shown_as_they_are(page: ConfigurePage, scans: type[StandInScan]) -> None:
    page.draft.set("album.sources", ("/photos/<b>&bold</b>\n\u202e.csv",))
    texts = [text for text in page.album.sources.findChildren(QLabel) if "bold" in text.accessibleName()]
    assert texts
    assert all(text.textFormat() is Qt.TextFormat.PlainText for text in texts)
    assert all("\n" not in text.text() and "\u202e" not in text.text() for text in texts)


def test_cards_are_reached_from_the_row_above(page: ConfigurePage, qtbot: QtBot) -> None:
    qtclick(page.row.buttons[3])
    assert page.pipeline.switches["sft"].hasFocus()
    qtclick(page.row.buttons[0])
    assert page.model.folder.hasFocus()


@pytest.mark.parametrize("dark", [True, False])
def test_it_is_usable_in_a_small_window(page: ConfigurePage, qtbot: QtBot, qapp: QApplication, dark: bool) -> None:
    look.apply(qapp, dark=dark)
    page.resize(898, 480)
    qtbot.waitUntil(lambda: page.width() < NARROW_PX and page.preflight.details.isVisible(), timeout=PATIENCE)
    assert page.minimumSizeHint().width() <= 898
    assert page.preflight.start.isVisible()
    qtbot.waitUntil(lambda: page.preflight.geometry().bottom() <= page.height(), timeout=PATIENCE)
    cards = page.cards[2].parentWidget()
    assert cards is not None
    qtbot.waitUntil(lambda: cards.visibleRegion().boundingRect().width() == cards.width() > 800, timeout=PATIENCE)
    qtclick(page.preflight.details)
    qtbot.waitUntil(lambda: page.preflight.list.visibleRegion().boundingRect().height() > 100, timeout=PATIENCE)
    assert cards.visibleRegion().boundingRect().height() > 100
    page.resize(1378, 760)
    qtbot.waitUntil(lambda: not page.preflight.details.isVisible(), timeout=PATIENCE)
    look.apply(qapp, dark=True)


def test_everything_that_can_be_pressed_has_a_name(page: ConfigurePage) -> None:
    for button in page.findChildren(QPushButton):
        if button.isVisible():
            assert button.accessibleName() or button.text().strip(), button


def test_only_the_preflight_of_the_latest_settings_is_shown(
    page: ConfigurePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    settled(page, qtbot)
    first, may_end = threading.Event(), threading.Event()
    check = run_check.run_preflight.check

    def checking(config: RunConfig, **known: object) -> object:
        if config.seed == 1:
            first.set()
            may_end.wait(30)
            return replace(check(config, **known), reasons=())  # type: ignore[arg-type]
        return check(config, **known)  # type: ignore[arg-type]

    monkeypatch.setattr(run_check.run_preflight, "check", checking)
    page.draft.set("seed", 1)
    qtbot.waitUntil(first.is_set, timeout=PATIENCE)
    page.draft.set("seed", 2)
    with qtbot.waitSignal(page.work.check.checked, timeout=PATIENCE):
        pass
    with qtbot.assertNotEmitted(page.work.check.checked):
        may_end.set()
        settled(page, qtbot)
    assert page.preflight.title.text() == "✕  Not ready"


def test_a_real_scan_of_a_table(page: ConfigurePage, tmp_path: Path, photos: Path, qtbot: QtBot) -> None:
    table = photos / "photos.csv"
    places = ((38.7, -9.1), (35.7, 139.7), (-1.3, 36.8), (43.7, -79.4), (59.9, 10.7), (-33.9, 151.2))
    lines = [f"photo {n}.jpg,{lat},{lon}" for n, (lat, lon) in enumerate(places)]
    table.write_text("\n".join(["file,lat,lon", *lines]), "utf-8")
    page.draft.set("album.blur_below", 0.0)
    page.album.sources.add([str(table)])
    qtbot.waitUntil(lambda: not page.work.scan.busy, timeout=4 * PATIENCE)
    seen = page.work.check.fitting_album
    assert seen is not None, page.album.said.text()
    assert seen.train + seen.held_out == 6
    assert (draft_file.scanned() / "album").is_dir()


def test_a_model_on_a_disk_that_does_not_answer_is_told(
    page: ConfigurePage, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_end = threading.Event()

    def waiting(folder: Path) -> object:
        may_end.wait(60)
        raise RunError("It is no model after all.")

    monkeypatch.setattr(background, "PATIENCE_S", 0.05)
    monkeypatch.setattr(run_check.base_model, "read", waiting)
    page.draft.set("model.base", "/net/models/a")
    qtbot.waitUntil(lambda: "does not answer" in plain(page.model.sentence.text()), timeout=PATIENCE)
    qtbot.waitUntil(lambda: "does not answer" in reasons(page), timeout=PATIENCE)
    may_end.set()
    qtbot.waitUntil(lambda: "no model after all" in plain(page.model.sentence.text()), timeout=PATIENCE)
