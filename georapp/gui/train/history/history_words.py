"""What the history says of a run. A figure never stands without the number of photos, its interval, and what needs no model. No Qt."""

from __future__ import annotations

import time
from dataclasses import dataclass

from georapp import run_presets
from georapp.gui.train import figures, run_words
from georapp.run_facts import Measured
from georapp.run_settings import RunConfig, written
from georapp.run_summary import Summary
from georapp.runs import State

KM = (25, 200, 750, 2500)  # what a row of figures has room for
IN_LIST_KM = 25
_MOST_SETTINGS = 12
EMPTY = "No run yet"
EMPTY_WORDS = (
    "A run takes your album through SFT and GRPO to a model that this program can use. Every run that you start under Configure is kept "
    "here with its settings, its curves and its figures, also one that failed: so that you can resume it, start a new one from its "
    "settings, lay several over each other, and write down what you have tried."
)
NOTHING_FOUND = "No run is called so, and no note says so."
_RESUMABLE = (State.CREATED, State.STOPPED, State.FAILED, State.DIED)


def resumable(summary: Summary) -> bool:
    """Whether its process may be started (again)."""
    return summary.run.state in _RESUMABLE


def when(at: float) -> str:
    """ "21 Nov 2026, 14:05" on this machine's clock; "" for what is no time."""
    try:
        return time.strftime("%d %b %Y, %H:%M", time.localtime(at)) if at > 0 else ""
    except (OverflowError, OSError, ValueError):
        return ""


def took(seconds: float) -> str:
    """ "45 s", "12 min", "3.2 h", "4 days"."""
    if not 0 < seconds < 1e9:
        return ""
    if seconds < 90:
        return f"{max(1, round(seconds))} s"
    if seconds < 90 * 60:
        return f"{round(seconds / 60)} min"
    hours = seconds / 3600
    return f"{hours:.1f} h" if hours < 48 else f"{hours / 24:.1f} days"


def state(summary: Summary) -> tuple[str, str]:
    """One word with its sign, and its tone."""
    word, tone = run_words.short(summary.run, there=True)
    return f"{run_words.SIGNS.get(tone, '●')} {word}", tone


def facts_line(summary: Summary) -> str:
    """When, how long, how far, from which model."""
    run = summary.run
    where = f"step {run.step:,} of {run.total:,} of {run_words.stage_name(run.stage)}" if run.total and run.step else ""
    parts = [when(summary.started), took(summary.seconds), "" if run.state is State.FINISHED else where, summary.base[:40]]
    return "  ·  ".join(part for part in parts if part) or "not started yet"


def share(measured: Measured, km: int) -> str:
    """ "31 % (25–38)": with its 95 % interval."""
    found = measured.within(km)
    if found is None:
        return "–"
    low, high = found.interval
    return f"{100 * found.value:.0f} % ({100 * low:.0f}–{100 * high:.0f})"


def plain_share(measured: Measured, km: int) -> str:
    """ "31 %"."""
    found = measured.within(km)
    return "–" if found is None else f"{100 * found.value:.0f} %"


def distance(km: float | None) -> str:
    """ "212 km"; "–" where most have no answer."""
    return "–" if km is None else f"{figures.number(km)} km"


def figures_line(summary: Summary) -> str:
    """The list's line of figures."""
    best, km = summary.best, IN_LIST_KM
    if best is None:
        return "" if summary.read else "Reading…"
    return f"Within {km} km: {share(best, km)}, n = {best.n:,}"


def beside_line(summary: Summary) -> str:
    """The list's line of what the figures are to be compared with."""
    baselines = [("frequent/", "most frequent place"), ("random/", "random")]
    found = [("before", summary.before), *((words, one) for (_, words), one in zip(baselines, summary.baselines, strict=False))]
    parts = [f"{words} {plain_share(one, IN_LIST_KM)}" for words, one in found if one]
    return f"{',  '.join(parts)}" if summary.best else ""


