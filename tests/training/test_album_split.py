"""The split: nothing that belongs together stands on both sides, and where that cannot be, it says so."""

from __future__ import annotations

import dataclasses
import hashlib
import random
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georapp.geo import Coordinate, distance_km
from georapp.run_settings import Album
from training import links
from training.rows import Part
from training.shots import Shot
from training.split import NOTHING, STEPS, Link, Split, on_both_sides, split

ALBUM = Album()
BEGAN = datetime(2024, 5, 1, 12)


def shot(number: int, lat: float, lon: float, *, author: str = "", minutes: float | None = None, look: int | None = None) -> Shot:
    own = hashlib.sha256(str(number).encode()).digest()
    look = int.from_bytes(own[:16], "big") if look is None else look
    taken_at = "" if minutes is None else (BEGAN + timedelta(minutes=minutes)).isoformat()
    return Shot(own.hex(), Path(f"{number}.jpg"), Coordinate(lat, lon), author, author or "source 0", taken_at, look)


def around(number: int, towns: Sequence[tuple[float, float]], seed: int = 0) -> list[Shot]:
    """So many photos in each town, within a few kilometres."""
    dice = random.Random(seed)
    return [
        shot(1000 * i + j, lat + dice.uniform(-0.03, 0.03), lon + dice.uniform(-0.03, 0.03))
        for i, (lat, lon) in enumerate(towns)
        for j in range(number)
    ]


def world(count: int, seed: int = 0) -> list[tuple[float, float]]:
    dice = random.Random(seed)
    return [(dice.uniform(-60, 70), dice.uniform(-180, 180)) for _ in range(count)]


def held_out(shots: Sequence[Shot], made: Split) -> list[Shot]:
    return [one for one, part in zip(shots, made.parts, strict=True) if part in (Part.PROBE, Part.HELD_OUT)]


def trained_on(shots: Sequence[Shot], made: Split) -> list[Shot]:
    return [one for one, part in zip(shots, made.parts, strict=True) if part is Part.TRAIN]


# ---- nothing on both sides ----


@st.composite
def albums(draw: st.DrawFn) -> list[Shot]:
    """Towns near and far, at the poles and the date line; bursts, near-duplicates, photographers at random."""
    towns = draw(st.lists(st.tuples(st.floats(-90, 90), st.floats(-180, 180)), min_size=1, max_size=12))
    dice = random.Random(draw(st.integers(0, 2**32)))
    authors = ["", *(f"author {i}" for i in range(draw(st.integers(1, 15))))]
    shots: list[Shot] = []
    for number in range(draw(st.integers(1, 60))):
        lat, lon = dice.choice(towns)
        place = max(-90, min(90, lat + dice.gauss(0, 0.2))), (lon + dice.gauss(0, 0.3) + 180) % 360 - 180
        minutes = None if dice.random() < 0.2 else dice.choice([dice.uniform(0, 30), dice.uniform(0, 30_000)])
        look = shots[-1].look ^ (1 << dice.randrange(128)) if shots and dice.random() < 0.2 else None
        shots.append(shot(number, *place, author=dice.choice(authors), minutes=minutes, look=look))
    return shots


def in_a_burst(a: Shot, b: Shot) -> bool:
    if a.roll != b.roll or not (a.taken_at and b.taken_at):
        return False
    return abs((datetime.fromisoformat(a.taken_at) - datetime.fromisoformat(b.taken_at)).total_seconds()) <= ALBUM.burst_seconds


TIED = {
    Link.PLACE: lambda a, b: distance_km(a.place, b.place) <= ALBUM.block_km - 1e-6,
    Link.BURST: in_a_burst,
    Link.LOOK: lambda a, b: (a.look ^ b.look).bit_count() <= links.SAME_LOOK_BITS,
    Link.AUTHOR: lambda a, b: bool(a.author) and a.author == b.author,
    Link.DAY: lambda a, b: a.roll == b.roll and bool(a.taken_at) and a.taken_at[:10] == b.taken_at[:10],
}


@settings(max_examples=150)
@given(shots=albums(), seed=st.integers(0, 5))
def test_nothing_that_belongs_together_stands_on_both_sides(shots: list[Shot], seed: int) -> None:
    """Every photo that is trained on against every one that is held out, by definitions of their own."""
    made = split(shots, ALBUM, seed=seed)
    sides = [(a, b) for a in trained_on(shots, made) for b in held_out(shots, made)]
    assert not [(kind, a, b) for kind in made.step.links for a, b in sides if TIED[kind](a, b)]
    both = on_both_sides(shots, made.parts, ALBUM)
    assert not any(both[kind] for kind in made.step.links)
    assert trained_on(shots, made)


