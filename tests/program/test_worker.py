"""The worker process with the embedded model: stops, deaths, silence; each costs one photo and is named."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from georapp import events, models, priority
from georapp.errors import ModelError, WorkerDied, WorkerStuck
from georapp.supervisor import Supervisor
from tests.program.conftest import CHINA


def load(**changes: int) -> events.Load:
    return events.Load(str(models.find().folder), **changes)


@pytest.fixture
def supervisor() -> Iterator[Supervisor]:
    with Supervisor(load(threads=1)) as supervisor:
        yield supervisor


def outcome(supervisor: Supervisor, **how: object) -> events.Event:
    return list(supervisor.locate(CHINA, **how))[-1]


def test_the_ladder_comes_before_the_answer(supervisor: Supervisor) -> None:
    heard = list(supervisor.locate(CHINA, samples=2, temperature=0.0))
    assert isinstance(heard[0], events.Began)
    assert isinstance(heard[-1], events.Located)
    rungs = [event for event in heard if isinstance(event, events.RegionRead)]
    assert [event.level for event in rungs][:2] == ["continent", "country"]
    text = "".join(event.piece for event in heard if isinstance(event, events.Text) and event.sample == 0)
    assert text == heard[-1].prediction.samples[0].text
    assert [event.name for event in rungs] == [region.name for region in heard[-1].prediction.samples[0].chain.regions]  # type: ignore[union-attr]


def test_a_photo_that_is_asked_again_gives_the_same_answer(supervisor: Supervisor) -> None:
    first, again = outcome(supervisor, seed=5), outcome(supervisor, seed=5)
    assert isinstance(first, events.Located)
    assert isinstance(again, events.Located)
    assert first.prediction.samples == again.prediction.samples


def test_stopping_a_photo_leaves_the_worker_ready(supervisor: Supervisor) -> None:
    heard: list[events.Event] = []
    for event in supervisor.locate(CHINA, samples=8):
        heard.append(event)
        if isinstance(event, events.Began):
            supervisor.stop(event.photo)
    last = heard[-1]
    assert isinstance(last, events.Failed)
    assert last.error == "Stopped"
    before = supervisor.pid
    assert isinstance(outcome(supervisor), events.Located)
    assert supervisor.pid == before


def killed_in_the_middle(supervisor: Supervisor, signal_: signal.Signals) -> None:
    for event in supervisor.locate(CHINA):
        if isinstance(event, events.Began):
            assert supervisor.pid
            os.kill(supervisor.pid, signal_)


@pytest.mark.parametrize(
    ("signal_", "words"), [(signal.SIGKILL, "killed"), (signal.SIGABRT, "gave up"), (signal.SIGSEGV, "crashed")]
)
def test_a_worker_that_dies_costs_one_photo_and_is_named(signal_: signal.Signals, words: str, supervisor: Supervisor) -> None:
    with pytest.raises(WorkerDied, match=words) as caught:
        killed_in_the_middle(supervisor, signal_)
    assert "china.jpg" in str(caught.value)
    assert caught.value.hint
    assert isinstance(outcome(supervisor), events.Located)  # by a new worker


def test_a_worker_that_hangs_is_ended(tmp_path: Path) -> None:
    with Supervisor(load(threads=1), patience_s=20.0) as supervisor:
        pid = supervisor.start() and supervisor.pid
        assert pid
        supervisor._patience_s = 1.0
        os.kill(pid, signal.SIGSTOP)
        with pytest.raises(WorkerStuck, match="said nothing"):
            list(supervisor.locate(CHINA))
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_worker_ends_with_the_program_that_started_it() -> None:
    supervisor = Supervisor(load(threads=1))
    supervisor.start()
    process = supervisor._process
    assert process
    assert process.stdin
    process.stdin.close()
    assert process.wait(10) == 0
    supervisor.close()


def test_a_model_that_is_gone_is_said(tmp_path: Path) -> None:
    with Supervisor(events.Load(str(tmp_path))) as supervisor, pytest.raises(ModelError, match="not a model folder"):
        supervisor.start()


def test_a_worker_lets_the_window_go_first() -> None:
    with Supervisor(load(threads=1), steps_back=True) as supervisor:
        supervisor.start()
        assert supervisor.pid
        assert os.getpriority(os.PRIO_PROCESS, supervisor.pid) == priority.NICE
        group = Path(f"/proc/{supervisor.pid}/autogroup")
        if os.access(group, os.W_OK):
            assert group.read_text().split()[-1] == str(priority.NICE)
