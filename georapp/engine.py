"""Who answers: a text model with an image tower. One photo is encoded and read once; k answers share that work.

    with Engine.open(files, options) as engine:
        answer = engine.answer(prompt, [pixels], samples=8, sampling=Sampling(temperature=1.0))

One thread calls `answer`; only `engine.stop.set()` may come from another.
"""

from __future__ import annotations

import codecs
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType

from georapp.errors import ModelError
from georapp.network import Pixels
from georapp.sampler import Sampler, Sampling
from georapp.stop_flag import StopFlag
from georapp.text_model import Row, TextModel, gpu_possible
from georapp.tower import ImagePart, MtmdTower, OnnxTower, TextPart, Tower

OnText = Callable[[int, str], None]  # sequence, piece


@dataclass(frozen=True, slots=True)
class EngineFiles:
    """What is loaded. `image` is an mmproj (.gguf) or a tower (.onnx); without it there is only text."""

    text: Path
    image: Path | None = None
    adapters: tuple[tuple[Path, float], ...] = ()


@dataclass(frozen=True, slots=True)
class EngineOptions:
    """`threads` 0: all cores that this process may use, 8 at most. `gpu_layers` -1: all, if this build of llama.cpp can."""

    threads: int = 0
    gpu_layers: int = -1
    context: int = 4096
    max_samples: int = 16
    max_image_tokens: int = 0

    @property
    def cores(self) -> int:
        """The number of threads to use."""
        available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
        return self.threads or max(1, min(8, available))


@dataclass(slots=True)
class Timings:
    """Seconds and tokens of one answer."""

    image_s: float = 0.0  # the image tower alone
    prompt_tokens: int = 0  # positions of the whole prompt, photo included
    reused_tokens: int = 0  # of these, kept from the answer before
    prefill_s: float = 0.0  # reading the new part of the prompt
    first_token_s: float = 0.0  # from the call to the first token
    tokens: int = 0  # written, all samples together
    generate_s: float = 0.0


@dataclass(slots=True)
class Answer:
    """The texts of all samples; `finished` tells which ended by themselves and were not cut off."""

    texts: list[str]
    tokens: list[list[int]]
    finished: list[bool]
    timings: Timings = field(default_factory=Timings)


