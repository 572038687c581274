"""What there is to say about an album: counts for report.json, sentences for the window, warnings."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from georapp import run_events
from georapp.places import Label
from georapp.run_settings import RunConfig
from training import links
from training.gates import Gate, Tally
from training.labels import Disagreement, other
from training.rows import AlbumRow, Part
from training.shots import Admitted, Shot
from training.sources import Source
from training.split import STEPS, Split, on_both_sides

FEW = 20  # photos; an album of fewer teaches, or measures, hardly anything
MISSING_SHARE = 0.1  # of what a source names; more is worth a warning


@dataclass(frozen=True, slots=True)
class Made:
    """What the album stage made. `named` and `differ` are of all photos that passed the gates, also at sea; `shots` and `parted` are not."""

    config: RunConfig
    sources: Sequence[Source]
    tally: Tally
    found: Admitted
    named: Sequence[Label]
    differ: Sequence[Disagreement]
    shots: Sequence[Shot]
    parted: Split
    rows: Sequence[AlbumRow]

    @property
    def photos(self) -> int:
        """Everything that was found, used or not."""
        return len(self.rows) + self.tally.total - self.tally.counts.get(Gate.CLOSED, 0)  # which counts folders

    def of(self, *parts: Part) -> list[AlbumRow]:
        """The rows of these parts."""
        return [row for row in self.rows if row.part in parts]

    def notes(self) -> tuple[str, ...]:
        """For people: the labels, and the split."""
        album = self.config.album
        held = self.of(Part.PROBE, Part.HELD_OUT)
        km = nearest_km(held, self.of(Part.TRAIN))
        return (
            f"Labels by {album.labels}. By {other(album.labels)} others: {'; '.join(map(str, self.differ))}.",
            f"Split by {self.parted.step.name}: {len(self.of(Part.TRAIN)):,} photos to train on, {len(held):,} held out, "
            f"{len(self.of(Part.PROBE)):,} of them to measure progress"
            + ("." if km is None else f"; the nearest of both sides are {km:,.1f} km apart."),
            *self.parted.remarks,
        )

    def event(self) -> run_events.Album:
        """For the window."""
        countries = {row.country for row in self.rows}
        return run_events.Album(self.photos, self.found.with_place, len(countries), self.tally.sentences(), self.notes())

    def alerts(self) -> list[tuple[str, str]]:
        """Reasons and hints."""
        found = [
            (
                f"{source.path}: {missing:,} of {total:,} photos are not there.",
                "If a drive was moved, connect it and make a new run.",
            )
            for source, missing, total in self._missing()
            if missing > MISSING_SHARE * total
        ]
        if self.found.moved:
            found.append(
                (
                    f"{self.found.moved:,} photos have other places in another source.",
                    "The place that a person decided counts, or the first.",
                )
            )
        if len(self.rows) < FEW:
            found.append((f"The album has only {len(self.rows)} usable photos, which teach hardly anything.", "Add photos."))
        if self.parted.step.loss:
            found.append((self.parted.step.loss, "Add photos of other places, or by others; or make album.block_km smaller."))
        if 0 < len(probe := self.of(Part.PROBE)) < FEW:
            found.append(
                (f"Progress is measured on only {len(probe)} photos: its figures will jump.", "Add photos of other places.")
            )
        return found

    def _missing(self) -> list[tuple[Source, int, int]]:
        present = {shot.path for shot in self.shots}
        counts = []
        for source in self.sources:
            named = source.left_out.get(Gate.MISSING, 0)
            gone = sum(one.path not in present and not one.path.is_file() for one in source.candidates)
            counts.append((source, named + gone, named + len(source.candidates)))
        return counts

    def report(self) -> dict[str, Any]:
        """All counts, as they stand in report.json."""
        return {
            "photos": self.photos,
            "with_place": self.found.with_place,
            "used": len(self.rows),
            "sources": [_source(source) for source in self.sources],
            "left_out": {
                gate.title: {"count": self.tally.counts[gate], "words": gate.words, "examples": self.tally.examples[gate]}
                for gate in Gate
                if gate in self.tally.counts
            },
            "other_places_of_copies": self.found.moved,
            "labels": self._labels(),
            "split": self._split(),
            "notes": list(self.notes()),
            "alerts": [f"{reason} {hint}" for reason, hint in self.alerts()],
        }

    def _labels(self) -> dict[str, Any]:
        by = self.config.album.labels
        levels = {
            one.level: {
                "photos": one.photos,
                "differ": one.differ,
                "percent": one.percent,
                "one_only": one.one_only,
                "spelled": one.spelled,
            }
            for one in self.differ
        }
        return {"by": by, "how": dict(Counter(label.how for label in self.named)), "compared_with": other(by), "levels": levels}

    def _split(self) -> dict[str, Any]:
        train, probe, held = self.of(Part.TRAIN), self.of(Part.PROBE), self.of(Part.PROBE, Part.HELD_OUT)
        both = on_both_sides(self.shots, self.parted.parts, self.config.album)
        return {
            "by": self.parted.step.name,
            "step": STEPS.index(self.parted.step) + 1 if self.parted.step in STEPS else 0,
            "remarks": list(self.parted.remarks),
            "groups": self.parted.groups,
            "largest_group": self.parted.largest,
            "parts": {part.value: _part(self.of(part)) for part in Part},
            "on_both_sides": {kind.value: count for kind, count in both.items()},
            "smallest_km": {"probe to train": nearest_km(probe, train), "held out to train": nearest_km(held, train)},
        }


def nearest_km(a: Sequence[AlbumRow], b: Sequence[AlbumRow]) -> float | None:
    """The smallest ground distance between photos of both; None where one is empty."""
    if not a or not b:
        return None
    here, there = (links.points([row.lat for row in rows], [row.lon for row in rows]) for rows in (a, b))
    return round(float(np.min(links.nearest_km(here, there))), 3)


def _source(source: Source) -> dict[str, Any]:
    left_out = {gate.title: count for gate, count in source.left_out.items()}
    return {"path": str(source.path), "kind": source.kind, "photos": len(source.candidates), "left_out": left_out}


def _part(rows: Sequence[AlbumRow]) -> dict[str, int]:
    return {
        "photos": len(rows),
        "places": len({row.block for row in rows}),
        "photographers": len({row.author for row in rows} - {""}),
        "countries": len({row.country for row in rows}),
    }
