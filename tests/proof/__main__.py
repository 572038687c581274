"""python -m tests.proof OUT [--seeds 3]: does GRPO teach a model places? On worlds of the size that one core can do.

For each seed a toy world is drawn, a tiny model begins to write chains, and the pipeline trains it: album, sft, hard, grpo. A control
takes over what SFT made and is rewarded for other photos' places. All three models are asked about photos that no part of the run has
seen. What is done stands in plan.py and was fixed on other seeds. Three quarters of an hour on one core; the same command goes on where
it was stopped. Exit code 0: shown; 1: not shown, or only in part, or a run failed; 2: wrong call.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

LEAST_SEEDS = 3
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false", "HF_HUB_OFFLINE": "1"}


def main(argv: Sequence[str] | None = None) -> int:
    """The exit code."""
    options = _parser().parse_args(argv)
    if options.seeds < LEAST_SEEDS:
        _parser().error(f"A spread over fewer than {LEAST_SEEDS} seeds says nothing.")
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if name not in os.environ})  # before torch
    from tests.proof import runs, verdict

    _quiet()
    found = {}
    for seed in range(options.first_seed, options.first_seed + options.seeds):
        found[seed] = runs.models_of(options.out / f"seed-{seed}", seed, say=_say)
    for line in verdict.lines(found):
        _say(line)
    judged = verdict.claims(list(found.values()))
    for claim in judged:
        _say(str(claim))
    _say(verdict.verdict(judged))
    result = verdict.as_json(found)
    (options.out / "result.json").write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")
    return 0 if result["shown"] else 1


def _quiet() -> None:
    """Bars, and what the libraries say to each other."""
    import transformers

    bars: Any = transformers.utils.logging
    bars.disable_progress_bar()
    warnings.filterwarnings("ignore", "`is_gradient_checkpointing` is deprecated", FutureWarning)


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.proof", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder for runs and results; 35 MB a seed")
    parser.add_argument("--seeds", type=int, default=LEAST_SEEDS, help="how many, at least 3")
    parser.add_argument("--first-seed", type=int, default=0, help="0 for what is reported; from 100 on to try something else out")
    return parser


if __name__ == "__main__":
    sys.exit(main())
