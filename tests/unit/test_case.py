"""The case file: what goes in comes out, nothing is overwritten, one writes and others read, a crash loses nothing."""

from __future__ import annotations

import os
import signal
import sqlite3
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from georapp import case_file, events
from georapp.case import MIGRATIONS, Case, Ruling, State, Verdict
from georapp.chain import Chain, Level
from georapp.errors import CaseError
from georapp.geo import Coordinate
from georapp.prediction import Prediction, Sample

PARIS, ROME = Coordinate(48.8566, 2.3522), Coordinate(41.9, 12.5)


def photo(name: str = "a", **known: float) -> events.Began:
    return events.Began("1", sha256=name * 64, width=4, height=3, format="JPEG", bytes=12, **known)


def add(case: Case, name: str, began: events.Began) -> tuple[int, bool]:
    return case.add([(Path(name), began)])[0]


def located(best: Coordinate | None = PARIS) -> events.Located:
    chain = Chain.of([(Level.CONTINENT, "Europe"), (Level.COUNTRY, "France")], None)
    prediction = Prediction(chain, best, 1.0, 90.0, (Sample("Country: France\n", finished=True, chain=chain),))
    return events.Located("1", "mini", "f" * 64, 1, "mini", 7, 0.7, prediction)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "Lisbon enquiry.georapp"


def test_what_goes_in_comes_out(path: Path) -> None:
    with Case.create(path) as case:
        number, new = add(case, "/photos/ä\n.jpg", photo(known_lat=48.0, known_lon=2.0))
        assert new
        case.save(number, located())
        case.judge(number, Verdict(Ruling.CORRECTED, ROME, "seen it myself", "Ada"))
    with Case.open(path) as case:
        (row,) = case.rows()
        assert (row.path, row.state, row.stated, row.country) == (
            Path("/photos/ä\n.jpg"),
            State.LOCATED,
            "Europe › France",
            "France",
        )
        assert (row.best, row.known, row.radius_km, row.model) == (PARIS, Coordinate(48.0, 2.0), 90.0, "mini")
        assert row.error_km == pytest.approx(98.8, abs=1)
        assert row.ruling is Ruling.CORRECTED
        assert case.file(number) == photo(known_lat=48.0, known_lon=2.0)
        assert case.answers(number)[0].located == located()
        (verdict,) = case.verdicts(number)
        assert (verdict.place, verdict.note, verdict.author) == (ROME, "seen it myself", "Ada")
        assert case.problems() == []


def test_the_same_bytes_are_one_photo(path: Path) -> None:
    with Case.create(path) as case:
        first, new = add(case, "a.jpg", photo("a"))
        again, newer = add(case, "copy of a.jpg", photo("a"))
        other, _ = add(case, "b.jpg", photo("b"))
        assert (new, newer, again == first, other == first) == (True, False, True, False)
        assert [row.path.name for row in case.rows()] == ["a.jpg", "b.jpg"]


def test_a_name_that_is_no_text_is_kept(path: Path) -> None:
    odd = Path(os.fsdecode(b"/photos/\xff\xfe.jpg"))
    with Case.create(path) as case:
        number, _ = case.add([(odd, photo())])[0]
        case.add_unreadable([(odd, "It is damaged.", "Get another copy.")])
        assert case.row(number).path == odd
        assert case.unreadable() == [(odd, "It is damaged.", "Get another copy.")]


def test_nothing_is_overwritten(path: Path) -> None:
    now = [datetime(2026, 11, 21, tzinfo=UTC)]

    def clock() -> datetime:
        now[0] += timedelta(seconds=1)
        return now[0]

    with Case.create(path, clock=clock) as case:
        number, _ = add(case, "a.jpg", photo())
        case.save(number, events.Failed("1", "The model's process ended.", "WorkerDied"))
        assert case.row(number).state is State.FAILED
        assert case.row(number).reason == "The model's process ended."
        case.save(number, located(PARIS))
        case.save(number, replace(located(ROME), seed=8))
        assert [answer.located.seed for answer in case.answers(number)] == [7, 8]
        assert (case.row(number).best, case.row(number).state, case.row(number).reason) == (ROME, State.LOCATED, "")
        assert case.failure(number) == events.Failed("1", "The model's process ended.", "WorkerDied")
        for ruling in (Ruling.ACCEPTED, Ruling.NONE, Ruling.REJECTED):
            case.judge(number, Verdict(ruling, author="Ada"))
        assert [verdict.ruling for verdict in case.verdicts(number)] == [Ruling.ACCEPTED, Ruling.NONE, Ruling.REJECTED]
        times = [verdict.at for verdict in case.verdicts(number)]
        assert times == sorted(set(times))