@settings(max_examples=60)
@given(shots=albums(), percent=st.floats(1, 50), seed=st.integers(0, 5))
def test_about_as_much_is_held_out_as_was_asked_for(shots: list[Shot], percent: float, seed: int) -> None:
    made = split(shots, dataclasses.replace(ALBUM, held_out_percent=percent), seed=seed)
    held, wanted = len(held_out(shots, made)), len(shots) * percent / 100
    assert made.step is NOTHING or max(1, wanted / 2) <= held <= max(1, 2 * wanted)
    assert split(shots, dataclasses.replace(ALBUM, held_out_percent=percent), seed=seed) == made


@settings(max_examples=60)
@given(shots=albums(), km=st.floats(0.1, 2000))
def test_places_are_those_that_hang_together_within_the_distance(shots: list[Shot], km: float) -> None:
    points = links.points([s.place.lat for s in shots], [s.place.lon for s in shots])
    made = links.groups(len(shots), [links.near(points, km)])
    pairs = [(i, j) for i in range(len(shots)) for j in range(i) if distance_km(shots[i].place, shots[j].place) <= km]
    plain = links.groups(len(shots), [np.array(pairs, np.int64).reshape(-1, 2)])
    assert made.tolist() == plain.tolist()


def test_two_photos_just_near_enough_are_one_place_in_every_direction() -> None:
    """Wherever both lie in the cubes into which the sphere is cut."""
    dice = np.random.default_rng(0)
    here = dice.normal(size=(3000, 3))
    here /= np.linalg.norm(here, axis=1, keepdims=True)
    there = here + dice.normal(size=here.shape) * 0.004
    there /= np.linalg.norm(there, axis=1, keepdims=True)
    for pair in np.stack([here, there], 1):
        (km,) = links.nearest_km(pair[:1], pair[1:])
        assert len(links.near(pair, km * 1.001)) == 1
        assert len(links.near(pair, km * 0.999)) == 0


def test_a_thousand_photos_of_one_town_need_few_pairs() -> None:
    shots = around(1000, [(48.1, 11.5)])
    points = links.points([s.place.lat for s in shots], [s.place.lon for s in shots])
    pairs = links.near(points, 25)
    assert len(pairs) < 1100
    assert links.groups(1000, [pairs]).max() == 0


def test_distances_to_the_nearest() -> None:
    a, b = [(0.0, 179.9), (89.9, 0.0)], [(0.0, -179.9), (10.0, 10.0)]
    km = links.nearest_km(links.points(*zip(*a, strict=True)), links.points(*zip(*b, strict=True)))
    expected = [min(distance_km(Coordinate(*x), Coordinate(*y)) for y in b) for x in a]
    assert km.tolist() == pytest.approx(expected)
    assert links.nearest_km(links.points([1.0], [1.0]), links.points([], [])).tolist() == [np.inf]


def test_a_photo_is_alike_itself_saved_again_and_no_other() -> None:
    looks = [one.look for one in around(50, world(4))]
    near = looks[7] ^ 0b1011 ^ (1 << 90)
    assert links.alike([*looks, near]).tolist() == [[7, 200]]


# ---- step by step ----


def test_only_what_was_said_is_given_up() -> None:
    """The first step gives up nothing, every later one says what; bursts and near-duplicates are never torn apart."""
    assert set(STEPS[0].links) == set(Link) - {Link.DAY}
    assert [bool(step.loss) for step in (*STEPS, NOTHING)] == [False] + [True] * len(STEPS)
    assert all({Link.BURST, Link.LOOK} <= set(step.links) for step in STEPS)


def test_many_places_and_photographers() -> None:
    shots = [dataclasses.replace(one, author=f"author {i // 3}") for i, one in enumerate(around(3, world(60)))]
    made = split(shots, ALBUM, seed=0)
    assert made.step is STEPS[0]
    assert made.remarks == ()


def test_one_photographer_of_many_places() -> None:
    shots = [dataclasses.replace(one, author="ann", roll="ann") for one in around(5, world(40))]
    made = split(shots, ALBUM, seed=0)
    assert made.step.name == "places"
    assert "Photographers stand on both sides" in made.remarks[0]
    assert on_both_sides(shots, made.parts, ALBUM)[Link.PLACE] == 0


