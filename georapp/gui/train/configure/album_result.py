"""What an album is made of: how many photos on which side, what was left out and why, where they are."""

from __future__ import annotations

from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QLabel, QVBoxLayout, QWidget

from georapp.album_scan import AlbumSeen
from georapp.gui.photos.flow import Flow
from georapp.gui.plain import breakable, label, tooltip
from georapp.gui.train.configure.album_map import AlbumMap
from georapp.gui.train.configure.country_bars import CountryBars
from georapp.printable import printable

_SIDE_BY_SIDE_PX = 620
_PICTURE_PX = 220


class AlbumResult(QWidget):
    """Of one scan."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.counts = Flow(gap=6, line_gap=6, parent=self)
        self.sentences = QVBoxLayout()
        self.sentences.setSpacing(2)
        self.map, self.bars = AlbumMap(self), CountryBars(self)
        self._pictures = QBoxLayout(QBoxLayout.Direction.TopToBottom)
        self._pictures.setSpacing(10)
        self._pictures.addWidget(self.map, 3)
        self._pictures.addWidget(self.bars, 2)
        self.map.setMinimumHeight(_PICTURE_PX)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.counts)
        column.addLayout(self._pictures)
        column.addLayout(self.sentences)

    def show_album(self, seen: AlbumSeen) -> None:
        """All of it."""
        self._show_counts(seen)
        self._show_sentences(seen)
        self.map.show_places(seen.places)
        self.bars.show_countries(seen.countries)

    def _show_counts(self, seen: AlbumSeen) -> None:
        self.counts.empty()
        probe = f", {seen.probe:,} of them measure progress" if seen.probe else ""
        groups = f"{seen.groups:,} groups" if seen.groups else ""
        for text, about in (
            (f"● {seen.train:,} to train on", "Photos that the model learns from"),
            (f"○ {seen.held_out:,} held out", f"Photos that the model never learns from{probe}"),
            (f"of {seen.photos:,} photos", f"{seen.with_place:,} of them with a place"),
            (f"{len(seen.countries):,} countries", "In which they were taken"),
            (groups, "Photos of one place, burst or photographer hang together and lie on one side of the split"),
        ):
            if text:
                chip = label(text, "chip", wrap=False)
                chip.setToolTip(tooltip(about))
                chip.setAccessibleDescription(about)
                self.counts.put(chip)
                chip.show()
        self.counts.arrange()

    def _show_sentences(self, seen: AlbumSeen) -> None:
        while item := self.sentences.takeAt(0):
            if widget := item.widget():
                widget.hide()
                widget.deleteLater()
        for sentence, hint in seen.warnings:
            self._say(f"▲ {sentence}", "warning")
            if hint:
                self._say(hint, "small")
        if seen.left_out:
            self._say(f"Left out: {'; '.join(seen.left_out)}.", "dim")
        said = {sentence for sentence, _ in seen.warnings}
        for note in seen.notes:
            if note not in said:
                self._say(note, "small")

    def _say(self, text: str, role: str) -> None:
        self.sentences.addWidget(label(breakable(printable(" ".join(text.split()))), role))

    def texts(self) -> list[str]:
        """What is said below the pictures."""
        items = [self.sentences.itemAt(n) for n in range(self.sentences.count())]
        return [widget.text() for item in items if item and isinstance(widget := item.widget(), QLabel)]

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Side by side where there is room."""
        super().resizeEvent(event)
        row, column = QBoxLayout.Direction.LeftToRight, QBoxLayout.Direction.TopToBottom
        wanted = row if self.width() >= _SIDE_BY_SIDE_PX else column
        if self._pictures.direction() != wanted:
            self._pictures.setDirection(wanted)
