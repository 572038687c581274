"""Colours, font and stylesheet in two themes. Fusion style everywhere, so that the window looks the same on every desktop.

Widgets ask `current()` when they paint and refresh on a PaletteChange; everything else is done by the application's stylesheet, which
reads a widget's property "role".
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from string import Template

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QFont, QFontDatabase, QIcon, QPalette
from PySide6.QtWidgets import QApplication, QWidget

from georapp import paths

FONT = "Inter"
_SIZE_PX = 13


@dataclass(frozen=True, slots=True)
class Colours:
    """One theme; "#rrggbb" each. Text has a contrast of 4.5 and more on background, panel, raised and in chips."""

    background: str
    panel: str
    raised: str  # cards, buttons, fields
    line: str
    text: str
    dim: str
    accent: str
    on_accent: str
    good: str
    warning: str
    bad: str
    country: str
    province: str
    city: str
    truth: str
    human: str
    dark: bool


DARK = Colours(
    background="#14171c",
    panel="#1b1f26",
    raised="#252b34",
    line="#2e3540",
    text="#e8eaee",
    dim="#9fa8b5",
    accent="#f0a63a",
    on_accent="#1b1200",
    good="#3fbf7f",
    warning="#e8b339",
    bad="#f48479",
    country="#9a9bf8",
    province="#31b6c9",
    city="#f0a63a",
    truth="#3fbf7f",
    human="#d58bf0",
    dark=True,
)
LIGHT = Colours(
    background="#e9ebef",
    panel="#ffffff",
    raised="#f3f4f6",
    line="#d5d9e0",
    text="#1b2330",
    dim="#566070",
    accent="#a35400",
    on_accent="#ffffff",
    good="#106a34",
    warning="#8a5006",
    bad="#b42318",
    country="#4f46e5",
    province="#0b6579",
    city="#a35400",
    truth="#106a34",
    human="#86198f",
    dark=False,
)

_now = DARK


def current() -> Colours:
    """Of the running application."""
    return _now


def system_is_dark(app: QApplication) -> bool:
    """What the desktop asks for; light where it does not say."""
    return app.styleHints().colorScheme() == Qt.ColorScheme.Dark


def wants_dark(app: QApplication, theme: str) -> bool:
    """What a choice of settings.THEMES means now."""
    return system_is_dark(app) if theme == "system" else theme == "dark"


def apply(app: QApplication, *, dark: bool) -> None:
    """Dress the whole application."""
    global _now
    _now = DARK if dark else LIGHT
    if app.style().objectName() != "fusion":
        app.setStyle("Fusion")
    app.setFont(_font())
    app.setPalette(_palette(_now))
    icons, theme = paths.resources() / "icons", "dark" if dark else "light"
    images = {name: f'url("{(icons / f"{name}-{theme}.svg").as_posix()}")' for name in ("up", "down", "tick")}
    app.setStyleSheet(_STYLE.substitute(asdict(_now) | images))


def icon() -> QIcon:
    """The program's own."""
    return QIcon(str(paths.resources() / "icons" / "georapp.svg"))


def set_role(widget: QWidget, role: str) -> None:
    """Give a widget another look of the stylesheet, see `_STYLE`."""
    if widget.property("role") != role:
        widget.setProperty("role", role)
        widget.style().unpolish(widget)
        widget.style().polish(widget)


def tint(label: QWidget, tone: str) -> None:
    """Give a label the text colour of a field of `Colours`; to be done again after a change of the theme."""
    palette = label.palette()
    palette.setColor(QPalette.ColorRole.WindowText, QColor(getattr(_now, tone)))
    label.setPalette(palette)


def _font() -> QFont:
    """The bundled font with figures of equal width."""
    if FONT not in QFontDatabase.families():
        for file in sorted((paths.resources() / "fonts").glob("*.otf")):
            QFontDatabase.addApplicationFont(str(file))
    font = QFont(FONT)
    font.setPixelSize(_SIZE_PX)
    font.setFeature(QFont.Tag("tnum"), 1)
    return font


