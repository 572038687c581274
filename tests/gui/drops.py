"""Drops as a desktop makes them."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt, QUrl
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QApplication, QWidget

_COPY, _LEFT, _NO = Qt.DropAction.CopyAction, Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def files(*paths: Path) -> QMimeData:
    """What a file manager hands over."""
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(path)) for path in paths])
    return data


def drop(widget: QWidget, data: QMimeData) -> bool:
    """On the middle of a widget; whether anybody took it. Qt goes up from there until a widget accepts."""
    where = widget.rect().center()
    taker: QWidget | None = widget
    while taker is not None:
        if taker.acceptDrops() and _accepts(taker, widget.mapTo(taker, where), data):
            event = QDropEvent(QPointF(widget.mapTo(taker, where)), _COPY, data, _LEFT, _NO)
            QApplication.sendEvent(taker, event)
            return event.isAccepted()
        taker = None if taker.isWindow() else taker.parentWidget()
    return False


def _accepts(widget: QWidget, where: QPoint, data: QMimeData) -> bool:
    enter = QDragEnterEvent(where, _COPY, data, _LEFT, _NO)
    enter.setAccepted(False)
    QApplication.sendEvent(widget, enter)
    return enter.isAccepted()
