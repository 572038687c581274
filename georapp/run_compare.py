"""Several runs beside each other: which settings differ, whether their figures may be compared at all, and their steps as a table."""

from __future__ import annotations

import csv
import os
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from georapp.errors import RunError
from georapp.run_history import PROBE, STEP, History, Table
from georapp.run_reader import RunReader
from georapp.run_settings import RunConfig, key_of, sections_of, settings_of, shown
from georapp.run_summary import Summary

MOST = 8  # runs at once: more lines nobody can tell apart
_REST_S, _ROWS_AT_ONCE = 0.002, 500  # the window's thread needs Python's lock too
_OF_NO_INTEREST = frozenset({"version", "name", "export.name"})
_REWARD = ("curve", "curve_points", "curve_steps", "require_levels", "names_weight", "agreement_weight", "clues_weight")
_UNKNOWN = "–"


@dataclass(frozen=True, slots=True)
class Setting:
    """A setting of several runs. `values`: as run.toml writes them, "–" where a run.toml cannot be read."""

    key: str
    about: str
    values: tuple[str, ...]

    @property
    def differs(self) -> bool:
        """Whether not all are the same."""
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True)
class Note:
    """What must be known before figures are compared. `tone`: "good", "dim" or "warning"."""

    sentence: str
    tone: str = "dim"


def letter(number: int) -> str:
    """What a run is called in charts and tables: A, B, C."""
    return chr(ord("A") + number)


# ---- settings ----


def differences(configs: Sequence[RunConfig | None], *, all_of_them: bool = False) -> list[Setting]:
    """Settings that differ between the runs, or all, in the order of run.toml. Names of runs do not count."""
    tables = [_table(config) for config in configs]
    keys = {key: f for key, (f, _) in _table(RunConfig()).items() if key not in _OF_NO_INTEREST}
    found = [
        Setting(key, about, tuple(shown(table[key][1]) if table else _UNKNOWN for table in tables)) for key, about in keys.items()
    ]
    return [setting for setting in found if all_of_them or setting.differs]


def _table(config: RunConfig | None) -> dict[str, tuple[str, Any]]:
    """ "grpo.beta" -> a word about it, and its value."""
    sections = (config, *sections_of(config)) if config else ()
    return {
        key_of(section, f.name): (f.metadata["about"], getattr(section, f.name))
        for section in sections
        for f in settings_of(section)
    }


# ---- may they be compared? ----


def notes(summaries: Sequence[Summary]) -> list[Note]:
    """Whether the runs were measured on the same photos, learned from the same album, and were made with the same programs."""
    if not summaries:
        return []
    return [*_held_out(summaries), *_albums(summaries), *_bases(summaries), *_rewards(summaries), *_versions(summaries)]


def _held_out(summaries: Sequence[Summary]) -> Iterator[Note]:
    known = _groups(summaries, lambda one: one.data.probe if one.data else "")
    if len(known) > 1:
        sides = " / ".join(_letters(group) for group in known)
        yield Note(f"Not measured on the same held-out photos ({sides}): their figures cannot be compared.", "warning")
    elif unknown := [n for n, one in enumerate(summaries) if not one.data]:
        yield Note(f"On which photos {_letters(unknown)} {_was(unknown)} measured is not known.", "warning")
    else:
        n = summaries[0].data.measured_on if summaries and summaries[0].data else 0
        yield Note(f"All were measured on the same {n:,} held-out photos.", "good")
        yield from _unread(summaries, n)


def _unread(summaries: Sequence[Summary], wanted: int) -> Iterator[Note]:
    for number, one in enumerate(summaries):
        if one.best and one.best.n != wanted:
            yield Note(
                f"{letter(number)} was measured on {one.best.n:,} of them: the others could not be read any more.", "warning"
            )


def _albums(summaries: Sequence[Summary]) -> Iterator[Note]:
    known = _groups(summaries, lambda one: one.data.sha256 if one.data else "")
    if len(known) > 1:
        yield Note(
            f"The photos, their places or their labels differ ({' / '.join(_letters(group) for group in known)}).", "warning"
        )
    elif all(one.data for one in summaries):
        yield Note("All learned from the same photos, places and labels.", "good")


def _bases(summaries: Sequence[Summary]) -> Iterator[Note]:
    known = _groups(summaries, lambda one: one.config.model.base if one.config else "")
    if len(known) > 1:
        yield Note(f"They began with other models: {', '.join(f'{_letters(g)} {summaries[g[0]].base[:60]}' for g in known)}.")


