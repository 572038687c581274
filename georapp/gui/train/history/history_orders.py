"""What is asked of runs in the history, on another thread, because their folders may lie on a slow disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import QFile, QObject, QUrl, Signal
from PySide6.QtGui import QDesktopServices, QImage

from georapp import run_compare, run_notes, run_queue, runs
from georapp.errors import GeorappError, RunError
from georapp.gui.background import run
from georapp.run_notes import Notes


class HistoryOrders(QObject):
    """`done`: something was changed; `added`: a run waits; `told`: a sentence about what was written; `complained`: a sentence, and what to do."""

    done = Signal()
    added = Signal()
    told = Signal(str)
    complained = Signal(str, str)

    def keep_notes(self, folder: Path, notes: Notes) -> None:
        """Title and note of a run."""
        self._ask(lambda: run_notes.write(folder, notes))

    def add(self, folder: Path) -> None:
        """Behind the runs that wait."""

        def told(_: object) -> str:
            self.added.emit()
            return f"{folder.name} waits for its turn."

        self._ask(lambda: run_queue.add(folder), told)

    def remove(self, folder: Path) -> None:
        """Out of the queue."""
        self._ask(lambda: run_queue.remove(folder))

    def move(self, folder: Path, place: int) -> None:
        """Within the queue."""
        self._ask(lambda: run_queue.move(folder, place))

    def forgive(self) -> None:
        """The complaints of the queue were read."""
        self._ask(run_queue.forgive)

    def delete(self, folder: Path) -> None:
        """Into the desktop's trash."""
        self._ask(lambda: to_trash(folder), f"{folder.name} is in the trash.")

    def export_csv(self, folders: Mapping[str, Path], path: Path) -> None:
        """All steps of these runs, under these names."""

        def write() -> int:
            return run_compare.export_csv({name: run_compare.history_of(folder) for name, folder in folders.items()}, path)

        self._ask(write, lambda lines: f"{lines:,} steps and measurements are in {path.name}.")

    def export_png(self, picture: QImage, path: Path) -> None:
        """A chart as it is shown."""
        self._ask(lambda: _save(picture, path), f"The chart is in {path.name}.")

    def open_folder(self, folder: Path) -> None:
        """In the desktop's own program."""
        if not QDesktopServices.openUrl(QUrl.fromLocalFile(str(folder))):
            self.complained.emit("No program shows folders here.", f"The run is in {folder}.")

    def _ask(self, what: Callable[[], Any], tell: str | Callable[[Any], str] = "") -> None:
        def told(outcome: Any) -> None:
            self.done.emit()
            if tell:
                self.told.emit(tell if isinstance(tell, str) else tell(outcome))

        run(what, told, parent=self, failed=self._failed, silent=self._silent)

    def _failed(self, error: GeorappError) -> None:
        self.complained.emit(str(error), error.hint)
        self.done.emit()

    def _silent(self) -> None:
        self.complained.emit("The disk does not answer.", "It is tried on. Check whether it is connected.")


def to_trash(folder: Path) -> None:
    """Raises RunError for a run that is going on, and where there is no trash: then nothing is deleted."""
    if runs.look(folder).state.alive:
        raise RunError(f"{folder.name} is going on.", hint="Stop it first.")
    run_queue.remove(folder)
    QFile.moveToTrash(str(folder))
    if folder.exists():
        raise RunError(
            f"{folder.name} was not deleted: there is no trash for that disk.",
            hint=f"Delete the folder {folder} by hand if you want to.",
        )


def _save(picture: QImage, path: Path) -> None:
    if not picture.save(str(path), "PNG"):  # type: ignore[call-overload]
        raise RunError(f"{path.name} cannot be written.", hint="Choose another folder, or make room there.")
