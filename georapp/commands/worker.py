"""`georapp worker`: the inference process."""

from __future__ import annotations

import argparse


def run(_options: argparse.Namespace) -> int:
    """Speak JSON lines until stdin ends."""
    from georapp.worker import main

    return main()
