"""The page of the map and the messages that change it: plain data, no Qt. The only importer of folium.

The page loads nothing but georapp:// addresses; its Content-Security-Policy allows nothing else and no script that is not listed by
its hash. A message is a dict that JSON can hold; `do` says what it asks for, the page's georapp-map.js answers each by a function of
that name.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from georapp import map_shapes, paths
from georapp.chain import Chain, Level
from georapp.geo import Coordinate, distance_km
from georapp.map_shapes import Box
from georapp.notation import kilometres
from georapp.prediction import Candidate
from georapp.printable import printable

if TYPE_CHECKING:
    from georapp.gazetteer import Gazetteer
    from georapp.tile_file import About

Message = dict[str, Any]

ATTRIBUTION = "Natural Earth, GeoNames (CC BY 4.0)"
WORLD: Box = [-56.0, -150.0, 76.0, 170.0]
CITY_REACH = 0.25  # degrees of latitude around a town that are shown with it
SMALLEST_REACH = 0.02  # the same around a single point
OVERVIEW_ZOOM = 5  # of the outlines in a message; the page asks for finer ones when it is closer
SCRIPTS = ("leaflet.js", "protomaps-leaflet.js", "qwebchannel.js", "georapp-style.js", "georapp-spots.js", "georapp-map.js")
STYLES = ("leaflet.css", "georapp-map.css")
KINDS = ("prediction", "truth", "human")  # of a spot

# Of the base map, by what they paint.
_LIGHT = {
    "ocean": "#cfe0ea", "land": "#f8f6f1", "coast": "#a9c3d3", "country": "#9d92a5", "region": "#d5ccd6",
    "name": "#464255", "regionName": "#8b7f92", "townName": "#3d4454", "halo": "#fbfaf7", "dot": "#6b7280",
    "spot": "#33415f", "spotOpacity": 0.15,
    "wood": "#d5e3c9", "green": "#e1ebd5", "town": "#f1ede5", "sand": "#f4ecd2", "ice": "#eef4f7", "built": "#e2dacb", "wall": "#cdc2b0",
    "kerb": "#cfc6b8", "road": "#ffffff", "path": "#bdb2a1", "main": "#fbe7b5", "highway": "#f3cd83", "rail": "#a9a3a8",
    "roadName": "#5b5a66", "waterName": "#4f7a94",
}  # fmt: skip
_DARK = {
    "ocean": "#0f141c", "land": "#1d2430", "coast": "#313d50", "country": "#5d6a80", "region": "#364152",
    "name": "#c9d1dd", "regionName": "#7f8a9c", "townName": "#adb6c4", "halo": "#151a22", "dot": "#93a1b5",
    "spot": "#04060a", "spotOpacity": 0.32,
    "wood": "#1c2f2c", "green": "#1f3130", "town": "#212937", "sand": "#2f2f30", "ice": "#2a3542", "built": "#2b3444", "wall": "#384356",
    "kerb": "#131821", "road": "#3a465a", "path": "#4a566b", "main": "#53627b", "highway": "#6d7c96", "rail": "#5a6375",
    "roadName": "#b4bdca", "waterName": "#6f93ac",
}  # fmt: skip
_CONTINENTS: dict[str, Box] = {
    "africa": [-35.0, -18.0, 37.5, 51.5],
    "antarctica": [-85.0, -180.0, -60.0, 180.0],
    "asia": [-10.0, 26.0, 72.0, 150.0],
    "europe": [35.0, -11.0, 70.0, 42.0],
    "north america": [8.0, -168.0, 74.0, -52.0],
    "oceania": [-47.0, 112.0, 20.0, 200.0],
    "south america": [-55.0, -82.0, 13.0, -34.0],
}


@dataclass(frozen=True, slots=True)
class Shown:
    """What the map shows of one photo."""

    regions: tuple[tuple[Level, str], ...] = ()  # names from general to exact
    best: Coordinate | None = None
    candidates: tuple[Candidate, ...] = ()
    radius_50_km: float | None = None
    radius_90_km: float | None = None
    truth: Coordinate | None = None
    human: Coordinate | None = None  # a person's correction
    exact: bool = False  # False: no lone pin is drawn, the areas speak


@dataclass(frozen=True, slots=True)
class Spot:
    """One photo on the map of all photos."""

    number: int
    coordinate: Coordinate
    label: str
    kind: str  # of KINDS


def page(dark: bool) -> str:
    """The page as HTML. The same argument gives the same text. Importing folium takes most of a second: not on the GUI thread."""
    html = _folium_page()
    html = html.replace("<html>", f'<html lang="en" class="{"dark" if dark else "light"}">', 1)
    return html.replace("<head>", f'<head>\n    <meta http-equiv="Content-Security-Policy" content="{_policy(html)}">', 1)


def outlines(regions: Iterable[tuple[Level, str]], places: Gazetteer | None, *, zoom: int = OVERVIEW_ZOOM) -> list[Message]:
    """What is known of each named region, from general to exact: level, name, code, box, and by level `polygons` or `at`.

    A continent has a box only; a country and a province have polygons, a town a point. Names that are not known are left out,
    so is everything that lies in an unknown country.
    """
    wanted = sorted(regions)
    found = (_outline(level, name, wanted, places, zoom) for level, name in wanted)
    return [region for region in found if region]


def sea(dark: bool) -> str:
    """The colour of the sea, to be seen before the page is there."""
    return str((_DARK if dark else _LIGHT)["ocean"])


def theme(dark: bool, colours: dict[str, str]) -> Message:
    """Colours of what is drawn on the map: country, province, city, truth, human, prediction, text and `on` (text on prediction)."""
    return {"do": "theme", "dark": dark, "colours": colours, "land": _DARK if dark else _LIGHT}


def view(box: Box) -> Message:
    """Move the view, leave everything else."""
    return {"do": "view", "box": box}


def zoom(by: int) -> Message:
    """Steps closer or, below 0, farther."""
    return {"do": "zoom", "by": by}


def walk(by: int) -> Message:
    """To the next spot in the east or, below 0, in the west; 0 leaves them."""
    return {"do": "walk", "by": by}


def cursor(cross: bool) -> Message:
    """A cross-hair for tools that wait for a click."""
    return {"do": "cursor", "cross": cross}


def world() -> Message:
    """The whole world and nothing on it."""
    return {"do": "world", "box": WORLD}


def follow(regions: Sequence[tuple[Level, str]], places: Gazetteer | None) -> Message:
    """The regions of an answer that is still being given; the view goes to the last that is known."""
    known = outlines(regions, places)
    return {"do": "follow", "regions": known, "box": known[-1]["box"] if known else WORLD}


def answer(shown: Shown, places: Gazetteer | None) -> Message:
    """Everything that is known of one photo, and the view that holds it."""
    known = outlines(shown.regions, places)
    areas = _areas(shown)
    return {
        "do": "answer",
        "regions": known,
        "areas": areas,
        "marks": _marks(shown),
        "line": _line(shown.best, shown.truth),
        "box": _view(shown, known),
    }


def spots(rows: Sequence[Spot]) -> Message:
    """All photos of a case; near ones are drawn together. Raises ValueError for an unknown kind."""
    wrong = {row.kind for row in rows} - set(KINDS)
    if wrong:
        raise ValueError(f"A spot is one of {', '.join(KINDS)}, not {', '.join(sorted(wrong))}.")
    listed = [[row.coordinate.lat, row.coordinate.lon, row.number, row.kind, printable(row.label)] for row in rows]
    box = [_around(row.coordinate, 1.0) for row in rows]
    return {"do": "spots", "spots": listed, "box": map_shapes.union_box(box, _middle(rows)) if box else WORLD}


def go(coordinate: Coordinate, *, zoom: int, label: str = "") -> Message:
    """One place, marked by a cross."""
    return {"do": "go", "at": _at(coordinate), "zoom": zoom, "label": printable(label)}


def correcting(on: bool, start: Coordinate | None) -> Message:
    """A square that can be dragged, or none."""
    return {"do": "correcting", "on": on, "at": _at(start) if start else None}


def measure(points: Sequence[Coordinate]) -> Message:
    """No, one or two points; two with the great circle between them, its length and the bearing at its start."""
    line = _line(points[0], points[1]) if len(points) == 2 else None
    return {"do": "measure", "points": [_at(point) for point in points], "line": line, "label": measured(points)}


def measured(points: Sequence[Coordinate]) -> str:
    """ "312 km, bearing 47° NE" for two points; empty for fewer."""
    if len(points) < 2:
        return ""
    turn = map_shapes.bearing(points[0], points[1])
    wind = ("N", "NE", "E", "SE", "S", "SW", "W", "NW")[round(turn / 45) % 8]
    return f"{kilometres(distance_km(points[0], points[1]), exact=True)}, bearing {round(turn) % 360}° {wind}"


def files(opened: Sequence[About]) -> Message:
    """The map files of the user, in order, and whose work the map is."""
    return {"do": "files", "attribution": ATTRIBUTION, "files": [_file(number, about) for number, about in enumerate(opened)]}


def file_id(number: int) -> str:
    """The name of a file in the addresses of its tiles."""
    return f"file{number}"


def assets() -> dict[str, Path]:
    """Name -> file of everything that the page may load from georapp://app/, except what Qt gives."""
    folder = paths.resources() / "map" / "page"
    return {path.name: path for path in sorted(folder.glob("*")) if path.suffix in (".js", ".css", ".woff2")}


