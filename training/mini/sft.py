"""Supervised fine-tuning on the Chains of Region of photos, with TRL."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from datasets import Dataset
from torch import Tensor
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from training.mini.corpus import RealExamples
from training.mini.decoder import RowsLlama
from training.mini.moved import MovedExamples
from training.mini.settings import Settings
from training.mini.vocabulary import Vocabulary

IGNORED = -100  # labels that the loss does not count


class Collator:
    """Rows {evidence, text} -> one padded batch; the loss counts the answer and its end token only."""

    def __init__(self, vocabulary: Vocabulary) -> None:
        self._vocabulary = vocabulary

    def __call__(self, rows: list[dict[str, Any]]) -> dict[str, Tensor]:
        """`evidence` [b, rows, FEATURES], `input_ids`, `attention_mask`, `labels` [b, t]."""
        evidence = torch.stack([torch.as_tensor(row["evidence"]) for row in rows])
        prompt = self._vocabulary.prompt(evidence.shape[1])
        answers = [[*self._vocabulary.ids(row["text"]), self._vocabulary.end] for row in rows]
        longest = len(prompt) + max(map(len, answers))
        ids = torch.full((len(rows), longest), self._vocabulary.pad)
        labels = torch.full((len(rows), longest), IGNORED)
        for i, answer in enumerate(answers):
            end = len(prompt) + len(answer)
            ids[i, :end] = torch.tensor(prompt + answer)
            labels[i, len(prompt) : end] = torch.tensor(answer)
        return {"input_ids": ids, "labels": labels, "attention_mask": (ids != self._vocabulary.pad).long(), "evidence": evidence}


def fine_tune(
    model: RowsLlama,
    vocabulary: Vocabulary,
    real: RealExamples,
    moved: MovedExamples,
    rows: Tensor,
    settings: Settings,
    folder: Path,
) -> list[dict[str, Any]]:
    """On the real examples `rows`, and half as many moved ones, so that names without photos are not forgotten; returns the log."""
    text = settings.text
    evidence, texts = moved.draw(len(rows) // 2)
    whole = torch.cat([real.evidence(rows), evidence]).numpy()
    data = Dataset.from_dict({"number": list(range(len(whole))), "text": [*real.texts(rows), *texts]})
    data = data.with_transform(lambda part: {"text": part["text"], "evidence": [whole[i] for i in part["number"]]})
    steps = text.sft_epochs * len(whole) // text.sft_batch
    arguments = _arguments(
        folder, settings, max_steps=steps, batch=text.sft_batch, rate=text.sft_rate, warm_up=min(50, steps // 10)
    )
    return _train(model, vocabulary, data, arguments)


def _arguments(folder: Path, settings: Settings, *, max_steps: int, batch: int, rate: float, warm_up: int) -> SFTConfig:
    return SFTConfig(
        output_dir=str(folder),
        max_steps=max_steps,
        per_device_train_batch_size=batch,
        learning_rate=rate,
        lr_scheduler_type="cosine",
        warmup_steps=warm_up,
        weight_decay=0.05,
        max_grad_norm=1.0,
        adam_beta2=0.98,
        seed=settings.seed,
        data_seed=settings.seed,
        bf16=False,
        use_cpu=True,
        activation_checkpointing=False,
        dataloader_pin_memory=False,
        remove_unused_columns=False,
        dataset_kwargs={"skip_prepare_dataset": True},
        max_length=None,
        save_strategy="no",
        logging_steps=25,
        report_to=[],
        disable_tqdm=True,
    )


def _train(model: RowsLlama, vocabulary: Vocabulary, data: Any, arguments: SFTConfig) -> list[dict[str, Any]]:
    trainer = SFTTrainer(
        model=model,
        args=arguments,
        train_dataset=data,
        processing_class=vocabulary.tokenizer,
        data_collator=Collator(vocabulary),
    )
    trainer.train()
    log: list[dict[str, Any]] = trainer.state.log_history
    return log
