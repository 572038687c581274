"""What SFT learns of a photo, token by token: the photo as the model gets it, and the text with what is learned marked."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QEvent, Qt
from PySide6.QtGui import QColor, QKeySequence, QResizeEvent, QShortcut, QTextBlockFormat, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import (
    QBoxLayout,
    QFrame,
    QHBoxLayout,
    QProgressBar,
    QPushButton,
    QStackedWidget,
    QTextEdit,
    QVBoxLayout,
    QWidget,
)

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.configure import tokens
from georapp.gui.train.configure.sample_photo import SamplePhoto
from georapp.printable import printable

_NARROW_PX = 520  # below which the text stands under the photo
_LINE_PERCENT, _TEXT_PX = 135, 180  # between lines; height of the text
_EMPTY = "No sample yet. It shows what the model is asked about a photo of the album, and which words it learns."
_BUSY = "The first photos of the album are made into tokens…"


@dataclass(frozen=True, slots=True)
class Sample:
    """A photo and its tokens: text, and whether it is learned."""

    photo: Path
    tokens: tuple[tuple[str, bool], ...]


class SampleView(QFrame):
    """One sample at a time; Ctrl and Page up or Page down show the others."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._samples: Sequence[Sample] = ()
        self._n, self._max_pixels = 0, 0
        self.setAccessibleName("Sample of what is learned")
        self._words, self._hint, self._bar = label(_EMPTY, "dim"), label("", "dim"), QProgressBar(self)
        self._bar.setRange(0, 0)
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName(_BUSY)
        self.photo = SamplePhoto(self)
        self._text = QTextEdit(self)
        self._counts, self._which = label("", "dim"), label("", "dim", wrap=False)
        self._before, self._after = QPushButton("Previous", self), QPushButton("Next", self)
        self._dress_parts()
        self._lay_out()
        self.clear()

    def _dress_parts(self) -> None:
        self._text.setReadOnly(True)
        self._text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self._text.setTabChangesFocus(True)
        self._text.setMinimumHeight(_TEXT_PX)
        self._text.document().setDocumentMargin(10)
        look.set_role(self._text, "chart")
        self._text.setAccessibleName("Tokens of the sample")
        for button, name, key, step in (
            (self._before, "Previous sample", "Ctrl+PgUp", -1),
            (self._after, "Next sample", "Ctrl+PgDown", 1),
        ):
            button.setAccessibleName(name)
            button.setToolTip(f"{name} ({key.replace('PgUp', 'Page up').replace('PgDown', 'Page down')})")
            button.clicked.connect(functools.partial(self._turn, step))
            shortcut = QShortcut(QKeySequence(key), self, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(functools.partial(self._turn, step))

    def _lay_out(self) -> None:
        waiting = QWidget(self)
        column = QVBoxLayout(waiting)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        for part in (self._words, self._hint, self._bar):
            column.addWidget(part)
        column.addStretch()
        self._pages = QStackedWidget(self)
        self._pages.addWidget(waiting)
        self._pages.addWidget(self._sample_page())
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.addWidget(self._pages)

    def _sample_page(self) -> QWidget:
        page, right, foot = QWidget(self), QVBoxLayout(), QHBoxLayout()
        for widget in (self._which, self._before, self._after):
            foot.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        foot.setSpacing(8)
        foot.insertStretch(0, 1)
        right.setSpacing(8)
        right.addWidget(self._text, 1)
        right.addWidget(self._counts)
        right.addLayout(foot)
        self._both = QBoxLayout(QBoxLayout.Direction.LeftToRight, page)
        self._both.setContentsMargins(0, 0, 0, 0)
        self._both.setSpacing(16)
        self._both.addWidget(self.photo)
        self._both.addLayout(right, 1)
        return page

    # ---- states ----

    def show_samples(self, samples: Sequence[Sample], *, max_pixels: int = 0) -> None:
        """The first of them. `max_pixels` as in model.max_pixels: the photo is shown scaled down to so many; 0: as it is."""
        self._samples, self._n, self._max_pixels = tuple(samples), 0, max_pixels
        if self._samples:
            self._show()
        else:
            self.clear()

    def show_busy(self) -> None:
        """They are being made."""
        self._wait(_BUSY, "", "dim", busy=True)

    def show_failed(self, sentence: str, hint: str) -> None:
        """They cannot be made: why, and what to do."""
        self._wait(breakable(printable(sentence)), breakable(printable(hint)), "bad", busy=False)

    def clear(self) -> None:
        """There is nothing to show yet."""
        self._wait(_EMPTY, "", "dim", busy=False)

    def _wait(self, words: str, hint: str, role: str, *, busy: bool) -> None:
        self._samples = ()
        self._words.setText(words)
        look.set_role(self._words, role)
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))
        self._bar.setVisible(busy)
        self._pages.setCurrentIndex(0)
        self.setAccessibleDescription(f"{words} {hint}".strip())

    # ---- a sample ----

    def _turn(self, step: int) -> None:
        if 0 <= self._n + step < len(self._samples):
            self._n += step
            self._show()

    def _show(self) -> None:
        sample, last = self._samples[self._n], len(self._samples) - 1
        self._pages.setCurrentIndex(1)
        for button, there in ((self._before, self._n > 0), (self._after, self._n < last)):
            button.setEnabled(there)
            button.setVisible(last > 0)
        self._which.setText(f"{self._n + 1} of {last + 1}" if last else "")
        found = tokens.count(sample.tokens)
        self._counts.setText(
            f"{found.learned:,} of {len(sample.tokens):,} tokens are learned (underlined); "
            f"{found.photo:,} are the photo, {found.asked:,} the question."
        )
        self.setAccessibleDescription(f"{self._counts.text()} Learned: {tokens.learned_text(sample.tokens)}")
        self._write()
        self.photo.show_photo(sample.photo, max_pixels=self._max_pixels)

    def _write(self) -> None:
        """The text, as plain characters with formats."""
        self._text.clear()
        cursor, spaced = QTextCursor(self._text.document()), QTextBlockFormat()
        spaced.setLineHeight(_LINE_PERCENT, QTextBlockFormat.LineHeightTypes.ProportionalHeight.value)
        cursor.setBlockFormat(spaced)
        for part in tokens.runs(self._samples[self._n].tokens):
            cursor.insertText(part.text, _format(part))
        self._text.moveCursor(QTextCursor.MoveOperation.Start)

    def text(self) -> str:
        """The tokens as they are shown."""
        return self._text.toPlainText()

    def counts(self) -> str:
        """How many of them are learned."""
        return self._counts.text()

    # ---- room and colours ----

    def resizeEvent(self, event: QResizeEvent) -> None:
        """Where there is little room, the text stands under the photo."""
        super().resizeEvent(event)
        beside = self.width() >= _NARROW_PX
        self._both.setDirection(QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom)

    def changeEvent(self, event: QEvent) -> None:
        """Follow the theme."""
        super().changeEvent(event)
        if event.type() == QEvent.Type.PaletteChange and hasattr(self, "_samples") and self._samples:
            self._write()


def _format(part: tokens.Run) -> QTextCharFormat:
    """Learned: coloured and underlined. Special: dim."""
    colours, made = look.current(), QTextCharFormat()
    tone = colours.good if part.learned else colours.dim if part.special else colours.text
    made.setForeground(QColor(tone))
    made.setFontUnderline(part.learned)
    return made
