"""Times, sizes and names as the preflight says them. No Qt."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from georapp.printable import printable
from georapp.run_estimate import Hours, total
from georapp.run_preflight import Preflight
from georapp.run_settings import RunConfig


def hours(found: Hours) -> str:
    """ "about 3 h", "20 to 45 min", "2 to 4.5 h"."""
    low, high = sorted((found.low, found.high))
    if high < 1 / 60:
        return "less than a minute"
    unit, size = ("min", 60.0) if high < 1.5 else ("days", 1 / 24) if low >= 48 else ("h", 1.0)
    first, last = _figure(low * size), _figure(high * size)
    return f"about {last} {unit}" if first == last else f"{first} to {last} {unit}"


def _figure(value: float) -> str:
    return f"{value:.0f}" if value >= 10 else f"{value:.1f}".removesuffix(".0")


def summary(found: Preflight) -> str:
    """What a run that is ready needs, in one line."""
    most = max(total(found.memory_sft), total(found.memory_grpo))
    of = f" of {found.room.gib:.1f}" if found.room else ""
    parts = [f"{most:.1f}{of} GiB of memory" if most else "", hours(found.hours) if found.hours else ""]
    return " · ".join(part for part in parts if part)


def gib(value: float) -> str:
    """ "3.1 GiB", "240 MiB"."""
    return f"{value:.1f} GiB" if value >= 1 else f"{value * 1024:.0f} MiB"


def command(parts: Sequence[str]) -> str:
    """As one types it into a terminal."""
    return printable(shlex.join(parts))


def named(config: RunConfig) -> RunConfig:
    """The same with a name."""
    return config if config.name else replace(config, name=suggested_name(config.model.base, config.album.sources))


def suggested_name(base: str, sources: Sequence[str]) -> str:
    """For a run that nobody named."""
    words = [Path(base).name if base else "", Path(sources[0]).stem if sources else ""]
    return " ".join(word for word in words if word)[:40] or "run"
