"""The flag is a real C function over real memory: it is called here as llama.cpp calls it."""

from __future__ import annotations

import ctypes
import threading

import pytest

from georapp.errors import Stopped
from georapp.stop_flag import StopFlag


def as_c_sees_it(flag: StopFlag) -> bool:
    function = ctypes.CFUNCTYPE(ctypes.c_bool, ctypes.c_void_p)(flag.function.value or 0)
    return bool(function(flag.data))


def test_c_sees_what_python_sets() -> None:
    flag = StopFlag()
    assert not as_c_sees_it(flag)
    flag.check()
    flag.set()
    assert as_c_sees_it(flag)
    with pytest.raises(Stopped):
        flag.check()
    flag.clear()
    assert not as_c_sees_it(flag)


def test_watchers_are_called_once_and_can_leave() -> None:
    flag, calls = StopFlag(), list[str]()
    forget = flag.watch(lambda: calls.append("a"))
    thread = threading.Thread(target=flag.set)
    thread.start()
    thread.join()
    assert calls == ["a"]
    forget()
    flag.set()
    assert calls == ["a"]


def test_a_late_watcher_hears_of_an_earlier_stop() -> None:
    flag, calls = StopFlag(), list[str]()
    flag.set()
    flag.watch(lambda: calls.append("a"))
    assert calls == ["a"]
