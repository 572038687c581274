"""Filters and sorting agree with a slow, straightforward version; views survive being kept as text, and broken ones show all photos."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.case import Row, Ruling, State
from georapp.chain import folded
from georapp.evaluate import THRESHOLDS_KM
from georapp.geo import Coordinate
from georapp.selection import Filter, Sort, accuracy, apply

PARIS = Coordinate(48.8566, 2.3522)
PLAIN = Row(1, Path("IMG_1.jpg"), "a" * 64, State.WAITING, None, "", "", None, None, None, "", "", Ruling.NONE)


def row(number: int, **changes: object) -> Row:
    return replace(PLAIN, number=number, path=Path(f"IMG_{number}.jpg"), **changes)  # type: ignore[arg-type]


NAMES = st.sampled_from(
    ["IMG_2.jpg", "IMG_10.JPG", "Île.png", "東京 🙂.heic", "שלום.jpg", "a\nb.jpg", "007.jpg", "7.jpg", "x" * 250]
)
KM = st.none() | st.sampled_from([0.0, 0.5, 25.0, 200.0, 1007.3])
ROWS = st.lists(
    st.builds(
        Row,
        st.integers(1, 1000),
        NAMES.map(Path),
        st.just("a" * 64),
        st.sampled_from(State),
        st.none() | st.just(PARIS),
        st.sampled_from(["", "Europe › France", "Europe › France › Île-de-France › Paris", "Asia › Türkiye › İstanbul"]),
        st.sampled_from(["", "France", "Türkiye", "Åland"]),
        st.none() | st.just(PARIS),
        KM,
        KM,
        st.sampled_from(["", "mini", "Qwen 3"]),
        st.just(""),
        st.sampled_from(Ruling),
    ),
    max_size=12,
    unique_by=lambda found: found.number,
)
FILTERS = st.builds(
    Filter,
    st.sampled_from(["", "ile", "PARIS fran", "img_2", "🙂", "東", "mini jpg", "  ", "istanbul", "-"]) | st.text(max_size=3),
    st.frozensets(st.sampled_from(State)),
    st.frozensets(st.sampled_from(Ruling)),
    st.frozensets(st.sampled_from(["France", "Åland"])),
    st.frozensets(st.sampled_from(["mini", "Qwen 3"])),
    KM,
    KM,
    KM,
)


def slow_match(wanted: Filter, found: Row) -> bool:
    said = " ".join(folded(text) for text in (found.path.name, found.stated, found.model))
    raw = f"{found.path.name} {found.stated} {found.model}".casefold()
    text = (
        all(word in said for word in folded(wanted.text).split())
        if folded(wanted.text)
        else wanted.text.strip().casefold() in raw
    )
    return (
        text
        and (not wanted.states or found.state in wanted.states)
        and (not wanted.rulings or found.ruling in wanted.rulings)
        and (not wanted.countries or found.country in wanted.countries)
        and (not wanted.models or found.model in wanted.models)
        and (wanted.least_error_km is None or (found.error_km is not None and found.error_km >= wanted.least_error_km))
        and (wanted.most_error_km is None or (found.error_km is not None and found.error_km <= wanted.most_error_km))
        and (wanted.least_radius_km is None or (found.radius_km is not None and found.radius_km >= wanted.least_radius_km))
    )


@given(ROWS, FILTERS)
def test_a_filter_keeps_what_the_slow_version_keeps(rows: list[Row], wanted: Filter) -> None:
    expected = [found for found in rows if slow_match(wanted, found)]
    assert apply(rows, wanted, Sort.QUEUE) == expected
    assert [found for found in rows if wanted.matches(found)] == expected


@given(ROWS, st.sampled_from(Sort), st.booleans())
def test_sorting_loses_nothing_and_depends_only_on_what_it_sorts(rows: list[Row], sort: Sort, backwards: bool) -> None:
    found = apply(rows, Filter(), sort, reversed=backwards)
    assert {entry.number for entry in found} == {entry.number for entry in rows}
    assert len(found) == len(rows)
    if sort is not Sort.QUEUE:
        assert apply(found, Filter(), sort, reversed=backwards) == found


@given(ROWS, st.booleans())
def test_photos_without_a_value_come_last_in_both_directions(rows: list[Row], backwards: bool) -> None:
    found = [entry.error_km for entry in apply(rows, Filter(), Sort.ERROR, reversed=backwards)]
    known = [km for km in found if km is not None]
    assert found == sorted(known, reverse=backwards) + [None] * (len(found) - len(known))


@given(FILTERS)
def test_a_filter_survives_being_kept_as_text(wanted: Filter) -> None:
    assert Filter.from_text(wanted.to_text()) == wanted


@pytest.mark.parametrize(
    "text",
    ["", "null", "[]", "{", '{"text": 1}', '{"states": ["lost"]}', '{"countries": "France"}', '{"models": [1]}', "[" * 100_000]
    + [json.dumps({"least_error_km": value}) for value in (float("nan"), float("inf"), -1, True, "1", [])],
)
def test_a_broken_view_shows_all_photos(text: str) -> None:
    assert Filter.from_text(text) == Filter()


def test_a_view_of_another_version_is_read_as_far_as_it_is_known() -> None:
    assert Filter.from_text('{"text": "paris", "colour": "red"}') == Filter(text="paris")


def test_numbers_in_names_are_sorted_as_numbers() -> None:
    names = ["IMG_10.jpg", "img_9.jpg", "IMG_009.jpg", "a.jpg", "IMG_.jpg", "9" * 5000]
    rows = [replace(PLAIN, number=i, path=Path(name)) for i, name in enumerate(names)]
    found = [entry.path.name for entry in apply(rows, Filter(), Sort.NAME)]
    assert found == ["9" * 5000, "a.jpg", "IMG_.jpg", "IMG_009.jpg", "img_9.jpg", "IMG_10.jpg"]


def test_ten_thousand_photos_are_filtered_as_the_slow_version_does() -> None:
    rows = [row(i, stated=f"Europe › France › P{i % 97}", country="France", error_km=float(i % 300)) for i in range(10_000)]
    wanted = Filter(text="p7 img", least_error_km=100)
    assert apply(rows, wanted, Sort.QUEUE) == [found for found in rows if slow_match(wanted, found)]


def test_accuracy_counts_only_photos_with_a_known_place_and_a_missing_answer_as_a_miss() -> None:
    rows = [row(1, known=PARIS, error_km=0.4), row(2, known=PARIS, error_km=180.0), row(3, known=PARIS), row(4, error_km=0.1)]
    found = accuracy(rows)
    assert list(found) == list(THRESHOLDS_KM)
    assert [(share.count, share.n) for share in found.values()] == [(1, 3), (1, 3), (2, 3), (2, 3), (2, 3)]
    assert accuracy([])[1].n == 0
