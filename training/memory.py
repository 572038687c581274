"""What an error of the libraries means, in a sentence: above all too little memory, with the three settings that help."""

from __future__ import annotations

import torch

from georapp.errors import GeorappError, RunError
from georapp.run_settings import RunConfig

_NO_MEMORY = (
    "can't allocate memory",
    "not enough memory",
    "out of memory",
    "CUDNN_STATUS_ALLOC_FAILED",
    "CUBLAS_STATUS_ALLOC_FAILED",
)


def in_words(error: BaseException, config: RunConfig) -> GeorappError | None:
    """A sentence for a person; None for what is nobody's fault but ours."""
    if isinstance(error, GeorappError):
        return error
    if is_out_of_memory(error):
        return RunError(f"The memory {_of_what()} is not enough for these settings.", hint=_advice(config))
    if isinstance(error, OSError):
        where = f" ({error.filename})" if error.filename else ""
        return RunError(
            f"A file of the run could not be used{where}: {(error.strerror or str(error)).lower()}.",
            hint="Check the disk and start the run again: it goes on from its last checkpoint.",
        )
    return None


def is_out_of_memory(error: BaseException) -> bool:
    """CUDA says it by a class of its own, the CPU's allocator in words."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(sign in str(error) for sign in _NO_MEMORY)


def _of_what() -> str:
    if not torch.cuda.is_available():
        return "of this computer"
    properties = torch.cuda.get_device_properties(0)
    return f"of {properties.name} ({properties.total_memory / 2**30:.0f} GiB)"


def _advice(config: RunConfig) -> str:
    """The three settings that help most, with what they are now and what to try."""
    model, sft, grpo = config.model, config.sft, config.grpo
    lower = (
        f"1. sft.batch is {sft.batch} and grpo.batch is {grpo.batch}: halve them and double accumulate, which changes no result. "
        f"2. model.max_pixels is {model.max_pixels}: halve it. "
    )
    four_bits = 'model.method is "lora": "qlora" takes a third of the memory for the weights.'
    shorter = f"grpo.max_answer_tokens is {grpo.max_answer_tokens}: lower it, or take a smaller model."
    third = four_bits if model.method == "lora" and torch.cuda.is_available() else shorter
    return f"{lower}3. {third} Then start the run again: it goes on from its last checkpoint."
