"""The reward against published values, and what must hold of every answer. Needs neither torch nor TRL."""

from __future__ import annotations

import math
import pickle
import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from georapp.chain import Chain, ChainFormat, Level, render
from georapp.errors import AnswerError
from georapp.geo import Coordinate, distance_km
from georapp.reading import read
from georapp.reward_curves import CURVES, Decay, Knots, as_knots
from georapp.run_settings import Grpo
from training.rewards import (
    Agreement,
    Clues,
    Names,
    Part,
    Reward,
    Rule,
    has_lines,
    place_in,
    reward_functions,
    rule_of,
    text_of,
)

JAPAN = "Country: Japan\nState: Hokkaidō\nCity: Biei\nCoordinates: (43.452002, 142.615358)"
SAPPORO = Coordinate(43.06, 141.35)
LINES = (Level.COUNTRY, Level.PROVINCE, Level.CITY)
UNREADABLE = [
    "",
    "(95, 10)",
    "(10, 181)",
    "(1, 2) (3, 4)",
    "[1.0, 2.0]",
    "lat 1, lon 2",
    "(1234.5, 2)",
    "(−33.9, 18.4)",
    "I think (43.1, 142.2).\nCoordinates: (43.4, 142.6)",
    "(٤٣, ١٤٢)",
    "Coordinates: —",
    "(nan, nan)",
]

places = st.builds(Coordinate, st.floats(-90, 90), st.floats(-180, 180))
pieces = st.sampled_from(
    [
        "(1, 2)",
        "(3.5, -4)",
        "（5, 6）",
        "[7, 8]",
        "lat 9, lon 10",
        "12.5 N, 13.5 E",
        "(0, 0)",
        "<think>",
        "</think>",
        "<answer>",
        "</answer>",
        "Country: Japan",
        "Coordinates: ",
        *"\n (),−—95",
    ]
)
texts = (
    st.text()
    | st.lists(pieces, max_size=8).map("".join)
    | st.sampled_from(UNREADABLE)
    | places.map(lambda place: f"Coordinates: ({place.lat:.4f}, {place.lon:.4f})")
)


# ---- published and computed values ----


@pytest.mark.parametrize(
    ("a", "b", "km"),
    [
        ((48.8584, 2.2945), (51.5, -0.12), 340.307),
        ((43.452002, 142.615358), (43.06, 141.35), 111.357),
        ((0, 0), (0, 180), 20015.087),
        ((0, 179.5), (0, -179.5), 111.195),
        ((90, 0), (90, 120), 0),
    ],
)
def test_distance(a: tuple[float, float], b: tuple[float, float], km: float) -> None:
    assert distance_km(Coordinate(*a), Coordinate(*b)) == pytest.approx(km, abs=5e-4)


@pytest.mark.parametrize(
    ("km", "reward"),
    [
        (0, 1),
        (1, 0.999333),
        (25, 0.983333),
        (200, 0.866667),
        (750, 0.5),
        (1000, 0.457143),
        (1492.7, 0.372680),
        (2500, 0.2),
        (3000, 0.194286),
        (10000, 0.114286),
        (20000, 0),
        (20015.087, 0),
        (math.inf, 0),
        (math.nan, 0),
    ],
)
def test_the_curve_of_the_paper(km: float, reward: float) -> None:
    assert CURVES["geo-r"](km) == pytest.approx(reward, abs=5e-7)


@pytest.mark.parametrize(("km", "reward"), [(1492.7, 0.40097), (2500, 0.266667), (3000, 0.2), (10000, 0.117647)])
def test_the_curve_of_the_released_code(km: float, reward: float) -> None:
    assert CURVES["geo-r-code"](km) == pytest.approx(reward, abs=5e-6)


@pytest.mark.parametrize(
    ("km", "geoagent", "gre", "geoscore", "steps"),
    [
        (1, 0.99501, 0.9975, 0.99933, 0.8),
        (25, 0.88250, 0.93758, 0.98339, 0.2),
        (200, 0.36788, 0.53788, 0.87460, 0.1),
        (750, 0.02352, 0.04595, 0.60505, 0),
        (2500, 0, 0, 0.18734, 0),
        (10000, 0, 0, 0.00123, 0),
    ],
)
def test_the_other_curves(km: float, geoagent: float, gre: float, geoscore: float, steps: float) -> None:
    values = [CURVES[name](km) for name in ("geoagent", "gre", "geoscore", "steps")]
    assert values == pytest.approx([geoagent, gre, geoscore, steps], abs=1e-5)


