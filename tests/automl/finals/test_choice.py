from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from automl import StudyError
from automl.finals._choice import Trained, choose
from automl.finals._entrants import Entrant
from automl.finals._lessons import Lesson
from evaluators import Suggestion, Trial, TrialState
from searchspaces import Candidate

LABELS = np.tile([0.0, 1.0], 50)


@dataclass(frozen=True, eq=False)
class Planted:
    """A lesson with logits that it was given."""

    entrant: Entrant
    given: NDArray[np.float64]
    failure: str | None = None

    def logits(self, part: str) -> NDArray[np.float64]:
        return self.given.copy()


def trained(name: str, *logits: NDArray[np.float64], is_baseline: bool = False, failure: str | None = None) -> Trained:
    entrant = Entrant(name, Trial(0, "search", Suggestion(Candidate(None)), TrialState.COMPLETE), is_baseline)
    return Trained(tuple(cast(Lesson, Planted(entrant, one, failure)) for one in logits))


def noisy(seed: int, *, signal: float) -> NDArray[np.float64]:
    return signal * (LABELS - 0.5) + np.random.default_rng(seed).normal(size=100)


def test_entrants_are_ranked_by_their_mean_ne_on_valid() -> None:
    found = choose([trained("weak", noisy(0, signal=0.5)), trained("strong", noisy(1, signal=2.0))], LABELS)
    assert [one.name for one in found.finalists] == ["strong", "weak"]


def test_a_blend_takes_a_second_finalist_that_helps_on_valid() -> None:
    entrants = [trained("a", noisy(0, signal=2.0)), trained("b", noisy(1, signal=2.0))]
    assert set(choose(entrants, LABELS).blend.names) == {"a", "b"}


def test_a_blend_leaves_out_a_finalist_that_harms_on_valid() -> None:
    entrants = [trained("good", noisy(0, signal=3.0)), trained("bad", noisy(1, signal=-3.0))]
    assert choose(entrants, LABELS).blend.names == ("good",)


def test_baselines_are_never_blended() -> None:
    entrants = [trained("a", noisy(0, signal=1.0)), trained("human", noisy(1, signal=3.0), is_baseline=True)]
    assert choose(entrants, LABELS).blend.names == ("a",)


def test_too_few_models_are_refused_with_the_reasons() -> None:
    entrants = [trained("a", noisy(0, signal=1.0)), trained("b", noisy(1, signal=1.0), failure="the loss is nan")]
    with pytest.raises(StudyError, match=r"1 of 2 models trained under every seed(.|\n)*b: the loss is nan"):
        choose(entrants, LABELS)
