"""`georapp run-queue`: starts the runs that wait, one after the other, and ends when none waits any more."""

from __future__ import annotations

import argparse
import sys

from georapp import run_queue


def run(options: argparse.Namespace) -> int:
    """0, also when another process does it already. Raises RunError."""
    run_queue.work(options.python or sys.executable)
    return 0