def test_a_dense_region_is_cut_with_a_gap() -> None:
    """A photo each 10 km over 600 x 600 km hangs together as one place."""
    shots = [shot(60 * i + j, 45 + i * 0.09, 5 + j * 0.13) for i in range(60) for j in range(60)]
    made = split(shots, ALBUM, seed=0)
    assert made.largest == 3600
    assert made.step.gap
    between = made.parts.count(None)
    assert 0 < between < 1800
    assert "left out" in made.remarks[0]
    sides = [
        links.points([s.place.lat for s in some], [s.place.lon for s in some])
        for some in (held_out(shots, made), trained_on(shots, made))
    ]
    assert links.nearest_km(*sides).min() > ALBUM.block_km


def test_everything_in_one_place_is_split_by_days() -> None:
    shots = [shot(i, 48.1, 11.5, minutes=60 * 24 * (i // 4) + i) for i in range(120)]
    made = split(shots, ALBUM, seed=0)
    assert made.step.name == "days"
    assert "known places" in made.remarks[0]
    both = on_both_sides(shots, made.parts, ALBUM)
    assert (both[Link.PLACE], both[Link.DAY]) == (1, 0)


def test_everything_in_one_place_on_one_day() -> None:
    shots = [shot(i, 48.1, 11.5, minutes=5 * i) for i in range(10)]
    made = split(shots, ALBUM, seed=0)
    assert made.step.name == "bursts"
    assert 1 <= len(held_out(shots, made)) <= 3


def test_a_single_burst_cannot_be_split() -> None:
    shots = [shot(i, 48.1, 11.5, minutes=0.1 * i) for i in range(10)]
    made = split(shots, ALBUM, seed=0)
    assert made.step is NOTHING
    assert set(made.parts) == {Part.TRAIN}
    assert "cannot be measured" in made.remarks[0]


def test_one_photo() -> None:
    assert split([shot(1, 48.1, 11.5)], ALBUM, seed=0).parts == (Part.TRAIN,)


def test_photos_without_a_time_are_said() -> None:
    shots = [shot(i, 48.1, 11.5, minutes=60 * 24 * i if i % 2 else None) for i in range(40)]
    made = split(shots, ALBUM, seed=0)
    assert "20 photos have no time" in " ".join(made.remarks)


# ---- what tables say, the probe, later photos ----


def test_what_a_table_holds_out_is_held_out_and_nothing_else() -> None:
    shots = [
        dataclasses.replace(one, said=Part.HELD_OUT if i // 5 % 4 == 0 else Part.TRAIN)
        for i, one in enumerate(around(5, world(40)))
    ]
    made = split(shots, ALBUM, seed=0)
    assert [one.said for one in held_out(shots, made)] == [Part.HELD_OUT] * 50
    assert {one.said for one in trained_on(shots, made)} == {Part.TRAIN}


def test_a_held_out_photo_takes_its_place_with_it() -> None:
    shots = around(5, world(40))
    shots[0] = dataclasses.replace(shots[0], said=Part.HELD_OUT)
    made = split(shots, ALBUM, seed=0)
    assert Part.TRAIN not in made.parts[:5]


@pytest.mark.parametrize("photos", [1, 7, 20, 1000])
def test_the_probe_is_whole_groups_and_not_too_large(photos: int) -> None:
    shots = around(5, world(100))
    made = split(shots, dataclasses.replace(ALBUM, probe_photos=photos), seed=0)
    probe = [one for one, part in zip(shots, made.parts, strict=True) if part is Part.PROBE]
    towns = {int(one.path.stem) // 1000 for one in probe}
    assert 0 < len(probe) <= photos
    if photos >= 5:
        assert len(probe) == 5 * len(towns)
    else:
        assert any("part of one group" in text for text in made.remarks)


def test_later_photos_of_other_places_move_no_earlier_ones() -> None:
    shots = around(3, world(300))
    others = around(3, world(60, seed=9), seed=9)
    more = [*shots, *(dataclasses.replace(one, id=one.id[::-1], look=~one.look & (2**128 - 1)) for one in others)]
    before, after = split(shots, ALBUM, seed=0).parts, split(more, ALBUM, seed=0).parts[: len(shots)]
    moved = sum((a is Part.TRAIN) != (b is Part.TRAIN) for a, b in zip(before, after, strict=True))
    assert moved == 0
    assert split(shots, ALBUM, seed=1).parts != before


def test_the_order_of_the_photos_does_not_matter() -> None:
    shots = around(3, world(100))
    mixed = random.Random(0).sample(shots, len(shots))
    one, other = split(shots, ALBUM, seed=0), split(mixed, ALBUM, seed=0)
    assert {s.id: p for s, p in zip(shots, one.parts, strict=True)} == {s.id: p for s, p in zip(mixed, other.parts, strict=True)}
