"""Stage 3: what the run has learned becomes a model folder that georapp opens: RUN/model.

    merge        the adapter into the weights (export.weights = "merged"), or the adapter as a file of its own beside the base model
    measure      the trained weights on the probe photos once more, in torch: what the card says is of what is shipped
    write        text GGUF of each kind (the first is the one that is used), mmproj, perhaps the adapter; model.json
    compare      the same photos in torch and through `georapp locate` (training.parity)
    describe     MODEL CARD.md, CREDITS.tsv; and whether the model got worse, which is said and hidden nowhere

Everything is made in RUN/export and takes its place as RUN/model when it is whole. Nothing here makes a model the default one.
"""

from __future__ import annotations

import dataclasses
import gc
import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from georapp import run_toml
from georapp.errors import PhotoError, RunError
from georapp.models import MANIFEST
from georapp.prompt import profile_named
from georapp.run_events import CONFIG, WORSE, Alert, ModelMade, Probe
from training import base, changes, shards
from training.answering import answers
from training.base import Base, Scaling
from training.merging import unquantised, weights_of
from training.model_card import CARD, CREDITS, Facts, card, part_of
from training.model_folder import Weights, emptied, name_of, place, write_files, write_manifest
from training.parity import Parity, compare, locate
from training.probe import ERROR_KM, FREQUENT, RANDOM, ProbeSet, probes_in
from training.provenance import album_hash, base_licence, credits_of, credits_table
from training.rows import Part, read_rows
from training.work import ALBUM, EXPORT, GRPO, MADE, MODEL, SFT, Work

BEFORE, AFTER_SFT, NOW = "before training", "after SFT", "this model"


@dataclass(frozen=True, slots=True)
class Trained:
    """What was asked of the trained weights in torch. `texts` are the answers to `photos`, with which the GGUF is compared."""

    scaling: Scaling
    probes: Mapping[str, Probe]
    photos: Sequence[Path]
    texts: Sequence[str]


def run(work: Work) -> None:
    """Write RUN/model and RUN/export/done.json. Raises RunError, ModelError of the exporter, and Stopped."""
    try:
        _export(work, work.stage(EXPORT))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise RunError(
            f"The model could not be written to {work.folder}: {why}.",
            hint="Make room on that disk and start the run again: only this stage is done again.",
        ) from error


def _export(work: Work, scratch: Path) -> None:
    weights = weights_of(work, scratch / "merged" / name_of(work))
    trained = _in_torch(work, weights)
    new = emptied(scratch / "new")
    write_files(work.config.export, weights, new)
    shutil.rmtree(scratch / "merged", ignore_errors=True)
    kinds = work.config.export.kinds
    parities = [_compared(work, new, kind, trained) for kind in kinds] if trained.photos else []
    facts = _facts(work, new, trained, parities)
    _write_model_json(work, new, kinds[0], trained, facts)
    (new / CARD).write_text(card(facts), "utf-8", errors="replace")
    (new / CREDITS).write_text(credits_table(facts.credits), "utf-8", errors="replace")
    place(new, work.folder / MODEL, scratch / "old")
    _say(work, facts)


def _say(work: Work, facts: Facts) -> None:
    """Events, and the note that all is done."""
    if facts.worse:
        hint = "It is not made the default model. Compare it with the one before on photos of your own before you use it."
        work.events.write(Alert(WORSE, facts.worse, hint))
    parities = [dataclasses.asdict(parity) for parity in facts.parities]
    made = [f"../{MODEL}/{name}" for name in (MANIFEST, CARD)]
    work.done(EXPORT, **{MADE: made}, parity=parities, worse=facts.worse, **changes.record(work.config, EXPORT))
    work.events.write(ModelMade(MODEL))


# ---- in torch ----


def _in_torch(work: Work, weights: Weights) -> Trained:
    """Measure and ask the trained weights; their memory is free again afterwards, for llama.cpp needs it."""
    probe = ProbeSet.of(work)
    probes = _probes_before(work, probe, weights) if probe.rows else {}
    loaded = base.load(weights.folder, unquantised(work.config.model), adapter=weights.adapter)
    if probe.rows:
        probes[NOW] = _measured(work, probe, loaded, EXPORT)
    photos, texts = _answered(work, probe, loaded)
    scaling = loaded.scaling
    del loaded
    _free_memory()
    return Trained(scaling, probes, photos, texts)


def _probes_before(work: Work, probe: ProbeSet, weights: Weights) -> dict[str, Probe]:
    """From the run's own messages; where nobody measured the base model, it is measured now."""
    said, untrained = probes_in(work.folder), Path(work.config.model.base)
    found: dict[str, Probe] = {}
    before = said.get((SFT, 0)) or (None if work.is_done(SFT) else said.get((GRPO, 0)))
    if before is None and weights != Weights(untrained):
        before = _measured(work, probe, base.load(untrained, unquantised(work.config.model)), "base")
        _free_memory()
    if before:
        found[BEFORE] = before
    if work.is_done(SFT) and work.is_done(GRPO) and (after := said.get((GRPO, 0))):
        found[AFTER_SFT] = after
    return found


