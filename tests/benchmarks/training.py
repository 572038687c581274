"""Speed of the training, printed as a table: python tests/benchmarks/training.py [--rounds 4] [--steps 16] [--photos FOLDER]

SFT and GRPO of the pipeline beside plain scripts for TRL with the same model, settings, photos and random numbers, one step each in
turn; what messages cost; and how long a GPU would wait for photos (waiting.py). Nothing is asserted: ratios of one run tell more than
its seconds. Computing time is that of all threads of the process.
"""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))  # in front of this folder, whose file has the package's name
os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import contextlib
import statistics
import tempfile
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import datasets
import torch
import transformers
from PIL import Image
from trl.trainer.grpo_trainer import GRPOTrainer
from trl.trainer.sft_trainer import SFTTrainer

from georapp.prompt import profile_named
from georapp.run_events import RunEvent, Sample, Step
from georapp.run_settings import Grpo, Model, RunConfig, Sft
from tests.benchmarks.waiting import NEVER, camera_photos, say, starve
from tests.training.toy_world import PROFILE, SETTINGS, ToyWorld, is_known, run_of
from training import grpo, sft
from training.arguments import for_grpo, for_sft
from training.base import load
from training.callback import Watch
from training.report import EventWriter
from training.rewards import reward_functions, rule_of
from training.rows import Part
from training.samples import WatchedReward
from training.work import GRPO, SFT, Work

LORA = SETTINGS | {"method": "lora", "lora_rank": 4, "lora_alpha": 8, "freeze_vision": True}


# ---- steps of the pipeline and of a plain script ----


class Turns:
    """Lets two trainings of one process make a step each in turn, so that both meet the same moments of a busy machine."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._now, self._gone = "", set[str]()

    def take(self, me: str) -> None:
        """Wait for it. The first one to come begins."""
        with self._changed:
            self._now = self._now or me
            self._changed.wait_for(lambda: self._now == me or len(self._gone) == 1)

    def give(self, other: str) -> None:
        with self._changed:
            self._now = other
            self._changed.notify_all()

    def leave(self, me: str) -> None:
        with self._changed:
            self._gone.add(me)
            self._changed.notify_all()


@dataclass
class Marks:
    """Seconds of steps: by the clock, and of computing, that of all threads. Random numbers are each training's own."""

    turns: Turns
    me: str
    other: str
    wall: list[float] = field(default_factory=list)
    own: list[float] = field(default_factory=list)

    def begin(self) -> None:
        self.turns.take(self.me)
        self._began, self._computed = time.perf_counter(), time.process_time()

    def step_is_over(self) -> None:
        self.wall.append(time.perf_counter() - self._began)
        self.own.append(time.process_time() - self._computed)
        state = torch.get_rng_state()
        self.turns.give(self.other)
        self.begin()
        torch.set_rng_state(state)


class Marking(EventWriter):
    """The run's own messages, and when a step was said."""

    marks: Marks | None = None

    def write(self, event: RunEvent) -> None:
        super().write(event)
        if isinstance(event, Step) and self.marks:
            self.marks.step_is_over()


class MarkSteps(transformers.TrainerCallback):  # type: ignore[misc,unused-ignore]
    """For the plain script."""

    def __init__(self, marks: Marks) -> None:
        self._marks = marks

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **more: Any) -> None:
        if logs and "loss" in logs:
            self._marks.step_is_over()


def settings(base: Path, steps: int) -> RunConfig:
    seldom = {"save_every": NEVER, "probe_every": 0, "max_steps": steps, "learning_rate": 1e-5}
    return RunConfig(
        model=Model(base=str(base), **LORA),  # type: ignore[arg-type]
        sft=Sft(batch=4, accumulate=2, epochs=100, **seldom),  # type: ignore[arg-type]
        grpo=Grpo(batch=8, accumulate=2, generations=4, epochs=100, max_answer_tokens=64, **seldom),  # type: ignore[arg-type]
    )


def ours(stage: str, toy: ToyWorld, folder: Path, steps: int, marks: Marks) -> None:
    """As `python -m training` does it: events, guards, samples, checkpoints."""
    config, album = settings(toy.taught, steps), [row for row in toy.album if is_known(row) and row.part is Part.TRAIN]
    with run_of(folder, album, toy.taught, model=LORA, sft=config.sft, grpo=config.grpo) as work:
        work.events.close()
        with Marking(folder) as events:
            events.marks = marks
            {SFT: sft, GRPO: grpo}[stage].run(Work(folder, work.config, events))


def plain(stage: str, toy: ToyWorld, folder: Path, steps: int, marks: Marks) -> None:
    """As the documentation of TRL does it. The photos are brought to the size that the pipeline gives them."""
    config, album = settings(toy.taught, steps), [row for row in toy.album if is_known(row) and row.part is Part.TRAIN]
    transformers.set_seed(config.seed)
    base = load(toy.taught, config.model, trainable=True)
    question = profile_named(PROFILE).question
    asked = [{"role": "user", "content": question}]
    columns: dict[str, list[Any]] = {"path": [row.path for row in album], "prompt": [asked] * len(album)}
    common = {"model": base.model, "processing_class": base.processor, "callbacks": [MarkSteps(marks)]}
    trainer: Any
    if stage == SFT:
        columns |= {"completion": [[{"role": "assistant", "content": row.answer}] for row in album]}
        trainer = SFTTrainer(args=for_sft(config, folder), train_dataset=opened(columns, base.scaling.size), **common)
    else:
        columns |= {"lat": [row.lat for row in album], "lon": [row.lon for row in album]}
        functions, weights = reward_functions(rule_of(config.grpo))
        arguments, rows = for_grpo(config, folder, weights=weights), opened(columns, base.scaling.size)
        trainer = GRPOTrainer(args=arguments, reward_funcs=list[Any](functions), train_dataset=rows, **common)
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()


