"""How Qt WebEngine's Chromium runs, said in its environment before it starts."""

from __future__ import annotations

import os
import sys
from pathlib import Path

_FLAGS = "QTWEBENGINE_CHROMIUM_FLAGS"
# The page needs 15 MB of objects; left to itself V8 lets 80 MB of dead ones lie about.
_FRUGAL = "--js-flags=--max-semi-space-size=2,--optimize-for-size"
_NO_GPU = "--disable-gpu"


def configure() -> None:
    """Call it before the QApplication is made. What a person has set in the environment stays."""
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # Chromium refuses to run its sandbox as root
        os.environ.setdefault("QTWEBENGINE_DISABLE_SANDBOX", "1")
    flags = [_FRUGAL]
    if not has_gpu() and os.environ.setdefault("QT_QUICK_BACKEND", "software") == "software":
        flags.append(_NO_GPU)
    given = os.environ.get(_FLAGS, "")
    os.environ[_FLAGS] = " ".join([given, *(flag for flag in flags if flag not in given)]).strip()


def has_gpu(devices: Path = Path("/dev/dri")) -> bool:
    """False where the system certainly has none: OpenGL made by the processor would hold up the window 50 to 100 ms for every frame."""
    return not sys.platform.startswith("linux") or any(devices.glob("renderD*"))
