"""About: version, what it cannot do, licences and attributions."""

from __future__ import annotations

from importlib import metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QDialogButtonBox, QLabel, QPlainTextEdit, QVBoxLayout, QWidget

from georapp import __version__
from georapp.gui import look

_TEXT = """\
georapp says where a photo was taken, offline. Every answer is a lead, not proof. Nothing leaves this machine; photos are only read.

Licence: Apache-2.0.

Data
  Names of places: GeoNames (geonames.org), CC BY 4.0.
  Shapes and base map: Natural Earth, public domain.
  Font: Inter, SIL Open Font License 1.1.
  Map page: Leaflet (BSD-2-Clause) and protomaps-leaflet (BSD-3-Clause) with the libraries inside it; all texts are in resources/map/page.
  Photos that the embedded model learned from: resources/models/georapp-mini/CREDITS.tsv.
  Demo photo: danielbuechele, CC BY 2.0 (resources/demo/README.md).

Libraries
{libraries}
"""
_LIBRARIES = (
    "PySide6",
    "llama-cpp-python",
    "folium",
    "pyqtgraph",
    "onnxruntime",
    "numpy",
    "scipy",
    "shapely",
    "pillow",
    "pillow-heif",
    "rapidfuzz",
)


class About(QDialog):
    """Plain text that can be copied."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setWindowTitle("About georapp")
        self.resize(620, 460)
        title = QLabel(f"georapp {__version__}", self)
        look.set_role(title, "title")
        text = QPlainTextEdit(_TEXT.format(libraries="\n".join(map(_line, _LIBRARIES))), self)
        text.setReadOnly(True)
        text.setAccessibleName("Licences and attributions")
        text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        buttons = QDialogButtonBox(QDialogButtonBox.StandardButton.Close, self)
        buttons.rejected.connect(self.reject)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 16)
        for widget in (title, text, buttons):
            column.addWidget(widget)


def _line(name: str) -> str:
    try:
        found = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return f"  {name}"
    licence = found["License-Expression"] or (found["License"] or "").splitlines()[:1] or ""
    return f"  {name} {found['Version']}: {licence if isinstance(licence, str) else licence[0][:60]}"