def test_the_queue_goes_in_order_and_can_be_changed(path: Path) -> None:
    with Case.create(path) as case:
        a, b, c, d = (add(case, f"{name}.jpg", photo(name))[0] for name in "abcd")
        assert case.next_waiting() == a
        case.move_first([d, c])
        assert [row.number for row in case.rows()] == [d, c, a, b]
        case.set_state([d, c], State.SKIPPED)
        assert case.next_waiting() == a
        case.save(a, located())
        case.save(b, events.Failed("1", "No.", "ModelError"))
        assert case.next_waiting() is None
        assert case.counts() == {State.WAITING: 0, State.SKIPPED: 2, State.LOCATED: 1, State.FAILED: 1}
        case.set_state([b], State.WAITING)
        assert case.next_waiting() == b


def test_one_writes_and_others_read(path: Path) -> None:
    with Case.create(path) as case:
        number, _ = add(case, "a.jpg", photo())
        with Case.open(path) as reader:
            assert not reader.writable
            assert f"process {os.getpid()}" in reader.holder
            assert [row.number for row in reader.rows()] == [number]
            with pytest.raises(CaseError, match="only read here"):
                reader.set_state([number], State.SKIPPED)
        assert case.writable
    with Case.open(path) as later:
        assert later.writable


def test_who_only_looks_keeps_nobody_from_writing(path: Path) -> None:
    Case.create(path).close()
    with Case.look(path) as reader, Case.open(path) as case:
        assert case.writable
        assert not reader.writable
        number, _ = add(case, "a.jpg", photo())
        assert [row.number for row in reader.rows()] == [number]
        with pytest.raises(CaseError, match="only read here"):
            reader.set_state([number], State.SKIPPED)


def test_a_killed_writer_loses_nothing_and_holds_nothing(path: Path) -> None:
    program = f"""
import pathlib, sys, time
sys.path.insert(0, {str(Path(__file__).parent)!r})
from georapp import events
from georapp.case import Case
case = Case.create(pathlib.Path({str(path)!r}))
for i in range(100000):
    number, _ = case.add([(pathlib.Path(f"{{i}}.jpg"), events.Began("", sha256=str(i)))])[0]
    print(number, flush=True)
"""
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        said = [int(process.stdout.readline()) for _ in range(30)]
        process.send_signal(signal.SIGKILL)
    with Case.open(path) as case:
        assert case.writable
        assert len(case.rows()) >= len(said)
        assert case.problems() == []


def test_a_change_that_fails_changes_nothing(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Case.create(path) as case:
        number, _ = add(case, "a.jpg", photo())
        monkeypatch.setattr("georapp.case._text", lambda _event: (_ for _ in ()).throw(KeyError("broken")))
        with pytest.raises(KeyError):
            case.save(number, located())
        assert case.row(number).state is State.WAITING
        case.set_state([number], State.SKIPPED)  # the case goes on


def test_a_full_disk_is_a_sentence(path: Path) -> None:
    with Case.create(path) as case:
        case._connection.execute("PRAGMA max_page_count = 20")
        add(case, "0.jpg", photo())
        many = [(Path(f"{i}.jpg"), replace(photo(), sha256=str(i), notes=("x" * 500,))) for i in range(1000)]
        with pytest.raises(CaseError, match="could not be written"):
            case.add(many)
        assert [row.path.name for row in case.rows()] == ["0.jpg"]  # all of one change or nothing
        assert case.problems() == []


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda p: p.write_text("this is no database at all, only text" * 50), "cannot be opened as a case"),
        (lambda p: sqlite3.connect(p).execute("CREATE TABLE x (y)").connection.commit(), "another program"),
        (lambda p: None, "There is no case"),
    ],
)
def test_a_file_that_is_no_case_is_refused(path: Path, make: object, sentence: str) -> None:
    make(path)  # type: ignore[operator]
    with pytest.raises(CaseError, match=sentence):
        Case.open(path)
    with Case.create(path.with_name("other.georapp")) as case:  # and the right to write was given back
        assert case.writable


def test_a_newer_case_is_refused(path: Path) -> None:
    Case.create(path).close()
    with sqlite3.connect(path) as newer:
        newer.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    newer.close()
    with pytest.raises(CaseError, match="newer version"):
        Case.open(path)


