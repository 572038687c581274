"""Photo -> rows that the text model reads like words. Two kinds behind one interface:

    MtmdTower   an mmproj GGUF, encoded by llama.cpp itself: SmolVLM, Qwen-VL, InternVL, LLaVA, ...
    OnnxTower   an ONNX network with its projector, run by onnxruntime; its rows go to llama.cpp as embeddings

A prompt holds one MARKER for each photo. `split` cuts it into parts; the engine decodes the text parts and lets the tower do
the photos: `encode` (slow, can be stopped), then `feed` (puts the rows into the text model's memory).
"""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import llama_cpp.llama_cpp as llama
import llama_cpp.mtmd_cpp as mtmd

from georapp.errors import ModelError
from georapp.families import MARKER
from georapp.gguf_head import PAIR_KEY
from georapp.network import Pixels, input_size, open_network, pair_of, run_network
from georapp.text_model import TextModel, native_reason

_NODES_BETWEEN_CHECKS = 8  # asking the encoder on every graph node would cost a synchronisation each
_TEXT_CHUNK = 0  # MTMD_INPUT_CHUNK_TYPE_TEXT


@dataclass(frozen=True, slots=True)
class TextPart:
    """Tokens of the prompt between photos."""

    tokens: list[int]


@dataclass(frozen=True, slots=True)
class ImagePart:
    """A photo, or one tile of it. `positions`: how far it moves the text model on, fewer than its `rows` with M-RoPE (Qwen-VL)."""

    key: str
    positions: int
    rows: int
    handle: Any = field(repr=False)


class Tower(Protocol):
    """Whatever turns photos into rows."""

    def split(
        self, prompt: str, photos: Sequence[Pixels], *, begin: bool
    ) -> contextlib.AbstractContextManager[list[TextPart | ImagePart]]:
        """The prompt in parts, valid inside the with-block. `begin`: BOS first, where the model wants one."""

    def encode(self, part: ImagePart) -> Any:
        """The rows of a photo, to be given to `feed` before anything else is encoded. Raises Stopped."""

    def feed(self, part: ImagePart, rows: Any, position: int) -> int:
        """Put the rows into sequence 0 at `position`; returns the position after them."""

    def close(self) -> None:
        """Give everything back."""


class MtmdTower:
    """The image part of a llama.cpp pair. It scales and tiles photos as its family wants it.

    `max_tokens`: upper limit of rows a photo, for families with any image size; 0 leaves the model's own.
    Raises ModelError when the file does not fit the text model.
    """

    def __init__(self, path: Path, text: TextModel, *, max_tokens: int = 0) -> None:
        self._text = text
        self._model, self._context = text.handles
        self._watch = llama.ggml_backend_sched_eval_callback(self._on_node)
        self._nodes = 0
        p = mtmd.mtmd_context_params_default()
        p.use_gpu, p.n_threads = text.gpu, text.threads
        p.print_timings = False
        p.warmup = False  # would encode a whole image at load time
        p.cb_eval = self._watch
        if max_tokens:
            p.image_max_tokens = max_tokens
        self._mtmd = mtmd.mtmd_init_from_file(os.fsencode(path), self._model, p)
        if not self._mtmd:
            raise ModelError(
                f"{path.name} does not fit this model: {native_reason()}.", hint="Use the mmproj file that came with the model."
            )
        if not mtmd.mtmd_support_vision(self._mtmd):
            self.close()
            raise ModelError(f"{path.name} is no image part.", hint="A model for photos needs an mmproj file for images.")

    def _on_node(self, _tensor: Any, ask: bool, _data: Any) -> bool:
        # ask: "do you want to see this node?" After a yes we are asked again with ask=False, and there False ends the encoding.
        if ask:
            self._nodes += 1
            return self._nodes % _NODES_BETWEEN_CHECKS == 0
        return not self._text.stop.is_set

    @contextlib.contextmanager
    def split(self, prompt: str, photos: Sequence[Pixels], *, begin: bool) -> Iterator[list[TextPart | ImagePart]]:
        """As in Tower. Chunks die with the with-block."""
        chunks = self._tokenise(prompt, photos, begin)
        try:
            yield [self._part(mtmd.mtmd_input_chunks_get(chunks, i), i) for i in range(mtmd.mtmd_input_chunks_size(chunks))]
        finally:
            mtmd.mtmd_input_chunks_free(chunks)

    def _tokenise(self, prompt: str, photos: Sequence[Pixels], begin: bool) -> Any:
        data = prompt.encode()
        text = mtmd.mtmd_input_text(data, len(data), begin, True)
        bitmaps = (mtmd.mtmd_bitmap_p_ctypes * max(1, len(photos)))()
        chunks = mtmd.mtmd_input_chunks_init()
        try:
            for i, photo in enumerate(photos):
                bitmaps[i] = _bitmap(photo)
            status = mtmd.mtmd_tokenize(self._mtmd, chunks, ctypes.byref(text), bitmaps, len(photos))
        finally:
            for bitmap in bitmaps:
                if bitmap:
                    mtmd.mtmd_bitmap_free(bitmap)
        if status != 0:
            mtmd.mtmd_input_chunks_free(chunks)
            why = "prompt and photos differ in number" if status == 1 else native_reason()
            raise ModelError(f"The photo could not be prepared for this model: {why}.")
        return chunks

    def _part(self, chunk: Any, index: int) -> TextPart | ImagePart:
        if mtmd.mtmd_input_chunk_get_type(chunk) == _TEXT_CHUNK:
            count = ctypes.c_size_t()
            tokens = mtmd.mtmd_input_chunk_get_tokens_text(chunk, ctypes.byref(count))
            return TextPart(list(tokens[: count.value]))
        name = (mtmd.mtmd_input_chunk_get_id(chunk) or b"").decode()
        rows = mtmd.mtmd_input_chunk_get_n_tokens(chunk)
        return ImagePart(f"{name} {index} {rows}", mtmd.mtmd_input_chunk_get_n_pos(chunk), rows, chunk)

    def encode(self, part: ImagePart) -> Any:
        """As in Tower. The rows stay inside llama.cpp; it also reports success when it was stopped."""
        self._nodes = 0
        status = mtmd.mtmd_encode_chunk(self._mtmd, part.handle)
        self._text.stop.check()
        if status != 0:
            raise ModelError(f"The photo could not be encoded: {native_reason()}.")
        return mtmd.mtmd_get_output_embd(self._mtmd)

    def feed(self, part: ImagePart, rows: Any, position: int) -> int:
        """As in Tower."""
        after = llama.llama_pos(position)
        nothing = mtmd.mtmd_helper_post_decode_callback()  # a NULL function pointer; None is refused by ctypes
        status = mtmd.mtmd_helper_decode_image_chunk(
            self._mtmd, self._context, part.handle, rows, position, 0, self._text.n_batch, ctypes.byref(after), nothing, None
        )
        self._text.stop.check()
        if status != 0:
            raise ModelError("The photo does not fit the model's context.", hint="Use a larger context or fewer image tokens.")
        return int(after.value)

    def close(self) -> None:
        """As in Tower; may be called twice."""
        if self._mtmd:
            mtmd.mtmd_free(self._mtmd)
        self._mtmd = None


