"""The trainers' arguments, out of the settings of a run. Where TRL's default is another one, the reason stands beside it."""

from __future__ import annotations

import importlib.util
import os
from pathlib import Path
from typing import Any

import torch
from trl.trainer.grpo_config import GRPOConfig
from trl.trainer.sft_config import SFTConfig

from georapp.errors import RunError
from georapp.run_settings import Grpo, RunConfig, Sft
from training.base import precision
from training.launch_files import SERVER, server_of

SCRATCH = ".trainer"  # in a stage's folder: where transformers writes a checkpoint before it is sealed


def for_sft(config: RunConfig, folder: Path) -> SFTConfig:
    """Of stage 1, in its `folder`. Raises RunError."""
    sft = config.sft
    return SFTConfig(
        **_common(config, sft, folder),
        warmup_steps=sft.warmup_share,  # below 1 it is a share
        weight_decay=sft.weight_decay,
        max_length=None,  # truncation would cut the tokens of the photo
        completion_only_loss=True,
    )


def for_grpo(config: RunConfig, folder: Path, *, weights: list[float]) -> GRPOConfig:
    """Of stage 2. `weights`: of the reward functions. Raises RunError when vLLM is wanted and not installed."""
    grpo = config.grpo
    return GRPOConfig(
        **_common(config, grpo, folder),
        **_vllm(grpo),
        warmup_steps=grpo.warmup_steps,
        weight_decay=0.0,
        reward_weights=weights,
        beta=grpo.beta,
        loss_type=grpo.loss,
        scale_rewards=grpo.scale,
        epsilon=grpo.epsilon,
        num_generations=grpo.generations,
        num_iterations=grpo.iterations,
        steps_per_generation=(grpo.together or grpo.batch * grpo.accumulate) // grpo.batch,
        temperature=grpo.temperature,
        top_k=0,
        max_completion_length=grpo.max_answer_tokens,
        disable_dropout=True,  # or the policy would differ from its reference, and from itself, by chance
        use_bias_correction_kl=False,  # Geo-R's KL term is weighted by beta alone
        log_completions=False,
    )


def _common(config: RunConfig, stage: Sft | Grpo, folder: Path) -> dict[str, Any]:
    gpu, numbers = torch.cuda.is_available(), precision(config.model)
    return {
        "output_dir": str(folder / SCRATCH),
        "max_steps": stage.max_steps or -1,
        "num_train_epochs": stage.epochs,
        "learning_rate": stage.learning_rate,
        "lr_scheduler_type": "constant_with_warmup" if stage.schedule == "constant" else stage.schedule,
        "per_device_train_batch_size": stage.batch,
        "gradient_accumulation_steps": stage.accumulate,
        "max_grad_norm": 1.0,
        "seed": config.seed,
        "data_seed": config.seed,  # the order of the photos has a seed of its own
        "use_cpu": not gpu,
        "bf16": numbers is torch.bfloat16,  # TRL's default is True, on a CPU as well
        "fp16": numbers is torch.float16,
        "activation_checkpointing": gpu and config.model.checkpointing,
        "save_strategy": "steps",
        "save_steps": stage.save_every,
        "save_total_limit": None,  # training.checkpoints deletes, when the new one is sealed
        "logging_steps": 1,  # guards and charts see every step
        "logging_nan_inf_filter": False,  # or a loss that is no number would be logged as the one before
        "remove_unused_columns": False,  # columns go to the rewards, and photos are made of paths
        "dataloader_num_workers": 0,  # a resume must draw the same random numbers
        "dataloader_pin_memory": gpu,
        "report_to": [],
        "disable_tqdm": True,
    }


def _vllm(grpo: Grpo) -> dict[str, Any]:
    if grpo.vllm == "off":
        return {"use_vllm": False}
    if importlib.util.find_spec("vllm") is None:
        raise RunError(
            f'grpo.vllm is "{grpo.vllm}", and vLLM is not installed.', hint='Install it beside torch, or set grpo.vllm to "off".'
        )
    if grpo.vllm == "colocate":
        return {"use_vllm": True, "vllm_mode": "colocate", "vllm_gpu_memory_utilization": grpo.vllm_memory}
    host, port = server_of(os.environ.get(SERVER) or grpo.vllm_server)
    return {"use_vllm": True, "vllm_mode": "server", "vllm_server_host": host, "vllm_server_port": port}
