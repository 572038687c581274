"""Watches the values of every training step and says in words when something is wrong, and what to do.

Signs of trouble: numbers that are none, an entropy that collapses, a model that drifts away from the one before (its entropy may
rise meanwhile), groups of answers that all earn the same, answers that are cut off, a disk that fills up. The thresholds were
found on small models and are a beginning, not a law: all of them are settings.
"""

from __future__ import annotations

import collections
import statistics
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from typing import Literal

from georapp.run_events import Alert, Step
from georapp.run_settings import Guards as Limits

Action = Literal["none", "pause", "stop"]

MUST_BE_FINITE = ("loss", "grad_norm", "reward", "kl", "entropy")  # a deviation of one answer is NaN by right
ENTROPY, KL = "entropy", "kl"  # TRL's names of what GRPO logs
NO_SIGNAL, CLIPPED = "frac_reward_zero_std", "completions/clipped_ratio"

SPOILED = frozenset({"nan"})  # guards after which the weights are worth no checkpoint: end without saving

_ROOM = 1.2  # times the least free room: then a disk counts as well again

_SMALLER_RATE = (
    "Lower grpo.learning_rate to a third or raise grpo.beta, and start again from the last checkpoint that answered well."
)


@dataclass(frozen=True, slots=True)
class _Check:
    """Of one guard. `wrong`: a sentence, or "" when all is well; `well`: what to say when it is over, "" when it cannot be."""

    guard: str
    action: Action
    hint: str
    wrong: Callable[[Step], str]
    well: Callable[[Step], str]


class Guards:
    """One stage's guards. `see` is given every step in order, `see_disk` the free room now and then.

    An alert comes when something begins to be wrong. When it was well for a whole window, that is said once, and only then may the
    alert come again. After a resume, `replay` the steps up to the checkpoint: the first steps are what later ones are compared with.
    """

    def __init__(self, limits: Limits | None = None) -> None:
        self._limits = limits or Limits()
        size = self._limits.window
        self._first: list[float] = []  # entropies
        self._last = {name: collections.deque[float](maxlen=size) for name in (ENTROPY, KL, NO_SIGNAL, CLIPPED)}
        self._entropies = 0
        self._open: dict[str, int] = {}  # what was said and is not over: for how many steps it has been well
        self._again: set[str] = set()  # said before a resume, and to be said again if it is still so
        self._checks = (
            _Check("nan", "pause", _NAN_HINT, _nan, _never),
            _Check("collapse", "stop", _COLLAPSE_HINT, self._collapse, self._weighs_again),
            _Check("drift", "stop", _DRIFT_HINT, self._drift, self._near_again),
            _Check("kl", "stop", _SMALLER_RATE, self._over_ceiling, self._calm_again),
            _Check("no signal", "none", _NO_SIGNAL_HINT, self._no_signal, self._signal_again),
            _Check("clipped", "none", _CLIPPED_HINT, self._clipped, self._whole_again),
        )

    def see(self, step: Step) -> tuple[Alert, ...]:
        """What is newly wrong after this step, and what is well again."""
        self._remember(step)
        alerts = (self._alert(check, step) for check in self._checks)
        return tuple(alert for alert in alerts if alert)

    def see_disk(self, free_bytes: float, step: int = 0) -> tuple[Alert, ...]:
        """`free_bytes`: on the disk of the run folder, as `shutil.disk_usage` says."""
        free_gb, floor = free_bytes / 1e9, self._limits.disk_gb
        reason = f"Only {free_gb:.1f} GB are free on the disk of this run, less than {floor:g}." if free_gb < floor else ""
        well = f"The disk of this run has room again: {free_gb:.1f} GB." if free_gb >= _ROOM * floor else ""
        check = _Check("disk", "pause", _DISK_HINT, lambda _: reason, lambda _: well)
        alert = self._alert(check, Step("", step, 0), patience=1)
        return (alert,) if alert else ()

    def replay(self, steps: Iterable[Step], *, unsettled: Collection[str] = ()) -> None:
        """Take in earlier steps without a word. `unsettled`: guards whose alert is not over. What is still wrong is said once more."""
        for step in steps:
            self._remember(step)
        self._open, self._again = dict.fromkeys(unsettled, 0), set(unsettled)

    def _remember(self, step: Step) -> None:
        for name, window in self._last.items():
            if (value := step.values.get(name)) is not None:
                window.append(value)
        entropy = step.values.get(ENTROPY)
        if entropy is not None:
            self._entropies += 1
            if len(self._first) < self._limits.window:
                self._first.append(entropy)

    def _alert(self, check: _Check, step: Step, *, patience: int = 0) -> Alert | None:
        guard = check.guard
        if reason := check.wrong(step):
            is_new = guard not in self._open or guard in self._again
            self._open[guard] = 0
            self._again.discard(guard)
            return Alert(guard, reason, check.hint, check.action if self._limits.act else "none", step.step) if is_new else None
        return self._over(check, step, patience or self._limits.window) if guard in self._open else None

    def _over(self, check: _Check, step: Step, patience: int) -> Alert | None:
        """Only after a while: a value near its threshold would otherwise say something at every step."""
        self._open[check.guard] += 1
        words = check.well(step)
        if self._open[check.guard] < patience or not words:
            return None
        del self._open[check.guard]
        self._again.discard(check.guard)
        return Alert(check.guard, words, _WELL_HINT, step=step.step, over=True)

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

    # ---- what to say when it is over ----

    def _weighs_again(self, _: Step) -> str:
        return self._said(ENTROPY, "The entropy is well again, {:.3g}: the model weighs several answers.")

    def _near_again(self, _: Step) -> str:
        return self._said(KL, "The model has come near the one before this stage again: its KL was {:.2g} in the last steps.")

    def _calm_again(self, _: Step) -> str:
        return f"The KL has been under its ceiling of {self._limits.kl_ceiling:g} for {self._limits.window} steps."

    def _signal_again(self, _: Step) -> str:
        return self._said(NO_SIGNAL, "Most groups teach something again: in {:.0%} of them all answers earned the same.")

    def _whole_again(self, _: Step) -> str:
        return self._said(CLIPPED, "Most answers end by themselves again: {:.0%} were cut off.")

    def _said(self, name: str, words: str) -> str:
        mean = self._mean(name)
        return "" if mean is None else words.format(mean)


def _nan(step: Step) -> str:
    odd = [name for name in step.not_finite if name in MUST_BE_FINITE]
    return f"At step {step.step} {' and '.join(odd)} {'is' if len(odd) == 1 else 'are'} no number any more." if odd else ""


def _never(_: Step) -> str:
    """Weights that are no number stay so, though a later value may look like one."""
    return ""


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
_WELL_HINT = "Nothing is to be done."
_DISK_HINT = "Make room: old checkpoints, other runs or models. Then let the run go on; it waits without losing anything."
