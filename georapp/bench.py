"""Speed and memory on this machine. What matters are ratios of things that were measured in turn in one run: machines drift."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import llama_cpp.llama_cpp as llama

from georapp import events, photo
from georapp.engine import Engine, EngineOptions
from georapp.locate import Locator, Request
from georapp.models import Model
from georapp.prediction import Prediction
from georapp.sampler import Sampler, Sampling
from georapp.supervisor import Supervisor

TOKENS = 64  # of a measured answer, or of several short ones together
PROMPT = "Europe. "


@dataclass(frozen=True, slots=True)
class Figure:
    """A median of several rounds, with the smallest and largest. `wanted`: what the project promises, as text."""

    name: str
    value: float
    low: float
    high: float
    unit: str
    wanted: str = ""


def measure(model: Model, path: Path, *, threads: int = 0, rounds: int = 7) -> Iterator[Figure]:
    """All figures for a model and a photo. Raises PhotoError, ModelError."""
    options = EngineOptions(threads=threads, context=model.context, max_samples=max(8, model.samples))
    picture = photo.read(path)
    with Locator.open(model, options) as locator:
        yield _ratio("engine, share of a bare llama.cpp loop", _engine_ratios(locator.engine, rounds), wanted="at least 0.95")
        yield _ratio("8 answers, times 1 answer, photo included", _batch_ratios(locator, picture, rounds), wanted="at most 2.0")
        timings = [_fresh(locator, picture).timing for _ in range(rounds)]
        yield _figure("image tower", [t.image_s * 1000 for t in timings], "ms")
        yield _figure("first word", [t.first_token_s * 1000 for t in timings], "ms")
        yield _figure("all samples together", [t.tokens_per_s for t in timings], "tokens/s")
    yield from _whole_program(model, path, threads, rounds)
    yield _figure("georapp --help", [_help_seconds() for _ in range(rounds)], "s", "at most 0.5")


def _ratio(name: str, values: list[float], wanted: str) -> Figure:
    return _figure(name, values, "×", wanted)


def _figure(name: str, values: list[float], unit: str, wanted: str = "") -> Figure:
    return Figure(name, statistics.median(values), min(values), max(values), unit, wanted)


# ---- the engine beside the plainest loop that can answer ----


def _engine_ratios(engine: Engine, rounds: int) -> list[float]:
    """Tokens a second of the engine by those of a loop that only decodes and takes the most probable token, pair by pair."""
    for _ in range(2):  # the first rounds of both warm up
        _token_seconds(_bare_answer, engine), _token_seconds(_engine_answer, engine)
    return [_token_seconds(_bare_answer, engine) / _token_seconds(_engine_answer, engine) for _ in range(max(rounds, 15))]


def _token_seconds(answer: Callable[[Engine], tuple[int, float]], engine: Engine) -> float:
    """Seconds a token. A model without a photo may end after two of them, so as many answers are written as it takes."""
    written, seconds = 0, 0.0
    while written < TOKENS:
        tokens, more = answer(engine)
        written, seconds = written + max(1, tokens), seconds + more
    return seconds / written


def _engine_answer(engine: Engine) -> tuple[int, float]:
    """Tokens, and seconds from the first draw to the last."""
    engine.forget()
    timings = engine.answer(PROMPT, max_tokens=TOKENS).timings
    return timings.tokens, timings.generate_s


def _bare_answer(engine: Engine) -> tuple[int, float]:
    """The same draws and decodes and nothing else."""
    engine.forget()
    engine.answer(PROMPT, max_tokens=0)  # only reads the prompt
    _, context = engine.text.handles
    sampler = Sampler(engine.text, Sampling(), 0)
    start, written = time.perf_counter(), 0
    one = (llama.llama_token * 1)(sampler.draw(-1))
    while not engine.text.ends(one[0]):
        written += 1
        if written == TOKENS:
            break
        llama.llama_decode(context, llama.llama_batch_get_one(one, 1))
        one[0] = sampler.draw(-1)
    seconds = time.perf_counter() - start
    sampler.close()
    return written, seconds


# ---- answers to a photo ----


def _fresh(locator: Locator, picture: photo.Photo, samples: int | None = None) -> Prediction:
    locator.engine.forget()
    return locator.locate(picture, Request(samples=samples, temperature=1.0))


def _batch_ratios(locator: Locator, picture: photo.Photo, rounds: int) -> list[float]:
    def seconds(samples: int) -> float:
        start = time.perf_counter()
        _fresh(locator, picture, samples)
        return time.perf_counter() - start

    seconds(8), seconds(1)
    return [seconds(8) / seconds(1) for _ in range(rounds)]


# ---- the whole program ----


def _whole_program(model: Model, path: Path, threads: int, rounds: int) -> Iterator[Figure]:
    loads, answers, memory, encoder_stops, text_stops = [], [], [], [], []
    for _ in range(min(3, rounds)):
        with Supervisor(events.Load(str(model.folder), threads=threads)) as supervisor:
            loads.append(_seconds(supervisor.start))
            encoder_stops.append(_stop_seconds(supervisor, path, events.Began))  # first, while the photo is not remembered
            text_stops.append(_stop_seconds(supervisor, path, events.Text))
            for _ in range(3):
                answers.append(_seconds(lambda: list(supervisor.locate(path))))
            memory.append(_peak_mb(supervisor.pid))
    yield _figure("worker started and model loaded", loads, "s", "at most 3")
    yield _figure("one photo, default samples", answers, "s", "at most 3")
    yield _figure("stopped while the photo is encoded", encoder_stops, "s", "at most 2")
    yield _figure("stopped while the answer is written", text_stops, "s", "at most 0.2")
    yield _figure("peak memory of the worker", memory, "MB", "at most 1,500")


def _stop_seconds(supervisor: Supervisor, path: Path, when: type[events.Began | events.Text]) -> float:
    """From asking for the end of a photo, at its first event of a kind, until it has ended."""
    asked = 0.0
    for event in supervisor.locate(path):
        if not asked and isinstance(event, when):
            asked = time.perf_counter()
            supervisor.stop(event.photo)
    return time.perf_counter() - asked


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def _peak_mb(pid: int | None) -> float:
    """Largest resident memory so far; 0 where the system does not say."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text("ascii").splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1000 for line in lines if line.startswith("VmHWM")), 0.0)


def _help_seconds() -> float:
    return _seconds(lambda: subprocess.run([sys.executable, "-m", "georapp", "--help"], check=True, capture_output=True))
