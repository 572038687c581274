"""Draws tokens from logits: temperature, then top-p, then a seeded draw, in the order of transformers.

(llama.cpp's own tools apply top-p before the temperature.) A grammar masks the whole vocabulary and is slow, so a token is drawn
first and only checked against the grammar; the masked distribution is drawn from when the grammar refuses the token.
"""

from __future__ import annotations

import ctypes
from dataclasses import dataclass
from typing import Any

import llama_cpp.llama_cpp as llama
import numpy as np
import numpy.typing as npt

from georapp.errors import ModelError
from georapp.text_model import TextModel

_CANDIDATE = np.dtype([("id", np.int32), ("logit", np.float32), ("p", np.float32)])  # struct llama_token_data


@dataclass(frozen=True, slots=True)
class Sampling:
    """How answers are drawn. Temperature 0 always takes the most probable token; `grammar` is GBNF text with a rule "root"."""

    temperature: float = 0.0
    top_p: float = 1.0
    grammar: str | None = None


class Sampler:
    """Draws for one sequence. Sampler chains own the samplers that were added to them: only the chain is freed."""

    def __init__(self, model: TextModel, sampling: Sampling, seed: int) -> None:
        self._model = model
        _, self._context = model.handles
        self._chosen = -1
        self._grammar: Any = None
        if sampling.grammar is not None:  # a wrong grammar gives NULL here; NULL in a chain would end the process later
            self._grammar = llama.llama_sampler_init_grammar(model.vocabulary, sampling.grammar.encode(), b"root")
            if not self._grammar:
                raise ModelError("The answer grammar is not valid.")
        self._chain = llama.llama_sampler_chain_init(llama.llama_sampler_chain_default_params())
        for link in _links(sampling, seed):
            llama.llama_sampler_chain_add(self._chain, link)

    def draw(self, row: int) -> int:
        """The next token, from the logits of a row of the last batch."""
        token = int(llama.llama_sampler_sample(self._chain, self._context, row))
        if self._grammar:
            if not self._allowed(token):
                token = self._draw_allowed(row)
            llama.llama_sampler_accept(self._grammar, token)  # accepting what the grammar refuses would end the process
        return token

    def _allowed(self, token: int) -> bool:
        one = np.zeros(1, _CANDIDATE)
        one["id"] = token
        self._apply(self._grammar, one)
        return not np.isneginf(one[0]["logit"])

    def _draw_allowed(self, row: int) -> int:
        every = np.zeros(self._model.n_vocabulary, _CANDIDATE)
        every["id"] = np.arange(len(every))
        every["logit"] = np.ctypeslib.as_array(llama.llama_get_logits_ith(self._context, row), (len(every),))
        self._apply(self._grammar, every)
        allowed = np.ascontiguousarray(every[~np.isneginf(every["logit"])])
        if not len(allowed):
            raise ModelError("The answer grammar allows no token here.")
        self._apply(self._chain, allowed)
        return self._chosen

    def _apply(self, sampler: Any, candidates: npt.NDArray[Any]) -> None:
        """numpy owns the memory and outlives the call; samplers may reorder and shorten it."""
        pointer = candidates.ctypes.data_as(ctypes.POINTER(llama.llama_token_data))
        array = llama.llama_token_data_array(pointer, len(candidates), -1, False)
        llama.llama_sampler_apply(sampler, ctypes.byref(array))
        if array.selected >= 0:
            self._chosen = int(candidates[array.selected]["id"])

    def close(self) -> None:
        """Give everything back."""
        llama.llama_sampler_free(self._chain)
        if self._grammar:
            llama.llama_sampler_free(self._grammar)


def _links(sampling: Sampling, seed: int) -> list[Any]:
    if sampling.temperature <= 0:
        return [llama.llama_sampler_init_greedy()]
    links = [llama.llama_sampler_init_temp(sampling.temperature)]
    if sampling.top_p < 1:
        links.append(llama.llama_sampler_init_top_p(sampling.top_p, 1))
    return [*links, llama.llama_sampler_init_dist(seed & 0xFFFFFFFF)]
