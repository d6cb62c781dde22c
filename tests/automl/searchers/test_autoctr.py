from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest

from automl import plugins
from automl._errors import ConfigError
from automl.proposals import closed_form_costs
from automl.proposals._trust import FOLDS
from automl.searchers.autoctr import AutoCTR
from evaluators import Evaluation, Failure, FailureKind, Goal, Metric, Objective, Suggestion, Trial, TrialState
from searchspaces import Candidate, FeatureSchema, Field, Kind
from searchspaces.spaces.autoctr import AutoCTR as AutoCTRSpace
from tests.automl._bitstrings import Bitstrings, failing, finished, generator, loss, search
from tests.automl.searchers._oracle import Oracle
from tests.searchspaces.graphs import schema

OBJECTIVES = [Objective("ne"), Objective("flops")]


def told(searcher: AutoCTR, record: Sequence[Trial]) -> AutoCTR:
    searcher.tell(record)
    return searcher


def random_record(trials: int = 20) -> list[Trial]:
    rng = np.random.default_rng(5)
    return [finished(number, Suggestion(Bitstrings().sample(rng))) for number in range(trials)]


def test_the_first_population_is_random_and_the_next_is_a_mutant() -> None:
    record = search(AutoCTR(Bitstrings(), OBJECTIVES, population=8, guide=Oracle()), 9)
    assert [trial.suggestion.origin for trial in record] == ["random"] * 8 + ["mutation"]
    [parent] = record[-1].suggestion.parents
    assert 0 <= parent < 8


def test_a_mutant_differs_from_its_parent_in_one_decision() -> None:
    space = Bitstrings()
    record = search(AutoCTR(space, OBJECTIVES, population=8, guide=Oracle()), 20)
    for trial in record[8:]:
        [parent] = trial.suggestion.parents
        assert np.abs(space.encode(trial.candidate) - space.encode(record[parent].candidate)).sum() == 1


def test_the_best_mutant_in_the_guides_eyes_is_proposed() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, exploration=0.0, guide=Oracle()), random_record())
    [suggestion] = searcher.ask(1, generator(0, 0))
    space, parent = Bitstrings(), random_record()[suggestion.parents[0]].candidate
    neighbours = [space.mutate(parent, np.random.default_rng(seed)) for seed in range(300)]
    assert loss(suggestion.candidate) == pytest.approx(min(loss(one) for one in neighbours))
    assert suggestion.memo["rank"] == 1
    assert suggestion.memo["mutants"] == 24
    assert suggestion.memo["predicted"] == pytest.approx(loss(suggestion.candidate))


def test_the_stated_share_of_mutants_is_drawn_blindly() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, mutants=20, exploration=0.3, guide=Oracle()), random_record())
    memos = [searcher.ask(1, generator(0, number))[0].memo for number in range(200)]
    explored = [memo for memo in memos if memo["explored"]]
    assert len(explored) / len(memos) == pytest.approx(0.3, abs=0.08)
    assert len({memo["rank"] for memo in explored}) > 10
    assert {memo["rank"] for memo in memos if not memo["explored"]} == {1}


def test_the_published_guide_is_followed_blindly() -> None:
    published, ours = (AutoCTR(Bitstrings(), OBJECTIVES, faithful=faithful) for faithful in (True, False))
    memos = [told(one, random_record()).ask(1, generator(0, 0))[0].memo for one in (published, ours)]
    assert ["guided" in memo for memo in memos] == [False, True]


def test_the_faithful_form_never_explores() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, exploration=1.0, faithful=True), random_record())
    assert {searcher.ask(1, generator(0, number))[0].memo["rank"] for number in range(20)} == {1}


@pytest.mark.parametrize(("faithful", "small"), [(False, {0, 1}), (True, {2, 3})])
def test_complexity_is_flops_but_parameters_in_the_faithful_form(faithful: bool, small: set[int]) -> None:
    record = [
        finished(number, trial.suggestion, Evaluation(metrics))
        for number, trial in enumerate(random_record(4))
        for metrics in [{"ne": Metric(0.8), "flops": Metric(number), "params": Metric(-number)}]
    ]
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=2, weights=(0.0, 0.0, 1.0), faithful=faithful)
    searcher.tell(record)
    assert {searcher.ask(1, generator(0, number))[0].parents[0] for number in range(40)} == small