def test_steps_change_where_they_say() -> None:
    curve = Knots(((0, 1.0), (25, 0.5), (200, 0.0)), steps=True)
    assert [curve(km) for km in (0, 24.9, 25, 199, 200, 5000)] == [1, 1, 0.5, 0.5, 0, 0]


def test_an_answer_of_the_paper() -> None:
    assert Rule().score(JAPAN, SAPPORO).reward == pytest.approx(0.925762, abs=5e-7)


def test_advantages_use_the_sample_deviation() -> None:
    rewards = [0.9833, 0.8667, 0.5, 0.0]
    mean, deviation = statistics.fmean(rewards), statistics.stdev(rewards)
    assert (mean, deviation) == pytest.approx((0.5875, 0.44250), abs=5e-5)
    advantages = [(reward - mean) / (deviation + 1e-4) for reward in rewards]
    assert advantages == pytest.approx([0.8943, 0.6308, -0.1977, -1.3274], abs=5e-4)


# ---- curves ----


@pytest.mark.parametrize("curve", CURVES.values(), ids=CURVES)
@given(a=st.floats(0, 20100), b=st.floats(0, 20100))
def test_curves_fall_between_1_and_0(curve: Knots | Decay, a: float, b: float) -> None:
    near, far = sorted((a, b))
    assert 0 <= curve(far) <= curve(near) <= 1
    assert curve(0) == 1


@given(
    st.lists(st.floats(0.001, 20000), min_size=1, max_size=6, unique=True),
    st.lists(st.floats(0, 1), min_size=7, max_size=7, unique=True),
    st.booleans(),
    st.floats(0, 20100),
)
def test_an_own_curve_goes_through_its_points(distances: list[float], rewards: list[float], steps: bool, km: float) -> None:
    points = list(zip([0.0, *sorted(distances)], sorted(rewards, reverse=True), strict=False))
    curve = Knots(tuple(points), steps)
    assert [curve(distance) for distance, _ in points] == pytest.approx([reward for _, reward in points], abs=1e-6)
    assert points[-1][1] <= curve(km) <= points[0][1]


@pytest.mark.parametrize(
    ("points", "why"),
    [
        ((), "two points"),
        (((0, 1.0),), "two points"),
        (((0, 1.0), (10,)), "two points"),
        (((0, 1.0), (10, math.nan)), "numbers"),
        (((0, 1.0), (math.inf, 0.0)), "numbers"),
        (((1, 1.0), (10, 0.0)), "begins at 0 km"),
        (((0, 1.0), (10, 0.5), (10, 0.2)), "rise from point to point"),
        (((0, 1.0), (10, 0.5), (5, 0.2)), "rise from point to point"),
        (((0, 0.5), (10, 0.7)), "never rise with distance"),
        (((0, 1.5), (10, 0.0)), "between 1 and 0"),
        (((0, 1.0), (10, -0.1)), "between 1 and 0"),
        (((0, 0.5), (10, 0.5)), "teaches nothing"),
    ],
)
def test_curves_that_are_none_are_refused_with_a_sentence(points: tuple[tuple[float, float], ...], why: str) -> None:
    with pytest.raises(ValueError, match=why):
        Knots(points)


@pytest.mark.parametrize("name", CURVES)
def test_every_curve_can_be_edited_as_points(name: str) -> None:
    curve = CURVES[name]
    points = as_knots(curve)
    off = max(abs(points(km) - curve(km)) for km in range(0, 20000, 10))
    assert off < (1e-9 if isinstance(curve, Knots) else 0.06)


def test_more_points_are_nearer_to_the_formula() -> None:
    curve = CURVES["geoscore"]
    assert max(abs(as_knots(curve, 200)(km) - curve(km)) for km in range(0, 20000, 10)) < 1e-3


# ---- answers ----


@pytest.mark.parametrize("text", UNREADABLE)
def test_unreadable_answers_earn_nothing_and_are_nowhere(text: str) -> None:
    score = Rule().score(text, Coordinate(0, 0))
    assert (score.reward, score.r_distance, score.r_format) == (0, 0, 0)
    assert score.place is None
    assert score.km is None