def said(summary: Summary) -> tuple[str, str, str]:
    """Sentence, hint and tone about how it stands; an empty sentence when all is well."""
    run = summary.run
    if summary.config_error:
        return summary.config_error, "Its curves and figures are shown all the same.", "bad"
    if run.said:
        return run.said, run.hint, "bad" if run.state in (State.FAILED, State.DIED) else "warning"
    if summary.worse:
        return f"Its model got worse. {summary.worse}", "Compare it with the one before on photos of your own.", "warning"
    return "", "", "dim"


def facts(summary: Summary) -> list[tuple[str, str]]:
    """Names and words, for a run of its own."""
    album, data = summary.album, summary.data
    photos = f"{data.train:,} to train on, {data.measured_on:,} measured on, {data.held_out:,} more held out" if data else ""
    found = f"{album.with_place:,} of {album.photos:,} usable, {album.countries:,} countries" if album else ""
    starts = f" in {summary.starts:,} starts" if summary.starts > 1 else ""
    versions = ", ".join(f"{name} {value}" for name, value in summary.versions.items())
    return [
        ("Folder", summary.folder.name),
        ("Started", when(summary.started) or "not yet"),
        ("Took", f"{took(summary.seconds)}{starts}" if took(summary.seconds) else "–"),
        ("Stages", stages(summary) or "–"),
        ("Album", found or "–"),
        ("Photos", photos or "–"),
        ("Data hash", data.sha256[:16] if data else "–"),
        ("Base model", summary.config.model.base if summary.config else "–"),
        ("Versions", versions or "–"),
        ("Settings", settings(summary.config)),
    ]


def stages(summary: Summary) -> str:
    """ "✓ Album, ✓ SFT 120 steps, ● GRPO"."""
    ended = not summary.run.state.alive
    signs = {"done": "✓", "skipped": "–"}
    found = []
    for stage in summary.stages:
        sign = signs.get(stage.state, "✕" if ended and stage.name == summary.run.stage else "●")
        counted = stage.steps and stage.name not in run_words.ON_PHOTOS
        steps = f" {stage.steps:,} {'step' if stage.steps == 1 else 'steps'}" if counted else ""
        found.append(f"{sign} {run_words.stage_name(stage.name)}{steps}")
    return ",  ".join(found)


def settings(config: RunConfig | None) -> str:
    """What is not as the program proposes it."""
    if config is None:
        return "run.toml cannot be read"
    other = run_presets.differences(config, RunConfig())
    if not other:
        return "All are the defaults."
    lines = [f"{key} = {written(mine)[:60]}" for key, (mine, _) in list(other.items())[:_MOST_SETTINGS]]
    more = f"\nand {len(other) - _MOST_SETTINGS} others" if len(other) > _MOST_SETTINGS else ""
    return "\n".join(lines) + more


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table of figures: texts by column, and whether it is of the model itself."""

    name: str
    cells: tuple[str, ...]
    own: bool


def figure_lines(summary: Summary) -> list[Line]:
    """This model, the one before, and what needs none."""
    own = [one for one in (summary.best, summary.before) if one]
    found = [*((one, True) for one in own), *((one, False) for one in summary.baselines)]
    return [Line(one.name, (*(share(one, km) for km in KM), distance(one.median_km), f"{one.n:,}"), mine) for one, mine in found]


FIGURE_NAMES = (*(f"≤ {km:,} km" for km in KM), "median", "n")
FIGURES_NOTE = (
    "One greedy answer to each held-out photo, in brackets 95 % Wilson intervals, which take photos as independent. The checkpoint that did "
    "best on these photos is the one that counts: that flatters. The lines below need no model; what does not beat them has learned nothing."
)


def matches(summary: Summary, wanted: str) -> bool:
    """Whether title, folder, note, base model or state hold all these words."""
    text = f"{summary.title} {summary.folder.name} {summary.notes.note} {summary.base} {state(summary)[0]}".casefold()
    return all(word in text for word in wanted.casefold().split())