def _folium_page() -> str:
    """Leaflet's page as folium writes it, with the program's own files in place of addresses in the network."""
    import folium
    from branca.element import MacroElement
    from jinja2 import Template

    class Offline(folium.Map):
        default_js = [(name, f"georapp://app/{name}") for name in SCRIPTS]  # noqa: RUF012 - folium declares it so
        default_css = [(name, f"georapp://app/{name}") for name in STYLES]  # noqa: RUF012

    class Start(MacroElement):
        _template = Template("{% macro script(this, kwargs) %}georappStart({{ this._parent.get_name() }});{% endmacro %}")

    options: dict[str, Any] = {"attribution_control": False, "fade_animation": False, "world_copy_jump": True}
    drawn = Offline(location=(20, 10), zoom_start=2, tiles=None, zoom_control=False, wheel_px_per_zoom_level=90, **options)
    drawn._id = "world"  # folium draws lots for it
    start: Any = Start()  # type: ignore[no-untyped-call]
    start._id = "start"
    start.add_to(drawn)
    return str(drawn.get_root().render())


def _policy(html: str) -> str:
    """Nothing from anywhere but georapp://, and of inline scripts and styles only those of this page."""
    hashes = {tag: " ".join(_hashes(tag, html)) for tag in ("script", "style")}
    return (
        f"default-src 'none'; script-src georapp: {hashes['script']}; style-src georapp: {hashes['style']}; "
        "img-src georapp: data: blob:; font-src georapp:; connect-src georapp:; base-uri 'none'; form-action 'none'"
    )


