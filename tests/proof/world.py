"""The toy world of the proof: drawn photos of real cities, in which looks can be confused, so that answers can be better or worse.

A photo shows a sky and a ground. Each city has its own pair of colours out of four and four, dealt anew for every seed; haze, which is
another one in every photo, mixes both towards grey, so that some photos are clear and some could be of several cities. Horizon,
shapes, light and grain are noise. No spot is photographed twice, so held-out photos show spots that nobody was trained on, of cities
that are known. The table says which photos are held out.

The album stage makes the labels, from the place data of the program. A spot whose city has another name than most is drawn anew
elsewhere: the tiny model should spend its steps on places, not on spelling.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw

from georapp.geo import Coordinate
from georapp.prompt import profile_named
from tests.training.toy_world import CITIES, DECIMALS, FAMILY, PROFILE, City, teach
from training import tiny
from training.labels import answer, labels
from training.rows import AlbumRow, Part

TABLE = "photos.csv"
SIDE = 96  # pixels
SKIES = ((60, 130, 255), (255, 150, 40), (150, 150, 160), (250, 90, 160))
GROUNDS = ((40, 170, 50), (235, 235, 240), (25, 20, 30), (215, 45, 40))
GREY = (128, 128, 128)
DEGREES = 0.05  # of a spot from the middle of its city, at most: 5 km
CELL = 0.002  # degrees between the spots of one city: more than the 100 m within which an album holds two to be one


@dataclass(frozen=True, slots=True)
class World:
    """How large it is. `haze`: the most of a photo's colours that is grey; `grain`: deviation of its colours, of 255."""

    train_each: int
    held_out_each: int
    haze: float
    grain: float


@dataclass(frozen=True, slots=True)
class Spot:
    """Where a photo is taken, and what the model should write about it."""

    city: int  # index in CITIES
    place: Coordinate
    country: str
    answer: str
    held_out: bool


def make(folder: Path, world: World, *, seed: int) -> list[Spot]:
    """Draw the photos into `folder`, with their table. The same seed gives the same files."""
    rng = random.Random(seed)
    looks = rng.sample(range(len(SKIES) * len(GROUNDS)), len(CITIES))
    spots = [spot for number in range(len(CITIES)) for spot in _spots(number, world, rng)]
    folder.mkdir(parents=True)
    for number, spot in enumerate(spots):
        draw(looks[spot.city], world, rng).save(folder / name_of(number))
    with (folder / TABLE).open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "lat", "lon", "licence", "split"))
        table.writerows(
            (name_of(number), spot.place.lat, spot.place.lon, "CC0", "val" if spot.held_out else "train")
            for number, spot in enumerate(spots)
        )
    return spots


def name_of(number: int) -> str:
    """Of a photo's file; it says nothing about the place."""
    return f"{number:05}.png"


def _spots(number: int, world: World, rng: random.Random) -> list[Spot]:
    """Of one city, all with its usual names; the first ones are held out, which is as good as by chance."""
    city, wanted = CITIES[number], world.train_each + world.held_out_each
    places = _places(city, 4 * wanted, rng)
    named = labels(places, "polygons")
    names = [(label.country, label.province, label.city) for label in named]
    usual = Counter(names).most_common(1)[0][0]
    kept = [(place, label) for place, label, name in zip(places, named, names, strict=True) if name == usual][:wanted]
    if len(kept) < wanted:
        raise ValueError(f"{city.names[3]} has only {len(kept)} spots named {usual}.")
    profile = profile_named(PROFILE)
    return [
        Spot(number, place, label.country_code or "", answer(label, place, profile, DECIMALS), count < world.held_out_each)
        for count, (place, label) in enumerate(kept)
    ]


def _places(city: City, count: int, rng: random.Random) -> list[Coordinate]:
    """Corners of a grid, each once."""
    found: dict[tuple[int, int], Coordinate] = {}
    while len(found) < count:
        lat, lon = city.lat + rng.uniform(-DEGREES, DEGREES), city.lon + rng.uniform(-DEGREES, DEGREES)
        cell = (round(lat / CELL), round(lon / CELL))
        found.setdefault(cell, Coordinate(round(cell[0] * CELL, 4), round(cell[1] * CELL, 4)))
    places = list(found.values())
    rng.shuffle(places)
    return places


def draw(look: int, world: World, rng: random.Random) -> Image.Image:
    """A photo that looks like the city with this pair of colours."""
    haze, light = rng.uniform(0, world.haze), rng.uniform(0.85, 1.1)

    def shade(colour: Sequence[int]) -> tuple[int, ...]:
        mixed = ((1 - haze) * channel + haze * grey for channel, grey in zip(colour, GREY, strict=True))
        return tuple(max(0, min(255, round(channel * light + rng.gauss(0, world.grain)))) for channel in mixed)

    picture = Image.new("RGB", (SIDE, SIDE), shade(SKIES[look % len(SKIES)]))
    pen = ImageDraw.Draw(picture)
    pen.rectangle((0, SIDE // 2 + rng.randint(-10, 10), SIDE, SIDE), fill=shade(GROUNDS[look // len(SKIES)]))
    for _ in range(6):
        x, y, side = rng.randrange(SIDE), rng.randrange(SIDE), rng.randint(6, 18)
        outline = rng.choice((pen.ellipse, pen.rectangle))
        outline((x, y, x + side, y + side), fill=(rng.randint(60, 200),) * 3)
    for _ in range(150):
        picture.putpixel((rng.randrange(SIDE), rng.randrange(SIDE)), tuple(rng.randrange(256) for _ in range(3)))
    return picture


@dataclass(frozen=True, slots=True)
class Beginning:
    """How a base model is made: of how many photos of each city, in how many steps of how many photos, and the learning rate."""

    photos_each: int
    steps: int
    batch: int
    rate: float


def base_model(photos: Path, spots: Sequence[Spot], folder: Path, beginning: Beginning, *, seed: int) -> None:
    """FOLDER/base: a tiny model that writes chains and begins to know the places, as published models do before they are tuned."""
    taught = []
    for city in range(len(CITIES)):
        of_city = [(number, spot) for number, spot in enumerate(spots) if spot.city == city and not spot.held_out]
        taught += of_city[: beginning.photos_each]
    words = [spot.answer for _, spot in taught[:: max(1, len(taught) // 200)]]
    tiny.build(FAMILY, folder / "random", seed=seed, texts=[*words, *[profile_named(PROFILE).question] * len(words)])
    (folder / "random" / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A tiny model\n", encoding="utf-8")
    rows = [_row(photos / name_of(number), spot) for number, spot in taught]
    teach(folder / "random", rows, folder / "base", steps=beginning.steps, batch=beginning.batch, rate=beginning.rate)


def _row(path: Path, spot: Spot) -> AlbumRow:
    return AlbumRow(path.name, str(path), spot.place.lat, spot.place.lon, spot.country, spot.answer, Part.TRAIN)
