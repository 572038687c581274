"""The draft of a run: single settings, mistakes by setting, presets, undo, and what of it is kept on the disk."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytestqt.qtbot import QtBot

from georapp import run_toml
from georapp.errors import RunError
from georapp.gui.train.configure import draft_file, setting_list
from georapp.gui.train.configure.draft import OF_MEMORY, Draft
from georapp.gui.train.configure.draft_file import DraftFile
from georapp.gui.train.configure.setting_list import ELSEWHERE, SETTINGS, flat, nested, stepped, typed, written
from georapp.run_events import CONFIG
from georapp.run_presets import PRESETS
from georapp.run_settings import Grpo, RunConfig

PATIENCE = 30_000


@pytest.fixture
def draft() -> Draft:
    return Draft()


# ---- values and mistakes ----


def test_it_begins_with_a_preset_from_which_nothing_differs(draft: Draft) -> None:
    assert draft.config() == PRESETS[draft.preset].config
    assert draft.differences() == {}
    assert draft.error is None
    assert not draft.can_undo


def test_flat_and_nested_are_inverses() -> None:
    for preset in PRESETS.values():
        assert run_toml.from_values(nested(flat(preset.config))) == preset.config


def test_a_change_is_told_with_its_key_and_differs_from_the_preset(draft: Draft, qtbot: QtBot) -> None:
    with qtbot.waitSignal(draft.changed) as told:
        draft.set("grpo.beta", 0.1)
    assert told.args is not None
    assert "grpo.beta" in told.args[0]
    assert draft.differences() == {"grpo.beta": (0.1, 0.04)}
    config = draft.config()
    assert config is not None
    assert config.grpo.beta == 0.1


def test_the_same_value_again_is_no_change(draft: Draft, qtbot: QtBot) -> None:
    with qtbot.assertNotEmitted(draft.changed):
        draft.set("grpo.beta", 0.04)
    assert not draft.can_undo


def test_an_impossible_value_stays_and_says_why_at_its_setting(draft: Draft) -> None:
    draft.set("grpo.beta", "much")
    assert draft.value("grpo.beta") == "much"
    assert draft.config() is None
    assert "a number from 0 to 10" in str(draft.error_of("grpo.beta"))
    with pytest.raises(RunError, match="a number from 0 to 10"):
        draft.text()
    draft.set("grpo.beta", 0.2)
    assert draft.config() is not None
    assert not draft.errors


def test_two_mistakes_are_both_known(draft: Draft) -> None:
    draft.set("grpo.beta", -1.0)
    draft.set("model.lora_rank", 0)
    assert set(draft.errors) == {"grpo.beta", "model.lora_rank"}


def test_a_mistake_between_settings_stands_at_each_of_them(draft: Draft, qtbot: QtBot) -> None:
    with qtbot.waitSignal(draft.changed) as told:
        draft.set("grpo.generations", 7)
    assert {"grpo.generations", "grpo.batch", "grpo.accumulate"} <= set(draft.errors)
    assert told.args is not None
    assert "grpo.batch" in told.args[0]


def test_an_unknown_setting_is_a_mistake_of_the_program(draft: Draft) -> None:
    with pytest.raises(KeyError):
        draft.set("grpo.gamma", 1)


def test_true_is_not_one(draft: Draft) -> None:
    draft.set("grpo.iterations", True)
    assert draft.config() is None


# ---- presets ----


def test_a_preset_sets_what_depends_on_the_memory_and_nothing_else(draft: Draft) -> None:
    draft.set("model.base", "/models/a")
    draft.set("album.home_zones", ((48.0, 11.0, 2.0),))
    draft.set("grpo.beta", 0.1)
    draft.set("sft.batch", 2)
    draft.set_preset(8)
    assert draft.preset == 8
    assert {key: draft.value(key) for key in OF_MEMORY} == {key: flat(PRESETS[8].config)[key] for key in OF_MEMORY}
    assert draft.value("model.base") == "/models/a"
    assert set(draft.differences()) == {"album.home_zones", "grpo.beta"}
    draft.undo()
    assert (draft.preset, draft.value("sft.batch")) == (16, 2)


def test_a_gpu_suggests_a_preset_only_to_who_has_chosen_nothing(draft: Draft) -> None:
    draft.suggest_preset(48)
    assert draft.preset == 48
    assert not draft.can_undo
    draft.set("grpo.beta", 0.1)
    draft.suggest_preset(8)
    assert draft.preset == 48


def test_all_back_leaves_home_zones(draft: Draft) -> None:
    draft.set("album.home_zones", ((48.0, 11.0, 2.0),))
    draft.set("grpo.beta", 0.1)
    draft.set("seed", 7)
    draft.all_back()
    assert set(draft.differences()) == {"album.home_zones"}
    assert draft.value("seed") == 7


def test_an_own_curve_goes_back_as_a_whole(draft: Draft) -> None:
    draft.set_all({"grpo.curve": "own", "grpo.curve_points": ((0.0, 1.0), (100.0, 0.0)), "grpo.curve_steps": True})
    assert draft.config() is not None
    draft.back("grpo.curve")
    assert draft.config() == PRESETS[16].config


# ---- undo ----


def test_undo_and_redo_go_through_all_changes(draft: Draft) -> None:
    values = [0.1, 0.2, 0.3]
    for value in values:
        draft.set("grpo.beta", value)
    seen = []
    while draft.can_undo:
        draft.undo()
        seen.append(draft.value("grpo.beta"))
    assert seen == [0.2, 0.1, 0.04]
    while draft.can_redo:
        draft.redo()
    assert draft.value("grpo.beta") == 0.3


def test_what_is_typed_letter_by_letter_is_one_step(draft: Draft) -> None:
    for value in (1, 12, 128):
        draft.set("grpo.max_steps", value, typing=True)
    draft.undo()
    assert draft.value("grpo.max_steps") == 300
    draft.redo()
    draft.set("grpo.max_steps", 5, typing=True)
    draft.set("grpo.max_steps", 50)
    draft.undo()
    assert draft.value("grpo.max_steps") == 128
    draft.redo()
    draft.set("grpo.max_steps", 7, typing=True)
    draft.back("grpo.max_steps")
    draft.undo()
    assert draft.value("grpo.max_steps") == 7


def test_a_new_change_forgets_what_was_taken_back(draft: Draft) -> None:
    draft.set("grpo.beta", 0.1)
    draft.undo()
    draft.set("grpo.beta", 0.2)
    assert not draft.can_redo


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["grpo.beta", "grpo.batch", "model.method", "sft.epochs"]), st.sampled_from([1, 4, 0.5, "lora", "x"])
        ),
        max_size=12,
    )
)
def test_undoing_everything_is_where_it_began(changes: list[tuple[str, object]]) -> None:
    draft = Draft()
    before = {key: draft.value(key) for key in SETTINGS}
    for key, value in changes:
        draft.set(key, value)
    while draft.can_undo:
        draft.undo()
    assert {key: draft.value(key) for key in SETTINGS} == before
    assert draft.error is None


# ---- run.toml ----


def test_text_and_load_are_inverses(draft: Draft) -> None:
    draft.set_all({"grpo.beta": 0.1, "name": "Lisbon", "model.base": "/models/ä b"})
    text, config = draft.text(), draft.config()
    other = Draft()
    other.load(text)
    assert other.config() == config
    other.undo()
    assert other.config() == PRESETS[16].config


def test_a_text_that_is_no_run_toml_changes_nothing(draft: Draft) -> None:
    draft.set("grpo.beta", 0.1)
    with pytest.raises(RunError):
        draft.load("[grpo]\nbeta = 'x'")
    with pytest.raises(RunError):
        draft.load("this is a letter")
    assert draft.value("grpo.beta") == 0.1


def test_settings_of_another_run_choose_the_nearest_preset(draft: Draft) -> None:
    draft.use(replace(PRESETS[48].config, name="Porto"))
    assert draft.preset == 48
    draft.use(replace(PRESETS[8].config, grpo=replace(PRESETS[8].config.grpo, beta=0.3)))
    assert draft.preset == 8
    assert set(draft.differences()) == {"grpo.beta"}


# ---- the file ----


def kept() -> RunConfig | None:
    found = draft_file.read(draft_file.folder())
    return found[0] if found else None


def test_every_change_is_on_the_disk_soon_and_read_again(draft: Draft, qtbot: QtBot) -> None:
    file = DraftFile(draft)
    draft.set_preset(24)
    draft.set("grpo.beta", 0.1)
    qtbot.waitUntil(lambda: kept() == draft.config(), timeout=PATIENCE)
    other = Draft()
    again = DraftFile(other)
    with qtbot.waitSignal(again.opened, timeout=PATIENCE):
        again.open()
    assert other.config() == draft.config()
    assert other.preset == 24
    assert not other.can_undo
    assert file.folder == draft_file.folder()


def test_an_impossible_draft_leaves_the_last_possible_one(draft: Draft, qtbot: QtBot) -> None:
    file = DraftFile(draft)
    draft.set("grpo.beta", 0.1)
    qtbot.waitUntil(lambda: kept() is not None, timeout=PATIENCE)
    draft.set("grpo.beta", "x")
    draft.set("name", "Lisbon")
    draft.set("grpo.beta", 0.2)
    qtbot.waitUntil(lambda: (now := kept()) is not None and now.grpo == Grpo(batch=8, accumulate=8, beta=0.2), timeout=PATIENCE)
    assert file.folder.is_dir()


def test_without_a_draft_and_with_a_broken_one_it_opens_all_the_same(draft: Draft, qtbot: QtBot) -> None:
    file = DraftFile(draft)
    with qtbot.waitSignal(file.opened, timeout=PATIENCE):
        file.open()
    file.folder.mkdir(parents=True)
    (file.folder / CONFIG).write_text("not [toml", "utf-8")
    with qtbot.waitSignal(file.opened, timeout=PATIENCE):
        file.open()
    assert draft.config() == PRESETS[16].config


def test_a_draft_that_was_changed_before_the_file_was_read_stays(draft: Draft, qtbot: QtBot) -> None:
    draft_file.save(RunConfig(name="old"), draft_file.folder(), preset=8)
    file = DraftFile(draft)
    draft.set("name", "new")
    with qtbot.waitSignal(file.opened, timeout=PATIENCE):
        file.open()
    assert draft.value("name") == "new"


def test_what_is_not_wanted_any_more_when_its_turn_comes_is_not_written(tmp_path: Path) -> None:
    draft_file.save(RunConfig(name="new"), tmp_path)
    draft_file.save(RunConfig(name="old"), tmp_path, wanted=lambda: False)
    assert run_toml.read(tmp_path / CONFIG).name == "new"


def test_a_disk_that_takes_nothing_is_told(draft: Draft, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(draft_file.runs, "home", lambda: tmp_path / "file" / "runs")
    file = DraftFile(draft)
    with qtbot.waitSignal(file.failed, timeout=PATIENCE) as told:
        draft.set("grpo.beta", 0.1)
    assert told.args is not None
    assert "cannot be kept" in str(told.args[0])


# ---- the list of settings ----


def test_every_setting_has_its_place_on_the_page_and_words_of_its_own() -> None:
    assert set(SETTINGS) == set(flat(RunConfig()))
    assert set(setting_list.COMMON) <= set(SETTINGS) - ELSEWHERE
    assert set(SETTINGS) >= ELSEWHERE
    for setting in SETTINGS.values():
        assert setting.label
        assert setting.about
        assert setting.kind in ("bool", "int", "float", "text", "list")


def test_numbers_are_written_so_that_typing_them_gives_the_same() -> None:
    for key, value in flat(RunConfig()).items():
        if SETTINGS[key].kind in ("int", "float"):
            assert typed(SETTINGS[key], written(value)) == value


@pytest.mark.parametrize(
    ("key", "text", "value"),
    [
        ("grpo.learning_rate", " 5e-6 ", 5e-6),
        ("grpo.max_steps", "1,000", 1000),
        ("grpo.max_steps", "1.5", "1.5"),
        ("grpo.beta", "−1", -1.0),
        ("grpo.beta", "", ""),
        ("name", " a, b ", " a, b "),
    ],
)
def test_what_is_typed(key: str, text: str, value: object) -> None:
    assert typed(SETTINGS[key], text) == value


@pytest.mark.parametrize(
    ("key", "value", "up", "then"),
    [
        ("grpo.learning_rate", 5e-6, True, 6e-6),
        ("grpo.learning_rate", 1e-6, False, 9e-7),
        ("grpo.temperature", 1.0, False, 0.9),
        ("grpo.generations", 8, True, 9),
        ("grpo.beta", 0.0, True, 0.01),
        ("grpo.beta", "x", True, "x"),
    ],
)
def test_a_step_up_or_down_is_one_of_the_first_figure(key: str, value: object, up: bool, then: object) -> None:
    assert stepped(SETTINGS[key], value, up) == then
