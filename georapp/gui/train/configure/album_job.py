"""A scan of the draft's album: its own process, watched from another thread, so that the window only looks at how far it is."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QObject, QTimer, Signal

from georapp.album_scan import AlbumSeen, Scan
from georapp.errors import GeorappError
from georapp.gui.background import run
from georapp.gui.train.configure import draft_file
from georapp.run_settings import RunConfig

_LOOK_MS = 100


class _HowFar:
    """Written by one thread, read by another."""

    def __init__(self) -> None:
        self.done = self.of = 0
        self.wanted = True

    def tell(self, done: int, of: int) -> None:
        self.done, self.of = done, of


class AlbumJob(QObject):
    """One scan at a time. `progress`: photos that were read, of how many; `done`: AlbumSeen and the settings it was made with."""

    progress = Signal(int, int)
    done = Signal(object, object)  # AlbumSeen, RunConfig
    failed = Signal(object)  # GeorappError
    cancelled = Signal()

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._scan: Scan | None = None
        self._how_far = _HowFar()
        self._timer = QTimer(self)
        self._timer.setInterval(_LOOK_MS)
        self._timer.timeout.connect(lambda: self.progress.emit(self._how_far.done, self._how_far.of))

    @property
    def busy(self) -> bool:
        """One is going on."""
        return self._scan is not None

    def start(self, config: RunConfig, python: Path | None) -> None:
        """Scan the album of these settings. An older scan is given up."""
        self.cancel()
        folder = draft_file.scanned()
        self._scan, self._how_far = Scan(folder, python), _HowFar()
        job = functools.partial(_scanned, self._scan, config, folder, self._how_far)
        take = functools.partial(self._take, self._scan, config)
        run(job, take, parent=self, failed=functools.partial(self._fail, self._scan))
        self._timer.start()

    def cancel(self) -> None:
        """Give it up; what it read is kept for the next one."""
        if self._scan is not None:
            self._scan.cancel()
            self._over()
            self.cancelled.emit()

    def _over(self) -> None:
        self._scan, self._how_far.wanted = None, False
        self._timer.stop()

    def _take(self, scan: Scan, config: RunConfig, seen: AlbumSeen) -> None:
        if scan is self._scan:
            self._over()
            self.done.emit(seen, config)

    def _fail(self, scan: Scan, error: GeorappError) -> None:
        if scan is self._scan:
            self._over()
            self.failed.emit(error)


def _scanned(scan: Scan, config: RunConfig, folder: Path, how_far: _HowFar) -> AlbumSeen:
    draft_file.save(config, folder, wanted=lambda: how_far.wanted)
    return scan.run(how_far.tell)
