"""Pixels that can be zoomed and moved. It knows nothing of files."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRectF, QSizeF, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QImage,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from georapp.gui import look

GROUND = QColor("#0b0d10")  # photos are judged on the same dark ground in both themes
_STEP = 1.25
_MOST = 8.0  # screen pixels for each of the photo's
_NOTCH = 120.0  # what a wheel says for one click


class Canvas(QWidget):
    """Shows one image. `enlarged` when it is shown larger than its pixels allow and a finer one would help.

    `size` of a photo is in its own pixels; the image may be a smaller version of it. The scale is in logical pixels of the screen
    for each of the photo's pixels; None fits the whole photo in.
    """

    enlarged = Signal()
    scaled = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._image, self._size = QImage(), QSizeF()
        self._scale: float | None = None
        self._centre = QPointF(0.5, 0.5)  # the part of the photo in the middle of the screen, in shares of its size
        self._grabbed: QPointF | None = None
        self._by_keys = False
        self.setMinimumSize(160, 120)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_OpaquePaintEvent)
        self.setToolTip("Wheel, + and −: zoom. Drag: move. 0: fit. Double click: fit or 100 %.")

    # ---- what is shown ----

    def show_image(self, image: QImage, size: QSizeF) -> None:
        """Another version of the same photo: zoom and place stay. `size` in the photo's own pixels."""
        self._image, self._size = image, size
        self._tell()

    def clear(self) -> None:
        """Nothing, and the next photo fits in."""
        self._image, self._size, self._scale = QImage(), QSizeF(), None
        self._centre = QPointF(0.5, 0.5)
        self._tell()

    @property
    def image(self) -> QImage:
        """What is drawn."""
        return self._image

    @property
    def scale(self) -> float:
        """Screen pixels for each of the photo's; device pixels, so that 1 is as sharp as it gets."""
        return self._factor() * self.devicePixelRatioF()

    @property
    def fits(self) -> bool:
        """Whether the whole photo is fitted in."""
        return self._scale is None

    def zoom(self, factor: float, at: QPointF | None = None) -> None:
        """Closer by a factor; the point `at` of the widget stays where it is."""
        if self._image.isNull():
            return
        at = at or QPointF(self.width() / 2, self.height() / 2)
        under = self._share(at)
        fit = self._fitting()
        target = min(max(self._factor() * factor, fit), max(_MOST / self.devicePixelRatioF(), fit))
        self._scale = None if target <= fit * 1.001 else target
        moved = self._share(at)
        self._move_by(under - moved)
        self._tell()

    def fit(self) -> None:
        """The whole photo."""
        self._scale = None
        self._tell()

    def toggle(self, at: QPointF | None = None) -> None:
        """From fitted in to 100 % and back."""
        if self.fits:
            self.zoom(1 / (self._factor() * self.devicePixelRatioF()), at)
        else:
            self.fit()

    # ---- Qt ----

    def paintEvent(self, _event: QPaintEvent) -> None:
        """Only the part that is in sight is scaled."""
        painter = QPainter(self)
        painter.fillRect(self.rect(), GROUND)
        if not self._image.isNull():
            painter.setRenderHint(QPainter.RenderHint.SmoothPixmapTransform, self._smooth())
            place = self._place()
            seen = place.intersected(QRectF(self.rect()))
            ratio_x, ratio_y = self._image.width() / place.width(), self._image.height() / place.height()
            corner = seen.topLeft() - place.topLeft()
            source = QRectF(corner.x() * ratio_x, corner.y() * ratio_y, seen.width() * ratio_x, seen.height() * ratio_y)
            painter.drawImage(seen, self._image, source)
        if self._by_keys:
            painter.setPen(QPen(QColor(look.current().accent), 1))
            painter.drawRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5))
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Fitted in, it may now be larger."""
        super().resizeEvent(event)
        self._move_by(QPointF())
        self._tell()

    def focusInEvent(self, event: QFocusEvent) -> None:
        """A frame for those who came by keyboard."""
        super().focusInEvent(event)
        self._by_keys = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        self.update()

    def focusOutEvent(self, event: QFocusEvent) -> None:
        """And none any more."""
        super().focusOutEvent(event)
        self._by_keys = False
        self.update()

    def wheelEvent(self, event: QWheelEvent) -> None:
        """Zoom at the pointer."""
        self.zoom(_STEP ** (event.angleDelta().y() / _NOTCH), event.position())
        event.accept()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        """Take hold of the photo."""
        if event.button() == Qt.MouseButton.LeftButton and not self.fits:
            self._grabbed = event.position()
            self.setCursor(Qt.CursorShape.ClosedHandCursor)
        else:
            super().mousePressEvent(event)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        """Move it along."""
        if self._grabbed is not None:
            way, size = event.position() - self._grabbed, self._place().size()
            self._grabbed = event.position()
            self._move_by(QPointF(-way.x() / size.width(), -way.y() / size.height()))
            self.update()

    def mouseReleaseEvent(self, _event: QMouseEvent) -> None:
        """Let go."""
        self._grabbed = None
        self._show_cursor()

    def mouseDoubleClickEvent(self, event: QMouseEvent) -> None:
        """Fit or 100 %."""
        self._grabbed = None
        self.toggle(event.position())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        """+ − 0 and, when zoomed in, the arrows; other keys are the window's."""
        key = event.key()
        ways = {Qt.Key.Key_Left: (-1, 0), Qt.Key.Key_Right: (1, 0), Qt.Key.Key_Up: (0, -1), Qt.Key.Key_Down: (0, 1)}
        if key in (Qt.Key.Key_Plus, Qt.Key.Key_Equal):
            self.zoom(_STEP)
        elif key in (Qt.Key.Key_Minus, Qt.Key.Key_Underscore):
            self.zoom(1 / _STEP)
        elif key == Qt.Key.Key_0:
            self.fit()
        elif key in ways and not self.fits:
            x, y = ways[Qt.Key(key)]
            size = self._place().size()
            self._move_by(QPointF(x * 48 / size.width(), y * 48 / size.height()))
            self.update()
        else:
            event.ignore()

    # ---- inside ----

    def _fitting(self) -> float:
        """The scale at which the whole photo is seen; never above its own pixels."""
        if self._size.isEmpty():
            return 1.0
        fit = min(self.width() / self._size.width(), self.height() / self._size.height())
        return min(fit, 1 / self.devicePixelRatioF())

    def _factor(self) -> float:
        return self._fitting() if self._scale is None else self._scale

    def _place(self) -> QRectF:
        """Where the whole photo would lie, in coordinates of the widget."""
        size = self._size * self._factor()
        left = self.width() / 2 - self._centre.x() * size.width()
        top = self.height() / 2 - self._centre.y() * size.height()
        return QRectF(QPointF(left, top), size)

    def _share(self, point: QPointF) -> QPointF:
        place = self._place()
        return QPointF((point.x() - place.left()) / place.width(), (point.y() - place.top()) / place.height())

    def _move_by(self, way: QPointF) -> None:
        """Never so far that ground shows where there could be photo."""
        if self._size.isEmpty():
            return
        size = self._size * self._factor()
        moved = []
        for value, whole, part in (
            (self._centre.x() + way.x(), size.width(), self.width()),
            (self._centre.y() + way.y(), size.height(), self.height()),
        ):
            half = part / 2 / whole
            moved.append(0.5 if half >= 0.5 else min(max(value, half), 1 - half))
        self._centre = QPointF(*moved)

    def _smooth(self) -> bool:
        """Far above 100 % single pixels are wanted."""
        return self.scale < 3 or self._image.width() < self._size.width()

    def _tell(self) -> None:
        self._show_cursor()
        self.update()
        self.scaled.emit()
        if not self._image.isNull() and self._size.width() * self.scale > self._image.width() * 1.05 < self._size.width():
            self.enlarged.emit()

    def _show_cursor(self) -> None:
        self.setCursor(Qt.CursorShape.ArrowCursor if self.fits else Qt.CursorShape.OpenHandCursor)
