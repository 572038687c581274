"""Asking the map's page something, and waiting until it has drawn what it was told."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from PySide6.QtGui import QImage
from PySide6.QtWebEngineCore import QWebEnginePage
from PySide6.QtWebEngineWidgets import QWebEngineView
from pytestqt.qtbot import QtBot

from georapp.gui.map.view import MapView

PATIENCE = 30_000  # ms, on a busy machine


class Script:
    """Asks the page something."""

    def __init__(self, qtbot: QtBot, view: MapView) -> None:
        self._qtbot, self._view = qtbot, view

    @property
    def page(self) -> QWebEnginePage:
        return self._view.findChild(QWebEngineView).page()

    def __call__(self, expression: str) -> Any:
        answers: list[str] = []
        self.page.runJavaScript(f"JSON.stringify(({expression}) ?? null)", answers.append)
        self._qtbot.waitUntil(lambda: bool(answers), timeout=PATIENCE)
        return json.loads(answers[0])


def after(qtbot: QtBot, view: MapView, act: Callable[[], object]) -> QImage:
    """What is on the page once everything is drawn that an act asked for."""
    with qtbot.waitSignal(view.drawn, timeout=PATIENCE):
        act()
    return view.findChild(QWebEngineView).grab().toImage()
