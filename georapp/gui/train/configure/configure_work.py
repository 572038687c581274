"""What the page Configure does in the background, and what it knows: scan, preview, start; signs for its cards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QObject, Signal

from georapp.album_scan import AlbumSeen
from georapp.base_model import BaseModel
from georapp.errors import GeorappError, RunError
from georapp.gui.train.configure.album_job import AlbumJob
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.draft_file import DraftFile
from georapp.gui.train.configure.preview_job import PreviewJob
from georapp.gui.train.configure.run_check import RunCheck
from georapp.gui.train.configure.setting_list import SECTIONS
from georapp.gui.train.configure.start_job import StartJob
from georapp.run_preflight import Preflight
from georapp.run_presets import preset_for
from georapp.run_settings import RunConfig
from georapp.training_python import TrainingPython

if TYPE_CHECKING:
    from georapp.gui.train.configure.album_card import AlbumCard
    from georapp.gui.train.configure.pipeline_card import PipelineCard
    from georapp.gui.train.configure.preflight_card import PreflightCard

_STAGES = {"sft": "SFT", "hard": "hard photos", "grpo": "GRPO", "export": "GGUF"}


class ConfigureWork(QObject):
    """Of one draft."""

    started = Signal(object)  # Path
    queued = Signal(object)  # Path
    said = Signal(str, str, bool)  # a sentence, its hint, whether it is bad news

    def __init__(self, draft: Draft, parent: QObject) -> None:
        super().__init__(parent)
        self._draft, self._begun = draft, False
        self.file, self.check = DraftFile(draft, self), RunCheck(draft, self)
        self.scan, self.preview, self.start = AlbumJob(self), PreviewJob(self), StartJob(self)
        self._start_soon = False
        self._last: Preflight | None = None
        self.file.failed.connect(lambda error: self.said.emit(str(error), error.hint, True))
        self.file.opened.connect(self.check.begin)
        if (app := QCoreApplication.instance()) is not None:
            app.aboutToQuit.connect(self.end)

    def begin(self) -> None:
        """Read the draft, then look at everything; once."""
        if not self._begun:
            self._begun = True
            self.file.open()

    def end(self) -> None:
        """Leave no process behind but runs."""
        self.scan.cancel()
        self.preview.cancel()

    def set_python(self, python: TrainingPython | RunError | None) -> None:
        """Which Python would train."""
        if isinstance(python, TrainingPython) and python.gpus:
            self._draft.suggest_preset(preset_for(python.gpus[0].memory_gib))
        self.check.set_python(python)

    @property
    def _python(self) -> Path | None:
        return self.check.python.path if isinstance(self.check.python, TrainingPython) else None

    # ---- album ----

    def wire_album(self, card: AlbumCard) -> None:
        """Scans are asked for and shown there."""
        self._album_card = card
        card.scan_asked.connect(self._scan)
        card.sources.added.connect(self._scan)
        card.cancel_asked.connect(self.scan.cancel)
        self.scan.progress.connect(card.show_progress)
        self.scan.cancelled.connect(card.show_nothing)
        self.scan.done.connect(self._scanned)
        self.scan.failed.connect(self._not_scanned)

    def _scan(self) -> None:
        config = self._draft.config()
        if config is None:
            self._complain(self._draft.error)
        elif config.album.sources:
            self._album_card.show_progress(0, 0)
            self.scan.start(config, None)

    def _scanned(self, seen: AlbumSeen, config: RunConfig) -> None:
        self.check.set_album(seen, config)
        self._album_card.show_album(seen)
        if self.check.fitting_album is None:
            self._album_card.show_old()

    def _not_scanned(self, error: GeorappError) -> None:
        self.check.set_album(None, None)
        self._album_card.show_failed(error)

    # ---- preview ----

    def wire_preview(self, card: PipelineCard) -> None:
        """Samples are asked for and shown there."""
        self._pipeline_card = card
        card.preview_asked.connect(self._preview)
        self.preview.done.connect(self._previewed)
        self.preview.failed.connect(lambda error: card.samples().show_failed(str(error), error.hint))
        self._draft.changed.connect(self._forget_preview)

    def _preview(self) -> None:
        view, config, python = self._pipeline_card.samples(), self._draft.config(), self._python
        if config is None or not isinstance(self.check.base, BaseModel):
            view.show_failed("There is no model to ask yet.", "Choose one under Model.")
        elif self.check.fitting_album is None:
            view.show_failed("The album was not scanned with these settings.", "Scan it under Album, then ask again.")
        elif python is None:
            view.show_failed("There is no Python that can train yet.", "See the preflight for what to install.")
        else:
            view.show_busy()
            self.preview.start(config, python)

    def _forget_preview(self, keys: frozenset[str]) -> None:
        """What was shown is not what would be trained any more."""
        if any(key.startswith(("model.", "album.")) or key == "seed" for key in keys):
            self.preview.cancel()
            self._pipeline_card.hide_samples()

    def _previewed(self, samples: object) -> None:
        pixels = self._draft.value("model.max_pixels")
        if isinstance(samples, list):
            self._pipeline_card.samples().show_samples(samples, max_pixels=pixels if isinstance(pixels, int) else 0)

    # ---- start ----

    def wire_start(self, card: PreflightCard) -> None:
        """The start is asked for and shown there."""
        self._preflight_card = card
        card.start_asked.connect(self._start)
        self.check.checked.connect(self._checked)
        self.check.impossible.connect(lambda _error: self._forget_start())
        self.start.failed.connect(card.show_not_started)
        for told, outcome in ((self.start.started, self.started), (self.start.queued, self.queued)):
            told.connect(lambda _folder: card.show_starting(False))
            told.connect(outcome)

    def _start(self) -> None:
        """With the settings as they are: when they were changed a moment ago, after they were looked at."""
        if self.start.busy:
            return
        self._preflight_card.list.show_complaint(None)
        self._preflight_card.show_starting(True)
        self._start_soon = True
        if not self.check.busy and self._last is not None:
            self._start_now(self._last)

    def _checked(self, found: Preflight) -> None:
        self._last = found
        if self._start_soon:
            self._start_now(found)

    def _forget_start(self) -> None:
        self._last, self._start_soon = None, False
        self._preflight_card.show_starting(False)

    def _start_now(self, found: Preflight) -> None:
        self._start_soon = False
        config, python, running = self._draft.config(), self._python, self.check.running
        if config is None or python is None or not found.ready:
            self._preflight_card.show_starting(False)
            return
        waits = running is not None and running.state.alive
        self.start.start(config, python, waits=waits)

    def _complain(self, error: GeorappError | None) -> None:
        if error is not None:
            self.said.emit(str(error), error.hint, True)

    # ---- signs for the cards ----

    def signs(self) -> Iterator[tuple[str, str]]:
        """Of model, album, parameters, pipeline: ✓ well, ✕ not yet, ▲ look at it, … being looked at; and a few words."""
        base, draft = self.check.base, self._draft
        if isinstance(base, BaseModel):
            yield "✓", base.name
        else:
            yield "✕", "cannot be used" if base is not None else "none chosen"
        yield self._album_sign()
        wrong = sum(key.partition(".")[0] in SECTIONS for key in draft.errors)
        differ = len(draft.differences())
        changed = f"{draft.preset} GB" + (f", {differ} changed" if differ else "")
        yield ("✕", "1 mistake" if wrong == 1 else f"{wrong} mistakes") if wrong else ("✓", changed)
        on = [word for name, word in _STAGES.items() if draft.value(f"{name}.enabled") is True]
        yield ("✓", " › ".join(on)) if on else ("▲", "nothing is done")

    def _album_sign(self) -> tuple[str, str]:
        if not self._draft.value("album.sources"):
            return "✕", "no photos"
        if self.scan.busy:
            return "…", "being scanned"
        if (seen := self.check.fitting_album) is not None:
            return "✓", f"{seen.train + seen.held_out:,} photos"
        return "▲", "not scanned"
