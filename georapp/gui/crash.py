"""Bugs: kept as a report on this machine, shown with a button to copy it; the window goes on."""

from __future__ import annotations

import faulthandler
import logging
import platform
import re
import sys
import traceback
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import TextIO

from PySide6.QtCore import QMessageLogContext, QObject, QtMsgType, Signal, qInstallMessageHandler
from PySide6.QtWidgets import QApplication, QMessageBox

from georapp import __version__, paths

_NOISE = re.compile(
    r"QRhiGles2|create RHI|GBM is not supported|vulkan|Failed to connect to the bus|propagateSizeHints|GPUInfo not initialized|Release of profile"
)
_log = logging.getLogger("georapp.qt")


def reports() -> Path:
    """The folder of reports."""
    return paths.home() / "reports"


class Crashes(QObject):
    """Takes exceptions of every thread to the window's. Keep it as long as the window."""

    happened = Signal(str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._shown = False
        self._native: TextIO | None = None
        self.happened.connect(self._show)

    def install(self) -> None:
        """From now on; native crashes are written to a file of their own."""
        sys.excepthook = self.take
        qInstallMessageHandler(_qt_message)
        try:
            reports().mkdir(parents=True, exist_ok=True)
            self._native = (reports() / "native.txt").open("a", encoding="utf-8")
            faulthandler.enable(self._native)
        except OSError:  # no room for reports is no reason not to start
            pass

    def take(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """As sys.excepthook."""
        if issubclass(kind, KeyboardInterrupt):
            QApplication.quit()
            return
        text = report("".join(traceback.format_exception(kind, error, trace)))
        _keep(text)
        sys.stderr.write(text)
        self.happened.emit(text)

    def _show(self, text: str) -> None:
        if self._shown:  # one mistake may repeat with every event
            return
        self._shown = True
        box = QMessageBox(QApplication.activeWindow())
        box.setWindowTitle("georapp made a mistake")
        box.setText("Something went wrong inside the program. What was saved is safe, and you can go on.")
        box.setInformativeText(f"A report was kept in {reports()}. It is sent nowhere.")
        box.setDetailedText(text)
        copy = box.addButton("Copy the report", QMessageBox.ButtonRole.ActionRole)
        copy.clicked.connect(lambda: QApplication.clipboard().setText(text))
        box.addButton(QMessageBox.StandardButton.Close)
        box.finished.connect(lambda _code: setattr(self, "_shown", False))
        box.open()


def report(trace: str) -> str:
    """With versions, without the user's name in paths."""
    import PySide6

    home = str(Path.home())
    lines = f"georapp {__version__}, Python {platform.python_version()}, PySide6 {PySide6.__version__}, {platform.platform()}"
    return f"{datetime.now(UTC).isoformat(timespec='seconds')}\n{lines}\n{trace.replace(home, '~')}\n"


def _keep(text: str) -> None:
    try:
        reports().mkdir(parents=True, exist_ok=True)
        with (reports() / "reports.txt").open("a", encoding="utf-8") as file:
            file.write(text)
    except OSError:  # the dialog still has it
        pass


def _qt_message(kind: QtMsgType, _context: QMessageLogContext, text: str | None) -> None:
    """Qt's own words go to the log; what is known to be noise is left out."""
    if text and not _NOISE.search(text):
        _log.log(logging.DEBUG if kind in (QtMsgType.QtDebugMsg, QtMsgType.QtInfoMsg) else logging.WARNING, "%s", text)
