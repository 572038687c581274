"""One text model of llama.cpp with one context: loading, tokens, decoding, memory. Low-level bindings only.

Rules about lifetimes, each of which was a crash once:
  - a callback object must live as long as C may call it: it is kept on self, never passed as a temporary;
  - a c_char_p borrows its bytes: they keep a name until the call has returned;
  - logits belong to the context and are overwritten by the next decode: use them at once or copy them;
  - free in this order: batches, context, model. Adapters die with their model;
  - a context is not thread-safe: one thread decodes, others may only set the stop flag.
"""

from __future__ import annotations

import os

# Threads of OpenMP that spin while they wait steal the cores from everybody else. Must be set before the library is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

import collections
import ctypes
import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import llama_cpp.llama_cpp as llama
import llama_cpp.mtmd_cpp as mtmd
import numpy as np
import numpy.typing as npt

from georapp.errors import ModelError
from georapp.stop_flag import StopFlag

Row = tuple[int, int, int, bool]  # token, position, sequence, whether its logits are wanted

_WARNING, _ERROR = 3, 4  # GGML_LOG_LEVEL_*
_log: collections.deque[str] = collections.deque(maxlen=40)


@llama.llama_log_callback  # type: ignore[untyped-decorator]
def _on_log(level: int, text: bytes, _data: object) -> None:
    if level in (_WARNING, _ERROR):
        _log.append(text.decode("utf-8", "replace").strip())


@functools.cache
def start_backend() -> None:
    """Once a process. Native log lines go to a short memory that explains failures, and nowhere else."""
    llama.llama_log_set(_on_log, ctypes.c_void_p(0))
    mtmd.mtmd_helper_log_set(_on_log, ctypes.c_void_p(0))  # mtmd and its helpers have logs of their own; this sets both
    llama.llama_backend_init()


def native_reason() -> str:
    """The last thing that llama.cpp complained about."""
    return _log[-1] if _log else "llama.cpp gave no reason"


def gpu_possible() -> bool:
    """Whether this build of llama.cpp can use a GPU."""
    start_backend()
    return bool(llama.llama_supports_gpu_offload())


