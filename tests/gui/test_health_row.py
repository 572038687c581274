"""Lights of a run: on when something is wrong, off again when it is over, with the words of both."""

from __future__ import annotations

import pytest
from pytestqt.qtbot import QtBot

from georapp.gui.train.run.health_row import HealthCard, HealthRow, Shown, lights
from georapp.run_events import Alert, RunEvent, Stage, Step
from georapp.run_history import History

KL_JUMPED = Alert("kl", "The KL jumped.", "Lower the rate.", "stop", 2)
KL_CALM = Alert("kl", "The KL is calm again.", "Nothing is to be done.", step=12, over=True)
DRIFTED = Alert("drift", "The model has drifted away.", "Raise grpo.beta.", "none", 3)
NEAR_AGAIN = Alert("drift", "The model has come near again.", "Nothing is to be done.", step=20, over=True)


def kl_light(*alerts: RunEvent) -> Shown:
    history = History()
    history.take([Stage("grpo", "began"), Step("grpo", 1, 100, {"kl": 0.1}), *alerts])
    return next(light for light in lights(history, "grpo") if light.word == "KL")


@pytest.mark.parametrize(
    ("alerts", "tone"),
    [
        ([], "good"),
        ([DRIFTED], "warning"),
        ([KL_JUMPED], "bad"),
        ([KL_JUMPED, KL_CALM], "good"),
        ([KL_JUMPED, KL_CALM, KL_JUMPED], "bad"),
        ([KL_JUMPED, DRIFTED, KL_CALM], "warning"),  # two guards turn on this light
        ([KL_JUMPED, DRIFTED, NEAR_AGAIN], "bad"),
        ([KL_JUMPED, DRIFTED, KL_CALM, NEAR_AGAIN], "good"),
    ],
)
def test_a_light_is_on_until_all_of_it_is_over(alerts: list[Alert], tone: str) -> None:
    assert kl_light(*alerts).tone == tone


def test_a_resume_before_the_good_news_takes_it_back() -> None:
    assert kl_light(KL_JUMPED, KL_CALM, Stage("grpo", "resumed", 5)).tone == "bad"


def test_the_lamp_says_what_is_wrong_and_not_what_is_over(qtbot: QtBot) -> None:
    row = HealthRow()
    qtbot.addWidget(row)
    for alerts, words in (
        ([], "Health, KL: well. The model stays near the one before this stage."),
        ([KL_JUMPED, DRIFTED, KL_CALM], "Health, KL: attention. The model has drifted away."),
        ([KL_JUMPED, KL_CALM], "Health, KL: well. The KL is calm again."),
    ):
        row.show_lights([kl_light(*alerts)])
        assert row.lights["KL"].accessibleName() == words


def test_the_card_tells_the_whole_story_newest_first(qtbot: QtBot) -> None:
    card = HealthCard()
    qtbot.addWidget(card)
    card.toggle(kl_light(KL_JUMPED, KL_CALM))
    assert card.accessibleName() == (
        "Step 12: The KL is calm again. Nothing is to be done. Step 2: The KL jumped. Lower the rate. The run was ended for it."
    )
