"""The Chain of Region as five rungs: what is stated, how many samples agree, and why a rung stays empty.

While a model writes, the rungs light up with the first sample's regions; when it is done, what enough samples agree on takes their
place. Circles: filled is stated, a coloured ring is only being written, a thin grey ring is empty.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from georapp.chain import Level, Region
from georapp.geo import Coordinate
from georapp.gui.answer.rung import Face, Light, Rung
from georapp.gui.answer.rung_words import exact_face, face
from georapp.gui.plain import label, shown
from georapp.prediction import Prediction

_TAKEN_BACK = "While the model wrote, the rungs showed the first of its {n} answers. Now they show what enough of them agree on."


class Ladder(QWidget):
    """Continent, country, province, city and coordinates, from above."""

    rung_chosen = Signal(object)  # Level of a rung that shows a name
    place_chosen = Signal(object)  # Coordinate of the last rung, stated or not

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._rungs = {level: Rung(level.word, first=level is Level.CONTINENT) for level in Level}
        self._exact = Rung("coordinates", last=True)
        self._note = label("", "dim")
        self._samples = 0
        self._lit: dict[Level, str] = {}
        self._place: Coordinate | None = None
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        for level, rung in self._rungs.items():
            layout.addWidget(rung)
            rung.clicked.connect(lambda _checked=False, level=level: self._choose(level))
        layout.addWidget(self._exact)
        layout.addSpacing(4)
        layout.addWidget(self._note)
        self._exact.clicked.connect(self._choose_place)
        self.clear()

    def clear(self) -> None:
        """Nothing is known and nothing is expected."""
        self._lit, self._place = {}, None
        for rung in self._all():
            rung.wear(Face(rung.word.capitalize()))
        self._say("")

    def begin(self, *, samples: int = 0) -> None:
        """A model has been asked for so many samples."""
        self.clear()
        self._samples = samples
        self._say("Waiting for the model.")

    def light(self, level: Level, name: str) -> None:
        """The first sample has written a region."""
        self._lit[level] = name
        first = f"first of {self._samples} answers" if self._samples > 1 else "as it is written"
        self._rungs[level].wear(Face(shown(name), Light.WRITTEN, f"{level.word.capitalize()} · {first}", more=name), fade=True)
        self._say("The model is writing; nothing is compared yet." if self._samples > 1 else "The model is writing.")

    def show_prediction(self, prediction: Prediction) -> None:
        """What enough samples agree on, and why the rest is empty."""
        for level, rung in self._rungs.items():
            rung.wear(face(level, prediction))
        self._place = prediction.stated.coordinate or prediction.best
        self._exact.wear(exact_face(prediction), choosable=self._place is not None)
        stated = {region.level: region for region in prediction.stated.regions}
        taken = [level for level, name in self._lit.items() if stated.get(level) != Region(level, name)]
        self._say(_TAKEN_BACK.format(n=len(prediction.samples)) if taken else "")

    def texts(self) -> list[str]:
        """What each rung and the note below say, in words: also for screen readers and tests."""
        return [rung.accessibleName() for rung in self._all()] + ([self._note.text()] if self._note.text() else [])

    def _all(self) -> list[Rung]:
        return [*self._rungs.values(), self._exact]

    def _say(self, note: str) -> None:
        self._note.setText(note)
        self._note.setVisible(bool(note))

    def _choose(self, level: Level) -> None:
        if self._rungs[level].choosable:
            self.rung_chosen.emit(level)

    def _choose_place(self) -> None:
        if self._place:
            self.place_chosen.emit(self._place)
