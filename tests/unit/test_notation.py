"""Coordinates as people write them, and everything that is not one."""

from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from georapp.errors import NotationError
from georapp.geo import Coordinate, distance_km
from georapp.notation import HINT, LONGEST, Notation, kilometres, read, read_with_kind, write

AVIGNON = Coordinate(43.9508, 4.8075)
EXACT_KM = {Notation.DECIMAL: 0.008, Notation.DMS: 0.003, Notation.MGRS: 0.002, Notation.PLUS_CODE: 0.003}
PLACES = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))


@pytest.mark.parametrize(
    ("notation", "text"),
    [
        (Notation.DECIMAL, "43.9508, 4.8075"),
        (Notation.DMS, "43°57′02.9″ N 4°48′27.0″ E"),
        (Notation.MGRS, "31T FJ 45035 67996"),
        (Notation.PLUS_CODE, "8FM6XR25+82C"),
    ],
)
def test_each_notation_is_written_and_read_back(notation: Notation, text: str) -> None:
    assert write(AVIGNON, notation) == text
    place, kind = read_with_kind(text)
    assert kind is notation
    assert distance_km(place, AVIGNON) < EXACT_KM[notation]


@given(PLACES, st.sampled_from(Notation))
@example(Coordinate(90, 0), Notation.MGRS)
@example(Coordinate(-90, -180), Notation.MGRS)
@example(Coordinate(84, 180), Notation.MGRS)
@example(Coordinate(-80, 179.99999), Notation.MGRS)
@example(Coordinate(-1e-8, 21), Notation.MGRS)
@example(Coordinate(56.00000002, 2.9999999999), Notation.MGRS)
@example(Coordinate(8, 179.99999999999997), Notation.PLUS_CODE)
@example(Coordinate(0, 0), Notation.PLUS_CODE)
@example(Coordinate(90, 180), Notation.PLUS_CODE)
@example(Coordinate(89.99999999999999, 0), Notation.PLUS_CODE)
@example(Coordinate(-1e-9, -180), Notation.DMS)
@example(Coordinate(59.9999999, -0.99999999), Notation.DMS)
def test_what_is_written_is_read_as_the_same_place(place: Coordinate, notation: Notation) -> None:
    again, kind = read_with_kind(write(place, notation))
    assert kind is notation
    assert distance_km(again, place) < EXACT_KM[notation]


def test_rounding_leaves_no_sixty_and_no_minus_zero() -> None:
    assert write(Coordinate(59.9999999, -0.0000001), Notation.DMS) == "60°00′00.0″ N 0°00′00.0″ E"
    assert write(Coordinate(-0.000001, -0.000001), Notation.DECIMAL) == "0.0000, 0.0000"


@pytest.mark.parametrize(
    "text",
    [
        "43.9508,4.8075",
        "43.9508 4.8075",
        "43.9508;4.8075",
        " ( 43.9508 ,  4.8075 ) ",
        "43.9508\n4.8075",
        "43,9508 4,8075",
        "43,9508; 4,8075",
        "43,9508, 4,8075",
        "43.9508° 4.8075°",
        "43.9508° N, 4.8075° E",
        "43.9508 deg N, 4.8075 deg E",
        "N 43.9508 E 4.8075",
        "N43.9508, E4.8075",
        "4.8075 E 43.9508 N",
        "lat: 43.9508 lon: 4.8075",
        "Latitude 43.9508° North, Longitude 4.8075° East",
        '{"lng": 4.8075, "lat": 43.9508}',
        "geo:43.9508,4.8075",
        "geo:43.9508,4.8075,120;u=35",
        "geo:0,0?q=43.9508,4.8075(Palais)",
        "４３.９５０８，４.８０７５",
        "٤٣٫٩٥٠٨ ٤٫٨٠٧٥",
        "\u200e43.9508\N{NO-BREAK SPACE}N, 4.8075\N{NO-BREAK SPACE}E\u200e",
    ],
)
def test_decimal_degrees_in_many_hands(text: str) -> None:
    place, kind = read_with_kind(text)
    assert (place, kind) == (AVIGNON, Notation.DECIMAL)


@pytest.mark.parametrize(
    "text",
    [
        "43°57'02.9\"N 4°48'27.0\"E",
        "43° 57’ 02.9” N, 4° 48’ 27.0” E",
        "43°57′02,9″ N, 4°48′27,0″ E",
        "43º57'02.9'' N 4º48'27'' E",
        "43 57 02.9 N 4 48 27 E",
        "43 57 02.9 4 48 27",
        "43:57:02.9 N 4:48:27 E",
        "43°57.0483′ N 4°48.45′ E",
        "N43 57.0483 E4 48.45",
        "N 43° 57,0483 E 4° 48,45",
        "43°57'02.9\" 4°48'27\"",
    ],
)
def test_minutes_and_seconds_in_many_hands(text: str) -> None:
    place, kind = read_with_kind(text)
    assert kind is Notation.DMS
    assert distance_km(place, AVIGNON) < 0.005