def _hashes(tag: str, html: str) -> list[str]:
    bodies = re.findall(rf"<{tag}>(.*?)</{tag}>", html, re.DOTALL)
    return [f"'sha256-{base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()}'" for body in bodies]


def _file(number: int, about: About) -> Message:
    west, south, east, north = about.box
    return {
        "id": file_id(number),
        "vector": about.vector,
        "schema": about.schema,
        "min": about.min_zoom,
        "max": about.max_zoom,
        "box": [south, west, north, east],
        "attribution": about.attribution,
    }


def _outline(level: Level, name: str, wanted: Sequence[tuple[Level, str]], places: Gazetteer | None, zoom: int) -> Message | None:
    """One entry of `outlines`."""
    found: Message = {"level": level.word, "name": printable(name)}
    if level is Level.CONTINENT:
        box = _CONTINENTS.get(name.strip().casefold())
        return found | {"code": "", "box": box} if box else None
    if places is None:
        return None
    if level is Level.CITY:
        place = places.locate(Chain.of(wanted))
        if place is None or place.kind != "city":
            return None
        return found | {"code": "", "at": _at(place.coordinate), "box": _around(place.coordinate, CITY_REACH)}
    code = _code(level, name, wanted, places)
    box = map_shapes.main_box(code) if code else None
    return found | {"code": code, "box": box, "polygons": map_shapes.outline(code, zoom)} if code and box else None


