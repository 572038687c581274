"""The card of a model that a run made: what it is, what was measured, what it cannot do, and where it comes from. Markdown.

Every figure comes from the run; a figure of the model stands beside those of answers that need no model, or not at all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from georapp.evaluate import THRESHOLDS_KM, Share
from georapp.run_events import Probe
from georapp.run_settings import RunConfig
from training.parity import Parity
from training.probe import FREQUENT, MISSING, MOST_REFERENCES, RANDOM, Values
from training.provenance import Credit, Licence, licences
from training.rows import AlbumRow, Part

CARD, CREDITS = "MODEL CARD.md", "CREDITS.tsv"
_BASELINES = {FREQUENT: "always the most frequent place", RANDOM: "a training place at random"}


@dataclass(frozen=True, slots=True)
class Facts:
    """All that a card tells. `probes`: by what they were measured on, in order; `worse`: a sentence, "" when it did not get worse."""

    name: str
    config: RunConfig
    base: str  # the base model's folder name
    licence: Licence
    trained: Sequence[str]  # what was done, in order: "SFT, 120 steps"
    probes: Mapping[str, Probe]
    parities: Sequence[Parity]
    worse: str
    rows: Sequence[AlbumRow]
    credits: Sequence[Credit]
    album_sha256: str
    config_sha256: str
    files: Mapping[str, int] = field(default_factory=dict)  # name -> bytes


def card(facts: Facts) -> str:
    """The text of MODEL CARD.md."""
    title = (
        f"# {facts.name}\n\nSays where a photo was taken. Made with georapp from {facts.base}. Its answers are leads, not proof."
    )
    warning = f"**It got worse.** {facts.worse}" if facts.worse else ""
    sections = (title, warning, _made(facts), _measured(facts), _compared(facts), _LIMITS.strip(), _data(facts), _licence(facts))
    return "\n\n".join(section for section in sections if section) + "\n"


# ---- how it was made ----


def _made(facts: Facts) -> str:
    model, how = facts.config.model, "; ".join(facts.trained) or "nothing: these are the weights of the base model"
    weights = {
        "full": "all weights",
        "lora": f"LoRA of rank {model.lora_rank}",
        "qlora": f"LoRA of rank {model.lora_rank}, base in 4 bits",
    }
    tower = "; its image tower stayed as it was" if model.freeze_vision else ""
    files = "".join(f"\n- `{name}`: {size / 1e6:,.1f} MB" for name, size in facts.files.items())
    return (
        f"## How it was made\n\nTrained: {how} ({weights[model.method]}{tower}). Method: Chain of Region and a distance reward, as in Geo-R "
        f"(Wu et al. 2026). Photos have at most {model.max_pixels:,} pixels; it is asked with the profile `{model.profile}`. "
        f"Settings: run.toml with SHA-256 {facts.config_sha256}.\n{files}"
    ).rstrip()


# ---- figures ----


def _measured(facts: Facts) -> str:
    if not facts.probes:
        return "## Measured\n\nNothing: the album has no photos that were held out."
    *_, last = facts.probes.values()
    lines = [_line(name, probe.values, probe.photos) for name, probe in facts.probes.items()]
    lines += [_line(words, part, last.photos) for prefix, words in _BASELINES.items() if (part := part_of(last.values, prefix))]
    head = ["%", *(f"≤ {km:,} km" for km in THRESHOLDS_KM), "median km", "GeoScore", "reward", "no place", "n"]
    missing = int(last.values.get(MISSING) or 0)
    taught = sum(row.part is Part.TRAIN for row in facts.rows)
    drawn = (
        f"They know {MOST_REFERENCES:,} of the {taught:,} training photos, drawn at random. " if taught > MOST_REFERENCES else ""
    )
    gone = f" {missing} more could not be read any more." if missing else ""
    return (
        f"## Measured\n\nOn {last.photos} held-out photos of this album, of places, bursts and photographers that were not trained on, "
        f"one greedy answer each.{gone} In brackets 95 % Wilson intervals; they take photos as independent, which flatters. An answer "
        "without a place counts as a miss. Of each stage the checkpoint was taken that did best on these photos, which flatters too.\n\n"
        + _table(head, lines)
        + "\n\nThe last two lines need no model: what does not beat them "
        f"has learned nothing. {drawn}GeoScore is GeoGuessr's, 5000 at best."
    )


def part_of(values: Values, prefix: str) -> dict[str, float | None]:
    """The values of a baseline under their plain names; without a prefix those of the model alone."""
    if not prefix:
        return {name: value for name, value in values.items() if not name.startswith((RANDOM, FREQUENT))}
    return {name.removeprefix(prefix): value for name, value in values.items() if name.startswith(prefix)}


def _line(name: str, values: Values, n: int) -> list[str]:
    within = [_percent(values.get(f"within_{km}_km"), n) for km in THRESHOLDS_KM]
    median = values.get("median_km")
    numbers = [
        _number(median, 1 if (median or 0) < 10 else 0),
        _number(values.get("geoscore"), 0),
        _number(values.get("reward"), 3),
    ]
    return [name, *within, *numbers, _number(values.get("unanswered"), 0), str(n)]


def _percent(share: float | None, n: int) -> str:
    if share is None:
        return "–"
    low, high = Share(share * n, n).interval
    return f"{100 * share:.1f} ({100 * low:.0f}–{100 * high:.0f})"


def _number(value: float | None, decimals: int) -> str:
    return "–" if value is None else f"{value:,.{decimals}f}"


def _table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    return "\n".join(f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *lines))


def _compared(facts: Facts) -> str:
    if not facts.parities:
        return "## The files beside the trained model\n\nNot compared: export.parity_photos is 0, or no photo was held out."
    lines = "\n".join(f"- {parity.sentence}" for parity in facts.parities)
    return (
        "## The files beside the trained model\n\nThe same held-out photos were asked in torch and with `georapp locate`, greedily. A "
        f"type of 8 or 4 bits differs by right.\n\n{lines}"
    )


# ---- limits, data, licences ----

_LIMITS = """
## What it cannot do

