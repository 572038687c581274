"""Several processes that train one model: which one this is, and how they agree. Alone, everything here is trivial.

Only the first rank writes events and checkpoints. Every rank must leave a loop at the same step, or the others wait for ever: so
what one rank knows (somebody asked to stop) is agreed on by all.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from transformers.integrations.deepspeed import unset_hf_deepspeed_config

from georapp import run_events
from georapp.errors import RunError
from georapp.run_events import HEARTBEAT
from training.report import EventWriter

POLL_S = 0.5
SILENT_S = 180.0  # the first rank must show itself within this time
_ENTERED = ".entered"
_STARTED = time.time() - 5  # all ranks start within seconds


def rank() -> int:
    """As torchrun and accelerate count: 0 for the first process, and for one alone."""
    return int(os.environ.get("RANK", "0"))


def count() -> int:
    """How many processes take part."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def alone() -> bool:
    """Whether no other process takes part."""
    return count() == 1


def together() -> bool:
    """Whether several processes train, and have found each other."""
    return dist.is_available() and dist.is_initialized() and dist.get_world_size() > 1


def agreed(flag: bool) -> bool:
    """Whether any rank says so. All must call this at the same place."""
    if not together():
        return flag
    device = "cpu" if "cpu:gloo" in dist.get_backend_config() else "cuda"  # FSDP has both
    flags = torch.tensor([int(flag)], device=device)
    dist.all_reduce(flags, op=dist.ReduceOp.MAX)
    return bool(flags.item())


def forget_sharding() -> None:
    """Let the next model be loaded whole by this process alone.

    After a stage with ZeRO-3 transformers would else share it out among all processes, which this one would wait for for ever.
    """
    unset_hf_deepspeed_config()  # type: ignore[no-untyped-call]


def wait_for_all() -> None:
    """Return when every rank is here."""
    if together():
        dist.barrier()


def first_does(action: Callable[[], None]) -> None:
    """The first rank acts; the others wait for it, however long that takes (a single wait would be given up after minutes)."""
    if not together():
        action()
        return
    worker, problems = _in_background(action) if rank() == 0 else (None, [])
    while agreed(worker is not None and worker.is_alive()):
        time.sleep(POLL_S)
    if agreed(bool(problems)):
        raise problems[0] if problems else RunError("The first process of the run has failed.", hint="It says why.")


def _in_background(action: Callable[[], None]) -> tuple[threading.Thread, list[BaseException]]:
    problems: list[BaseException] = []

    def act() -> None:
        try:
            action()
        except BaseException as error:  # noqa: BLE001 - it is raised again by the thread that waits
            problems.append(error)

    worker = threading.Thread(target=act, name="first rank", daemon=True)
    worker.start()
    return worker, problems


class MutedWriter(EventWriter):
    """What the other ranks have in place of the events: they write nothing, and stop when the first one does."""

    def __init__(self) -> None:
        self._asked_to_stop = threading.Event()

    def write(self, event: run_events.RunEvent) -> None:
        """Nothing."""

    def stop_asked(self) -> bool:
        """Only what this process was told; the ranks agree on the rest."""
        return self._asked_to_stop.is_set()

    def pause_asked(self) -> bool:
        """The first rank waits, and lets the others wait."""
        return False

    def ask_to_pause(self, reason: str) -> None:
        """Nothing: the first rank asks."""

    def wait_while_paused(self, *, poll_s: float = POLL_S) -> None:
        """Nothing."""

    def close(self) -> None:
        """Nothing."""


# ---- before the ranks have found each other: through files of the run folder ----


def wait_for_first(folder: Path, done: Callable[[], bool], *, poll_s: float = POLL_S) -> bool:
    """Wait until the first rank has `done` something alone; False when it ended before. Raises RunError when it never came.

    An album may take longer than torch's ranks wait for each other.
    """
    until = time.monotonic() + SILENT_S
    while not done():
        beat = run_events.read_heartbeat(folder)
        if (
            beat and beat.at == 0 and (folder / HEARTBEAT).stat().st_mtime > _STARTED
        ):  # it has said that it ends, and not long ago
            return done()
        if beat and beat.at > 0:
            until = time.monotonic() + SILENT_S
        elif time.monotonic() > until:
            raise RunError(f"The first process of the run in {folder} has not begun.", hint="Do all machines see this folder?")
        time.sleep(poll_s)
    return True


def enter(folder: Path, stage: Path) -> None:
    """The first rank says that it goes into a stage, where all work together."""
    (stage / _ENTERED).write_text(_identity(folder), "utf-8")


def has_entered(folder: Path, stage: Path) -> bool:
    """Whether the first rank of this very start of the run went into a stage."""
    try:
        return (stage / _ENTERED).read_text("utf-8") == _identity(folder)
    except OSError:
        return False


def _identity(folder: Path) -> str:
    beat = run_events.read_heartbeat(folder)
    return f"{beat.pid} {beat.started} {beat.machine}" if beat and beat.at > 0 else "nobody"
