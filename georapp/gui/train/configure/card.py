"""Parts of the page Configure: cards with a title that take dropped files, widgets two by two, what is scrolled."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QDragEnterEvent, QDragLeaveEvent, QDropEvent, QResizeEvent
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QLayout, QScrollArea, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.dropped import from_mime
from georapp.gui.plain import label

STYLE = """
QPushButton[role="back"] { border: none; background: transparent; padding: 0 4px; font-size: 12px; color: palette(link); border-radius: 4px; }
QPushButton[role="back"]:focus, QPushButton[role="back"]:hover { background: palette(mid); }
QPushButton[role="line"] { border: 1px solid transparent; background: transparent; padding: 3px 0; text-align: left; border-radius: 4px; }
QPushButton[role="line"]:hover { color: palette(link); }
QPushButton[role="line"]:focus { border-color: palette(link); }
QPushButton[role="preset"]:checked { background: palette(mid); border-color: palette(link); font-weight: 600; }
QLabel[role="small"] { font-size: 12px; color: palette(placeholder-text); }
QFrame[role="chart"][drop="true"] { border: 1px dashed palette(link); }
"""  # of the whole page
TWO_PX = 700  # of a card's inside, from which on its parts stand two by two


class Card(QFrame):
    """`body` takes its contents, `tools` what stands at the right of the title."""

    def __init__(self, title: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        look.set_role(self, "chart")
        self.setAccessibleName(title)
        self.tools = QHBoxLayout()
        self.tools.setSpacing(6)
        head = QHBoxLayout()
        head.setSpacing(10)
        head.addWidget(label(title, "title", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        head.addLayout(self.tools)
        self.body = QVBoxLayout(self)
        self.body.setContentsMargins(14, 10, 14, 12)
        self.body.setSpacing(10)
        self.body.addLayout(head)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        """Files, but no settings, which are for the page. A card takes drops when `setAcceptDrops` was called."""
        if any(path.suffix != ".toml" for path in from_mime(event.mimeData())):
            event.acceptProposedAction()
            self.setProperty("drop", True)
            self._polish()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        """They went on."""
        super().dragLeaveEvent(event)
        self.setProperty("drop", False)
        self._polish()

    def dropEvent(self, event: QDropEvent) -> None:
        """Told by `take_drop`."""
        self.setProperty("drop", False)
        self._polish()
        if files := from_mime(event.mimeData()):
            event.acceptProposedAction()
            self.take_drop([str(file) for file in files])

    def take_drop(self, files: list[str]) -> None:
        """What a card that takes drops does with them."""

    def _polish(self) -> None:
        self.style().unpolish(self)
        self.style().polish(self)


class Pairs(QWidget):
    """Widgets two by two where there is room, else one below the other."""

    def __init__(self, widgets: Sequence[QWidget], *, wide_px: int, gap: int = 28, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._widgets, self._wide_px, self._two = list(widgets), wide_px, False
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(gap)
        self._grid.setVerticalSpacing(2)
        self._arrange(two=False)

    def _arrange(self, *, two: bool) -> None:
        self._two = two
        for n, widget in enumerate(self._widgets):
            self._grid.removeWidget(widget)
            row, column = divmod(n, 2) if two else (n, 0)
            self._grid.addWidget(widget, row, column, Qt.AlignmentFlag.AlignTop)
        for column in (0, 1):
            self._grid.setColumnStretch(column, 1 if two or column == 0 else 0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Another width may make other columns."""
        super().resizeEvent(event)
        if (two := self.width() >= self._wide_px) != self._two:
            self._arrange(two=two)


class Column(QWidget):
    """What is scrolled up and down: as high as it must be at its width, and not as if it were as narrow as can be."""

    def __init__(self) -> None:
        super().__init__()
        self.setAutoFillBackground(False)

    def minimumSizeHint(self) -> QSize:
        """The scroll area asks `heightForWidth` for the height."""
        return QSize(super().minimumSizeHint().width(), 0)


def scrolled(content: Column, parent: QWidget) -> QScrollArea:
    """Without a background of its own."""
    area = QScrollArea(parent)
    area.setWidgetResizable(True)
    area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    area.setWidget(content)
    content.setAutoFillBackground(False)  # which setWidget turns on
    area.viewport().setAutoFillBackground(False)
    return area


def empty(layout: QLayout) -> None:
    """Let all its widgets go."""
    while item := layout.takeAt(0):
        if widget := item.widget():
            widget.hide()
            widget.deleteLater()
        elif inner := item.layout():
            empty(inner)
