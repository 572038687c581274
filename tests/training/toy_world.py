"""A toy world for tests of the training half (this file: tests/training/toy_world.py): drawn photos of real cities, and a tiny model.

    shots = toy_album(folder, cities=8, photos_each=6)     pictures, and photos.csv with their places: a source for the album stage
    album = rows(shots)                                     AlbumRows; the last photo of each city is for the probe
    base_model(folder)                                      a tiny InternVL with random weights, whose words are those of the chains
    teach(folder, album, out)                               the same, trained until it writes chains: seconds on one core

A city is told by two colours, its sky and its ground; all else in a picture (horizon, shapes, light, grain) is noise, so pictures of
one city are no near-duplicates. llama.cpp computes this family as transformers does. Ask with the profile "mini", whose question is
short, and with `SETTINGS`, under which every photo is one tile.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from PIL import Image, ImageDraw

from georapp.chain import Chain, Level, render
from georapp.geo import Coordinate
from georapp.prompt import profile_named
from georapp.run_events import CONFIG, EVENTS, RunEvent, from_line
from georapp.run_settings import Model, RunConfig
from georapp.run_toml import write
from training.report import EventWriter
from training.rows import AlbumRow, Part, write_rows
from training.work import Work

FAMILY = "internvl"
PROFILE = "mini"
DECIMALS = 2  # 1 km; each digit is a token
SETTINGS = {"profile": PROFILE, "method": "full", "freeze_vision": False, "max_pixels": 64 * 64, "precision": "fp32"}
WIDTH, HEIGHT = 160, 128
COLOURS = ((220, 50, 40), (40, 170, 60), (50, 80, 220), (240, 220, 60))
_LEVELS = (Level.CONTINENT, Level.COUNTRY, Level.PROVINCE, Level.CITY)


class City(NamedTuple):
    """A place of the toy world, which is one of the Earth."""

    names: tuple[str, str, str, str]
    code: str
    lat: float
    lon: float


CITIES = (
    City(("Europe", "Portugal", "Lisbon", "Lisbon"), "PT", 38.72, -9.14),
    City(("Africa", "Kenya", "Nairobi", "Nairobi"), "KE", -1.29, 36.82),
    City(("Asia", "Japan", "Tokyo", "Tokyo"), "JP", 35.69, 139.69),
    City(("South America", "Peru", "Lima", "Lima"), "PE", -12.05, -77.04),
    City(("Oceania", "Australia", "Western Australia", "Perth"), "AU", -31.95, 115.86),
    City(("North America", "Canada", "Ontario", "Toronto"), "CA", 43.71, -79.4),
    City(("Europe", "Norway", "Oslo", "Oslo"), "NO", 59.91, 10.75),
    City(("Africa", "Egypt", "Cairo", "Cairo"), "EG", 30.06, 31.25),
    City(("Asia", "India", "Delhi", "Delhi"), "IN", 28.65, 77.23),
    City(("Europe", "Greece", "Attica", "Athens"), "GR", 37.98, 23.73),
    City(("South America", "Brazil", "Bahia", "Salvador"), "BR", -12.98, -38.48),
    City(("Africa", "Senegal", "Dakar", "Dakar"), "SN", 14.69, -17.44),
    City(("Asia", "South Korea", "Seoul", "Seoul"), "KR", 37.57, 126.98),
    City(("Oceania", "New Zealand", "Wellington", "Wellington"), "NZ", -41.29, 174.78),
    City(("North America", "Cuba", "La Habana", "Havana"), "CU", 23.13, -82.38),
    City(("Europe", "Iceland", "Capital Region", "Reykjavik"), "IS", 64.14, -21.9),
)


class Shot(NamedTuple):
    """A drawn photo and the spot where it was "taken", at most 3 km from the middle of its city."""

    path: Path
    coordinate: Coordinate
    city: City
    author: str


# ---- pictures ----


def draw(number: int, rng: random.Random) -> Image.Image:
    """A picture of the city CITIES[number]."""
    light = rng.uniform(0.8, 1.1)

    def shade(colour: Sequence[int]) -> tuple[int, ...]:
        return tuple(max(0, min(255, round(channel * light + rng.uniform(-10, 10)))) for channel in colour)

    picture = Image.new("RGB", (WIDTH, HEIGHT), shade(COLOURS[number % 4]))
    pen = ImageDraw.Draw(picture)
    horizon = HEIGHT // 2 + rng.randint(-12, 12)
    pen.rectangle((0, horizon, WIDTH, HEIGHT), fill=shade(COLOURS[number // 4]))
    for _ in range(6):
        x, y, side = rng.randrange(WIDTH), rng.randrange(HEIGHT), rng.randint(8, 24)
        outline = rng.choice((pen.ellipse, pen.rectangle))
        outline((x, y, x + side, y + side), fill=(rng.randint(60, 200),) * 3)
    for _ in range(200):
        picture.putpixel((rng.randrange(WIDTH), rng.randrange(HEIGHT)), tuple(rng.randrange(256) for _ in range(3)))
    return picture


def toy_album(folder: Path, *, cities: int = 8, photos_each: int = 6, seed: int = 0) -> list[Shot]:
    """Draw the photos of the first `cities` into `folder`, with photos.csv: file, lat, lon, author, licence. Six authors take turns."""
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(seed)
    shots = []
    for number, city in enumerate(CITIES[:cities]):
        for count in range(photos_each):
            path = folder / f"{city.names[3]}-{count}.png"
            draw(number, rng).save(path)
            place = Coordinate(round(city.lat + rng.uniform(-0.02, 0.02), 4), round(city.lon + rng.uniform(-0.02, 0.02), 4))
            shots.append(Shot(path, place, city, f"Author {(number + count) % 6}"))
    with (folder / "photos.csv").open("w", encoding="utf-8", newline="") as file:
        table = csv.writer(file)
        table.writerow(("file", "lat", "lon", "author", "licence"))
        table.writerows((shot.path.name, shot.coordinate.lat, shot.coordinate.lon, shot.author, "CC0") for shot in shots)
    return shots


def chain(city: City, place: Coordinate) -> str:
    """What a model should write."""
    names = zip(_LEVELS, city.names, strict=True)
    chain_format = profile_named(PROFILE).chain_format
    assert chain_format
    return render(Chain.of(names, place), chain_format, decimals=DECIMALS)


def rows(shots: Sequence[Shot], *, probe_each: int = 1) -> list[AlbumRow]:
    """The shots as an album; the last `probe_each` of every city are for the probe, of places that the training knows."""
    found = []
    for number, shot in enumerate(shots):
        later = sum(other.city == shot.city for other in shots[number + 1 :])
        found.append(
            AlbumRow(
                id=hashlib.sha256(shot.path.read_bytes()).hexdigest(),
                path=str(shot.path),
                lat=shot.coordinate.lat,
                lon=shot.coordinate.lon,
                country=shot.city.code,
                answer=chain(shot.city, shot.coordinate),
                part=Part.PROBE if later < probe_each else Part.TRAIN,
                author=shot.author.casefold(),
                block=CITIES.index(shot.city),
            )
        )
    return found


KNOWN = 6  # of the eight cities of ToyWorld: the taught model has never seen the last two


@dataclass(frozen=True)
class ToyWorld:
    """All of it, made once for a whole session: the fixture `toy`."""

    shots: list[Shot]
    album: list[AlbumRow]
    base: Path  # random weights
    taught: Path  # writes chains, right ones for the cities that it knows

    @classmethod
    def make(cls, folder: Path) -> ToyWorld:
        """In ten seconds."""
        shots = toy_album(folder / "photos")
        album = rows(shots)
        base_model(folder / "base")
        teach(folder / "base", [row for row in album if is_known(row)], folder / "taught")
        return cls(shots, album, folder / "base", folder / "taught")


def is_known(row: AlbumRow) -> bool:
    """Whether the taught model has seen this city."""
    return row.block < KNOWN


@contextlib.contextmanager
def run_of(folder: Path, album: Sequence[AlbumRow], base: Path, /, *, model: Any = None, **settings: Any) -> Iterator[Work]:
    """A run in `folder` whose album is made: what a stage is given. `model`: settings beside those that the toy world needs."""
    config = RunConfig(name="toy run", model=Model(base=str(base), **(SETTINGS | (model or {}))), **settings)
    folder.mkdir(exist_ok=True)
    write(config, folder / CONFIG)
    write_rows(album, folder / "album")
    with EventWriter(folder) as events:
        yield Work(folder, config, events)


def said(folder: Path) -> list[RunEvent]:
    """All that a run has said."""
    return [event for line in (folder / EVENTS).read_bytes().splitlines() if (event := from_line(line))]


# ---- the model ----


def words() -> list[str]:
    """A corpus for the tokenizer: names and question of the whole toy world, so that any part of it can be written."""
    middles = [chain(city, Coordinate(city.lat, city.lon)) for city in CITIES]
    return [*middles, *[profile_named(PROFILE).question] * 4]


def base_model(folder: Path, *, seed: int = 0) -> None:
    """Write a tiny model as a Hugging Face folder: random weights, with the licence that its README names."""
    from training import tiny

    tiny.build(FAMILY, folder, seed=seed, texts=words())
    (folder / "README.md").write_text("---\nlicense: apache-2.0\n---\n# A tiny model\n", encoding="utf-8")


def teach(folder: Path, album: Sequence[AlbumRow], out: Path, *, steps: int = 70, batch: int = 8, rate: float = 4e-3) -> None:
    """Train all weights of the model in `folder` on the training rows, in plain torch, and write it to `out`."""
    import torch

    from training.base import load

    base = load(folder, Model(**SETTINGS))
    model, processor = base.model, base.processor
    examples = [_example(base, row) for row in album if row.part is Part.TRAIN]
    rng = random.Random(0)
    optimiser = torch.optim.AdamW(model.parameters(), lr=rate, weight_decay=0.0)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimiser, max_lr=rate, total_steps=steps, pct_start=0.1)
    model.train()
    for _ in range(steps):
        loss = model(**_batch(rng.sample(examples, min(batch, len(examples))), processor.tokenizer.pad_token_id)).loss
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimiser.step()
        schedule.step()
    model.eval()
    model.save_pretrained(out)
    processor.save_pretrained(out)
    (out / "README.md").write_bytes((folder / "README.md").read_bytes())


def _example(base: Any, row: AlbumRow) -> dict[str, Any]:
    """One photo with its answer: `input_ids` and `labels` [t], `pixel_values` [1, 3, side, side]."""
    import torch

    prompt = base.prompt(profile_named(PROFILE).question)
    inputs = base.processor(images=[base.photo(Path(row.path))], text=[prompt], return_tensors="pt", add_special_tokens=False)
    answer = base.processor.tokenizer(row.answer + "<|im_end|>", return_tensors="pt", add_special_tokens=False)["input_ids"][0]
    asked = inputs["input_ids"][0]
    return {
        "input_ids": torch.cat([asked, answer]),
        "labels": torch.cat([torch.full_like(asked, -100), answer]),
        "pixel_values": inputs["pixel_values"],
    }


def _batch(examples: Sequence[dict[str, Any]], pad: int) -> dict[str, Any]:
    import torch
    from torch.nn.utils.rnn import pad_sequence

    ids = pad_sequence([example["input_ids"] for example in examples], batch_first=True, padding_value=pad)
    labels = pad_sequence([example["labels"] for example in examples], batch_first=True, padding_value=-100)
    lengths = torch.tensor([len(example["input_ids"]) for example in examples])
    mask = (torch.arange(ids.shape[1])[None] < lengths[:, None]).long()
    return {
        "input_ids": ids,
        "attention_mask": mask,
        "labels": labels,
        "pixel_values": torch.cat([example["pixel_values"] for example in examples]),
    }
