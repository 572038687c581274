"""From a hundred thousand values to what a chart of a few hundred pixels can show, without losing a spike or a gap. No Qt."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def smoothed(values: Floats, window: int) -> Floats:
    """The mean of the last `window` values that are numbers; gaps stay gaps."""
    if window <= 1 or not len(values):
        return values
    there = np.isfinite(values)
    total = np.concatenate([[0.0], np.cumsum(np.where(there, values, 0.0))])
    count = np.concatenate([[0], np.cumsum(there)])
    first = np.maximum(np.arange(1, len(values) + 1) - window, 0)
    number = count[1:] - count[first]
    mean = (total[1:] - total[first]) / np.maximum(number, 1)
    return np.where(there, mean, np.nan)


def decimated(x: Floats, y: Floats, pixels: int) -> tuple[Floats, Floats]:
    """The smallest and the largest value of every pixel's width, and a gap where at least one value of it is none.

    `x` grows. Few points stay as they are.
    """
    if len(x) <= 2 * pixels:
        return x, y
    edges = np.linspace(x[0], x[-1], pixels + 1)[:-1]
    starts = np.unique(np.searchsorted(x, edges))
    with np.errstate(invalid="ignore"):
        low, high = np.fmin.reduceat(y, starts), np.fmax.reduceat(y, starts)
    broken = np.add.reduceat(np.isnan(y).astype(np.int64), starts) > 0
    kept = np.column_stack([np.ones_like(broken), np.ones_like(broken), broken]).ravel()
    points = np.column_stack([low, high, np.full(len(low), np.nan)]).ravel()
    return np.repeat(x[starts], 3)[kept], points[kept]


def means(x: Floats, y: Floats, pixels: int) -> tuple[Floats, Floats]:
    """The mean of every pixel's width; a gap where it has no number. For lines behind which `decimated` ones show the spikes."""
    if len(x) <= 2 * pixels:
        return x, y
    starts = np.unique(np.searchsorted(x, np.linspace(x[0], x[-1], pixels + 1)[:-1]))
    there = np.isfinite(y)
    count = np.add.reduceat(there.astype(np.int64), starts)
    total = np.add.reduceat(np.where(there, y, 0.0), starts)
    return x[starts], np.where(count > 0, total / np.maximum(count, 1), np.nan)


def travel(y: Floats) -> float:
    """How far a line goes up and down in all."""
    return float(np.nansum(np.abs(np.diff(y))))


def logarithms(values: Floats) -> Floats:
    """Powers of ten; a gap for 0 and below."""
    return np.log10(values, out=np.full(len(values), np.nan), where=values > 0)


def alone(values: Floats) -> npt.NDArray[np.bool_]:
    """Which numbers stand between two gaps, where no line can show them."""
    gap = np.concatenate([[True], np.isnan(values), [True]])
    found: npt.NDArray[np.bool_] = ~gap[1:-1] & gap[:-2] & gap[2:]
    return found


def bounds(parts: list[Floats]) -> tuple[float, float] | None:
    """The smallest and largest number in them; None without any."""
    found = [part[np.isfinite(part)] for part in parts]
    there = [part for part in found if len(part)]
    return (min(float(p.min()) for p in there), max(float(p.max()) for p in there)) if there else None
