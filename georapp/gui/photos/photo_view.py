"""The photo that is chosen, and what its file says: name, time, size, place, and whether it is still the file that was added."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import ClassVar

from PySide6.QtCore import QSizeF, Qt, QTimer, Signal
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QToolButton, QVBoxLayout, QWidget

from georapp import events
from georapp.gui import look
from georapp.gui.background import run
from georapp.gui.photos.canvas import Canvas
from georapp.gui.photos.flow import Flow
from georapp.gui.photos.photo_pixels import Loaded, load
from georapp.gui.photos.small_pictures import read_small
from georapp.intake import small_picture
from georapp.printable import printable

_SCREEN_SIDE = 2560  # pixels that are read at first
_MOST_LATE = 3
_FULL_SIDE = 8192  # when somebody looks closer; 50 megapixels take 200 MB


class PhotoView(QWidget):
    """Reads in the background and one photo at a time: who goes on quickly never waits for photos that were passed."""

    patience_ms: ClassVar[int] = 10_000  # for one file

    drifted = Signal(str)  # SHA-256 of a photo whose file is gone, has changed, or cannot be read any more

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._path, self._sha256, self._facts = Path(), "", events.Began("")
        self._turn = 0  # counts photos, so that late answers are known as such
        self._reading = 0  # number of the reading that is going on; 0: none is
        self._readings = 0
        self._late: set[int] = set()  # readings that have not come back in time: of a network, perhaps never
        self._side = 0  # pixels that are wanted; 0: nothing is
        self._loaded_side = 0
        self.canvas, self._strip, self._notes = Canvas(self), Flow(gap=16, parent=self), QLabel(self)
        self._name, self._taken, self._size, self._place, self._drift = (_label(self) for _ in range(5))
        self._zoom = QToolButton(self)
        self._arrange()
        self.canvas.enlarged.connect(self._look_closer)
        self.canvas.scaled.connect(self._show_zoom)
        self._zoom.clicked.connect(lambda: self.canvas.toggle())
        self._patience = QTimer(self, singleShot=True, interval=self.patience_ms)
        self._patience.timeout.connect(self._give_up)
        self.clear()

    def show_photo(self, path: Path, sha256: str, facts: events.Began | None) -> None:
        """The small picture first, then the photo's own pixels if the file is still the same."""
        self.clear()
        self._path, self._sha256, self._facts = path, sha256, facts or events.Began("")
        self._show_facts()
        self._say_drift("checking the file", "dim")
        run(functools.partial(read_small, small_picture(sha256)), functools.partial(self._have_small, self._turn), parent=self)
        self._side = _SCREEN_SIDE
        self._read_next()

    def clear(self) -> None:
        """No photo."""
        self._turn += 1
        self._side = self._loaded_side = 0
        self._sha256 = ""
        self.canvas.clear()
        self.canvas.setAccessibleName("No photo is chosen")
        self._strip.setVisible(False)
        self._zoom.setVisible(False)
        self._notes.setVisible(False)

    @property
    def drift(self) -> str:
        """What is said of the file."""
        return self._drift.text()

    # ---- building ----

    def _arrange(self) -> None:
        frame = QFrame(self)
        look.set_role(frame, "strip")
        inside = QVBoxLayout(frame)
        inside.setContentsMargins(12, 8, 12, 8)
        inside.setSpacing(4)
        for label in (self._name, self._taken, self._size, self._place, self._drift):
            self._strip.put(label)
        line = QHBoxLayout()
        line.addWidget(self._strip, 1, Qt.AlignmentFlag.AlignVCenter)
        line.addWidget(self._zoom, 0, Qt.AlignmentFlag.AlignTop)
        inside.addLayout(line)
        inside.addWidget(self._notes)
        self._notes.setWordWrap(True)
        self._notes.setTextFormat(Qt.TextFormat.PlainText)
        look.set_role(self._notes, "warning")
        self._zoom.setToolTip("Fit the whole photo in, or show it at 100 % (double click)")
        self._zoom.setAccessibleName("Zoom")
        self._zoom.setStyleSheet("QToolButton { padding: 0px 6px; border-radius: 4px; }")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self.canvas, 1)
        layout.addWidget(frame)
        self.setFocusProxy(self.canvas)

    # ---- showing ----

    def _show_facts(self) -> None:
        facts, name = self._facts, printable(self._path.name)
        metrics = self._name.fontMetrics()
        self._name.setText(metrics.elidedText(name, Qt.TextElideMode.ElideMiddle, 24 * metrics.averageCharWidth() + 60))
        self._name.setToolTip(f"File:\n{printable(str(self._path))}")
        self._name.setAccessibleName(name)
        self.canvas.setAccessibleName(f"Photo {name}")
        _say(self._taken, printable(time_text(facts.taken_at)))
        _say(self._size, f"{facts.width} × {facts.height}" if facts.width else "")
        _say(self._place, place_text(facts))
        _say(self._notes, "\n".join(f"⚠ {printable(note)}" for note in facts.notes))
        self._strip.setVisible(True)
        self._zoom.setVisible(True)
        self._strip.arrange()

    def _say_drift(self, text: str, role: str) -> None:
        self._drift.setText(text)
        look.set_role(self._drift, role)
        self._strip.arrange()

    def _show_zoom(self) -> None:
        self._zoom.setText("fit" if self.canvas.fits else f"{100 * self.canvas.scale:.0f} %")

    # ---- reading ----

    def _have_small(self, turn: int, image: QImage) -> None:
        if turn == self._turn and self.canvas.image.isNull() and not image.isNull():
            self.canvas.show_image(image, self._whole(image))

    def _whole(self, image: QImage) -> QSizeF:
        """Of the photo, as far as that is known."""
        facts = self._facts
        return QSizeF(facts.width, facts.height) if facts.width and facts.height else QSizeF(image.size())

    def _look_closer(self) -> None:
        """The pixels that are there are fewer than the screen could show."""
        if self._loaded_side == _SCREEN_SIDE:
            self._side = _FULL_SIDE
            self._read_next()

    def _read_next(self) -> None:
        if self._reading or not self._side:
            return
        if len(self._late) >= _MOST_LATE:
            self._say_drift("✕ The disk or the network does not answer.", "bad")
            return
        turn, side = self._turn, self._side
        self._readings += 1
        self._reading, self._side = self._readings, 0
        self._patience.start()
        wanted = functools.partial(self._is_turn, turn)
        run(
            functools.partial(load, self._path, self._sha256, side=side, wanted=wanted),
            functools.partial(self._have, self._reading, turn, side),
            parent=self,
        )

    def _give_up(self) -> None:
        """Others need not wait for it; it is shown if it comes after all."""
        self._late.add(self._reading)
        self._reading = 0
        if not self._loaded_side:
            self._say_drift("✕ The file does not answer.", "bad")
        self._read_next()

    def _is_turn(self, turn: int) -> bool:
        return turn == self._turn

    def _have(self, reading: int, turn: int, side: int, loaded: Loaded | None) -> None:
        self._late.discard(reading)
        if reading == self._reading:
            self._patience.stop()
            self._reading = 0
        if loaded is not None and turn == self._turn:
            self._show(loaded, side)
        self._read_next()

    def _show(self, loaded: Loaded, side: int) -> None:
        self._loaded_side = side
        if loaded.drift:
            self._say_drift(f"✕ {loaded.drift}", "bad")
            self.drifted.emit(self._sha256)
            return
        self._say_drift("unchanged since intake ✓", "good")
        self.canvas.show_image(loaded.image, QSizeF(loaded.size))


def time_text(taken_at: str) -> str:
    """ "2025-06-14 16:20 +02:00" of "2025-06-14T16:20:00+02:00"; anything else as it is."""
    date, separator, time = taken_at.partition("T")
    if not separator:
        return taken_at
    zone = next((time[i:] for i, c in enumerate(time) if c in "+-Z"), "")
    return " ".join(part for part in (date, time[:5], zone) if part)


def place_text(facts: events.Began) -> str:
    """Whether the file says where it was taken; ring and word, as on the map."""
    if facts.known_lat is None:
        return "no GPS"
    return f"○ GPS in the file ({facts.known_from})" if facts.known_from and facts.known_from != "EXIF" else "○ GPS in the file"


def _say(label: QLabel, text: str) -> None:
    label.setText(text)
    label.setVisible(bool(text))


def _label(parent: QWidget) -> QLabel:
    label = QLabel(parent)
    label.setTextFormat(Qt.TextFormat.PlainText)
    return label
