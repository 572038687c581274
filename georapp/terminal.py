"""How a prediction looks in a terminal. Names and model text come from strangers: control characters are taken out, nothing is markup."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from georapp.chain import Level
from georapp.prediction import Agreement, Check, Prediction, Sample
from georapp.printable import printable
from georapp.results import Truth

_BAR = 8
MARKS = {True: "✓", False: "≠", None: " "}


def ladder(regions: Iterable[tuple[Level, str]]) -> Text:
    """The rungs that are complete so far."""
    return Text(" › ").join(Text(printable(name)) for _, name in regions)


def prediction_view(name: str, prediction: Prediction, truth: Truth | None, notes: Sequence[str] = ()) -> RenderableType:
    """Everything that is worth saying of one photo."""
    parts: list[RenderableType] = [Text(printable(name), style="bold"), headline(prediction)]
    if prediction.agreements:
        parts.append(_levels(prediction))
    if prediction.best:
        parts.append(_area(prediction))
    if len(prediction.candidates) > 1:
        parts.append(_candidates(prediction))
    parts += [Text(f"  ⚠ {sentence}", style="yellow") for sentence in [*notes, *_warnings(prediction)]]
    if truth:
        parts.append(_truth(truth))
    t = prediction.timing
    speed = f"  image {t.image_s * 1000:.0f} ms · first word {t.first_token_s:.2f} s · {t.tokens_per_s:.0f} tokens/s · {t.total_s:.2f} s"
    parts.append(Text(speed, style="dim"))
    return Group(*parts)


def headline(prediction: Prediction) -> Text:
    """What the program stands for."""
    if not prediction.localisable:
        return Text("  not localisable", style="bold red").append(
            " — the samples disagree even on the continent", style="not bold red"
        )
    names = [printable(region.name) for region in prediction.stated.regions]
    line = Text("  " + " › ".join(names), style="bold green")
    left = [level for level in Level if prediction.stated.name(level) is None and level > prediction.stated.regions[-1].level]
    if prediction.stated.coordinate:
        return line.append(f"  {prediction.stated.coordinate}", style="not bold")
    return line.append(f" — {left[0].word} unsure" if left else "", style="not bold")


def _levels(prediction: Prediction) -> Table:
    table = Table.grid(padding=(0, 2), pad_edge=True)
    checks = {check.level: check for check in prediction.checks}
    for agreement in prediction.agreements:
        stated = prediction.stated.name(agreement.level) is not None
        table.add_row(
            Text(f"  {agreement.level.word}", style="dim"),
            Text(printable(agreement.name), style="" if stated else "dim italic"),
            _bar(agreement),
            _check(checks.get(agreement.level)),
        )
    return table


def _bar(agreement: Agreement) -> Text:
    full = round(agreement.share * _BAR)
    return Text("▮" * full + "▯" * (_BAR - full) + f" {agreement.count} of {agreement.of}")


def _check(check: Check | None) -> Text:
    if not check or check.agrees is None:
        return Text("")
    if check.agrees:
        return Text("✓ the coordinates lie there", style="dim")
    return Text(f"≠ the coordinates lie in {printable(check.lies_in or 'the sea')}", style="yellow")


def _area(prediction: Prediction) -> Text:
    assert prediction.best
    radii = [f"{share} % of samples within {radius:,.0f} km" for share, radius in _radii(prediction) if radius is not None]
    where = "at" if prediction.stated.coordinate else "around"
    return Text(f"  {where} {prediction.best}" + (", " + ", ".join(radii) if radii and len(prediction.samples) > 1 else ""))


def _radii(prediction: Prediction) -> tuple[tuple[int, float | None], ...]:
    return (50, prediction.radius_50_km), (90, prediction.radius_90_km)


def _candidates(prediction: Prediction) -> Table:
    table = Table.grid(padding=(0, 2), pad_edge=True)
    for number, candidate in enumerate(prediction.candidates[:5], 1):
        names = " › ".join(printable(region.name) for region in candidate.chain.regions[-3:])
        table.add_row(
            Text(f"  {number}."), Text(f"{candidate.share:.0%}"), Text(names), Text(str(candidate.coordinate), style="dim")
        )
    return table


def _warnings(prediction: Prediction) -> list[str]:
    failed = [sample for sample in prediction.samples if sample.chain is None]
    sentences = []
    if failed:
        sentences.append(
            f"{len(failed)} of {len(prediction.samples)} samples could not be read; the first says: {_start(failed[0])}"
        )
    if prediction.samples and all(not sample.finished for sample in prediction.samples):
        sentences.append("The model did not come to an end; its answers were cut off.")
    return sentences + list(dict.fromkeys(note for sample in prediction.samples for note in sample.notes if sample.chain))[:3]


def _start(sample: Sample) -> str:
    text = printable(" ".join(sample.text.split()))
    return f"“{text[:60]}{'…' if len(text) > 60 else ''}”"


def _truth(truth: Truth) -> Text:
    if truth.distance_km is None:
        return Text(f"  photo's own place ({truth.source}) {truth.coordinate}; the answer has no coordinates")
    same = [level.word for level, value in truth.levels.items() if value]
    text = f"  photo's own place ({truth.source}) {truth.coordinate}: {truth.distance_km:,.0f} km off"
    return Text(text + (f", same {', '.join(same)}" if same else ", not even the continent is the same"))