@pytest.mark.parametrize("text", ["(0, 0)", "Coordinates: (0.0000, 0.0000)", "(-0, 0)"])
def test_a_placeholder_is_no_place_even_where_the_truth_is_near(text: str) -> None:
    assert Rule().score(text, Coordinate(0.001, 0.001)).reward == 0


@pytest.mark.parametrize("text", ["<think>It is (43.06, 141.35).</think> Japan", "(43.06, 141.35) or （1, 2）"])
def test_what_the_program_would_read_otherwise_earns_nothing(text: str) -> None:
    assert place_in(text) is None


def test_whole_degrees_are_a_place() -> None:
    assert place_in("(43, 142)") == Coordinate(43, 142)


@given(texts, places)
def test_rewards_are_bounded(text: str, truth: Coordinate) -> None:
    score = Rule(required=LINES).score(text, truth)
    assert 0 <= score.reward <= score.r_distance <= 1
    assert score.r_format in (0, 1)


@given(places, places, places)
def test_the_nearer_answer_earns_at_least_as_much(truth: Coordinate, one: Coordinate, other: Coordinate) -> None:
    scores = sorted((Rule().score(f"({p.lat:.4f}, {p.lon:.4f})", truth) for p in (one, other)), key=lambda s: s.km or 0)
    if all(score.km is not None for score in scores):
        assert scores[0].reward >= scores[1].reward


@given(texts)
def test_reward_and_evaluation_read_the_same_place(text: str) -> None:
    place = place_in(text)
    if place is not None:
        assert read(text).chain.coordinate == place


@given(texts)
def test_what_evaluation_cannot_read_earns_nothing(text: str) -> None:
    try:
        found = read(text).chain.coordinate
    except AnswerError:
        found = None
    if found is None:
        assert place_in(text) is None


# ---- required lines ----


def test_without_required_lines_a_bare_pair_earns_everything() -> None:
    assert Rule().score("(43.06, 141.35)", SAPPORO).reward == 1


@pytest.mark.parametrize(
    "text",
    [
        "(43.06, 141.35)",
        JAPAN.replace("State", "Province"),
        JAPAN.replace("Hokkaidō", ""),
        JAPAN + "\nCountry: Japan",
        "City: Biei\nState: Hokkaidō\nCountry: Japan\nCoordinates: (43.45, 142.61)",
        "Country: Japan\nState: Hokkaidō\nCoordinates: (43.45, 142.61)",
        "(43.45, 142.61)\nCountry: Japan\nState: Hokkaidō\nCity: Biei\nCoordinates: —",
    ],
)
def test_required_lines_protect_the_chain(text: str) -> None:
    score = Rule(required=LINES).score(text, SAPPORO)
    assert score.r_format == score.reward == 0
    if score.km is not None:
        assert score.r_distance > 0  # what the pair alone would have earned stays visible in the charts


@pytest.mark.parametrize("chain_format", ChainFormat)
@given(place=places)
def test_what_models_are_trained_to_write_has_its_lines(chain_format: ChainFormat, place: Coordinate) -> None:
    text = render(Chain.of([(Level.COUNTRY, "Singapore")], place), chain_format)
    assert has_lines(text, chain_format.labels)


def test_words_before_the_lines_are_allowed() -> None:
    assert has_lines(f"<think>Left-hand traffic.</think>\n{JAPAN}", LINES)
    assert has_lines(f"Continent: Asia\n{JAPAN}", LINES)


# ---- TRL ----


def chat(text: str) -> list[dict[str, str]]:
    return [{"role": "assistant", "content": text}]


def test_functions_for_trl() -> None:
    functions, weights = reward_functions(Rule())
    columns = {"lat": [43.06] * 2, "lon": [141.35] * 2, "photo": ["a", "b"], "trainer_state": None}
    scored = [function(prompts=None, completions=[chat(JAPAN), chat("no idea")], **columns) for function in functions]
    assert weights == [1, 0, 0, 0]
    assert [getattr(function, "__name__", None) for function in functions] == ["reward", "r_distance", "r_format", "km"]
    assert scored[0] == [pytest.approx(0.925762, abs=5e-7), 0.0]
    assert scored[1] == scored[0]
    assert scored[2] == [1.0, 0.0]
    assert scored[3] == [pytest.approx(111.357, abs=5e-4), None]


