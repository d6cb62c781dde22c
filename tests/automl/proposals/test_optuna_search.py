from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import optuna
import pytest
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from automl.proposals.optuna_search import OptunaSearch, Peer
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from searchspaces import Assignment, Candidate, Condition, Decision, InputChoice, OptionChoice, Options, WidthChoice
from tests.automl._bitstrings import Bitstrings, finished, generator, search

OBJECTIVES = (Objective("auc"), Objective("flops", bound=10.0))
FAILED = Failure(FailureKind.CRASHED, "it fell")


class Spying(RandomSampler):
    """Remembers the trials that it could see when it was asked."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.seen: list[FrozenTrial] = []

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        self.seen = [one for one in study.get_trials(deepcopy=False) if one.number != trial.number]


class Layered(Bitstrings):
    """A width that counts where the block is an mlp, of unlike choices that Python takes for equal."""

    def __init__(self) -> None:
        super().__init__(1)

    def decisions(self) -> tuple[Decision, ...]:  # type: ignore[override]  # a space of its own
        return (
            OptionChoice("block", ("mlp", "fm")),
            WidthChoice("width", (32, 64, 128), Condition("block", ("mlp",))),
            OptionChoice("rate", (1, 1.0)),
            InputChoice("dense", (True, False)),
            OptionChoice("only", ("this",)),
        )

    def to_candidate(self, assignment: Assignment) -> Candidate:
        return Candidate(training=Options({one.slot: assignment[one.slot] for one in self.counting(assignment)}))

    def counting(self, assignment: Assignment) -> list[Decision]:
        return [one for one in self.decisions() if one.counts(assignment)]

    def to_assignment(self, candidate: Candidate) -> Assignment:
        return dict(candidate.training)  # type: ignore[arg-type]  # choices are values

    def sample(self, rng: np.random.Generator) -> Candidate:
        return self.to_candidate({one.slot: one.choices[rng.integers(len(one.choices))] for one in self.decisions()})

    def validate(self, candidate: Candidate) -> None:
        """Everything with a block is one of its points."""
        assert "block" in candidate.training

    def encode(self, candidate: Candidate) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
        return np.zeros(1)


def spied(space: Bitstrings, objectives: Sequence[Objective], **changes: object) -> tuple[OptunaSearch, list[Spying]]:
    made: list[Spying] = []

    def sampler(seed: int) -> Spying:
        made.append(Spying(seed))
        return made[-1]

    peer = Peer("spy", sampler, startup=1, walks=True, resamples=3)
    return OptunaSearch(space, objectives, replace(peer, **changes)), made  # type: ignore[arg-type]  # fields of it


def trial(number: int, auc: float, flops: float, *, stage: str = "search", origin: str = "") -> Trial:
    candidate = Bitstrings().sample(np.random.default_rng(number))
    metrics = {"auc": Metric(auc), "flops": Metric(flops)}
    return finished(number, Suggestion(candidate, origin=origin), Evaluation(metrics), stage=stage)


def test_told_trials_are_complete_ones_with_losses_and_constraints() -> None:
    search_, made = spied(Bitstrings(), OBJECTIVES)
    search_.tell([trial(0, 0.7, 5), trial(1, 0.8, 20)])
    search_.ask(1, generator(0, 0))
    assert [one.state for one in made[0].seen] == [TrialState.COMPLETE] * 2
    assert [one.values for one in made[0].seen] == [[-0.7, 5.0], [-0.8, 20.0]]
    assert [one.constraints for one in made[0].seen] == [{"bounds": 0.0}, {"bounds": 1.0}]


def test_failed_trials_stand_at_the_worst_value_of_each_objective() -> None:
    search_, made = spied(Bitstrings(), OBJECTIVES)
    failed = finished(2, Suggestion(Bitstrings().sample(np.random.default_rng(2))), FAILED)
    search_.tell([failed, trial(0, 0.7, 5), trial(1, 0.8, 20)])
    search_.ask(1, generator(0, 0))
    assert made[0].seen[0].values == [-0.7, 20.0]
    assert made[0].seen[0].constraints == {"bounds": 1.0}


def test_pending_suggestions_and_what_was_just_asked_are_running() -> None:
    search_, made = spied(Bitstrings(), OBJECTIVES)
    search_.tell([trial(0, 0.7, 5)])
    pending = trial(1, 0.0, 0.0).suggestion
    outside = Suggestion(Candidate(training=Options(depth=3)), origin="baseline")
    search_.ask(2, generator(0, 0), [pending, outside])
    running = [one for one in made[0].seen if one.state is TrialState.RUNNING]
    assert len(running) == 2  # the pending one, and the first of the two
    assert running[0].params == Bitstrings().to_assignment(pending.candidate)


@pytest.mark.parametrize(
    ("stage", "origin", "is_data"),
    [("baseline", "zoo:dlrm", True), ("baseline", "baseline", True), ("baseline", "mutation", False)],
)
def test_baselines_are_data_but_what_a_ladder_stopped_is_not(stage: str, origin: str, is_data: bool) -> None:
    search_, made = spied(Bitstrings(), OBJECTIVES)
    search_.tell([trial(0, 0.7, 5), trial(1, 0.8, 20, stage=stage, origin=origin)])
    search_.ask(1, generator(0, 0))
    assert len(made[0].seen) == 1 + is_data


def test_the_first_trials_are_drawn_from_the_space_until_enough_have_a_value() -> None:
    search_, made = spied(Bitstrings(), OBJECTIVES, startup=2)
    search_.tell([trial(0, 0.7, 5), finished(1, trial(1, 0, 0).suggestion, FAILED)])
    assert search_.ask(1, generator(0, 0))[0].origin == "random"
    search_.tell([trial(2, 0.7, 5)])
    assert search_.ask(1, generator(0, 0))[0].origin == "spy"
    assert len(made) == 1


def test_a_decision_is_asked_for_where_it_counts_or_everywhere() -> None:
    for walks, names in ((True, {"block", "rate", "dense"}), (False, {"block", "width", "rate", "dense"})):
        search_, made = spied(Layered(), OBJECTIVES[:1], walks=walks)
        told = Candidate(training=Options(block="fm", rate=1.0, dense=True, only="this"))
        search_.tell([finished(0, Suggestion(told), Evaluation({"auc": Metric(0.7)}))])
        search_.ask(1, generator(0, 0))
        assert set(made[0].seen[0].params) == names
        assert made[0].seen[0].params["rate"] == 1  # the place of 1.0, which is no 1


def test_numbers_in_order_are_integers_and_all_else_categories() -> None:
    search_, made = spied(Layered(), OBJECTIVES[:1])
    told = Candidate(training=Options(block="mlp", width=128, rate=1, dense=False, only="this"))
    search_.tell([finished(0, Suggestion(told), Evaluation({"auc": Metric(0.7)}))])
    search_.ask(1, generator(0, 0))
    kinds = {slot: type(one).__name__ for slot, one in made[0].seen[0].distributions.items()}
    assert kinds.pop("width") == "IntDistribution"
    assert set(kinds.values()) == {"CategoricalDistribution"}
    assert made[0].seen[0].params["width"] == 2


def test_what_was_tried_is_asked_again_so_often_and_then_mutated() -> None:
    class Stubborn(Spying):
        asked = 0

        def sample_independent(self, *arguments: object) -> int:
            Stubborn.asked += 1
            return 0

    peer = Peer("stubborn", Stubborn, startup=1, walks=True, resamples=3)
    searcher = OptunaSearch(Bitstrings(5), OBJECTIVES[:1], peer)
    zeros = Bitstrings(5).to_candidate({f"bit{at:02d}": 0 for at in range(5)})
    searcher.tell([finished(0, Suggestion(zeros))])
    [suggestion] = searcher.ask(1, generator(0, 0))
    assert Stubborn.asked == 4 * 5
    assert suggestion.origin == "mutation"
    assert Bitstrings(5).encode(suggestion.candidate).sum() == 1


def test_optuna_is_silent_and_its_verbosity_is_left_as_it_was(capfd: pytest.CaptureFixture[str]) -> None:
    optuna.logging.set_verbosity(logging.INFO)
    search_, _ = spied(Bitstrings(), OBJECTIVES)
    search(search_, 3)
    assert capfd.readouterr() == ("", "")
    assert optuna.logging.get_verbosity() == logging.INFO


def test_a_mark_is_the_attribute_of_the_trial_of_its_place() -> None:
    search_, made = spied(Bitstrings(), OBJECTIVES, marks=lambda place: {"generation": place // 2})
    search_.tell([trial(number, 0.7, 5) for number in range(5)])
    search_.ask(1, generator(0, 0))
    assert [one.system_attrs["generation"] for one in made[0].seen] == [0, 0, 1, 1, 2]
