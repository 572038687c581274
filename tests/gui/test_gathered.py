"""Pieces of text reach the window whole and in order, in fewer and larger parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from georapp import events
from georapp.gui.gathered import APART_S, Gathered

SAID = st.lists(
    st.tuples(st.integers(0, 2), st.text(max_size=3)).map(lambda said: events.Text("1", *said))
    | st.just(events.RegionRead("1", "country", "France")),
    max_size=30,
)


def texts(found: list[events.Event]) -> dict[int, str]:
    written: dict[int, str] = {}
    for event in found:
        if isinstance(event, events.Text):
            written[event.sample] = written.get(event.sample, "") + event.piece
    return written


@given(said=SAID, seconds=st.lists(st.floats(0, 2 * APART_S), min_size=100, max_size=100))
def test_nothing_is_lost_and_no_text_overtakes_a_region(said: list[events.Event], seconds: list[float]) -> None:
    told: list[events.Event] = []
    now = 0.0

    def clock() -> float:
        nonlocal now
        now += seconds.pop() if seconds else 0.0
        return now

    gathered = Gathered(told.append, clock)
    heard: list[events.Event] = []
    for event in said:
        gathered.hear(event)
        heard.append(event)
        if not isinstance(event, events.Text):
            assert told[-1] == event
            assert texts(told) == texts(heard)
    gathered.flush()
    assert texts(told) == texts(said)
    assert len(told) <= len(said)


def test_what_comes_at_once_is_told_together() -> None:
    told: list[events.Event] = []
    gathered = Gathered(told.append, lambda: 1.0)
    for piece in "Europe":
        gathered.hear(events.Text("1", 0, piece))
    assert told == [events.Text("1", 0, "E")]
    gathered.flush()
    assert told == [events.Text("1", 0, "E"), events.Text("1", 0, "urope")]
