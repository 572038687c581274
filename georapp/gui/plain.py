"""Text from strangers on the screen: names that a model wrote, notes, causes. Shown as characters, never as markup."""

from __future__ import annotations

import re
import textwrap
import unicodedata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel, QSizePolicy

from georapp.gui import look
from georapp.printable import printable

_LONGEST = 120  # characters of a name; the tooltip holds more
_LONGEST_TOOLTIP = 1200
_LONG_WORD = re.compile(r"[^\s-]{14,}")
_PIECE = 7  # characters of a long word that stay together
_MAY_BREAK = "\N{ZERO WIDTH SPACE}"
_ISOLATED = "\N{FIRST STRONG ISOLATE}{}\N{POP DIRECTIONAL ISOLATE}"


def label(text: str, role: str, *, wrap: bool = True) -> QLabel:
    """A label for plain text with a role of the stylesheet ("" for none), written from the left in any script."""
    made = QLabel(text)
    made.setTextFormat(Qt.TextFormat.PlainText)
    made.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignTop)
    made.setWordWrap(wrap)
    if wrap:
        made.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
    look.set_role(made, role)
    return made


def shown(text: str, *, longest: int = _LONGEST) -> str:
    """A name inside a label: no control characters, long words may break, right-to-left scripts keep to themselves."""
    safe = printable(" ".join(text.split()))
    if len(safe) > longest:
        safe = safe[: longest - 1] + "…"
    safe = breakable(safe)
    return _ISOLATED.format(safe) if any(unicodedata.bidirectional(c) in ("R", "AL") for c in safe) else safe


def breakable(text: str) -> str:
    """The same with invisible places where a very long word may go on in the next line."""
    return _LONG_WORD.sub(lambda word: _MAY_BREAK.join(re.findall(f".{{1,{_PIECE}}}", word[0])), text)


def tooltip(text: str) -> str:
    """For setToolTip, which takes anything with a tag for HTML: no tags, and lines that are not wider than a panel."""
    safe = "\n".join(printable(line) for line in text[:_LONGEST_TOOLTIP].splitlines()).replace("<", "‹")
    return "\n".join(textwrap.fill(line, 60) for line in safe.splitlines())