- Give a calibrated probability. Where its samples agree, that is agreement and no proof.
- Know places that are unlike those of its album: the figures hold for photos like the held-out ones, and for no others.
- Tell a photo from a painting, a screenshot, or a picture of a place shown elsewhere.
- Say where something was photographed that shows no trace of where it is. It answers all the same.
- Serve to find people. Ask before you publish where somebody's photo was taken.
"""


def _data(facts: Facts) -> str:
    parts = {part: sum(row.part is part for row in facts.rows) for part in Part}
    countries = len({row.country for row in facts.rows if row.country})
    authors = len({row.author for row in facts.rows if row.author})
    said = licences(facts.credits)
    known = "\n".join(f"- {name}: {count:,} photos" for name, count in said.most_common() if name)
    unsaid = f"\n- no licence said: {said['']:,} photos. Whoever gives this model away answers for them." if said[""] else ""
    return (
        f"## Data\n\n{len(facts.rows):,} photos from {countries} countries, by {authors} named photographers: {parts[Part.TRAIN]:,} to train "
        f"on, {parts[Part.PROBE]:,} measured on, {parts[Part.HELD_OUT]:,} more held out. SHA-256 of ids, places and answers: "
        f"{facts.album_sha256}. `{CREDITS}` has a line for each photo that was trained on. No photo is in any of these files.\n\n"
        f"{known}{unsaid}".rstrip()
    )


def _licence(facts: Facts) -> str:
    source = f" (as its {facts.licence.source} says)" if facts.licence.source else ""
    return (
        "## Licences\n\n"
        f"1. The base model {facts.base}: {facts.licence.name}{source}. What it forbids is forbidden here too.\n"
        "2. The photos: see above.\n"
        "3. Names of places in the training texts: GeoNames (CC BY 4.0) and Natural Earth (public domain).\n"
        "4. georapp, which made it: Apache-2.0. It claims nothing on the model."
    )
