"""The question put to a model, and how its kind of answer is read and decoded.

A profile is one such agreement: our own formats for models that can follow instructions, and the formats that published
geolocation models were trained to answer in, so that GGUF conversions of them can be used as they are. The question never holds
anything about the file: no name, no date, no position.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from georapp.chain import ChainFormat, Level, parse
from georapp.errors import ModelError
from georapp.reading import Reading, read

PROMPT_VERSION = 1  # raised with every change of a question, because results with different questions cannot be compared


class Decode(enum.Enum):
    """Where a prediction's coordinate comes from."""

    COORDINATES = "coordinates"  # the pair that the model wrote
    NAME = "name"  # the place that it named, looked up in the gazetteer
    AUTO = "auto"  # the pair, unless it is missing or lies in another country than the one written


@dataclass(frozen=True, slots=True)
class Profile:
    """`semicolons`: answers "Country; Region; Place" are understood. `max_tokens`: room for one answer."""

    name: str
    question: str
    about: str
    chain_format: ChainFormat | None = None
    semicolons: bool = False
    max_tokens: int = 128
    decode: Decode = Decode.AUTO

    def read(self, text: str) -> Reading:
        """Regions and coordinate of an answer, tolerant. Raises AnswerError when it holds neither."""
        return read(text, semicolons=self.semicolons)

    def strict(self, text: str) -> bool:
        """Whether the answer is exactly in this profile's own format; False for profiles without one."""
        return self.chain_format is not None and parse(text, self.chain_format) is not None


def _levels_question(chain_format: ChainFormat) -> str:
    slots = {
        Level.CONTINENT: "<continent>",
        Level.COUNTRY: "<country>",
        Level.PROVINCE: "<first-level administrative region>",
        Level.CITY: "<city or place>",
    }
    lines = "\n".join(f"{label}: {slots[level]}" for level, label in chain_format.labels.items())
    count = "four" if chain_format is ChainFormat.FOUR else "five"
    return (
        "You find out where photos were taken. Look at this photo and say where it was taken, from the general to the exact, "
        f"using only what can be seen. Answer with these {count} lines and nothing else:\n"
        f"{lines}\n"
        "Coordinates: (<latitude>, <longitude>) in decimal degrees"  # words as placeholders: zeros would be copied into answers
    )


_CLUES = (
    "You find out where photos were taken. Look for clues that are really in this photo: writing and its language, traffic signs and the "
    "side of driving, buildings, plants, land and light. First reason inside <think> and </think>: what speaks for which country, then "
    "which region, then which place, and how sure each step is. "
)

PROFILES = {
    profile.name: profile
    for profile in (
        Profile(
            "georapp",
            _levels_question(ChainFormat.FIVE),
            "five levels from continent to coordinates; for any model that follows instructions",
            ChainFormat.FIVE,
        ),
        Profile(
            "geo-r",
            _levels_question(ChainFormat.FOUR),
            "Geo-R's own four levels; for models trained as in the paper",
            ChainFormat.FOUR,
            decode=Decode.COORDINATES,
        ),
        Profile(
            "mini",
            "Where?",
            "the short question of the small models that georapp trains from nothing",
            ChainFormat.FIVE,
            max_tokens=96,
        ),
        Profile(
            "geoagent",
            _CLUES + "Then answer on one line as <answer>Country; Region; Specific place</answer>.",
            "reasoning, then country; region; place, without coordinates: GeoAgent and models like it",
            semicolons=True,
            max_tokens=1024,
            decode=Decode.NAME,
        ),
        Profile(
            "globe",
            _CLUES + "Then answer inside <answer> and </answer> with two lines: country: [country name] and city: [city name].",
            "reasoning, then country and city, without coordinates: GLOBE and models like it",
            max_tokens=1024,
            decode=Decode.NAME,
        ),
        Profile(
            "gre",
            _CLUES + "Then answer inside <answer> and </answer> with the latitude and the longitude in decimal degrees.",
            "reasoning, then coordinates alone: GRE and models like it",
            max_tokens=1024,
            decode=Decode.COORDINATES,
        ),
    )
}


def profile_named(name: str) -> Profile:
    """Raises ModelError for an unknown name."""
    if name not in PROFILES:
        raise ModelError(f"There is no prompt profile {name!r}.", hint=f"Known: {', '.join(PROFILES)}.")
    return PROFILES[name]
