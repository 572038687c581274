"""Where the photos of an album come from."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QPushButton, QToolButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import label
from georapp.gui.train.configure.card import empty
from georapp.gui.train.configure.draft import Draft
from georapp.gui.train.elided import Elided
from georapp.printable import printable

KEY = "album.sources"
_KINDS = {".csv": "Table", ".georapp": "Case"}
_EMPTY = (
    "Add what you have: folders of photos whose files hold a place (GPS), tables (.csv) with the columns file, lat and lon, or cases "
    "(.georapp), of which accepted and corrected places count. Drop them here. A few hundred photos from many places are a good beginning; "
    "files are read where they lie and never changed."
)


class SourceList(QWidget):
    """Of one draft. `added`: a person has added some."""

    added = Signal()

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self.hint = label(_EMPTY, "dim")
        self._rows = QVBoxLayout()
        self._rows.setSpacing(2)
        self.add_folder = self._button("Add folder…", "A folder of photos, with all folders in it", self._choose_folder)
        self.add_file = self._button("Add table or case…", "A table of places (.csv) or a case (.georapp)", self._choose_files)
        buttons = QHBoxLayout()
        buttons.setSpacing(6)
        buttons.addWidget(self.add_folder)
        buttons.addWidget(self.add_file)
        buttons.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.hint)
        column.addLayout(self._rows)
        column.addLayout(buttons)
        draft.changed.connect(lambda keys: self._show() if KEY in keys else None)
        self._show()

    def _button(self, text: str, about: str, action: object) -> QPushButton:
        made = QPushButton(text, self)
        made.setToolTip(about)
        made.clicked.connect(action)
        return made

    # ---- changes ----

    def add(self, files: list[str]) -> None:
        """Behind the others, each once."""
        now = self._now()
        self._draft.set(KEY, tuple(dict.fromkeys((*now, *files))))
        if self._now() != now:
            self.added.emit()

    def _remove(self, source: str) -> None:
        rest = tuple(other for other in self._now() if other != source)
        self._draft.set(KEY, rest)
        self.add_folder.setFocus()

    def _now(self) -> tuple[str, ...]:
        value = self._draft.value(KEY)
        return tuple(one for one in value if isinstance(one, str)) if isinstance(value, tuple) else ()

    def _choose_folder(self) -> None:
        if folder := QFileDialog.getExistingDirectory(self, "Add a folder of photos", str(Path.home())):
            self.add([folder])

    def _choose_files(self) -> None:
        kinds = "Tables and cases (*.csv *.georapp)"
        files, _kind = QFileDialog.getOpenFileNames(self, "Add tables or cases", str(Path.home()), kinds)
        if files:
            self.add(files)

    # ---- what is shown ----

    def _show(self) -> None:
        empty(self._rows)
        sources = self._now()
        self.hint.setVisible(not sources)
        for source in sources:
            self._rows.addLayout(self._row(source))

    def _row(self, source: str) -> QHBoxLayout:
        kind = _KINDS.get(Path(source).suffix.lower(), "Folder")
        what = label(kind, "dim", wrap=False)
        what.setFixedWidth(44)
        remove = QToolButton(self)
        remove.setText("✕")
        remove.setAccessibleName(f"Remove {printable(source)}")
        remove.setToolTip("Leave it out of the album; its files stay as they are")
        remove.clicked.connect(lambda: self._remove(source))
        look.set_role(remove, "flat")
        row = QHBoxLayout()
        row.setSpacing(8)
        row.addWidget(what, 0, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(Elided(source, parent=self), 1, Qt.AlignmentFlag.AlignVCenter)
        row.addWidget(remove)
        return row
