"""A worker process without a model: speaks the worker's messages, and does what the photo's file name says.

"die" in the name ends it in the middle, "twice" only while it may give many answers, "abort" as llama.cpp does it, "hang" says
nothing more, "slow" takes a while, "mess" answers nonsense. Everything else is in France. A model's folder that is called so dies,
aborts or hangs while it is loaded; "broken" is one that cannot be.
"""

from __future__ import annotations

import hashlib
import os
import signal
import sys
import threading
import time
from pathlib import Path

from georapp import events
from georapp.chain import Chain, Level
from georapp.geo import Coordinate
from georapp.prediction import Prediction, Sample
from georapp.uncertainty import agreements, candidates, stated
from georapp.worker import claim_stdout

PLACE = Coordinate(43.95, 4.81)
TEXT = "Continent: Europe\nCountry: France\nState: Provence-Alpes-Côte d'Azur\nCity: Avignon\nCoordinates: (43.950, 4.810)"
CHAIN = Chain.of(
    [
        (Level.CONTINENT, "Europe"),
        (Level.COUNTRY, "France"),
        (Level.PROVINCE, "Provence-Alpes-Côte d'Azur"),
        (Level.CITY, "Avignon"),
    ],
    PLACE,
)


class StandIn:
    """Reads commands until stdin ends."""

    def __init__(self) -> None:
        self.out = claim_stdout()
        self.stopped: set[str] = set()
        self.most = 8

    def say(self, event: events.Event) -> None:
        self.out.write(events.to_line(event) + "\n")

    def run(self) -> None:
        self.say(events.Hello(events.PROTOCOL, "stand-in"))
        for line in sys.stdin:
            command = events.from_line(line)
            if isinstance(command, events.Load):
                self.most = command.max_samples
                self.load(Path(command.folder).name)
            elif isinstance(command, events.Locate):
                threading.Thread(target=self.locate, args=(command,), daemon=True).start()
            elif isinstance(command, events.Stop):
                self.stopped.add(command.photo)
        os._exit(0)

    def load(self, name: str) -> None:
        self.misbehave(name)
        if name == "broken":
            self.say(events.Failed("", "The model is broken.", "ModelError", "Import it again."))
        else:
            self.say(events.Ready("stand-in", "CPU", 0.0))

    @staticmethod
    def misbehave(name: str) -> None:
        """End, or never come back, if the name says so."""
        if "die" in name:
            os.kill(os.getpid(), signal.SIGKILL)
        if "abort" in name:
            sys.stderr.write("GGML_ASSERT(n_tokens > 0) failed\n")
            sys.stderr.flush()
            os.abort()
        while "hang" in name:
            time.sleep(0.05)

    def locate(self, command: events.Locate) -> None:
        path = Path(command.path)
        try:
            sha256 = hashlib.sha256(path.read_bytes()).hexdigest()
        except OSError:
            self.say(events.Failed(command.photo, f"{path} cannot be opened: no such file or directory.", "PhotoError"))
            return
        name = path.name
        self.say(events.Began(command.photo, sha256))
        self.misbehave("die" if "twice" in name and self.most > 1 else name)
        for region in CHAIN.regions:
            if self.wait(command, 0.2 if "slow" in name else 0.0):
                self.say(events.Failed(command.photo, "It was stopped.", "Stopped"))
                return
            self.say(events.Text(command.photo, 0, f"{region.level.word}: {region.name}\n"))
            self.say(events.RegionRead(command.photo, region.level.word, region.name))
        self.say(self.answer(command, nonsense="mess" in name))

    def wait(self, command: events.Locate, seconds: float) -> bool:
        """Whether it was stopped meanwhile."""
        end = time.monotonic() + seconds
        while time.monotonic() < end and command.photo not in self.stopped:
            time.sleep(0.01)
        return command.photo in self.stopped

    def answer(self, command: events.Locate, *, nonsense: bool) -> events.Located:
        sample = Sample("la la la", True) if nonsense else Sample(TEXT, True, CHAIN, True, PLACE, "coordinates")
        samples = (sample,) * (command.samples or self.most)
        found = agreements(samples)
        best = None if nonsense else PLACE
        prediction = Prediction(
            stated(found, best), best, None if nonsense else 10.0, None if nonsense else 40.0, samples, found, candidates(samples)
        )
        return events.Located(command.photo, "stand-in", "0" * 64, 1, "georapp", command.seed, 1.0, prediction)


if __name__ == "__main__":
    StandIn().run()