def _bitmap(photo: Pixels) -> Any:
    rgb = ctypes.cast(ctypes.c_char_p(photo.rgb), ctypes.POINTER(ctypes.c_uint8))  # copied by the call
    bitmap = mtmd.mtmd_bitmap_init(photo.width, photo.height, rgb)
    mtmd.mtmd_bitmap_set_id(bitmap, photo.key.encode())
    return ctypes.cast(bitmap, mtmd.mtmd_bitmap_p_ctypes)


class OnnxTower:
    """An ONNX network: input `pixels` uint8 [1, height, width, 3], output `rows` float32 [1, n, width of the text model].

    It may have a further output `features` float32 [1, d] (for nearest photos). Normalising is part of the network; scaling is
    not, the caller gives photos of exactly the network's size. Raises ModelError when the file does not fit.
    """

    def __init__(self, path: Path, text: TextModel) -> None:
        self._text = text
        self._session = open_network(path, threads=text.threads)
        self.size = input_size(self._session)
        outputs = {output.name: output.shape for output in self._session.get_outputs()}
        shape = outputs.get("rows")
        if shape is None or len(shape) != 3 or shape[2] != text.width:
            raise ModelError(
                f"{path.name} does not fit this model: it gives rows of the shape {shape}, the model takes vectors of {text.width}.",
                hint="Use the tower that came with the model.",
            )
        pair, wanted = pair_of(self._session), text.meta(PAIR_KEY)
        if pair != wanted:
            raise ModelError(
                f"{path.name} and the text model do not belong together: they were made in different trainings.",
                hint="Use the tower that came with the model.",
            )
        self._rows = int(shape[1])

    @contextlib.contextmanager
    def split(self, prompt: str, photos: Sequence[Pixels], *, begin: bool) -> Iterator[list[TextPart | ImagePart]]:
        """As in Tower."""
        texts = prompt.split(MARKER)
        if len(texts) != len(photos) + 1:
            raise ModelError("The prompt and the number of photos differ.")
        parts: list[TextPart | ImagePart] = []
        for i, text in enumerate(texts):
            tokens = self._text.tokenize(text, begin=begin and i == 0)
            if tokens:
                parts.append(TextPart(tokens))
            if i < len(photos):
                parts.append(ImagePart(photos[i].key, self._rows, self._rows, photos[i]))
        yield parts

    def encode(self, part: ImagePart) -> Any:
        """As in Tower."""
        return run_network(self._session, part.handle, self._text.stop)["rows"][0]

    def feed(self, part: ImagePart, rows: Any, position: int) -> int:
        """As in Tower."""
        self._text.decode_rows(rows, position)
        return position + len(rows)

    def close(self) -> None:
        """As in Tower."""
        self._session = None
