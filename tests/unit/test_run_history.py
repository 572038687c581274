"""A run as it stands: columns, resumes, alerts, answers by offset; and what charts make of columns."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp import run_events
from georapp.gui.train import chart_plan, curves, figures, run_words
from georapp.run_events import EVENTS, Alert, Probe, RunEvent, Sample, Stage, Step, steps_of, to_line
from georapp.run_history import ANSWERS, STEP, History
from georapp.run_reader import Answers, RunReader, answers_at

NUMBERS = st.integers(0, 12)
STEPS = st.builds(lambda n, x: Step("sft", n, 12, {"loss": x}), NUMBERS, st.floats(0, 9))
STARTS = st.builds(lambda n: Stage("sft", "resumed", n), NUMBERS)


def step(number: int, **values: float | None) -> Step:
    return Step.of("sft", number, 100, {"loss": 1.0} | values)


def history_of(*events: RunEvent) -> History:
    history = History()
    history.take(events)
    return history


def sample(number: int, km: float | None, text: str = "x", group: int = 0) -> Sample:
    return Sample("grpo", number, "photo.jpg", text, 1.0, 2.0, km, 0.5, 0.1, group, 1.0, 2.0, {"r_format": 1.0})


def written(folder: Path, *events: RunEvent) -> Path:
    folder.mkdir(exist_ok=True)
    with (folder / EVENTS).open("ab") as out:
        out.writelines(to_line(event) for event in events)
    return folder


# ---- history ----


@given(st.lists(st.one_of(STEPS, STARTS), max_size=30))
def test_a_table_holds_what_the_rule_of_resumed_stages_says(events: list[RunEvent]) -> None:
    expected = steps_of(events, "sft")
    steps, values = history_of(*events).table("sft", STEP).column("loss")
    assert steps.tolist() == sorted(expected)
    assert values.tolist() == [expected[n].values["loss"] for n in sorted(expected)]


def test_a_value_that_comes_later_or_goes_missing_leaves_gaps() -> None:
    table = history_of(step(1), step(2, kl=0.5), step(3), step(4, kl=math.nan)).table("sft", STEP)
    assert np.isnan(table.column("kl")[1]).tolist() == [True, False, True, True]
    assert table.odd["kl"] == [4]
    assert table.last("kl") == 0.5


def test_a_resume_forgets_what_came_after_it() -> None:
    events = [Stage("grpo", "began"), sample(1, 5.0), sample(2, 5.0), Alert("kl", "It jumped.", "", step=2)]
    history = history_of(*(e for e in events if not isinstance(e, Sample)), Probe("grpo", 2, 9, {"reward": 1.0}))
    history.take([Answers("grpo", n, 0, 100 * n, (5.0,)) for n in (1, 2)])
    history.take([Stage("grpo", "resumed", 1)])
    assert [place.step for place in history.places["grpo"]] == [1]
    assert not history.alerts
    assert not len(history.table("grpo", "probe"))


def test_a_stage_that_is_skipped_because_it_is_done_stays_done() -> None:
    history = history_of(
        Stage("sft", "began"), step(3), Stage("sft", "done", 3, 3), Stage("sft", "skipped"), Stage("hard", "skipped")
    )
    assert (history.stages["sft"].state, history.stages["hard"].state) == ("done", "skipped")
    assert run_words.stage_sign(history.stages["sft"], "sft", None)[1] == "done"


def test_the_time_that_is_left_goes_by_the_usual_step() -> None:
    steps = [Step("sft", n, 100, {}, (), at=2.0 * n + (1000 if n > 5 else 0)) for n in range(1, 11)]  # a pause after the fifth
    assert history_of(Stage("sft", "began"), *steps).seconds_left("sft") == pytest.approx(180)
    assert history_of(*steps[:2]).seconds_left("sft") is None


def test_distances_of_a_group_leave_out_what_names_no_place_and_shares_do_not() -> None:
    history = History()
    history.take([Answers("grpo", 1, 0, 0, (10.0, 300.0, None, 20.0))])
    table = history.table("grpo", ANSWERS)
    assert [table.last(f"p{p}_km") for p in (10, 50, 90)] == [10.0, 20.0, 300.0]
    assert table.last("within_25_km") == 0.5


# ---- reader ----


def test_answers_are_found_again_by_their_offset(tmp_path: Path) -> None:
    folder = written(
        tmp_path / "run", step(1), sample(1, 5.0, "first"), sample(1, None, 'a "distance_km": 7, b'), step(2), sample(2, 9.0)
    )
    written(folder, step(3))
    places = [seen for seen in RunReader(folder).read().seen if isinstance(seen, Answers)]
    assert [(place.step, place.distances) for place in places] == [(1, (5.0, None)), (2, (9.0,))]
    assert [found.text for found in answers_at(folder, places[0])] == ["first", 'a "distance_km": 7, b']
    assert [found.distance_km for found in answers_at(folder, places[1])] == [9.0]


@pytest.mark.parametrize(
    "line",
    [b'{"kind": "step"', b'{"kind": "step", "stage": 1, "step": 2, "total": 3, "values": {}, "at": 1.0}', b"[]", b"\xff\xfe", b"",
     b'{"kind": "step", "stage": "a", "step": 9999999999999999999999, "total": 3, "values": {}, "at": 1.0}',
     b'{"kind": "step", "stage": "a", "step": 1, "total": 3, "values": {"x": true}, "at": 1.0}',
     b'{"kind": "later", "x": 1}'],
)  # fmt: skip
def test_lines_that_cannot_be_read_are_passed_over(tmp_path: Path, line: bytes) -> None:
    folder = written(tmp_path / "run", step(1))
    with (folder / EVENTS).open("ab") as out:
        out.write(line + b"\n")
    written(folder, step(2))
    history = History()
    history.take(RunReader(folder).read().seen)
    assert history.table("sft", STEP).steps.tolist() == [1, 2]


def test_a_line_is_read_as_the_rule_of_messages_says(tmp_path: Path) -> None:
    events = [step(1, kl=None, whole=3.0), step(2, loss=math.nan), Stage("sft", "done", 2, 2), run_events.Finished()]
    folder = written(tmp_path / "run", *events)
    lines = (folder / EVENTS).read_bytes().splitlines()
    assert list(RunReader(folder).read().seen) == [run_events.from_line(line) for line in lines]


# ---- charts ----


@given(st.lists(st.one_of(st.floats(-1e6, 1e6), st.just(math.nan)), min_size=1, max_size=3000), st.integers(1, 200))
def test_thinning_out_keeps_the_smallest_and_the_largest(values: list[float], pixels: int) -> None:
    y = np.array(values)
    thin_x, thin_y = curves.decimated(np.arange(float(len(y))), y, pixels)
    assert len(thin_x) <= max(2 * pixels, 3 * pixels)
    assert np.isnan(y).any() == np.isnan(thin_y).any()
    if np.isfinite(y).any():
        assert (np.nanmin(thin_y), np.nanmax(thin_y)) == (np.nanmin(y), np.nanmax(y))


def test_smoothing_is_the_mean_of_the_last_values_and_keeps_gaps() -> None:
    smooth = curves.smoothed(np.array([1.0, 3.0, np.nan, 5.0, 7.0]), 2)
    assert smooth[[0, 1, 3, 4]].tolist() == [1.0, 2.0, 5.0, 6.0]
    assert np.isnan(smooth[2])


def test_only_parts_of_the_reward_and_logged_values_are_planned() -> None:
    values = dict.fromkeys(
        ("rewards/r_distance/mean", "rewards/r_distance/std", "rewards/km/mean", "rewards/mine/mean", "kl"), 0.5
    )
    history = history_of(Step("grpo", 1, 2, values | {"entropy": None}))
    titles = [plan.title for plan in chart_plan.planned(history, "grpo")]
    assert titles == ["Distance part", "Part mine", "Mean distance of all answers", "KL to the model before"]


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [(0.7142, "", "0.714"), (212.4, "km", "212 km"), (17020, "km", "17,020 km"), (48.3, "%", "48 %"), (0.25, "%", "0.2 %"), (0, "", "0"),
     (3.2e-5, "", "3.2 × 10⁻⁵"), (-1.5, "", "−1.5"), (2.5e9, "", "2.5 × 10⁹")],
)  # fmt: skip
def test_numbers_are_written_as_people_read_them(value: float, unit: str, text: str) -> None:
    assert figures.with_unit(value, unit) == text
