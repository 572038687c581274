"""What TRL makes of the photos of GRPO: which photo each answer is to, how it was asked, and what it is rewarded for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch", reason="the training half (georapp[train]) is not installed")

from georapp.prompt import profile_named  # noqa: E402
from georapp.run_settings import Grpo  # noqa: E402
from tests.training.short_runs import LORA, QUIET  # noqa: E402
from tests.training.toy_world import PROFILE, ToyWorld, is_known, run_of  # noqa: E402
from training import grpo  # noqa: E402
from training.answering import answers  # noqa: E402
from training.base import load  # noqa: E402
from training.rewards import text_of  # noqa: E402

pytestmark = pytest.mark.filterwarnings(QUIET)

PHOTOS, EACH = 8, 2
COLD = 0.01  # so cold that nearly always the most probable word is drawn


def test_every_answer_is_to_the_photo_for_whose_place_it_is_rewarded(
    toy: ToyWorld, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    album = [row for row in toy.album if is_known(row)]
    settings = Grpo(max_steps=1, batch=PHOTOS, accumulate=EACH, generations=EACH, temperature=COLD, max_answer_tokens=96)
    seen: list[dict[str, Any]] = []
    functions = grpo.rewards

    def with_record(*of: Any) -> Any:
        def record(completions: Any, **columns: Any) -> list[float]:
            for number, completion in enumerate(completions):
                one = {name: columns[name][number] for name in ("path", "lat", "lon", "images")}
                seen.append(one | {"text": text_of(completion)})
            return [0.0] * len(completions)

        counted, weights = functions(*of)
        return [*counted, record], [*weights, 0.0]

    monkeypatch.setattr(grpo, "rewards", with_record)
    with run_of(tmp_path / "run", album, toy.taught, model=LORA, grpo=settings) as work:
        grpo.run(work)

    base = load(toy.taught, work.config.model)
    paths = [Path(one["path"]) for one in seen]
    places = {row.path: (row.lat, row.lon) for row in album}
    greedy = answers(base, paths, profile_named(PROFILE).question, max_tokens=96)
    assert len(seen) == PHOTOS * EACH
    assert all(count == EACH for count in Counter(paths).values())
    assert paths[0::EACH] == paths[1::EACH]  # answers to one photo stand together
    assert all((one["lat"], one["lon"]) == places[one["path"]] for one in seen)
    assert all(one["images"][0].tobytes() == base.photo(path).tobytes() for one, path in zip(seen, paths, strict=True))
    assert len({text for (text,) in greedy}) >= PHOTOS // 2  # photos of different cities have different answers
    same = [one["text"] == text for one, (text,) in zip(seen, greedy, strict=True)]
    assert sum(same) >= 0.85 * len(same), [(one["text"], text) for one, (text,) in zip(seen, greedy, strict=True)]
