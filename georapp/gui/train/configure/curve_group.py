"""The reward curve among the parameters."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QPushButton, QVBoxLayout, QWidget

from georapp.gui import look
from georapp.gui.plain import breakable, label
from georapp.gui.train.axes import Plot
from georapp.gui.train.configure.curve_editor import CurveEditor
from georapp.gui.train.configure.draft import Draft
from georapp.printable import printable
from georapp.run_settings import OWN_CURVE

KEYS = ("grpo.curve", "grpo.curve_points", "grpo.curve_steps")
_ABOUT = "What an answer earns by its distance from the truth: this is what GRPO is told to care about."


class CurveGroup(QWidget):
    """The editor is made with `begin`, which takes some time."""

    def __init__(self, draft: Draft, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._draft = draft
        self.editor: CurveEditor | None = None
        self._error = label("", "bad")
        self._error.hide()
        self.back = QPushButton(self)
        look.set_role(self.back, "back")
        self.back.clicked.connect(lambda: draft.back("grpo.curve"))
        self.back.hide()
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(label("Reward curve", "strong", wrap=False), 0, Qt.AlignmentFlag.AlignVCenter)
        head.addWidget(self.back, 0, Qt.AlignmentFlag.AlignVCenter)
        head.addStretch(1)
        self._column = QVBoxLayout(self)
        self._column.setContentsMargins(0, 0, 0, 0)
        self._column.setSpacing(4)
        self._column.addLayout(head)
        self._column.addWidget(label(_ABOUT, "small"))
        self._column.addWidget(self._error)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A plot that was laid out while it was scrolled out of sight waits to be told that it is seen."""
        super().paintEvent(event)
        plot = self.editor.drawing.ground.parentWidget() if self.editor else None
        if isinstance(plot, Plot):
            plot.catch_up()

    def begin(self) -> None:
        """Show the curve from now on."""
        if self.editor is None:
            self.editor = CurveEditor(self)
            self.setFocusProxy(self.editor)
            self.editor.changed.connect(self._take)
            self._column.insertWidget(2, self.editor)
            self.refresh(frozenset(KEYS))

    def _take(self, name: str, points: object, steps: bool) -> None:
        own = (
            tuple(tuple(map(float, point)) for point in points) if name == OWN_CURVE and isinstance(points, tuple | list) else ()
        )
        self._draft.set_all({KEYS[0]: name, KEYS[1]: own, KEYS[2]: bool(steps) if own else False})

    def refresh(self, keys: frozenset[str]) -> None:
        """As the draft is now."""
        if not keys & frozenset(KEYS):
            return
        name, points, steps = (self._draft.value(key) for key in KEYS)
        if self.editor is not None and isinstance(points, tuple):
            self.editor.set_curve(name, points, steps)
        differs = any(self._draft.differs(key) for key in KEYS)
        self.back.setText(f"● ↺ {self._draft.preset_value(KEYS[0])}")
        self.back.setToolTip("Not the preset's curve. Back to it.")
        self.back.setAccessibleName("The reward curve differs from the preset. Back to it")
        self.back.setVisible(differs)
        self._say(next((error for key in KEYS if (error := self._draft.error_of(key))), None))

    def _say(self, error: Exception | None) -> None:
        self._error.setText(breakable(printable(f"✕ {error}")) if error else "")
        self._error.setVisible(error is not None)

    def sentence(self) -> QLabel:
        """Where a mistake is said."""
        return self._error