class Engine:
    """See the module. Close it, or use it in a with-block."""

    def __init__(self, text: TextModel, tower: Tower | None, stop: StopFlag, *, begin: bool = False) -> None:
        self.text, self.tower, self.stop, self._begin = text, tower, stop, begin
        self._past: list[tuple[object, int]] = []  # what sequence 0 holds: (token id or image key, positions)
        self._rows = 0  # cells of the memory that the last prompt fills; with M-RoPE more than it has positions

    @classmethod
    def open(cls, files: EngineFiles, options: EngineOptions = EngineOptions(), *, begin: bool = False) -> Engine:
        """Load everything. `begin`: prompts start with the model's BOS token. Raises ModelError."""
        stop = StopFlag()
        layers = options.gpu_layers if gpu_possible() else 0
        text = TextModel(
            files.text,
            stop,
            threads=options.cores,
            context=options.context,
            gpu_layers=999 if layers < 0 else layers,
            sequences=options.max_samples,
        )
        try:
            tower = _tower(files.image, text, options) if files.image else None
            if files.adapters:
                text.set_adapters(files.adapters)
        except BaseException:
            text.close()
            raise
        return cls(text, tower, stop, begin=begin)

    def __enter__(self) -> Engine:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Give everything back. May be called twice."""
        if self.tower:
            self.tower.close()
        self.text.close()

    def forget(self) -> None:
        """Forget the last prompt, so that the next one is read from its beginning."""
        self.text.forget()
        self._past = []

    def answer(
        self,
        prompt: str,
        photos: Sequence[Pixels] = (),
        *,
        samples: int = 1,
        max_tokens: int = 128,
        sampling: Sampling = Sampling(),  # noqa: B008 - frozen
        seed: int = 0,
        on_text: OnText | None = None,
    ) -> Answer:
        """`samples` answers to one prompt. Sample i draws with seed + i: the same call gives the same answers.

        `on_text` is called with every piece as it is written, whole characters only. Raises Stopped, ModelError.
        """
        if not 1 <= samples <= self.text.sequences:
            raise ModelError(f"Between 1 and {self.text.sequences} samples are possible, not {samples}.")
        timings, start = Timings(), time.perf_counter()
        writers: list[_Writer] = []
        try:
            self._read_prompt(prompt, photos, timings)
            self._check_room(self._rows, samples, max_tokens)
            for i in range(samples):
                writers.append(_Writer(self.text, Sampler(self.text, sampling, seed + i), i, on_text))
            began = time.perf_counter()
            self._write(writers, timings, max_tokens, start)
            timings.generate_s = time.perf_counter() - began
            self._drop_answers(timings.prompt_tokens, samples)
        except BaseException:
            self.forget()  # stopped or failed: what the memory holds is not known
            raise
        finally:
            for writer in writers:
                writer.sampler.close()
        timings.tokens = sum(len(writer.tokens) for writer in writers)
        return Answer([w.text for w in writers], [w.tokens for w in writers], [w.finished for w in writers], timings)

    def _check_room(self, prompt: int, samples: int, max_tokens: int) -> None:
        if prompt + samples * max_tokens > self.text.n_context:
            raise ModelError(
                f"A prompt of {prompt} tokens and {samples} answers of up to {max_tokens} do not fit a context of {self.text.n_context}.",
                hint="Ask for fewer samples or a larger context.",
            )

    # ---- the prompt: read into sequence 0, keeping what the last prompt had in common ----

    def _read_prompt(self, prompt: str, photos: Sequence[Pixels], timings: Timings) -> None:
        if not self.tower:
            if photos:
                raise ModelError(
                    "This model has no image part and cannot see photos.", hint="Import it together with its mmproj file."
                )
            self._read_parts([TextPart(self.text.tokenize(prompt, begin=self._begin))], timings)
            return
        with self.tower.split(prompt, photos, begin=self._begin) as parts:
            self._read_parts(parts, timings)

    def _read_parts(self, parts: Sequence[TextPart | ImagePart], timings: Timings) -> None:
        keys = [_key(part) for part in parts]
        keep = self._keep(keys)
        self._rows = sum(part.rows if isinstance(part, ImagePart) else len(part.tokens) for part in parts)
        timings.prompt_tokens = sum(positions for _, positions in keys)
        timings.reused_tokens = position = sum(positions for _, positions in keys[:keep])
        for number in range(keep, len(parts)):
            position = self._read_part(parts[number], position, timings, logits=number == len(parts) - 1)
        self._past = keys

    def _read_part(self, part: TextPart | ImagePart, position: int, timings: Timings, *, logits: bool) -> int:
        if isinstance(part, ImagePart) and self.tower:
            start = time.perf_counter()
            rows = self.tower.encode(part)
            middle = time.perf_counter()
            after = self.tower.feed(part, rows, position)
            timings.image_s += middle - start
            timings.prefill_s += time.perf_counter() - middle
            return after
        assert isinstance(part, TextPart)
        start = time.perf_counter()
        self.text.decode_tokens(part.tokens, position, logits=logits)
        timings.prefill_s += time.perf_counter() - start
        return position + len(part.tokens)

    def _keep(self, keys: list[tuple[object, int]]) -> int:
        """Cut the memory back to the longest common beginning and say how many parts stay. The last one is always read again, because
        its logits are needed; whole, because a shorter batch rounds otherwise, and the same seed would give another answer."""
        keep = 0
        while keep < min(len(keys) - 1, len(self._past)) and keys[keep] == self._past[keep]:
            keep += 1
        self._past = keys[:keep]
        if not self.text.cut(0, sum(positions for _, positions in self._past)):
            self.forget()
            return 0
        return keep

    # ---- the answers ----

    def _write(self, writers: list[_Writer], timings: Timings, max_tokens: int, start: float) -> None:
        alive = writers
        for step in range(max_tokens):
            alive = [writer for writer in alive if writer.step()]
            if step == 0:
                timings.first_token_s = time.perf_counter() - start
                for writer in alive:  # only now: all first tokens were drawn from the one row of the prompt
                    if writer.sequence:
                        self.text.share(0, writer.sequence, timings.prompt_tokens)
            if not alive or step == max_tokens - 1:
                break
            rows: list[Row] = []
            for row, writer in enumerate(alive):
                writer.row = row
                rows.append((writer.tokens[-1], timings.prompt_tokens + step, writer.sequence, True))
            self.text.decode(rows)

    def _drop_answers(self, prompt_tokens: int, samples: int) -> None:
        for sequence in range(1, samples):
            self.text.cut(sequence, -1)
        if not self.text.cut(0, prompt_tokens):
            self.forget()


class _Writer:
    """One answer while it is written."""

    def __init__(self, model: TextModel, sampler: Sampler, sequence: int, on_text: OnText | None) -> None:
        self.model, self.sampler, self.sequence, self._on_text = model, sampler, sequence, on_text
        self.row = -1  # the prompt's last row
        self.text, self.tokens, self.finished = "", list[int](), False
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")

    def step(self) -> bool:
        """Draw one token. False when the answer has ended."""
        token = self.sampler.draw(self.row)
        self.finished = self.model.ends(token)
        if not self.finished:
            self.tokens.append(token)
        piece = self._decoder.decode(b"" if self.finished else self.model.piece(token), final=self.finished)
        self.text += piece
        if piece and self._on_text:
            self._on_text(self.sequence, piece)
        return not self.finished


def _key(part: TextPart | ImagePart) -> tuple[object, int]:
    """What a part is known by, and how many positions it takes."""
    return (part.key, part.positions) if isinstance(part, ImagePart) else (tuple(part.tokens), len(part.tokens))


def _tower(path: Path, text: TextModel, options: EngineOptions) -> Tower:
    if path.suffix.lower() == ".onnx":
        return OnnxTower(path, text)
    return MtmdTower(path, text, max_tokens=options.max_image_tokens)