class TextModel:
    """A loaded GGUF with one context for up to `sequences` answers that share one memory.

    `context`: tokens of the whole memory, 0 for what the model was trained with; `gpu_layers`: 0 for CPU only.
    Raises ModelError when llama.cpp refuses the file or memory is short.
    """

    def __init__(
        self,
        path: Path,
        stop: StopFlag,
        *,
        threads: int,
        context: int = 4096,
        gpu_layers: int = 0,
        sequences: int = 8,
        batch: int = 512,
    ) -> None:
        start_backend()
        _log.clear()
        self.stop, self.sequences, self.n_batch, self.threads, self.gpu = stop, sequences, batch, threads, gpu_layers != 0
        self._tokens_batch: Any = None
        self._rows_batch: Any = None  # for embeddings; made when first needed
        self._context: Any = None
        parameters = llama.llama_model_default_params()
        parameters.n_gpu_layers = gpu_layers
        self._model: Any = llama.llama_model_load_from_file(os.fsencode(path), parameters)
        if not self._model:
            raise ModelError(f"{path.name} could not be loaded: {native_reason()}.", hint="Check it with: georapp models check")
        self.vocabulary = llama.llama_model_get_vocab(self._model)
        self.n_vocabulary: int = llama.llama_vocab_n_tokens(self.vocabulary)
        self.width: int = llama.llama_model_n_embd(self._model)
        self._pieces: dict[int, bytes] = {}
        self._ends: dict[int, bool] = {}
        self._open_context(context)

    def _open_context(self, context: int) -> None:
        self._abort = ctypes.cast(self.stop.function, llama.ggml_abort_callback)
        p = llama.llama_context_default_params()
        p.n_ctx, p.n_batch, p.n_ubatch, p.n_seq_max = context, self.n_batch, self.n_batch, self.sequences
        p.n_threads = p.n_threads_batch = self.threads
        p.kv_unified = True  # one memory for all sequences: copying a sequence marks cells as shared and copies nothing
        p.offload_kqv = self.gpu
        p.abort_callback, p.abort_callback_data = self._abort, self.stop.data
        self._context = llama.llama_init_from_model(self._model, p)
        if not self._context:
            self.close()
            raise ModelError(
                f"There is no memory for a context of {context} tokens: {native_reason()}.",
                hint="Use a smaller model or context.",
            )
        self.n_context = int(llama.llama_n_ctx(self._context))
        self._memory: Any = llama.llama_get_memory(self._context)
        batch = self._tokens_batch = llama.llama_batch_init(self.n_batch, 0, 1)
        for i in range(self.n_batch):
            batch.n_seq_id[i] = 1  # every row belongs to one sequence
        self._columns = batch.token, batch.pos, batch.seq_id, batch.logits

    def meta(self, key: str) -> str:
        """A text or number out of the file's head; empty for none."""
        text = ctypes.create_string_buffer(256)
        length = llama.llama_model_meta_val_str(self._model, key.encode(), text, len(text))
        return text.value.decode("utf-8", "replace") if length > 0 else ""

    def close(self) -> None:
        """Give everything back. May be called twice."""
        for batch in (self._tokens_batch, self._rows_batch):
            if batch is not None:
                llama.llama_batch_free(batch)
        if self._context:
            llama.llama_free(self._context)
        if self._model:
            llama.llama_model_free(self._model)
        self._tokens_batch = self._rows_batch = self._context = self._model = None

    @property
    def handles(self) -> tuple[Any, Any]:
        """(model, context) for the image part, which llama.cpp ties to both."""
        return self._model, self._context

    # ---- adapters ----

    def set_adapters(self, adapters: Sequence[tuple[Path, float]]) -> None:
        """Replace the LoRA adapters by these (file, scale); none goes back to the bare model. The memory is forgotten."""
        handles = []
        for path, _scale in adapters:
            handle = llama.llama_adapter_lora_init(self._model, os.fsencode(path))
            if not handle:
                raise ModelError(f"The adapter {path.name} does not fit this model: {native_reason()}.")
            handles.append(handle)
        count = max(1, len(handles))
        array = (llama.llama_adapter_lora_p_ctypes * count)()
        for i, handle in enumerate(handles):  # the bindings give an int for a void pointer
            array[i] = ctypes.cast(handle, llama.llama_adapter_lora_p_ctypes)
        scales = (ctypes.c_float * count)(*[scale for _path, scale in adapters])
        if llama.llama_set_adapters_lora(self._context, array, len(handles), scales) != 0:
            raise ModelError(f"The adapters could not be used: {native_reason()}.")
        self.forget()

    # ---- text and tokens ----

    def tokenize(self, text: str, *, begin: bool = False) -> list[int]:
        """Token ids; words like <|im_end|> become their special token. `begin`: put the model's BOS token first, if it wants one."""
        data = text.encode()
        room = len(data) + 8
        buffer = (llama.llama_token * room)()
        count = llama.llama_tokenize(self.vocabulary, data, len(data), buffer, room, begin, True)
        return list(buffer[:count])

    def piece(self, token: int) -> bytes:
        """The bytes of one token; they may be a part of a character. Special tokens have none."""
        known = self._pieces.get(token)  # asked for with every token of an answer, which for a small model is not nothing
        if known is None:
            buffer = ctypes.create_string_buffer(512)
            count = llama.llama_token_to_piece(self.vocabulary, token, buffer, 512, 0, False)
            known = self._pieces[token] = buffer.raw[: max(0, count)]
        return known

    def special_words(self) -> dict[str, str]:
        """What chat templates call bos_token and eos_token, as text; missing where the model has none."""
        ids = {"bos_token": llama.llama_vocab_bos(self.vocabulary), "eos_token": llama.llama_vocab_eos(self.vocabulary)}
        return {name: llama.llama_vocab_get_text(self.vocabulary, id_).decode() for name, id_ in ids.items() if id_ >= 0}

    def ends(self, token: int) -> bool:
        """Whether this token ends an answer."""
        known = self._ends.get(token)
        if known is None:
            known = self._ends[token] = bool(llama.llama_vocab_is_eog(self.vocabulary, token))
        return known

    # ---- decoding ----

    def decode_tokens(self, tokens: Sequence[int], position: int, *, logits: bool) -> None:
        """Text into sequence 0 from `position` on, in batches; `logits`: those of the last token are wanted."""
        for start in range(0, len(tokens), self.n_batch):
            self.stop.check()
            part = tokens[start : start + self.n_batch]
            last = start + len(part) == len(tokens)
            self.decode(
                [(token, position + start + i, 0, logits and last and i == len(part) - 1) for i, token in enumerate(part)]
            )

    def decode(self, rows: Sequence[Row]) -> None:
        """One batch of tokens of any sequences. Raises Stopped, or ModelError when the memory is full or the model fails."""
        batch = self._tokens_batch
        batch.n_tokens = len(rows)
        tokens, positions, sequences, wanted = self._columns
        for i, (token, position, sequence, logits) in enumerate(rows):
            tokens[i], positions[i], sequences[i][0], wanted[i] = token, position, sequence, logits
        self._run(batch)

    def decode_rows(self, rows: npt.NDArray[np.float32], position: int) -> None:
        """Embeddings [n, width] in place of tokens into sequence 0: llama.cpp computes them bit for bit like tokens."""
        if self._rows_batch is None:
            self._rows_batch = llama.llama_batch_init(self.n_batch, self.width, 1)
        batch = self._rows_batch
        for start in range(0, len(rows), self.n_batch):
            part = np.ascontiguousarray(rows[start : start + self.n_batch], np.float32)
            ctypes.memmove(batch.embd, part.ctypes.data, part.nbytes)
            for i in range(len(part)):
                batch.pos[i], batch.n_seq_id[i], batch.seq_id[i][0], batch.logits[i] = position + start + i, 1, 0, 0
            batch.n_tokens = len(part)
            self._run(batch)

    def _run(self, batch: Any) -> None:
        status = llama.llama_decode(self._context, batch)
        self.stop.check()  # a decode that was stopped leaves its cells in the memory: whoever catches Stopped must forget
        if status == 1:
            raise ModelError("The answer does not fit the model's context.", hint="Ask for fewer samples or a larger context.")
        if status != 0:
            raise ModelError(f"The model stopped with status {status}: {native_reason()}.")

    def logits(self, row: int = -1) -> npt.NDArray[np.float32]:
        """Logits [n_vocabulary] of a row of the last batch that asked for them; a copy."""
        return np.ctypeslib.as_array(llama.llama_get_logits_ith(self._context, row), (self.n_vocabulary,)).copy()

    # ---- memory ----

    def forget(self) -> None:
        """Empty the memory."""
        llama.llama_memory_clear(self._memory, True)

    def cut(self, sequence: int, position: int) -> bool:
        """Remove everything of a sequence from `position` on. False when this kind of model cannot be cut."""
        return bool(llama.llama_memory_seq_rm(self._memory, sequence, position, -1))

    def share(self, source: int, target: int, positions: int) -> None:
        """Let `target` see the first `positions` of `source`."""
        llama.llama_memory_seq_cp(self._memory, source, target, 0, positions)