def _rewards(summaries: Sequence[Summary]) -> Iterator[Note]:
    known = _groups(summaries, lambda one: repr([getattr(one.config.grpo, name) for name in _REWARD]) if one.config else "")
    if len(known) > 1:
        sides = " / ".join(_letters(group) for group in known)
        yield Note(f"Their rewards are counted in different ways ({sides}): compare distances, not rewards.", "warning")


def _versions(summaries: Sequence[Summary]) -> Iterator[Note]:
    names = dict.fromkeys(name for one in summaries for name in one.versions)
    same, other = [], []
    for name in names:
        found = [one.versions.get(name, "unknown") for one in summaries]
        if len(set(found)) == 1:
            same.append(f"{name} {found[0]}")
        else:
            other.append(f"{name} {', '.join(f'{letter(n)} {value}' for n, value in enumerate(found))}")
    if other:
        yield Note(f"Made with different versions: {'; '.join(other)}."[:600])
    elif same:
        yield Note(f"Made with the same versions: {', '.join(same)}."[:600], "good")


def _groups(summaries: Sequence[Summary], of: Callable[[Summary], str]) -> list[list[int]]:
    """Numbers of runs for which something is the same; those of which nothing is known ("") are in none."""
    found: dict[str, list[int]] = {}
    for number, summary in enumerate(summaries):
        if value := of(summary):
            found.setdefault(value, []).append(number)
    return list(found.values())


def _letters(numbers: Iterable[int]) -> str:
    *first, last = [letter(number) for number in numbers]
    return f"{', '.join(first)} and {last}" if first else last


def _was(numbers: Sequence[int]) -> str:
    return "was" if len(numbers) == 1 else "were"


# ---- as a table for other programs ----


def history_of(folder: Path) -> History:
    """All that a run has written, but for where its answers stand; for another thread than the window's."""
    reader, history = RunReader(folder), History()
    while (chunk := reader.read()).seen:
        history.take(chunk.seen)
        history.places.clear()
        time.sleep(_REST_S)
    return history


def export_csv(histories: Mapping[str, History], path: Path) -> int:
    """All steps and all measurements of runs, by their names, as CSV with a column for each value; how many lines.

    Empty: nothing was measured; "NaN": it was no number. All or nothing. Raises RunError.
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    tables = [(name, *entry) for name, history in histories.items() for entry in _tables(history)]
    names = sorted({value for *_, table in tables for value in table.names})
    written = 0
    try:
        with part.open("w", encoding="utf-8", newline="") as out:
            lines = csv.writer(out)
            lines.writerow(["run", "stage", "kind", "step", "time", *map(_text, names)])
            for name, stage, kind, table in tables:
                for line in _lines(table, names):
                    lines.writerow([_text(name), _text(stage), kind, *line])
                    written += 1
        part.replace(path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise RunError(
            f"{path.name} cannot be written: {(error.strerror or str(error)).lower()}.",
            hint="Choose another folder, or make room there.",
        ) from error
    return written


def _tables(history: History) -> list[tuple[str, str, Table]]:
    stages = [*history.stages, *(name for name in ("sft", "hard", "grpo", "base", "export") if name not in history.stages)]
    found = [(stage, kind, history.table(stage, kind)) for stage in stages for kind in (STEP, PROBE)]
    return [entry for entry in found if len(entry[2])]


def _lines(table: Table, names: Sequence[str]) -> Iterator[list[str]]:
    """Step, time and values of each row, as texts."""
    there = [table.column(name)[1] for name in names]
    odd = [frozenset(table.odd.get(name, ())) for name in names]
    for n, step in enumerate(table.steps):
        values = [_number(float(column[n]), step in bad) for column, bad in zip(there, odd, strict=True)]
        yield [str(step), _time(table.at[n]), *values]
        if n % _ROWS_AT_ONCE == 0:
            time.sleep(_REST_S)


def _number(value: float, odd: bool) -> str:
    return "NaN" if odd else "" if value != value else repr(value)


def _time(at: float) -> str:
    """ISO 8601 in UTC; "" for what is no time."""
    try:
        return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)) if at > 0 else ""
    except (OverflowError, OSError, ValueError):
        return ""


def _text(text: str) -> str:
    """A name that a spreadsheet takes for a name and not for a formula."""
    return f"'{text}" if text[:1] in ("=", "+", "-", "@", "\t", "\r") else text
