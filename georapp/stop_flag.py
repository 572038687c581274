"""One flag that stops native code from another thread."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
import threading
from collections.abc import Callable

from georapp.errors import Stopped


class StopFlag:
    """Set from any thread; read by llama.cpp before every graph node without asking Python.

    llama.cpp wants a C function `bool f(void *data)`. `strlen` over a buffer of two bytes is one: it gives 0 for "\\0\\0" and 1
    after the first byte was set. A Python function would need the interpreter lock some 300 times a token.
    """

    def __init__(self) -> None:
        self._bytes = ctypes.create_string_buffer(2)
        self._lock = threading.Lock()
        self._watchers: list[Callable[[], None]] = []
        self.function = ctypes.cast(_c_library().strlen, ctypes.c_void_p)
        self.data = ctypes.cast(self._bytes, ctypes.c_void_p)

    @property
    def is_set(self) -> bool:
        """Whether somebody asked to stop."""
        return self._bytes[0] != b"\0"

    def set(self) -> None:
        """Ask everything that looks at this flag to stop."""
        with self._lock:
            self._bytes[0] = b"\1"
            watchers = list(self._watchers)
        for watcher in watchers:
            watcher()

    def clear(self) -> None:
        """The stop was obeyed, or came too late."""
        with self._lock:
            self._bytes[0] = b"\0"

    def check(self) -> None:
        """Raises Stopped when the flag is set."""
        if self.is_set:
            raise Stopped

    def watch(self, watcher: Callable[[], None]) -> Callable[[], None]:
        """Have `watcher` called when the flag is set. Returns the function that ends this."""
        with self._lock:
            self._watchers.append(watcher)
            already = self.is_set
        if already:
            watcher()

        def forget() -> None:
            with self._lock:
                self._watchers.remove(watcher)

        return forget


def _c_library() -> ctypes.CDLL:
    return ctypes.CDLL("msvcrt" if sys.platform == "win32" else None)
