"""The model of a window, and the one photo that it is asked about. Of the case only the photo's number is known here."""

from __future__ import annotations

import collections
import os
import time
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp import events, models, settings
from georapp.errors import ModelError
from georapp.gui.locating import Job, Locating

_REMEMBERED = 20  # durations that the estimate of the rest is made from


class Asking(QObject):
    """`current`: the number of the photo that is being worked on; `ready`: what the worker said of the model that it has."""

    heard = Signal(int, object)  # number of the photo, events.Event
    answered = Signal(int, object)  # number, events.Located or events.Failed
    stopped = Signal(int)  # number; it was not answered
    model_changed = Signal(str, bool)  # words about the model, whether it can be asked
    said = Signal(str, str)  # something went wrong: a sentence, and what to do

    def __init__(self, parent: QObject, *, patience_s: float | None) -> None:
        super().__init__(parent)
        self.model: models.Model | None = None
        self.ready: events.Ready | None = None
        self.current: int | None = None
        self._durations: collections.deque[float] = collections.deque(maxlen=_REMEMBERED)
        self._since = 0.0
        self._ticket = 0  # of the newest job: a photo of a closed case may have the same number
        self.locating = Locating(self, patience_s=patience_s)
        self.locating.loaded.connect(self._loaded)
        self.locating.not_loaded.connect(self._not_loaded)
        self.locating.heard.connect(self._hear)
        self.locating.tried_again.connect(
            lambda _ticket, why: self.said.emit(why, "It is being tried once more with one answer.")
        )
        self.locating.done.connect(self._done)
        self.locating.start()

    def end(self) -> bool:
        """End thread and worker; whether both are gone."""
        return self.locating.end()

    # ---- the model ----

    def use_model(self, name: str, chosen: settings.Settings) -> None:
        """Load it; the photo that is being worked on is finished by the old one."""
        try:
            self.model = models.find(name)
        except ModelError as error:
            if self.ready:  # the one that is there goes on
                self.said.emit(str(error), error.hint)
            else:
                self._not_loaded(str(error), error.hint)
            return
        self.ready = None
        most = max(chosen.samples, self.model.samples)
        folder = str(self.model.folder.resolve())
        self.locating.use(
            events.Load(folder, threads=chosen.threads or _threads(), gpu_layers=chosen.gpu_layers, max_samples=most)
        )
        self.model_changed.emit(f"{self.model.name} is being loaded", False)

    def rest(self, why: str) -> None:
        """Give the model's memory back, once the photo that is being worked on is finished; until a model is used again."""
        self.ready = None
        self.locating.use(None)
        self.model_changed.emit(why, False)

    def _loaded(self, ready: events.Ready) -> None:
        self.ready = ready
        self._durations.clear()
        self.model_changed.emit(f"{ready.model} · {ready.backend}", True)

    def _not_loaded(self, sentence: str, hint: str) -> None:
        self.ready = None
        self.model_changed.emit("no model", False)
        self.said.emit(sentence, hint)

    # ---- the photo ----

    @property
    def can_begin(self) -> bool:
        """Whether there is a model, and nothing that it is being asked about."""
        return self.current is None and self.ready is not None

    def begin(self, number: int, path: Path, sha256: str, *, samples: int) -> None:
        """Ask about this photo."""
        self.current, self._since = number, time.monotonic()
        self._ticket += 1
        self.locating.ask(Job(self._ticket, path, sha256, samples=samples))

    def stop(self) -> None:
        """End the photo that is being worked on."""
        if self.current is not None:
            self.locating.stop(self._ticket)

    def forget(self) -> None:
        """End it, and say nothing more of it: it belongs to a case that is closed."""
        self.stop()
        self.current = None
        self._durations.clear()

    @property
    def seconds_each(self) -> float | None:
        """The measured mean of the last photos; None before anything was measured."""
        return sum(self._durations) / len(self._durations) if self._durations else None

    def _hear(self, ticket: int, event: events.Event) -> None:
        if ticket == self._ticket and self.current is not None:
            self.heard.emit(self.current, event)

    def _done(self, ticket: int, outcome: events.Located | events.Failed) -> None:
        number = self.current
        if ticket != self._ticket or number is None:  # of a case that was closed
            return
        self.current = None
        if isinstance(outcome, events.Failed) and outcome.error == "Stopped":
            self.stopped.emit(number)
        else:
            self._durations.append(time.monotonic() - self._since)
            self.answered.emit(number, outcome)


def _threads() -> int:
    """A core is left to the window and its map: llama.cpp's threads wait for each other, so that one that shares a core holds up all."""
    return max(1, min(8, (os.cpu_count() or 1) - 1))
