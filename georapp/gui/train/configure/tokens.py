"""Tokens of a sample as they are read: photo tokens folded into one, line ends visible, runs of one kind joined. Without Qt."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby

from georapp.printable import printable

Token = tuple[str, bool]
_LEAST_FOLDED = 2  # equal special tokens in a row are the photo
_LINE_END = "↵\n"


@dataclass(frozen=True, slots=True)
class Run:
    """Text of one kind: `learned`, or `special` (what no person wrote: the photo, who speaks), or neither."""

    text: str
    learned: bool
    special: bool


@dataclass(frozen=True, slots=True)
class Count:
    """Tokens of a sample."""

    photo: int
    asked: int  # what is read and not learned, without the photo
    learned: int


def runs(tokens: Sequence[Token]) -> list[Run]:
    """In their order; text is safe to show."""
    single = (Run(_safe(text), learned, _is_special(text)) for text, learned in _folded(tokens))
    return [
        Run("".join(run.text for run in group), *kind) for kind, group in groupby(single, lambda run: (run.learned, run.special))
    ]


def count(tokens: Sequence[Token]) -> Count:
    """By kind."""
    photo = sum(n for _, n, folded in _groups(tokens) if folded)
    learned = sum(is_learned for _, is_learned in tokens)
    return Count(photo, len(tokens) - photo - learned, learned)


def learned_text(tokens: Iterable[Token]) -> str:
    """What the model is to write."""
    return _safe("".join(text for text, learned in tokens if learned))


def _groups(tokens: Sequence[Token]) -> Iterator[tuple[Token, int, bool]]:
    """Equal neighbours: the token, how often, and whether it is the photo's."""
    for token, group in groupby(tokens):
        n = len(list(group))
        yield token, n, n >= _LEAST_FOLDED and not token[1] and _is_special(token[0])


def _folded(tokens: Sequence[Token]) -> Iterator[Token]:
    for token, n, folded in _groups(tokens):
        if folded:
            yield f"<{n} × image>", False
        else:
            yield from [token] * n


def _is_special(text: str) -> bool:
    """Written in brackets: "<|im_end|>", "[IMG]"."""
    text = text.strip()
    return len(text) > 2 and (text[0], text[-1]) in (("<", ">"), ("[", "]"))


def _safe(text: str) -> str:
    """No control characters; line ends can be seen, because they are learned too."""
    lines = text.replace("\r\n", "\n").replace("\t", " ").split("\n")
    return _LINE_END.join(printable(line) for line in lines)
