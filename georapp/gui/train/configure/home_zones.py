"""Places whose photos are never used: where somebody lives."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QPushButton, QToolButton, QVBoxLayout, QWidget

from georapp import notation
from georapp.errors import NotationError
from georapp.gui import look
from georapp.gui.photos.flow import Flow
from georapp.gui.plain import breakable, label
from georapp.gui.train.configure.draft import Draft
from georapp.printable import printable

KEY = "album.home_zones"
_KM = "2"


class HomeZones(QWidget):
    """Of one draft."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self.place, self.km, self.add = QLineEdit(self), QLineEdit(_KM, self), QPushButton("Leave out", self)
        self.zones, self.error = Flow(parent=self), label("", "bad")
        self._name_fields()
        row = QHBoxLayout()
        row.setSpacing(6)
        row.addWidget(self.place, 1)
        row.addWidget(self.km)
        row.addWidget(label("km", "dim", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(self.add)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(label("Home zones: photos taken there are never used", "", wrap=True))
        column.addWidget(self.zones)
        column.addLayout(row)
        column.addWidget(self.error)
        self.add.clicked.connect(self._add)
        for field in (self.place, self.km):
            field.returnPressed.connect(self._add)
            field.textEdited.connect(lambda _text: self.error.hide())
        draft.changed.connect(lambda keys: self._show() if KEY in keys else None)
        self._show()

    def _name_fields(self) -> None:
        self.place.setPlaceholderText("Place, for example 48.137, 11.575")
        self.place.setAccessibleName("Middle of a home zone")
        self.place.setToolTip("Degrees, degrees with minutes and seconds, MGRS or a plus code")
        self.km.setAccessibleName("Radius of the home zone in km")
        self.km.setToolTip("Radius in km")
        self.km.setFixedWidth(52)
        for field in (self.place, self.km):
            field.setAcceptDrops(False)  # files are for the card
        self.add.setAccessibleName("Leave this zone out")

    def _add(self) -> None:
        try:
            place = notation.read(self.place.text())
            km = float(self.km.text().replace(",", "."))
        except NotationError as error:
            self._say(f"{error} {error.hint}")
            return
        except ValueError:
            self._say("The radius is a number of km.")
            return
        if not 0 < km <= 20_016:
            self._say("The radius is more than 0 km.")
            return
        zone = (round(place.lat, 5), round(place.lon, 5), km)
        self._draft.set(KEY, tuple(dict.fromkeys((*self._now(), zone))))
        self.place.clear()
        self.error.hide()

    def _say(self, sentence: str) -> None:
        self.error.setText(breakable(printable(f"✕ {sentence.strip()}")))
        self.error.show()

    def _remove(self, zone: tuple[float, ...]) -> None:
        self._draft.set(KEY, tuple(other for other in self._now() if other != zone))
        self.place.setFocus()

    def _now(self) -> tuple[tuple[float, ...], ...]:
        value = self._draft.value(KEY)
        return value if isinstance(value, tuple) else ()

    def _show(self) -> None:
        self.zones.empty()
        for zone in self._now():
            self.zones.put(self._chip(zone))
        self.zones.arrange()
        error = self._draft.error_of(KEY)
        self.error.setVisible(error is not None)
        if error:
            self._say(f"{error} {error.hint}")

    def _chip(self, zone: tuple[float, ...]) -> QToolButton:
        chip = QToolButton(self.zones)
        words = f"{zone[0]:g}, {zone[1]:g} · {zone[2]:g} km" if len(zone) == 3 else str(zone)
        chip.setText(f"{words}  ✕")
        look.set_role(chip, "chip")
        chip.setToolTip("Remove this home zone: its photos may be used again")
        chip.setAccessibleName(f"Remove the home zone {words}")
        chip.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        chip.clicked.connect(lambda: self._remove(zone))
        chip.show()
        return chip