def test_the_product_is_one_function() -> None:
    rule = Rule(required=LINES)
    functions, _ = reward_functions(rule)
    texts = [JAPAN, "(43.06, 141.35)", "nothing"]
    product, distance, form, _ = (function(texts, lat=[43.06] * 3, lon=[141.35] * 3) for function in functions)
    assert product == [a * b for a, b in zip(distance, form, strict=True) if a is not None and b is not None]
    assert product[1] == 0
    assert distance[1] == 1


@pytest.mark.parametrize(
    "completion",
    [JAPAN, chat(JAPAN), [{"role": "assistant", "content": [{"type": "text", "text": JAPAN}]}]],
    ids=["text", "chat", "parts"],
)
def test_all_that_trl_calls_a_completion(completion: str | list[dict[str, str]]) -> None:
    assert text_of(completion) == JAPAN
    assert text_of([]) == ""


def there(place: Coordinate) -> Chain:
    """Stands for the polygons."""
    if place.lat < 0:
        return Chain()
    return Chain.of([(Level.CONTINENT, "Asia"), (Level.COUNTRY, "Japan"), (Level.PROVINCE, "Hokkaido")])


EVERY = (Reward(), Part("km"), Names(), Agreement(there), Clues())


@pytest.mark.parametrize("function", EVERY, ids=lambda function: type(function).__name__)
def test_functions_can_be_sent_to_other_processes(function: Reward) -> None:
    assert pickle.loads(pickle.dumps(function)) == function


@pytest.mark.parametrize("function", EVERY, ids=lambda function: type(function).__name__)
@given(text=texts)
def test_no_function_ever_fails_on_a_text(function: Reward, text: str) -> None:
    (value,) = function([text], lat=[1.0], lon=[2.0], country=["Japan"], city=[None])
    assert value is None or math.isfinite(value)


def test_a_true_place_that_is_none_is_an_error() -> None:
    with pytest.raises(ValueError, match="latitude"):
        Reward()([JAPAN], lat=[math.nan], lon=[0.0])


# ---- optional rewards ----


def test_names_count_down_to_the_first_wrong_one() -> None:
    answers = [JAPAN, JAPAN.replace("Japan", "JAPAN"), JAPAN.replace("Biei", "Otaru"), JAPAN.replace("Japan", "China"), "Japan"]
    columns = {"country": ["Japan"] * 5, "province": ["Hokkaido"] * 5, "city": ["Biei"] * 5}
    assert Names()(answers, **columns) == pytest.approx([1, 1, 2 / 3, 0, 0])


def test_names_that_nobody_knows_are_not_asked_for() -> None:
    assert Names()([JAPAN, JAPAN], country=["Japan", None], province=[None, None]) == [1.0, None]


def test_names_without_a_pair_earn_nothing() -> None:
    assert Names()([JAPAN.replace("(43.452002, 142.615358)", "—")], country=["Japan"]) == [0.0]


def test_levels_that_agree_with_the_pair() -> None:
    five = f"Continent: Asia\n{JAPAN}"
    answers = [five, five.replace("Hokkaidō", "Aomori"), JAPAN, "(43.06, 141.35)", five.replace("(43", "(-43")]
    assert Agreement(there)(answers) == pytest.approx([1, 2 / 3, 0, 0, 0])


@pytest.mark.parametrize(
    ("before", "value"),
    [
        ("<think>Signs in Japanese, a wide snowy field.</think>\n", 1),
        ("", 0),
        ("<think> </think>", 0),
        ("<think>Yes.</think>", 0),
        (f"<think>{'word ' * 121}</think>", 0),
        ("<think>Signs in Japanese at (43.1, 141.0), a field.</think>", 0),
    ],
)
def test_clues(before: str, value: float) -> None:
    assert Clues()([before + JAPAN]) == [value]


def test_optional_rewards_are_off_unless_weighed() -> None:
    functions, weights = reward_functions(Rule(), names=0.6, agreement=0.2, labeller=there)
    assert [type(function).__name__ for function in functions[4:]] == ["Names", "Agreement"]
    assert weights == [1, 0, 0, 0, 0.6, 0.2]
    with pytest.raises(ValueError, match="where a coordinate lies"):
        reward_functions(Rule(), agreement=0.2)


def test_the_rule_is_what_the_settings_say() -> None:
    rule = rule_of(Grpo(curve="steps", require_levels=("city",)))
    assert rule == Rule(CURVES["steps"], (Level.CITY,))
