"""Keeps a worker process: starts it, asks it, notices when it dies or hangs, names the cause, starts another. No Qt.

with Supervisor(model) as supervisor:
    for event in supervisor.locate(path): ...
"""

from __future__ import annotations

import collections
import itertools
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType

from georapp import events, priority
from georapp.errors import GeorappError, ModelError, WorkerDied, WorkerStuck

COMMAND = (sys.executable, "-m", "georapp", "worker")
PATIENCE_S = 600.0  # a worker that says nothing for so long hangs; large models need minutes for a photo on a CPU
GRACE_S = 2.0  # from asking it to end until it is killed
_CAUSES = {
    signal.SIGKILL: "it was killed, by the system for lack of memory or by hand",
    signal.SIGABRT: "llama.cpp gave up on this model or photo",
    signal.SIGSEGV: "llama.cpp crashed",
    signal.SIGILL: "this build of llama.cpp does not fit this processor",
    signal.SIGBUS: "a model file changed or vanished while it was in use, or the disk failed",
    signal.SIGTERM: "it was asked to end",
}


class Supervisor:
    """One worker with one model. `locate` may be called again after every error but a failed load."""

    def __init__(self, load: events.Load, *, patience_s: float = PATIENCE_S, steps_back: bool = False) -> None:
        """`steps_back`: the worker lets this process go first where both want the processor."""
        self._load, self._patience_s, self._steps_back = load, patience_s, steps_back
        self._process: subprocess.Popen[bytes] | None = None
        self._lines: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._complaints: collections.deque[str] = collections.deque(maxlen=20)
        self._numbers = itertools.count(1)
        self._asked = ""  # the photo that is being worked on
        self.ready: events.Ready | None = None

    def __enter__(self) -> Supervisor:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Of the worker, while it runs."""
        process = self._process  # another thread may be closing it
        return process.pid if process and process.poll() is None else None

    def start(self) -> events.Ready:
        """Start the worker and load the model, unless both are done. Raises ModelError."""
        if self.ready and self.pid:
            return self.ready
        self.close()
        self._spawn()
        self._send(self._load)
        for event in self._events():
            if isinstance(event, events.Ready):
                self.ready = event
                return event
            if isinstance(event, events.Failed):
                self.close()
                raise ModelError(event.reason, hint=event.hint)
        raise WorkerDied(f"The model could not be loaded: {self._cause()}.")

    def locate(self, path: Path, **how: object) -> Iterator[events.Event]:
        """Began, Text and RegionRead events, then one Located or Failed. `how`: seed, samples, decode, temperature.

        Raises ModelError, WorkerDied, WorkerStuck; the next call starts a new worker.
        """
        self.start()
        name = self._asked = str(next(self._numbers))
        self._send(events.Locate(name, str(path), **how))  # type: ignore[arg-type]
        for event in self._events():
            if getattr(event, "photo", name) != name:
                continue
            yield event
            if isinstance(event, events.Located | events.Failed):
                return
        cause = self._cause()
        self.close()
        raise WorkerDied(
            f"{path.name} could not be located: the model's process ended, because {cause}.", hint=self._advice(cause)
        )

    def stop(self, photo: str) -> None:
        """Ask for the end of one photo, by the name in its events. May be called from another thread."""
        self._send(events.Stop(photo))

    def stop_asked(self) -> None:
        """Ask for the end of the photo that is being worked on. May be called from another thread."""
        self.stop(self._asked)

    def kill(self) -> None:
        """End the worker at once, whatever it is in the middle of; `locate` then raises WorkerDied. May be called from another thread."""
        process = self._process
        if process:
            process.kill()

    def close(self) -> None:
        """End the worker: politely, then by force. May be called twice."""
        process, self._process, self.ready = self._process, None, None
        if process is None:
            return
        if process.stdin:
            try:
                process.stdin.close()  # its reading thread ends the process
            except OSError:  # it is gone already
                pass
        try:
            process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        for stream in (process.stdout, process.stderr):
            if stream:
                stream.close()

    # ---- the process ----

    def _spawn(self) -> None:
        self._lines = queue.SimpleQueue()
        self._complaints.clear()
        pipe = subprocess.PIPE
        self._process = subprocess.Popen(COMMAND, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True)
        if self._steps_back:
            priority.step_back(self._process.pid)
        threading.Thread(target=self._read_events, args=(self._process, self._lines), daemon=True).start()
        threading.Thread(target=self._read_complaints, args=(self._process,), daemon=True).start()

    @staticmethod
    def _read_events(process: subprocess.Popen[bytes], lines: queue.SimpleQueue[bytes | None]) -> None:
        assert process.stdout
        try:
            for line in process.stdout:
                lines.put(line)
        except ValueError:  # closed under us
            pass
        lines.put(None)

    def _read_complaints(self, process: subprocess.Popen[bytes]) -> None:
        assert process.stderr
        try:
            for line in process.stderr:
                self._complaints.append("".join(c for c in line.decode("utf-8", "replace") if c.isprintable())[:500])
        except ValueError:  # closed under us
            pass

    def _send(self, command: events.Event) -> None:
        if not self._process or not self._process.stdin:
            return
        try:
            self._process.stdin.write(events.to_line(command).encode() + b"\n")
            self._process.stdin.flush()
        except OSError:  # it died; the missing answer will tell
            pass

    def _events(self) -> Iterator[events.Event]:
        """Until the worker's output ends. Raises WorkerStuck after PATIENCE_S of silence."""
        while True:
            try:
                line = self._lines.get(timeout=self._patience_s)
            except queue.Empty:
                self.close()
                raise WorkerStuck(
                    f"The model said nothing for {self._patience_s:.0f} seconds and was ended.",
                    hint="Use a smaller model or a smaller photo.",
                ) from None
            if line is None:
                return
            try:
                event = events.from_line(line)
            except ValueError:
                self._complaints.append("unreadable line from the worker")
                continue
            if event is not None:
                yield event

    def _cause(self) -> str:
        if not self._process:
            return "it was closed"
        try:
            code = self._process.wait(GRACE_S)
        except subprocess.TimeoutExpired:
            return "its output ended"
        time.sleep(0.05)  # let the last words arrive
        last = next((line for line in reversed(self._complaints) if "GGML_ASSERT" in line or "error" in line.lower()), "")
        named = _CAUSES.get(signal.Signals(-code)) if code < 0 and -code in set(signal.Signals) else None
        cause = named or (f"signal {-code} ended it" if code < 0 else f"it ended with status {code}")
        return f"{cause} ({last})" if last else cause

    @staticmethod
    def _advice(cause: str) -> str:
        if "memory" in cause:
            return "Close other programs, or use a smaller model, fewer samples or a smaller context."
        return "Try the photo again; if it happens again, check the model with: georapp models check"


def explain(error: GeorappError) -> str:
    """Sentence and hint on one line."""
    return f"{error} {error.hint}".strip()
