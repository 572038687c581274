"""python fsdp_on_cpu.py RUN_FOLDER: a run with FSDP2 on processors, which torch can do, and accelerate passes over in silence.

Nothing of the training is changed by this. Two gaps are closed: accelerate takes FSDP for GPUs alone; and on a processor torch hands
out gathered weights before they have come, where on a GPU copying them to the processor's memory waits for them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch.distributed.checkpoint.state_dict as states
from accelerate.state import AcceleratorState
from accelerate.utils import DistributedType
from torch.distributed._functional_collectives import AsyncCollectiveTensor
from torch.utils._pytree import tree_map

from training.__main__ import main

_begin: Any = AcceleratorState.__init__


def begin(self: Any, *arguments: Any, fsdp_plugin: Any = None, **more: Any) -> None:
    """As accelerate does it for GPUs."""
    _begin(self, *arguments, fsdp_plugin=fsdp_plugin, **more)
    self.fsdp_plugin = fsdp_plugin or getattr(self, "fsdp_plugin", None)
    if self.fsdp_plugin:
        self.distributed_type = DistributedType.FSDP


def waiting(get: Callable[..., Any]) -> Callable[..., Any]:
    """What it returns, when it is there."""

    def got(*arguments: Any, **more: Any) -> Any:
        return tree_map(lambda one: one.wait() if isinstance(one, AsyncCollectiveTensor) else one, get(*arguments, **more))

    return got


if __name__ == "__main__":
    setattr(AcceleratorState, "__init__", begin)  # noqa: B010
    for name in ("get_model_state_dict", "get_optimizer_state_dict"):
        setattr(states, name, waiting(getattr(states, name)))
    sys.exit(main(sys.argv[1:]))
