"""What is asked before something is done in the history that somebody may regret; and where a file shall lie."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QMessageBox, QWidget

from georapp.gui.plain import tooltip
from georapp.printable import printable


def _plain(text: str) -> str:
    return printable(text)[:80].replace("<", "‹")


def delete(parent: QWidget, name: str, what: str, *, waits: bool) -> bool:
    """Whether a run shall go to the trash. `what`: a sentence about what is in it."""
    queue = " It waits for its turn, and would be taken out of the queue." if waits else ""
    more = f"{tooltip(what)}{queue} The trash of the desktop can give it back."
    return _asked(parent, "Delete run", f"Move {_plain(name)} to the trash?", more, "Move to trash")


def _asked(parent: QWidget, title: str, text: str, more: str, yes: str) -> bool:
    box = QMessageBox(parent)
    box.setWindowTitle(title)
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(text)
    box.setInformativeText(more)
    accept = box.addButton(yes, QMessageBox.ButtonRole.DestructiveRole)
    box.setDefaultButton(box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole))
    box.exec()
    return box.clickedButton() is accept


def where(parent: QWidget, title: str, name: str, kind: str) -> Path | None:
    """A file to write, with its ending; None for nowhere. `kind`: "csv" or "png"."""
    chosen, _ = QFileDialog.getSaveFileName(parent, title, str(Path.home() / f"{name}.{kind}"), f"{kind.upper()} (*.{kind})")
    if not chosen:
        return None
    path = Path(chosen)
    return path if path.suffix.lower() == f".{kind}" else path.with_name(f"{path.name}.{kind}")
