"""Which photos GRPO is given: the rule on made-up distances, and the stage with a model that knows six of eight cities."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.errors import RunError, Stopped
from georapp.geo import Coordinate, distance_km
from georapp.run_events import STOP, Step
from georapp.run_settings import Grpo, Hard
from tests.training.toy_world import ToyWorld, is_known, run_of, said
from training import hard
from training.answers_file import Answered, AnswersFile
from training.rows import AlbumRow, Part
from training.work import HARD, Work

TOY = Hard(keep_at_least=1)
AT_ONCE = Grpo(batch=8)


def row(number: int, lat: float = 0.0, lon: float = 0.0) -> AlbumRow:
    return AlbumRow(hashlib.sha256(b"%d" % number).hexdigest(), f"{number}.jpg", lat, lon, "", "", Part.TRAIN)


# ---- the rule ----

distances_of_many = st.lists(st.none() | st.floats(0, 20_000), max_size=40)
settings_of_any_kind = st.builds(
    Hard,
    method=st.sampled_from(["missed", "hotspots"]),
    over_km=st.floats(1, 5000),
    solved_km=st.floats(1, 5000),
    keep_at_least=st.integers(1, 50),
    easy_share=st.floats(0, 1),
)


@given(distances_of_many, settings_of_any_kind)
def test_every_photo_is_kept_once_or_dropped_and_the_floor_holds(distances: list[float | None], settings: Hard) -> None:
    rows = [row(number, lat=number % 80, lon=number * 3 % 170) for number in range(len(distances))]

    choice = hard.choose(rows, distances, settings)

    assert len(choice.kept) == len(choice.hard) + len(choice.floor) + len(choice.anchor)
    assert len(choice.hard) + len(choice.floor) >= min(settings.keep_at_least, len(rows))
    assert len(choice.anchor) == round(settings.easy_share * (len(rows) - len(choice.hard) - len(choice.floor)))
    assert len(choice.hard) + choice.solved == len(rows)
    assert choice.kept <= {one.id for one in rows}


@given(distances_of_many, settings_of_any_kind, st.randoms())
def test_the_order_of_the_album_makes_no_difference(distances: list[float | None], settings: Hard, chance: random.Random) -> None:
    pairs = [(row(number, lat=number % 80), km) for number, km in enumerate(distances)]
    mixed = list(pairs)
    chance.shuffle(mixed)

    first, again = (hard.choose([one for one, _ in album], [km for _, km in album], settings) for album in (pairs, mixed))

    assert first == again


def test_what_is_missed_by_more_than_200_km_is_kept_and_half_of_the_rest() -> None:
    rows = [row(number) for number in range(10)]

    choice = hard.choose(rows, [None, 5000, 201, 200, 100, 50, 20, 10, 5, 0], TOY)

    assert choice.hard == (rows[0].id, rows[1].id, rows[2].id)
    assert len(choice.anchor) == round(7 / 2)
    assert not choice.floor


def test_the_worst_ones_fill_up_what_is_lacking() -> None:
    rows = [row(number) for number in range(4)]

    choice = hard.choose(rows, [10, 30, 20, 300], Hard(keep_at_least=3, easy_share=0))

    assert (choice.hard, choice.floor, choice.anchor) == ((rows[3].id,), (rows[1].id, rows[2].id), ())


def test_hotspots_drop_all_around_what_was_solved_whatever_was_answered_there() -> None:
    """As in Geo-R: 200 km around each solved photo. 2 degrees of latitude are 222 km."""
    rows = [row(0, lat=0), row(1, lat=1), row(2, lat=2), row(3, lat=0, lon=180), row(4, lat=-1.7)]

    choice = hard.choose(rows, [5, 9000, 9000, 100, 30], Hard(method="hotspots", keep_at_least=1, easy_share=0))

    assert set(choice.hard) == {rows[2].id, rows[3].id}


@given(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=12), st.floats(1, 20_000))
def test_hotspots_go_by_great_circles(places: list[tuple[float, float]], over_km: float) -> None:
    rows = [row(number, lat, lon) for number, (lat, lon) in enumerate(places)]
    settings = Hard(method="hotspots", over_km=over_km, keep_at_least=1, easy_share=0)

    choice = hard.choose(rows, [0.0] + [999.0] * (len(rows) - 1), settings)

    for one in rows:
        km = distance_km(one.coordinate, Coordinate(*places[0]))
        if abs(km - over_km) > 0.01:
            assert (one.id in choice.hard) == (km > over_km)


def test_without_a_solved_photo_there_is_no_hotspot() -> None:
    rows = [row(number) for number in range(3)]

    assert len(hard.choose(rows, [None, 900, 300], Hard(method="hotspots", keep_at_least=1)).hard) == 3


def test_the_report_says_what_was_done() -> None:
    rows, distances = [row(number) for number in range(6)], [None, 5000, 201, 10, 5, 1]

    missed, hotspots, small = (
        " ".join(hard.report(hard.choose(rows, distances, settings), distances, settings, missing=2))
        for settings in (TOY, Hard(method="hotspots", keep_at_least=1), Hard(keep_at_least=64))
    )

    assert "asked about 6 training photos. It misses 3 of them by more than 200 km, 1 of these without" in missed
    assert "Kept are 3 hard photos, and 2 solved ones as an anchor." in missed
    assert "2 photos could not be read any more" in missed
    assert "It solves 3 within 25 km" in hotspots
    assert "fewer photos than hard.keep_at_least" in small


# ---- the stage ----


def facts(work: Work) -> dict[str, object]:
    found = work.facts(HARD)
    assert found is not None
    return found


def test_the_cities_that_the_model_does_not_know_are_kept(toy: ToyWorld, tmp_path: Path) -> None:
    taught_on = [one for one in toy.album if one.part is Part.TRAIN]
    with run_of(tmp_path / "run", toy.album, toy.taught, hard=TOY, grpo=AT_ONCE) as work:
        hard.run(work)
        found = facts(work)

    unknown = {one.id for one in taught_on if not is_known(one)}
    assert unknown <= set(found["ids"])
    assert (found["photos"], found["hard"], found["anchor"], found["missing"]) == (40, 10, 15, 0)
    assert found["distances"].keys() == {one.id for one in taught_on}
    assert all(km is None or km > 200 for photo, km in found["distances"].items() if photo in unknown)
    assert "misses 10 of them" in " ".join(found["report"])
    steps = [event for event in said(tmp_path / "run") if isinstance(event, Step)]
    assert (steps[-1].stage, steps[-1].step, steps[-1].total) == (HARD, 40, 40)
    assert steps[-1].values["missed"] == 0.25


def test_a_stopped_stage_goes_on_and_chooses_the_same(toy: ToyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with run_of(tmp_path / "whole", toy.album, toy.taught, hard=TOY, grpo=AT_ONCE) as work:
        hard.run(work)
        whole = facts(work)
    folder, asked = tmp_path / "broken", list[int]()
    answers = hard.answers

    def counted(*arguments: object, **more: object) -> list[list[str]]:
        asked.append(len(arguments[1]))
        if len(asked) == 2:
            (folder / STOP).touch()
        return answers(*arguments, **more)

    monkeypatch.setattr(hard, "answers", counted)
    with run_of(folder, toy.album, toy.taught, hard=TOY, grpo=AT_ONCE) as work:
        with pytest.raises(Stopped):
            hard.run(work)
        assert asked == [8, 8]
        assert not work.is_done(HARD)
    (folder / STOP).unlink()
    with (folder / HARD / hard.ANSWERS).open("a", encoding="utf-8") as file:
        file.write('{"id": "torn')
    with run_of(folder, toy.album, toy.taught, hard=TOY, grpo=AT_ONCE) as work:
        hard.run(work)

        assert asked == [8, 8, 8, 8, 8]
        assert facts(work) == whole


def test_photos_that_are_gone_are_counted_and_left_out(toy: ToyWorld, tmp_path: Path) -> None:
    album = [dataclasses.replace(one, path=str(tmp_path / "gone")) if not is_known(one) else one for one in toy.album]
    with run_of(tmp_path / "run", album, toy.taught, hard=TOY, grpo=AT_ONCE) as work:
        hard.run(work)
        found = facts(work)

    assert (found["missing"], found["hard"]) == (10, 0)
    assert found["floor"] == 1
    assert "10 photos could not be read any more and are left out." in found["report"]


def test_an_album_on_a_drive_that_was_moved_is_an_error(toy: ToyWorld, tmp_path: Path) -> None:
    album = [dataclasses.replace(one, path=str(tmp_path / "gone")) for one in toy.album]

    with (
        run_of(tmp_path / "run", album, toy.taught, hard=TOY, grpo=AT_ONCE) as work,
        pytest.raises(RunError, match="None of the 40 training photos can be read"),
    ):
        hard.run(work)


# ---- the file of answers ----


def test_answers_of_another_model_are_thrown_away(tmp_path: Path) -> None:
    path, answers = tmp_path / "answers.jsonl", [Answered("a", "Country: Chad\n…", 3.5), Answered("b", "", None)]
    AnswersFile(path, "first model").add(answers)

    assert list(AnswersFile(path, "first model").known.values()) == answers
    assert AnswersFile(path, "second model").known == {}
    assert AnswersFile(path, "first model").known == {}


@pytest.mark.parametrize("harm", ['{"id": "c", "te', '{"id": 5}\n', "[[[[\n", '{"id": "c", "text": "x", "km": "far"}\n'])
def test_a_spoiled_line_spoils_only_itself(harm: str, tmp_path: Path) -> None:
    path = tmp_path / "answers.jsonl"
    AnswersFile(path, "key").add([Answered("a", "x", 1.0)])
    with path.open("a", encoding="utf-8") as file:
        file.write(harm)

    again = AnswersFile(path, "key")
    again.add([Answered("b", "y", None)])

    assert again.known.keys() == AnswersFile(path, "key").known.keys() == {"a", "b"}
    assert all(json.loads(line) for line in path.read_text("utf-8").splitlines())


def test_a_disk_that_takes_no_answers_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be kept"):
        AnswersFile(tmp_path / "no folder" / "answers.jsonl", "key")
