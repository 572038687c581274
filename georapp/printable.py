"""Text from strangers (file names, model text, EXIF) made safe to show."""

from __future__ import annotations


def printable(text: str) -> str:
    """Without control characters, which could move a cursor, colour a screen, or reverse the order of letters."""
    return "".join(c if c.isprintable() else "\N{REPLACEMENT CHARACTER}" for c in text)
