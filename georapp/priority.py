"""Lets the window go before the worker where both want the processor.

Linux shares the processor among sessions first (sched_autogroup), and a worker has one of its own, so that its niceness alone would not count.
"""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

NICE = 10  # of 19


def step_back(pid: int) -> None:
    """Give the window's session more of the processor than this process's. Where the system does not take it, nothing happens."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, pid, NICE)
    with contextlib.suppress(OSError):  # no Linux, no sessions of this kind, or asked twice within a tenth of a second
        Path(f"/proc/{pid}/autogroup").write_text(str(NICE), "ascii")
