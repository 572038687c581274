"""The GGUF file itself: types, quantising, the id of the pair. A file appears under its name only when it is complete."""

from __future__ import annotations

import tempfile
import uuid
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import gguf
import numpy as np

from georapp.errors import ModelError
from georapp.gguf_head import PAIR_KEY
from training.export.folder import Weights

KINDS = ("f32", "f16", "q8_0", "q4_1")
_FILE_TYPES = {
    "f32": gguf.LlamaFileType.ALL_F32,
    "f16": gguf.LlamaFileType.MOSTLY_F16,
    "q8_0": gguf.LlamaFileType.MOSTLY_Q8_0,
    "q4_1": gguf.LlamaFileType.MOSTLY_Q4_1,
}
_BLOCKS = {"q8_0": gguf.GGMLQuantizationType.Q8_0, "q4_1": gguf.GGMLQuantizationType.Q4_1}
_ROW = 32  # weights of a block in both
# Words get 8 bits in a 4-bit file too; llama.cpp's own quantiser also gives them more than the rest.
_FINE = ("token_embd.weight", "output.weight")


def new_pair() -> str:
    """A random id for the files of one model."""
    return uuid.uuid4().hex


class Writer:
    """Writes one GGUF file; use it in a with-block. `kind`: the type of the large matrices, one of KINDS.

    `keys` is the gguf package's writer, for the keys of the head. Raises ModelError for an unknown kind and when the disk refuses.
    """

    def __init__(self, path: Path, architecture: str, general_type: str, name: str, *, kind: str, pair: str | None) -> None:
        if kind not in KINDS:
            raise ModelError(f"There is no type {kind!r}, only {', '.join(KINDS)}.")
        self._path, self._part, self._kind = path, path.with_name(path.name + ".part"), kind
        # The weights of a large model do not fit the memory, so they wait in a nameless file on the disk that will hold them.
        self.keys = gguf.GGUFWriter(self._part, architecture, use_temp_file=True)
        self._waiting = self._open_waiting()
        self.keys.add_type(general_type)
        self.keys.add_name(name)
        self.keys.add_file_type(_FILE_TYPES[kind])
        self.keys.add_quantization_version(gguf.GGML_QUANT_VERSION)
        if pair:
            self.keys.add_string(PAIR_KEY, pair)
        self.names: set[str] = set()

    def _open_waiting(self) -> IO[bytes]:
        try:
            file = tempfile.TemporaryFile(dir=self._path.parent)  # noqa: SIM115 - closed by __exit__
        except OSError as reason:
            raise ModelError(f"{self._path} cannot be written: {(reason.strerror or str(reason)).lower()}.") from reason
        self.keys.temp_file = file  # type: ignore[assignment]  # gguf names the class of its own, and uses what all files have
        return file

    def put(self, name: str, weights: Weights, *, exact: bool = False) -> None:
        """Add one weight. `exact`: float32 whatever the file's kind; vectors always are, llama.cpp expects them so."""
        if name in self.names:
            raise ModelError(f"Two weights of the model would become {name}.")
        self.names.add(name)
        kind = "f32" if exact or weights.ndim == 1 else self._kind
        if kind in _BLOCKS and (weights.ndim != 2 or weights.shape[1] % _ROW):
            kind = "f16"
        if kind == "q4_1" and name in _FINE:
            kind = "q8_0"
        if kind in _BLOCKS:
            block = _BLOCKS[kind]
            self.keys.add_tensor(name, gguf.quants.quantize(np.ascontiguousarray(weights, np.float32), block), raw_dtype=block)
        else:
            self.keys.add_tensor(name, np.ascontiguousarray(weights, np.float16 if kind == "f16" else np.float32))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, _type: type[BaseException] | None, error: BaseException | None, _traceback: TracebackType | None) -> None:
        done = False
        try:
            if error is None:
                self.keys.write_header_to_file()
                self.keys.write_kv_data_to_file()
                self.keys.write_tensors_to_file()
                done = True
        except OSError as reason:
            error = reason
        finally:
            self.keys.close()
            self._waiting.close()
            if done:
                self._part.replace(self._path)
            else:
                self._part.unlink(missing_ok=True)
        if isinstance(error, OSError):
            raise ModelError(f"{self._path} cannot be written: {(error.strerror or str(error)).lower()}.") from error