def test_the_guide_is_fitted_once_for_a_record_and_cross_validated_at_the_twentieth() -> None:
    guide = Oracle()
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, guide=guide), random_record())
    assert guide.fits == FOLDS  # off the path of an ask
    searcher.ask(3, generator(0, 0))
    searcher.ask(3, generator(0, 1))
    assert guide.fits == FOLDS + 1
    searcher.tell([finished(20, searcher.ask(1, generator(0, 2))[0])])
    searcher.ask(1, generator(0, 3))
    assert guide.fits == FOLDS + 2


def test_fitness_is_the_first_objective_that_measures_quality() -> None:
    guide = Oracle()
    searcher = AutoCTR(Bitstrings(), [Objective("flops"), Objective("auc"), Objective("ne")], guide=guide)
    told(searcher, random_record()).ask(1, generator(0, 0))
    assert guide.metric == "auc"


def test_asks_of_one_record_do_not_depend_on_what_was_asked_before() -> None:
    fresh, used = (told(AutoCTR(Bitstrings(), OBJECTIVES), random_record(40)) for _ in range(2))
    for number in range(5):
        used.ask(1, generator(0, number))
    assert fresh.ask(1, generator(0, 5)) == used.ask(1, generator(0, 5))


def test_failed_trials_are_never_parents() -> None:
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=6, guide=Oracle())
    record = search(searcher, 60, evaluate=failing(lambda call: call % 3 != 0))
    parents = {number for trial in record for number in trial.suggestion.parents}
    assert parents
    assert {record[number].state for number in parents} == {TrialState.COMPLETE}


@pytest.mark.parametrize(("faithful", "random"), [(False, 8), (True, 12)])
def test_failed_trials_count_towards_the_first_population_but_not_in_the_faithful_form(
    faithful: bool, random: int
) -> None:
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=8, faithful=faithful)
    record = search(searcher, 14, evaluate=failing(lambda call: call < 4))
    assert [trial.suggestion.origin for trial in record] == ["random"] * random + ["mutation"] * (14 - random)


def test_the_faithful_form_asks_as_if_failed_trials_had_never_been() -> None:
    measured_only, with_failures = (AutoCTR(Bitstrings(), OBJECTIVES, population=5, faithful=True) for _ in range(2))
    record, failure = random_record(70), Failure(FailureKind.CRASHED, "died")
    for trial in record:
        measured_only.tell([trial])
        with_failures.tell([trial])
        flipped = Bitstrings().mutate(trial.candidate, np.random.default_rng(trial.number))
        with_failures.tell([finished(100 + trial.number, Suggestion(flipped, replicate=1), failure)])
    assert measured_only.ask(3, generator(0, 0)) == with_failures.ask(3, generator(0, 0))


def test_the_faithful_form_does_not_repeat_a_failed_trial() -> None:
    searcher = AutoCTR(Bitstrings(4), OBJECTIVES, population=3, faithful=True)
    record = search(searcher, 20, evaluate=failing(lambda call: call % 2 == 0))
    assert len({trial.candidate.fingerprint for trial in record}) == len(record) == 16


def test_a_complete_trial_that_the_population_has_lost_is_found_again_when_all_others_fail() -> None:
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=4, guide=Oracle())
    record = search(searcher, 20, evaluate=failing(lambda call: call != 0))
    assert {trial.suggestion.parents for trial in record[4:]} == {(0,)}


def test_without_any_complete_trial_it_goes_on_at_random() -> None:
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=4, guide=Oracle())
    record = search(searcher, 12, evaluate=failing(lambda call: True))
    assert {trial.suggestion.origin for trial in record} == {"random"}


def test_pending_suggestions_count_towards_the_first_population() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, population=8, guide=Oracle()), random_record(5))
    pending = searcher.ask(3, generator(0, 0))
    [next_one] = searcher.ask(1, generator(0, 1), pending)
    assert {one.origin for one in pending} == {"random"}
    assert next_one.origin == "mutation"


def test_pending_baselines_do_not_count_towards_the_first_population() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, population=8, guide=Oracle()), random_record(7))
    baselines = [replace(trial.suggestion, origin="zoo:dcnv2") for trial in random_record(12)[7:]]
    assert [one.origin for one in searcher.ask(2, generator(0, 0), baselines)] == ["random", "mutation"]


