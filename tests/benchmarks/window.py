"""Speed and memory of the window, printed as a table: python tests/benchmarks/window.py [--photos 10000]

Nothing is asserted: figures of a busy machine mean little. Runs with any Qt platform; "offscreen" needs no screen.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

from PySide6.QtCore import QEventLoop, QObject, QTimer
from PySide6.QtWidgets import QApplication

from georapp import events, settings
from georapp.case import Case, Ruling, State, Verdict
from georapp.chain import Chain, Level
from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.app import begin, settle
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.prediction import Prediction, Sample
from georapp.selection import Filter
from georapp.uncertainty import agreements, candidates

TICK_MS = 2


class Stalls(QObject):
    """The longest time between two turns of the event loop; and the longest that the window's own work took, whoever else had the
    processor meanwhile.
    """

    def __init__(self) -> None:
        super().__init__()
        self._timer = QTimer(self)
        self._timer.timeout.connect(self._tick)
        self.restart()
        self._timer.start(TICK_MS)

    def _tick(self) -> None:
        now, worked = time.perf_counter(), time.thread_time()
        self.longest_ms = max(self.longest_ms, (now - self._last) * 1000 - TICK_MS)
        self.own_ms = max(self.own_ms, (worked - self._worked) * 1000)
        self._last, self._worked = now, worked

    def restart(self) -> None:
        self.longest_ms = self.own_ms = 0.0
        self._last, self._worked = time.perf_counter(), time.thread_time()

    def __str__(self) -> str:
        return f"{self.longest_ms:.0f} ms (own work {self.own_ms:.0f} ms)"


def big_case(path: Path, photos: int) -> None:
    """Nine of ten located."""
    place = Coordinate(48.0, 2.0)
    chain = Chain.of([(Level.CONTINENT, "Europe"), (Level.COUNTRY, "France")], place)
    samples = (Sample("Continent: Europe", True, chain, True, place, "coordinates"),) * 8
    prediction = Prediction(chain, place, 10.0, 400.0, samples, agreements(samples), candidates(samples))
    located = events.Located("", "none", "0" * 64, 1, "georapp", 0, 1.0, prediction)
    with Case.create(path) as case:
        case.add([(Path(f"/gone/photo {i}.jpg"), facts(i)) for i in range(photos)])
        with case._change() as change:  # one transaction: this is not what is measured
            for number in range(1, photos * 9 // 10):
                case._save_located(change, case.row(number), located)
                change.execute("UPDATE photo SET state = ? WHERE number = ?", (State.LOCATED.value, number))


def facts(i: int) -> events.Began:
    return events.Began(
        "", hashlib.sha256(str(i).encode()).hexdigest(), 4000, 3000, "JPEG", 3_000_000, known_lat=48.1, known_lon=2.2
    )


def until(app: QApplication, what: Callable[[], bool], patience_s: float = 120.0) -> float:
    """Seconds until it is so. Waits as the window's own loop does: one that spins would use up its share of the processor."""
    start = time.perf_counter()
    while not what():
        app.processEvents(QEventLoop.ProcessEventsFlag.WaitForMoreEvents)
        if time.perf_counter() - start > patience_s:
            raise SystemExit("It took too long.")
    return time.perf_counter() - start


def rested(app: QApplication, seconds: float = 1.0) -> None:
    end = time.perf_counter() + seconds
    until(app, lambda: time.perf_counter() > end)


