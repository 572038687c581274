"""Stage 1: supervised fine-tuning on the Chains of Region of the album, with TRL's SFTTrainer.

The loss counts the answer and its end token only (`examples.preview` shows which). Left in <run>/sft/model: the adapter, or the whole
model where all weights are trained.
"""

from __future__ import annotations

from pathlib import Path

from transformers import set_seed
from trl.trainer.sft_trainer import SFTTrainer

from training import changes, examples, loop
from training.arguments import for_sft
from training.base import load
from training.callback import Watch
from training.measuring import Measuring, Synced
from training.rows import Part, read_rows
from training.work import ALBUM, SFT, Work


def run(work: Work) -> None:
    """Begin or go on. Raises Stopped, RunError, DatasetError."""
    settings, folder = work.config.model, work.stage(SFT)
    rows = examples.present(read_rows(work.folder / ALBUM, Part.TRAIN), work)
    record = changes.record(work.config, SFT, rows=examples.digest(rows))
    start = loop.begin(work, SFT, record)
    set_seed(work.config.seed)  # a new adapter is random
    base = load(Path(settings.base), settings, trainable=True, checkpoint=start.path)
    measure = Measuring(work, SFT, base)
    watch = Watch(work, SFT, record, measure=measure, probe_every=work.config.sft.probe_every)
    trainer = SFTTrainer(
        model=base.model,
        processing_class=base.processor,
        args=for_sft(work.config, folder),
        train_dataset=examples.for_sft(base, rows, settings),
        data_collator=examples.collator(base),
        callbacks=[Synced(), watch],
    )
    loop.train(trainer, watch, start)
    loop.finish(work, SFT, record, photos=len(rows))