def test_baselines_do_not_count_towards_the_first_population() -> None:
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=8, guide=Oracle())
    searcher.tell([replace(trial, stage="baseline") for trial in random_record(12)[7:]])
    searcher.tell(random_record(7))
    assert [one.origin for one in searcher.ask(2, generator(0, 0))] == ["random", "mutation"]


def start(number: int = 0, seed: int = 9) -> Trial:
    """The user's own model, a point of the space."""
    candidate = Bitstrings().sample(np.random.default_rng(seed))
    return finished(number, Suggestion(candidate, origin="baseline"), stage="baseline")


def test_every_other_one_of_the_first_population_is_a_mutant_of_the_users_own_model() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, population=8), [start()])
    record = search(searcher, 9, first=1)
    assert [trial.suggestion.origin for trial in record] == ["mutation", "random"] * 4 + ["mutation"]
    assert [trial.suggestion.parents for trial in record[:8]] == [(0,), ()] * 4
    space = Bitstrings()
    for trial in record[:8:2]:
        assert np.abs(space.encode(trial.candidate) - space.encode(start().candidate)).sum() == 1


def test_the_users_own_model_is_a_parent_among_others_and_ages() -> None:
    optimum = Bitstrings().to_candidate({f"bit{at:02d}": 1 for at in range(24)})
    best = finished(0, Suggestion(optimum, origin="baseline"), stage="baseline")
    searcher = AutoCTR(Bitstrings(), OBJECTIVES, population=8, weights=(1.0, 0.1, 0.0), guide=Oracle())
    record = search(told(searcher, [best]), 60, first=1)
    parents = [trial.suggestion.parents for trial in record]
    assert (0,) in parents[8:16]
    assert (0,) not in parents[30:]


def test_several_asked_at_once_alternate_too_and_pending_ones_count() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, population=8, guide=Oracle()), [start()])
    first = searcher.ask(3, generator(0, 0))
    then = searcher.ask(3, generator(0, 1), first)
    assert [one.origin for one in (*first, *then)] == ["mutation", "random"] * 3


def test_a_pending_own_model_does_not_count_towards_the_first_population() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, population=8, guide=Oracle()), random_record(7))
    assert [one.origin for one in searcher.ask(2, generator(0, 0), [start().suggestion])] == ["random", "mutation"]


@pytest.mark.parametrize("origin", ["zoo:dcnv2", "baseline"])
def test_the_faithful_form_and_human_made_models_start_nothing(origin: str) -> None:
    own = replace(start(), suggestion=replace(start().suggestion, origin=origin))
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, population=8, faithful=origin == "baseline"), [own])
    record = search(searcher, 8, first=1)
    assert {trial.suggestion.origin for trial in record} == {"random"}


def graphs_told(bound: float, *, faithful: bool = False, population: int = 8, count: int = 20) -> list[float]:
    """FLOPs of what is asked for a space of graphs, as multiples of the bound."""
    shape = schema()
    space = AutoCTRSpace(shape, blocks=3)
    objectives = [Objective("ne"), Objective("flops", bound=bound)]

    def flops(candidate: Candidate) -> float:
        return float(closed_form_costs(candidate, shape, ["flops"])[0])

    def dearer_is_better(candidate: Candidate) -> Evaluation:
        return Evaluation({"ne": Metric(1.0 / flops(candidate)), "flops": Metric(flops(candidate))})

    searcher = AutoCTR(space, objectives, population=population, schema=shape, faithful=faithful)
    return [flops(trial.candidate) / bound for trial in search(searcher, count, evaluate=dearer_is_better)]


def test_neither_mutants_nor_random_candidates_break_a_bound_that_is_known_but_in_the_faithful_form() -> None:
    bound = float(np.quantile(graphs_told(1.0, faithful=True, count=60, population=60), 0.3))
    assert max(graphs_told(bound)) <= 1.0
    assert max(graphs_told(bound, faithful=True)) > 1.0


def test_what_broke_a_bound_is_no_parent_as_long_as_others_have_kept_it() -> None:
    def outcome(number: int, ne: float, qps: float) -> Trial:
        return replace(random_record(4)[number], evaluation=Evaluation({"ne": Metric(ne), "qps": Metric(qps)}))

    bounded = [Objective("ne"), Objective("qps", bound=5.0)]
    record = [outcome(0, 0.5, 1.0), outcome(1, 0.9, 9.0), outcome(2, 0.8, 9.0), outcome(3, 0.6, 2.0)]
    searcher = AutoCTR(Bitstrings(), bounded, population=2, weights=(1.0, 0.0, 1.0), guide=Oracle())
    searcher.tell(record)
    parents = {one.parents for seed in range(20) for one in searcher.ask(1, generator(seed, 0))}
    assert parents == {(1,), (2,)}


