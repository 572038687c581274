"""The part of the doctor that may crash or hang: imports torch and the named packages, and says of each at once how it went.

JSON lines: {"trying": name}; {"torch": {gpus, cuda, said}}; {"broken": name, "why": text}. Only torch is needed, and that may be broken.
"""

from __future__ import annotations

import sys
from pathlib import Path

if not __package__:  # run by its path: Python would take training/gguf.py for the package gguf
    sys.path[:] = [entry for entry in sys.path if Path(entry).resolve() != Path(__file__).resolve().parent]

import importlib
import json
import os
import warnings
from typing import Any


def import_all(names: list[str]) -> None:
    """What is known is said at once, before the next import may end it."""
    out = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)  # packages greet on standard output

    def say(**said: Any) -> None:
        out.write(json.dumps(said) + "\n")
        out.flush()

    for name in ("torch", *names):
        say(trying=name)
        try:
            module = importlib.import_module(name)
            if name == "torch":
                say(torch=_cards(module))
        except BaseException as error:  # noqa: BLE001 - whatever a broken package does, the others are looked at
            why = " ".join(str(error).split())[:300]
            say(broken=name, why=f"{type(error).__name__}: {why}")
            if name == "torch":
                return


def _cards(torch: Any) -> dict[str, Any]:
    """What torch sees. `said`: its warning, when it sees none."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        there = torch.cuda.is_available()
    gpus = [_card(torch, number) for number in range(torch.cuda.device_count())] if there else []
    said = " ".join(str(caught[-1].message).split())[:300] if caught else ""
    return {"gpus": gpus, "cuda": torch.version.cuda or getattr(torch.version, "hip", None), "said": said}


def _card(torch: Any, number: int) -> dict[str, Any]:
    about = torch.cuda.get_device_properties(number)
    by_nvidia = torch.version.cuda is not None
    try:
        free = torch.cuda.mem_get_info(number)[0]
    except Exception:  # noqa: BLE001 - a card that others have filled, or that is for one process only
        free = 0
    return {
        "name": about.name,
        "memory_gib": round(about.total_memory / 2**30, 2),
        "free_gib": round(free / 2**30, 2),
        "bf16": about.major >= 8 if by_nvidia else bool(torch.cuda.is_bf16_supported()),  # older ones imitate it, slowly
        "capability": f"{about.major}.{about.minor}" if by_nvidia else "",
    }


if __name__ == "__main__":
    import_all(sys.argv[1:])
