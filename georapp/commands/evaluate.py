"""`georapp evaluate`: a table of photos with known places in, figures beside their baselines out."""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from georapp import cli, events, gazetteer, models
from georapp.chain import Level
from georapp.commands.asking import ask, hash_of, how, supervisor_for
from georapp.dataset import Row, read_table
from georapp.errors import GeorappError, ModelError
from georapp.evaluate import (
    THRESHOLDS_KM,
    Figures,
    Share,
    figures,
    is_known,
    most_frequent_country,
    most_frequent_place,
    random_prior,
)
from georapp.geo import Coordinate, distance_km
from georapp.neighbours import FeatureTower, References, read_references
from georapp.photo import read as read_photo
from georapp.results import ResultsFile, same_regions


@dataclass(frozen=True, slots=True)
class Outcome:
    """One photo after asking: the best point, what was stated; the nearest training photo and the linear probe of the same tower."""

    row: Row
    best: Coordinate | None
    stated: Mapping[Level, str]
    nearest: Coordinate | None
    probed: Coordinate | None


def run(options: argparse.Namespace) -> int:
    """Exit code 1 when photos could not be asked; they count as misses."""
    table = read_table(options.table, options.folder, split=options.split)
    rows = list(table.rows)
    if options.limit and options.limit < len(rows):
        rows = random.Random(options.seed).sample(rows, options.limit)
    model, supervisor = supervisor_for(options)
    baseline = _baseline_model(model)
    references, tower = _references(baseline, options.threads)
    with supervisor:
        supervisor.start()
        outcomes, failures = _ask_all(rows, supervisor, options, references, tower)
    report = Report(model, outcomes, references, dict(table.left_out), options)
    if options.format == "json":
        sys.stdout.write(json.dumps(report.plain(), ensure_ascii=False, indent=1) + "\n")
    else:
        report.show(Console(highlight=False))
    return cli.EXIT_SOME_FAILED if failures else cli.EXIT_GOOD


def _baseline_model(model: models.Model) -> models.Model:
    """The model whose training photos are the baseline: its own, or the embedded one's."""
    return model if model.references and model.image and model.image.file.endswith(".onnx") else models.find()


def _references(model: models.Model, threads: int) -> tuple[References, FeatureTower]:
    if not model.references or not model.image:
        raise ModelError(f"{model.name} has no reference photos, so there is nothing to compare with.", hint="Reinstall georapp.")
    return read_references(model.path(model.references)), FeatureTower(model.path(model.image), threads=threads or 1)


def _ask_all(
    rows: Sequence[Row], supervisor: Any, options: argparse.Namespace, references: References, tower: FeatureTower
) -> tuple[list[Outcome], int]:
    outcomes, failures = [], 0
    results = ResultsFile(options.resume) if options.resume else None
    for number, row in enumerate(rows):
        if sys.stderr.isatty():
            sys.stderr.write(f"\r{number + 1} of {len(rows)}")
        sha256 = hash_of(row.path)
        prediction = results.answers.get(sha256) if results else None
        if prediction is None:
            result = ask(supervisor, row.path, sha256, how(options), gazetteer.load, lambda _event: None)
            if isinstance(result.outcome, events.Failed):
                cli.complain(GeorappError(result.outcome.reason, hint=result.outcome.hint))
                failures += 1
            else:
                prediction = result.outcome.prediction
            if results:
                results.add(result)
        stated = {region.level: region.name for region in prediction.stated.regions} if prediction else {}
        outcomes.append(Outcome(row, prediction.best if prediction else None, stated, *_baselines(row.path, references, tower)))
    if results:
        results.close()
    return outcomes, failures


def _baselines(path: Path, references: References, tower: FeatureTower) -> tuple[Coordinate | None, Coordinate | None]:
    """Places of the nearest training photo and of the linear probe."""
    try:
        features = tower.features(read_photo(path))
    except GeorappError:
        return None, None
    return references.rows[references.nearest(features)].coordinate, references.probed(features)


