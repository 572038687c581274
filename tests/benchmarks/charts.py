"""Speed of the page of a training run, printed as a table: python tests/benchmarks/charts.py [--steps 100000] [--answers 8]

A run folder is written with all values that GRPO logs, and followed as a person would. Nothing is asserted: figures of a busy machine
mean little. Runs with any Qt platform; "offscreen" needs no screen.
"""

from __future__ import annotations

import argparse
import math
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
from PySide6.QtCore import QEventLoop
from PySide6.QtWidgets import QApplication

from georapp.gui import look
from georapp.gui.train.run.run_page import RunPage
from georapp.run_events import CONFIG, EVENTS, Probe, RunEvent, Sample, Stage, Step, to_line

NAMES = (
    "loss", "grad_norm", "learning_rate", "completions/mean_length", "completions/min_length", "completions/max_length",
    "completions/clipped_ratio", "rewards/reward/mean", "rewards/r_distance/mean", "rewards/r_format/mean", "rewards/km/mean", "reward",
    "reward_std", "frac_reward_zero_std", "kl", "entropy", "clip_ratio/region_mean", "step_time", "tokens_per_s", "gpu_memory_gb",
    "gpu_temperature_c", "epoch",
)  # fmt: skip


def messages(steps: int, answers: int) -> Iterator[RunEvent]:
    """A plausible run: noise, a few spikes, a few values that are no number."""
    noise = np.random.default_rng(0)
    yield Stage("grpo", "began")
    for number in range(1, steps + 1):
        for n in range(answers):
            km = float(noise.gamma(1, 300))
            parts = {"reward": 0.5, "r_distance": 0.5, "r_format": 1.0}
            text = "Continent: Europe\nCountry: Portugal\nState: Lisbon\nCity: Lisbon\nCoordinates: (38.7, -9.1)"
            place = {"lat": 38.7, "lon": -9.1, "distance_km": km, "true_lat": 38.9, "true_lon": -9.3}
            yield Sample(
                "grpo", number, "/gone/photo.jpg", text, reward=0.5, advantage=0.1 * n, parts=parts, at=float(number), **place
            )
        values = dict(zip(NAMES, (0.5 + 0.1 * noise.standard_normal(len(NAMES))).tolist(), strict=True))
        if number % 9973 == 0:
            values |= {"loss": math.nan, "grad_norm": 500.0}
        yield replace(Step.of("grpo", number, steps, values), at=float(number))
        if number % 500 == 0:
            shares = {f"within_{km}_km": 0.1 * n for n, km in enumerate((1, 25, 200, 750, 2500))}
            yield Probe("grpo", number, 100, shares | {"error_km": 300.0}, at=float(number))


def write_run(folder: Path, steps: int, answers: int) -> None:
    """As a training process that is gone has left it."""
    folder.mkdir()
    (folder / CONFIG).write_text("")
    with (folder / EVENTS).open("wb") as out:
        out.writelines(to_line(event) for event in messages(steps, answers))


class Frames:
    """How long every turn of the event loop takes: in all, and of this thread's own work."""

    def __init__(self, app: QApplication) -> None:
        self._app = app
        self.restart()

    def restart(self) -> None:
        self.wall: list[float] = []
        self.own: list[float] = []

    def until(self, what: Callable[[], bool], patience_s: float = 300.0) -> float:
        """Seconds until it is so."""
        start = time.perf_counter()
        while not what():
            before, worked = time.perf_counter(), time.thread_time()
            self._app.processEvents(QEventLoop.ProcessEventsFlag.AllEvents, 1)
            self.wall.append((time.perf_counter() - before) * 1000)
            self.own.append((time.thread_time() - worked) * 1000)
            if self.wall[-1] < 0.2:
                time.sleep(0.001)
            if time.perf_counter() - start > patience_s:
                raise SystemExit("It took too long.")
        return time.perf_counter() - start

    def __str__(self) -> str:
        worked = sorted(ms for ms in self.own if ms > 1) or [0.0]
        return (
            f"{statistics.median(worked):.0f} ms a frame, 99 of 100 below {worked[int(0.99 * (len(worked) - 1))]:.0f} ms, "
            f"longest {max(self.own):.0f} ms (with other threads and programs {max(self.wall):.0f} ms)"
        )


def say(name: str, figure: str) -> None:
    sys.stdout.write(f"{name:34} {figure}\n")
    sys.stdout.flush()


def measure(app: QApplication, folder: Path, steps: int) -> None:
    page, frames = RunPage(), Frames(app)
    page.resize(1364, 800)
    page.show()
    frames.until(lambda: page.isVisible())
    frames.restart()
    page.follow(folder)
    first = frames.until(
        lambda: bool(page.wall.charts) and all(chart.curves for chart in page.wall.charts.values()) and not page.wall.busy
    )
    say("first picture", f"{first:.2f} s")
    table = page.history.table
    whole = frames.until(lambda: len(table("grpo", "step")) >= steps and not page.wall.busy)
    say("whole history", f"{first + whole:.2f} s")
    say("while it is read", str(frames))
    frames.restart()
    rested(frames, page, "at rest")
    grow(frames, page, folder, steps)
    for name, action in (
        ("log axis", lambda: page.wall.bar._log.setChecked(True)),
        ("last 1,000 steps", lambda: page.wall.bar._last.setCurrentIndex(2)),
        ("whole history again", lambda: page.wall.bar._last.setCurrentIndex(0)),
        ("other theme", lambda: look.apply(app, dark=False)),
        ("another size", lambda: page.resize(1200, 760)),
        ("scroll to the end", lambda: page.wall._area.verticalScrollBar().setValue(10_000)),
    ):
        frames.restart()
        action()
        rested(frames, page, name)


def rested(frames: Frames, page: RunPage, name: str) -> None:
    end = time.perf_counter() + 1.0
    frames.until(lambda: time.perf_counter() > end and not page.wall.busy)
    say(name, str(frames))
    frames.restart()


def grow(frames: Frames, page: RunPage, folder: Path, steps: int) -> None:
    """Twenty steps more, one after another."""
    frames.restart()
    with (folder / EVENTS).open("ab", buffering=0) as out:
        for number in range(steps + 1, steps + 21):
            out.write(to_line(Step("grpo", number, steps + 20, dict.fromkeys(NAMES, 0.5), (), float(number))))
            frames.until(lambda number=number: page.history.stages["grpo"].step == number and not page.wall.busy)  # type: ignore[misc]
    say("20 steps more", str(frames))


def main() -> None:
    """Write the run, follow it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=100_000)
    parser.add_argument("--answers", type=int, default=8, help="of every step, in the messages")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as home:
        os.environ["GEORAPP_HOME"] = home
        folder = Path(home) / "2026-11-21-long"
        write_run(folder, options.steps, options.answers)
        say("messages", f"{(folder / EVENTS).stat().st_size / 1e6:,.0f} MB of {options.steps:,} steps")
        app = QApplication(sys.argv[:1])
        look.apply(app, dark=True)
        measure(app, folder, options.steps)
        app.closeAllWindows()


if __name__ == "__main__":
    main()
