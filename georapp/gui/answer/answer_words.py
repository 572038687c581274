"""A prediction in sentences, for the panel of the answer. They count samples of a model; none of them speaks of probability."""

from __future__ import annotations

from collections.abc import Sequence

from georapp.case import Answer, Ruling, Verdict
from georapp.chain import Level
from georapp.gui.plain import shown
from georapp.notation import Notation, kilometres, write
from georapp.prediction import Candidate, Prediction, Timing

COUNTED = "This counts answers of the model; it is no probability. A lead, not proof."
_RULINGS = {
    Ruling.ACCEPTED: "Accepted",
    Ruling.CORRECTED: "Corrected",
    Ruling.REJECTED: "Rejected",
    Ruling.UNSURE: "Unsure",
    Ruling.NONE: "Taken back",
}


def summary(prediction: Prediction) -> tuple[str, list[str]]:
    """What is stated in one sentence, and the sentences that go with it."""
    parts = [_next_level(prediction), _radius(prediction)]
    if len(prediction.samples) == 1:
        parts.append("It is one answer: nothing shows how sure the model is.")
    return _stated(prediction), [part for part in parts if part]


def _stated(prediction: Prediction) -> str:
    regions = prediction.stated.regions
    if not regions:
        return f"Not localisable: {_why_not(prediction)}."
    names = [regions[-1].name]
    country = prediction.stated.name(Level.COUNTRY)
    if country and regions[-1].level > Level.COUNTRY:
        names.append(country)
    return f"Stated: {', '.join(shown(name) for name in names)}."


def _why_not(prediction: Prediction) -> str:
    if all(sample.chain is None for sample in prediction.samples):
        return "no answer could be read"
    if not prediction.agreements:
        return "no answer names a place"
    return "the answers disagree"


def _next_level(prediction: Prediction) -> str:
    """How far the answers agree at the first level that is not stated."""
    stated = {region.level for region in prediction.stated.regions}
    found = next((agreement for agreement in prediction.agreements if agreement.level not in stated), None)
    if found is None:
        return ""
    return f"{found.count} of {found.of} answers name{'s' if found.count == 1 else ''} {shown(found.name)}."


def _radius(prediction: Prediction) -> str:
    for share, km in (("90 %", prediction.radius_90_km), ("50 %", prediction.radius_50_km)):
        if km is not None and len(prediction.samples) > 1:
            return (
                f"{share} of the {len(prediction.samples)} answers lie within {kilometres(max(1.0, km))} of the most central one."
            )
    if prediction.best and len(prediction.samples) > 1:
        return "Too few answers have coordinates for a radius."
    return ""


def unreadable(prediction: Prediction) -> str:
    """How many samples are no answer, or were cut off; empty when all is well."""
    n = len(prediction.samples)
    lost = sum(sample.chain is None for sample in prediction.samples)
    cut = sum(not sample.finished for sample in prediction.samples if sample.chain)
    return " ".join(
        part
        for part in (
            f"{lost} of {n} answers could not be read." if lost else "",
            f"{cut} of {n} answers {'was' if cut == 1 else 'were'} cut off." if cut else "",
        )
        if part
    )


def speed(timing: Timing, samples: int) -> str:
    """ "image 97 ms · first word 0.4 s · 131 tokens/s · 2.1 s · 8 samples"; parts that were not measured are left out."""
    parts = [
        f"image {_seconds(timing.image_s)}" if timing.image_s else "",
        f"first word {_seconds(timing.first_token_s)}" if timing.first_token_s else "",
        f"{timing.tokens_per_s:,.0f} tokens/s" if timing.tokens_per_s else "",
        _seconds(timing.total_s) if timing.total_s else "",
        f"{samples} sample{'' if samples == 1 else 's'}",
    ]
    return " · ".join(part for part in parts if part)


def _seconds(seconds: float) -> str:
    return f"{seconds * 1000:.0f} ms" if seconds < 0.2 else f"{seconds:,.1f} s"


def candidate(found: Candidate) -> str:
    """The place of a group of samples: its names from exact to general, or its coordinates."""
    names = [region.name for region in found.chain.regions[-1:]]
    country = found.chain.name(Level.COUNTRY)
    if country and country not in names:
        names.append(country)
    return ", ".join(shown(name) for name in names) or write(found.coordinate, Notation.DECIMAL)


def answer_title(answers: Sequence[Answer], index: int) -> str:
    """ "answer 2 of 3, georapp-mini, 2026-11-21 18:03 UTC"."""
    chosen = answers[index]
    return f"answer {index + 1} of {len(answers)}, {shown(chosen.model)}, {moment(chosen.at)}"


def moment(at: str) -> str:
    """A stored time to the minute."""
    return f"{at[:16].replace('T', ' ')} UTC" if at else "time unknown"


def verdict(ruling: Verdict) -> str:
    """ "Corrected to 43.9508, 4.8075 by Anna, 2026-11-21 18:03 UTC. Note: the bridge is still there"."""
    place = f" to {write(ruling.place, Notation.DECIMAL)}" if ruling.place else ""
    author = f" by {shown(ruling.author)}" if ruling.author else ""
    note = f" Note: {shown(ruling.note, longest=600)}" if ruling.note else ""
    return f"{_RULINGS[ruling.ruling]}{place}{author}, {moment(ruling.at)}.{note}"
