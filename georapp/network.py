"""Pixels, and ONNX networks that see them. onnxruntime is imported when the first network is opened."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from georapp.errors import ModelError, Stopped
from georapp.gguf_head import PAIR_KEY
from georapp.stop_flag import StopFlag


@dataclass(frozen=True, slots=True)
class Pixels:
    """An upright photo: width * height * 3 bytes, row by row."""

    rgb: bytes
    width: int
    height: int

    def __post_init__(self) -> None:
        if len(self.rgb) != self.width * self.height * 3:
            raise ValueError("The photo's bytes do not match its size.")

    @property
    def key(self) -> str:
        """The same for the same pixels: by it the memory knows a photo again."""
        return hashlib.sha256(b"%d %d " % (self.width, self.height) + self.rgb).hexdigest()


def open_network(path: Path, *, threads: int) -> Any:
    """An onnxruntime session on the CPU that lets its threads sleep between runs. Raises ModelError."""
    import onnxruntime  # 0.2 s; only models with an ONNX tower pay for it

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads, options.inter_op_num_threads = threads, 1
    options.log_severity_level = 4
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return onnxruntime.InferenceSession(os.fspath(path), options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise ModelError(f"{path.name} could not be loaded as an image tower; it is damaged or not ONNX.") from error


def input_size(session: Any) -> tuple[int, int]:
    """(width, height) of the pixels that a network takes."""
    shape = session.get_inputs()[0].shape
    if len(shape) != 4 or shape[3] != 3 or not all(isinstance(side, int) for side in shape[1:3]):
        raise ModelError(f"The image tower takes an input of the shape {shape}, not pixels of one size.")
    return int(shape[2]), int(shape[1])


def pair_of(session: Any) -> str:
    """The id that a network shares with its text model; empty for none."""
    return str(session.get_modelmeta().custom_metadata_map.get(PAIR_KEY, ""))


def run_network(session: Any, photo: Pixels, stop: StopFlag) -> dict[str, npt.NDArray[np.float32]]:
    """All outputs of the network for one photo. Raises Stopped when the flag `stop` is set meanwhile."""
    import onnxruntime

    pixels = np.frombuffer(photo.rgb, np.uint8).reshape(1, photo.height, photo.width, 3)
    run = onnxruntime.RunOptions()
    names = [output.name for output in session.get_outputs()]
    forget = stop.watch(lambda: setattr(run, "terminate", True))
    try:
        values = session.run(names, {"pixels": pixels}, run)
    except Exception as error:
        if stop.is_set:
            raise Stopped from None
        raise ModelError(f"The photo could not be encoded: {error}.") from error
    finally:
        forget()
    stop.check()
    return dict(zip(names, values, strict=True))
