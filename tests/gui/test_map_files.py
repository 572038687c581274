"""Vector maps of the user on the map: colours, names, edges, and the base map below them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PySide6.QtGui import QColor, QImage
from PySide6.QtWebEngineWidgets import QWebEngineView
from pytestqt.qtbot import QtBot

from georapp import map_page
from georapp.geo import Coordinate
from georapp.gui import look
from georapp.gui.map.view import MapView
from tests.gui import vector_file
from tests.gui.asking_page import Script, after
from tests.gui.vector_file import AREA, LINE, POINT, Feature

TILE = (14, 8436, 6002)  # of Marseille
BOX = "5.361328,43.277205,5.383301,43.293200"
MIDDLE = Coordinate(43.2852, 5.3723)
ALL = ((0, 0), (4096, 0), (4096, 4096), (0, 4096))
SEA = ((0, 0), (1500, 0), (1500, 4096), (0, 4096))
PARK = ((1800, 1800), (2300, 1800), (2300, 2300), (1800, 2300))
STREET = ((0, 2600), (4096, 2600))
PLACES = [
    Feature(
        POINT,
        ((2900, 2000),),
        {"class": "city", "kind": "locality", "kind_detail": "city", "name": "Μασσαλία", "name:en": "Marseille"},
    ),
]
SCHEMAS = {
    "protomaps": {
        "earth": [Feature(AREA, ALL, {"kind": "earth"})],
        "landuse": [Feature(AREA, PARK, {"kind": "park"})],
        "water": [Feature(AREA, SEA, {"kind": "ocean"})],
        "roads": [Feature(LINE, STREET, {"kind": "highway", "kind_detail": "motorway", "name": "Autoroute du Soleil"})],
        "places": PLACES,
    },
    "openmaptiles": {
        "landcover": [Feature(AREA, PARK, {"class": "grass"})],
        "water": [Feature(AREA, SEA, {"class": "ocean"})],
        "transportation": [Feature(LINE, STREET, {"class": "motorway"})],
        "transportation_name": [Feature(LINE, STREET, {"class": "motorway", "name": "Autoroute du Soleil"})],
        "place": PLACES,
    },
}  # fmt: skip

pytestmark = pytest.mark.usefixtures("still")


def add(qtbot: QtBot, view: MapView, folder: Path, schema: str) -> None:
    path = vector_file.write(folder / f"{schema}.mbtiles", SCHEMAS[schema], TILE, BOX)
    after(qtbot, view, lambda: view.add_map_file(path))


def painted(image: QImage, name: str) -> int:
    """How many of the sampled pixels have a colour of the theme."""
    wanted = QColor(map_page.theme(look.current().dark, {})["land"][name]).rgb()
    return sum(image.pixel(x, y) == wanted for x in range(0, image.width(), 3) for y in range(0, image.height(), 3))


@pytest.mark.parametrize("schema", SCHEMAS)
def test_streets_are_painted_in_the_colours_of_the_theme(qtbot: QtBot, view: MapView, tmp_path: Path, schema: str) -> None:
    add(qtbot, view, tmp_path, schema)
    seen = after(qtbot, view, lambda: view.go_to(MIDDLE, zoom=15))

    assert painted(seen, "ocean") > 3_000  # the sea, where the base map has land
    assert painted(seen, "land") > 10_000
    assert painted(seen, "green") > 200
    assert painted(seen, "highway") > 200
    assert view.blocked == 0


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_same_view_of_a_file_has_the_same_pixels(qtbot: QtBot, view: MapView, tmp_path: Path, schema: str) -> None:
    add(qtbot, view, tmp_path, schema)
    first = after(qtbot, view, lambda: view.go_to(MIDDLE, zoom=16))
    after(qtbot, view, lambda: view.go_to(Coordinate(48.85, 2.35), zoom=12))

    assert after(qtbot, view, lambda: view.go_to(MIDDLE, zoom=16)) == first


def test_a_file_that_comes_is_shown(qtbot: QtBot, view: MapView, script: Script, tmp_path: Path) -> None:
    add(qtbot, view, tmp_path, "protomaps")

    assert script("[map.getCenter().lat, map.getCenter().lng]") == pytest.approx([MIDDLE.lat, MIDDLE.lon], abs=0.01)


@pytest.mark.parametrize("schema", SCHEMAS)
def test_names_of_the_base_map_give_way(qtbot: QtBot, view: MapView, script: Script, tmp_path: Path, schema: str) -> None:
    labels = "labelers.getIndex(15).tree.all().map(one => ({bboxes: [one]}))"
    after(qtbot, view, lambda: view.go_to(MIDDLE, zoom=15))
    assert script(f"base.{labels}.length") > 0
    add(qtbot, view, tmp_path, schema)
    after(qtbot, view, lambda: view.go_to(MIDDLE, zoom=15))

    assert script(f"base.{labels}.every(label => isOutside(label, pixelBox(files[0], 15)))")
    assert script(f"files[0].layer.{labels}.length") > 0
    assert script(f"files[0].layer.{labels}.every(label => isInside(label, pixelBox(files[0], 15)))")


def test_far_away_the_base_map_is_better(qtbot: QtBot, view: MapView, script: Script, tmp_path: Path) -> None:
    add(qtbot, view, tmp_path, "openmaptiles")
    after(qtbot, view, lambda: view.go_to(MIDDLE, zoom=8))

    assert script("Object.keys(files[0].layer._tiles).length") == 0
    assert script("groups.ground.getLayers().length") == 0


@pytest.mark.parametrize(
    ("says", "name"),
    [
        ({"name": "東京", "name:en": "Tokyo"}, "Tokyo"),
        ({"name": "Αθήνα", "name:latin": "Athína"}, "Athína"),
        ({"name": "القاهرة"}, "القاهرة"),
        ({"ref": "A 7"}, None),
    ],
)
def test_names_are_english_or_else_what_the_file_has(
    view: MapView, script: Script, says: dict[str, str], name: str | None
) -> None:
    city = "streetRules('openmaptiles', look).labelRules.find(rule => rule.dataLayer === 'place').symbolizer.centered.symbolizer"

    assert script(f"{city}.text.get(12, {{props: {says}}})") == name


@pytest.mark.parametrize(("kind", "ours"), [("pedestrian", "path"), ("tertiary", "main"), ("subway", "rail"), ("spaceway", None)])
def test_roads_are_sorted_by_what_they_are(view: MapView, script: Script, kind: str, ours: str | None) -> None:
    assert script(f"ROADS.get('{kind}')") == ours


def test_a_dashed_line_far_outside_is_not_drawn(view: MapView, script: Script) -> None:
    """A border of the coarse base map has a million dashes where streets are drawn."""
    drawn = (
        "(points => { let lines = 0; const canvas = document.createElement('canvas'); canvas.width = canvas.height = 256;"
        "const ctx = canvas.getContext('2d'); ctx.lineTo = () => lines++;"
        "new Dashed({dash: [3, 2]}).draw(ctx, [points], 12); return lines; })"
    )
    assert script(f"{drawn}([{{x: 1e4, y: 1e4}}, {{x: 1e6, y: 1e6}}])") == 0
    assert script(f"{drawn}([{{x: -50, y: 20}}, {{x: 300, y: 20}}, {{x: 9000, y: 20}}, {{x: 9900, y: 20}}])") == 1


def test_no_line_where_the_map_ends_or_antarctica_is_cut(view: MapView, script: Script) -> None:
    assert script("drawn([[-80, 178], [-80, 180], [-90, 180], [-90, -180], [-80, -180], [-79, -170]])") == [
        [[-80, 178], [-80, 180]],
        [[-80, -180], [-79, -170]],
    ]
    assert script("drawn([[50, 1], [50, 2], [51, 2]])") == [[[50, 1], [50, 2], [51, 2]]]


@pytest.mark.parametrize(("place", "zoom"), [(Coordinate(67.6, 180), 8), (Coordinate(-84.9, 180), 8)])
def test_no_coast_where_land_is_cut_at_the_antimeridian(qtbot: QtBot, view: MapView, place: Coordinate, zoom: int) -> None:
    after(qtbot, view, lambda: view.go_to(place, zoom=zoom))
    seen = view.findChild(QWebEngineView).grab().toImage()
    row = [seen.pixel(x, seen.height() // 2) for x in range(seen.width() // 2 - 20, seen.width() // 2 + 20)]

    assert set(row) == {QColor(map_page.theme(look.current().dark, {})["land"]["land"]).rgb()}
