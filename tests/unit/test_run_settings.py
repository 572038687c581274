"""run.toml survives its file, and what cannot be is said in one sentence."""

from __future__ import annotations

import dataclasses
import tomllib
import typing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp import run_settings as settings
from georapp import run_toml
from georapp.errors import RunError
from georapp.prompt import PROFILES
from georapp.reward_curves import GEO_R_PAPER, Knots
from georapp.run_presets import PRESETS, differences, preset_for
from georapp.run_settings import Album, Export, Grpo, Model, RunConfig
from georapp.run_toml import read, write


def written(section: str, line: str) -> str:
    return f"{line}\n" if not section else f"[{section}]\n{line}\n"


# ---- there and back ----


def test_the_defaults_survive_their_file() -> None:
    assert run_toml.parse(run_toml.text_of(RunConfig())) == RunConfig()
    assert run_toml.parse("") == RunConfig()


@given(
    name=st.text(st.characters(exclude_categories=["Cs"])),
    sources=st.lists(st.text(st.characters(exclude_categories=["Cs"])), max_size=3),
    rate=st.floats(1e-9, 1),
    beta=st.floats(0, 10) | st.integers(0, 10),
    seed=st.integers(0, 2**31 - 1),
    points=st.lists(st.floats(1, 20000), unique=True, min_size=1, max_size=4),
)
def test_what_is_written_is_read_to_the_last_bit(
    name: str, sources: list[str], rate: float, beta: float, seed: int, points: list[float]
) -> None:
    curve = ((0, 1.0), *((km, 0.5) for km in sorted(points)))
    config = RunConfig(
        name=name,
        seed=seed,
        album=Album(sources=tuple(sources), home_zones=((-48.1, 11.5, 2),)),
        grpo=Grpo(beta=beta, learning_rate=rate, curve="own", curve_points=curve, curve_steps=True),
    )
    assert run_toml.parse(run_toml.text_of(config)) == config


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "run.toml"
    write(RunConfig(name="Lisbon"), path)
    assert read(path).name == "Lisbon"
    with pytest.raises(RunError, match="characters"):
        write(RunConfig(name="\udc80"), path)
    assert read(path).name == "Lisbon"
    assert [file.name for file in tmp_path.iterdir()] == ["run.toml"]


def test_a_file_says_what_its_settings_mean() -> None:
    text = run_toml.text_of(RunConfig())
    assert 'loss = "grpo"  # how tokens are averaged' in text
    assert all(f"{f.name} = " in text for section in every_section() for f in settings.settings_of(section))


def every_section() -> list[Any]:
    return [RunConfig(), *settings.sections_of(RunConfig())]


# ---- the defaults are the method's ----


def test_defaults_of_the_method() -> None:
    grpo = RunConfig().grpo
    assert (grpo.beta, grpo.loss, grpo.scale, grpo.temperature, grpo.epsilon) == (0.04, "grpo", "group", 1.0, 0.2)
    assert 4 <= grpo.generations <= 8
    assert (grpo.names_weight, grpo.agreement_weight, grpo.clues_weight) == (0, 0, 0)
    assert grpo.reward_curve() == GEO_R_PAPER
    assert grpo.require_levels == ("country", "province", "city")
    sft = RunConfig().sft
    assert sft.batch * sft.accumulate == 64


def test_profiles_can_be_read_strictly() -> None:
    choices = next(f for f in settings.settings_of(Model()) if f.name == "profile").metadata["choices"]
    assert all(PROFILES[name].chain_format for name in choices)


def test_every_setting_says_what_it_is() -> None:
    for section in every_section():
        for f in settings.settings_of(section):
            assert f.metadata["about"], f.name
            assert not f.metadata["about"].endswith(".")


# ---- what cannot be ----


