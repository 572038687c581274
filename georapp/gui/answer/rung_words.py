"""What the rungs of the ladder say about a prediction, and why a rung stays empty."""

from __future__ import annotations

from collections import Counter

from georapp.chain import Level, Region
from georapp.gui.answer.rung import Face, Light
from georapp.gui.plain import shown
from georapp.notation import Notation, write
from georapp.prediction import Check, Prediction

_NAMES = 4  # other names that a rung lists
_EXACT = "exact place"


def face(level: Level, prediction: Prediction) -> Face:
    name = prediction.stated.name(level)
    check = next((check for check in prediction.checks if check.level is level), None)
    names = _names(level, prediction)
    listed = " · ".join(f"{shown(other)} {n}" for other, n in names[:_NAMES]) + (" · …" if len(names) > _NAMES else "")
    warning = _warning(check, name)
    if name is None:
        return Face(
            f"no {level.word}: {_why_not(level, prediction, names)}", detail=listed, warning=warning, more=_all_names(names)
        )
    agreement = next((found for found in prediction.agreements if found.level is level), None)
    agree, share = (f"{agreement.count} of {agreement.of} agree", agreement.share) if agreement else ("", 0.0)
    more = "\n".join(part for part in (name, _all_names(names) if len(names) > 1 else "", _checked(check)) if part)
    return Face(shown(name), Light.STATED, level.word.capitalize(), "", warning, agree, share, more)


def _names(level: Level, prediction: Prediction) -> list[tuple[str, int]]:
    """The names that samples gave at a level, most frequent first."""
    regions = [
        region for sample in prediction.samples if sample.chain for region in sample.chain.regions if region.level is level
    ]
    return [(region.name, n) for region, n in Counter(regions).most_common()]


def _all_names(names: list[tuple[str, int]]) -> str:
    return "Answers: " + ", ".join(f"{name} {n}" for name, n in names) if names else ""


def _why_not(level: Level, prediction: Prediction, names: list[tuple[str, int]]) -> str:
    named = sum(n for _, n in names)
    if not names:
        return "no sample names one"
    if len(names) > 1:
        return "samples disagree"
    if named < len(prediction.samples):
        return f"only {named} of {len(prediction.samples)} samples name{'s' if named == 1 else ''} one"
    above = [higher.word for higher in Level if higher < level and prediction.stated.name(higher) is None]
    return f"the {above[-1]} is not stated" if above else "too few samples agree"


def _warning(check: Check | None, stated: str | None) -> str:
    """A contradiction between what is written and where the most central coordinates lie."""
    if check is None or not check.written:
        return ""
    if check.lies_in is None:
        return "⚠ the coordinates lie in no country" if check.level is Level.COUNTRY else ""
    same = stated is not None and Region(check.level, stated) == Region(check.level, check.written)
    if check.agrees is False:
        return f"⚠ the coordinates lie in {shown(check.lies_in)}" + ("" if same else f", not in {shown(check.written)}")
    return ""


def _checked(check: Check | None) -> str:
    if check is None:
        return ""
    written, lies_in = check.written or "nothing", check.lies_in or "nothing known"
    return f"The most central answer writes {written}; its coordinates lie in {lies_in}."


def exact_face(prediction: Prediction) -> Face:
    place, best = prediction.stated.coordinate, prediction.best
    n = len(prediction.samples)
    near = prediction.candidates[0].count if prediction.candidates else 0
    if place:
        more = f"{near} of {n} answers lie near each other."
        return Face(
            write(place, Notation.DECIMAL), Light.STATED, "Coordinates", "", "", f"{near} of {n} near", near / max(1, n), more
        )
    if best is None:
        return Face(f"no {_EXACT}: no sample has coordinates")
    why = "the city is not stated" if prediction.stated.name(Level.CITY) is None else "samples disagree"
    detail = f"most central answer: {best.lat:.2f}, {best.lon:.2f}"
    return Face(f"no {_EXACT}: {why}", detail=detail)