def test_baselines_are_not_repeated_but_are_no_parents_either() -> None:
    searcher = AutoCTR(Bitstrings(3), OBJECTIVES, population=1, guide=Oracle())
    optimum = Bitstrings(3).to_candidate({"bit00": 1, "bit01": 1, "bit02": 1})
    searcher.tell([finished(0, Suggestion(optimum), stage="baseline")])
    record = [trial.candidate.fingerprint for trial in search(searcher, 10)]
    assert len(record) == 7
    assert optimum.fingerprint not in record


def test_a_small_space_is_searched_to_its_last_candidate() -> None:
    record = search(AutoCTR(Bitstrings(4), OBJECTIVES, population=3, guide=Oracle()), 20)
    assert len({trial.candidate.fingerprint for trial in record}) == len(record) == 16


def test_a_misleading_guide_costs_what_a_good_one_gains() -> None:
    best = {
        sign: min(loss(trial.candidate) for trial in search(AutoCTR(Bitstrings(), OBJECTIVES, guide=Oracle(sign)), 60))
        for sign in (1.0, -1.0)
    }
    assert best[1.0] < best[-1.0]


@pytest.mark.parametrize(
    ("objectives", "options", "message"),
    [
        (OBJECTIVES, {"population": 0}, "population must be at least 1, but is 0"),
        (OBJECTIVES, {"selection_size": 0}, "selection_size must be at least 1, but is 0"),
        (OBJECTIVES, {"mutants": -1}, "mutants must be at least 1, but is -1"),
        (
            OBJECTIVES,
            {"complexity": "flop"},
            "complexity must be a known metric, but is 'flop'; did you mean 'flops'? (known: ne, auc,",
        ),
        (
            OBJECTIVES,
            {"faithful": True},
            "faithful: true guides as published, but a guide was given too; leave out one",
        ),
        ([], {}, "an objective is needed to tell better from worse; add 'objectives: [{metric: ne}]'"),
        ([Objective("joy", Goal.MAXIMIZE)], {}, "the guide cannot learn to maximize 'joy'; make one of ne, logloss"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    objectives: list[Objective], options: dict[str, object], message: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        AutoCTR(Bitstrings(), objectives, guide=Oracle(), **options)  # type: ignore[arg-type]  # one value at a time


def test_all_mistakes_are_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        AutoCTR(Bitstrings(), OBJECTIVES, population=0, exploration=1.5)
    assert caught.value.mistakes == (
        "population must be at least 1, but is 0",
        "exploration is a share between 0 and 1, but is 1.5",
    )


def test_without_a_guide_of_its_own_it_takes_lambdarank() -> None:
    searcher = told(AutoCTR(Bitstrings(), OBJECTIVES, exploration=0.0), random_record(40))
    predicted = {searcher.ask(1, generator(0, number))[0].memo["predicted"] for number in range(5)}
    assert len(predicted) > 1


def test_a_configuration_names_the_guide_and_its_options() -> None:
    spec = {"name": "autoctr", "guide": {"name": "lambdarank", "rounds": 5}, "weights": [0.2, 1, 0]}
    assert plugins.mistakes("searcher", spec, "searcher") == []
    built = plugins.construct("searcher", spec, {"space": Bitstrings(), "objectives": OBJECTIVES})
    assert isinstance(built, AutoCTR)
    assert len(search(built, 25)) == 25


def test_it_searches_the_space_of_its_paper_encoded_in_91_numbers() -> None:
    numeric, categorical = Field("age", Kind.NUMERIC), Field("city", Kind.CATEGORICAL, 10)
    space = AutoCTRSpace(FeatureSchema((numeric, categorical, Field("item", Kind.CATEGORICAL, 10))))
    truth = np.random.default_rng(0).standard_normal(91)

    record = search(
        AutoCTR(space, OBJECTIVES, population=10, mutants=20),
        30,
        evaluate=lambda candidate: Evaluation({"ne": Metric(float(space.encode(candidate) @ truth))}),
    )
    for trial in record:
        space.validate(trial.candidate)
    random, guided = (np.mean([trial.value("ne") for trial in part]) for part in (record[:10], record[-10:]))
    assert guided < random
