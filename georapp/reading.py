"""Reads whatever a model may have written: our own format, other people's formats, half-finished and decorated text.

The strict counterpart is `chain.parse`. Here nothing is guessed: what is not found stays unknown, a placeholder is not a name,
and a coordinate that the text does not hold never becomes (0, 0).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from georapp.chain import Chain, Level
from georapp.errors import AnswerError
from georapp.geo import Coordinate

MAX_TEXT = 100_000  # characters; a model that loops may write more, and nothing after this is read
MAX_NAME = 120  # characters; a longer "name" is a sentence

# One character for one: NFKC would also turn the seconds sign into two minute signs and break degrees.
_ASCII = str.maketrans("−–‒﹣－（）［］，：º˚′’″”＋", "-----()[],:°°''\"\"+")
_THINKING = re.compile(r"<think>.*?(?:</think>|\Z)", re.DOTALL | re.IGNORECASE)
_ANSWER = re.compile(r"<answer>(.*?)(?:</answer>|\Z)", re.DOTALL | re.IGNORECASE)

_NUM = r"[+-]?[0-9]{1,3}(?:\.[0-9]{1,20})?"
_SEP = r"\s*[,;/]?\s*"
_DMS = r"([0-9]{1,3})\s*°\s*([0-9]{1,2}(?:\.[0-9]{1,20})?)\s*'\s*(?:([0-9]{1,2}(?:\.[0-9]{1,20})?)\s*(?:\"|''))?\s*"
_PAREN = re.compile(rf"\(\s*({_NUM})\s*°?\s*,\s*({_NUM})\s*°?\s*\)", re.ASCII)
_BRACKET = re.compile(rf"\[\s*({_NUM})\s*°?\s*,\s*({_NUM})\s*°?\s*\]", re.ASCII)
_BARE = re.compile(r"(?<![\w.+-])([+-]?[0-9]{1,2}\.[0-9]{1,20})\s*°?\s*[,;]?\s+([+-]?[0-9]{1,3}\.[0-9]{1,20})(?![\w.])", re.ASCII)
_DEGREES = re.compile(rf"{_DMS}([NS]){_SEP}{_DMS}([EW])(?![a-z])", re.IGNORECASE | re.ASCII)
_LETTERS = re.compile(rf"({_NUM})\s*°?\s*([NS]){_SEP}({_NUM})\s*°?\s*([EW])(?![a-z])", re.IGNORECASE | re.ASCII)
_LETTERS_FIRST = re.compile(rf"(?<![a-z])([NS])\s*({_NUM})\s*°?{_SEP}([EW])\s*({_NUM})(?![0-9]*[°'])", re.IGNORECASE | re.ASCII)
# [^\w+.\-] and not \W: \W would swallow the minus sign of the number.
_LAT = re.compile(rf"(?<![a-z])lat(?:itude)?\.?[^\w+.\-]{{0,10}}({_NUM})\s*°?\s*([NS](?![a-z]))?", re.IGNORECASE | re.ASCII)
_LON = re.compile(rf"(?<![a-z])lo?ng?(?:itude)?\.?[^\w+.\-]{{0,10}}({_NUM})\s*°?\s*([EW](?![a-z]))?", re.IGNORECASE | re.ASCII)

_WORDS = {
    Level.CONTINENT: r"continent",
    Level.COUNTRY: r"country(?:\s+name)?",
    Level.PROVINCE: r"(?:state|province|region|prefecture|administrative\s+(?:region|area|division)|admin1)"
    r"(?:\s*/\s*(?:state|province|region|administrative\s+region))?",
    Level.CITY: r"(?:city|town|place|municipality)(?:\s+(?:or\s+)?(?:place|name|town))?",
}
_LINES = {  # "2. **State / Administrative Region:** Bavaria", '"country": "Japan",'
    level: re.compile(
        rf"^[\s\-*#>{{\"']*(?:[0-9]\s*[.)]\s*)?[*\"'_]*{word}[*\"'_]*\s*[:=][*\s]*(.+)$", re.IGNORECASE | re.MULTILINE
    )
    for level, word in _WORDS.items()
}
_PLACEHOLDERS = frozenset(
    name.strip()
    for name in [
        "",
        " unknown",
        " n/a",
        " na",
        " none",
        " null",
        " not specified",
        " not available",
        " unspecified",
        " undetermined",
        " unclear",
        " country",
        " country name",
        " city",
        " city name",
        " state",
        " region",
        " province",
        " continent",
        " place",
        " city or place",
    ]
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says. `pair_kind` names the notation of the coordinate, `notes` are sentences for a person."""

    chain: Chain
    pair_kind: str | None = None
    notes: tuple[str, ...] = ()