def _code(level: Level, name: str, wanted: Sequence[tuple[Level, str]], places: Gazetteer) -> str | None:
    """Of a country, or of a province in its country."""
    country = next((text for other, text in wanted if other is Level.COUNTRY), None)
    code = places.country_code(country) if country else None
    return places.province_code(name, code) if level is Level.PROVINCE and code else code if level is Level.COUNTRY else None


def _areas(shown: Shown) -> list[Message]:
    """The larger area first, so that the smaller lies on it."""
    if shown.best is None:
        return []
    radii = ((90, shown.radius_90_km), (50, shown.radius_50_km))
    return [{"share": share} | map_shapes.circle(shown.best, km) for share, km in radii if km]


def _marks(shown: Shown) -> list[Message]:
    """Points with the shape of their kind; the most important last, so that it lies on top."""
    several = [(one, str(number)) for number, one in enumerate(shown.candidates, 1)] if len(shown.candidates) > 1 else []
    marks = [{"kind": "candidate", "at": _at(one.coordinate), "text": number} for one, number in reversed(several)]
    if shown.exact and shown.best:
        marks.append({"kind": "prediction", "at": _at(shown.best), "text": ""})
    for kind, place in (("truth", shown.truth), ("human", shown.human)):
        if place:
            marks.append({"kind": kind, "at": _at(place), "text": ""})
    return marks


def _line(start: Coordinate | None, end: Coordinate | None) -> Message | None:
    """The great circle between two points and its length in words, to stand beside its end."""
    if start is None or end is None:
        return None
    return {"points": map_shapes.great_circle(start, end), "label": kilometres(distance_km(start, end))}


def _view(shown: Shown, known: list[Message]) -> Box:
    """Holds the area of 90 %, or the most exact region where there is none, and all points."""
    points = [place for place in (shown.truth, shown.human, shown.best if shown.exact else None) if place]
    points += [one.coordinate for one in shown.candidates]
    boxes = [_around(place, SMALLEST_REACH) for place in points]
    if shown.best and shown.radius_90_km:
        boxes.append(map_shapes.circle_box(shown.best, shown.radius_90_km))
    elif known:
        boxes.append(known[-1]["box"])
    around = shown.best or shown.truth or shown.human
    if not boxes:
        return WORLD
    return map_shapes.union_box(boxes, around.lon if around else (boxes[0][1] + boxes[0][3]) / 2)


def _middle(rows: Sequence[Spot]) -> float:
    """The longitude opposite the widest gap between spots, so that photos of Fiji do not show Africa."""
    lons = sorted({row.coordinate.lon for row in rows})
    gaps = [(after - before, before) for before, after in zip(lons, [*lons[1:], lons[0] + 360], strict=True)]
    wide, before = max(gaps)
    return before + wide / 2 - 180


def _around(place: Coordinate, reach: float) -> Box:
    return [max(-85.0, place.lat - reach), place.lon - reach, min(85.0, place.lat + reach), place.lon + reach]


def _at(place: Coordinate) -> list[float]:
    return [round(place.lat, 6), round(place.lon, 6)]
