"""Reads the photos of the next step while this one is computed, so that the GPU does not wait for them.

The batches come from the trainer's own iterator, in their order, out of one thread: numbers are those of a run that reads nothing
ahead. The first batches of an epoch are read by the trainer's own thread, because its random numbers are drawn there.
"""

from __future__ import annotations

import itertools
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any

import torch

BatchSamples = Callable[[Iterator[Any], int, Any], tuple[list[Any], Any]]  # transformers' Trainer.get_batch_samples


class Ahead:
    """In the place of a trainer's `get_batch_samples`, for one training. `waited_s`: seconds for which batches were waited for."""

    def __init__(self, ordinary: BatchSamples) -> None:
        self._ordinary = ordinary
        self._source: Iterator[Any] | None = None
        self._ready: deque[Any] = deque()
        self._coming: Future[list[Any]] | None = None
        self._over = threading.Event()
        self._pool = ThreadPoolExecutor(1, "next step", _use_device, (_device(),))
        self.waited_s = 0.0

    def __call__(self, source: Iterator[Any], count: int, device: Any) -> tuple[list[Any], Any]:
        """The batches of a step, fewer at the end of an epoch. Raises what reading them raised, at the step that needs them."""
        began = time.perf_counter()
        self._receive(source, count)
        found = [self._ready.popleft() for _ in range(min(count, len(self._ready)))]
        self.waited_s += time.perf_counter() - began
        self._coming = self._pool.submit(self._read, source, count)
        return self._ordinary(iter(found), count, device)

    def _receive(self, source: Iterator[Any], count: int) -> None:
        if source is not self._source:
            self._drop()
            self._source = source
        if coming := self._coming:
            self._coming = None
            self._ready.extend(coming.result())
        if len(self._ready) < count:
            self._ready.extend(self._read(source, count - len(self._ready)))

    def _read(self, source: Iterator[Any], count: int) -> list[Any]:
        wanted = itertools.takewhile(lambda _: not self._over.is_set(), range(count))
        return [batch for _, batch in zip(wanted, source, strict=False)]

    def _drop(self) -> None:
        """What was read ahead of an epoch that is over."""
        if self._coming:
            self._coming.exception()
        self._coming, self._ready = None, deque()

    def __enter__(self) -> Ahead:
        return self

    def __exit__(self, _type: type[BaseException] | None, _error: BaseException | None, _traceback: TracebackType | None) -> None:
        """Waits for the batch that is being read."""
        self._over.set()
        self._pool.shutdown(cancel_futures=True)


def _device() -> int | None:
    return torch.cuda.current_device() if torch.cuda.is_available() else None


def _use_device(number: int | None) -> None:
    """A new thread would begin with the first GPU, and take memory there."""
    if number is not None:
        torch.cuda.set_device(number)