def test_south_and_west_are_negative_also_before_and_below_one_degree() -> None:
    assert read("33.8568 S 70.5 W") == Coordinate(-33.8568, -70.5)
    assert read("−33.8568, −70.5") == Coordinate(-33.8568, -70.5)
    assert read("S 0°30′ W 0°15′") == Coordinate(-0.5, -0.25)
    assert read("-0 30 0 -0 15 0") == Coordinate(-0.5, -0.25)


@pytest.mark.parametrize(
    ("text", "within_km"),
    [
        ("31TFJ4503567996", 0.002),
        ("31t fj 45035 67996", 0.002),
        ("31 T FJ 4503 6799", 0.015),
        ("31TFJ450679", 0.15),
        ("31T FJ 45 67", 1.5),
    ],
)
def test_mgrs_with_and_without_spaces_is_the_middle_of_its_square(text: str, within_km: float) -> None:
    place, kind = read_with_kind(text)
    assert kind is Notation.MGRS
    assert distance_km(place, AVIGNON) < within_km


def test_the_poles_have_squares_of_their_own() -> None:
    assert write(Coordinate(90, 0), Notation.MGRS) == "Z AH 00000 00000"
    assert read("ZAH0000000000").lat > 89.9999
    assert read("B AN 00000 00000").lat < -89.9999


def test_a_full_plus_code_may_be_followed_by_a_town() -> None:
    assert distance_km(read("8fm6xr25+82 Avignon, France"), AVIGNON) < 0.02


def test_null_island_only_for_who_writes_it() -> None:
    assert read("0, 0") == Coordinate(0, 0)
    assert read("0° N 0° E") == Coordinate(0, 0)
    for text in ("", " ", "geo:0,0?q=Avignon", "geo:", "()", ", ", "N E", "lat: lon:"):
        with pytest.raises(NotationError):
            read(text)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "nothing to read"),
        ("Avignon", "no coordinate"),
        ("43.9508", "two angles"),
        ("43,9508", "one number or two"),
        ("1 2 3", "two angles"),
        ("14/06/2024", "two angles"),
        ("43.95.12, 4", "no coordinate"),
        ("43.9508 N 4.8075 N", "which angle"),
        ("43.9508 N 4.8075", "two angles"),
        ("-43.9508 S 4.8075 E", "both a sign and a direction"),
        ("43°61′ N 4° E", "do not exist"),
        ("43.5°30′ N 4° E", "do not exist"),
        ("91, 4", "between -90 and 90"),
        ("45, 181", "between -180 and 180"),
        ("nan, nan", "no coordinate"),
        ("XR25+82 Avignon", "counts from a town"),
        ("XR25+82", "short"),
        ("8FM60000+", "whole region"),
        ("31T FJ 4 6", "wide"),
        ("31TFJ123", "same number of digits"),
        ("99T FJ 45035 67996", "no such square"),
        ("31X AA 12345 12345", "no such square"),
        ("POINT(4.8075 43.9508)", "no coordinate"),
        ("[4.8075, 43.9508]", "no coordinate"),
        ("4" * (LONGEST + 1), "that long"),
        ("<b>1, 2</b>", "no coordinate"),
    ],
)
def test_what_is_refused_and_why(text: str, words: str) -> None:
    with pytest.raises(NotationError) as refused:
        read(text)
    assert words in str(refused.value)
    assert str(refused.value).endswith(".")
    assert refused.value.hint == HINT


def test_the_hint_names_all_four_with_examples_that_can_be_read() -> None:
    for notation in Notation:
        assert notation.word in HINT
    for example_text in ("43.9508, 4.8075", "43°57′02.9″ N 4°48′27.0″ E", "31T FJ 45035 67996", "8FM6XR25+82"):
        assert example_text in HINT
        assert distance_km(read(example_text), AVIGNON) < 0.02


@given(st.text(max_size=60) | st.text(alphabet="0123456789 .,;:+-°′″'\"NSEWCFJXYZ/()\x00", max_size=60))
@example("\x00")
@example("31TFJ\x004503567996")
@example("31TKK4503567996")
@example("ZZZ9999999999")
def test_any_text_is_a_coordinate_or_refused_with_a_sentence(text: str) -> None:
    try:
        place = read(text)
    except NotationError as error:
        assert str(error)
        assert "\x00" not in str(error)
    else:
        assert -90 <= place.lat <= 90
        assert -180 <= place.lon <= 180


@pytest.mark.parametrize(
    ("km", "estimated", "measured"),
    [
        (0.0, "0 m", "0 m"),
        (0.85, "850 m", "850 m"),
        (0.9996, "1.0 km", "1.0 km"),
        (9.96, "10 km", "10.0 km"),
        (12.34, "12 km", "12.3 km"),
        (99.97, "100 km", "100 km"),
        (1216.4, "1,216 km", "1,216 km"),
    ],
)
def test_kilometres(km: float, estimated: str, measured: str) -> None:
    assert kilometres(km) == estimated
    assert kilometres(km, exact=True) == measured
