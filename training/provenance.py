"""Where a model comes from: the licence of its base, a hash of the data that it learned, and whose photos they were."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from georapp.base_licence import licence_of
from training.rows import AlbumRow

UNKNOWN_LICENCE = "unknown, look it up"


@dataclass(frozen=True, slots=True)
class Licence:
    """`name` as its source writes it; `source`: the file that says it, "" where none does."""

    name: str = UNKNOWN_LICENCE
    source: str = ""


def base_licence(folder: Path) -> Licence:
    """Of a model folder: what its README.md, a licence file or config.json says, in this order."""
    name, source = licence_of(folder)
    return Licence(name, source) if name else Licence()


# ---- the album ----


def album_hash(rows: Sequence[AlbumRow]) -> str:
    """SHA-256 of photos, places, answers and parts; the same wherever the files lie and in whatever order they were read."""
    lines = sorted(json.dumps([row.id, row.lat, row.lon, row.answer, row.part.value]) for row in rows)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


_COLUMNS: Mapping[str, tuple[str, ...]] = {
    "file": ("file", "path", "filename", "img_file", "image", "img_id", "id"),
    "sha256": ("sha256",),
    "title": ("title",),
    "author": ("author", "photographer_or_group", "photographer", "ownernsid", "creator_id", "user"),
    "licence": ("licence", "license", "license_name", "licence_name"),
    "page": ("source_page", "page", "url", "link"),
}


@dataclass(frozen=True, slots=True)
class Credit:
    """One photo of the album, as its table credits it; "" for what is not said."""

    id: str
    file: str
    title: str = ""
    author: str = ""
    licence: str = ""
    page: str = ""


def credits_of(rows: Sequence[AlbumRow], sources: Sequence[str]) -> list[Credit]:
    """A credit for each row, from the tables among the sources; one with little in it where no table knows the photo."""
    by_hash: dict[str, Credit] = {}
    by_name: dict[str, Credit] = {}
    for source in sources:
        for sha256, credit in _credits_in(Path(source).expanduser()):
            by_hash[sha256] = by_name[Path(credit.file).stem] = credit
    return [_credit(row, by_hash.get(row.id) or by_name.get(Path(row.path).stem)) for row in rows]


def _credit(row: AlbumRow, found: Credit | None) -> Credit:
    name = Path(row.path).name
    if found is None:
        return Credit(row.id, name, author=row.author)
    return Credit(row.id, name, found.title, found.author or row.author, found.licence, found.page)


def _credits_in(path: Path) -> Iterator[tuple[str, Credit]]:
    """Raises nothing: a table that was read when the album was made may be gone by now, and then credits nobody."""
    if path.suffix.lower() != ".csv":
        return
    try:
        with path.open(encoding="utf-8-sig", errors="replace", newline="") as file:
            for line in csv.DictReader(file):
                values = {str(key).strip().casefold(): " ".join(str(value or "").split()) for key, value in line.items()}
                found = {key: next((values[name] for name in names if values.get(name)), "") for key, names in _COLUMNS.items()}
                yield (
                    found["sha256"],
                    Credit("", found["file"], found["title"], found["author"], found["licence"], found["page"]),
                )
    except (OSError, csv.Error):
        return


def licences(credits: Sequence[Credit]) -> Counter[str]:
    """How many photos have which licence; "" for those whose table says none."""
    return Counter(credit.licence for credit in credits)


def credits_table(credits: Sequence[Credit]) -> str:
    """CREDITS.tsv: a line for each photo."""
    names = ("id", "file", "title", "author", "licence", "page")
    lines = ["\t".join(names), *("\t".join(getattr(credit, name) for name in names) for credit in credits)]
    return "\n".join(lines) + "\n"
