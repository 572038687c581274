"""The text model of a published folder, read back from its GGUF into torch: what llama.cpp is compared with.

Rows come from the ONNX file on both sides; tests/training/test_mini.py compares that file with the torch network.
"""

from __future__ import annotations

from pathlib import Path

import gguf
import numpy as np
import torch
from torch import Tensor
from transformers import LlamaConfig, LlamaForCausalLM

_NAMES = {
    "attn_norm": "input_layernorm",
    "ffn_norm": "post_attention_layernorm",
    "attn_q": "self_attn.q_proj",
    "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj",
    "attn_output": "self_attn.o_proj",
    "ffn_gate": "mlp.gate_proj",
    "ffn_up": "mlp.up_proj",
    "ffn_down": "mlp.down_proj",
}


class TextTwin:
    """The same text model in torch, in float32."""

    def __init__(self, path: Path) -> None:
        reader = gguf.GGUFReader(path)
        self.words: list[str] = reader.fields["tokenizer.ggml.tokens"].contents()
        self.end = int(reader.fields["tokenizer.ggml.eos_token_id"].contents())
        self.model = _model(reader)

    @torch.no_grad()
    def greedy(self, before: list[int], rows: Tensor, after: list[int], tokens: int) -> list[int]:
        """Ids of the most probable answer to a prompt: ids, rows [k, width], ids."""
        table = self.model.get_input_embeddings()
        embeddings = torch.cat([table(torch.tensor(before)), rows, table(torch.tensor(after))])[None]
        found: list[int] = []
        past = None
        for _ in range(tokens):
            out = self.model(inputs_embeds=embeddings, past_key_values=past, use_cache=True)
            past, best = out.past_key_values, int(out.logits[0, -1].argmax())
            if best == self.end:
                break
            found.append(best)
            embeddings = table(torch.tensor([[best]]))
        return found


def _model(reader: gguf.GGUFReader) -> LlamaForCausalLM:
    def number(key: str) -> float:
        return float(reader.fields[f"llama.{key}"].contents())

    tensors = {tensor.name: tensor for tensor in reader.tensors}
    heads = int(number("attention.head_count"))
    config = LlamaConfig(
        vocab_size=int(number("vocab_size")),
        hidden_size=int(number("embedding_length")),
        intermediate_size=int(number("feed_forward_length")),
        num_hidden_layers=int(number("block_count")),
        num_attention_heads=heads,
        num_key_value_heads=int(number("attention.head_count_kv")),
        rms_norm_eps=number("attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": number("rope.freq_base")},
        tie_word_embeddings=True,
    )
    model = LlamaForCausalLM(config)
    model.eval()
    state = {_name(name): _weights(tensor, name, heads) for name, tensor in tensors.items()}
    missing, unexpected = model.load_state_dict(state, strict=False)
    assert not unexpected
    assert set(missing) <= {"lm_head.weight"}  # the table of words is the output too
    return model


def _name(name: str) -> str:
    whole = {"token_embd.weight": "model.embed_tokens.weight", "output_norm.weight": "model.norm.weight"}
    if name in whole:
        return whole[name]
    _, layer, part, kind = name.split(".")
    return f"model.layers.{layer}.{_NAMES[part]}.{kind}"


def _weights(tensor: gguf.ReaderTensor, name: str, heads: int) -> Tensor:
    values = gguf.dequantize(tensor.data, tensor.tensor_type).astype(np.float32)
    if ".attn_q." in name or ".attn_k." in name:  # llama.cpp rotates neighbours, transformers the halves of a head
        rows, width = values.shape
        values = values.reshape(heads, rows // heads // 2, 2, width).swapaxes(1, 2).reshape(rows, width)
    return torch.from_numpy(np.ascontiguousarray(values))