@pytest.mark.parametrize(
    ("section", "line", "why", "hint"),
    [
        ("", "seed = -1", "seed cannot be -1: it is a whole number from 0", "drawn"),
        ("", 'seed = "x"', 'seed cannot be "x": it is a whole number', "default is 0"),
        ("", "seed = true", "seed cannot be true: it is a whole number", ""),
        ("", "seed = 1.5", "seed cannot be 1.5", ""),
        ("", f"seed = {10**400}", "seed cannot be 1000", ""),
        ("", "colour = 1", "unknown setting, colour", "Allowed here: version, name, seed"),
        ("", "grpo = 1", "grpo cannot be 1: it is a section", r"\[grpo\]"),
        ("", "version = 2", "newer version", "Update"),
        ("", 'version = "2"', "version cannot be", ""),
        ("", "keep_checkpoints = 1", "keep_checkpoints cannot be 1: it is a whole number from 2 to 1000", "best"),
        ("grpo", "bета = 1", "cannot be read as TOML", "Correct that line"),
        ("grpo", "betta = 0.04", "unknown setting, grpo.betta", "Did you mean beta?"),
        ("grpo", "beta = nan", "grpo.beta cannot be nan: it is a number from 0 to 10", "default is 0.04"),
        ("grpo", "beta = inf", "grpo.beta cannot be inf", ""),
        ("grpo", "beta = false", "grpo.beta cannot be false", ""),
        ("grpo", "beta = 2026-11-21", "grpo.beta cannot be a date", ""),
        ("grpo", "beta = {a = 1}", "grpo.beta cannot be a section", ""),
        ("grpo", 'loss = "sapo"', 'grpo.loss cannot be "sapo": it is one of grpo, dapo, bnpo, dr_grpo', "by answer"),
        ("grpo", "generations = 1", "grpo.generations cannot be 1: it is a whole number from 2 to 256", "4 to 8"),
        ("grpo", "generations = 7", "64, which is no multiple of grpo.generations, 7", "70"),
        ("grpo", "temperature = 0", "grpo.temperature cannot be 0", ""),
        ("grpo", 'curve = "own"', "curve_points belong to", "both, or neither"),
        ("grpo", "curve_points = [[0, 1], [10, 0]]", "curve_points belong to", ""),
        ("grpo", 'curve = "own"\ncurve_points = [[0, 0.1], [10, 1]]', "never rise with distance", "750"),
        ("grpo", 'curve = "own"\ncurve_points = [[0, 1], [10]]', "two points", ""),
        ("grpo", 'curve = "own"\ncurve_points = [[0, 1], 10]', "grpo.curve_points cannot be", "own curve"),
        ("grpo", 'curve = "paper"', 'grpo.curve cannot be "paper": it is one of geo-r, geo-r-code', ""),
        ("grpo", 'require_levels = ["state"]', "each entry one of continent, country, province, city", ""),
        ("grpo", 'require_levels = ["city", "city"]', "twice", ""),
        ("grpo", 'require_levels = ["continent"]\n[model]\nprofile = "geo-r"', "never writes", "georapp"),
        ("grpo", 'require_levels = "city"', "a list", ""),
        ("model", "max_pixels = 1000\nmin_pixels = 2000", "min_pixels is larger", ""),
        ("album", "home_zones = [[48.1, 11.5]]", r"no \[lat, lon, km\]", "48.1"),
        ("album", "home_zones = [[148.1, 11.5, 1]]", r"no \[lat, lon, km\]", ""),
        ("album", "sources = [1]", "a list, and each entry a text", ""),
        ("sft", "learning_rate = 5", "sft.learning_rate cannot be 5", "1e-4 for LoRA"),
        ("export", 'kinds = ["q2"]', "each entry one of f32, f16, q8_0, q4_1", ""),
        ("guards", "window = 0", "guards.window cannot be 0: it is a whole number from 2 to 1000", ""),
        ("painting", "x = 1", "unknown setting, painting", "model"),
    ],
)
def test_one_sentence_names_the_key_and_what_is_allowed(section: str, line: str, why: str, hint: str) -> None:
    with pytest.raises(RunError, match=why) as caught:
        run_toml.parse(written(section, line))
    assert str(caught.value).endswith(".")
    assert len(str(caught.value)) < 300
    if hint:
        assert hint.replace("\\", "") in caught.value.hint


def test_what_is_impossible_cannot_be_made_in_a_window_either() -> None:
    with pytest.raises(RunError, match=r"grpo\.beta"):
        replace(RunConfig(), grpo=Grpo(beta=-1))
    with pytest.raises(RunError, match=r"model\.lora_rank"):
        RunConfig(model=Model(lora_rank=typing.cast(int, "16")))


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_with_a_sentence(text: str) -> None:
    try:
        run_toml.parse(text)
    except RunError as error:
        assert str(error).endswith(".")


@given(
    section=st.sampled_from(["model", "album", "sft", "hard", "grpo", "export", "guards"]),
    data=st.data(),
    value=st.recursive(
        st.booleans() | st.integers(-5, 500) | st.floats() | st.text("ab\n", max_size=3), lambda c: st.lists(c, max_size=2)
    ),
)
def test_any_value_is_taken_or_refused_with_a_sentence(section: str, data: st.DataObject, value: object) -> None:
    kind = getattr(RunConfig(), section)
    name = data.draw(st.sampled_from([f.name for f in dataclasses.fields(kind)]))
    text = f"[{section}]\n{name} = {settings.written(value)}\n"
    assert tomllib.loads(text)
    try:
        config = run_toml.parse(text)
    except RunError as error:
        assert str(error).endswith(".")
    else:
        assert run_toml.parse(run_toml.text_of(config)) == config


@pytest.mark.parametrize("content", [b"\xff\xfe", None], ids=["bytes", "missing"])
def test_a_file_that_is_no_text(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "run.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(RunError, match=r"run\.toml"):
        read(path)


@pytest.mark.parametrize("name", ["gone", "file"])
def test_a_folder_that_is_none(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(RunError, match="cannot be written"):
        write(RunConfig(), tmp_path / name / "run.toml")


# ---- presets ----


@pytest.mark.parametrize("size", [8, 12, 16, 24, 48])
def test_presets(size: int) -> None:
    config = PRESETS[size].config
    assert config.sft.batch * config.sft.accumulate == config.grpo.batch * config.grpo.accumulate == 64
    assert differences(config, config) == {}
    assert run_toml.parse(run_toml.text_of(config)) == config


@pytest.mark.parametrize(
    ("memory", "size"), [(0, 8), (7.8, 8), (11.6, 12), (15.0, 16), (23.6, 24), (39.5, 24), (44.5, 48), (139, 48)]
)
def test_the_preset_of_a_card(memory: float, size: int) -> None:
    assert preset_for(memory) == size


def test_differences_from_a_preset() -> None:
    preset = PRESETS[12].config
    changed = replace(
        preset,
        name="Lisbon",
        seed=7,
        grpo=replace(preset.grpo, beta=0.0, generations=4),
        export=Export(name="lisbon", enabled=False),
    )
    assert differences(changed, preset) == {
        "grpo.beta": (0.0, 0.04),
        "grpo.generations": (4, 8),
        "export.enabled": (False, True),
    }


def test_an_own_curve_is_scored_by() -> None:
    config = run_toml.parse('[grpo]\ncurve = "own"\ncurve_points = [[0, 1], [100, 0]]\n')
    assert config.grpo.reward_curve() == Knots(((0, 1), (100, 0)))
    assert config.grpo.reward_curve()(50) == 0.5
