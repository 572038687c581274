"""Work on other threads: its outcome arrives on the window's, which is also the one that lets go of what belongs to it."""

from __future__ import annotations

import threading
import weakref

import shiboken6
from PySide6.QtCore import QObject
from pytestqt.qtbot import QtBot

from georapp.errors import GeorappError
from georapp.gui import background

TIMES = 300


class Thing:
    """Something of the window's that a piece of work knows of."""


def test_the_window_lets_go_of_everything_itself(qtbot: QtBot) -> None:
    """A QObject that another thread destroys can hold up both for ever."""
    parent = QObject()
    done: list[int] = []
    threads: list[int] = []
    for number in range(TIMES):
        thing = Thing()
        weakref.finalize(thing, lambda: threads.append(threading.get_ident()))
        background.run(lambda number=number, thing=thing: (number, len(str(thing)))[0], done.append, parent=parent)
        del thing
    qtbot.waitUntil(lambda: len(done) == TIMES, timeout=60_000)
    assert sorted(done) == list(range(TIMES))
    qtbot.waitUntil(lambda: len(threads) == TIMES, timeout=60_000)
    assert set(threads) == {threading.get_ident()}


def test_an_error_arrives_and_a_window_that_is_gone_hears_nothing(qtbot: QtBot) -> None:
    parent, gone = QObject(), QObject()
    found: list[str] = []
    let_go = threading.Event()

    def fail() -> None:
        raise GeorappError("No.")

    background.run(fail, found.append, parent=parent, failed=lambda error: found.append(str(error)))
    qtbot.waitUntil(lambda: found == ["No."], timeout=60_000)
    background.run(let_go.wait, lambda _done: found.append("heard"), parent=gone)
    shiboken6.delete(gone)
    let_go.set()
    background.run(lambda: "last", found.append, parent=parent)
    qtbot.waitUntil(lambda: "last" in found, timeout=60_000)
    qtbot.waitUntil(lambda: not background._going_on, timeout=60_000)
    assert found == ["No.", "last"]