class Report:
    """Figures for known places and for new places apart, each beside what needs no model."""

    def __init__(
        self,
        model: models.Model,
        outcomes: Sequence[Outcome],
        references: References,
        left_out: dict[str, int],
        options: argparse.Namespace,
    ) -> None:
        self.model, self.left_out, self.options = model, left_out, options
        self._places = gazetteer.load()
        self._references = references.rows
        self._has_probe = references.probe is not None
        known = [o for o in outcomes if is_known(o.row.coordinate, self._references)]
        new = [o for o in outcomes if not is_known(o.row.coordinate, self._references)]
        self.parts = {
            "known places (a training photo within 25 km)": known,
            "new places (no training photo within 25 km)": new,
        }

    def _same(self, answer: Coordinate | None, truth: Coordinate) -> Mapping[Level, bool | None]:
        return same_regions(answer, truth, self._places)

    def lines(self, outcomes: Sequence[Outcome]) -> list[Figures]:
        """The model first, then its baselines."""
        truths = [o.row.coordinate for o in outcomes]

        def judged(name: str, answers: Sequence[Coordinate | None]) -> Figures:
            distances = [distance_km(a, t) if a else None for a, t in zip(answers, truths, strict=True)]
            return figures(name, distances, [self._same(a, t) for a, t in zip(answers, truths, strict=True)])

        return [
            judged(self.model.name, [o.best for o in outcomes]),
            judged("nearest training photo", [o.nearest for o in outcomes]),
            *([judged("linear probe of the tower", [o.probed for o in outcomes])] if self._has_probe else []),
            most_frequent_place(truths, self._references, self._same),
            most_frequent_country(truths, self._references, self._same),
            random_prior(truths, self._references),
        ]

    def stated(self, outcomes: Sequence[Outcome]) -> dict[Level, tuple[Share, Share]]:
        """For each level: how often it was stated, and of these how often rightly (the stated name's region holds the true point)."""
        found = {}
        for level in Level:
            rows = [o for o in outcomes if level in o.stated]
            right = sum(self._right(o, level) for o in rows)
            found[level] = Share(len(rows), len(outcomes)), Share(right, len(rows))
        return found

    def _right(self, outcome: Outcome, level: Level) -> bool:
        label = self._places.label(outcome.row.coordinate)
        name = outcome.stated[level]
        if level is Level.COUNTRY:
            return self._places.country_code(name) == label.country_code
        if level is Level.CITY:
            return outcome.best is not None and distance_km(outcome.best, outcome.row.coordinate) <= 25
        return name == (label.continent if level is Level.CONTINENT else label.province)

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "model": self.model.name,
            "model_sha256": self.model.sha256,
            "seed": self.options.seed,
            "samples": self.options.samples or self.model.samples,
            "left_out": self.left_out,
            "parts": {
                name: {
                    "n": len(part),
                    "photographers": len({o.row.author for o in part if o.row.author}),
                    "lines": [_plain(line) for line in self.lines(part)],
                    "stated": {level.word: [_share(a), _share(b)] for level, (a, b) in self.stated(part).items()},
                }
                for name, part in self.parts.items()
                if part
            },
        }

    def show(self, console: Console) -> None:
        """For people."""
        for name, part in self.parts.items():
            if not part:
                continue
            authors = len({o.row.author for o in part if o.row.author})
            by = f" by {authors} photographers" if authors else ""
            console.print(Text(f"{name[0].upper()}{name[1:]}: n = {len(part)} photos{by}", style="bold"))
            console.print(_table(self.lines(part)))
            console.print(_stated_table(self.stated(part)))
            console.print()
        if self.left_out:
            console.print(Text("Left out: " + ", ".join(f"{count} {reason}" for reason, count in self.left_out.items())))
        console.print(
            Text(
                "Percent, with 95 % Wilson intervals. Unread answers count as misses. Most of these are pictures of sights: it flatters."
            )
        )


def _plain(line: Figures) -> dict[str, Any]:
    return {
        "name": line.name,
        "n": line.n,
        "within_km": {str(km): _share(share) for km, share in line.within.items()},
        "median_km": line.median_km,
        "geoscore": line.geoscore,
        "unanswered": line.unanswered,
        "levels": {level.word: _share(share) for level, share in line.levels.items()} if line.levels else None,
    }


def _share(share: Share) -> dict[str, Any]:
    low, high = share.interval
    return {"share": share.value, "count": share.count, "n": share.n, "low": low, "high": high}


def _percent(share: Share, *, interval: bool = True) -> str:
    low, high = share.interval
    return f"{share.value * 100:.1f}" + (f" ({low * 100:.0f}–{high * 100:.0f})" if interval and share.n else "")


def _table(lines: Sequence[Figures]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("", *(f"≤ {km} km" for km in THRESHOLDS_KM), "median km", "GeoScore", "country", "province", "unread"):
        table.add_column(column, justify="left" if not column else "right")
    for line in lines:
        within = [_percent(line.within[km]) for km in THRESHOLDS_KM]
        levels = [
            _percent(line.levels[level], interval=False) if line.levels else "–" for level in (Level.COUNTRY, Level.PROVINCE)
        ]
        median = "–" if line.median_km is None else f"{line.median_km:,.0f}"
        table.add_row(line.name, *within, median, f"{line.geoscore:,.0f}", *levels, str(line.unanswered))
    return table


def _stated_table(stated: Mapping[Level, tuple[Share, Share]]) -> Table:
    table = Table(box=None, pad_edge=False)
    for column in ("stated as certain", "of all photos", "of these right"):
        table.add_column(column)
    for level, (often, right) in stated.items():
        table.add_row(level.word, _percent(often, interval=False), _percent(right) if right.n else "–")
    return table
