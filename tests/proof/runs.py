"""The runs of one seed: a world, a base model, the pipeline with the real rewards, and the control from the same SFT model on."""

from __future__ import annotations

import dataclasses
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from georapp import run_toml
from georapp.run_events import CONFIG
from tests.proof import plan, world
from tests.proof.figures import CONTROL_MODEL, GRPO_MODEL, SFT_MODEL, Answers
from training.rows import AlbumRow, Part, read_rows
from training.work import ALBUM, DONE, GRPO, HARD, MODEL, SFT

PROOF, CONTROL = "proof", "control"
SHARED = (ALBUM, SFT, HARD)  # stages that the control takes over
BASE = Path("model", "base")
MODELS = {SFT_MODEL: (PROOF, SFT), GRPO_MODEL: (PROOF, GRPO), CONTROL_MODEL: (CONTROL, GRPO)}

Found = dict[str, dict[str, list[Answers]]]


def models_of(folder: Path, seed: int, *, say: Callable[[str], None]) -> Found:
    """Do what is left to do of this seed in `folder`, and what was measured of its three models. Raises SystemExit when a run fails."""
    train(folder, seed, say=say)
    found: Found = {}
    for model, (run, stage) in MODELS.items():
        file = folder / run / f"{stage}.json"
        if not file.exists():
            say(f"seed {seed}: asking the model {model}")
            _write(_measured(folder / run, stage), file)
        found[model] = _read(file)
    return found


def train(folder: Path, seed: int, *, say: Callable[[str], None]) -> None:
    """FOLDER/proof and FOLDER/control are runs afterwards."""
    if not (folder / BASE / "README.md").exists():  # written last
        say(f"seed {seed}: drawing the world, making the base model")
        shutil.rmtree(folder, ignore_errors=True)
        spots = world.make(folder / "photos", plan.WORLD, seed=seed)
        world.base_model(folder / "photos", spots, folder / "model", plan.BEGINNING, seed=seed)
    _run(folder, PROOF, seed, say)
    for stage in SHARED:
        if not (folder / CONTROL / stage).exists():
            shutil.copytree(folder / PROOF / stage, folder / CONTROL / stage)
    _run(folder, CONTROL, seed, say)


def _run(folder: Path, name: str, seed: int, say: Callable[[str], None]) -> None:
    """`python -m training`, which does what is left of a run."""
    run = folder / name
    run.mkdir(exist_ok=True)
    if not (run / CONFIG).exists():
        table, base = (folder / "photos" / world.TABLE).absolute(), (folder / BASE).absolute()
        run_toml.write(plan.settings(table, base, seed=seed, control=name == CONTROL), run / CONFIG)
    if (run / GRPO / DONE).exists():
        return
    say(f"seed {seed}: python -m training {run}")
    done = subprocess.run([sys.executable, "-m", "training", str(run)], env=os.environ, check=False)
    if done.returncode or not (run / GRPO / DONE).exists():
        raise SystemExit(f"The run in {run} did not come to its end; its events.jsonl says why.")


def held_out(run: Path) -> list[AlbumRow]:
    """Photos that no part of a run has used, not even to measure its progress."""
    return read_rows(run / ALBUM, Part.HELD_OUT)


def _measured(run: Path, stage: str) -> dict[str, list[Answers]]:
    from tests.proof.measuring import measure  # imports torch

    return measure(run_toml.read(run / CONFIG), held_out(run), run / stage / MODEL)


def _write(measured: dict[str, list[Answers]], file: Path) -> None:
    part = file.with_suffix(".part")
    part.write_text(json.dumps({name: [dataclasses.asdict(one) for one in photos] for name, photos in measured.items()}), "utf-8")
    part.replace(file)


def _read(file: Path) -> dict[str, list[Answers]]:
    values = json.loads(file.read_text("utf-8"))
    return {
        name: [Answers(tuple(one["rewards"]), tuple(one["formats"]), tuple(one["km"])) for one in photos]
        for name, photos in values.items()
    }
