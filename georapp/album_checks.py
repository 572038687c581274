"""What speaks against training on an album, as far as it was looked at."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from georapp.geo import Coordinate, distance_km
from georapp.run_fit import Reason
from georapp.run_settings import RunConfig
from georapp.run_size import photos_a_step

if TYPE_CHECKING:
    from georapp.album_scan import AlbumSeen

FEW = 20  # photos; an album of fewer teaches, or measures, hardly anything


def album_reasons(config: RunConfig, album: AlbumSeen | None) -> Iterator[Reason]:
    """Looks whether the sources are there."""
    sources = config.album.sources
    if not sources:
        yield Reason("No photos are chosen.", "Add folders of photos, tables (.csv) or cases (.georapp) to the album.")
        return
    yield from _source_reasons(sources)
    if album is None:
        hint = "Scan it: how many photos have a place, and how long it takes, is known only then."
        yield Reason("The album was not scanned yet.", hint, False)
    elif not album.train:
        what = f"{album.photos:,} photos were found, {album.with_place:,} of them with a place"
        left_out = f" Left out: {'; '.join(album.left_out)}." if album.left_out else ""
        yield Reason(f"The album has no photo to train on: {what}.{left_out}", "Add photos whose files hold a place, or a table.")
    else:
        yield from _few(album)
        yield from _narrow(config, album)
        yield from _copies(config, album)


def _source_reasons(sources: tuple[str, ...]) -> Iterator[Reason]:
    for source in sources:
        path = Path(source).expanduser()
        try:
            there = path.exists()
        except OSError:
            there = False
        if not path.is_absolute():
            hint = "Write its whole path: a run is started from another folder."
            yield Reason(f"{source}, a source of the album, does not say where it begins.", hint)
        elif not there:
            yield Reason(f"{source}, a source of the album, is not there.", "Connect its drive, or take it out of the album.")


def _few(album: AlbumSeen) -> Iterator[Reason]:
    warned = tuple(getattr(album, "warnings", ()))
    for sentence, hint in warned:
        yield Reason(sentence, hint, False)
    used = album.train + album.held_out
    if used < FEW and not warned:
        yield Reason(f"The album has only {used} usable photos, which teach hardly anything.", "Add photos.", False)
    if not album.held_out:
        yield Reason(
            "No photo is held out, so nobody can say whether the model gets better.", "Add photos of other places.", False
        )


def _narrow(config: RunConfig, album: AlbumSeen) -> Iterator[Reason]:
    if len(album.places) > 1 and all_at_one_place(album.places, config.album.block_km):
        sentence = f"All photos were taken at one place, within {config.album.block_km:g} km: the model would learn to answer always the same."
        yield Reason(sentence, "Add photos of other places.", False)


def all_at_one_place(places: tuple[tuple[float, float, bool], ...], km: float) -> bool:
    """Whether all lie within `km` of the first one; stops at the first that does not."""
    (lat, lon, _), *others = places
    first = Coordinate(lat, lon)
    return all(distance_km(first, Coordinate(lat, lon)) <= km for lat, lon, _ in others)


def _copies(config: RunConfig, album: AlbumSeen) -> Iterator[Reason]:
    room = photos_a_step(config.grpo)
    if config.grpo.enabled and album.train < room:
        sentence = f"A step of GRPO has room for {room} photos, and the album has {album.train} to train on: each is taken several times."
        yield Reason(sentence, "Lower grpo.batch or grpo.accumulate, or add photos.", False)
