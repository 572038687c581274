"""Texts in rows and columns, whose labels are kept: making fifty of them anew takes longer than a frame."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLabel, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.printable import printable

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Cell:
    """A text with its role of the stylesheet. `right`: a figure, which stands at the right; `wrap`: it may take several lines."""

    text: str
    role: str = ""
    right: bool = False
    wrap: bool = False


class TextGrid(QWidget):
    """`show_rows` as often as there is news; what is the same stays untouched."""

    def __init__(self, stretched: int, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._labels: dict[tuple[int, int], QLabel] = {}
        self._cells: dict[tuple[int, int], Cell] = {}
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(6)
        self._grid.setColumnStretch(stretched, 1)

    def show_rows(self, rows: Sequence[Sequence[Cell]]) -> None:
        """Cells by row and column."""
        cells = {(row, column): cell for row, line in enumerate(rows) for column, cell in enumerate(line)}
        for place in self._cells.keys() - cells.keys():
            self._labels[place].hide()
        for place, cell in cells.items():
            if self._cells.get(place) != cell:
                self._put(place, cell)
        self._cells = cells

    def _put(self, place: tuple[int, int], cell: Cell) -> None:
        text = self._labels.get(place)
        if text is None:
            text = self._labels[place] = label("", "", wrap=cell.wrap)
            text.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
            self._grid.addWidget(text, *place)
        text.setWordWrap(cell.wrap)
        side = Qt.AlignmentFlag.AlignRight if cell.right else Qt.AlignmentFlag.AlignLeft
        text.setAlignment(side | Qt.AlignmentFlag.AlignAbsolute | Qt.AlignmentFlag.AlignTop)
        text.setText("\n".join(breakable(printable(line)) for line in cell.text.splitlines())[:_LONGEST])
        look.set_role(text, cell.role)
        text.show()
