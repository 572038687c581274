"""What is asked before something is done that cannot be undone."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QMessageBox, QWidget

from georapp.printable import printable
from georapp.runs import GRACE_S

STOP, SAVE, CANCEL = "stop", "save", "cancel"


def stop_now(parent: QWidget, name: str, lost: str) -> str:
    """STOP, SAVE or CANCEL. `lost`: a sentence about what it may cost."""
    box = QMessageBox(parent)
    box.setWindowTitle("Stop now")
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setText(f"Stop {name[:60]} now?".replace("<", "‹"))
    box.setInformativeText(
        f"It is asked to save and end. After {GRACE_S:.0f} seconds it is ended with all its processes, saved or not. {lost}"
    )
    stop = box.addButton("Stop now", QMessageBox.ButtonRole.DestructiveRole)
    save = box.addButton("Stop and save", QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    box.exec()
    clicked = box.clickedButton()
    return STOP if clicked is stop else SAVE if clicked is save else CANCEL


def use_worse(parent: QWidget, name: str, about: str) -> bool:
    """Whether a model that got worse by its training should answer all the same."""
    box = QMessageBox(parent)
    box.setWindowTitle("Use this model")
    box.setIcon(QMessageBox.Icon.NoIcon)
    box.setTextFormat(Qt.TextFormat.PlainText)
    box.setText(f"{printable(name)[:60]} got worse by its training.")
    box.setInformativeText(printable(about)[:600].replace("<", "‹"))
    use = box.addButton("Use it all the same", QMessageBox.ButtonRole.AcceptRole)
    cancel = box.addButton("Cancel", QMessageBox.ButtonRole.RejectRole)
    box.setDefaultButton(cancel)
    box.exec()
    return box.clickedButton() is use
