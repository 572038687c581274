"""What a window works with: the queue of the open case, what people decide about its photos, the user's choices. Methods in, signals out.

No widget is known here. The case is touched by a thread of its own, of which open_case.py knows; photo_queue.py asks the model.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from PySide6.QtCore import QObject, Signal
from PySide6.QtGui import QUndoStack

from georapp import settings
from georapp.case import Ruling, Verdict
from georapp.errors import GeorappError, SettingsError
from georapp.gui import background
from georapp.gui.judging import Judging
from georapp.gui.photo_queue import PhotoQueue

_VIEWS = "views"  # the name of a setting of the case


class Session(PhotoQueue):
    """One for each window."""

    judged = Signal(int)

    def __init__(self, chosen: settings.Settings, parent: QObject | None = None, *, patience_s: float | None = None) -> None:
        super().__init__(chosen, parent, patience_s=patience_s)
        self.undo = QUndoStack(self)
        self._unsaved = self._saves = False  # settings that were changed; whether some are being saved
        self.hangs = False  # after the end: a thread waits for a disk or a network, and cannot be ended
        self.case_opened.connect(self.undo.clear)
        self.opened.connect(lambda path: self.keep_settings(self.settings.with_recent(path)))

    def close(self) -> None:
        """Let go of the case; the photo that is being worked on goes on waiting in it."""
        self.undo.clear()
        super().close()

    def end(self) -> bool:
        """Close everything; the session cannot be used afterwards. Whether all threads are gone. May be called twice."""
        self.hangs = not super().end()
        if self._unsaved:
            background.finish(lambda: _save(self.settings))
        self._unsaved = False
        self.blockSignals(True)  # of what was said on other threads the last may still be on its way, to widgets that are gone
        return not self.hangs

    # ---- verdicts ----

    def judge(self, numbers: Sequence[int], verdict: Verdict) -> None:
        """Decide about photos; can be undone."""
        verdict = replace(verdict, author=self.settings.person)
        if numbers and self.writable:
            before = self.read(lambda case: {row.number: case.verdicts(row.number) for row in self._rows(numbers)}) or {}
            if before:
                last = {number: found[-1] if found else Verdict(Ruling.NONE) for number, found in before.items()}
                self.undo.push(Judging(self.put_verdict, last, verdict))

    def put_verdict(self, number: int, verdict: Verdict) -> bool:
        """One more decision; whether the case took it."""
        if not self.change(lambda case: case.judge(number, verdict)):
            return False
        self._show(replace(self.rows[number], ruling=verdict.ruling, corrected=verdict.place))
        self.judged.emit(number)
        return True

    # ---- views: filters with a name ----

    def views(self) -> dict[str, str]:
        """Those that were kept in the case, as texts."""
        try:
            found = json.loads(self.read(lambda case: case.setting(_VIEWS)) or "{}")
        except (ValueError, RecursionError):
            return {}
        return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}

    def keep_view(self, name: str, text: str) -> None:
        """Keep one in the case."""
        views = json.dumps({**self.views(), name: text}, ensure_ascii=False)
        self.change(lambda case: case.keep(_VIEWS, views))

    # ---- settings ----

    def keep_settings(self, chosen: settings.Settings) -> None:
        """Use these from now on; a disk that does not take them is said."""
        self.settings = chosen
        self._unsaved = True
        if not self._saves:
            self._save_settings()

    def _save_settings(self, _done: object = None) -> None:
        """On another thread, one after the other: a disk may take some tenths of a second."""
        self._saves, self._unsaved, chosen = self._unsaved, False, self.settings
        if self._saves:
            background.run(lambda: _save(chosen), self._save_settings, parent=self, failed=self._not_saved)

    def _not_saved(self, error: GeorappError) -> None:
        self.said.emit(str(error), error.hint)
        self._save_settings()


def _save(chosen: settings.Settings) -> None:
    """Raises SettingsError."""
    try:
        settings.save(chosen)
    except UnicodeError as error:  # of a case or map whose name is no text
        raise SettingsError(
            "The settings could not be kept: a file name in them is no text in UTF-8.", hint="Rename the file or its folder."
        ) from error
