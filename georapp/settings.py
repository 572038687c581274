"""The user's choices, in one JSON file. A file that cannot be read is kept beside it and replaced by the defaults.

Every change is written at once, to a temporary file that then takes the place of the old one.
"""

from __future__ import annotations

import contextlib
import getpass
import json
import os
import threading
from dataclasses import asdict, dataclass, fields, replace
from pathlib import Path
from typing import Any

from georapp import paths
from georapp.errors import SettingsError

THEMES = ("system", "light", "dark")
MOST_RECENT = 8


@dataclass(frozen=True, slots=True)
class Settings:
    """0 and "" leave a choice to the model or the machine."""

    model: str = ""
    threads: int = 0
    gpu_layers: int = -1
    samples: int = 0
    theme: str = "system"
    author: str = ""
    training_python: str = ""  # a path; "": the one that is found
    map_files: tuple[str, ...] = ()
    recent: tuple[str, ...] = ()  # cases, newest first

    def with_recent(self, case: Path) -> Settings:
        """With this case as the newest."""
        others = [name for name in self.recent if name != str(case)]
        return replace(self, recent=(str(case), *others)[:MOST_RECENT])

    @property
    def person(self) -> str:
        """Who judges: the name that was set, or that of the account."""
        if self.author:
            return self.author
        try:
            return getpass.getuser()
        except (OSError, KeyError):
            return "somebody"


def file() -> Path:
    """Where they lie."""
    return paths.home() / "settings.json"


def load() -> Settings:
    """What was chosen; defaults for what was not, and for what makes no sense."""
    path = file()
    try:
        data = json.loads(path.read_text("utf-8"))
        if not isinstance(data, dict):
            raise ValueError("no object")
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError, RecursionError):
        with contextlib.suppress(OSError):
            path.replace(path.with_suffix(".broken.json"))
        return Settings()
    return Settings(**{f.name: _fitting(data[f.name], f.default) for f in fields(Settings) if f.name in data})


def _fitting(value: Any, default: Any) -> Any:
    if isinstance(default, tuple):
        return tuple(entry for entry in value if isinstance(entry, str)) if isinstance(value, list) else default
    return value if type(value) is type(default) else default


def save(chosen: Settings) -> None:
    """Raises SettingsError when the disk does not take them."""
    path = file()
    part = path.with_suffix(f".{os.getpid()}-{threading.get_ident()}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with part.open("w", encoding="utf-8") as out:
            json.dump(asdict(chosen), out, ensure_ascii=False, indent=1)
            out.flush()
            os.fsync(out.fileno())
        part.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            part.unlink(missing_ok=True)
        why = (error.strerror or str(error)).lower()
        raise SettingsError(
            f"The settings could not be kept in {path}: {why}.", hint="They hold until the window is closed."
        ) from error
