"""The verdict of the proof, on made-up figures; what it says of real ones takes the better part of an hour: `python -m tests.proof OUT`."""

from __future__ import annotations

import json
import math

import pytest

from tests.proof import figures, verdict
from tests.proof.__main__ import main
from tests.proof.figures import CONTROL_MODEL, GREEDY, GRPO_MODEL, SAMPLED, SFT_MODEL, Answers, Figure, Gain, Models

FAR = 20_015.0


def answers(*rewards: float, broken: int = 0) -> Answers:
    """Well-formed ones with these rewards, and broken ones."""
    formed = len(rewards)
    return Answers((*rewards, *[0.0] * broken), (*[1.0] * formed, *[0.0] * broken), (*[100.0] * formed, *[FAR] * broken))


def models(sft: float, grpo: float, control: float, *, broken: tuple[int, int, int] = (0, 0, 0)) -> Models:
    """Two photos, one as much above these rewards as the other is below. `broken`: sampled answers to each."""
    return {
        name: {
            GREEDY: [answers(reward - 0.1), answers(reward + 0.1)],
            SAMPLED: [answers(reward - 0.1, broken=lost), answers(reward + 0.1, broken=lost)],
        }
        for name, reward, lost in zip((SFT_MODEL, GRPO_MODEL, CONTROL_MODEL), (sft, grpo, control), broken, strict=True)
    }


SHOWN = [models(0.5, 0.6, 0.49), models(0.55, 0.67, 0.55), models(0.45, 0.53, 0.44)]


def test_a_gain_on_every_seed_that_the_control_lacks_is_shown() -> None:
    judged = verdict.claims(SHOWN)

    assert all(claim.holds for claim in judged)
    assert verdict.verdict(judged).startswith("Shown: ")
    assert judged[0].gain.mean == pytest.approx(0.1)
    assert judged[0].gain.spread == pytest.approx(0.02)


@pytest.mark.parametrize(
    ("seeds", "sentence"),
    [
        ([models(0.5, 0.6, 0.6), models(0.55, 0.67, 0.64), models(0.45, 0.53, 0.55)], "the control does not raise the reward"),
        ([models(0.5, 0.6, 0.5), models(0.55, 0.54, 0.5), models(0.45, 0.53, 0.4)], "GRPO raises the reward, greedy"),
        ([models(0.5, 0.51, 0.5), models(0.5, 0.7, 0.5), models(0.5, 0.51, 0.5)], "GRPO raises the reward, sampled"),
    ],
    ids=["control gains too", "one seed falls", "the gain is its spread"],
)
def test_what_is_not_shown_is_said(seeds: list[Models], sentence: str) -> None:
    said = verdict.verdict(verdict.claims(seeds))

    assert said.startswith("Not shown. ")
    assert sentence in said


def test_a_gain_that_chance_could_give_is_called_weak() -> None:
    seeds = [wavering(0.02), wavering(0.03), wavering(0.025)]
    judged = verdict.claims(seeds)

    assert judged[0].holds
    assert judged[0].is_weak
    assert str(judged[0]).startswith("weak")
    assert verdict.verdict(judged).startswith("Shown in part. ")
    assert verdict.as_json(dict(enumerate(seeds)))["shown"] is False


def wavering(gain: float) -> Models:
    """One photo gains much, the other loses nearly as much."""
    found = {name: dict(measured) for name, measured in models(0.5, 0.5, 0.3).items()}
    found[GRPO_MODEL][GREEDY] = [answers(0.4 + 0.2 + gain), answers(0.6 - 0.2 + gain)]
    found[GRPO_MODEL][SAMPLED] = [answers(0.4 + gain), answers(0.6 + gain)]
    return found


def test_a_gain_of_the_form_alone_is_no_gain_of_places() -> None:
    form = (3, 0, 3)
    seeds = [models(reward, reward, reward, broken=form) for reward in (0.5, 0.6, 0.55)]
    by_measure = {claim.gain.measure: claim for claim in verdict.claims(seeds) if claim.sentence.startswith("GRPO raises")}

    assert by_measure["sampled"].holds
    assert not by_measure["sampled, well-formed"].holds
    assert "GRPO raises the reward, sampled, well-formed" in verdict.verdict(verdict.claims(seeds))


def test_differences_are_taken_photo_by_photo() -> None:
    figure = Figure.of_difference([0.9, 0.4, None, 0.7], [0.8, 0.3, 0.5, None])

    assert figure.mean == pytest.approx(0.1)
    assert figure.error == pytest.approx(0, abs=1e-9)  # though the photos differ much
    assert Figure.of([0.5]).error == math.inf
    assert answers(0.4, 0.6, broken=2).reward == pytest.approx(0.25)
    assert answers(0.4, 0.6, broken=2).well_formed == pytest.approx(0.5)
    assert answers(broken=2).well_formed is None


def test_the_spread_is_over_seeds() -> None:
    gains = Gain("greedy", GRPO_MODEL, SFT_MODEL, (Figure(0.1, 0.5), Figure(0.2, 0.5), Figure(0.3, 0.5)))

    assert [gains.mean, gains.spread, gains.error] == pytest.approx([0.2, 0.1, 0.5 / math.sqrt(3)])
    assert gains.rises
    assert not gains.is_clear


def test_the_table_and_the_json_hold_every_model_and_comparison() -> None:
    seeds = dict(enumerate(SHOWN))
    table = "\n".join(verdict.lines(seeds))
    found = json.loads(json.dumps(verdict.as_json(seeds)))

    assert table.count(f"{GRPO_MODEL} − {SFT_MODEL}") == len(SHOWN) + 1
    assert all(name in table for name in (*figures.MEASURES, *figures.RATES))
    assert found["shown"] is True
    assert len(found["claims"]) == 3 * len(figures.MEASURES)
    assert found["seeds"]["2"][SFT_MODEL]["greedy"]["mean"] == pytest.approx(0.45)


def test_fewer_than_three_seeds_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["nowhere", "--seeds", "2"])

    assert ended.value.code == 2
    assert "says nothing" in capsys.readouterr().err
