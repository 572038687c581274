"""The inference process: one JSON object a line, commands on stdin, events on stdout. Started as `georapp worker`.

Why a process: llama.cpp may abort, may be killed for memory, cannot always be interrupted, and gives its memory back only by ending.

One thread reads commands and only ever sets flags; the main thread alone touches the engine. When stdin ends, the program that
started this one is gone, and so is this one, at once.
"""

from __future__ import annotations

import os
import queue
import signal
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, TextIO

from georapp import __version__, events
from georapp.errors import GeorappError, Stopped

if TYPE_CHECKING:
    from georapp.locate import Locator

STOPPED = "Stopped."


def claim_stdout() -> TextIO:
    """A private copy of fd 1 for the protocol; fd 1 itself goes to stderr, so that no native print can break a line."""
    out = os.fdopen(os.dup(1), "w", encoding="utf-8", newline="\n", buffering=1)
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return out


def main() -> int:
    """Run until stdin ends."""
    out = claim_stdout()
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the program that started us; it ends us by closing stdin
    Worker(sys.stdin.buffer, out).run()
    return 0


class Worker:
    """Owns at most one loaded model."""

    def __init__(self, commands: BinaryIO, out: TextIO) -> None:
        self._in, self._out = commands, out
        self._say_lock = threading.Lock()
        self._commands: queue.SimpleQueue[events.Load | events.Locate] = queue.SimpleQueue()
        self._lock = threading.Lock()  # guards the four below
        self._locator: Locator | None = None
        self._current: str | None = None
        self._stopped: set[str] = set()  # photos that were stopped before their turn
        self._waiting: set[str] = set()

    def say(self, event: events.Event) -> None:
        """One event to whoever started us."""
        line = events.to_line(event)
        with self._say_lock:
            self._out.write(line + "\n")

    def run(self) -> None:
        """The main thread."""
        self.say(events.Hello(events.PROTOCOL, __version__))
        threading.Thread(target=self._read, name="commands", daemon=True).start()
        while True:
            command = self._commands.get()
            if isinstance(command, events.Load):
                self._load(command)
            else:
                self._locate(command)

    # ---- the reading thread ----

    def _read(self) -> None:
        for line in self._in:
            try:
                self._take(events.from_line(line))
            except ValueError as error:
                self.say(events.Trouble(f"A command could not be read: {error}"))
        os._exit(0)  # not sys.exit: the main thread may be deep inside native code

    def _take(self, command: events.Event | None) -> None:
        if isinstance(command, events.Stop):
            self._stop(command.photo)
        elif isinstance(command, events.Load | events.Locate):
            if isinstance(command, events.Locate):
                with self._lock:
                    self._waiting.add(command.photo)
            self._commands.put(command)
        else:
            self.say(events.Trouble("A command of an unknown kind was left out."))

    def _stop(self, photo: str) -> None:
        with self._lock:
            if self._current == photo and self._locator:
                self._locator.stop.set()
            elif photo in self._waiting:
                self._stopped.add(photo)

    # ---- the main thread ----

    def _load(self, command: events.Load) -> None:
        from georapp import models
        from georapp.engine import EngineOptions
        from georapp.locate import Locator
        from georapp.text_model import gpu_possible

        self.say(events.Loading(command.folder))
        start = time.perf_counter()
        try:
            model = models.read(Path(command.folder))
            self._close()
            options = EngineOptions(
                threads=command.threads,
                gpu_layers=command.gpu_layers,
                context=command.context or model.context,
                max_samples=max(command.max_samples, model.samples),
                max_image_tokens=model.max_image_tokens,
            )
            locator = Locator.open(model, options)
        except GeorappError as error:
            self.say(_failed("", error))
            return
        with self._lock:
            self._locator = locator
        backend = "GPU" if gpu_possible() and command.gpu_layers != 0 else "CPU"
        self.say(events.Ready(model.name, backend, round(time.perf_counter() - start, 3)))

    def _close(self) -> None:
        with self._lock:
            locator, self._locator = self._locator, None
        if locator:
            locator.close()

    def _locate(self, command: events.Locate) -> None:
        with self._lock:
            self._waiting.discard(command.photo)
            stopped = command.photo in self._stopped
            self._stopped.discard(command.photo)
            self._current = None if stopped else command.photo
            locator = self._locator
        try:
            if stopped:
                raise Stopped
            if not locator:
                raise GeorappError("No model is loaded.")
            self._locate_with(locator, command)
        except Stopped:
            self.say(events.Failed(command.photo, STOPPED, "Stopped"))
        except GeorappError as error:
            self.say(_failed(command.photo, error))
        finally:
            with self._lock:
                self._current = None
                if self._locator:
                    self._locator.stop.clear()  # a stop that came too late must not hit the next photo

    def _locate_with(self, locator: Locator, command: events.Locate) -> None:
        from georapp import photo as photos
        from georapp.intake import facts
        from georapp.locate import Request
        from georapp.prompt import PROMPT_VERSION, Decode

        photo = photos.read(Path(command.path))
        self.say(facts(command.photo, photo))
        request = Request(
            samples=command.samples or None,
            seed=command.seed,
            temperature=command.temperature if command.temperature >= 0 else None,
            decode=Decode(command.decode) if command.decode else None,
        )
        prediction = locator.locate(photo, request, _Ladder(self, locator, command.photo).add)
        model = locator.model
        temperature = model.temperature if request.temperature is None else request.temperature
        self.say(
            events.Located(
                command.photo, model.name, model.sha256, PROMPT_VERSION, model.profile, command.seed, temperature, prediction
            )
        )


class _Ladder:
    """Passes pieces of text on, and regions of the first sample as soon as their line is complete."""

    def __init__(self, worker: Worker, locator: Locator, photo: str) -> None:
        self._worker, self._locator, self._photo = worker, locator, photo
        self._text = ""
        self._said: set[int] = set()

    def add(self, sample: int, piece: str) -> None:
        from georapp.locate import complete_regions

        self._worker.say(events.Text(self._photo, sample, piece))
        if sample != 0:
            return
        self._text += piece
        if "\n" not in piece:
            return
        for region in complete_regions(self._text, self._locator.profile):
            if region.level not in self._said:
                self._said.add(region.level)
                self._worker.say(events.RegionRead(self._photo, region.level.word, region.name))


def _failed(photo: str, error: GeorappError) -> events.Failed:
    return events.Failed(photo, str(error), type(error).__name__, error.hint)
