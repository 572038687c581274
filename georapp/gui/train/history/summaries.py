"""All runs of a folder in a few facts each, read on another thread, one run at a time; what was read once is kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp import run_queue, runs
from georapp.gui.background import run
from georapp.run_events import CONFIG
from georapp.run_queue_file import Complaint
from georapp.run_summary import Summary, SummaryReader


@dataclass(frozen=True, slots=True)
class Survey:
    """What a quick look found: every run as far as it is known, those whose messages are to be read, and the queue."""

    summaries: tuple[Summary, ...]
    unread: tuple[SummaryReader, ...]
    waiting: tuple[Path, ...] = ()
    complaints: tuple[Complaint, ...] = ()
    working: bool = False  # a process sees to the queue


class Summaries(QObject):
    """`refresh` as often as you like: while one round goes on, one more is noted, and files that did not change are not read."""

    surveyed = Signal(object)  # Survey
    changed = Signal(object)  # Summary: its messages were read
    rested = Signal()  # everything is read
    silent = Signal()  # the disk with the runs does not answer

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._readers: dict[Path, SummaryReader] = {}
        self._unread: list[SummaryReader] = []
        self.busy = self._again = False

    def refresh(self) -> None:
        """Look at all runs."""
        if self.busy:
            self._again = True
            return
        self.busy = True
        home, readers = runs.home(), self._readers
        run(lambda: _survey(home, readers), self._take, parent=self, silent=self.silent.emit)

    def _take(self, survey: Survey) -> None:
        self._unread = [*survey.unread]
        self.surveyed.emit(survey)
        self._read_one()

    def _read_one(self) -> None:
        if self._unread:
            run(self._unread.pop(0).read, self._took, parent=self, silent=self.silent.emit)
            return
        self.busy = False
        self.rested.emit()
        if self._again:
            self._again = False
            self.refresh()

    def _took(self, summary: Summary) -> None:
        self.changed.emit(summary)
        self._read_one()


def _survey(home: Path, readers: dict[Path, SummaryReader]) -> Survey:
    """On another thread; nobody else touches the readers meanwhile."""
    folders = _folders(home)
    for folder in [folder for folder in readers if folder not in folders]:
        del readers[folder]
    stale = []
    for folder in folders:
        reader = readers.setdefault(folder, SummaryReader(folder))
        if not reader.is_fresh():
            reader.glance()
            stale.append(reader)
    found = tuple(reader.summary for folder in folders if (reader := readers[folder]).summary)
    return Survey(found, tuple(stale), tuple(run_queue.waiting()), tuple(run_queue.complaints()), run_queue.is_working())


def _folders(home: Path) -> list[Path]:
    """As `runs.list_runs` finds them."""
    try:
        entries = sorted(home.iterdir(), reverse=True)
    except OSError:
        return []
    return [entry for entry in entries if not entry.name.startswith(".") and (entry / CONFIG).is_file()]
