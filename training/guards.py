"""Watches the values of every training step and says in words when something is wrong, and what to do.

Signs of trouble: numbers that are none, an entropy that collapses, a model that drifts away from the one before (its entropy may
rise meanwhile), groups of answers that all earn the same, answers that are cut off, a disk that fills up. The thresholds were
found on small models and are a beginning, not a law: all of them are settings.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Callable, Iterable
from typing import Literal

from georapp.run_events import Alert, Step
from georapp.run_settings import Guards as Limits

Action = Literal["none", "pause", "stop"]

MUST_BE_FINITE = ("loss", "grad_norm", "reward", "kl", "entropy")  # a deviation of one answer is NaN by right
ENTROPY, KL = "entropy", "kl"  # TRL's names of what GRPO logs
NO_SIGNAL, CLIPPED = "frac_reward_zero_std", "completions/clipped_ratio"

SPOILED = frozenset({"nan"})  # guards after which the weights are worth no checkpoint: end without saving

_SMALLER_RATE = (
    "Lower grpo.learning_rate to a third or raise grpo.beta, and start again from the last checkpoint that answered well."
)


class Guards:
    """One stage's guards. `see` is given every step in order, `see_disk` the free room now and then.

    An alert comes when something begins to be wrong, and again only after it was well in between. After a resume, `replay` the
    steps up to the checkpoint: the first steps are what later ones are compared with.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        size = self._limits.window
        self._first: list[float] = []  # entropies
        self._last = {name: collections.deque[float](maxlen=size) for name in (ENTROPY, KL, NO_SIGNAL, CLIPPED)}
        self._entropies = 0
        self._wrong: set[str] = set()

    def see(self, step: Step) -> tuple[Alert, ...]:
        """What is newly wrong after this step."""
        self._remember(step)
        checks: tuple[tuple[str, Action, str, Callable[[Step], str]], ...] = (
            ("nan", "pause", _NAN_HINT, _nan),
            ("collapse", "stop", _COLLAPSE_HINT, self._collapse),
            ("drift", "stop", _DRIFT_HINT, self._drift),
            ("kl", "stop", _SMALLER_RATE, self._over_ceiling),
            ("no signal", "none", _NO_SIGNAL_HINT, self._no_signal),
            ("clipped", "none", _CLIPPED_HINT, self._clipped),
        )
        alerts = (self._alert(guard, check(step), hint, action, step.step) for guard, action, hint, check in checks)
        return tuple(alert for alert in alerts if alert)

    def see_disk(self, free_bytes: float, step: int = 0) -> tuple[Alert, ...]:
        """`free_bytes`: on the disk of the run folder, as `shutil.disk_usage` says."""
        free_gb, floor = free_bytes / 1e9, self._limits.disk_gb
        reason = f"Only {free_gb:.1f} GB are free on the disk of this run, less than {floor:g}." if free_gb < floor else ""
        alert = self._alert("disk", reason, _DISK_HINT, "pause", step)
        return (alert,) if alert else ()

    def replay(self, steps: Iterable[Step]) -> None:
        """Take in earlier steps without a word. What is still wrong afterwards is said at the next step."""
        for step in steps:
            self._remember(step)

    def _remember(self, step: Step) -> None:
        for name, window in self._last.items():
            if (value := step.values.get(name)) is not None:
                window.append(value)
        entropy = step.values.get(ENTROPY)
        if entropy is not None:
            self._entropies += 1
            if len(self._first) < self._limits.window:
                self._first.append(entropy)

    def _alert(self, guard: str, reason: str, hint: str, action: Action, step: int) -> Alert | None:
        if not reason:
            self._wrong.discard(guard)
            return None
        if guard in self._wrong:
            return None
        self._wrong.add(guard)
        return Alert(guard, reason, hint, action if self._limits.act else "none", step)

    def _mean(self, name: str) -> float | None:
        """Over the window; None before it is full."""
        values = self._last[name]
        return statistics.fmean(values) if len(values) == self._limits.window else None

    # ---- what may be wrong: a sentence, or "" ----

    def _collapse(self, _: Step) -> str:
        now = self._mean(ENTROPY)
        if now is None or self._entropies < 2 * self._limits.window:
            return ""
        first = statistics.fmean(self._first)
        if now >= self._limits.entropy_below * first:
            return ""
        return f"The entropy fell from {first:.3g} to {now:.3g}: the model answers nearly the same whatever it sees, and learns no more."

    def _drift(self, _: Step) -> str:
        drift = self._mean(KL)
        if drift is None or drift <= self._limits.drift_above:
            return ""
        return (
            f"The model has drifted away from the one before this stage: its KL was {drift:.2g} over {self._limits.window} steps, "
            f"more than {self._limits.drift_above:g}."
        )

    def _over_ceiling(self, step: Step) -> str:
        kl = step.values.get(KL)
        if kl is None or kl <= self._limits.kl_ceiling:
            return ""
        return f"The KL jumped to {kl:.3g} in a single step, over the ceiling of {self._limits.kl_ceiling:g}."

    def _no_signal(self, _: Step) -> str:
        share = self._mean(NO_SIGNAL)
        if share is None or share <= self._limits.no_signal_above:
            return ""
        return f"In {share:.0%} of the groups all answers earned the same, so they teach nothing."

    def _clipped(self, _: Step) -> str:
        share = self._mean(CLIPPED)
        if share is None or share <= self._limits.clipped_above:
            return ""
        return f"{share:.0%} of the answers were cut off before their end, and without coordinates they earn nothing."


def _nan(step: Step) -> str:
    odd = [name for name in step.not_finite if name in MUST_BE_FINITE]
    return f"At step {step.step} {' and '.join(odd)} {'is' if len(odd) == 1 else 'are'} no number any more." if odd else ""


_NAN_HINT = (
    "Stop, lower the learning rate to a third, and start again: training goes on from the last checkpoint. With model.precision "
    '"fp16", use "bf16" or "fp32".'
)
_COLLAPSE_HINT = f"{_SMALLER_RATE} A temperature of 1 and more photos help too."
_DRIFT_HINT = f"{_SMALLER_RATE} Its entropy may look healthy meanwhile."
_NO_SIGNAL_HINT = (
    "Raise grpo.temperature or grpo.generations, or leave more solved photos out (hard.easy_share). Training goes on meanwhile."
)
_CLIPPED_HINT = "Raise grpo.max_answer_tokens, or lower model.max_pixels to make room for it."
_DISK_HINT = "Make room: old checkpoints, other runs or models. Then let the run go on; it waits without losing anything."
