"""Messages of a run survive their line, numbers that are none become gaps, and a heartbeat tells one process from another."""

from __future__ import annotations

import json
import math
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp import run_events
from georapp.run_events import (
    Album,
    Alert,
    Began,
    CheckpointSaved,
    Failed,
    Finished,
    Heartbeat,
    ModelMade,
    Paused,
    Probe,
    RunEvent,
    Sample,
    Stage,
    Step,
    Stopped,
    Unpaused,
    from_line,
    steps_of,
    to_line,
)

EVERY: list[RunEvent] = [
    Began(1234, "host boot", "0.1.0", "ab", 1.5),
    Stage("grpo", "resumed", 30, 100, 2.0),
    Album(100, 90, 7, ("10 have no place.",)),
    Step("grpo", 31, 100, {"reward": 0.5, "rewards/km/mean": None}),
    Sample("grpo", 31, "a\udc80\u2028.jpg", "Country: Japan\n(1, 2)", 1.0, 2.0, 3.5, 0.9, -0.5, 1, 1.1, 2.2, {"r_format": 1.0}),
    Probe("grpo", 50, 200, {"median_km": 120.0}),
    Alert("entropy", "It fell.", "Stop.", "stop", 40),
    CheckpointSaved("grpo", 50, "grpo/checkpoint-50"),
    ModelMade("model"),
    Paused("The disk is nearly full."),
    Unpaused(),
    Stopped("grpo", 52),
    Failed("It broke.", "Mend it."),
    Finished(),
]
numbers = st.none() | st.floats() | st.integers(-1000, 1000)


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_a_message_survives_its_line(event: RunEvent) -> None:
    line = to_line(event)
    assert line.endswith(b"\n")
    assert line.count(b"\n") == 1
    assert from_line(line) == event
    assert event.__class__ in run_events._NAMES


def test_every_kind_was_tried() -> None:
    assert {type(event) for event in EVERY} == set(run_events._KINDS.values())


def test_names_on_the_line() -> None:
    kinds = [json.loads(to_line(event))["kind"] for event in EVERY]
    assert kinds[:4] == ["began", "stage", "album", "step"]
    assert {"sample", "checkpoint", "model", "stopped", "failed", "finished"} <= set(kinds)


@given(st.dictionaries(st.text(max_size=8), numbers, max_size=5))
def test_numbers_that_are_none_become_null_and_are_marked(values: dict[str, float | None]) -> None:
    line = to_line(Step("sft", 1, 2, values))
    data = json.loads(line, parse_constant=pytest.fail)
    odd = {name for name, value in values.items() if value is not None and not math.isfinite(value)}
    assert set(data["not_finite"]) == odd
    event = from_line(line)
    assert isinstance(event, Step)
    assert set(event.not_finite) == odd
    assert event.values == {name: None if name in odd else value for name, value in values.items()}
    assert from_line(to_line(event)) == event


def test_what_a_trainer_logs() -> None:
    logs = {"loss": math.nan, "reward": 1, "rewards/km/mean": None, "kl": math.inf, "note": "text", "flag": True}
    step = Step.of("grpo", 3, 10, logs)
    assert step.values == {"loss": None, "reward": 1.0, "rewards/km/mean": None, "kl": None}
    assert step.not_finite == ("loss", "kl")


def test_a_sample_with_numbers_that_are_none() -> None:
    line = to_line(Sample("grpo", 1, "a", "text", reward=math.nan, parts={"r_distance": math.inf}))
    assert json.loads(line)["not_finite"] == ["reward", "r_distance"]


def test_newer_versions_can_be_read() -> None:
    assert from_line('{"kind": "sing"}') is None
    assert from_line('{"kind": "unpaused", "colour": "red"}') == Unpaused()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        '"stopped"',
        '{"kind": 7}',
        '{"kind": "step"}',
        '{"kind": "step", "stage": "sft", "step": "1", "total": 2}',
        '{"kind": "step", "stage": "sft", "step": 1, "total": 2, "values": []}',
        '{"kind": "step", "stage": "sft", "step": 1, "total": 2, "values": {"a": "b"}}',
        '{"kind": "step", "stage": "sft", "step": 1, "total": 2, "values": {"a": true}}',
        b"\xff\xfe",
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_a_value_error(line: str | bytes) -> None:
    with pytest.raises(ValueError, match="."):
        from_line(line)


def test_a_step_that_was_done_again_counts_once() -> None:
    first = [Stage("grpo", "began")] + [Step("grpo", n, 9, {"reward": 0.1 * n}) for n in range(1, 7)]
    again = [Stage("grpo", "resumed", 4), Step("grpo", 5, 9, {"reward": 0.9})]
    steps = steps_of([*first, Step("sft", 1, 1), *again], "grpo")
    assert list(steps) == [1, 2, 3, 4, 5]  # 6 was lost with the process
    assert steps[5].values == {"reward": 0.9}


# ---- which process ----


def test_a_heartbeat_survives_its_file(tmp_path: Path) -> None:
    assert run_events.read_heartbeat(tmp_path) is None
    beat = Heartbeat(1, "2", "here", 3, 4.0)
    run_events.write_heartbeat(tmp_path, beat)
    assert run_events.read_heartbeat(tmp_path) == beat
    assert [file.name for file in tmp_path.iterdir()] == ["process.json"]


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": "x"}', '{"pid": 1}', "\0" * 10, "[" * 100_000])
def test_a_damaged_heartbeat_is_none(tmp_path: Path, content: str) -> None:
    (tmp_path / run_events.HEARTBEAT).write_text(content, "utf-8")
    assert run_events.read_heartbeat(tmp_path) is None


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked up in /proc")
def test_processes_are_told_apart() -> None:
    mine = run_events.started(os.getpid())
    assert mine == run_events.started(os.getpid()) != ""
    time.sleep(0.05)  # the kernel counts hundredths of a second
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert run_events.started(child.pid) not in ("", mine)
        child.kill()
        deadline = time.monotonic() + 10
        while run_events.started(child.pid) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert run_events.started(child.pid) == ""  # a zombie is dead
    finally:
        child.kill()
        child.communicate()
    assert run_events.started(2**22 + 1) == ""


def test_a_number_without_an_end_is_no_message() -> None:
    line = '{"kind": "step", "stage": "sft", "step": 1, "total": 2, "values": {"loss": 1' + 400 * "0" + "}}"
    with pytest.raises(ValueError, match="too large"):
        run_events.from_line(line)
