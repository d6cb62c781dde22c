"""What WL-EHVI promises beyond the contract of its room."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest

from automl import plugins
from automl._errors import ConfigError
from automl.proposals import Losses, Proposal
from automl.searchers.wl_ehvi import WLEHVI, _Choice
from evaluators import Evaluation, Failure, FailureKind, Fidelity, Metric, Objective, Suggestion, Trial
from evaluators._evaluation import Point
from searchspaces import Candidate, Cost, FeatureSchema, Field, Kind, zoo
from searchspaces.cost import cost
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished, generator, loss, measured, search
from tests.automl.proposals.known_loss import KnownLoss

OBJECTIVES = (Objective("ne"), Objective("flops"))
SCHEMA = FeatureSchema(
    (*(Field(f"n{at}", Kind.NUMERIC) for at in range(3)), *(Field(f"c{at}", Kind.CATEGORICAL, 50) for at in range(4)))
)
SPACE = AutoCTR(SCHEMA, blocks=3)


def price(candidate: Candidate) -> Cost:
    assert candidate.architecture is not None
    return cost(candidate.architecture, SCHEMA)


def graph_trial(number: int, candidate: Candidate, ne: float, *, stage: str = "search", origin: str = "") -> Trial:
    outcome = Evaluation({"ne": Metric(ne, 0.01), "flops": Metric(price(candidate).flops)})
    return finished(number, Suggestion(candidate, origin=origin), outcome, stage=stage)


CALLS = itertools.count()


def noisy(candidate: Candidate) -> Evaluation:
    true = measured(candidate)
    assert isinstance(true, Evaluation)
    return Evaluation({**true.metrics, "ne": Metric(true.metrics["ne"].value + 1e-9 * next(CALLS), 0.05)})


def told(searcher: WLEHVI, count: int, *, seed: int = 0) -> list[Trial]:
    rng = np.random.default_rng(seed)
    record = [finished(at, Suggestion(Bitstrings().sample(rng))) for at in range(count)]
    searcher.tell(record)
    return record


def test_who_gives_the_same_number_again_is_asked_no_more() -> None:
    def stored(candidate: Candidate) -> Evaluation:
        return Evaluation({"ne": Metric(0.8 + loss(candidate), 0.05)})

    searcher = WLEHVI(Bitstrings(12), OBJECTIVES[:1], None, 30, guide=KnownLoss(), initial=10, replicate_share=0.2)
    record = search(searcher, 30, evaluate=stored)
    assert [one.suggestion.replicate for one in record] == [0] * 24 + [1] + [0] * 5


def test_a_judged_suggestion_has_parents_and_a_memo() -> None:
    searcher = WLEHVI(Bitstrings(), OBJECTIVES, guide=KnownLoss(), initial=10)
    told(searcher, 12)
    suggestion = searcher.ask(1, generator(0, 0))[0]
    assert suggestion.memo["chosen_by"] in ("hypervolume", "quality", "doubt")
    assert suggestion.memo["predicted"] == pytest.approx(0.8 + loss(suggestion.candidate))


@pytest.mark.parametrize("design", ["random", "spread"])
def test_the_first_suggestions_are_those_of_the_design(design: str) -> None:
    record = search(WLEHVI(Bitstrings(), OBJECTIVES, guide=KnownLoss(), initial=6, design=design), 8)
    assert [one.suggestion.origin for one in record[:6]] == [design] * 6
    assert "chosen_by" in record[6].suggestion.memo


def test_without_neighbours_the_pool_is_random() -> None:
    record = search(WLEHVI(Bitstrings(), OBJECTIVES, guide=KnownLoss(), initial=6, neighbours=False), 12)
    assert {one.suggestion.origin for one in record[6:]} == {"random"}


def test_a_small_space_is_judged_as_a_whole() -> None:
    record = search(WLEHVI(Bitstrings(6), OBJECTIVES[:1], guide=KnownLoss(0.0), initial=5), 6)
    assert record[5].suggestion.origin == "listed"
    assert set(record[5].candidate.training.values()) == {1}


def test_with_less_exploration_the_sure_one_is_preferred() -> None:
    choices = {one: first_choice(exploration=one) for one in (0.0, 1.0)}
    assert choices == {0.0: 0, 1.0: 1}


def test_who_is_likely_to_fail_is_preferred_by_nobody() -> None:
    found = {chance: first_choice(exploration=0.0, failing=chance) for chance in (0.0, 0.5, 0.95)}
    assert found == {0.0: 0, 0.5: 0, 0.95: 1}


def first_choice(*, exploration: float, failing: float | None = None) -> int:
    """Of two candidates that cost the same: one is a little better than the front, the other might be by far.

    With `failing` the other is sure too, and better by a fifth of what the first one is, which may fail.
    """
    mean, std, chances = np.array([[0.89, 1.0], [0.9, 1.0]]), np.array([[0.0, 0.0], [0.1, 0.0]]), None
    if failing is not None:
        mean, std, chances = np.array([[0.89, 1.0], [0.898, 1.0]]), np.zeros((2, 2)), np.array([failing, 0.0])
    losses = Losses(mean, std, chances)
    pool = [Proposal(Bitstrings().sample(generator(0, at)), (), "random") for at in range(2)]
    choice = _Choice(
        pool,
        losses,
        np.array([[0.9, 1.0]]),
        reference=np.array([1.0, 2.0]),
        caps=np.array([np.inf, np.inf]),
        shares=(0.0, 0.0),
        exploration=exploration,
        trust=None,
        told=lambda _, at: {"at": at},
    )
    chosen = choice.next(generator(0, 0))
    assert chosen is not None
    return [one.candidate for one in pool].index(chosen.candidate)


def test_with_a_perfect_guide_the_optimum_is_found_soon() -> None:
    record = search(WLEHVI(Bitstrings(12), OBJECTIVES[:1], guide=KnownLoss(), initial=5, pool=60), 20)
    assert min(float(one.value("ne") or 9.0) for one in record) == pytest.approx(0.8)


def test_the_guide_is_fitted_once_per_told_record() -> None:
    guide = KnownLoss()
    searcher = WLEHVI(Bitstrings(), OBJECTIVES, guide=guide, initial=5)
    told(searcher, 8)
    for ask in range(3):
        searcher.ask(2, generator(0, ask))
    assert guide.told == [8]


def test_a_batch_differs_more_than_one_choice_would() -> None:
    searcher = WLEHVI(Bitstrings(), OBJECTIVES, guide=KnownLoss(), initial=5, quality_share=0.0, doubt_share=0.0)
    told(searcher, 30)
    batch = searcher.ask(4, generator(0, 0))
    ones = [sum(int(str(bit)) for bit in one.candidate.training.values()) for one in batch]
    assert len(set(ones)) > 1  # the second one would be a twin of the first, if that did not count as measured


@pytest.mark.parametrize("told_first", [0, 12])
def test_a_bound_on_a_known_cost_is_never_broken(told_first: int) -> None:
    rng = np.random.default_rng(1)
    candidates = [SPACE.sample(rng) for _ in range(40)]
    bound = float(np.median([price(one).flops for one in candidates]))
    objectives = (Objective("ne"), Objective("flops", bound=bound))
    searcher = WLEHVI(SPACE, objectives, SCHEMA, initial=8, pool=40)
    searcher.tell([graph_trial(at, one, 0.8 + 0.001 * at) for at, one in enumerate(candidates[:told_first])])
    asked = searcher.ask(8, generator(0, 0))
    assert len(asked) == 8
    assert max(price(one.candidate).flops for one in asked) <= bound


def test_where_chance_keeps_no_bound_neighbours_of_what_does_are_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.searchers.wl_ehvi.DRAWS", 0)
    rng = np.random.default_rng(1)
    small, large = sorted((SPACE.sample(rng) for _ in range(2)), key=lambda one: price(one).flops)
    bound = float(price(small).flops)
    objectives = (Objective("ne"), Objective("flops", bound=bound))
    searcher = WLEHVI(SPACE, objectives, SCHEMA, pool=40, design="random")
    searcher.tell(
        [graph_trial(at, one, 0.8, stage="baseline", origin="baseline") for at, one in enumerate([small, large])]
    )
    (asked,) = searcher.ask(1, generator(0, 0))
    assert (asked.origin, asked.parents) == ("mutation", (0,))
    assert price(asked.candidate).flops <= bound


def test_where_measured_costs_differ_from_the_formula_they_are_learned() -> None:
    rng = np.random.default_rng(1)
    searcher = WLEHVI(SPACE, OBJECTIVES, SCHEMA, initial=5, pool=30)
    outcomes = [Evaluation({"ne": Metric(0.8 + 0.01 * at), "flops": Metric(7.0 + at)}) for at in range(10)]
    searcher.tell([finished(at, Suggestion(SPACE.sample(rng)), one) for at, one in enumerate(outcomes)])
    searcher.ask(1, generator(0, 0))
    predicted = searcher._model.predict([SPACE.sample(rng)])
    assert predicted.std[0, 1] > 0
    assert predicted.mean[0, 1] < np.log10(100.0)


def test_a_human_made_baseline_outside_the_space_informs_the_model() -> None:
    rng = np.random.default_rng(1)
    trials = [graph_trial(at, SPACE.sample(rng), 0.9 + 0.01 * at) for at in range(8)]
    with_it, without = (WLEHVI(SPACE, OBJECTIVES, SCHEMA, initial=5, pool=30) for _ in range(2))
    human = zoo("dcnv2", SCHEMA)
    with_it.tell([graph_trial(90, human, 0.5, stage="baseline", origin="zoo:dcnv2"), *trials])
    without.tell(trials)
    suggestions = [one.ask(1, generator(0, 0))[0] for one in (with_it, without)]
    assert suggestions[0] != suggestions[1]
    assert 90 not in suggestions[0].parents


def test_results_of_cheap_rungs_that_come_as_baselines_teach_nothing() -> None:
    guide = KnownLoss()
    searcher = WLEHVI(Bitstrings(), OBJECTIVES, guide=guide, initial=5)
    record = told(searcher, 8)
    cheap = Suggestion(Bitstrings().sample(np.random.default_rng(9)), origin="mutation")
    searcher.tell([finished(20, cheap, stage="baseline")])
    searcher.ask(1, generator(0, 0))
    assert guide.told == [len(record)]


def test_the_end_of_a_budget_goes_on_training_the_likely_best_again() -> None:
    searcher = WLEHVI(Bitstrings(12), OBJECTIVES[:1], None, 30, guide=KnownLoss(), initial=10, replicate_share=0.2)
    record = search(searcher, 30, evaluate=noisy)
    again = record[24:]
    assert all(one.suggestion.origin == "replicate" for one in again)
    assert not any(one.suggestion.replicate for one in record[:24])
    best = sorted(record[:24], key=lambda one: loss(one.candidate))[:3]
    assert {one.candidate for one in again} == {one.candidate for one in best}
    assert sorted(one.suggestion.replicate for one in again) == [1, 1, 1, 2, 2, 2]


def test_a_budget_in_rows_has_an_end_too() -> None:
    def trained(candidate: Candidate) -> Evaluation:
        return replace(noisy(candidate), curve=(Point(500, {}),))

    searcher = WLEHVI(Bitstrings(12), OBJECTIVES[:1], budget_rows=10_000, guide=KnownLoss(), initial=10)
    record = search(searcher, 20, evaluate=trained)
    assert [bool(one.suggestion.replicate) for one in record] == [False] * 18 + [True] * 2


def test_trials_of_cheap_rungs_bring_the_end_nearer() -> None:
    searcher = WLEHVI(Bitstrings(12), OBJECTIVES[:1], None, 30, guide=KnownLoss(), initial=10, replicate_share=0.2)
    record = search(searcher, 12, evaluate=noisy)
    cheap = [replace(one, suggestion=replace(one.suggestion, fidelity=Fidelity(-1))) for one in record]
    searcher.tell_of_rungs(cheap)
    (suggestion,) = searcher.ask(1, generator(0, 12))
    assert suggestion.origin == "replicate"


def test_without_noise_nothing_is_trained_again() -> None:
    def exact(candidate: Candidate) -> Evaluation:
        return Evaluation({"ne": Metric(0.8 + loss(candidate), 0.0)})

    searcher = WLEHVI(Bitstrings(12), OBJECTIVES[:1], None, 20, guide=KnownLoss(), initial=10)
    assert not any(one.suggestion.replicate for one in search(searcher, 20, evaluate=exact))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": 0}, "pool must be at least 1, but is 0"),
        ({"doubt_share": 1.5}, "doubt_share is a share between 0 and 1, but is 1.5"),
        ({"exploration": -0.5}, "exploration must be zero or more, but is -0.5"),
        ({"design": "latin"}, "design must be one of random, spread, but is 'latin'"),
    ],
)
def test_options_out_of_range_are_told(options: dict[str, float], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        WLEHVI(Bitstrings(), OBJECTIVES, guide=KnownLoss(), **options)  # type: ignore[arg-type]


def test_the_chance_of_failure_is_told_apart_from_the_losses_by_the_usual_guide() -> None:
    rng = np.random.default_rng(2)
    found = [SPACE.sample(rng) for _ in range(24)]
    heavy = np.quantile([price(one).flops for one in found], 0.7)
    fell = Failure(FailureKind.OUT_OF_MEMORY, "too large")
    record = [
        finished(at, Suggestion(one), fell) if price(one).flops > heavy else graph_trial(at, one, 0.8 + at / 100)
        for at, one in enumerate(found)
    ]
    searcher = WLEHVI(SPACE, OBJECTIVES, SCHEMA)
    searcher.tell(record)
    searcher._known()
    losses = searcher._model.predict([one.candidate for one in record])
    assert losses.failing is not None
    has_failed = np.array([one.failure is not None for one in record])
    assert losses.failing[has_failed].mean() > losses.failing[~has_failed].mean() + 0.2
    mixed = searcher._guide.predict([one.suggestion for one in record])
    assert (mixed.mean >= losses.mean[:, 0] - 1e-9).all()
    assert mixed.mean[has_failed].mean() > losses.mean[has_failed, 0].mean()


def test_an_objective_is_needed() -> None:
    with pytest.raises(ConfigError, match="an objective is needed to tell better from worse"):
        WLEHVI(Bitstrings(), (), guide=KnownLoss())


def test_a_study_injects_schema_and_budget_and_builds_the_guide() -> None:
    context = {"space": SPACE, "schema": SCHEMA, "objectives": OBJECTIVES, "budget_trials": 40}
    searcher = plugins.construct("searcher", {"name": "wl_ehvi", "guide": {"name": "wl_gp", "trees": False}}, context)
    assert (searcher._ending.trials, searcher._ending.length()) == (40, 4)
    assert len(searcher.ask(1, generator(0, 0))) == 1


def test_the_budget_is_no_option() -> None:
    (mistake,) = plugins.mistakes("searcher", {"name": "wl_ehvi", "budget_trials": 40}, "searcher")
    assert mistake.startswith("searcher.budget_trials: unknown option")


def test_who_has_won_is_what_the_model_expects_and_not_the_luckiest() -> None:
    searcher = WLEHVI(Bitstrings(), (Objective("ne"), Objective("flops", bound=12.0)), guide=KnownLoss(), initial=5)
    record = told(searcher, 12)
    worst = max(record, key=lambda one: loss(one.candidate))
    searcher.tell(
        [finished(12, Suggestion(worst.candidate, replicate=1), Evaluation({"ne": Metric(0.1), "flops": Metric(1.0)}))]
    )
    declared = searcher.declared()
    expected = [loss(one.candidate) for one in declared]
    assert expected == sorted(expected)
    assert declared[0].candidate != worst.candidate
    assert all(float(one.value("flops") or 99.0) <= 12.0 for one in declared)


def test_with_few_trials_nobody_has_won() -> None:
    searcher = WLEHVI(Bitstrings(), OBJECTIVES, guide=KnownLoss(), initial=5)
    told(searcher, 3)
    assert searcher.declared() == []
