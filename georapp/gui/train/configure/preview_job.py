"""What the model will see of the first photos: asked of the training Python, on another thread."""

from __future__ import annotations

import functools
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp.errors import GeorappError
from georapp.gui.background import run
from georapp.gui.train.configure import draft_file
from georapp.gui.train.configure.sample_view import Sample
from georapp.run_settings import RunConfig
from georapp.sample_preview import Preview, Tokens

PHOTOS = 4


class PreviewJob(QObject):
    """One at a time. `done` with a list of Sample, or `failed`."""

    done = Signal(object)
    failed = Signal(object)  # GeorappError

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self._preview: Preview | None = None

    @property
    def busy(self) -> bool:
        """One is being made."""
        return self._preview is not None

    def start(self, config: RunConfig, python: Path) -> None:
        """Of the album that was scanned last."""
        self.cancel()
        folder = draft_file.scanned()
        self._preview = preview = Preview(folder, python, PHOTOS)
        job = functools.partial(_previewed, preview, config, folder)
        run(job, functools.partial(self._take, preview), parent=self, failed=functools.partial(self._fail, preview))

    def cancel(self) -> None:
        """It is not wanted any more."""
        if self._preview is not None:
            self._preview.cancel()
            self._preview = None

    def _take(self, preview: Preview, found: list[tuple[Path, Tokens]]) -> None:
        if preview is self._preview:
            self._preview = None
            self.done.emit([Sample(photo, tokens) for photo, tokens in found])

    def _fail(self, preview: Preview, error: GeorappError) -> None:
        if preview is self._preview:
            self._preview = None
            self.failed.emit(error)


def _previewed(preview: Preview, config: RunConfig, folder: Path) -> list[tuple[Path, Tokens]]:
    draft_file.save(config, folder)
    return preview.run()
