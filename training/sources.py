"""Where an album's photos come from: folders, tables and case files become one list of candidates, and what is left out is counted.

A kind of source is a function in `_READERS`, found by the ending of its name. Shards of millions of photos never come here:
`training.shard_album` reads them one by one.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from georapp import dataset, photo
from georapp.case import Case, Ruling
from georapp.case import Row as CaseRow
from georapp.errors import DatasetError, GeorappError, RunError
from georapp.geo import Coordinate
from training.gates import Gate
from training.rows import Part
from training.shards import KINDS

_PHOTO_FOLDERS = ("", "{stem}", "images", "photos")  # beside a table, in this order
_WORDS = {
    Part.TRAIN: ("train", "training"),
    Part.HELD_OUT: ("val", "valid", "validation", "dev", "test", "testing", "eval", "probe", "held out", "heldout", "holdout"),
}
_SAID = {word: part for part, words in _WORDS.items() for word in words}
_REASONS = {
    "without a position": Gate.NO_PLACE,
    "with an impossible position": Gate.IMPOSSIBLE,
    "at (0, 0)": Gate.ZERO,
    "without a file": Gate.MISSING,
}


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that a source names. `place` is None where the file itself says it; `said` is what its table wants it for."""

    path: Path
    source: int = 0  # index in the settings
    place: Coordinate | None = None
    author: str = ""  # folded
    said: Part | None = None
    sha256: str = ""  # of the bytes that were judged, "" where nobody did

    @property
    def judged(self) -> bool:
        """Whether a person looked at this photo and said where it was taken."""
        return bool(self.sha256)


@dataclass(frozen=True, slots=True)
class Source:
    """What was found in a source. `left_out`: entries of it that name no usable photo."""

    path: Path
    kind: str
    candidates: tuple[Candidate, ...]
    left_out: Mapping[Gate, int]
    examples: Mapping[Gate, tuple[str, ...]]


def read_sources(names: Sequence[str]) -> list[Source]:
    """All of them, in order. Raises RunError when there is none, or when one is not there or cannot be read."""
    if not names:
        raise RunError(
            "The album has no sources.",
            hint="Name folders of photos, tables (.csv) or cases (.georapp) in run.toml, under [album], as sources.",
        )
    return [_read(Path(name).expanduser(), number) for number, name in enumerate(names)]


def _read(path: Path, number: int) -> Source:
    reader = _reader(path)
    try:
        return reader(path, number)
    except RunError:
        raise
    except GeorappError as error:
        raise RunError(f"A source of the album cannot be used. {error}", hint=error.hint) from error


def _reader(path: Path) -> Callable[[Path, int], Source]:
    try:
        is_folder, is_file = path.is_dir(), path.is_file()
    except OSError:  # it lies where nothing may be looked at
        is_folder = is_file = False
    if is_folder:
        return _from_folder
    if not is_file:
        raise RunError(
            f"{path}, a source of the album, is not there.",
            hint="Connect its drive, or correct album.sources in run.toml: a run with half of its photos would be another run.",
        )
    if path.suffix.lower() not in _READERS:
        raise RunError(
            f"{path} is no source of an album.",
            hint=f"A source is a folder of photos, or a file that ends in {' or '.join((*_READERS, *KINDS))}.",
        )
    return _READERS[path.suffix.lower()]


# ---- folders ----


def _from_folder(path: Path, number: int) -> Source:
    """All photos in it and in its folders; their place is in the files."""
    found = list(photo.find([path]))
    closed = [str(error) for _, error in found if error]
    candidates = tuple(Candidate(file, number) for file, error in found if error is None)
    return Source(path, "folder", candidates, _counted({Gate.CLOSED: len(closed)}), {Gate.CLOSED: tuple(closed)})


# ---- tables ----


def _from_table(path: Path, number: int) -> Source:
    """Rows of a CSV file, of the columns that `georapp.dataset` knows."""
    table = _table(path)
    follows = any(_said(row) is Part.HELD_OUT for row in table.rows)  # "train" alone everywhere says nothing
    candidates = tuple(
        Candidate(row.path, number, row.coordinate, folded_author(row.author), _said(row) if follows else None)
        for row in table.rows
    )
    left_out: Counter[Gate] = Counter()
    for reason, count in table.left_out.items():
        left_out[_REASONS[reason]] += count
    return Source(path, "table", candidates, _counted(left_out), {})


def _table(path: Path) -> dataset.Table:
    """The photos lie beside the table, or in a folder there of its name, or called images or photos."""
    folders = [path.parent / name.format(stem=path.stem) for name in _PHOTO_FOLDERS]
    first: DatasetError | None = None
    for folder in folders:
        try:
            return dataset.read_table(path, folder)
        except DatasetError as error:
            first = first or error
    where = ", ".join(str(folder) for folder in folders)
    raise RunError(f"A source of the album cannot be used. {first}", hint=f"Its photos were looked for in {where}.") from first


def _said(row: dataset.Row) -> Part | None:
    return _SAID.get(row.split.strip().casefold())


def folded_author(name: str) -> str:
    """Two spellings of a photographer are one."""
    return " ".join(name.casefold().split())


# ---- cases ----


def _from_case(path: Path, number: int) -> Source:
    """Photos whose answer a person accepted, or whose place a person gave."""
    with Case.look(path) as case:
        judged = [(row, _judged_place(row)) for row in case.rows()]
    candidates = tuple(Candidate(row.path, number, place, sha256=row.sha256) for row, place in judged if place)
    undecided = [str(row.path) for row, place in judged if place is None]
    return Source(path, "case", candidates, _counted({Gate.UNDECIDED: len(undecided)}), {Gate.UNDECIDED: tuple(undecided[:3])})


def _judged_place(row: CaseRow) -> Coordinate | None:
    if row.ruling is Ruling.CORRECTED:
        return row.corrected
    return row.best if row.ruling is Ruling.ACCEPTED else None


def _counted(counts: Mapping[Gate, int]) -> dict[Gate, int]:
    return {gate: count for gate, count in counts.items() if count}


_READERS: Mapping[str, Callable[[Path, int], Source]] = {".csv": _from_table, ".georapp": _from_case}