def opened(columns: dict[str, list[Any]], size: Callable[[int, int], tuple[int, int]]) -> datasets.Dataset:
    def transform(part: dict[str, list[Any]]) -> dict[str, list[Any]]:
        pictures = [Image.open(path).convert("RGB") for path in part["path"]]
        return part | {"images": [[picture.resize(size(*picture.size))] for picture in pictures]}

    return datasets.Dataset.from_dict(columns).with_transform(transform)


def compare(toy: ToyWorld, home: Path, rounds: int, steps: int) -> None:
    for stage in (SFT, GRPO):
        both: list[tuple[Marks, Marks]] = []
        with costs() as cost:
            for number in range(rounds):
                both.append(race(stage, toy, home / f"{stage}-{number}", steps))
        ratios = [b / a for mine, other in both for a, b in zip(mine.own[1:], other.own[1:], strict=True)]
        clock = [b / a for mine, other in both for a, b in zip(mine.wall[1:], other.wall[1:], strict=True)]
        low, middle, high = statistics.quantiles(ratios)
        say(
            f"{stage}: steps/s against plain TRL",
            f"{middle:.3f} (half of the steps {low:.2f} to {high:.2f}), by the clock {statistics.median(clock):.3f}",
        )
        mine, other = (statistics.median(step for pair in both for step in pair[n].own[1:]) for n in (0, 1))
        say(f"{stage}: a step computes", f"{mine * 1000:.0f} ms, plain {other * 1000:.0f} ms")
        share = sum(cost.values()) / sum(sum(mine.own) for mine, _ in both)
        parts = ", ".join(f"{name} {1000 * spent / (rounds * steps):.2f} ms" for name, spent in cost.items())
        say(f"{stage}: events, guards and samples", f"{100 * share:.2f} % of a step ({parts})")


def race(stage: str, toy: ToyWorld, folder: Path, steps: int) -> tuple[Marks, Marks]:
    """Both at once, a step each in turn: (pipeline, plain script)."""
    turns = Turns()
    found = Marks(turns, "ours", "plain"), Marks(turns, "plain", "ours")

    def run(make: Callable[..., None], marks: Marks) -> None:
        marks.begin()
        try:
            make(stage, toy, folder.with_name(f"{folder.name}-{marks.me}"), steps, marks)
        finally:
            turns.leave(marks.me)

    with ThreadPoolExecutor(2) as pool:
        for racer in [pool.submit(run, make, marks) for make, marks in zip((ours, plain), found, strict=True)]:
            racer.result()
    return found


@contextlib.contextmanager
def costs() -> Iterator[dict[str, float]]:
    """Computing time inside what the pipeline does beside the steps, by name."""
    spent = {"after a step": 0.0, "samples": 0.0}
    log, samples, write = Watch.on_log, WatchedReward.samples, EventWriter.write

    def timed(name: str, function: Callable[..., Any], wanted: Callable[..., bool]) -> Callable[..., Any]:
        def call(*arguments: Any, **more: Any) -> Any:
            start = time.thread_time()
            found = function(*arguments, **more)
            spent[name] += (time.thread_time() - start) * wanted(*arguments)
            return found

        return call

    changed: Any = (Watch, WatchedReward, EventWriter)
    changed[0].on_log = timed("after a step", log, lambda *_: True)
    changed[1].samples = timed("samples", samples, lambda *_: True)
    changed[2].write = timed("samples", write, lambda _, event: isinstance(event, Sample))
    try:
        yield spent
    finally:
        changed[0].on_log, changed[1].samples, changed[2].write = log, samples, write


def main() -> None:
    """All of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=4, help="of both trainers")
    parser.add_argument("--steps", type=int, default=16, help="of a round")
    parser.add_argument("--photos", type=Path, default=os.environ.get("GEORAPP_PHOTOS"), help="a folder of real ones")
    options = parser.parse_args()
    torch.set_num_threads(1)
    transformers.utils.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    transformers.utils.logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    datasets.disable_progress_bars()
    warnings.filterwarnings("ignore")
    with tempfile.TemporaryDirectory() as name:
        home = Path(name)
        toy = ToyWorld.make(home / "toy")
        compare(toy, home, options.rounds, options.steps)
        starve(camera_photos(home / "camera"), toy, home, "12 MP")
        if options.photos:
            found = sorted(
                path for path in Path(options.photos).rglob("*") if path.suffix.lower() in (".jpg", ".jpeg", ".png", ".webp")
            )
            starve(found[:64], toy, home, "real photos")


if __name__ == "__main__":
    main()
