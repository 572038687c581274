"""What speaks against training with a Python and its machine: packages, the card, and what settings ask of both."""

from __future__ import annotations

from collections.abc import Iterator

from georapp.errors import RunError
from georapp.run_fit import Reason
from georapp.run_settings import RunConfig
from georapp.run_time import Hours
from georapp.training_python import Gpu, TrainingPython, installation


def python_reasons(config: RunConfig, python: TrainingPython | RunError | None, hours: Hours | None) -> Iterator[Reason]:
    """The same that training would refuse, and warnings."""
    if python is None:
        yield Reason(
            "No GPU was asked yet: the Python that trains was not looked at.", "Wait until it has answered, or choose one."
        )
    elif isinstance(python, RunError):
        yield Reason(str(python), python.hint)
    else:
        yield from _package_reasons(config, python)
        yield from _card_reasons(config, python, hours)


def _package_reasons(config: RunConfig, python: TrainingPython) -> Iterator[Reason]:
    if not python.can_train:
        lacks = f": it lacks {', '.join(python.missing)}" if python.missing else ""
        commands = "; ".join(installation(python))
        hint = f"Install it: {commands}" if commands else "Choose another Python."
        yield Reason(f"The Python {python.path} cannot train{lacks}.", hint)
    for problem in python.problems:
        yield Reason(problem, "", False)
    if config.model.method == "qlora" and python.gpus and not python.has("bitsandbytes"):
        yield Reason(
            'model.method "qlora" cannot be used here: bitsandbytes is not installed.',
            f'Set model.method to "lora", or install it: {python.path} -m pip install bitsandbytes.',
        )
    if config.grpo.enabled and config.grpo.vllm != "off":
        yield from _vllm_reasons(config, python)


def _vllm_reasons(config: RunConfig, python: TrainingPython) -> Iterator[Reason]:
    grpo = config.grpo
    if not python.has("vllm"):
        hint = 'Install it beside torch, or set grpo.vllm to "off".'
        yield Reason(f'grpo.vllm is "{grpo.vllm}", and vLLM is not installed.', hint)
    host, _, port = grpo.vllm_server.rpartition(":")
    if grpo.vllm == "server" and not (host and port.isdigit()):
        yield Reason(f"grpo.vllm_server {grpo.vllm_server!r} is no host:port.", 'Write for example "127.0.0.1:8000".')
    yield Reason("With vLLM a run that was stopped does not go on with exactly the same numbers.", "", False)


def _card_reasons(config: RunConfig, python: TrainingPython, hours: Hours | None) -> Iterator[Reason]:
    if not python.gpus:
        yield from _without_card(config, hours)
        return
    first = python.gpus[0]
    if config.model.precision in ("auto", "bf16") and not first.bf16:
        yield _imitated(config, first)
    if len(python.gpus) > 1:
        sentence = f"{len(python.gpus)} cards are there; a run that is started here computes on {first.name} alone."
        hint = f"For all of them: torchrun --nproc-per-node {len(python.gpus)} -m training RUN_FOLDER, in a terminal."
        yield Reason(sentence, hint, False)


def _imitated(config: RunConfig, card: Gpu) -> Reason:
    """torch says of such cards that they know bf16, and training takes it."""
    sentence = (
        f'model.precision is "{config.model.precision}", which means bf16, and {card.name} only imitates that: it will be slow.'
    )
    return Reason(sentence, 'With model.precision = "fp16" it is fast; should the loss end in no number, take "fp32".', False)


def _without_card(config: RunConfig, hours: Hours | None) -> Iterator[Reason]:
    model = config.model
    if model.method == "qlora":
        hint = 'Set model.method to "lora".'
        yield Reason('model.method "qlora" cannot be used here: no GPU with CUDA is seen.', hint)
    if model.precision == "fp16":
        yield Reason('model.precision "fp16" needs a GPU with CUDA, and none is seen.', 'Set it to "auto" or "fp32".')
    long = f", for some {hours.low:,.0f} to {hours.high:,.0f} hours" if hours and hours.high >= 2 else ""
    yield Reason(
        f"No GPU with CUDA is seen: the processor will train{long}.",
        "It is possible with small models and few photos. For larger ones use a machine with a card.",
        False,
    )
