"""Coordinates as people write them, decimal degrees, degrees with minutes and seconds, MGRS and plus codes; and lengths.

    write(Coordinate(43.9508, 4.8075), Notation.MGRS)   "31T FJ 45035 67996"
    read("43°57′02.9″ N 4°48′27.0″ E")                  a Coordinate, or NotationError with a sentence and a hint

Reading is tolerant about separators, signs and marks, and strict about sense: what could mean two places, or a square of many
kilometres, is refused. Latitude comes first unless letters or words say otherwise.
"""

from __future__ import annotations

import enum
import itertools
import re
import unicodedata
import warnings
from collections.abc import Callable
from dataclasses import dataclass

import mgrs
from openlocationcode import openlocationcode

from georapp.errors import NotationError
from georapp.geo import Coordinate
from georapp.printable import printable

LONGEST = 200  # characters of a pasted text; no notation is that long
PLUS_CODE_DIGITS = 11  # 3 m


class Notation(enum.Enum):
    """A way to write a coordinate."""

    DECIMAL = "decimal"
    DMS = "dms"
    MGRS = "mgrs"
    PLUS_CODE = "plus_code"

    @property
    def word(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    Notation.DECIMAL: "decimal degrees",
    Notation.DMS: "degrees, minutes and seconds",
    Notation.MGRS: "MGRS",
    Notation.PLUS_CODE: "plus code",
}
HINT = (
    "Write decimal degrees (43.9508, 4.8075), degrees, minutes and seconds (43°57′02.9″ N 4°48′27.0″ E), "
    "MGRS (31T FJ 45035 67996) or a full plus code (8FM6XR25+82)."
)


def write(coordinate: Coordinate, notation: Notation) -> str:
    """One line, exact to 11 m (decimal) or better."""
    return _WRITERS[notation](coordinate)


def read(text: str) -> Coordinate:
    """A pasted text in any notation. Raises NotationError."""
    return read_with_kind(text)[0]


def read_with_kind(text: str) -> tuple[Coordinate, Notation]:
    """The same, with the notation that it was written in. Raises NotationError."""
    if len(text) > LONGEST:
        raise _refusal(f"The text has {len(text)} characters; no coordinate is that long.")
    plain = _plain(text)
    if not plain:
        raise _refusal("There is nothing to read.")
    if plain.casefold().startswith("geo:"):
        return _from_uri(plain), Notation.DECIMAL
    if "+" in plain and _PLUS_CODE.fullmatch(plain):
        return _from_plus_code(plain), Notation.PLUS_CODE
    if _MGRS.fullmatch(plain):
        return _from_mgrs(plain), Notation.MGRS
    return _from_angles(plain)


def kilometres(km: float, *, exact: bool = False) -> str:
    """ "850 m", "1.2 km", "40 km", "1,216 km": with as many figures as an estimate is worth; three where it was measured."""
    if km < 0.9995:
        return f"{km * 1000:.0f} m"
    return f"{km:.1f} km" if km < (99.95 if exact else 9.95) else f"{km:,.0f} km"


def _refusal(sentence: str) -> NotationError:
    return NotationError(sentence, hint=HINT)


def _quoted(text: str) -> str:
    return f"“{printable(text)[:40]}”"


# ---- writing ----


def _decimal(place: Coordinate) -> str:
    return f"{round(place.lat, 4) + 0.0:.4f}, {round(place.lon, 4) + 0.0:.4f}"  # + 0.0: no "-0.0000"


def _dms(place: Coordinate) -> str:
    return f"{_angle(place.lat, 'NS')} {_angle(place.lon, 'EW')}"


def _angle(value: float, letters: str) -> str:
    tenths = round(abs(value) * 36000)
    degrees, rest = divmod(tenths, 36000)
    minutes, rest = divmod(rest, 600)
    return f"{degrees}°{minutes:02d}′{rest / 10:04.1f}″ {letters[value < 0 < tenths]}"


def _mgrs(place: Coordinate) -> str:
    written: str = mgrs.MGRS().toMGRS(*_rounded(place))
    square, east, north = written[:-10], written[-10:-5], written[-5:]
    return f"{square[:-2]} {square[-2:]} {east} {north}"


def _plus_code(place: Coordinate) -> str:
    lat, lon = _rounded(place)
    code: str = openlocationcode.encode(min(lat, 90 - 1e-6), lon, PLUS_CODE_DIGITS)
    return code


def _rounded(place: Coordinate) -> tuple[float, float]:
    """To a centimetre: nearer to an edge (equator, pole, a zone's) both libraries may write something that does not exist."""
    return round(place.lat, 7) + 0.0, round(place.lon, 7) + 0.0


_WRITERS: dict[Notation, Callable[[Coordinate], str]] = {
    Notation.DECIMAL: _decimal,
    Notation.DMS: _dms,
    Notation.MGRS: _mgrs,
    Notation.PLUS_CODE: _plus_code,
}

# ---- reading: one spelling for all marks ----

