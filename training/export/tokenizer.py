"""tokenizer.json -> the vocabulary inside a GGUF. Only byte-level BPE, which all families here use."""

from __future__ import annotations

import re
from typing import Any

import gguf

from georapp.errors import ModelError
from training.export.folder import ModelFolder, Settings, read_json

# llama.cpp does not read the rule by which text is cut into words, it knows rules by name. A wrong name gives other tokens and no
# error, so the rule is recognised by its text and an unknown one is refused.
_QWEN2 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_LLAMA3 = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
_RULES = {
    ("digits", "bytes+words"): "smollm",
    ("bytes+words",): "gpt-2",
    (_QWEN2, "bytes"): "qwen2",
    (_LLAMA3, "bytes"): "llama-bpe",
}
_MERGES_IGNORED = {"llama-bpe"}  # whole words of the vocabulary are taken before any merge


def add_tokenizer(keys: gguf.GGUFWriter, folder: ModelFolder) -> None:
    """Words, their types, merges, special ids and the chat template. Raises ModelError for a tokenizer that llama.cpp cannot follow."""
    data, settings = read_json(folder.path / "tokenizer.json"), read_json(folder.path / "tokenizer_config.json")
    if not data:
        raise ModelError(
            f"{folder.path} holds no tokenizer.json.", hint="Save the tokenizer with transformers once; it writes that file."
        )
    rows = int(folder.text["vocab_size"])
    words, kinds = _words(data, rows)
    keys.add_tokenizer_model("gpt2")  # byte-level BPE
    keys.add_tokenizer_pre(word_rule(data))
    keys.add_token_list([words[i] for i in range(rows)])
    keys.add_token_types([kinds[i] for i in range(rows)])
    keys.add_token_merges([_merge(merge) for merge in data["model"]["merges"]])
    _add_roles(keys, folder, settings, {word: i for i, word in words.items()})
    keys.add_add_bos_token(False)  # the chat template writes it out
    keys.add_add_space_prefix(False)
    template = chat_template(folder)
    if template:
        keys.add_chat_template(template)


def word_rule(data: Settings) -> str:
    """llama.cpp's name for the rule by which this tokenizer.json cuts text into words. Raises ModelError."""
    model = data["model"]
    if model.get("type") != "BPE" or model.get("byte_fallback"):
        raise ModelError("This tokenizer is not byte-level BPE and cannot be exported.")
    if (data.get("normalizer") or {}).get("type") not in (None, "NFC"):
        raise ModelError("This tokenizer changes its text before it reads it; llama.cpp would not.")
    rule = _RULES.get(tuple(_steps(data.get("pre_tokenizer") or {})))
    if rule is None or (rule in _MERGES_IGNORED) != bool(model.get("ignore_merges")):
        raise ModelError(
            "This tokenizer cuts text into words in an unknown way.", hint="Known are those of GPT-2, SmolLM2, Llama 3 and Qwen2."
        )
    return rule


def _steps(rule: Settings) -> list[str]:
    kind = rule.get("type")
    if kind == "Sequence":
        return [step for part in rule["pretokenizers"] for step in _steps(part)]
    if kind == "Digits" and rule.get("individual_digits"):
        return ["digits"]
    if kind == "Split" and rule.get("behavior") == "Isolated" and not rule.get("invert"):
        return [str(rule["pattern"].get("Regex"))]
    if kind == "ByteLevel" and not rule.get("add_prefix_space"):
        return ["bytes+words" if rule.get("use_regex", True) else "bytes"]
    return [f"unknown {kind}"]


def _words(data: Settings, rows: int) -> tuple[dict[int, str], dict[int, gguf.TokenType]]:
    words: dict[int, str] = {number: word for word, number in data["model"]["vocab"].items()}
    kinds = dict.fromkeys(words, gguf.TokenType.NORMAL)
    for added in data.get("added_tokens", []):
        words[added["id"]] = added["content"]
        kinds[added["id"]] = gguf.TokenType.CONTROL if added["special"] else gguf.TokenType.USER_DEFINED
    if max(words) >= rows:
        raise ModelError(
            f"The tokenizer has {max(words) + 1} words, the model only {rows}.",
            hint="Resize the model's embeddings to the tokenizer.",
        )
    for number in range(rows):  # rows of the table without a word
        if number not in words:
            words[number], kinds[number] = f"[PAD{number}]", gguf.TokenType.UNUSED
    return words, kinds


def _merge(merge: str | list[str]) -> str:
    return merge if isinstance(merge, str) else " ".join(merge)


def _add_roles(keys: gguf.GGUFWriter, folder: ModelFolder, settings: Settings, numbers: dict[str, int]) -> None:
    for role, add in (
        ("bos", keys.add_bos_token_id),
        ("eos", keys.add_eos_token_id),
        ("unk", keys.add_unk_token_id),
        ("pad", keys.add_pad_token_id),
    ):
        word = settings.get(f"{role}_token")
        word = word.get("content") if isinstance(word, dict) else word
        number = numbers.get(word) if isinstance(word, str) else folder.text.get(f"{role}_token_id")
        if isinstance(number, int):
            add(number)


def chat_template(folder: ModelFolder) -> str | None:
    """The chat template without transformers' own `{% generation %}`, which no other reader knows."""
    file = folder.path / "chat_template.jinja"
    found: Any = file.read_text(encoding="utf-8") if file.is_file() else None
    for name in ("chat_template.json", "tokenizer_config.json"):  # where older folders have it
        found = found or read_json(folder.path / name).get("chat_template")
    if isinstance(found, list):  # several with names
        found = next((entry.get("template") for entry in found if entry.get("name") == "default"), None)
    if not isinstance(found, str):
        return None
    return re.sub(r"\{%(-?)\s*(?:end)?generation\s*(-?)%\}", r"{#\1 \2#}", found)  # a comment that trims its surroundings alike
