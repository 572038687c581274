"""The settings. They hold from OK on; a model or a thread count is loaded anew without a restart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QDialog,
    QDialogButtonBox,
    QFileDialog,
    QFormLayout,
    QHBoxLayout,
    QLabel,
    QLineEdit,
    QListWidget,
    QPushButton,
    QSpinBox,
    QVBoxLayout,
    QWidget,
)

from georapp import paths
from georapp.gui import look
from georapp.settings import THEMES, Settings


class SettingsDialog(QDialog):
    """`chosen()` after it was accepted."""

    def __init__(self, now: Settings, model_names: Sequence[str], parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("Settings")
        self.setMinimumWidth(520)
        self._now = now
        self._model, self._theme = QComboBox(self), QComboBox(self)
        for name in model_names:
            self._model.addItem(name, name)
        self._model.setCurrentIndex(max(0, self._model.findData(now.model or model_names[0] if model_names else "")))
        self._theme.addItems([name.capitalize() for name in THEMES])
        self._theme.setCurrentIndex(THEMES.index(now.theme) if now.theme in THEMES else 0)
        self._samples = _number(0, 64, now.samples, "as the model says")
        self._threads = _number(0, 256, now.threads, "all cores but one, 8 at most")
        self._layers = _number(-1, 999, now.gpu_layers, "all that fit")
        self._author = QLineEdit(now.author, self)
        self._author.setPlaceholderText(replace(now, author="").person)
        self._maps = QListWidget(self)
        self._maps.addItems(list(now.map_files))
        self._maps.setMaximumHeight(96)
        self._maps.setToolTip("PMTiles or MBTiles, drawn over the map that comes with the program")
        form = QFormLayout()
        form.setHorizontalSpacing(24)
        for label, field, help_text in self._fields():
            field.setAccessibleName(label)
            if isinstance(field, QComboBox):
                field.view().setAccessibleName(label)
            field.setToolTip(help_text)
            form.addRow(label, field)
        form.addRow("Map files", self._map_row())
        where = QLabel(f"Models, small pictures and settings lie in {paths.home()}.", self)
        where.setTextFormat(Qt.TextFormat.PlainText)
        where.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        where.setWordWrap(True)
        look.set_role(where, "dim")
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Ok | QDialogButtonBox.StandardButton.Cancel, self)
        buttons.accepted.connect(self.accept)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        column.setSpacing(16)
        column.addLayout(form)
        column.addWidget(where)
        column.addWidget(buttons)

    def _fields(self) -> list[tuple[str, QWidget, str]]:
        return [
            ("Model", self._model, "More are added with: georapp models import TEXT.gguf MMPROJ.gguf"),
            (
                "Answers for each photo",
                self._samples,
                "More answers say better how far the model agrees with itself, and take longer.",
            ),
            ("Threads", self._threads, "Of the processor, for the model."),
            ("Layers on the GPU", self._layers, "Only where llama.cpp was built for one."),
            ("Theme", self._theme, "System follows the desktop."),
            ("Your name", self._author, "Kept with every verdict in the case."),
        ]

    def _map_row(self) -> QWidget:
        row, add, remove = QWidget(self), QPushButton("Add…", self), QPushButton("Remove", self)
        add.clicked.connect(self._add_map)
        remove.clicked.connect(lambda: self._maps.takeItem(self._maps.currentRow()))
        self._maps.setAccessibleName("Map files")
        layout, buttons = QHBoxLayout(row), QVBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._maps)
        for button in (add, remove):
            button.setAccessibleName(f"{button.text().rstrip('…')} a map file")
            buttons.addWidget(button)
        buttons.addStretch()
        layout.addLayout(buttons)
        return row

    def _add_map(self) -> None:
        names, _kind = QFileDialog.getOpenFileNames(self, "Add maps", str(Path.home()), "Maps (*.pmtiles *.mbtiles)")
        self._maps.addItems(names)

    def chosen(self) -> Settings:
        """What the fields say now."""
        return replace(
            self._now,
            model=str(self._model.currentData() or ""),
            samples=self._samples.value(),
            threads=self._threads.value(),
            gpu_layers=self._layers.value(),
            theme=THEMES[self._theme.currentIndex()],
            author=self._author.text().strip(),
            map_files=tuple(self._maps.item(i).text() for i in range(self._maps.count())),
        )


def _number(least: int, most: int, value: int, special: str) -> QSpinBox:
    """A number whose least value means something of its own."""
    field = QSpinBox()
    field.setRange(least, most)
    field.setSpecialValueText(special)
    field.lineEdit().setTextMargins(6, 0, 0, 0)  # a stylesheet's padding does not reach it
    field.setValue(value)
    return field
