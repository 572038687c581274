"""Writes the card and the credits of a published model from measured reports.

georapp evaluate runs/mini/known.csv PHOTOS --format json > runs/mini/known.json
georapp evaluate runs/mini/new.csv PHOTOS --format json > runs/mini/new.json
python -m training.mini.card MODEL PHOTOS runs/mini/known.json runs/mini/new.json
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from georapp import models
from training.album import Album, read_album
from training.mini.settings import HELD_OUT_PERCENT, Settings

Report = Mapping[str, Any]
_LIMITS = ("1", "25", "200", "750", "2500")


def card(model: models.Model, album: Album, known: Report, new: Report) -> str:
    """The text of README.md. Every figure comes from the reports."""
    settings = Settings()
    evidence = settings.evidence
    size = sum(file.bytes for file in model.files) / 1e6
    authors = len({photo.author for photo in album.fit})
    return f"""# georapp mini 1

A small model that says where a photo was taken, so that georapp answers out of the box: {size:.1f} MB, under a second a photo on two
cores. Its answers are weak hints. **Larger models are the way to real accuracy**: get the GGUF of a Qwen-VL class model and its mmproj
file, add the pair with `georapp models import TEXT.gguf MMPROJ.gguf`, and ask it with `georapp locate --model NAME PHOTO`.

## How it works

`tower.onnx` scales a photo to {settings.tower.image_size} x {settings.tower.image_size} pixels, computes {settings.tower.width} features with
a fine-tuned EfficientNet-lite0, and lets its {len(album.fit):,} training photos and a linear probe vote for places. The
{evidence.candidates} places with most votes are shown to `text.gguf`, a Llama of {settings.text.layers} layers, in its own words:
coordinate and names, and how the votes fell. It reads them as rows through llama.cpp and writes a Chain of Region. It is asked
{model.samples} times at temperature {model.temperature:g}; a level is stated only where enough samples agree: {_needed(model)}.
Temperature and agreement were chosen on photos of {HELD_OUT_PERCENT} % of the photographers, on whom the text model was not tuned; there it was
not more accurate than its first candidate (`training/mini/README.md`). It adds words, and when to say nothing.
`references.npz` holds features and places of the training photos, and the linear probe, for comparing. There is no photo in any of these
files.

## Measured

On photos that neither the tower nor the text model has seen, by photographers who have no photo in the training. In brackets 95 %
Wilson intervals; they take photos as independent, which flatters. Answers without a coordinate count as misses.

{_section("Known places, other photographers: a training photo lies within 25 km", known, "known")}
{_section("New places: no training photo within 25 km", new, "new")}
*Nearest training photo* and *linear probe* use the features of the same fine-tuned tower, so they are what votes and text model have to beat.
*GeoScore* is GeoGuessr's, 5000 at best. Made with `georapp evaluate`, see `training/mini/README.md`.

## What it cannot do

- **Say where an ordinary street is.** It learned from pictures of sights, mostly from Wikimedia Commons, and most test photos are sights
  too: all figures flatter.
{_against_baselines(known)}- **Know a place that it has not seen.** See the second table: nothing is clearly better there than
  saying the most frequent country. It mostly says "not localisable", sometimes a continent, and some of these are wrong.
- Read signs, know plates, recognise languages, plants or the side of the road. It sees {settings.tower.width} numbers.
- Give a calibrated probability. "6 of 8" counts samples. What that is worth is in the tables "stated", no more.
- Tell a photo from a painting, a screenshot or a picture of a place shown elsewhere.

Towns and provinces are named as GeoNames and Natural Earth have them; disputed areas as `resources/places/README.md` says.

## Data, credits, licences

