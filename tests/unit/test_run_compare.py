"""Runs in few facts, beside each other, and as a table. What they are read from is written as training writes it."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from georapp import run_compare, run_facts, run_notes, run_toml, runs
from georapp.errors import RunError
from georapp.run_compare import Note, differences, letter, notes
from georapp.run_events import (
    CONFIG,
    EVENTS,
    Album,
    Alert,
    Began,
    Failed,
    Finished,
    ModelMade,
    Probe,
    RunEvent,
    Sample,
    Stage,
    Step,
    to_line,
)  # fmt: skip
from georapp.run_history import PROBE, STEP
from georapp.run_notes import Notes
from georapp.run_settings import Grpo, Model, RunConfig
from georapp.run_summary import Summary, SummaryReader
from georapp.runs import State
from training.provenance import album_hash
from training.rows import AlbumRow, Part, write_rows

BASELINES = {
    "frequent/within_25_km": 0.04,
    "frequent/median_km": 2200.0,
    "random/within_25_km": 0.005,
    "random/median_km": 4200.0,
}


def probe(stage: str, step: int, km: float, *, n: int = 200, at: float = 0.0) -> Probe:
    values = {"within_25_km": 0.3, "within_200_km": 0.5, "median_km": km, "error_km": km} | BASELINES
    return Probe(stage, step, n, values, at=at)


def write(folder: Path, *events: RunEvent) -> None:
    with (folder / EVENTS).open("ab") as out:
        out.writelines(to_line(event) for event in events)


def rows(*, photos: int = 20, probe_from: int = 15, shift: float = 0.0) -> list[AlbumRow]:
    return [
        AlbumRow(
            f"{n:064x}",
            f"/photos/{n}.jpg",
            n + shift,
            2.0 * n,
            "PT",
            f"Country: {n}",
            Part.PROBE if n >= probe_from else Part.TRAIN,
        )
        for n in range(photos)
    ]


def make(folder: Path, config: RunConfig | None = None, album: Sequence[AlbumRow] = (), events: Sequence[RunEvent] = ()) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    run_toml.write(config or RunConfig(), folder / CONFIG)
    if album:
        write_rows(album, folder / "album")
    write(folder, *events)
    return folder


def finished(at: float = 1000.0) -> list[RunEvent]:
    return [
        Began(1, "elsewhere", "0.1.0", at=at),
        Album(2000, 1400, 12, at=at + 1),
        Stage("sft", "began", 0, 100, at=at + 2),
        probe("sft", 0, 900.0, at=at + 3),
        Step("sft", 100, 100, {"loss": 1.0}, at=at + 50),
        Stage("sft", "done", 100, 100, at=at + 51),
        Stage("grpo", "began", 0, 300, at=at + 52),
        probe("grpo", 50, 300.0, at=at + 60),
        probe("grpo", 100, 350.0, at=at + 70),
        Stage("grpo", "done", 300, 300, at=at + 80),
        probe("export", 0, 310.0, at=at + 90),
        ModelMade("model", at=at + 95),
        Finished(at=at + 100),
    ]


def made_model(folder: Path, **made_by: Any) -> None:
    (folder / "model").mkdir()
    (folder / "model" / "model.json").write_text(json.dumps({"made_by": made_by}))


@pytest.fixture
def done(tmp_path: Path) -> Path:
    folder = make(tmp_path / "done", album=rows(), events=finished())
    made_model(folder)
    return folder


# ---- a summary ----


def test_a_finished_run(done: Path) -> None:
    summary = SummaryReader(done).read()
    assert summary.run.state is State.FINISHED
    assert (summary.started, summary.seconds, summary.starts) == (1000.0, 100.0, 1)
    assert summary.model == done / "model"
    assert summary.worse == ""
    assert summary.best
    assert summary.before
    assert (summary.best.name, summary.best.n, summary.best.median_km) == ("this model", 200, 310.0)
    assert (summary.before.name, summary.before.median_km) == ("before training", 900.0)
    share = summary.best.within(25)
    assert share
    assert (share.count, share.n) == (60.0, 200)
    assert share.interval[0] < 0.3 < share.interval[1]
    assert summary.best.within(750) is None
    assert [(one.name, one.n, one.median_km) for one in summary.baselines] == [
        ("most frequent place", 200, 2200.0),
        ("random training place", 200, 4200.0),
    ]
    assert [(one.name, one.state, one.steps) for one in summary.stages] == [("sft", "done", 100), ("grpo", "done", 300)]
    assert summary.versions == {"georapp": "0.1.0"}
    assert summary.album
    assert summary.album.photos == 2000


def test_before_there_is_a_model_the_best_checkpoint_counts(tmp_path: Path) -> None:
    summary = SummaryReader(make(tmp_path / "run", events=finished()[:9])).read()
    assert summary.best
    assert (summary.best.name, summary.best.median_km) == ("GRPO, step 50", 300.0)
    assert summary.model is None
    assert summary.run.state is State.DIED


def test_the_data_hash_is_that_of_the_models_card(done: Path) -> None:
    data = SummaryReader(done).read().data
    assert data
    assert data.sha256 == album_hash(rows())
    assert (data.train, data.measured_on, data.held_out) == (15, 5, 0)


def test_held_out_photos_are_told_from_the_others(tmp_path: Path) -> None:
    more = [*rows(), replace(rows()[0], id="f" * 64)]  # one more to train on
    one, two, three = (
        run_facts.data_of(make(tmp_path / name, album=album))
        for name, album in (("a", rows()), ("b", more), ("c", rows(shift=0.001)))
    )
    assert one
    assert two
    assert three
    assert one.probe == two.probe != three.probe
    assert one.sha256 != two.sha256


def test_a_run_that_was_never_started(tmp_path: Path) -> None:
    summary = SummaryReader(make(tmp_path / "new")).read()
    assert summary.run.state is State.CREATED
    assert (summary.started, summary.seconds, summary.best, summary.data, summary.stages) == (0.0, 0.0, None, None, ())
    assert summary.read


def test_seconds_are_those_in_which_its_processes_worked(tmp_path: Path) -> None:
    first = [Began(1, "m", "0.1.0", at=100.0), Stage("sft", "began", 0, 9, at=101.0), Step("sft", 5, 9, {"loss": 1.0}, at=130.0)]
    later = [
        Began(2, "m", "0.2.0", at=5000.0),
        Stage("sft", "resumed", 4, 9, at=5001.0),
        Step("sft", 9, 9, {"loss": 1.0}, at=5010.0),
    ]
    summary = SummaryReader(make(tmp_path / "run", events=[*first, *later])).read()
    assert summary.seconds == pytest.approx(30 + 10)
    assert (summary.started, summary.starts, summary.versions) == (100.0, 2, {"georapp": "0.2.0"})


def test_what_a_resume_undid_does_not_count(tmp_path: Path) -> None:
    events = [
        Stage("grpo", "began", 0, 300),
        probe("grpo", 50, 500.0),
        probe("grpo", 100, 100.0),
        Stage("grpo", "resumed", 60, 300),
    ]
    summary = SummaryReader(make(tmp_path / "run", events=events)).read()
    assert summary.best
    assert summary.best.step == 50


def test_a_model_that_got_worse_says_so(done: Path) -> None:
    write(done, Alert("worse", "It is 320 km off and was 212 km.", "Look."), ModelMade("model"))
    assert SummaryReader(done).read().worse == "It is 320 km off and was 212 km."
    write(done, Stage("export", "began"))  # made again
    assert SummaryReader(done).read().worse == ""


def test_a_model_that_got_worse_by_its_own_file(done: Path) -> None:
    (done / "model" / "model.json").write_text(json.dumps({"made_by": {"worse": True}}))
    assert "farther off" in SummaryReader(done).read().worse


@pytest.mark.parametrize("path", ["../elsewhere", "/etc", "a/../../b"])
def test_a_model_lies_in_its_run(done: Path, path: str) -> None:
    write(done, ModelMade(path))
    assert SummaryReader(done).read().model is None


def test_a_model_that_was_deleted(done: Path) -> None:
    (done / "model" / "model.json").unlink()
    assert SummaryReader(done).read().model is None


def test_libraries_that_a_run_names(done: Path) -> None:
    (done / "versions.json").write_text('{"torch": "2.13.0", "cuda": null}')
    assert SummaryReader(done).read().versions == {"georapp": "0.1.0", "torch": "2.13.0"}


def test_title_and_note(done: Path) -> None:
    reader = SummaryReader(done)
    assert reader.read().title == "done"
    run_notes.write(done, Notes("Second try"))
    assert not reader.is_fresh()
    assert reader.read().title == "Second try"


# ---- read once ----


def test_nothing_is_read_twice(done: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = SummaryReader(done)
    first = reader.read()
    assert reader.is_fresh()
    monkeypatch.setattr(runs, "look", None)  # nobody looks
    assert reader.read() is first


def test_only_what_is_new_is_read(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", events=finished()[:7])
    reader = SummaryReader(folder)
    assert reader.read().best is None
    taken: list[bytes] = []
    take = reader._seen.take
    reader._seen.take = lambda lines: (taken.append(lines), take(lines))[1]  # type: ignore[method-assign]
    write(folder, probe("grpo", 50, 300.0))
    summary = reader.read()
    assert summary.best
    assert summary.best.step == 50
    assert [lines.count(b"\n") for lines in taken] == [1]


def test_half_a_line_is_read_when_it_is_whole(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", events=finished()[:4])
    line = to_line(probe("sft", 100, 400.0))
    reader = SummaryReader(folder)
    with (folder / EVENTS).open("ab") as out:
        out.write(line[:40])
    assert reader.read().best is None
    with (folder / EVENTS).open("ab") as out:
        out.write(line[40:])
    summary = reader.read()
    assert summary.best
    assert summary.best.step == 100


def test_another_file_is_read_anew(tmp_path: Path) -> None:
    folder = make(tmp_path / "run", events=finished())
    reader = SummaryReader(folder)
    assert reader.read().best
    (folder / EVENTS).write_bytes(to_line(Began(1, "m", at=7.0)))
    summary = reader.read()
    assert (summary.best, summary.started) == (None, 7.0)


def test_a_glance_knows_what_was_read_before(done: Path) -> None:
    reader = SummaryReader(done)
    assert (reader.glance().read, reader.glance().best) == (False, None)
    reader.read()
    assert reader.glance().read
    assert reader.glance().best


def test_pieces_end_anywhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make(tmp_path / "run", events=finished())
    whole = SummaryReader(folder).read()
    for size in (1, 7, 100, 1000):
        monkeypatch.setattr("georapp.run_summary._TURN", size)
        monkeypatch.setattr(run_facts, "REST_S", 0.0)
        assert SummaryReader(folder).read() == whole


# ---- damaged ----


def test_a_damaged_run_toml(done: Path) -> None:
    (done / CONFIG).write_bytes(b"\xff not toml")
    summary = SummaryReader(done).read()
    assert summary.config is None
    assert "no text in UTF-8" in summary.config_error
    assert summary.best


@given(garbage=st.lists(st.binary(max_size=60), max_size=6))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_garbage_between_the_lines(tmp_path: Path, garbage: list[bytes]) -> None:
    folder = make(tmp_path / "run")
    lines = [to_line(event) for event in finished()]
    kinds = [b'{"kind": "probe"', b'{"kind": "began", "pid": 1, "machine": "m", "at": 1e999}', b'{"kind": "alert"}', *garbage]
    dirt = b"".join(b"\n" + line.replace(b"\n", b"") + b"\n" for line in kinds)
    (folder / EVENTS).write_bytes(dirt.join(lines))
    summary = SummaryReader(folder).read()
    assert summary.best
    assert summary.best.median_km == 310.0


@pytest.mark.parametrize("line", [
    '{"kind": "probe", "stage": "grpo", "step": 7, "photos": -3, "values": {"within_25_km": 0.5, "median_km": 1e999, "error_km": 1}}',
    '{"kind": "probe", "stage": "grpo", "step": 7, "photos": 9, "values": {"within_25_km": 5.0, "median_km": NaN, "error_km": 1}}',
])  # fmt: skip
def test_impossible_figures_are_none(tmp_path: Path, line: str) -> None:
    folder = make(tmp_path / "run")
    (folder / EVENTS).write_text(line + "\n")
    best = SummaryReader(folder).read().best
    assert best is not None
    assert (best.within(25), best.median_km) == (None, None)


def test_a_damaged_album(done: Path) -> None:
    for text in ('{"id": 1}\n', "[" * 5000, '"x"\n', ""):
        (done / "album" / "rows.jsonl").write_text(text)
        data = SummaryReader(done).read().data
        assert data is None or data.measured_on == 0


# ---- settings ----


def test_settings_that_differ() -> None:
    one, two = RunConfig(name="a"), RunConfig(name="b", grpo=Grpo(beta=0.1), model=Model(lora_rank=8))
    found = differences([one, two])
    assert [(setting.key, setting.values) for setting in found] == [
        ("model.lora_rank", ("32", "8")),
        ("grpo.beta", ("0.04", "0.1")),
    ]
    assert found[1].about == "how strongly the model is held near the one before this stage"
    every = differences([one, two], all_of_them=True)
    assert len(every) > 60
    assert sum(setting.differs for setting in every) == 2


def test_settings_of_one_that_cannot_be_read() -> None:
    assert {setting.values[1] for setting in differences([RunConfig(), None])} == {"–"}


def test_letters() -> None:
    assert [letter(n) for n in range(run_compare.MOST)] == [*"ABCDEFGH"]


# ---- may they be compared? ----


def summaries(tmp_path: Path, *parts: tuple[RunConfig, Sequence[AlbumRow]]) -> list[Summary]:
    return [
        SummaryReader(make(tmp_path / f"run {n}", config, album, finished())).read() for n, (config, album) in enumerate(parts)
    ]


def sentences(found: Sequence[Note], tone: str) -> str:
    return " ".join(note.sentence for note in found if note.tone == tone)


def test_the_same_photos(tmp_path: Path) -> None:
    five = [
        replace(one, best=replace(one.best, n=5))
        for one in summaries(tmp_path, (RunConfig(), rows()), (RunConfig(), rows()))
        if one.best
    ]
    found = notes(five)
    assert sentences(found, "warning") == ""
    assert "All were measured on the same 5 held-out photos." in sentences(found, "good")
    assert "All learned from the same photos" in sentences(found, "good")
    assert "same versions: georapp 0.1.0" in sentences(found, "good")


def test_other_held_out_photos_are_a_warning(tmp_path: Path) -> None:
    there = [(RunConfig(), rows()), (RunConfig(), rows(probe_from=14)), (RunConfig(), rows())]
    said = sentences(notes(summaries(tmp_path, *there)), "warning")
    assert "Not measured on the same held-out photos (A and C / B): their figures cannot be compared." in said


def test_unknown_photos_are_a_warning(tmp_path: Path) -> None:
    said = sentences(notes(summaries(tmp_path, (RunConfig(), rows()), (RunConfig(), []))), "warning")
    assert "On which photos B was measured is not known." in said


def test_photos_that_could_not_be_read_are_told(tmp_path: Path) -> None:
    one, two = summaries(tmp_path, (RunConfig(), rows()), (RunConfig(), rows()))
    assert one.best
    assert two.best
    found = notes([replace(one, best=replace(one.best, n=5)), replace(two, best=replace(two.best, n=4))])
    assert "B was measured on 4 of them" in sentences(found, "warning")


def test_rewards_of_other_curves_are_a_warning(tmp_path: Path) -> None:
    there = [(RunConfig(), rows()), (RunConfig(grpo=Grpo(names_weight=0.5)), rows())]
    assert "compare distances, not rewards" in sentences(notes(summaries(tmp_path, *there)), "warning")


def test_other_bases_and_versions(tmp_path: Path) -> None:
    one, two = summaries(tmp_path, (RunConfig(model=Model(base="/m/x")), rows()), (RunConfig(model=Model(base="/m/y")), rows()))
    found = notes([one, replace(two, versions={"georapp": "0.2.0", "torch": "2.13.0"})])
    said = sentences(found, "dim")
    assert "They began with other models: A x, B y." in said
    assert "georapp A 0.1.0, B 0.2.0; torch A unknown, B 2.13.0" in said


# ---- as a table ----


def test_all_steps_as_csv(tmp_path: Path) -> None:
    steps = [Step.of("grpo", n, 3, {"reward": n / 10, "kl": float("nan") if n == 2 else 0.1}) for n in (1, 2, 3)]
    one = make(
        tmp_path / "one",
        events=[Began(1, "m", at=5.0), Stage("grpo", "began", 0, 3), *steps, probe("grpo", 3, 40.0, at=1795314534.0)],
    )
    two = make(tmp_path / "two", events=[Stage("sft", "began", 0, 1), Step("sft", 1, 1, {"loss": 2.0}), Failed("No.")])
    path = tmp_path / "steps.csv"
    histories = {"=one": run_compare.history_of(one), "two": run_compare.history_of(two)}
    assert run_compare.export_csv(histories, path) == 5
    with path.open(newline="", encoding="utf-8") as file:
        lines = [*csv.DictReader(file)]
    assert [(line["run"], line["stage"], line["kind"], line["step"]) for line in lines] == [
        ("'=one", "grpo", STEP, "1"),
        ("'=one", "grpo", STEP, "2"),
        ("'=one", "grpo", STEP, "3"),
        ("'=one", "grpo", PROBE, "3"),
        ("two", "sft", STEP, "1"),
    ]
    assert [line["kl"] for line in lines] == ["0.1", "NaN", "0.1", "", ""]
    assert [float(line["reward"]) for line in lines[:3]] == [0.1, 0.2, 0.3]
    assert (lines[3]["time"], lines[3]["error_km"], lines[3]["frequent/median_km"]) == ("2026-11-22T02:28:54Z", "40.0", "2200.0")
    assert sorted(file.name for file in tmp_path.glob("*.csv*")) == ["steps.csv"]


def test_answers_are_read_over(tmp_path: Path) -> None:
    sample = Sample("grpo", 1, "/p.jpg", "Country: x", 1.0, 2.0, 3.0, 0.5, 0.1, 0, 1.0, 2.0, {"reward": 0.5})
    folder = make(
        tmp_path / "run", events=[Stage("grpo", "began", 0, 2), Step("grpo", 1, 2, {"reward": 1.0}), sample, sample, Finished()]
    )
    history = run_compare.history_of(folder)
    assert not history.places
    assert run_compare.export_csv({"run": history}, tmp_path / "x.csv") == 1


def test_a_folder_that_takes_no_table(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="cannot be written"):
        run_compare.export_csv({}, tmp_path / "gone" / "x.csv")
    assert [*tmp_path.iterdir()] == []
