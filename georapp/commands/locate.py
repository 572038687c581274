"""`georapp locate`: photos in, answers out, one after another."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from georapp import cli, events
from georapp.commands.asking import ask, hash_of, how, supervisor_for
from georapp.errors import GeorappError, PhotoError, ResultsError, WorkerDied
from georapp.results import Result, ResultsFile

if TYPE_CHECKING:
    from georapp.commands.screen import Screen


def run(options: argparse.Namespace) -> int:
    """See cli.EXIT_CODES. Ctrl-C keeps what is done."""
    from georapp import gazetteer
    from georapp.photo import find

    _model, supervisor = supervisor_for(options)
    screen = _screen(options)
    found, state = list(find(options.photos)), _State(options.resume)
    if not found:
        raise PhotoError("There are no photos in these folders.", hint="JPEG, PNG, WebP, TIFF, HEIC and AVIF are looked for.")
    try:
        with supervisor, screen:
            supervisor.start()
            for number, (path, error) in enumerate(found):
                screen.begin(number, len(found), path)
                if error:
                    state.failed(error)
                    continue
                sha256 = hash_of(path) if state.file else ""
                if sha256 and state.has(sha256):
                    screen.skipped(path)
                    continue
                state.keep(ask(supervisor, path, sha256, how(options), gazetteer.load, screen.event), screen)
    except KeyboardInterrupt:
        sys.stderr.write(f"\ngeorapp: stopped; {state.done} of {len(found)} photos are done and kept.\n")
        return cli.EXIT_INTERRUPTED
    finally:
        state.close()
    screen.summary(state.done, state.failures, len(found))
    return state.code()


class _State:
    """Counts, and the file of results, which may fail without ending the work."""

    def __init__(self, resume: Path | None) -> None:
        self.file = ResultsFile(resume) if resume else None
        self.done = self.failures = 0
        self.unwritten = False

    def has(self, sha256: str) -> bool:
        return bool(self.file and sha256 in self.file.answers)

    def failed(self, error: GeorappError) -> None:
        cli.complain(error)
        self.failures += 1

    def keep(self, result: Result, screen: Screen) -> None:
        """On disk first, shown afterwards."""
        outcome = result.outcome
        if isinstance(outcome, events.Failed):
            self.failed(WorkerDied(outcome.reason, hint=outcome.hint))
        else:
            self.done += 1
        try:
            if self.file and not self.unwritten:
                self.file.add(result)
        except ResultsError as error:
            cli.complain(error)
            self.unwritten = True
        try:
            screen.show(result)
        except BrokenPipeError:
            raise
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise ResultsError(f"The results could not be written to standard output: {reason}.") from error

    def code(self) -> int:
        if self.unwritten:
            return cli.EXIT_RESULTS
        return cli.EXIT_SOME_FAILED if self.failures else cli.EXIT_GOOD

    def close(self) -> None:
        if self.file:
            self.file.close()


def _screen(options: argparse.Namespace) -> Screen:
    from georapp.commands.screen import JsonScreen, TextScreen

    chosen = options.format or ("text" if sys.stdout.isatty() else "json")
    return JsonScreen() if chosen == "json" else TextScreen(live=sys.stdout.isatty() and os.environ.get("TERM") != "dumb")
