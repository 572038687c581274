"""Where things lie: the program's own resources, and the user's folder, which GEORAPP_HOME moves."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def resources() -> Path:
    """The folder of maps, places and models: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).resolve().parent
    installed = package / "resources"
    return installed if installed.is_dir() else package.parent / "resources"


def home() -> Path:
    """The user's folder for models, cases and settings. It is not created here."""
    chosen = os.environ.get("GEORAPP_HOME")
    if chosen:
        return Path(chosen)
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", Path.home())) / "georapp"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Application Support" / "georapp"
    return Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share") / "georapp"


def user_models() -> Path:
    """Where imported models lie, one folder each."""
    return home() / "models"


def built_in_models() -> Path:
    """Where the models lie that come with the program."""
    return resources() / "models"
