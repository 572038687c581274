"""What the window can do, each with its words and its key: the menus, the palette and the list of keys are made from this."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QAction, QKeyEvent, QKeySequence
from PySide6.QtWidgets import QAbstractButton, QAbstractSpinBox, QApplication, QComboBox, QLineEdit, QPlainTextEdit, QWidget
from shiboken6 import isValid


@dataclass(frozen=True, slots=True)
class Entry:
    """`name` is what the code calls it; `group` is its menu."""

    name: str
    group: str
    text: str
    keys: str = ""
    changes_case: bool = False  # cannot be done while a case is only read

    @property
    def about_photos(self) -> bool:
        """Whether it means the photos of Locate and Map, and would surprise on another page."""
        return self.group == "Verdict" or self.name in ("skip", "again", "search", "next", "previous")


ENTRIES = (
    Entry("new_case", "Case", "New case…", "Ctrl+N"),
    Entry("open_case", "Case", "Open case…", "Ctrl+Shift+O"),
    Entry("save_copy", "Case", "Save a copy…", "Ctrl+Shift+S"),
    Entry("repair", "Case", "Repair a damaged case…"),
    Entry("quit", "Case", "Quit", "Ctrl+Q"),
    Entry("add_photos", "Photos", "Add photos…", "Ctrl+O", changes_case=True),
    Entry("add_folder", "Photos", "Add a folder…", "Ctrl+Shift+F", changes_case=True),
    Entry("paste", "Photos", "Paste photos", "Ctrl+V", changes_case=True),
    Entry("demo", "Photos", "Locate the demo photo", changes_case=True),
    Entry("unreadable", "Photos", "Unreadable files…"),
    Entry("pause", "Queue", "Pause or resume", "Ctrl+P"),
    Entry("stop", "Queue", "Stop this photo and pause", "Ctrl+."),
    Entry("skip", "Queue", "Skip", "Space", changes_case=True),
    Entry("again", "Queue", "Locate again", "Ctrl+R", changes_case=True),
    Entry("retry_failed", "Queue", "Retry what failed", changes_case=True),
    Entry("accept", "Verdict", "Accept and go on", "Return", changes_case=True),
    Entry("correct", "Verdict", "Correct the place", "C", changes_case=True),
    Entry("reject", "Verdict", "Reject", "X", changes_case=True),
    Entry("unsure", "Verdict", "Unsure", "U", changes_case=True),
    Entry("note", "Verdict", "Write a note", "N", changes_case=True),
    Entry("undo", "Verdict", "Undo", "Ctrl+Z", changes_case=True),
    Entry("redo", "Verdict", "Redo", "Ctrl+Shift+Z", changes_case=True),
    Entry("locate_page", "View", "Locate", "Ctrl+1"),
    Entry("map_page", "View", "Map of all photos", "Ctrl+2"),
    Entry("train_page", "View", "Train", "Ctrl+3"),
    Entry("case_page", "View", "Case", "Ctrl+4"),
    Entry("search", "View", "Search photos", "Ctrl+F"),
    Entry("next", "View", "Next photo", "Ctrl+Down"),
    Entry("previous", "View", "Previous photo", "Ctrl+Up"),
    Entry("theme", "View", "Light or dark", "Ctrl+T"),
    Entry("save_map", "View", "Save the map as a picture…", "Ctrl+Shift+M"),
    Entry("palette", "View", "Find a command…", "Ctrl+K"),
    Entry("settings", "Help", "Settings…", "Ctrl+,"),
    Entry("about", "Help", "About georapp"),
)


def make(window: QWidget, slots: Mapping[str, Callable[[], object]]) -> dict[str, QAction]:
    """An action of the window for each entry. Raises KeyError when the window cannot do one of them."""
    found = {}
    for entry in ENTRIES:
        action = QAction(entry.text, window)
        action.setObjectName(entry.name)
        if entry.keys:
            action.setShortcut(QKeySequence(entry.keys))
        action.triggered.connect(lambda _checked=False, name=entry.name: slots[name]())
        slots[entry.name]  # an entry that nobody wired is a mistake that should show at the start
        window.addAction(action)
        found[entry.name] = action
    return found


class TypingFirst(QObject):
    """Lets fields and buttons keep the keys that mean something to them: C in a note is a letter, Enter on a button presses it.

    It watches the widget that has the focus, and only where that is a field or a button. A filter on the whole application, in Python, is handed
    objects of the web engine that are still being made, and crashes.
    """

    _FIELDS = (QLineEdit, QPlainTextEdit, QAbstractSpinBox)
    _PRESSED = (QAbstractButton, QComboBox)

    def __init__(self, app: QApplication, parent: QObject) -> None:
        super().__init__(parent)
        app.focusChanged.connect(self._follow)

    def _follow(self, before: QWidget | None, now: QWidget | None) -> None:
        for widget in (before, now):
            if isinstance(widget, self._FIELDS + self._PRESSED) and isValid(widget):
                widget.removeEventFilter(self)
                if widget is now:
                    widget.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """As Qt calls it."""
        if event.type() == QEvent.Type.ShortcutOverride and isinstance(event, QKeyEvent) and self._keeps(watched, event):
            event.accept()
        return False

    def _keeps(self, watched: QObject, event: QKeyEvent) -> bool:
        if event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            return isinstance(watched, self._FIELDS) and event.key() in (Qt.Key.Key_V, Qt.Key.Key_Z, Qt.Key.Key_C, Qt.Key.Key_X)
        if isinstance(watched, self._FIELDS):
            return True
        pressed = event.key() in (Qt.Key.Key_Space, Qt.Key.Key_Return, Qt.Key.Key_Enter)
        return pressed and isinstance(watched, self._PRESSED)
