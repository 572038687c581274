"""What models really write. Every case here was a wrong answer of some program once, or is a format that is published."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.chain import Chain, ChainFormat, Level, render
from georapp.errors import AnswerError
from georapp.geo import Coordinate
from georapp.prompt import PROFILES
from georapp.reading import read, read_coordinate

points = st.builds(lambda lat, lon: Coordinate(round(lat, 4), round(lon, 4)), st.floats(-90, 90), st.floats(-180, 180)).filter(
    lambda p: (p.lat, p.lon) != (0, 0)
)


@pytest.mark.parametrize(
    ("text", "lat", "lon", "kind"),
    [
        ("Coordinates: (48.8584, 2.2945)", 48.8584, 2.2945, "(lat, lon)"),
        ("(48.8584°, 2.2945°)", 48.8584, 2.2945, "(lat, lon)"),
        ("（35.6，139.7）", 35.6, 139.7, "(lat, lon)"),
        ("(\u221233.9249, 18.4241)", -33.9249, 18.4241, "(lat, lon)"),
        ("first (1.0, 2.0), no: (3.5, 4.5)", 3.5, 4.5, "(lat, lon)"),
        ("(91.0, 2.0) or rather (3.0, 4.0) or (5, 200)", 3.0, 4.0, "(lat, lon)"),
        ("43°27′7.2″N 142°36′55.3″E", 43.452, 142.61536, "degrees, minutes, seconds"),
        ("33º55'31\"S, 18º25'26\"E", -33.92528, 18.42389, "degrees, minutes, seconds"),
        ("22° 54' S 43° 10' W", -22.9, -43.16667, "degrees, minutes, seconds"),
        ("at 33.9249° S, 18.4241° E", -33.9249, 18.4241, "decimal with letters"),
        ("40.7128 N / 74.0060 W", 40.7128, -74.0060, "decimal with letters"),
        ("N 40.7128, W 74.0060", 40.7128, -74.0060, "decimal with letters"),
        ("Latitude: -33.9249\nLongitude: 18.4241", -33.9249, 18.4241, "labelled"),
        ("Longitude: 18.4241, Latitude: -33.9249", -33.9249, 18.4241, "labelled"),
        ("Latitude: 33.9° S, Longitude: 18.4° E", -33.9, 18.4, "labelled"),
        ('{"lat": -12.05, "lon": -77.04}', -12.05, -77.04, "labelled"),
        ('{"latitude": "51.5", "longitude": "-0.12"}', 51.5, -0.12, "labelled"),
        ("LOC: [48.1, 11.6]", 48.1, 11.6, "[lat, lon]"),
        ("roughly 48.137, 11.575 I think", 48.137, 11.575, "bare"),
    ],
)
def test_notations(text: str, lat: float, lon: float, kind: str) -> None:
    coordinate, found, _notes = read_coordinate(text)
    assert coordinate is not None
    assert (coordinate.lat, coordinate.lon) == (pytest.approx(lat, abs=1e-4), pytest.approx(lon, abs=1e-4))
    assert found == kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "nowhere",
        "(200, 300)",
        "12 May 2024, 3 photos",
        "version 1.2.3.4",
        "(0, 0)",
        "Coordinates: (0.0000, 0.0000)",
        "lat: 0.0, lon: 0.0",
        "١٢.٥, ١٣.٥",
    ],
)
def test_nothing_becomes_a_place(text: str) -> None:
    coordinate, kind, _notes = read_coordinate(text)
    assert coordinate is None
    assert kind is None


def test_a_placeholder_pair_is_named() -> None:
    assert read_coordinate("(0.0, 0.0)")[2] == ["The model wrote (0, 0), which is a placeholder and not an answer."]


@given(st.text(max_size=300))
def test_any_text_is_an_answer_or_an_answer_error(text: str) -> None:
    try:
        reading = read(text, semicolons=True)
    except AnswerError as error:
        assert str(error).endswith(".")
    else:
        assert reading.chain.regions or reading.chain.coordinate
        assert reading.chain.coordinate != Coordinate(0, 0)


@given(points, st.sampled_from(ChainFormat))
def test_our_own_format_is_read(point: Coordinate, chain_format: ChainFormat) -> None:
    chain = Chain.of([(Level.COUNTRY, "France"), (Level.CITY, "Paris")], point)
    assert read(render(chain, chain_format)).chain == chain


def names(text: str, profile: str) -> dict[Level, str]:
    return {region.level: region.name for region in PROFILES[profile].read(text).chain.regions}


def test_geoagent_answers() -> None:
    text = '<think>{"FinalAnswer": "x"} maybe Spain; Madrid; Sol</think><answer>China; Hong Kong; Kowloon, Jordan Valley</answer>'
    assert names(text, "geoagent") == {Level.COUNTRY: "China", Level.PROVINCE: "Hong Kong", Level.CITY: "Kowloon, Jordan Valley"}


def test_globe_answers() -> None:
    text = "<think>Signs in French.\ncountry: Belgium</think>\n<answer>\ncountry: [France]\ncity: [Lyon]\n</answer>"
    assert names(text, "globe") == {Level.COUNTRY: "France", Level.CITY: "Lyon"}


def test_gre_answers_keep_latitude_and_longitude_apart() -> None:
    reading = PROFILES["gre"].read("<think>…</think><answer>Latitude: 35.01, Longitude: 135.77</answer>")
    assert reading.chain.coordinate == Coordinate(35.01, 135.77)


@pytest.mark.parametrize(
    "text",
    [
        "**Country:** Japan\n**State / Administrative Region:** Hokkaidō\n**City or Place:** Biei",
        "1. Country: Japan\n2. State/Region: Hokkaidō\n3. City: Biei",
        "- country = Japan\n- prefecture = Hokkaidō\n- town = Biei",
        '```json\n{"country": "Japan", "state": "Hokkaidō", "city": "Biei", "LOC": [43.45, 142.6]}\n```',
        "Country：Japan\nState：Hokkaidō\nCity：Biei",
    ],
)
def test_decorated_lines(text: str) -> None:
    assert names(text, "georapp") == {Level.COUNTRY: "Japan", Level.PROVINCE: "Hokkaidō", Level.CITY: "Biei"}


@pytest.mark.parametrize("name", ["unknown", "N/A", "<country>", "[country name]", "—", "None", "12.5", "x" * 200, "?"])
def test_placeholders_are_not_names(name: str) -> None:
    with pytest.raises(AnswerError):
        read(f"Country: {name}")


def test_the_last_line_of_a_kind_counts() -> None:
    assert names("Country: Spain\nNo, wait.\nCountry: Portugal", "georapp") == {Level.COUNTRY: "Portugal"}


def test_an_unfinished_thought_is_no_answer() -> None:
    with pytest.raises(AnswerError):
        read("<think>It could be Country: France at (48.8, 2.3) because")


def test_a_loop_of_a_megabyte_is_read_quickly_and_not_believed() -> None:
    with pytest.raises(AnswerError):
        read("the the " * 200_000)