def _palette(colours: Colours) -> QPalette:
    palette, role = QPalette(), QPalette.ColorRole
    for place, colour in (
        (role.Window, colours.background),
        (role.WindowText, colours.text),
        (role.Base, colours.panel),
        (role.AlternateBase, colours.raised),
        (role.Text, colours.text),
        (role.Button, colours.raised),
        (role.ButtonText, colours.text),
        (role.ToolTipBase, colours.raised),
        (role.ToolTipText, colours.text),
        (role.PlaceholderText, colours.dim),
        (role.Highlight, colours.accent),
        (role.HighlightedText, colours.on_accent),
        (role.Link, colours.accent),
        (role.Mid, colours.line),
    ):
        palette.setColor(place, QColor(colour))
    for place in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, place, QColor(colours.dim))
    return palette


_STYLE = Template("""
QToolTip { background: $raised; color: $text; border: 1px solid $line; padding: 4px 6px; }
QMainWindow, QDialog { background: $background; }
QSplitter::handle { background: $line; }
QSplitter::handle:horizontal { width: 1px; }
QSplitter::handle:vertical { height: 1px; }
QFrame[role="panel"] { background: $panel; border: none; }
QFrame[role="strip"] { background: $panel; border: none; }
QFrame[role="card"] { background: $raised; border: 1px solid $line; border-radius: 8px; }
QFrame[role="chart"] { background: $panel; border: 1px solid $line; border-radius: 8px; }
QFrame[role="chart"]:focus { border-color: $accent; }
QLabel { background: transparent; }
QLabel[role="strong"] { font-weight: 600; }
QLabel[role="title"] { font-size: 16px; font-weight: 600; }
QLabel[role="welcome"] { font-size: 24px; font-weight: 600; }
QLabel[role="heading"] { color: $dim; font-size: 11px; font-weight: 600; letter-spacing: 1px; }
QLabel[role="dim"] { color: $dim; }
QLabel[role="mono"] { color: $dim; font-family: "DejaVu Sans Mono", monospace; font-size: 12px; }
QLabel[role="chip"] { background: $raised; border-radius: 6px; padding: 4px 8px; }
QLabel[role="good"] { color: $good; }
QLabel[role="warning"] { color: $warning; }
QLabel[role="bad"] { color: $bad; }
QPushButton { background: $raised; border: 1px solid $line; border-radius: 6px; padding: 6px 12px; color: $text; }
QPushButton:hover { border-color: $dim; }
QPushButton:focus { border-color: $accent; }
QPushButton:pressed, QPushButton:checked { background: $line; }
QPushButton:disabled { color: $dim; background: $panel; }
QPushButton[role="accent"] { background: $accent; color: $on_accent; border-color: $accent; font-weight: 600; }
QPushButton[role="accent"]:focus { border-color: $text; }
QPushButton[role="accent"]:disabled { background: $raised; color: $dim; border-color: $line; }
QPushButton[role="tab"] { font-weight: 600; }
QPushButton[role="tab"]:checked { background: $accent; color: $on_accent; border-color: $accent; }
QPushButton[role="tab"]:checked:focus { border-color: $text; }
QPushButton[role="danger"]:enabled { color: $bad; }
QPushButton[role="quiet"], QToolButton { background: transparent; border: 1px solid transparent; border-radius: 6px; padding: 4px 8px;
  color: $text; }
QPushButton[role="quiet"]:hover, QToolButton:hover { background: $raised; }
QPushButton[role="quiet"]:focus, QToolButton:focus { border-color: $accent; }
QToolButton:checked { background: $raised; }
QToolButton[role="rail"] { border-radius: 6px; border-left: 3px solid transparent; padding: 4px; }
QToolButton[role="rail"]:checked { border-left: 3px solid $accent; font-weight: 600; }
QToolButton[role="flat"] { padding: 4px 5px; }
QToolButton[role="chip"] { background: $raised; padding: 2px 8px; }
QToolButton::menu-indicator { image: none; width: 0; }
QCheckBox::indicator, QRadioButton::indicator { border: 1px solid $dim; border-radius: 3px; width: 14px; height: 14px; background: $raised; }
QRadioButton::indicator { border-radius: 8px; }
QCheckBox::indicator:checked, QAbstractItemView::indicator:checked { background: $accent; border-color: $accent; image: $tick; }
QRadioButton::indicator:checked { background: $accent; border-color: $accent; }
QAbstractItemView::indicator { border: 1px solid $dim; border-radius: 3px; width: 14px; height: 14px; background: $raised; }
QCheckBox::indicator:focus, QRadioButton::indicator:focus { border-color: $text; }
QLineEdit, QPlainTextEdit, QComboBox, QSpinBox, QDoubleSpinBox { background: $raised; border: 1px solid $line; border-radius: 6px; padding: 4px 8px;
  selection-background-color: $accent; selection-color: $on_accent; }
QLineEdit:focus, QPlainTextEdit:focus, QComboBox:focus, QSpinBox:focus, QDoubleSpinBox:focus { border-color: $accent; }
QComboBox::drop-down { border: none; width: 24px; }
QComboBox::down-arrow { image: $down; width: 12px; height: 12px; }
QComboBox QAbstractItemView { background: $panel; border: 1px solid $line; }
QSpinBox, QDoubleSpinBox { padding-right: 24px; }
QSpinBox::up-button, QDoubleSpinBox::up-button { subcontrol-origin: border; subcontrol-position: top right; width: 24px; border: none; }
QSpinBox::down-button, QDoubleSpinBox::down-button { subcontrol-origin: border; subcontrol-position: bottom right; width: 24px; border: none; }
QSpinBox::up-arrow, QDoubleSpinBox::up-arrow { image: $up; width: 12px; height: 12px; }
QSpinBox::down-arrow, QDoubleSpinBox::down-arrow { image: $down; width: 12px; height: 12px; }
QLineEdit:disabled, QComboBox:disabled, QSpinBox:disabled, QDoubleSpinBox:disabled { color: $dim; background: $panel; }
QListView, QTableView, QTreeView { background: $panel; border: none; outline: none; }
QDialog QListView, QDialog QTableView, QDialog QTreeView { border: 1px solid $line; border-radius: 6px; padding: 4px; }
QDialog QListView:focus, QDialog QTableView:focus, QDialog QTreeView:focus { border-color: $accent; }
QDialogButtonBox { dialogbuttonbox-buttons-have-icons: 0; }
QHeaderView::section { background: $panel; color: $dim; border: none; border-bottom: 1px solid $line; padding: 6px 8px; }
QMenu { background: $panel; border: 1px solid $line; padding: 4px; }
QMenu::item { padding: 6px 24px 6px 12px; border-radius: 4px; }
QMenu::item:selected { background: $raised; }
QMenu::item:disabled { color: $dim; }
QMenu::separator { height: 1px; background: $line; margin: 4px 8px; }
QMenuBar { background: $panel; }
QMenuBar::item:selected { background: $raised; }
QScrollBar:vertical { background: transparent; width: 10px; margin: 0; }
QScrollBar:horizontal { background: transparent; height: 10px; margin: 0; }
QScrollBar::handle { background: $line; border-radius: 5px; min-height: 28px; min-width: 28px; }
QScrollBar::handle:hover { background: $dim; }
QScrollBar::add-line, QScrollBar::sub-line { width: 0; height: 0; }
QScrollBar::add-page, QScrollBar::sub-page { background: transparent; }
QProgressBar { background: $line; border: none; border-radius: 2px; max-height: 4px; min-height: 4px; }
QProgressBar::chunk { background: $accent; border-radius: 2px; }
QScrollArea { background: transparent; border: none; }
""")
