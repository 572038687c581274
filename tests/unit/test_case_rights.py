"""Cases that an ordinary user may not write or read, tried by a process without the rights of the system's owner."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from georapp.case import Case

NOBODY = 65534
AS_NOBODY = f"""
import os, sys
from pathlib import Path
from georapp import models
from georapp.case import Case
from georapp.errors import CaseError, ModelError
folder = Path(sys.argv[1])
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid({NOBODY})
    os.setuid({NOBODY})
def told(what, *arguments):
    try:
        return what(*arguments)
    except (CaseError, ModelError) as error:
        return f"{{type(error).__name__}}: {{error}} {{error.hint}}"
"""


@pytest.fixture
def folder() -> Iterator[Path]:
    """One that everybody may enter and write to, unlike those of pytest."""
    if not hasattr(os, "geteuid"):
        pytest.skip("rights are other ones here")
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o777)
        yield Path(name)


def said(folder: Path, script: str) -> list[str]:
    """The lines that a process of an ordinary user writes."""
    done = subprocess.run([sys.executable, "-c", AS_NOBODY + script, str(folder)], capture_output=True, text=True, check=False)
    if "Operation not permitted" in done.stderr and "os.set" in done.stderr:
        pytest.skip("this machine does not allow to become another user")
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_a_file_that_is_write_protected_is_only_read_and_can_be_copied(folder: Path) -> None:
    path = folder / "a.georapp"
    with Case.create(path) as case:
        case.keep("x", "y")
    path.chmod(0o444)
    before = path.read_bytes()
    lines = said(
        folder,
        """
with Case.open(folder / "a.georapp") as case:
    print(case.writable, case.holder)
    print(case.setting("x"), case.problems())
    print(told(case.keep, "x", "z"))
    case.save_copy(folder / "copy.georapp")
with Case.open(folder / "copy.georapp") as copy:
    print(copy.writable, copy.setting("x"))
""",
    )
    assert lines == [
        "False nobody: the file is write-protected",
        "y []",
        f"CaseError: {path} is only read here; the right to write it has nobody: the file is write-protected. ",
        "True y",
    ]
    assert path.read_bytes() == before


def test_a_file_and_a_folder_that_are_closed_are_sentences(folder: Path) -> None:
    for path in (folder / "closed.georapp", folder / "inside" / "a.georapp"):
        path.parent.mkdir(exist_ok=True)
        Case.create(path).close()
    (folder / "closed.georapp").chmod(0)
    (folder / "inside").chmod(0)
    lines = said(
        folder,
        """
print(told(Case.open, folder / "closed.georapp"))
print(told(Case.salvage, folder / "closed.georapp", folder / "saved.georapp"))
print(told(Case.open, folder / "inside" / "a.georapp"))
print(told(Case.create, folder / "inside" / "b.georapp"))
""",
    )
    (folder / "inside").chmod(0o700)
    assert len(lines) == 4
    for line in lines:
        assert "permission denied" in line
        assert line.startswith("CaseError: ")
        assert "Ask its owner" in line
    assert not (folder / "saved.georapp").exists()


def test_a_folder_that_is_write_protected_takes_no_new_case(folder: Path) -> None:
    (folder / "kept").mkdir()
    (folder / "kept").chmod(0o555)
    (line,) = said(folder, 'print(told(Case.create, folder / "kept" / "a.georapp"))')
    assert "cannot be made: its folder, or .a.georapp.lock in it, cannot be written to (permission denied)." in line
    assert "nobody" not in line


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="needs two users")
def test_a_case_that_two_users_may_write_is_written_by_both(folder: Path) -> None:
    path = folder / "shared.georapp"
    Case.create(path).close()
    path.chmod(0o666)
    with Case.open(path) as case:
        case.keep("x", "first")
    lines = said(
        folder,
        """
with Case.open(folder / "shared.georapp") as case:
    case.keep("x", case.setting("x") + " and second")
    print(case.writable, case.setting("x"))
""",
    )
    assert lines == ["True first and second"]


def test_model_folders_that_are_closed_are_left_out(folder: Path) -> None:
    for name in ("closed", "open"):
        (folder / "models" / name).mkdir(parents=True)
        (folder / "models" / name / "model.json").write_text("{}")
    (folder / "models" / "closed").chmod(0)
    script = """
os.environ["GEORAPP_HOME"] = str(folder)
print([found.name for found in models.folders()])
print(told(models.find, "closed"))
print(told(models.find, str(folder / "models" / "closed")))
"""
    names, by_name, by_folder = said(folder, script)
    (folder / "models").chmod(0)
    without = said(folder, script)[0]
    (folder / "models").chmod(0o700)
    (folder / "models" / "closed").chmod(0o700)
    assert names == "['open', 'georapp-mini']"
    assert without == "['georapp-mini']"
    for line in (by_name, by_folder):
        assert line.startswith("ModelError: There is no model")
