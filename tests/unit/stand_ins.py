"""Programs that stand for a Python: shell scripts that print, hang or crash; and what a good one says of itself."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import georapp

GOOD: dict[str, Any] = {
    "doctor": 1,
    "python": "3.12.4",
    "environment": True,
    "pip": True,
    "versions": {
        "torch": "2.13.0+cu128",
        "transformers": "5.23.0",
        "trl": "1.16.0",
        "peft": "0.21.2",
        "bitsandbytes": None,
        "vllm": None,
        "deepspeed": None,
    },
    "needed": {"torch": "==2.13.0", "transformers": ">=5.18,<5.24", "trl": "==1.16.0", "peft": "==0.21.2"},
    "georapp": georapp.__version__,
    "unfit": [],
    "gpus": [{"name": "Card 4000", "memory_gib": 15.7, "free_gib": 15.1, "bf16": True, "capability": "8.9"}],
    "cuda": "12.8",
    "cores": 16,
    "memory_gib": 62.7,
    "problems": [],
}


def script(path: Path, *lines: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(["#!/bin/sh", *lines, ""]), "utf-8")
    path.chmod(0o755)
    return path


def says(path: Path, *messages: Any, then: Sequence[str] = ()) -> Path:
    """One that prints these as JSON lines, whatever it is asked, and then does something else."""
    return script(path, *(f"printf '%s\\n' {shlex.quote(json.dumps(message))}" for message in messages), *then)
