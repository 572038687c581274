"""What a run is doing, in words. No Qt."""

from __future__ import annotations

from dataclasses import dataclass

from georapp.run_events import WORSE
from georapp.run_history import History, StageSeen
from georapp.runs import Run, State

STAGES = {"album": "Album", "sft": "SFT", "hard": "Hard photos", "grpo": "GRPO", "export": "GGUF"}
ON_PHOTOS = frozenset({"hard"})  # stages whose steps are photos
SIGNS = {"good": "✓", "warning": "▲", "bad": "✕", "dim": "●"}
_SHORT = {
    State.CREATED: ("not started", "dim"),
    State.STARTING: ("starting", "dim"),
    State.RUNNING: ("running", "good"),
    State.PAUSED: ("paused", "warning"),
    State.STOPPING: ("saving", "warning"),
    State.STOPPED: ("stopped", "warning"),
    State.FAILED: ("failed", "bad"),
    State.DIED: ("gone", "bad"),
    State.FINISHED: ("finished", "good"),
}
NO_RUN = "No run is open. Start one under Configure, or choose one under History."
GONE = "The folder of this run is gone: it was deleted, moved, or its disk is not connected."
GONE_HINT = "The charts show what was read before. When the folder is back, the run is followed again."


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence about the state, what to do, its tone, and what is offered: "", "resume" or "use"."""

    sentence: str
    hint: str = ""
    tone: str = "dim"
    offer: str = ""


def stage_name(name: str) -> str:
    """As people call it."""
    return STAGES.get(name, name[:40])


def short(run: Run, there: bool) -> tuple[str, str]:
    """One word and its tone."""
    return _SHORT[run.state] if there else ("gone", "bad")


def state(run: Run, history: History, *, there: bool, pause_asked: bool) -> Said:
    """What to say of a run above its charts; an empty sentence while all is well."""
    if not there:
        return Said(GONE, GONE_HINT, "bad")
    where = f" at step {run.step:,} of {stage_name(run.stage)}" if run.step else ""
    says = {
        State.CREATED: Said("This run was not started yet.", offer="resume"),
        State.STARTING: Said("Its process is starting and has not spoken yet."),
        State.PAUSED: Said(
            f"Paused{where}: {run.said or 'somebody asked for it.'}", "It keeps its memory. Go on when you like.", "warning"
        ),
        State.STOPPING: Said("It saves after this step, and then it ends.", tone="warning"),
        State.STOPPED: Said(f"Stopped and saved{where}.", "Resume goes on from there.", "warning", "resume"),
        State.FAILED: Said(run.said, run.hint, "bad", "resume"),
        State.DIED: Said(run.said, run.hint, "bad", "resume"),
        State.FINISHED: _finished(history),
    }
    return says.get(run.state) or _running(run, history, pause_asked)


def _finished(history: History) -> Said:
    worse = next((noted.alert for noted in history.alerts if noted.alert.guard == WORSE), None)
    if history.model and worse:
        return Said(f"Finished, and the model got worse. {worse.reason}", worse.hint, "warning", "use")
    if history.model:
        return Said("Finished. The model is ready.", "It answers beside the other models once it is chosen.", "good", "use")
    return Said("Finished. No model was exported, because that stage was left out.", tone="good")


def _running(run: Run, history: History, pause_asked: bool) -> Said:
    if pause_asked:
        return Said("A pause was asked for: it waits after this step.", tone="warning")
    if any(seen.step for seen in history.stages.values()):
        return Said("")
    if run.stage in ("sft", "grpo"):
        return Said(f"Waiting for the first step of {stage_name(run.stage)}: the model is being loaded.")
    return Said("Waiting for the first step: the album is being read.")


def stage_fact(seen: StageSeen | None, history: History, name: str) -> str:
    """What is worth knowing of a stage, in two or three words."""
    if name == "album":
        return f"{history.album.with_place:,} of {history.album.photos:,}" if history.album else ""
    if not seen or not seen.total:
        return "left out" if seen and seen.state == "skipped" else ""
    what = "photo" if name in ON_PHOTOS else "step"
    if seen.state == "done":
        return f"{seen.total:,} {what}s"
    return f"{what} {seen.step:,} of {seen.total:,}"


def stage_sign(seen: StageSeen | None, name: str, run: Run | None) -> tuple[str, str]:
    """A sign and what it means."""
    if seen is None:
        return "○", "to come"
    if seen.state == "done":
        return "✓", "done"
    if seen.state == "skipped":
        return "–", "left out"
    failed = run is not None and run.state in (State.FAILED, State.DIED) and run.stage in (name, "")
    return ("✕", "ended early") if failed else ("●", "going on")


def lost(run: Run, history: History) -> str:
    """What ending a run at once may cost."""
    kept = history.checkpoint
    if kept is None or kept.stage != run.stage:
        return f"Nothing of {stage_name(run.stage) or 'this stage'} is saved yet: its {run.step:,} steps may be lost."
    n = max(0, run.step - kept.step)
    steps = "the step since then" if n == 1 else f"the {n:,} steps since then"
    return f"The last checkpoint is that of step {kept.step:,}; {steps} may be lost."
