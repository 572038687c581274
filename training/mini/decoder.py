"""The text model: a small Llama whose first words are rows made of the evidence."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from transformers import LlamaConfig, LlamaForCausalLM, LlamaModel

from training.mini.evidence import NUMBERS, SLOTS, WORD_FEATURES
from training.mini.settings import TextSettings
from training.mini.vocabulary import Vocabulary


class RowsBackbone(LlamaModel):
    """A Llama that takes `evidence` [b, rows, FEATURES] beside `input_ids`, which hold the vocabulary's row token once for each row.

    A row is a word's embedding plus what stands for the word before it, for the name above, for its slot and for its candidate's
    numbers. The word before is what an answer that is being copied has just written, so one layer of attention finds the word that
    comes next; by the name above a line goes on with the candidate of the line before.

    Rows are put in here and not in the causal model, because TRL calls the backbone by itself for its loss.
    """

    def __init__(self, config: LlamaConfig, row_token: int) -> None:
        super().__init__(config)
        self.before = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.above = nn.Linear(config.hidden_size, config.hidden_size, bias=False)
        self.slots = nn.Embedding(len(SLOTS), config.hidden_size)
        self.numbers = nn.Linear(NUMBERS, config.hidden_size)
        self.row_token = row_token

    def rows(self, evidence: Tensor) -> Tensor:
        """[b, rows, FEATURES] -> [b, rows, width]."""
        word, before, above, slot = evidence[..., :WORD_FEATURES].long().unbind(-1)
        table = self.get_input_embeddings()
        marks: Tensor = self.before(table(before)) + self.above(table(above)) + self.slots(slot)
        rows: Tensor = table(word) + marks + self.numbers(evidence[..., WORD_FEATURES:])
        return rows

    def with_rows(self, input_ids: Tensor, evidence: Tensor) -> Tensor:
        """Embeddings [b, t, width] with the rows in their places."""
        words: Tensor = self.get_input_embeddings()(input_ids)
        places = (input_ids == self.row_token).unsqueeze(-1)
        return words.masked_scatter(places, self.rows(evidence).to(words.dtype))

    def forward(
        self,
        input_ids: Tensor | None = None,
        evidence: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **rest: Any,
    ) -> Any:
        """As in transformers; with evidence the row tokens are replaced."""
        if evidence is not None and input_ids is not None:
            inputs_embeds = self.with_rows(input_ids, evidence)
            input_ids = None
        return super().forward(input_ids=input_ids, inputs_embeds=inputs_embeds, **rest)


class RowsLlama(LlamaForCausalLM):
    """The causal model on top of it."""

    def __init__(self, config: LlamaConfig, row_token: int) -> None:
        super().__init__(config)
        self.model = RowsBackbone(config, row_token)
        self.post_init()
        self.tie_weights()

    @torch.no_grad()
    def answers(
        self, vocabulary: Vocabulary, evidence: Tensor, *, samples: int = 1, temperature: float = 1.0, tokens: int = 96
    ) -> list[list[str]]:
        """`samples` answers for each of n photos; temperature 0 takes the most probable words."""
        self.eval()
        prompt = torch.tensor([vocabulary.prompt(evidence.shape[1])] * len(evidence))
        words = self.model.with_rows(prompt, evidence)
        how: dict[str, Any] = {"do_sample": False}
        if temperature > 0:
            how = {"do_sample": True, "temperature": temperature, "top_k": 0, "top_p": 1.0, "num_return_sequences": samples}
        generate: Any = getattr(self, "generate")  # noqa: B009 - its declared type does not fit its own class
        ids = generate(
            inputs_embeds=words,
            attention_mask=torch.ones(words.shape[:2], dtype=torch.long),
            max_new_tokens=tokens,
            pad_token_id=vocabulary.pad,
            eos_token_id=vocabulary.end,
            **how,
        )
        texts = [vocabulary.text(row) for row in ids.tolist()]
        each = len(texts) // len(evidence)
        return [texts[i * each : (i + 1) * each] for i in range(len(evidence))]


def build(settings: TextSettings, vocabulary: Vocabulary, *, seed: int) -> RowsLlama:
    """With random weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(vocabulary),
        hidden_size=settings.width,
        intermediate_size=settings.inner,
        num_hidden_layers=settings.layers,
        num_attention_heads=settings.heads,
        num_key_value_heads=settings.heads,
        max_position_embeddings=512,
        rms_norm_eps=1e-5,
        tie_word_embeddings=True,
        bos_token_id=vocabulary.user,
        eos_token_id=vocabulary.end,
        pad_token_id=vocabulary.pad,
        initializer_range=0.03,
    )
    return RowsLlama(config, vocabulary.row)
