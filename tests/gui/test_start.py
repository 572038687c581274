"""What is settled before the window is there: how Chromium runs, and the page of the map."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from georapp import map_page
from georapp.errors import MapError
from georapp.gui import allocator
from georapp.gui.map import chromium, web

FLAGS, BACKEND = "QTWEBENGINE_CHROMIUM_FLAGS", "QT_QUICK_BACKEND"


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (FLAGS, BACKEND):
        monkeypatch.setenv(name, "")  # so that it is put back
        monkeypatch.delenv(name)


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="elsewhere there always is something that draws")
def test_a_machine_without_a_gpu_is_known_by_its_devices(tmp_path: Path) -> None:
    assert not chromium.has_gpu(tmp_path)
    assert not chromium.has_gpu(tmp_path / "gone")
    (tmp_path / "renderD128").touch()
    assert chromium.has_gpu(tmp_path)


@pytest.mark.usefixtures("clean")
def test_without_a_gpu_the_processor_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "has_gpu", lambda: False)
    chromium.configure()
    assert os.environ[BACKEND] == "software"
    assert "--disable-gpu" in os.environ[FLAGS].split()
    once = os.environ[FLAGS]
    chromium.configure()
    assert os.environ[FLAGS] == once


@pytest.mark.usefixtures("clean")
def test_with_a_gpu_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "has_gpu", lambda: True)
    chromium.configure()
    assert BACKEND not in os.environ
    assert "--disable-gpu" not in os.environ[FLAGS]


@pytest.mark.usefixtures("clean")
def test_what_a_person_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chromium, "has_gpu", lambda: False)
    monkeypatch.setenv(FLAGS, "--force-dark-mode")
    monkeypatch.setenv(BACKEND, "rhi")
    chromium.configure()
    assert os.environ[BACKEND] == "rhi"
    assert os.environ[FLAGS].startswith("--force-dark-mode ")
    assert "--disable-gpu" not in os.environ[FLAGS]


@pytest.mark.parametrize("dark", [False, True])
def test_the_page_is_written_by_a_process_of_its_own(dark: bool) -> None:
    assert web._html.__wrapped__(dark) == map_page.page(dark)


def test_a_page_that_cannot_be_written_is_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(web, "PAGE_COMMAND", (sys.executable, "-c", "raise SystemExit('no')"))
    with pytest.raises(MapError, match="could not be written"):
        web._html.__wrapped__(True)


def test_the_c_library_is_told_and_goes_on() -> None:
    allocator.save()
    allocator.give_back()
    assert len(bytearray(50_000_000)) == 50_000_000
