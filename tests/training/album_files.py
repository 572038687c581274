"""Photos, tables and cases for the tests of the album stage."""

from __future__ import annotations

import json
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from PIL import ExifTags, Image

from georapp.run_settings import Album, RunConfig
from tests.conftest import textured
from training.report import EventWriter


def saved(
    path: Path,
    place: tuple[float, float] | None = None,
    *,
    seed: int = 0,
    taken_at: str = "",
    quality: int = 90,
    picture: Image.Image | None = None,
) -> Path:
    """A photo, other seeds looking otherwise; `taken_at` as EXIF writes it."""
    exif = Image.Exif()
    if taken_at:
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = taken_at
    if place:
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(_gps(*place))
    path.parent.mkdir(parents=True, exist_ok=True)
    (picture or textured(320, 240, seed)).save(path, "JPEG", exif=exif, quality=quality)
    return path


def _gps(lat: float, lon: float) -> dict[int, Any]:
    def angle(value: float) -> tuple[Fraction, Fraction, Fraction]:
        return Fraction(abs(value)).limit_denominator(10**6), Fraction(0), Fraction(0)

    return {
        ExifTags.GPS.GPSLatitudeRef: "S" if lat < 0 else "N",
        ExifTags.GPS.GPSLatitude: angle(lat),
        ExifTags.GPS.GPSLongitudeRef: "W" if lon < 0 else "E",
        ExifTags.GPS.GPSLongitude: angle(lon),
    }


def table(path: Path, header: str, rows: Sequence[str]) -> Path:
    path.write_text("\n".join([header, *rows, ""]), "utf-8")
    return path


def config(*sources: Path, **album: Any) -> RunConfig:
    """With the sharpness of made-up photos let through."""
    return RunConfig(album=Album(sources=tuple(map(str, sources)), **({"blur_below": 0.0} | album)))


def gathered(run: Path, settings: RunConfig) -> dict[str, Any]:
    """The report of the album stage on these settings."""
    from training import gather

    run.mkdir(exist_ok=True)
    with EventWriter(run, beat_s=60) as events:
        gather.run(settings, run / "album", events)
    report: dict[str, Any] = json.loads((run / "album" / "report.json").read_text("utf-8"))
    return report