def read(text: str, *, semicolons: bool = False) -> Reading:
    """Regions and coordinate of a model's text.

    `semicolons`: an answer "Country; Region; Place" on one line, as GeoAgent writes it, is understood too.
    Raises AnswerError when the text holds neither a region nor a coordinate.
    """
    scope = answer_of(text)
    names = _names(scope, semicolons)
    coordinate, kind, notes = read_coordinate(scope)
    chain = Chain.of(names.items(), coordinate)
    if not chain.regions and coordinate is None:
        raise AnswerError(
            "The model's text holds no region and no coordinates.",
            hint="Try again with another seed, or use another model or prompt profile.",
        )
    return Reading(chain, kind, tuple(notes))


def answer_of(text: str) -> str:
    """The text without its reasoning: what stands in the last <answer>, or everything outside <think>."""
    text = text[:MAX_TEXT].translate(_ASCII)
    outside = _THINKING.sub("\n", text)
    answers = _ANSWER.findall(outside) or _ANSWER.findall(text)
    return answers[-1] if answers else outside


def read_coordinate(text: str) -> tuple[Coordinate | None, str | None, list[str]]:
    """(coordinate, notation, notes): the last possible pair of the first notation that occurs."""
    text = text.translate(_ASCII)
    notes: list[str] = []
    for kind, finder in _NOTATIONS.items():
        pairs = list(finder(text))
        for lat, lon in reversed(pairs):
            if lat == 0 and lon == 0:
                notes.append("The model wrote (0, 0), which is a placeholder and not an answer.")
            elif abs(lat) <= 90 and abs(lon) <= 180:
                return Coordinate(lat, lon), kind, notes
            else:
                notes.append(f"The model wrote the impossible coordinates {lat:g}, {lon:g}.")
    return None, None, list(dict.fromkeys(notes))


def _numbers(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[float, float]]]:
    return lambda text: ((float(m[1]), float(m[2])) for m in pattern.finditer(text))


def _signed(number: float, letter: str | None) -> float:
    if not letter:
        return number
    return -abs(number) if letter.upper() in "SW" else abs(number)


def _degrees(text: str) -> Iterator[tuple[float, float]]:
    for m in _DEGREES.finditer(text):
        lat = float(m[1]) + float(m[2]) / 60 + float(m[3] or 0) / 3600
        lon = float(m[5]) + float(m[6]) / 60 + float(m[7] or 0) / 3600
        yield _signed(lat, m[4]), _signed(lon, m[8])


def _letters(text: str) -> Iterator[tuple[float, float]]:
    for m in _LETTERS.finditer(text):
        yield _signed(float(m[1]), m[2]), _signed(float(m[3]), m[4])
    for m in _LETTERS_FIRST.finditer(text):
        yield _signed(float(m[2]), m[1]), _signed(float(m[4]), m[3])


def _labelled(text: str) -> Iterator[tuple[float, float]]:
    """Latitude and longitude are looked for apart, because either may come first."""
    for lat, lon in zip(_LAT.finditer(text), _LON.finditer(text), strict=False):
        yield _signed(float(lat[1]), lat[2]), _signed(float(lon[1]), lon[2])


_NOTATIONS: dict[str, Callable[[str], Iterator[tuple[float, float]]]] = {
    "(lat, lon)": _numbers(_PAREN),
    "degrees, minutes, seconds": _degrees,
    "decimal with letters": _letters,
    "labelled": _labelled,
    "[lat, lon]": _numbers(_BRACKET),
    "bare": _numbers(_BARE),
}


def _names(text: str, semicolons: bool) -> dict[Level, str]:
    found = _from_json(text) or {level: name for level, pattern in _LINES.items() if (name := _last_name(pattern, text))}
    if not found and semicolons:
        found = _from_semicolons(text)
    return found


def _last_name(pattern: re.Pattern[str], text: str) -> str | None:
    names = [name for m in pattern.finditer(text) if (name := _clean(m[1]))]
    return names[-1] if names else None


def _clean(name: object) -> str | None:
    """A name without decoration, or None for placeholders, numbers and sentences."""
    if not isinstance(name, str):
        return None
    name = " ".join("".join(c if c.isprintable() else " " for c in name).split()).strip(" \"'*_`,.;<>[]{}|")
    if name.casefold() in _PLACEHOLDERS or len(name) > MAX_NAME or not any(c.isalpha() for c in name):
        return None
    return name


def _from_json(text: str) -> dict[Level, str]:
    """Names out of the last flat JSON object, if there is one."""
    for block in reversed(re.findall(r"\{[^{}]*\}", text)):
        try:
            data = json.loads(block)
        except ValueError:
            continue
        keys = {str(key).casefold(): value for key, value in data.items()}
        found = {}
        for level, word in _WORDS.items():
            match = next((value for key, value in keys.items() if re.fullmatch(word, key)), None)
            if name := _clean(match):
                found[level] = name
        return found
    return {}


def _from_semicolons(text: str) -> dict[Level, str]:
    lines = [line for line in text.splitlines() if ";" in line]
    if not lines:
        return {}
    parts = [_clean(part) for part in lines[-1].split(";")[:3]]
    return {level: name for level, name in zip((Level.COUNTRY, Level.PROVINCE, Level.CITY), parts, strict=False) if name}
