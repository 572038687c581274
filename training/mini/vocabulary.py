"""A byte-level vocabulary of its own, made from the names and numbers that the text model has to write."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import transformers as hf
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from georapp.prompt import PROFILES

PAD, USER, ASSISTANT, END, ROW = "<|pad|>", "<|user|>", "<|assistant|>", "<|end|>", "<|row|>"
SPECIAL = [PAD, USER, ASSISTANT, END, ROW]
QUESTION = PROFILES["mini"].question
CHAT_TEMPLATE = (
    "{%- for message in messages -%}{%- if message['role'] == 'user' -%}{{- '" + USER + "' -}}"
    "{%- if message['content'] is string -%}{{- message['content'] -}}{%- else -%}{%- for part in message['content'] -%}"
    "{%- if part['type'] == 'image' -%}{{- '<__media__>\\n' -}}{%- else -%}{{- part['text'] -}}{%- endif -%}{%- endfor -%}{%- endif -%}"
    "{%- endif -%}{%- endfor -%}{%- if add_generation_prompt -%}{{- '" + ASSISTANT + "' -}}{%- endif -%}"
)


class Vocabulary:
    """Words <-> ids. Cut as SmolLM2 does, each digit by itself, so that llama.cpp cuts alike."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer = tokenizer
        self.pad, self.user, self.assistant, self.end, self.row = (tokenizer.convert_tokens_to_ids(word) for word in SPECIAL)

    def __len__(self) -> int:
        return len(self.tokenizer)

    def ids(self, text: str) -> list[int]:
        """Without any special token around."""
        ids: list[int] = self.tokenizer.encode(text, add_special_tokens=False)
        return ids

    def text(self, ids: list[int]) -> str:
        """Up to the end token; special tokens left out."""
        if self.end in ids:
            ids = ids[: ids.index(self.end)]
        text: str = self.tokenizer.decode(ids, skip_special_tokens=True)
        return text

    def prompt(self, rows: int) -> list[int]:
        """What stands before an answer. The pieces around the rows are cut apart, as the app cuts them around a photo."""
        return [self.user, *[self.row] * rows, *self.ids(f"\n{QUESTION}"), self.assistant]

    def save(self, folder: Path) -> None:
        """tokenizer.json and its settings."""
        self.tokenizer.save_pretrained(folder)


def make_vocabulary(texts: Iterable[str], size: int) -> Vocabulary:
    """Byte pairs merged by how often they occur in `texts`."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)]
    )
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=SPECIAL, initial_alphabet=alphabet, show_progress=False)
    tokenizer.train_from_iterator([*texts, f"\n{QUESTION}"], trainer)
    return Vocabulary(_wrapped(tokenizer))


def load_vocabulary(folder: Path) -> Vocabulary:
    """As saved."""
    return Vocabulary(_wrapped(Tokenizer.from_file(str(folder / "tokenizer.json"))))


def _wrapped(tokenizer: Tokenizer) -> Any:
    whole: Any = hf.PreTrainedTokenizerFast
    wrapped = whole(tokenizer_object=tokenizer, pad_token=PAD, bos_token=USER, eos_token=END)
    wrapped.chat_template = CHAT_TEMPLATE
    return wrapped
