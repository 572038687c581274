"""A decision about photos that can be undone. Undoing adds the decision before it again: nothing in a case is taken away."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from PySide6.QtGui import QUndoCommand

from georapp.case import Verdict

Put = Callable[[int, Verdict], bool]  # one more decision about a photo; whether the case took it


class Judging(QUndoCommand):
    """`before`: the photos with their decisions until now."""

    def __init__(self, put: Put, before: Mapping[int, Verdict], verdict: Verdict) -> None:
        super().__init__(f"{verdict.ruling.value} {len(before)} photos" if len(before) > 1 else verdict.ruling.value)
        self._put_one, self._before, self._after = put, before, verdict

    def redo(self) -> None:
        """Decide, the first time too; what the case does not take is not kept for undoing."""
        if not self._put(dict.fromkeys(self._before, self._after)):
            self.setObsolete(True)

    def undo(self) -> None:
        """As it was, in the name of who decided."""
        self._put({number: replace(verdict, author=self._after.author) for number, verdict in self._before.items()})

    def _put(self, verdicts: Mapping[int, Verdict]) -> bool:
        """Until one is not taken: then the others would not be either. Whether any was."""
        took = 0
        for number, verdict in verdicts.items():
            if not self._put_one(number, verdict):
                break
            took += 1
        return took > 0
