from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np
import pytest

from automl import plugins
from automl._errors import ConfigError
from automl.searchers.regularized_evolution import RegularizedEvolution, mutations_of
from evaluators import Evaluation, Goal, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate
from tests.automl._bitstrings import Bitstrings, failing, finished, generator, loss, search
from tests.automl.searchers._oracle import Oracle

OBJECTIVES = [Objective("ne"), Objective("flops")]
NE = [Objective("ne")]


def random_record(trials: int) -> list[Trial]:
    rng = np.random.default_rng(5)
    return [finished(number, Suggestion(Bitstrings().sample(rng))) for number in range(trials)]


def told(record: Sequence[Trial], objectives: Sequence[Objective] = NE, **options: object) -> RegularizedEvolution:
    searcher = RegularizedEvolution(Bitstrings(), objectives, **options)  # type: ignore[arg-type]  # one value at a time
    searcher.tell(record)
    return searcher


def differing_bits(one: Candidate, other: Candidate) -> int:
    return int(np.abs(Bitstrings().encode(one) - Bitstrings().encode(other)).sum())


def test_the_published_schedule_of_mutations_falls_from_six_to_one() -> None:
    counts = [mutations_of(generation, generations=240, most=6) for generation in range(240)]
    assert counts == [(240 - generation) // 48 + 1 for generation in range(240)]
    assert counts[:3] == [6, 5, 5]
    assert counts[-1] == 1


def test_with_one_mutation_at_most_every_child_is_a_neighbour() -> None:
    assert {mutations_of(generation, generations=20, most=1) for generation in range(30)} == {1}
    record = search(RegularizedEvolution(Bitstrings(), NE, population=6, tournament=3), 20)
    for trial in record[6:]:
        assert differing_bits(trial.candidate, record[trial.suggestion.parents[0]].candidate) == 1


def test_a_generation_has_one_parent_and_its_number_of_children() -> None:
    record = search(RegularizedEvolution(Bitstrings(), NE, population=6, tournament=3, children=4), 22)
    assert [trial.suggestion.origin for trial in record] == ["random"] * 6 + ["mutation"] * 16
    assert [trial.suggestion.memo["generation"] for trial in record[6:]] == [0] * 4 + [1] * 4 + [2] * 4 + [3] * 4
    for first in range(6, 22, 4):
        assert len({trial.suggestion.parents for trial in record[first : first + 4]}) == 1


def test_children_asked_at_once_and_pending_ones_share_the_parent_too() -> None:
    searcher = told(random_record(6), population=6, tournament=3, children=4)
    first = searcher.ask(2, generator(0, 0))
    then = searcher.ask(3, generator(7, 1), first)
    assert len({one.parents for one in (*first, *then[:2])}) == 1
    assert [one.memo["generation"] for one in (*first, *then)] == [0, 0, 0, 0, 1]


def test_edits_are_those_of_the_schedule_and_bound_the_distance() -> None:
    searcher = RegularizedEvolution(Bitstrings(), NE, population=4, tournament=2, generations=5, most_mutations=6)
    record = search(searcher, 12)
    assert [trial.suggestion.memo["edits"] for trial in record[4:]] == [6, 5, 4, 3, 2, 1, 1, 1]
    for trial in record[4:]:
        edits = trial.suggestion.memo["edits"]
        assert isinstance(edits, int)
        assert differing_bits(trial.candidate, record[trial.suggestion.parents[0]].candidate) <= edits


def test_the_oldest_dies_even_if_it_is_the_best() -> None:
    optimum = Bitstrings().to_candidate({f"bit{at:02d}": 1 for at in range(24)})
    record = [finished(0, Suggestion(optimum)), *random_record(7)[1:]]
    for population, is_parent in ((7, True), (6, False)):
        searcher = told(record, population=population, tournament=population)
        parents = {searcher.ask(1, generator(0, ask))[0].parents for ask in range(5)}
        assert (parents == {(0,)}) is is_parent


def test_a_tournament_of_one_is_no_selection_and_of_all_is_greedy() -> None:
    record = random_record(10)
    best = min(record, key=lambda trial: loss(trial.candidate)).number
    drawn = {
        size: {
            told(record, population=10, tournament=size).ask(1, generator(0, ask))[0].parents[0] for ask in range(60)
        }
        for size in (1, 10)
    }
    assert drawn[1] == set(range(10))
    assert drawn[10] == {best}


def test_with_two_objectives_the_parents_are_spread_over_the_front_of_the_tournament() -> None:
    record = measured([(0.9, 1.0), (0.8, 2.0), (0.95, 3.0), (0.7, 5.0)])
    searcher = told(record, OBJECTIVES, population=4, tournament=4)
    parents = [searcher.ask(1, generator(0, ask))[0].parents[0] for ask in range(60)]
    assert {1, 3} <= set(parents) <= {0, 1, 3}


def test_a_bound_comes_before_the_objectives() -> None:
    record = measured([(0.9, 1.0), (0.8, 2.0), (0.6, 3.0), (0.7, 5.0)])
    bounded = [Objective("ne"), Objective("flops", bound=0.5)]
    searcher = told(record, bounded, population=4, tournament=4)
    assert {searcher.ask(1, generator(0, ask))[0].parents[0] for ask in range(20)} == {0}


def measured(values: Sequence[tuple[float, float]]) -> list[Trial]:
    return [
        finished(trial.number, trial.suggestion, Evaluation({"ne": Metric(ne), "flops": Metric(flops)}))
        for trial, (ne, flops) in zip(random_record(len(values)), values, strict=True)
    ]


def test_failed_trials_age_but_are_never_parents() -> None:
    searcher = RegularizedEvolution(Bitstrings(), OBJECTIVES, population=6, tournament=3)
    record = search(searcher, 50, evaluate=failing(lambda call: call % 3 != 0))
    parents = {number for trial in record for number in trial.suggestion.parents}
    assert parents
    assert all(record[number].evaluation for number in parents)


def test_the_users_own_model_is_mutated_first_and_ages() -> None:
    optimum = Bitstrings().to_candidate({f"bit{at:02d}": 1 for at in range(24)})
    own = finished(0, Suggestion(optimum, origin="baseline"), stage="baseline")
    record = search(told([own], population=6, tournament=6), 30, first=1)
    assert [trial.suggestion.parents for trial in record[:6]] == [(0,), ()] * 3
    assert record[6].suggestion.parents != (0,)  # six trials have been told since


def test_the_guide_picks_the_mutant_but_for_the_blind_share() -> None:
    guide = Oracle()
    searcher = told(random_record(20), guide=guide, exploration=0.0, mutants=30)
    [suggestion] = searcher.ask(1, generator(0, 0))
    parent = random_record(20)[suggestion.parents[0]].candidate
    neighbours = [Bitstrings().mutate(parent, np.random.default_rng(seed)) for seed in range(300)]
    assert loss(suggestion.candidate) == pytest.approx(min(loss(one) for one in neighbours))
    assert (suggestion.memo["rank"], suggestion.memo["explored"], guide.metric) == (1, False, "ne")


def test_a_good_guide_helps() -> None:
    guided = search(RegularizedEvolution(Bitstrings(), NE, guide=Oracle(), mutants=20), 50)
    alone = search(RegularizedEvolution(Bitstrings(), NE), 50)
    assert min(loss(trial.candidate) for trial in guided) < min(loss(trial.candidate) for trial in alone)


@pytest.mark.parametrize("name", ["regularized_evolution", "local_search"])
def test_a_configuration_names_the_guide_and_its_options(name: str) -> None:
    spec = {"name": name, "guide": {"name": "lambdarank", "rounds": 5}, "mutants": 10}
    searcher = plugins.construct("searcher", spec, {"space": Bitstrings(), "objectives": OBJECTIVES})
    record = search(searcher, 24)
    assert all(trial.suggestion.memo["mutants"] == 10 for trial in record[20:])


def test_the_faithful_form_begins_with_128_random_candidates() -> None:
    searcher = told(random_record(127), faithful=True)
    assert [one.origin for one in searcher.ask(2, generator(0, 0))] == ["random", "mutation"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"children": 0}, "children must be at least 1, but is 0"),
        ({"exploration": 2}, "exploration is a share between 0 and 1, but is 2"),
        ({"tournament": 30}, "a tournament is drawn from the population of 20, but has 30 members"),
        ({"faithful": True, "guide": Oracle()}, "faithful: true is the published search, which has no guide"),
        ({"objectives": []}, "an objective is needed to tell better from worse"),
        ({"objectives": [Objective("joy", Goal.MAXIMIZE)], "guide": Oracle()}, "the guide cannot learn to maximize"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        RegularizedEvolution(Bitstrings(), **{"objectives": NE, **options})  # type: ignore[arg-type]  # the same
