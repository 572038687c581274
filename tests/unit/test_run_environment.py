"""What a started run finds in its environment: whichever Python runs it, the program's own training code comes first."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pytest

import georapp
from georapp import runs
from georapp.run_events import CONFIG, LOG

_SAYS = "import json, os, sys; import georapp; print(json.dumps([georapp.__file__, os.environ['PYTHONUNBUFFERED']]))"


def test_another_python_finds_the_source_code_of_this_program(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "other"))
    (tmp_path / CONFIG).write_text("", "utf-8")
    runs.start(tmp_path, [sys.executable, "-c", _SAYS])
    log, until = tmp_path / LOG, time.monotonic() + 60
    while not log.read_text("utf-8").strip() and time.monotonic() < until:
        time.sleep(0.05)
    found, unbuffered = json.loads(log.read_text("utf-8"))
    assert found == georapp.__file__
    assert unbuffered == "1"
