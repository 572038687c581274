"""Pieces of text, told together: eight samples say a thousand pieces a second, and each would be a turn of the window's loop."""

from __future__ import annotations

import time
from collections.abc import Callable

from georapp import events

APART_S = 0.05  # between two tellings; the eye sees no difference


class Gathered:
    """Hands on what it hears, in the same order; text that comes quickly in larger pieces. Call `flush` at the end."""

    def __init__(self, tell: Callable[[events.Event], None], clock: Callable[[], float] = time.monotonic) -> None:
        self._tell, self._clock = tell, clock
        self._pieces: dict[tuple[str, int], str] = {}  # photo and sample -> text
        self._told_at = -APART_S

    def hear(self, event: events.Event) -> None:
        """One event of the worker."""
        if not isinstance(event, events.Text):
            self.flush()
            self._tell(event)
            return
        key = event.photo, event.sample
        self._pieces[key] = self._pieces.get(key, "") + event.piece
        if self._clock() >= self._told_at + APART_S:
            self.flush()

    def flush(self) -> None:
        """Tell what is left."""
        pieces, self._pieces = self._pieces, {}
        for (photo, sample), text in pieces.items():
            self._tell(events.Text(photo, sample, text))
        self._told_at = self._clock()
