"""Paints a photo's row: small picture, name, place, kilometres and verdict. One painter for all rows, no widget for any of them."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QPointF, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QFont, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from georapp.gui import look
from georapp.gui.photos.photo_rows import ROW_ROLE, WORDS_ROLE
from georapp.gui.photos.row_words import Piece, Tone, Words
from georapp.gui.photos.small_pictures import SmallPictures

PICTURE = QSize(56, 44)
_EDGE = 12
_GAP = 10  # between picture and text
_TINT = 0.08  # of the accent, over selected rows; more would take contrast from their text
_BAR = 3  # the accent at the left of the current row
_LINE = int(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter) | int(
    Qt.TextFlag.TextSingleLine | Qt.TextFlag.TextForceLeftToRight
)


class RowPainter(QStyledItemDelegate):
    """Asks `pictures` while painting, so that only rows on the screen are ever read."""

    def __init__(self, pictures: SmallPictures, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._pictures = pictures

    def sizeHint(self, option: QStyleOptionViewItem, _index: QModelIndex | QPersistentModelIndex) -> QSize:
        """The same for all rows: three lines of text."""
        lines = 3 * _line_height(option.fontMetrics)
        return QSize(200, max(PICTURE.height(), lines) + 16)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> None:
        """One row."""
        colours, words = look.current(), index.data(WORDS_ROLE)
        rect: QRect = option.rect
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        _paint_ground(painter, option, colours, current=_is_current(option, index))
        picture = QRect(
            rect.left() + _EDGE, rect.top() + (rect.height() - PICTURE.height()) // 2, PICTURE.width(), PICTURE.height()
        )
        self._paint_picture(painter, picture, index.data(ROW_ROLE).sha256, colours)
        left = picture.right() + 1 + _GAP
        _paint_words(painter, QRect(left, rect.top(), rect.right() - _EDGE - left, rect.height()), option.font, words, colours)
        painter.restore()

    def _paint_picture(self, painter: QPainter, rect: QRect, sha256: str, colours: look.Colours) -> None:
        pixmap = self._pictures.pixmap(sha256, painter.device().devicePixelRatioF())
        if pixmap is not None:
            painter.drawPixmap(rect, pixmap)
            return
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(colours.line))
        painter.drawRoundedRect(rect, 5, 5)
        _paint_sign(painter, QPointF(rect.center()), QColor(colours.dim))


def _is_current(option: QStyleOptionViewItem, index: QModelIndex | QPersistentModelIndex) -> bool:
    view = option.widget
    return view is not None and bool(view.property("current_number") == index.data(ROW_ROLE).number)


def _paint_ground(painter: QPainter, option: QStyleOptionViewItem, colours: look.Colours, *, current: bool) -> None:
    rect: QRect = option.rect
    state = option.state
    if state & QStyle.StateFlag.State_Selected:
        tint = QColor(colours.accent)
        tint.setAlphaF(_TINT)
        painter.fillRect(rect, tint)
    elif current:
        painter.fillRect(rect, QColor(colours.raised))
    elif state & QStyle.StateFlag.State_MouseOver:
        ground = QColor(colours.raised)
        ground.setAlphaF(0.5)
        painter.fillRect(rect, ground)
    painter.fillRect(QRect(rect.left(), rect.bottom(), rect.width(), 1), QColor(colours.line))
    if current:
        painter.fillRect(QRect(rect.left(), rect.top(), _BAR, rect.height()), QColor(colours.accent))
    if state & QStyle.StateFlag.State_HasFocus:
        painter.setPen(QPen(QColor(colours.accent), 1))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawRoundedRect(QRectF(rect).adjusted(_BAR + 1.5, 1.5, -1.5, -2.5), 4, 4)


def _paint_sign(painter: QPainter, centre: QPointF, colour: QColor) -> None:
    """A picture frame with a hill: there is a photo, but no picture of it yet."""
    painter.setPen(QPen(colour, 1.5))
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.drawRoundedRect(QRectF(centre.x() - 9, centre.y() - 7, 18, 14), 2, 2)
    points = [QPointF(centre.x() + x, centre.y() + y) for x, y in ((-7, 5), (-2, -1), (1, 2), (4, -2), (7, 3))]
    painter.drawPolyline(points)


# ---- words ----


def _paint_words(painter: QPainter, rect: QRect, font: QFont, words: Words, colours: look.Colours) -> None:
    """Name, place and, where there are any, the pieces: two or three lines around the middle."""
    bold = QFont(font)
    bold.setWeight(QFont.Weight.DemiBold)
    height = _line_height(QFontMetrics(font))
    top = rect.top() + (rect.height() - height * (3 if words.pieces else 2)) // 2
    line = QRect(rect.left(), top, rect.width(), height)
    _paint_line(painter, line, bold, words.name, QColor(colours.text), Qt.TextElideMode.ElideMiddle)
    line.translate(0, height)
    _paint_line(painter, line, font, words.place.text, _colour(words.place.tone, colours), Qt.TextElideMode.ElideRight)
    line.translate(0, height)
    _paint_pieces(painter, line, font, words.pieces, colours)


def _paint_line(painter: QPainter, rect: QRect, font: QFont, text: str, colour: QColor, mode: Qt.TextElideMode) -> int:
    """Returns how wide it became."""
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(text, mode, max(0, rect.width()), int(Qt.TextFlag.TextForceLeftToRight))
    painter.setFont(font)
    painter.setPen(colour)
    painter.drawText(rect, _LINE, shown)
    return metrics.horizontalAdvance(shown)


def _paint_pieces(painter: QPainter, line: QRect, font: QFont, pieces: tuple[Piece, ...], colours: look.Colours) -> None:
    """Where there is no room for all of them, a chip is only its symbol."""
    metrics = QFontMetrics(font)
    short = sum(metrics.horizontalAdvance(piece.text) + 20 for piece in pieces) > line.width()
    left = line.left()
    for piece in pieces:
        rest = QRect(left, line.top(), line.right() + 1 - left, line.height())
        if rest.width() < 16:
            return
        left += (_paint_chip if piece.chip else _paint_piece)(
            painter, rest, font, _symbol(piece) if short else piece, colours
        ) + 8


def _symbol(piece: Piece) -> Piece:
    return replace(piece, text=piece.text.split(" ")[0]) if piece.chip else piece


def _paint_piece(painter: QPainter, rest: QRect, font: QFont, piece: Piece, colours: look.Colours) -> int:
    colour, ring = _colour(piece.tone, colours), 0
    if piece.tone is Tone.TRUTH:
        ring = 13
        painter.setPen(QPen(colour, 1.8))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.drawEllipse(QPointF(rest.left() + 4.5, rest.center().y() + 0.5), 3.5, 3.5)
        colour = QColor(colours.text)
    return ring + _paint_line(painter, rest.adjusted(ring, 0, 0, 0), font, piece.text, colour, Qt.TextElideMode.ElideRight)


def _paint_chip(painter: QPainter, rest: QRect, font: QFont, piece: Piece, colours: look.Colours) -> int:
    small = QFont(font)
    small.setPixelSize(max(9, round(QFontMetrics(font).height() * 0.72)))
    width = min(QFontMetrics(small).horizontalAdvance(piece.text) + 12, rest.width())
    colour = _colour(piece.tone, colours)
    ground = QColor(colour)
    ground.setAlphaF(0.14)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(ground)
    painter.drawRoundedRect(QRectF(rest.left(), rest.top() + 0.5, width, rest.height() - 1), 4, 4)
    inside = QRect(rest.left() + 6, rest.top(), width - 11, rest.height())
    _paint_line(painter, inside, small, piece.text, colour, Qt.TextElideMode.ElideRight)
    return width


def _line_height(metrics: QFontMetrics) -> int:
    return max(16, metrics.height() + 2)


def _colour(tone: Tone, colours: look.Colours) -> QColor:
    of = {
        Tone.PLAIN: colours.text,
        Tone.DIM: colours.dim,
        Tone.GOOD: colours.good,
        Tone.WARNING: colours.warning,
        Tone.BAD: colours.bad,
        Tone.HUMAN: colours.human,
        Tone.ACCENT: colours.accent,
        Tone.TRUTH: colours.truth,
    }
    return QColor(of[tone])
