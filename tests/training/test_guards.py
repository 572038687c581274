"""Guards on made-up histories, among them the courses of runs that were measured."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from georapp.run_events import EVENTS, Alert, Stage, Step, from_line, to_line
from georapp.run_settings import Guards as Limits
from georapp.run_settings import RunConfig
from training.guards import Guards
from training.report import EventWriter, unsettled


def step(number: int, **values: float | None) -> Step:
    values = {"clipped": 0.0, "silent": 0.0, "kl": 0.01, "entropy": 0.35, "loss": 0.01, "grad_norm": 1.0, "reward": 0.6} | values
    names = {"clipped": "completions/clipped_ratio", "silent": "frac_reward_zero_std"}
    return Step.of("grpo", number, 1000, {names.get(name, name): value for name, value in values.items()})


def watched(steps: Sequence[Step], limits: Limits | None = None) -> list[Alert]:
    guards = Guards(limits)
    return [alert for one in steps for alert in guards.see(one)]


def course(points: dict[int, float], length: int) -> list[float]:
    """Values for steps 1 to `length`, in straight lines through a few measured ones."""
    return [float(np.interp(n, list(points), list(points.values()))) for n in range(1, length + 1)]


# ---- measured courses ----


def test_a_healthy_run_passes() -> None:
    """100 steps of GRPO on a small model: entropy about 0.35, KL under 0.03, a few groups without spread."""
    noise = np.random.default_rng(0)
    steps = [
        step(n, entropy=0.35 + 0.03 * noise.normal(), kl=0.0003 * n, silent=0.1 * noise.random(), reward=0.6 + 0.0005 * n)
        for n in range(1, 101)
    ]
    assert watched(steps) == []


def test_a_run_with_the_largest_healthy_kl_passes() -> None:
    assert watched([step(n, kl=0.2) for n in range(1, 200)]) == []


def test_drift_is_noticed_although_the_entropy_rises() -> None:
    """A learning rate eight times too large: KL 0.13 at step 10, 0.48 at 25, 2.0 at 55, the entropy rising."""
    kl, entropy = course({1: 0.0, 10: 0.13, 25: 0.48, 55: 2.0}, 60), course({1: 0.35, 60: 0.9}, 60)
    (alert,) = watched([step(n, kl=k, entropy=e) for n, (k, e) in enumerate(zip(kl, entropy, strict=True), 1)])
    assert (alert.guard, alert.action) == ("drift", "stop")
    assert 25 < alert.step < 35
    assert "drifted away" in alert.reason
    assert "learning_rate" in alert.hint


def test_collapse_is_noticed_when_the_entropy_falls_to_a_fifth() -> None:
    """A published one: entropy from 0.13 to 0.025 without a KL term, 44 % of the groups alike at the end."""
    entropy, silent = course({1: 0.13, 10: 0.13, 100: 0.025}, 150), course({1: 0.0, 100: 0.44}, 150)
    alerts = watched([step(n, entropy=e, silent=s) for n, (e, s) in enumerate(zip(entropy, silent, strict=True), 1)])
    assert [(alert.guard, alert.action) for alert in alerts] == [("collapse", "stop"), ("no signal", "none")]
    assert "from 0.13 to 0.0" in alerts[0].reason


# ---- one by one ----


@pytest.mark.parametrize("length", [5, 19])
def test_a_beginning_is_too_short_for_a_collapse(length: int) -> None:
    assert watched([step(n, entropy=0.5 / n**3) for n in range(1, length + 1)]) == []


@pytest.mark.parametrize(("low", "expected"), [(0.31, []), (0.29, ["collapse"])])
def test_collapse_is_a_share_of_the_beginning(low: float, expected: list[str]) -> None:
    steps = [step(n, entropy=1.0) for n in range(1, 11)] + [step(n, entropy=low) for n in range(11, 40)]
    assert [alert.guard for alert in watched(steps)] == expected


@pytest.mark.parametrize("name", ["loss", "grad_norm", "reward", "kl", "entropy"])
@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_none_pauses_the_run(name: str, value: float) -> None:
    (alert,) = watched([step(1), step(2, **{name: value}), step(3, **{name: value})])
    assert (alert.guard, alert.action, alert.step) == ("nan", "pause", 2)
    assert f"At step 2 {name} is no number" in alert.reason


def test_several_at_once_are_one_alert() -> None:
    (alert,) = watched([step(7, loss=math.nan, grad_norm=math.nan)])
    assert "loss and grad_norm are no number" in alert.reason


def test_what_may_be_none_is_no_alarm() -> None:
    assert watched([step(n, **{"rewards/km/std": math.nan, "rewards/km/mean": None}) for n in range(1, 30)]) == []


def test_a_value_that_is_missing_for_a_while_is_left_out() -> None:
    steps = [step(n, kl=None if n % 2 else 0.6, entropy=None) for n in range(1, 30)]
    assert [(alert.guard, alert.step) for alert in watched(steps)] == [("drift", 20)]


def test_sft_logs_no_kl_and_is_watched_all_the_same() -> None:
    steps = [Step.of("sft", n, 100, {"loss": math.nan if n == 50 else 2 / n}) for n in range(1, 100)]
    assert [(alert.guard, alert.step) for alert in watched(steps)] == [("nan", 50)]


def test_a_jump_over_the_ceiling() -> None:
    (alert,) = watched([*(step(n) for n in range(1, 5)), step(5, kl=12.0), step(6, kl=13.0)], Limits(drift_above=100))
    assert (alert.guard, alert.action, alert.step) == ("kl", "stop", 5)


def test_groups_without_spread_are_reported_and_training_goes_on() -> None:
    (alert,) = watched([step(n, silent=0.5) for n in range(1, 26)])
    assert (alert.guard, alert.action, alert.step) == ("no signal", "none", 10)
    assert "In 50% of the groups" in alert.reason


def test_answers_that_are_cut_off() -> None:
    (alert,) = watched([step(n, clipped=0.6) for n in range(1, 26)])
    assert (alert.guard, alert.action) == ("clipped", "none")
    assert "max_answer_tokens" in alert.hint


def test_an_alert_comes_again_only_after_it_was_well() -> None:
    steps = [step(n, silent=0.9 if n <= 15 or n > 40 else 0.0) for n in range(1, 80)]
    assert [(alert.step, alert.over) for alert in watched(steps)] == [(10, False), (30, True), (45, False)]


def test_a_disk_that_fills_up() -> None:
    guards = Guards()
    assert guards.see_disk(50e9) == ()
    (alert,) = guards.see_disk(4.2e9, step=7)
    assert (alert.guard, alert.action, alert.step) == ("disk", "pause", 7)
    assert "Only 4.2 GB are free" in alert.reason
    assert guards.see_disk(4.1e9) == ()
    assert guards.see_disk(5.1e9) == ()  # hardly better
    (over,) = guards.see_disk(50e9, step=9)
    assert (over.guard, over.over, over.action, over.step) == ("disk", True, "none", 9)
    assert "has room again: 50.0 GB" in over.reason
    assert guards.see_disk(50e9) == ()
    assert guards.see_disk(4e9)


# ---- when it is over ----


@pytest.mark.parametrize(
    ("guard", "wrong", "words"),
    [
        ("collapse", {"entropy": 0.05}, "The entropy is well again, 0.35"),
        ("drift", {"kl": 0.9}, "its KL was 0.01 in the last steps"),
        ("kl", {"kl": 11.0}, "under its ceiling of 10 for 10 steps"),
        ("no signal", {"silent": 0.9}, "in 0% of them all answers earned the same"),
        ("clipped", {"clipped": 0.9}, "0% were cut off"),
    ],
)
def test_that_something_is_over_is_said_once(guard: str, wrong: dict[str, float], words: str) -> None:
    steps = [step(n, **(wrong if 20 < n <= 40 else {})) for n in range(1, 100)]
    alert, over = (alert for alert in watched(steps, Limits(act=False)) if alert.guard == guard)
    assert (alert.over, over.over, over.action) == (False, True, "none")
    assert 20 < alert.step <= 40 < over.step <= 60
    assert words in over.reason
    assert from_line(to_line(over)) == over


def test_no_number_is_never_over() -> None:
    (alert,) = watched([step(n, loss=math.nan if n == 5 else 0.1) for n in range(1, 60)])
    assert not alert.over


def test_a_value_that_goes_up_and_down_around_its_threshold_is_said_once() -> None:
    (alert,) = watched([step(n, kl=0.9 if n % 15 < 9 else 0.0) for n in range(1, 200)], Limits(act=False))
    assert alert.guard == "drift"


def test_what_an_older_program_has_written_is_not_over() -> None:
    line = b'{"kind": "alert", "guard": "kl", "reason": "The KL jumped.", "hint": "", "action": "stop", "step": 3, "at": 1.0}'
    assert from_line(line) == Alert("kl", "The KL jumped.", "", "stop", 3, at=1.0)


def test_guards_that_only_warn() -> None:
    alerts = watched([step(n, kl=1.0) for n in range(1, 30)], Limits(act=False))
    assert [(alert.guard, alert.action) for alert in alerts] == [("drift", "none")]


def test_thresholds_are_settings() -> None:
    assert (
        watched(
            [step(n, kl=1.0, silent=0.9, clipped=0.9) for n in range(1, 30)],
            Limits(drift_above=2, no_signal_above=1, clipped_above=1),
        )
        == []
    )
    alerts = watched([step(n, silent=0.5) for n in range(1, 30)], Limits(window=3))
    assert [alert.step for alert in alerts] == [3]


# ---- resume ----


def test_a_resumed_run_is_compared_with_its_own_beginning() -> None:
    steps = [step(n, entropy=1.0 if n <= 10 else 0.5 if n <= 30 else 0.2) for n in range(1, 60)]
    whole = watched(steps)
    guards = Guards()
    guards.replay(steps[:30])
    assert [alert for one in steps[30:] for alert in guards.see(one)] == whole
    assert [alert.guard for alert in whole] == ["collapse"]


@pytest.mark.parametrize(("silent", "expected"), [(0.9, [(31, False)]), (0.0, [(40, True)])])
def test_after_a_resume_an_alert_is_said_again_or_said_to_be_over(silent: float, expected: list[tuple[int, bool]]) -> None:
    steps = [step(n, silent=0.9 if n <= 20 else silent) for n in range(1, 60)]
    guards = Guards()
    guards.replay(steps[:30], unsettled={"no signal"})
    assert [(alert.step, alert.over) for one in steps[30:] for alert in guards.see(one)] == expected


def test_guards_may_get_a_longer_window_before_a_resume() -> None:
    guards = Guards(Limits(window=50))
    guards.replay(
        [step(n) for n in range(1, 5)], unsettled={"drift", "collapse", "no signal", "clipped", "kl", "disk", "a later one"}
    )
    alerts = [alert for n in range(5, 120) for alert in guards.see(step(n))]
    assert {alert.guard for alert in alerts if alert.over} == {"drift", "collapse", "no signal", "clipped", "kl"}


def test_what_was_said_and_is_not_over_stands_in_the_file(tmp_path: Path) -> None:
    def alert(guard: str, number: int, over: bool = False) -> Alert:
        return Alert(guard, "Something.", "", step=number, over=over)

    with EventWriter(tmp_path) as events:
        for event in (
            Stage("sft", "began"), alert("disk", 2), Stage("grpo", "began"), alert("kl", 3), alert("disk", 4), alert("disk", 9, over=True),
            alert("clipped", 9), Stage("grpo", "resumed", 8), alert("kl", 12, over=True), alert("no signal", 14),
        ):  # fmt: skip
            events.write(event)
    with (tmp_path / EVENTS).open("ab") as out:
        out.write(b'{"kind": "alert", "guard": "torn')

    assert unsettled(tmp_path, "grpo", 13) == {"disk"}  # what step 9 said was taken back
    assert unsettled(tmp_path, "grpo", 14) == {"disk", "no signal"}
    assert unsettled(tmp_path, "grpo", 8) == {"kl", "disk"}
    assert unsettled(tmp_path, "sft", 9) == {"disk"}
    assert unsettled(tmp_path, "hard", 9) == set()


# ---- words ----


def test_steps_from_the_file_tell_the_same() -> None:
    steps = [step(n, loss=math.nan if n == 12 else 0.1, silent=0.5) for n in range(1, 30)]
    read = [event for one in steps if isinstance(event := from_line(to_line(one)), Step)]
    assert watched(read) == watched(steps)


def test_alerts_are_sentences() -> None:
    steps = [step(n, kl=20.0, silent=1.0, clipped=1.0, entropy=1.0 / n**2, loss=math.nan) for n in range(1, 40)]
    alerts = [*watched(steps), *Guards().see_disk(0)]
    assert {alert.guard for alert in alerts} == {"nan", "collapse", "drift", "kl", "no signal", "clipped", "disk"}
    for alert in alerts:
        assert alert.reason.endswith(".")
        assert alert.hint.endswith(".")
        assert from_line(to_line(alert)) == alert


def test_every_alert_says_what_to_do_with_settings_that_exist() -> None:
    steps = [step(n, kl=20.0, silent=1.0, clipped=1.0, entropy=1.0 / n**2, loss=math.nan) for n in range(1, 40)]
    names = {
        alert.guard: set(re.findall(r"\b[a-z]+\.[a-z_]{3,}\b", alert.hint)) for alert in [*watched(steps), *Guards().see_disk(0)]
    }
    assert {guard for guard, found in names.items() if not found} == {"disk"}  # where room has to be made
    for section, _, setting in (name.partition(".") for found in names.values() for name in found):
        assert hasattr(getattr(RunConfig(), section), setting)
