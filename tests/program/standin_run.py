"""A training process without torch: says what it is told to say, with the real writer. Started as `standin_run.py HOW RUN_FOLDER`."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from georapp.run_events import Alert, Failed, Finished, Probe, Stage, Step, Stopped
from training.report import EventWriter

STEPS = 5


def main(how: str, folder: Path) -> None:
    """`how`: finish, fail, die, or wait until somebody stops it."""
    with EventWriter(folder) as events:
        events.write(Stage("sft", "began"))
        for step in range(1, STEPS + 1):
            events.write(Step("sft", step, STEPS, {"loss": 1 / step}))
        values = {"within_25_km": 0.25, "random/within_25_km": 0.01, "frequent/within_25_km": 0.125, "median_km": 1234.5}
        events.write(Probe("sft", STEPS, 8, values))
        events.write(Alert("photos", "A \x1b[31mred\x1b[0m file was left out.", "Look at it."))
        if how == "die":
            os._exit(9)
        while how == "wait" and not events.stop_asked():
            time.sleep(0.05)
        events.write(
            {"finish": Finished(), "fail": Failed("The disk is full.", "Make room."), "wait": Stopped("sft", STEPS)}[how]
        )


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
