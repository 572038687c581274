"""The licence of a model folder: what its README.md, a licence file or config.json says, in this order."""

from __future__ import annotations

import json
import re
from pathlib import Path

_FILES = ("LICENSE", "LICENCE", "COPYING")
_LONGEST = 200  # characters of what a stranger's file says
_READ = 100_000


def licence_of(folder: Path) -> tuple[str, str]:
    """(name as its source writes it, the file that says it); both "" where none does."""
    readme = folder / "README.md"
    if name := _of_front_matter(_text(readme)):
        return name, readme.name
    try:
        files = sorted(path for path in folder.iterdir() if path.name.upper().startswith(_FILES))
    except OSError:
        files = []
    for path in files:
        if line := _first_line(_text(path)):
            return line, path.name
    return (name, "config.json") if (name := _of_config(folder / "config.json")) else ("", "")


def _of_front_matter(text: str) -> str:
    """`license: apache-2.0` between the two lines of dashes with which a model's README begins; with its name and link, if it has them."""
    head = re.match(r"---\s*\n(.*?)\n---", text, re.DOTALL)
    found = dict(re.findall(r"^(license(?:_name|_link)?):[ \t]*([^\n]+)$", head[1], re.MULTILINE)) if head else {}
    words = [found[key].strip().strip("\"'") for key in ("license", "license_name", "license_link") if key in found]
    return ", ".join(words)[:_LONGEST]


def _of_config(path: Path) -> str:
    try:
        name = json.loads(_text(path)).get("license")
    except (ValueError, AttributeError, RecursionError):
        return ""
    return name[:_LONGEST] if isinstance(name, str) else ""


def _first_line(text: str) -> str:
    return next((line.strip() for line in text.splitlines() if line.strip()), "")[:_LONGEST]


def _text(path: Path) -> str:
    """The first 100,000 characters of a file that may not be there."""
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(_READ)
    except OSError:
        return ""
