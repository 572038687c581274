"""What a window begins and does not wait for, waited for in a test."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from pytestqt.qtbot import QtBot

from georapp.gui.app import begin
from georapp.gui.window import Window

PATIENCE_MS = 30_000


def begun(window: Window, files: Sequence[Path], qtbot: QtBot) -> None:
    """`app.begin`, and a case is open, or it was said why none is."""
    begin(window, files)
    opened(window, qtbot)


def taken(window: Window, files: Sequence[Path], qtbot: QtBot) -> None:
    """As dropped; a case among them is open, or it was said why it is not."""
    window.take(files)
    opened(window, qtbot)


def opened(window: Window, qtbot: QtBot) -> None:
    """Nothing is being opened any more."""
    qtbot.waitUntil(lambda: window.session.opening is None, timeout=PATIENCE_MS)
