"""`georapp map-page`: writes the page of the window's map."""

from __future__ import annotations

import argparse
import sys


def run(options: argparse.Namespace) -> int:
    """On stdout, as UTF-8."""
    from georapp.map_page import page

    sys.stdout.buffer.write(page(options.dark).encode())
    return 0
