"""The place data is read only when it is used, and what is missing or damaged is told in a sentence."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from georapp import gazetteer, paths, placenames, places
from georapp.errors import GazetteerError


def test_the_gazetteer_costs_nothing_until_it_is_used() -> None:
    """`georapp --help` imports it; shapely, scipy and rapidfuzz may wait."""
    script = "import sys, georapp.gazetteer; print([name for name in ('shapely', 'scipy', 'rapidfuzz') if name in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)

    assert answer.stdout.strip() == "[]"


def test_labels_do_not_load_names_and_names_do_not_load_polygons() -> None:
    script = (
        "import sys, json; from georapp import gazetteer; from georapp.geo import Coordinate; g = gazetteer.load(); "
        "loaded = lambda: [n for n in ('georapp.placenames', 'georapp.regions') if n in sys.modules]; "
        "{}; print(json.dumps(loaded()))"
    )
    for use, expected in (("g.label(Coordinate(0, 0))", ["georapp.regions"]), ("g.search('Paris')", ["georapp.placenames"])):
        answer = subprocess.run([sys.executable, "-c", script.format(use)], check=True, capture_output=True, text=True)
        assert json.loads(answer.stdout) == expected


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A copy of resources/places in use, to be damaged. What was read of the real one is forgotten for a while."""
    copy = tmp_path / "places"
    copy.mkdir()
    for file in places.folder().iterdir():
        (copy / file.name).write_bytes(file.read_bytes())
    monkeypatch.setattr(paths, "resources", lambda: tmp_path)
    caches = [gazetteer.load, placenames.indices, places.countries, places.provinces, places.towns, places.codes]
    for cache in caches:
        cache.cache_clear()
    yield copy
    for cache in caches:
        cache.cache_clear()


@pytest.mark.parametrize("name", ["countries.json", "provinces.tsv", "regions.npz.xz", "towns.npz.xz", "names.npz.xz"])
def test_a_missing_file_is_told_when_the_gazetteer_is_loaded(damaged: Path, name: str) -> None:
    (damaged / name).unlink()

    with pytest.raises(GazetteerError, match=rf"The place data .*{name} is missing\."):
        gazetteer.load()


@pytest.mark.parametrize("name", ["countries.json", "provinces.tsv", "towns.npz.xz", "names.npz.xz"])
@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00nonsense\n", b"[1, 2]", b"[{}]"])
def test_a_damaged_file_is_told_in_a_sentence(damaged: Path, name: str, content: bytes) -> None:
    (damaged / name).write_bytes(content)

    with pytest.raises(GazetteerError, match=r"The place data .* is damaged and cannot be read\.") as caught:
        gazetteer.load().search("Paris")
    assert caught.value.hint


def test_names_of_other_towns_are_refused(damaged: Path) -> None:
    names = places.arrays((damaged / "names.npz.xz").read_bytes())
    assert names["names_of_town"].shape[1] == len(places.towns())
    (damaged / "names.npz.xz").write_bytes((damaged / "towns.npz.xz").read_bytes())

    with pytest.raises(GazetteerError, match="damaged"):
        gazetteer.load().search("Paris")