Trained on {len(album.fit):,} photos by {authors} photographers, of whom {len(album.known)} photos by others at the same places and {len(album.new)}
at other places were kept apart for the tables. All are openly licensed (Creative Commons BY and BY-SA, CC0, public domain, Unsplash);
`CREDITS.tsv` names photographer, title, licence and page of each. Names and places of towns: GeoNames, CC BY 4.0. The trunk started
from EfficientNet-lite0's ImageNet weights by Google and RangiLyu (Apache-2.0). The weights are given under Apache-2.0.

Made by `{model.made_by.get("command", "")}`, photos.csv with SHA-256 {str(model.made_by.get("table_sha256", ""))[:16]}….
"""


def _against_baselines(known: Report) -> str:
    """Where the model does not beat what needs no text model, its card says so."""
    lines: list[Report] = next((part["lines"] for name, part in known["parts"].items() if name.startswith("known")), [])
    mine, *others = [(line["name"], 100 * line["within_km"]["25"]["share"]) for line in lines] or [("", 0.0)]
    better = [f"{name} {share:.1f} %" for name, share in others if share >= mine[1]]
    if not better:
        return ""
    return f"- **Beat its baselines near by.** On known places it is within 25 km for {mine[1]:.1f} %; better are: {', '.join(better)}.\n"


def _needed(model: models.Model) -> str:
    def words(share: float) -> str:
        return f"{round(share * model.samples)} of {model.samples}" if share <= 1 else "never"

    return ", ".join(f"{level.word} {words(share)}" for level, share in model.needed.items())


def _section(title: str, report: Report, word: str) -> str:
    part = next((value for name, value in report["parts"].items() if name.startswith(word)), None)
    if part is None:
        return f"### {title}\n\nNo photo.\n"
    lines = [f"### {title}", "", f"{part['n']} photos by {part['photographers']} photographers.", ""]
    lines += ["| % | " + " | ".join(f"≤ {km} km" for km in _LIMITS) + " | median km | GeoScore | country |", "|---" * 9 + "|"]
    lines += [_row(line) for line in part["lines"]]
    lines += ["", "| stated | of all photos | of these right |", "|---|---|---|"]
    lines += [f"| {level} | {_percent(often)} | {_percent(right)} |" for level, (often, right) in part["stated"].items()]
    return "\n".join(lines) + "\n"


def _row(line: Mapping[str, Any]) -> str:
    shares = [_percent(line["within_km"][km]) for km in _LIMITS]
    median = "–" if line["median_km"] is None else f"{line['median_km']:,.0f}"
    country = f"{100 * line['levels']['country']['share']:.1f}" if line["levels"] else "–"
    return f"| {line['name']} | " + " | ".join(shares) + f" | {median} | {line['geoscore']:,.0f} | {country} |"


def _percent(share: Mapping[str, Any]) -> str:
    if not share["n"]:
        return "–"
    return f"{100 * share['share']:.1f} ({100 * share['low']:.0f}–{100 * share['high']:.0f})"


def credits(folder: Path, album: Album) -> str:
    """A table of every training photo: id, title, photographer, licence, page."""
    wanted = {photo.id for photo in album.fit}
    with (folder / "photos.csv").open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["id"] in wanted]
    names = ("id", "title", "photographer_or_group", "licence", "source_page")
    lines = [
        "\t".join(names),
        *("\t".join(" ".join(row[name].split()) for name in names) for row in sorted(rows, key=lambda r: r["id"])),
    ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> None:
    """Write README.md and CREDITS.tsv into the model folder."""
    parser = argparse.ArgumentParser(prog="python -m training.mini.card", description=__doc__)
    for name in ("model", "photos", "known", "new"):
        parser.add_argument(name, type=Path)
    options = parser.parse_args(argv)
    album = read_album(options.photos)
    reports = [json.loads(path.read_text(encoding="utf-8")) for path in (options.known, options.new)]
    text = card(models.read(options.model), album, *reports)
    (options.model / "README.md").write_text(text, encoding="utf-8")
    (options.model / "CREDITS.tsv").write_text(credits(options.photos, album), encoding="utf-8")


if __name__ == "__main__":
    main()
