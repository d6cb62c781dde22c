from __future__ import annotations

from dataclasses import dataclass
from typing import cast

import numpy as np
import pytest
from numpy.typing import NDArray

from automl import StudyError
from automl.finals._choice import Trained, choose, ne_of
from automl.finals._entrants import Entrant
from automl.finals._lessons import Lesson
from evaluators import Suggestion, Trial, TrialState
from searchspaces import Architecture, Candidate, zoo

LABELS = np.tile([0.0, 1.0], 50)
NETWORK = zoo("deepfm").architecture


@dataclass(frozen=True, eq=False)
class Planted:
    """A lesson with logits that it was given."""

    entrant: Entrant
    given: NDArray[np.float64]
    failure: str | None = None

    def logits(self, part: str) -> NDArray[np.float64]:
        return self.given.copy()


def trained(
    name: str,
    *logits: NDArray[np.float64],
    is_baseline: bool = False,
    failure: str | None = None,
    architecture: Architecture | None = None,
) -> Trained:
    trial = Trial(0, "search", Suggestion(Candidate(architecture)), TrialState.COMPLETE)
    entrant = Entrant(name, trial, is_baseline)
    return Trained(tuple(cast(Lesson, Planted(entrant, one, failure)) for one in logits))


def noisy(seed: int, *, signal: float) -> NDArray[np.float64]:
    return signal * (LABELS - 0.5) + np.random.default_rng(seed).normal(size=100)


def test_entrants_are_ranked_by_their_mean_ne_on_valid() -> None:
    found = choose([trained("weak", noisy(0, signal=0.5)), trained("strong", noisy(1, signal=2.0))], LABELS)
    assert [one.name for one in found.finalists] == ["strong", "weak"]


def test_a_blend_takes_a_second_finalist_that_helps_on_valid() -> None:
    entrants = [trained("a", noisy(0, signal=2.0)), trained("b", noisy(1, signal=2.0))]
    assert set(choose(entrants, LABELS).to_dict()["blend"]) == {"a", "b"}


def test_a_blend_leaves_out_a_finalist_that_harms_on_valid() -> None:
    entrants = [trained("good", noisy(0, signal=3.0)), trained("bad", noisy(1, signal=-3.0))]
    assert choose(entrants, LABELS).to_dict()["blend"] == ["good"]


def test_baselines_are_never_blended() -> None:
    entrants = [trained("a", noisy(0, signal=1.0)), trained("human", noisy(1, signal=3.0), is_baseline=True)]
    assert choose(entrants, LABELS).to_dict()["blend"] == ["a"]


def test_too_few_models_are_refused_with_the_reasons() -> None:
    entrants = [trained("a", noisy(0, signal=1.0)), trained("b", noisy(1, signal=1.0), failure="the loss is nan")]
    with pytest.raises(StudyError, match=r"1 of 2 models trained under every seed(.|\n)*b: the loss is nan"):
        choose(entrants, LABELS)


def test_baselines_alone_have_no_blend_but_the_average_of_the_best_ones_seeds() -> None:
    members = noisy(0, signal=3.0), noisy(1, signal=3.0)
    found = choose(
        [trained("good", *members, is_baseline=True), trained("weak", noisy(2, signal=0.5), is_baseline=True)], LABELS
    )
    [average] = found.averages
    assert (found.blend, found.blend_members, found.to_dict()["blend"]) == (None, (), [])
    assert (average.names, len(average.members)) == (("good",), 2)
    assert average.valid_ne == pytest.approx(ne_of((members[0] + members[1]) / 2, LABELS))


def test_the_best_baseline_is_paired_with_the_best_of_the_other_kind() -> None:
    entrants = [
        trained("trees", noisy(0, signal=1.0), is_baseline=True),
        trained("best", noisy(1, signal=3.0), is_baseline=True, architecture=NETWORK),
        trained("second", noisy(2, signal=2.0), is_baseline=True, architecture=NETWORK),
    ]
    found = choose(entrants, LABELS)
    assert found.pair is not None
    assert [one.name for one in found.pair] == ["best", "trees"]
    assert [one.names for one in found.averages] == [("best",), ("best", "trees")]


def test_two_baselines_at_least_are_needed_where_nobody_has_searched() -> None:
    entrants = [trained("a", noisy(0, signal=1.0), is_baseline=True)]
    with pytest.raises(StudyError, match="finals compare two baselines at least, but 1 of 1 models"):
        choose(entrants, LABELS)