_MARKS = str.maketrans({
    **dict.fromkeys("−–‒﹣－", "-"),
    **dict.fromkeys("′’‘ʹʼ´`＇", "'"),
    **dict.fromkeys("″”“ʺ„＂", '"'),
    **dict.fromkeys("º˚", "°"),
    **dict.fromkeys("，،、", ","),
    **dict.fromkeys("；؛", ";"),
    **dict.fromkeys("．٫", "."),
    "＋": "+",
})  # fmt: skip


def _plain(text: str) -> str:
    """ASCII digits and marks, single spaces, no invisible characters."""
    kept = []
    for c in text.translate(_MARKS):
        if unicodedata.category(c) == "Cf":  # directions and joiners that maps copy along
            continue
        digit = unicodedata.decimal(c, None)
        kept.append(str(digit) if digit is not None else c)
    return " ".join("".join(kept).replace("''", '"').split())


# ---- reading: geo URIs, plus codes, MGRS ----

_PAIR = re.compile(r"(-?[0-9]{1,3}(?:\.[0-9]+)?),\s?(-?[0-9]{1,3}(?:\.[0-9]+)?)")
_CODE_LETTERS = "23456789CFGHJMPQRVWX"
_PLUS_CODE = re.compile(rf"([{_CODE_LETTERS}0]{{2,8}}\+[{_CODE_LETTERS}]{{0,7}})(?:[ ,].*)?", re.IGNORECASE | re.ASCII)
_MGRS = re.compile(
    r"((?:[0-9]{1,2} ?[C-HJ-NP-X]|[ABYZ]) ?[A-HJ-NP-Z]{2}) ?([0-9]{2,10}|[0-9]{1,5} [0-9]{1,5})", re.IGNORECASE | re.ASCII
)


def _from_uri(text: str) -> Coordinate:
    """RFC 5870; and "geo:0,0?q=43.9508,4.8075(name)" as phones write it, where 0,0 stands for nothing."""
    body, question, query = text[4:].partition("?")
    asked = re.match(r"(?:.*&)?q=" + _PAIR.pattern, query) if question else None
    found = asked or _PAIR.match(body)
    if not found or (not asked and "q=" in query and not any(float(number) for number in found.groups())):
        raise _refusal(f"The link {_quoted(text)} holds no coordinates.")
    return _coordinate(float(found[1]), float(found[2]))


def _from_plus_code(text: str) -> Coordinate:
    found = _PLUS_CODE.fullmatch(text)
    code = found[1].upper() if found else text
    if openlocationcode.isShort(code):
        raise _refusal(f"The plus code {code} is short: it counts from a town that it does not hold. Paste the full code.")
    if not openlocationcode.isFull(code):
        raise _refusal(f"{_quoted(text)} is no plus code.")
    if "0" in code:
        raise _refusal(f"The plus code {code} names a whole region, not a place.")
    area = openlocationcode.decode(code)
    return _coordinate(area.latitudeCenter, area.longitudeCenter)


def _from_mgrs(text: str) -> Coordinate:
    """The middle of the square. The shape is known: the library gets nothing else."""
    found = _MGRS.fullmatch(text)
    square, digits = (found[1], found[2]) if found else (text, "")
    east, _, north = digits.partition(" ")
    if (north and len(east) != len(north)) or len(east + north) % 2:
        raise _refusal(f"{_quoted(text)} looks like MGRS, but easting and northing have not the same number of digits.")
    if len(east + north) < 4:
        raise _refusal(f"The MGRS square {_quoted(text)} is more than a kilometre wide; write at least two digits each.")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", RuntimeWarning)  # letters of a band in which the square does not lie
            lat, lon = mgrs.MGRS().toLatLon((square + east + north).replace(" ", "").upper())
    except (mgrs.core.MGRSError, RuntimeWarning) as error:
        raise _refusal(f"{_quoted(text)} looks like MGRS, but there is no such square.") from error
    return _coordinate(lat, (lon + 180) % 360 - 180)


# ---- reading: angles ----


@dataclass(frozen=True, slots=True)
class _Half:
    """One of two angles: "lat" or "lon" (or "" where nothing says so), degrees, and how many numbers it was written with."""

    axis: str
    value: float
    parts: int


_GLUED_COMMA = re.compile(r"(?<=\d),(?=\d)")
_NAMES = re.compile(r"""["']?\b(latitude|lat|longitude|long|lng|lon)\b["']?\.?\s*[:=]?""", re.IGNORECASE | re.ASCII)
_DIRECTIONS = re.compile(r"(?<![a-z])(north|south|east|west|[nsew])(?![a-z])", re.IGNORECASE | re.ASCII)
_DEGREES = re.compile(r"(?<=\d) ?deg(?:rees?)?\b", re.IGNORECASE | re.ASCII)
_TOKEN = re.compile(r"(?<![\d.])[+-]?\d+(?:\.\d+)?(?![+-])|[NSEWφλ,;/°'\":]", re.ASCII)
_SHAPE = re.compile(r"#[°:]?(?:#[':]?(?:#\"?)?)?")
_SEPARATORS = (",", ";", "/")
_AXES = {"φ": "lat", "N": "lat", "S": "lat", "λ": "lon", "E": "lon", "W": "lon"}


