"""What people read. Names come from strangers: they are text, never markup, and move no cursor."""

from __future__ import annotations

import io

from rich.console import Console, RenderableType

from georapp.chain import Chain, Level, Region
from georapp.geo import Coordinate
from georapp.prediction import Agreement, Candidate, Check, Prediction, Sample, Timing
from georapp.results import Truth
from georapp.terminal import headline, ladder, prediction_view

BEST = Coordinate(48.86, 2.35)
CHAIN = Chain.of([(Level.CONTINENT, "Europe"), (Level.COUNTRY, "France")], BEST)
TIMING = Timing(0.1, 0.2, 100, 500.0, 1.0)


def prediction(stated: Chain, samples: tuple[Sample, ...], checks: tuple[Check, ...] = ()) -> Prediction:
    levels = (Agreement(Level.CONTINENT, "Europe", 8, 8), Agreement(Level.COUNTRY, "[red]France\x1b[31m", 3, 8))
    candidates = (Candidate(BEST, CHAIN, 5, 5 / 8), Candidate(Coordinate(-12.05, -77.04), CHAIN, 3, 3 / 8))
    return Prediction(stated, BEST, 12.0, 900.0, samples, levels, candidates, checks, TIMING)


def shown(view: RenderableType) -> str:
    out = io.StringIO()
    Console(file=out, width=160, highlight=False).print(view)
    return out.getvalue()


def test_names_are_neither_markup_nor_control() -> None:
    text = shown(prediction_view("a\x1b]0;evil\x07.jpg", prediction(CHAIN, (Sample("t", True, CHAIN),)), None))
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "[red]France" in text
    assert "[bold]" in shown(ladder([(Level.CITY, "[bold]x")]))


def test_everything_that_is_known_is_said() -> None:
    checks = (Check(Level.CONTINENT, "Europe", "Europe", True), Check(Level.COUNTRY, "France", "Spain", False))
    truth = Truth(Coordinate(48.0, 2.0), "EXIF", 99.0, {Level.CONTINENT: True, Level.COUNTRY: True, Level.CITY: False})
    samples = (Sample("t", True, CHAIN), Sample("la la la", False))
    text = shown(prediction_view("p.jpg", prediction(CHAIN, samples, checks), truth, ["The clock was wrong."]))
    for words in (
        "8 of 8",
        "3 of 8",
        "the coordinates lie in Spain",
        "50 % of samples within 12 km, 90 % of samples within 900 km",
        "1 of 2 samples could not be read; the first says: “la la la”",
        "The clock was wrong.",
        "99 km off, same continent, country",
        "62%",
    ):
        assert words in text


def test_the_headline_says_no_more_than_is_stated() -> None:
    broad = Chain((Region(Level.CONTINENT, "Europe"),))
    assert shown(headline(prediction(broad, ()))).strip() == "Europe — country unsure"
    nothing = Prediction(Chain(), None, None, None, (), (), (), (), TIMING)
    assert "not localisable" in shown(headline(nothing))