def memory_mb() -> float:
    """Proportional share of this process and all that it started."""
    total, mine = 0, {os.getpid()}
    parents = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parents[int(folder.name)] = int((folder / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue
    while more := {pid for pid, parent in parents.items() if parent in mine} - mine:
        mine |= more
    for pid in mine:
        try:
            if b"georapp\0worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                continue
            lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return total / 1024


def cold_start() -> float:
    """Seconds from a new process to a visible window."""
    code = (
        "import time; t = time.perf_counter()\n"
        "from PySide6.QtCore import QTimer\n"
        "from georapp.gui import app, window\n"
        "shown = window.Window.showEvent\n"
        "def show(self, event):\n"
        "    shown(self, event)\n"
        "    def say():\n"
        "        print(time.perf_counter() - t, flush=True); import os; os._exit(0)\n"
        "    QTimer.singleShot(0, say)\n"
        "window.Window.showEvent = show\n"
        "app.start([])\n"
    )
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, env={**os.environ, "GEORAPP_HOME": home}, check=True
        )
    return float(done.stdout)


def measure(app: QApplication, window: Window, photos: int, folder: Path) -> list[tuple[str, str]]:
    session, stalls = window.session, Stalls()
    lines = []
    big_case(folder / "big.georapp", photos)
    begin(window, [])
    window.page.map.begin()
    until(app, lambda: session.ready is not None)
    session.pause()
    rested(app, 3)
    read: list[bool] = []
    session.rows_read.connect(lambda: read.append(True))
    stalls.restart()
    start = time.perf_counter()
    session.open(folder / "big.georapp")
    until(app, lambda: bool(read))
    lines.append((f"open a case of {photos:,} photos", f"{time.perf_counter() - start:.2f} s"))
    rested(app)
    lines.append(("longest stall meanwhile", str(stalls)))
    for name, action in (
        ("filter by text", lambda: window.page.photos.set_filter(Filter(text="99").to_text())),
        ("clear the filter", lambda: window.page.photos.set_filter("")),
        ("scroll to the end", lambda: window.page.photos.choose(photos)),
        ("map of all photos", lambda: window.show_page("map_page")),
        ("back to one photo", lambda: window.show_page("locate_page")),
        ("judge one photo", lambda: session.judge([7], Verdict(Ruling.ACCEPTED))),
    ):
        stalls.restart()
        start = time.perf_counter()
        action()
        took = time.perf_counter() - start
        rested(app, 2)
        lines.append((name, f"{took * 1000:.0f} ms, longest stall {stalls}"))
    return lines


def with_the_model(app: QApplication, window: Window, _photos: int, _folder: Path) -> list[tuple[str, str]]:
    """Forty answers to the demo photo."""
    session, stalls = window.session, Stalls()
    begin(window, [])
    window.page.map.begin()
    until(app, lambda: session.ready is not None)
    rested(app, 3)
    stalls.restart()
    window.actions_by_name["demo"].trigger()
    first = until(app, lambda: session.count(State.LOCATED) == 1)
    for _again in range(39):
        session.locate_again([1])
        until(app, lambda: session.count(State.LOCATED) == 1 and session.current is None)
    rested(app, 2)
    return [
        ("first answer after dropping a photo", f"{first:.2f} s"),
        ("longest stall while 40 answers stream in", str(stalls)),
        ("window and web processes after 40 answers", f"{memory_mb():.0f} MB"),
    ]


PARTS = {"case": measure, "answers": with_the_model}


def run(part: str, photos: int) -> None:
    """One part, in a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        os.environ["GEORAPP_HOME"] = home
        settle()
        app = QApplication(sys.argv[:1])
        look.apply(app, dark=True)
        window = Window(Session(settings.Settings()))
        window.show()
        for name, figure in PARTS[part](app, window, photos, Path(home)):
            sys.stdout.write(f"{name:48} {figure}\n")
        sys.stdout.flush()
        window.close()


def main() -> None:
    """The window's start first; then each part."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--photos", type=int, default=10_000)
    parser.add_argument("--part", choices=sorted(PARTS))
    options = parser.parse_args()
    if options.part:
        run(options.part, options.photos)
        return
    cold = [cold_start() for _ in range(3)]
    sys.stdout.write(f"{'window visible, cold':48} {sorted(cold)[1]:.2f} s (of 3: {min(cold):.2f}–{max(cold):.2f})\n")
    sys.stdout.flush()
    for part in PARTS:
        subprocess.run([sys.executable, __file__, "--part", part, "--photos", str(options.photos)], check=True)


if __name__ == "__main__":
    main()
