"""On how many machines and GPUs a run is trained, and how its model is shared out among them."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from georapp.errors import RunError
from georapp.run_settings import RunConfig

STRATEGIES = ("ddp", "zero2", "zero3", "fsdp2")
DEEPSPEED = ("zero2", "zero3")
SHARDED = ("zero3", "fsdp2")  # no process has a whole model


@dataclass(frozen=True, slots=True)
class Plan:
    """On what a run is to be trained, and how its model is shared out. Raises RunError for what cannot work, and says what to choose.

    `gpus`: of a machine. `serving`: GPUs for vLLM's server: of a single machine the last ones, of several a machine of their own.
    """

    run: Path
    config: RunConfig
    nodes: int = 1
    gpus: int = 1
    strategy: str = "ddp"
    serving: int = 0
    cpu: bool = False

    def __post_init__(self) -> None:
        for sentence, hint in self._conflicts():
            raise RunError(sentence, hint=hint)

    @property
    def each(self) -> int:
        """Processes that train on a machine."""
        return self.gpus - (self.serving if self.nodes == 1 else 0)

    @property
    def processes(self) -> int:
        """All that train."""
        return self.nodes * self.each

    def _conflicts(self) -> Iterator[tuple[str, str]]:
        server = self.config.grpo.vllm == "server" and self.config.grpo.enabled
        if self.strategy in SHARDED and self.config.model.method == "qlora":
            sentence = f'model.method "qlora" and {self.strategy} do not go together: weights of 4 bits cannot be shared out.'
            yield sentence, 'Choose --strategy ddp or zero2, or set model.method to "lora".'
        if self.cpu and self.strategy != "ddp":
            yield f"Without GPUs there is no {self.strategy}: accelerate would train as with ddp, and say nothing.", "Choose ddp."
        if server != bool(self.serving):
            sentence = f'grpo.vllm is "{self.config.grpo.vllm}", and {self.serving} GPUs are for its server.'
            yield sentence, 'Set grpo.vllm to "server" and give --vllm-gpus, or neither.'
        if self.each < 1:
            yield f"Of {self.gpus} GPUs {self.serving} are for vLLM's server, and none is left to train.", "Take fewer for it."
        if server and self.cpu:
            yield "vLLM's server needs a GPU.", 'Set grpo.vllm to "off".'

    def remarks(self) -> list[str]:
        """What a person should know before it starts, in sentences."""
        config, many = self.config, self.processes
        said = [
            f"A step of SFT has {config.sft.batch} x {config.sft.accumulate} x {many} = "
            f"{config.sft.batch * config.sft.accumulate * many:,} photos, one of GRPO {config.grpo.batch} x {config.grpo.accumulate} "
            f"x {many} = {config.grpo.batch * config.grpo.accumulate * many:,} answers: batch and accumulate count for each process."
        ]
        if many > 1 and config.sft.accumulate > 1:
            wanted = max(1, round(config.sft.accumulate / many))
            said.append(f"For about the same steps as with one GPU set sft.accumulate to {wanted}, before the run begins.")
        if self.nodes > 1:
            said.append("All machines must see the run folder, the photos and the model under the same paths.")
        if self.strategy in DEEPSPEED and importlib.util.find_spec("deepspeed") is None:
            said.append("DeepSpeed is not installed in this Python; the Python that trains needs it.")
        if self.strategy == "fsdp2" and config.model.method == "full":
            said.append(
                "With fsdp2 TRL 1.16 takes the gradient of an output layer that is not tied to the words from the photos of single "
                "processes, not from all; zero3 does not."
            )
        if many > 1 and config.hard.enabled:
            said.append(
                "Stage hard asks about all training photos with the first GPU alone: for a large album set hard.enabled = false."
            )
        if self.strategy in SHARDED:
            said.append("Stage hard and the export load the whole model on the first GPU.")
        if self.strategy in SHARDED and config.grpo.enabled and config.grpo.vllm == "off":
            said.append("Every token that is written gathers all weights: with GRPO vLLM's server is much faster.")
        return said
