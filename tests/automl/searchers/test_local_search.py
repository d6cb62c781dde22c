from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from automl._errors import ConfigError
from automl.searchers.local_search import LocalSearch
from evaluators import Evaluation, Goal, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings, failing, finished, generator, loss, search
from tests.automl.searchers._oracle import Oracle

NE = [Objective("ne")]
OBJECTIVES = [Objective("ne"), Objective("flops")]


def random_record(trials: int) -> list[Trial]:
    rng = np.random.default_rng(5)
    return [finished(number, Suggestion(Bitstrings().sample(rng))) for number in range(trials)]


def descents(record: Sequence[Trial]) -> list[object]:
    return [trial.suggestion.memo["descent"] for trial in record]


def test_it_goes_on_from_the_best_so_far() -> None:
    record = search(LocalSearch(Bitstrings(), NE, starts=5), 40)
    assert [trial.suggestion.origin for trial in record] == ["random"] * 5 + ["mutation"] * 35
    for place, trial in enumerate(record[5:], start=5):
        best = min(record[:place], key=lambda one: (loss(one.candidate), -one.number))
        assert trial.suggestion.parents == (best.number,)
        assert abs(Bitstrings().encode(trial.candidate) - Bitstrings().encode(best.candidate)).sum() == 1


def test_it_climbs_to_the_optimum_of_a_space_without_others() -> None:
    record = search(LocalSearch(Bitstrings(10), NE, starts=3), 100)
    assert min(loss(trial.candidate) for trial in record) == 0.0


def test_an_exhausted_neighbourhood_begins_another_descent() -> None:
    def bumps(candidate: Candidate) -> Evaluation:
        """Every string with an even number of ones is a local optimum."""
        ones = sum(int(str(bit)) for bit in candidate.training.values())
        return Evaluation({"ne": Metric(float(ones % 2))})

    record = search(LocalSearch(Bitstrings(6), NE, starts=1), 30, evaluate=bumps)
    assert descents(record) == sorted(descents(record), key=str)
    assert record[-1].suggestion.memo["descent"] != 0
    starts = [trial for trial in record if trial.suggestion.origin == "random"]
    assert len(starts) == len(set(descents(record)))


def test_patience_ends_a_descent_before_its_neighbourhood_is_exhausted() -> None:
    searcher = LocalSearch(Bitstrings(), NE, starts=2, patience=5)
    record = search(searcher, 21, evaluate=lambda candidate: Evaluation({"ne": Metric(loss_of_the_first(candidate))}))
    assert descents(record) == [0] * 7 + [1] * 7 + [2] * 7
    assert [trial.suggestion.origin for trial in record[:9]] == ["random"] * 2 + ["mutation"] * 5 + ["random"] * 2


SEEN: dict[str, float] = {}


def loss_of_the_first(candidate: Candidate) -> float:
    """Every new candidate is worse than those before it."""
    return SEEN.setdefault(candidate.fingerprint, float(len(SEEN)))


def test_pending_starts_of_the_next_descent_count() -> None:
    searcher = LocalSearch(Bitstrings(), NE, starts=2, patience=1)
    record = random_record(2)
    searcher.tell(record)
    [only] = searcher.ask(1, generator(0, 0))
    more = searcher.ask(3, generator(0, 1), [only])
    assert [one.origin for one in (only, *more)] == ["mutation", "random", "random", "random"]
    assert [one.memo["descent"] for one in (only, *more)] == [0, 1, 1, 1]


def test_a_late_trial_of_an_older_descent_is_remembered_but_does_not_bring_it_back() -> None:
    searcher = LocalSearch(Bitstrings(), NE, starts=1, patience=1)
    searcher.tell(random_record(1))
    [late] = searcher.ask(1, generator(0, 0))
    [fresh] = searcher.ask(1, generator(0, 1), [late])
    searcher.tell([finished(2, fresh), finished(1, late)])
    [following] = searcher.ask(1, generator(0, 2))
    assert (following.parents, following.memo["descent"]) == ((2,), 1)


def test_with_two_objectives_the_front_is_explored_evenly() -> None:
    values = [(0.9, 1.0), (0.8, 2.0), (0.95, 3.0), (0.7, 5.0)]
    searcher = LocalSearch(Bitstrings(), OBJECTIVES, starts=4)
    searcher.tell(
        [
            finished(trial.number, trial.suggestion, Evaluation({"ne": Metric(ne), "flops": Metric(flops)}))
            for trial, (ne, flops) in zip(random_record(4), values, strict=True)
        ]
    )
    parents = [one.parents[0] for one in searcher.ask(6, generator(0, 0))]
    assert sorted(parents) == [0, 0, 1, 1, 3, 3]


def test_the_users_own_model_is_one_of_the_starts() -> None:
    optimum = Bitstrings().to_candidate({f"bit{at:02d}": 1 for at in range(24)})
    own = finished(0, Suggestion(optimum, origin="baseline"), stage="baseline")
    searcher = LocalSearch(Bitstrings(), NE, starts=3)
    searcher.tell([own])
    record = search(searcher, 10, first=1)
    assert [trial.suggestion.parents for trial in record] == [(), (), *[(0,)] * 8]


def test_failed_trials_are_never_centres() -> None:
    record = search(LocalSearch(Bitstrings(), OBJECTIVES, starts=4), 40, evaluate=failing(lambda call: call % 3 != 0))
    parents = {number for trial in record for number in trial.suggestion.parents}
    assert parents
    assert all(record[number].evaluation for number in parents)


def test_a_search_where_everything_fails_goes_on_at_random() -> None:
    record = search(LocalSearch(Bitstrings(), NE, starts=2), 12, evaluate=failing(lambda call: True))
    assert {trial.suggestion.origin for trial in record} == {"random"}


def test_the_guide_picks_the_neighbour() -> None:
    guided = search(LocalSearch(Bitstrings(), NE, guide=Oracle(), mutants=20, exploration=0.0), 30)
    misled = search(LocalSearch(Bitstrings(), NE, guide=Oracle(-1.0), mutants=20, exploration=0.0), 30)
    assert min(loss(one.candidate) for one in guided) < min(loss(one.candidate) for one in misled)
    assert guided[-1].suggestion.memo["rank"] == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"starts": 0}, "starts must be at least 1, but is 0"),
        ({"patience": 0}, "patience must be at least 1, but is 0"),
        ({"exploration": -1}, "exploration is a share between 0 and 1, but is -1"),
        ({"objectives": []}, "an objective is needed to tell better from worse"),
        ({"objectives": [Objective("joy", Goal.MAXIMIZE)], "guide": Oracle()}, "the guide cannot learn to maximize"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        LocalSearch(Bitstrings(), **{"objectives": NE, **options})  # type: ignore[arg-type]  # one value at a time
