"""`georapp gui`: the window."""

from __future__ import annotations

import argparse
import os
import sys

from georapp.errors import WindowError


def run(options: argparse.Namespace) -> int:
    """Raises WindowError where there is no screen to open it on, which Qt would end the process for."""
    if sys.platform.startswith("linux") and not any(map(os.environ.get, ("DISPLAY", "WAYLAND_DISPLAY", "QT_QPA_PLATFORM"))):
        raise WindowError("There is no screen to open a window on.", hint="Without one, use: georapp locate PHOTO")
    try:
        from georapp.gui import app
    except ImportError as error:  # a library of the system is missing
        raise WindowError(f"The window cannot be opened: {error}.", hint="Install the packages that README.md names.") from error
    return app.start([path.absolute() for path in options.files])