def test_an_existing_file_is_not_made_again(path: Path) -> None:
    Case.create(path).close()
    with pytest.raises(CaseError, match="exists already"):
        Case.create(path)


def test_a_case_of_an_older_version_is_brought_up_to_date_and_copied(path: Path) -> None:
    with Case.create(path) as case:
        add(case, "a.jpg", photo())
    steps = (*MIGRATIONS, lambda connection: connection.execute("ALTER TABLE photo ADD COLUMN extra TEXT"))
    connection = case_file.connect(path, steps, writable=True)
    assert connection.execute("SELECT extra FROM photo").fetchone()["extra"] is None
    connection.close()
    assert path.with_name(f"{path.name}.before-version-2").is_file()


def test_a_migration_that_fails_leaves_the_old_case(path: Path) -> None:
    Case.create(path).close()
    steps = (*MIGRATIONS, lambda connection: connection.execute("this is no SQL"))
    with pytest.raises(CaseError):
        case_file.connect(path, steps, writable=True)
    Case.open(path).close()


def test_a_copy_is_equal_and_can_be_opened_beside(path: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy.georapp"
    with Case.create(path) as case:
        number, _ = add(case, "a.jpg", photo())
        case.save(number, located())
        case.save_copy(copy)
        with Case.open(copy) as other:
            assert other.rows() == case.rows()
            assert other.answers(number) == case.answers(number)
        with pytest.raises(CaseError, match="another name"):
            case.save_copy(path)
        with pytest.raises(CaseError, match="could not be written"):
            case.save_copy(tmp_path / "no such folder" / "copy.georapp")


def test_a_damaged_case_says_so(path: Path) -> None:
    with Case.create(path) as case:
        for i in range(300):
            add(case, f"{i}.jpg", replace(photo(), sha256=str(i), notes=("x" * 300,)))
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 4096] = b"\x55" * 4096
    path.write_bytes(data)
    with Case.open(path) as case:
        assert case.problems()


def test_what_can_be_read_of_a_damaged_case_is_saved(path: Path, tmp_path: Path) -> None:
    with Case.create(path) as case:
        case.add([(Path(f"{i}.jpg"), replace(photo(), sha256=f"{i:064d}")) for i in range(400)])
        for number in range(1, 400):
            case.save(number, located())
    data = bytearray(path.read_bytes())
    middle = len(data) // 2 // 4096 * 4096
    data[middle : middle + 4096] = b"x" * 4096
    path.write_bytes(data)
    with Case.open(path) as case:
        assert case.problems()
    said = Case.salvage(path, tmp_path / "repaired.georapp")
    assert path.read_bytes() == data
    assert "of photo" in said
    with Case.open(tmp_path / "repaired.georapp") as case:
        assert case.problems() == [] or all("points nowhere" in line for line in case.problems())
        answered = sum(len(case.answers(row.number)) for row in case.rows())
        assert len(case.rows()) > 300
        assert answered > 200


def test_a_file_of_which_nothing_can_be_read_leaves_none(path: Path, tmp_path: Path) -> None:
    path.write_bytes(b"no case at all" * 1000)
    with pytest.raises(CaseError, match="Nothing of"):
        Case.salvage(path, tmp_path / "repaired.georapp")
    assert not (tmp_path / "repaired.georapp").exists()


@settings(max_examples=30, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["add", "save", "fail", "skip", "wait", "judge"]), st.integers(0, 4)),
        max_size=25,
    )
)
def test_closing_and_opening_changes_nothing(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    path = tmp_path_factory.mktemp("case") / "x.georapp"
    with Case.create(path) as case:
        for what, which in steps:
            numbers = [row.number for row in case.rows()]
            if what == "add":
                add(case, f"{which}.jpg", replace(photo(), sha256=str(which)))
            elif numbers:
                number = numbers[which % len(numbers)]
                if what == "save":
                    case.save(number, located())
                elif what == "fail":
                    case.save(number, events.Failed("1", "No.", "ModelError"))
                elif what == "judge":
                    case.judge(number, Verdict(Ruling.UNSURE, author="Ada"))
                else:
                    case.set_state([number], State.SKIPPED if what == "skip" else State.WAITING)
        before = case.rows(), case.counts(), [case.answers(row.number) for row in case.rows()]
    with Case.open(path) as case:
        assert (case.rows(), case.counts(), [case.answers(row.number) for row in case.rows()]) == before
        assert sum(case.counts().values()) == len(case.rows())
