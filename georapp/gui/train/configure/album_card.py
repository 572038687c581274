"""The photos: where they come from, what is left out, how they are labelled, and what a scan finds."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QPushButton, QVBoxLayout, QWidget

from georapp.album_scan import AlbumSeen
from georapp.errors import GeorappError
from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.configure.album_result import AlbumResult
from georapp.gui.train.configure.card import TWO_PX, Card, Pairs
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.configure.home_zones import HomeZones
from georapp.gui.train.configure.setting_field import SettingField
from georapp.gui.train.configure.source_list import KEY, SourceList
from georapp.printable import printable

_FIELDS = (
    ("album.labels", "Names of regions", "By polygons; or by the nearest town, as in Geo-R"),
    ("album.held_out_percent", "Held out, percent", "Whole groups on which the model is measured"),
)
_NOT_SCANNED = "Not scanned yet. A scan reads every file once and shows what is usable."
_OLD = "▲ The settings of the album were changed since this scan."


class AlbumCard(Card):
    """Of one draft. A scan is asked for by signals and shown by methods."""

    scan_asked, cancel_asked = Signal(), Signal()

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__("Album", parent)
        self._draft = draft
        self.setAcceptDrops(True)
        self.sources, self.zones = SourceList(draft, self), HomeZones(draft, self)
        self.fields = {key: SettingField(key, draft, self, name=name, about=about) for key, name, about in _FIELDS}
        self.result: AlbumResult | None = None
        self._result_place = QVBoxLayout()
        self._scan_part = self._make_scan_part()
        left = _stacked(self.sources, self._scan_part)
        right = _stacked(*self.fields.values(), self.zones)
        self.body.addWidget(Pairs((left, right), wide_px=TWO_PX, parent=self))
        self.body.addLayout(self._result_place)
        self.body.addStretch(1)
        draft.changed.connect(self._refresh)
        self.show_nothing()

    def _make_scan_part(self) -> QWidget:
        self.scan, self.progress, self.said = QPushButton("Scan", self), QProgressBar(self), label("", "dim")
        self.scan.setToolTip("Read all sources and show what is usable; files that were read before are not read again")
        self.scan.clicked.connect(lambda: (self.cancel_asked if self._busy else self.scan_asked).emit())
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName("Progress of the scan")
        self.hint = label("", "dim")
        row = QHBoxLayout()
        row.setSpacing(10)
        row.addWidget(self.scan)
        row.addWidget(self.said, 1, Qt.AlignmentFlag.AlignVCenter)
        made = QWidget(self)
        column = QVBoxLayout(made)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(row)
        column.addWidget(self.progress)
        column.addWidget(self.hint)
        return made

    _busy = False

    def take_drop(self, files: list[str]) -> None:
        """Sources."""
        self.sources.add(files)

    def _refresh(self, keys: frozenset[str]) -> None:
        for key in keys & self.fields.keys():
            self.fields[key].refresh()
        if KEY in keys:
            self._show_scan_part()

    def _show_scan_part(self) -> None:
        self._scan_part.setVisible(bool(self._draft.value(KEY)) or self._busy or self.result is not None)

    # ---- the scan ----

    def show_nothing(self) -> None:
        """None was made, or it was given up."""
        self._show_busy(False)
        if self.result is not None:
            self.show_old()
        else:
            self._say(_NOT_SCANNED, "", "dim")
        self._show_scan_part()

    def show_progress(self, done: int, of: int) -> None:
        """Photos that were read, of how many; 0 while they are counted."""
        self._show_busy(True)
        self.progress.setRange(0, of)
        self.progress.setValue(done)
        self._say(f"{done:,} of {of:,} photos read" if of else "Looking for photos…", "", "dim")
        self._show_scan_part()

    def show_album(self, seen: AlbumSeen) -> None:
        """What was found."""
        if self.result is None:
            self.result = AlbumResult(self)
            self._result_place.addWidget(self.result)
        self._show_busy(False)
        self.result.show_album(seen)
        self.result.show()
        self._say("✓ Scanned", "", "good")
        self._show_scan_part()

    def show_old(self) -> None:
        """What was found is no longer what the settings say."""
        self._say(_OLD, "", "warning")

    def show_again(self) -> None:
        """The settings are those of the scan again."""
        self._say("✓ Scanned", "", "good")

    def show_failed(self, error: GeorappError) -> None:
        """Why there is nothing."""
        if self.result is not None:
            self.result.hide()
            self.result.deleteLater()
            self.result = None
        self._show_busy(False)
        self._say(f"✕ {error}", error.hint, "bad")
        self._show_scan_part()

    def _show_busy(self, busy: bool) -> None:
        self._busy = busy
        self.scan.setText("Cancel" if busy else "Scan again" if self.result is not None else "Scan")
        self.scan.setAccessibleName(f"{self.scan.text()} the album" if not busy else "Cancel the scan")
        self.progress.setVisible(busy)

    def _say(self, sentence: str, hint: str, tone: str) -> None:
        self.said.setText(breakable(printable(" ".join(sentence.split()))))
        look.set_role(self.said, tone)
        self.hint.setText(breakable(printable(hint)))
        self.hint.setVisible(bool(hint))


def _stacked(*widgets: QWidget) -> QWidget:
    made = QWidget()
    column = QVBoxLayout(made)
    column.setContentsMargins(0, 0, 0, 0)
    column.setSpacing(8)
    for widget in widgets:
        column.addWidget(widget)
    column.addStretch(1)
    return made
