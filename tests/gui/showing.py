"""Showing a widget in a test."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot


def expose(widget: QWidget, qtbot: QtBot) -> None:
    """Shown and painted. Not qtbot.waitExposed: it keeps Python's lock while it waits, and threads of the web engine wait for that lock."""
    widget.show()
    qtbot.waitUntil(lambda: (handle := widget.windowHandle()) is not None and handle.isExposed())
