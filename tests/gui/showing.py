"""Showing a widget in a test."""

from __future__ import annotations

import shiboken6
from PySide6.QtWebEngineWidgets import QWebEngineView
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot


def expose(widget: QWidget, qtbot: QtBot) -> None:
    """Shown and painted. Not qtbot.waitExposed: it keeps Python's lock while it waits, and threads of the web engine wait for that lock."""
    widget.show()
    qtbot.waitUntil(lambda: (handle := widget.windowHandle()) is not None and handle.isExposed())


def put_away(window: QWidget) -> None:
    """Closed and deleted: Qt keeps a closed window, and every change of the theme would dress all windows of all tests again."""
    window.close()
    for view in window.findChildren(QWebEngineView):
        shiboken6.delete(view)  # before the window: its page must not outlive it
    shiboken6.delete(window)