def _from_angles(text: str) -> tuple[Coordinate, Notation]:
    """A comma between digits separates two angles or is a decimal one. What makes sense in one way only is read."""
    if re.fullmatch(r"[+-]?\d+,\d+", text):
        raise _refusal(f"{_quoted(text)} can be one number or two. For two, leave a space after the comma.")
    readings = [text] if "." in text else list(dict.fromkeys((text, _GLUED_COMMA.sub(".", text))))
    found: list[tuple[_Half, _Half]] = []
    refused: list[NotationError] = []
    for reading in readings:
        try:
            found.append(_halves(_tokens(reading, text), text))
        except NotationError as error:
            refused.append(error)
    if not found:
        raise refused[-1]
    if len(found) > 1:
        raise _refusal(f"{_quoted(text)} can be read in two ways. Write points in the numbers and one comma between them.")
    lat, lon = found[0]
    return _coordinate(lat.value, lon.value), Notation.DMS if max(lat.parts, lon.parts) > 1 else Notation.DECIMAL


def _tokens(reading: str, text: str) -> list[str]:
    """Numbers, directions, the names as φ and λ, separators and marks. A text with anything else is no coordinate."""
    named = _NAMES.sub(lambda found: " φ " if found[1][:2].casefold() == "la" else " λ ", reading)
    named = _DIRECTIONS.sub(lambda found: f" {found[1][0].upper()} ", _DEGREES.sub("°", named))
    if _TOKEN.sub("", named).strip(" (){}"):
        raise _refusal(f"{_quoted(text)} is no coordinate that the program knows.")
    return _TOKEN.findall(named)


def _halves(tokens: list[str], text: str) -> tuple[_Half, _Half]:
    """Latitude and longitude."""
    groups = [_trimmed(group) for group in _groups(tokens)]
    if len(groups) != 2 or not all(groups):
        raise _refusal(f"{_quoted(text)} does not hold two angles.")
    first, second = (_half(group, text) for group in groups)
    if {first.axis, second.axis} == {"lat", "lon"}:
        return (first, second) if first.axis == "lat" else (second, first)
    if first.axis or second.axis:
        raise _refusal(f"{_quoted(text)} does not say which angle is the latitude and which is the longitude.")
    if first.parts != second.parts and "°" not in tokens:
        raise _refusal(f"{_quoted(text)} does not hold two angles of one form.")
    return first, second


def _groups(tokens: list[str]) -> list[list[str]]:
    """The tokens of each angle: by names, by directions before or behind, by a separator, by degree signs, in halves."""
    for marks in ("φλ", "NSEW"):
        places = [i for i, token in enumerate(tokens) if token in marks]
        if places:
            behind = places[0] != 0
            cuts = [place + behind for place in places]
            return _cut(tokens, cuts[:-1] if behind else cuts[1:])
    numbers = [i for i, token in enumerate(tokens) if token[-1].isdigit()]
    separators = [i for i, token in enumerate(tokens) if token in _SEPARATORS]
    degrees = [i for i, token in enumerate(tokens) if token == "°"]
    if separators:
        return _cut(tokens, separators)
    if len(degrees) == 2:
        return _cut(tokens, [degrees[1] - 1])
    return _cut(tokens, [numbers[len(numbers) // 2]]) if len(numbers) in (2, 4, 6) else []


def _cut(tokens: list[str], places: list[int]) -> list[list[str]]:
    edges = [0, *places, len(tokens)]
    return [tokens[start:end] for start, end in itertools.pairwise(edges)]


def _trimmed(tokens: list[str]) -> list[str]:
    """Without the separators around an angle."""
    kept = [i for i, token in enumerate(tokens) if token not in _SEPARATORS]
    return tokens[kept[0] : kept[-1] + 1] if kept else []


def _half(tokens: list[str], text: str) -> _Half:
    axes = {_AXES[token] for token in tokens if token in _AXES}
    direction = next((token for token in tokens if token in "NSEW"), "")
    rest = [token for token in tokens if token not in _AXES]
    numbers = [token for token in rest if token[-1].isdigit()]
    shape = "".join("#" if token in numbers else token for token in rest)
    signed = numbers[0][0] in "+-" if numbers else False
    if not _SHAPE.fullmatch(shape) or len(axes) > 1 or any(number[0] in "+-" for number in numbers[1:]):
        raise _refusal(f"{_quoted(text)} does not hold two angles.")
    if any("." in number for number in numbers[:-1]) or any(float(number) >= 60 for number in numbers[1:]):
        raise _refusal(f"{_quoted(text)} has minutes or seconds that do not exist.")
    if signed and direction:
        raise _refusal(f"{_quoted(text)} has both a sign and a direction.")
    size = sum(abs(float(number)) / 60**i for i, number in enumerate(numbers))
    negative = direction in ("S", "W") or numbers[0][0] == "-"
    return _Half("".join(axes), -size if negative else size, len(numbers))


def _coordinate(lat: float, lon: float) -> Coordinate:
    try:
        return Coordinate(lat, lon)
    except ValueError as error:
        raise _refusal(str(error)) from error
