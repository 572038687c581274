"""From what a text says to the coordinate that counts. Used when photos are located and when a training is measured: the same code."""

from __future__ import annotations

from georapp.chain import Chain, Level
from georapp.errors import AnswerError
from georapp.gazetteer import Gazetteer
from georapp.geo import Coordinate
from georapp.prediction import Sample
from georapp.prompt import Decode, Profile
from georapp.reading import Reading


def sample_of(text: str, finished: bool, profile: Profile, decode: Decode, places: Gazetteer) -> Sample:
    """A model's text, read and decoded; without an answer in it, a sample that says so."""
    try:
        reading = profile.read(text)
    except AnswerError as error:
        return Sample(text, finished, notes=(str(error),))
    return decoded(reading, text, finished, decode, places, strict=profile.strict(text))


def decoded(reading: Reading, text: str, finished: bool, decode: Decode, places: Gazetteer, *, strict: bool) -> Sample:
    """A sample with its coordinate: the written pair or the named place, as `decode` wants it; the other one is kept beside it."""
    chain, notes = reading.chain, list(reading.notes)
    pair = chain.coordinate
    place = places.locate(chain)
    named = place.coordinate if place else None
    by_name = decode is Decode.NAME
    if decode is Decode.AUTO:
        by_name = pair is None or (named is not None and not _in_written_country(chain, pair, places))
        if by_name and pair is not None:
            notes.append("The written coordinates lie in another country than the one written, so the named place was used.")
    coordinate, other = (named, pair) if by_name else (pair, named)
    word = ("name" if by_name else "coordinates") if coordinate else ""
    return Sample(text, finished, chain, strict, coordinate, word, other, tuple(notes))


def _in_written_country(chain: Chain, pair: Coordinate, places: Gazetteer) -> bool:
    """True also where nothing can be compared: no country written or known, or coordinates at sea."""
    written = places.country_code(chain.name(Level.COUNTRY) or "")
    lies_in = places.label(pair).country_code
    return written is None or lies_in is None or written == lies_in
