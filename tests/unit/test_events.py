"""Messages survive their line, and strange lines do not hurt."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp import events
from georapp.chain import Chain, Level
from georapp.geo import Coordinate
from georapp.prediction import Agreement, Candidate, Check, Prediction, Sample, Timing

POINT = Coordinate(48.8566, 2.3522)
CHAIN = Chain.of([(Level.CONTINENT, "Europe"), (Level.COUNTRY, "France")], POINT)
PREDICTION = Prediction(
    stated=CHAIN,
    best=POINT,
    radius_50_km=12.5,
    radius_90_km=None,
    samples=(Sample("Country: France", True, CHAIN, True, POINT, "coordinates"), Sample("zzz", False, notes=("Not read.",))),
    agreements=(Agreement(Level.COUNTRY, "France", 1, 2),),
    candidates=(Candidate(POINT, CHAIN, 1, 0.5),),
    checks=(Check(Level.COUNTRY, "France", None, None),),
    timing=Timing(0.1, 0.2, 30, 55.5, 1.0),
)
EVERY = [
    events.Load("folder", threads=2),
    events.Locate("1", "a\nb \u202e.jpg", seed=7, samples=8, decode="name", temperature=0.7),
    events.Stop("1"),
    events.Hello(1, "0.1.0"),
    events.Loading("folder"),
    events.Ready("mini", "CPU", 0.5),
    events.Began("1", "ab", 640, 480, "JPEG", 1234, "2025-01-01T00:00:00", 90.0, 48.8, 2.3, "EXIF", ("note",)),
    events.Text("1", 0, "Cou\u2028ntry"),
    events.RegionRead("1", "country", "France"),
    events.Located("1", "mini", "ab", 1, "mini", 0, 1.0, PREDICTION),
    events.Failed("1", "It broke.", "PhotoError", "Try another.", ("text",)),
    events.Trouble("Odd."),
]


@pytest.mark.parametrize("event", EVERY, ids=lambda event: type(event).__name__)
def test_a_message_survives_its_line(event: events.Event) -> None:
    line = events.to_line(event)
    assert "\n" not in line
    assert events.from_line(line) == event


def test_every_kind_was_tried() -> None:
    assert {type(event) for event in EVERY} == set(events._KINDS.values())


def test_unknown_fields_are_ignored() -> None:
    assert events.from_line('{"kind": "stop", "photo": "1", "colour": "red"}') == events.Stop("1")


def test_unknown_kinds_are_passed_over() -> None:
    assert events.from_line('{"kind": "sing"}') is None


def test_infinity_becomes_null() -> None:
    line = events.to_line(events.Ready("mini", "CPU", float("inf")))
    assert json.loads(line)["seconds"] is None


@pytest.mark.parametrize(
    "line",
    [
        "",
        "{",
        "[]",
        "1",
        '"stop"',
        '{"photo": "1"}',
        '{"kind": "stop"}',
        '{"kind": "stop", "photo": 1}',
        '{"kind": 7}',
        "[" * 100_000,
    ],
)
def test_what_is_no_message_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match="."):
        events.from_line(line)


@given(
    st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=5), lambda c: st.lists(c, max_size=3), max_leaves=8)
)
def test_wrong_types_are_value_errors(value: object) -> None:
    line = json.dumps({"kind": "located", "photo": "1", "prediction": value})
    with pytest.raises(ValueError, match="."):
        events.from_line(line)
