"""The map's buttons and their symbols."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import QColor, QIcon, QPainter, QPainterPath, QPen, QPixmap
from PySide6.QtWidgets import QToolButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.map.card import Card, named


class Buttons(Card):
    """Zoom, the whole world, measure, a picture of the map."""

    zoomed = Signal(int)
    world_wanted = Signal()
    measured = Signal(bool)  # begun or ended
    picture_wanted = Signal()

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent, name="mapButtons")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(4, 4, 4, 4)
        layout.setSpacing(0)
        self.measure = self._button("measure", "Measure a distance and a bearing: two clicks (M)")
        self.measure.setCheckable(True)
        self.picture = self._button("picture", "Save the map as a picture")
        self.world = self._button("world", "The whole world (0)")
        self.closer = self._button("closer", "Closer (+)")
        self.farther = self._button("farther", "Farther (−)")
        for button in (self.measure, self.picture, self.world, self.closer, self.farther):
            layout.addWidget(button)
        self.measure.toggled.connect(self.measured)
        self.picture.clicked.connect(self.picture_wanted)
        self.world.clicked.connect(self.world_wanted)
        self.closer.clicked.connect(lambda: self.zoomed.emit(1))
        self.farther.clicked.connect(lambda: self.zoomed.emit(-1))
        self.resize(self.sizeHint())

    def dress(self) -> None:
        """Symbols take the colours of the theme."""
        super().dress()
        for button in self.findChildren(QToolButton):
            button.setIcon(symbol(button.objectName(), look.current().text))

    def _button(self, name: str, tip: str) -> QToolButton:
        button = named(QToolButton(self), tip.partition(" (")[0].partition(":")[0], tip)
        button.setObjectName(name)
        button.setIconSize(QSize(20, 20))
        button.setFixedSize(32, 32)
        button.setIcon(symbol(name, look.current().text))
        return button


def symbol(name: str, colour: str) -> QIcon:
    """Drawn with lines of one width on 20 x 20 pixels."""
    icon = QIcon()
    for factor in (1, 2):
        pixmap = QPixmap(20 * factor, 20 * factor)
        pixmap.setDevicePixelRatio(factor)
        pixmap.fill(Qt.GlobalColor.transparent)
        painter = QPainter(pixmap)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        pen = QPen(QColor(colour), 1.6, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap, Qt.PenJoinStyle.RoundJoin)
        painter.setPen(pen)
        painter.drawPath(_path(name))
        painter.end()
        icon.addPixmap(pixmap)
    return icon


def _path(name: str) -> QPainterPath:
    path = QPainterPath()
    for points in _LINES.get(name, ()):
        path.moveTo(*points[0])
        for point in points[1:]:
            path.lineTo(*point)
    if name == "world":
        path.addEllipse(QPointF(10, 10), 7, 7)
        path.addEllipse(QPointF(10, 10), 3, 7)
    if name == "picture":
        path.addRoundedRect(QRectF(3, 6, 14, 10), 2, 2)
        path.addEllipse(QPointF(10, 11), 2.6, 2.6)
    return path


_LINES: dict[str, tuple[tuple[tuple[float, float], ...], ...]] = {
    "closer": (((4, 10), (16, 10)), ((10, 4), (10, 16))),
    "farther": (((4, 10), (16, 10)),),
    "world": (((3, 10), (17, 10)),),
    "picture": (((7, 6), (8, 4), (12, 4), (13, 6)),),
    "measure": (
        ((2.5, 13.5), (13.5, 2.5), (17.5, 6.5), (6.5, 17.5), (2.5, 13.5)),
        ((6, 10), (7.6, 11.6)),
        ((8.5, 7.5), (10.7, 9.7)),
        ((11, 5), (12.6, 6.6)),
    ),
}
