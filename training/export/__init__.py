"""Trained weights -> GGUF for llama.cpp, from a Hugging Face folder: config.json, safetensors, tokenizer.json.

    write_text(folder, out, kind="q8_0", pair=pair)     the text model
    write_mmproj(folder, out, kind="f16", pair=pair)    its image part
    write_lora(adapter, out, base=text_gguf, pair=pair) a peft adapter for the text model

`pair` (new_pair()) is one random id in all files of a model; georapp refuses files that carry different ones. `kind` is one of
KINDS. A model or a weight that is not known is refused with a ModelError; nothing is left out silently.

    folder.py     reads the folder           text.py     the text model        writer.py   types, quantising, the file itself
    names.py      weight names               tokenizer.py  words and merges    mmproj.py   image parts: siglip.py qwen.py internvl.py
"""

from training.export.lora import write_lora
from training.export.mmproj import write_mmproj
from training.export.text import write_text
from training.export.writer import KINDS, new_pair

__all__ = ["KINDS", "new_pair", "write_lora", "write_mmproj", "write_text"]
