"""What a GPU says of itself: nothing without one, nothing without its driver, and never an error."""

from __future__ import annotations

from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from training import gpu  # noqa: E402


class Driver:
    """Stands in for the module pynvml, on machines without a GPU. `works`: for how many calls a card can be asked."""

    NVML_TEMPERATURE_GPU = 0

    class NVMLError(Exception):
        pass

    def __init__(self, works: int = 1000, *, there: bool = True, known: str = "GPU-1") -> None:
        self.works, self.there, self.known, self.calls = works, there, known, list[str]()

    def nvmlInit(self) -> None:
        self.calls.append("init")
        if not self.there:
            raise self.NVMLError

    def nvmlDeviceGetHandleByUUID(self, uuid: str) -> str:
        self.calls.append("find")
        if uuid != self.known:
            raise self.NVMLError
        return uuid

    def nvmlDeviceGetTemperature(self, handle: str, sensor: int) -> int:
        self.calls.append("ask")
        if self.calls.count("ask") > self.works:
            raise self.NVMLError
        return 63


def test_a_card_is_found_once_and_asked_often() -> None:
    driver: Any = Driver()
    gauge = gpu.Gauge(driver, "GPU-1")

    assert [gauge.celsius() for _ in range(3)] == [63.0] * 3
    assert driver.calls == ["init", "find", "ask", "ask", "ask"]


@pytest.mark.parametrize("driver", [None, Driver(there=False), Driver(known="GPU-2")])
def test_without_nvml_its_driver_or_the_card_nothing_is_said(driver: Any) -> None:
    gauge = gpu.Gauge(driver, "GPU-1")

    assert gauge.celsius() is None


def test_a_card_that_does_not_answer_is_not_asked_again() -> None:
    driver: Any = Driver(works=2)
    gauge = gpu.Gauge(driver, "GPU-1")

    assert [gauge.celsius() for _ in range(5)] == [63.0, 63.0, None, None, None]
    assert driver.calls.count("ask") == 3


def test_the_installed_library_finds_no_such_card() -> None:
    """Also where there is a driver."""
    assert gpu.Gauge(gpu._nvml(), "GPU-of-nobody").celsius() is None


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU")
def test_without_a_gpu_steps_say_nothing_of_one() -> None:
    assert gpu.Gpu().values() == {}


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_memory_is_the_most_since_the_last_step() -> None:
    card = gpu.Gpu()
    card.values()
    large = torch.empty(10**9, dtype=torch.uint8, device="cuda")
    del large
    assert card.values()[gpu.MEMORY] >= 1
    assert card.values()[gpu.MEMORY] < 1
    assert 0 < card.values().get(gpu.TEMPERATURE, 50) < 120
