"""Start of the window: the page's scheme, the application, the session, the window; then the case, the model and the photos."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QApplication

from georapp import paths, settings
from georapp.gui import allocator, background, look
from georapp.gui.crash import Crashes
from georapp.gui.dropped import sorted_by_kind
from georapp.gui.map.view import register_scheme
from georapp.gui.session import Session
from georapp.gui.window import Window

FIRST_CASE = "My photos.georapp"


def start(files: Sequence[Path]) -> int:
    """Open the window with these photos, folders, maps or cases; returns the exit code when it is closed."""
    allocator.save()
    register_scheme()
    app = QApplication([sys.argv[0]])
    app.setApplicationName("georapp")
    app.setDesktopFileName("georapp")
    app.setWindowIcon(look.icon())
    crashes = Crashes(app)
    crashes.install()
    chosen = settings.load()
    look.apply(app, dark=look.wants_dark(app, chosen.theme))
    window = Window(Session(chosen))
    window.show()
    QTimer.singleShot(0, window, lambda: begin(window, files))
    QTimer.singleShot(0, window, window.page.map.begin)
    code = app.exec()
    if window.session.hangs or not background.end():
        sys.stdout.flush()
        os._exit(code)  # Qt and Python would wait for a disk or a network that does not answer; all that matters is saved
    return code


def begin(window: Window, files: Sequence[Path]) -> None:
    """After the first paint: the last case or a first one, the model, the files of the command line."""
    sorts = sorted_by_kind(files)
    complaints: list[str] = []

    def hear(text: str, _wrong: bool) -> None:
        complaints.append(text)

    window.cases.said.connect(hear)
    recent = [Path(name) for name in window.session.settings.recent]
    for case in [*sorts.cases[:1], *recent[:1]]:
        if not window.session.case:
            window.cases.open(case)
    if not window.session.case:
        _open_first_case(window)
    window.cases.said.disconnect(hear)
    if complaints:  # the case that was opened instead is no reason to hide why
        window.status.say(complaints[0], wrong=True)
    window.session.use_model(window.session.settings.model)
    for name in window.session.settings.map_files:
        window.page.map.add_map_file(Path(name))
    window.take([*sorts.maps, *sorts.others])


def _open_first_case(window: Window) -> None:
    folder = paths.home() / "cases"
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        window.status.say(f"No case can be kept in {folder}: {why}. Choose another folder: Case, New case.", wrong=True)
        return
    case = folder / FIRST_CASE
    window.cases.open(case, new=not case.exists())
