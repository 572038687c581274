"""Gives the GPU to a training run while it goes on, where the model of Locate and the run have no room beside each other."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal

from georapp import gpu_sharing
from georapp.errors import GeorappError
from georapp.gui.background import run
from georapp.models import Model
from georapp.runs import Run
from georapp.training_python import TrainingPython

RESTS = "The model rests: a training run has the GPU"


class Sharing(QObject):
    """Is told of runs that begin and end, and says what the model of Locate should do."""

    rest_asked = Signal(str)  # why, for the place of its name
    wake_asked = Signal()

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._resting = False

    def run_changed(self, going: Run | None, *, python: TrainingPython | None, model: Model | None, on_gpu: bool) -> None:
        """`on_gpu`: where the model of Locate is. A run without a GPU disturbs nobody."""
        if going is None:
            if self._resting:
                self._resting = False
                self.wake_asked.emit()
        elif python and python.gpus and model and on_gpu and not self._resting:
            memory = min(gpu.memory_gib for gpu in python.gpus)
            run(lambda: _has_no_room(going.folder, model, memory), self._decide, parent=self)

    def _decide(self, no_room: bool) -> None:
        if no_room and not self._resting:
            self._resting = True
            self.rest_asked.emit(RESTS)


def _has_no_room(folder: Path, model: Model, memory_gib: float) -> bool:
    """What is not known has no room: a run that loses its memory loses hours, a model that rests loses seconds."""
    need = gpu_sharing.need_gib(folder)
    try:
        mine = gpu_sharing.model_gib(model)
    except (GeorappError, OSError):
        return True
    return need is None or not gpu_sharing.fits_beside(memory_gib, mine, need)
