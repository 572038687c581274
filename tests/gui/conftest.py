"""Windows without a screen; a worker that needs no model where the model is not what is tested."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
if hasattr(os, "geteuid") and os.geteuid() == 0:
    os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")

pytest.importorskip("PySide6.QtWebEngineWidgets", reason="the libraries of the window are not installed", exc_type=ImportError)

from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from georapp import settings, supervisor
from georapp.gui import look
from georapp.gui.map.view import MapView, register_scheme
from georapp.gui.session import Session
from georapp.gui.window import Window
from tests.conftest import textured
from tests.gui.asking_page import PATIENCE, Script
from tests.gui.showing import expose, put_away

register_scheme()  # before there is an application


@pytest.fixture(autouse=True)
def _dressed(qapp: QApplication) -> None:
    if not qapp.styleSheet():
        look.apply(qapp, dark=True)


@pytest.fixture
def standin(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are tests/gui/standin_worker.py."""
    monkeypatch.setattr(supervisor, "COMMAND", (sys.executable, "-m", "tests.gui.standin_worker"))


@pytest.fixture
def session(qapp: QApplication, standin: None) -> Iterator[Session]:
    session = Session(settings.Settings(), patience_s=1.0)
    yield session
    session.end()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Six photos that differ."""
    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(6):
        textured(64, 48, i).save(folder / f"photo {i}.jpg")
    return folder


@pytest.fixture
def window(session: Session, qtbot: QtBot) -> Iterator[Window]:
    """On the screen, without a case; it is begun by `app.begin`."""
    window = Window(session)
    expose(window, qtbot)
    yield window
    put_away(window)


@pytest.fixture
def still(monkeypatch: pytest.MonkeyPatch) -> None:
    """Maps do not fly."""
    monkeypatch.setattr(MapView, "still", True)


@pytest.fixture
def view(qtbot: QtBot, still: None) -> MapView:
    """A map on the screen."""
    view = MapView()
    qtbot.addWidget(view)
    view.resize(720, 480)
    with qtbot.waitSignal(view.drawn, timeout=PATIENCE):
        view.show()
    return view


@pytest.fixture
def script(qtbot: QtBot, view: MapView) -> Script:
    """Asks its page."""
    return Script(qtbot, view)