def _measured(work: Work, probe: ProbeSet, loaded: Base, stage: str) -> Probe:
    event = probe.measure(loaded, stage=stage, step=0)
    work.events.write(event)
    return event


def _answered(work: Work, probe: ProbeSet, loaded: Base) -> tuple[list[Path], list[str]]:
    """Some probe photos that can be read, and the most probable answer to each; one at a time, as llama.cpp does it."""
    kept = work.stage(EXPORT) / "photos"
    photos = [_file(Path(row.path), kept) for row in probe.rows[: work.config.export.parity_photos]]
    profile = probe.profile
    found = answers(loaded, photos, profile.question, max_tokens=profile.max_tokens, batch=1)
    return [path for path, texts in zip(photos, found, strict=True) if texts], [texts[0] for texts in found if texts]


def _file(path: Path, folder: Path) -> Path:
    """Of a photo in a shard a copy, which llama.cpp is shown; itself where it cannot be read."""
    try:
        return shards.as_file(path, folder)
    except PhotoError:
        return path


def _free_memory() -> None:
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


# ---- the files beside the trained weights ----


def _compared(work: Work, new: Path, kind: str, trained: Trained) -> Parity:
    """Raises RunError when the files say clearly other things than the weights, in a type that loses nothing."""
    write_manifest(work, new, kind, trained.scaling, about="", made_by={})
    texts = locate(new, trained.photos, work.events)
    parity = compare(kind, trained.texts, texts, profile_named(work.config.model.profile))
    if parity.broken:
        raise RunError(
            f"The exported files do not say what the trained model says. {parity.sentence}",
            hint="This is a bug of the export for this model, not of its training: the trained weights in the run's folder are good.",
        )
    return parity


# ---- describing ----


def _facts(work: Work, new: Path, trained: Trained, parities: Sequence[Parity]) -> Facts:
    rows, folder = read_rows(work.folder / ALBUM), Path(work.config.model.base)
    settings = work.folder / CONFIG
    text = settings.read_bytes() if settings.is_file() else run_toml.text_of(work.config).encode()
    return Facts(
        name=name_of(work),
        config=work.config,
        base=folder.resolve().name,
        licence=base_licence(folder),
        trained=_stages(work),
        probes=trained.probes,
        parities=parities,
        worse=worse_than_before(trained.probes),
        rows=rows,
        credits=credits_of([row for row in rows if row.part is Part.TRAIN], work.config.album.sources),
        album_sha256=album_hash(rows),
        config_sha256=hashlib.sha256(text).hexdigest(),
        files={path.name: path.stat().st_size for path in sorted(new.glob("*.gguf"))},
    )


def _stages(work: Work) -> list[str]:
    names = {SFT: "supervised fine-tuning", GRPO: "GRPO"}
    found = [(words, work.facts(stage) or {}) for stage, words in names.items() if work.is_done(stage)]
    return [f"{words}, {facts['steps']} steps" if "steps" in facts else words for words, facts in found]


def worse_than_before(probes: Mapping[str, Probe]) -> str:
    """A sentence when the model is farther off in the middle than an earlier one on the same photos; "" when it is not."""
    if NOW not in probes:
        return ""
    now = probes[NOW].values.get(ERROR_KM)
    earlier = {name: event.values.get(ERROR_KM) for name, event in probes.items() if name != NOW}
    better = [f"{km:,.0f} km {name}" for name, km in earlier.items() if km is not None and now is not None and now > km]
    if not better:
        return ""
    return (
        f"On the {probes[NOW].photos} held-out photos the model is {now:,.0f} km off in the middle, and was {', '.join(better)}; "
        "no answer counts as the other side of the Earth."
    )


def _write_model_json(work: Work, new: Path, kind: str, trained: Trained, facts: Facts) -> None:
    about = f"Trained from {facts.base} on {sum(row.part is Part.TRAIN for row in facts.rows):,} photos. See {CARD}."
    if facts.worse:
        about = f"It got worse by its training. {about}"
    now = facts.probes[NOW].values if NOW in facts.probes else {}
    baselines = {prefix.strip("/"): part_of(now, prefix) for prefix in (RANDOM, FREQUENT)}
    made_by: dict[str, Any] = {
        "command": "python -m training",
        "run": work.config.name or work.folder.resolve().name,
        "config_sha256": facts.config_sha256,
        "album_sha256": facts.album_sha256,
        "base": facts.base,
        "base_licence": facts.licence.name,
        "trained": list(facts.trained),
        WORSE: bool(facts.worse),
        "probe": {name: part_of(event.values, "") | {"photos": event.photos} for name, event in facts.probes.items()},
        "baselines": baselines,
        "parity": [dataclasses.asdict(parity) for parity in facts.parities],
    }
    write_manifest(work, new, kind, trained.scaling, about=about, made_by=made_by)
