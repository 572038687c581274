"""Start of the window: the page's scheme, the application, the session, the window; then the case, the model and the photos."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from georapp import paths, settings
from georapp.case import Case
from georapp.errors import CaseError
from georapp.gui import allocator, background, look
from georapp.gui.crash import Crashes
from georapp.gui.dropped import sorted_by_kind
from georapp.gui.map.view import register_scheme
from georapp.gui.opening import Way
from georapp.gui.session import Session
from georapp.gui.window import Window
from georapp.printable import printable

FIRST_CASE = "My photos.georapp"


def start(files: Sequence[Path]) -> int:
    """Open the window with these photos, folders, maps or cases; returns the exit code when it is closed."""
    settle()
    app = QApplication([sys.argv[0]])
    app.setApplicationName("georapp")
    app.setDesktopFileName("georapp")
    app.setWindowIcon(look.icon())
    crashes = Crashes(app)
    crashes.install()
    session = Session(settings.load())
    code = 1
    try:
        code = _run(app, session, files)
    finally:  # also when the window could not be made: a thread and a worker would stay
        if not _ended(session):
            _leave(code)
    return code


def settle() -> None:
    """What has to be so before there is an application or a thread."""
    allocator.save()
    register_scheme()


def _run(app: QApplication, session: Session, files: Sequence[Path]) -> int:
    look.apply(app, dark=look.wants_dark(app, session.settings.theme))
    window = Window(session)
    window.show()
    QTimer.singleShot(0, window, lambda: begin(window, files))
    QTimer.singleShot(0, window, window.page.map.begin)
    return app.exec()


def _ended(session: Session) -> bool:
    """Whether no thread is left; the window has ended the session already, unless there was none."""
    gone = session.end(), background.end()
    return all(gone)


def _leave(code: int) -> NoReturn:
    """At once: Qt and Python would wait for a disk or a network that does not answer. All that matters is saved."""
    if sys.exc_info()[0]:
        traceback.print_exc()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


def begin(window: Window, files: Sequence[Path]) -> None:
    """After the first paint: the last case or a first one, the model, the files of the command line."""
    sorts = sorted_by_kind(files)
    session = window.session
    known = [*sorts.cases[:1], *(Path(name) for name in session.settings.recent[:1])]
    session.begin_opening(*(Way(path) for path in known), Way(paths.home() / "cases" / FIRST_CASE, _open_first_case))
    session.use_model(session.settings.model)
    for name in session.settings.map_files:
        window.page.map.add_map_file(Path(name))
    window.take([*sorts.maps, *sorts.others])


def _open_first_case(path: Path) -> Case:
    """Make it when it is not there. Raises CaseError."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = not path.exists()
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        sentence = printable(f"No case can be kept in {path.parent}: {why}.")
        raise CaseError(sentence, hint="Choose another folder: Case, New case.") from error
    return Case.create(path) if new else Case.open(path)
