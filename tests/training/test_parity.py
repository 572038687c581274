"""GGUF beside torch: what counts as broken, and the process that is asked."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.errors import RunError, Stopped
from georapp.prompt import profile_named
from tests.training.toy_world import ToyWorld
from training.parity import Parity, compare, locate
from training.report import EventWriter

MINI = profile_named("mini")
LISBON = "Country: Portugal\nCity: Lisbon\nCoordinates: (38.72, -9.14)"
NEAR_LISBON = "Country: Portugal\nCity: Lisbon\nCoordinates: (38.70, -9.10)"
LIMA = "Country: Peru\nCity: Lima\nCoordinates: (-12.05, -77.04)"
NOTHING = "I cannot say."


def test_chains_are_compared_to_the_letter_and_places_in_km() -> None:
    parity = compare(
        "q8_0", [LISBON, LISBON, LISBON, LISBON, NOTHING], [LISBON + "\n", NEAR_LISBON, LIMA, NOTHING, NOTHING], MINI
    )

    assert (parity.n, parity.same, parity.one_sided, parity.apart) == (5, 2, 1, 2)
    assert parity.largest_km == pytest.approx(9006, abs=5)
    assert "q8_0: 2 of 5 chains are the same as in torch, places differ by up to 9,006." in parity.sentence
    assert "1 got one from only one of them" in parity.sentence


def test_a_model_that_names_no_place_can_agree_all_the_same() -> None:
    parity = compare("f32", [NOTHING, "x"], [NOTHING, "y"], MINI)

    assert parity.largest_km is None
    assert not parity.broken
    assert "no photo got a place from both" in parity.sentence


@pytest.mark.parametrize(
    ("kind", "exported", "broken"),
    [
        ("f32", [LIMA] * 3, True),
        ("f16", [LIMA, LIMA, NOTHING], True),
        ("f16", [NEAR_LISBON] * 3, False),  # other letters, the same place
        ("f16", [LISBON, LISBON, LIMA], False),
        ("q8_0", [LIMA] * 3, False),  # differs by right
        ("q4_1", [NOTHING] * 3, False),
    ],
)
def test_only_types_that_lose_nothing_can_be_broken(kind: str, exported: list[str], broken: bool) -> None:
    assert compare(kind, [LISBON] * 3, exported, MINI).broken == broken


@given(st.lists(st.tuples(*[st.sampled_from([LISBON, NEAR_LISBON, LIMA, NOTHING])] * 2), max_size=8))
def test_equal_answers_are_never_apart(pairs: list[tuple[str, str]]) -> None:
    parity = compare("f16", [a for a, _ in pairs], [b for _, b in pairs], MINI)

    assert parity.same + parity.apart <= parity.n == len(pairs)
    assert parity.one_sided <= parity.apart
    assert isinstance(parity, Parity)


def test_a_model_that_georapp_cannot_open_is_an_error_in_its_words(toy: ToyWorld, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "model.json").write_text("{}", "utf-8")
    with (
        EventWriter(tmp_path) as events,
        pytest.raises(RunError, match=r"does not answer in georapp: .*model\.json.* is damaged"),
    ):
        locate(tmp_path / "model", [toy.shots[0].path], events)


def test_a_run_that_is_stopped_does_not_wait_for_the_answers(
    toy: ToyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sleep = shutil.which("sleep")
    assert sleep
    monkeypatch.setattr("training.parity._command", lambda *_: [sleep, "600"])
    with EventWriter(tmp_path) as events:
        events.request_stop()
        with pytest.raises(Stopped):
            locate(tmp_path, [toy.shots[0].path], events)
