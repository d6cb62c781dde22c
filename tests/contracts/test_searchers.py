"""What every searcher promises, asked of each file in the room."""

from __future__ import annotations

import inspect
from functools import cache
from math import comb, factorial, sqrt
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from automl import _searcher
from automl.searchers.random_search import RandomSearch
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from searchspaces import Candidate, Options, load_plugin, plugin_names
from tests.automl._bitstrings import Bitstrings, failing, finished, generator, losses, search
from tests.automl.searchers._oracle import Oracle

NAMES = plugin_names("automl.searchers")
NOT_BETTER_THAN_RANDOM = {"random_search"}
LEARNS_FROM_HUMAN_MADE = {"gp_sampler", "nsga2", "qlognehvi", "tpe"}
LEARNS_FROM_EVERY_BASELINE = {
    "cubicml",  # its first runs keep away from all that was tried
    "wl_ehvi",  # a model of what was measured, whether or not it is a point of the space
}
OBJECTIVES = (Objective("ne"), Objective("flops"))
OPTIONS: dict[str, dict[str, Any]] = {
    "autoctr": {"population": 30},
    "cubicml": {"initial": 35, "steps": 30},
    "gp_sampler": {"startup": 38},
    "qlognehvi": {"startup": 37, "pool": 20},
    "wl_ehvi": {"initial": 30, "pool": 60},
}
"""Of those whose asks take tenths of a second: most trials of a contract are random, and a few are not."""
RACES = {
    "autoctr": (16, 45),
    "cubicml": (16, 30),
    "gp_sampler": (10, 35),
    "local_search": (16, 60),
    "predictor_rl": (16, 45),
    "qlognehvi": (10, 35),
    "regularized_evolution": (16, 60),
    "tpe": (16, 60),
    "wl_ehvi": (16, 30),
}
"""Bits and trials of a race against random search where the usual one would take many seconds."""
every_searcher = pytest.mark.parametrize("name", NAMES)


def build(name: str, bits: int = 24) -> _searcher.Searcher:
    options = OPTIONS.get(name, {})
    searcher: _searcher.Searcher = load_plugin("automl.searchers", name)(Bitstrings(bits), OBJECTIVES, **options)
    return searcher


def random_record(trials: int) -> list[Trial]:
    rng = np.random.default_rng(3)
    return [finished(number, Suggestion(Bitstrings().sample(rng))) for number in range(trials)]


@every_searcher
def test_it_asks_inside_the_space_and_never_twice(name: str) -> None:
    record = search(build(name), 40)
    for trial in record:
        Bitstrings().validate(trial.candidate)
    assert len({trial.suggestion.identity for trial in record}) == len(record) == 40


@every_searcher
def test_the_same_tells_and_generator_give_the_same_suggestions(name: str) -> None:
    one, other = (search(build(name), 40, seed=2) for _ in range(2))
    assert [trial.suggestion for trial in one] == [trial.suggestion for trial in other]


@every_searcher
def test_another_seed_gives_other_suggestions(name: str) -> None:
    one, other = (search(build(name), 10, seed=seed) for seed in (1, 2))
    assert [trial.suggestion for trial in one] != [trial.suggestion for trial in other]


@every_searcher
def test_asking_changes_nothing(name: str) -> None:
    searcher = build(name)
    searcher.tell(random_record(30))
    first = searcher.ask(2, generator(0, 0))
    searcher.ask(2, generator(0, 1))
    assert searcher.ask(2, generator(0, 0)) == first


@every_searcher
@pytest.mark.parametrize("told", [0, 10, 41])
def test_a_resumed_study_asks_what_an_undisturbed_one_would(name: str, told: int) -> None:
    undisturbed = build(name)
    record = search(undisturbed, told)
    resumed = build(name)
    resumed.tell(record)
    assert resumed.ask(3, generator(0, told)) == undisturbed.ask(3, generator(0, told))


@every_searcher
def test_it_survives_failed_trials(name: str) -> None:
    for fails in (lambda call: True, lambda call: call % 2 == 0, lambda call: call > 25):
        assert len(search(build(name), 40, evaluate=failing(fails))) == 40


@every_searcher
@pytest.mark.parametrize("told", [0, 30])
def test_suggestions_differ_from_each_other_and_from_pending_ones(name: str, told: int) -> None:
    searcher = build(name)
    record = random_record(told)
    searcher.tell(record)
    pending = searcher.ask(6, generator(0, 0))
    # The same generator again: what it would draw is exactly what is pending.
    more = searcher.ask(6, generator(0, 0), pending)
    everything = [*pending, *more, *(trial.suggestion for trial in record)]
    assert len({one.identity for one in everything}) == len(everything) == told + 12


@every_searcher
def test_a_baseline_is_never_asked_again(name: str) -> None:
    searcher, taken = build(name, bits=3), Bitstrings(3).sample(np.random.default_rng(1))
    searcher.tell([finished(0, Suggestion(taken), stage="baseline")])
    record = search(searcher, 12)
    assert len(record) == 7
    assert taken.fingerprint not in {trial.candidate.fingerprint for trial in record}


def told_baselines() -> list[Trial]:
    """The user's own model in the space, one outside it, one that failed, and a human-made one."""
    inside, failed, human_made = (Bitstrings().sample(np.random.default_rng(seed)) for seed in (1, 2, 3))
    outside = Candidate(training=Options(depth=3))
    outcomes = (
        (inside, "baseline", None),
        (outside, "baseline", Evaluation({"ne": Metric(0.5), "flops": Metric(1.0), "params": Metric(1.0)})),
        (failed, "baseline", Failure(FailureKind.CRASHED, "it fell over")),
        (human_made, "zoo:dlrm", None),
    )
    return [
        finished(number, Suggestion(candidate, origin=origin), outcome, stage="baseline")
        for number, (candidate, origin, outcome) in enumerate(outcomes)
    ]


@every_searcher
@pytest.mark.parametrize("shown", [[0], [1], [2], [3], [0, 1, 2, 3]], ids=["in", "out", "failed", "human", "all"])
def test_it_survives_baselines_inside_its_space_and_outside(name: str, shown: list[int]) -> None:
    searcher, baselines = build(name), [told_baselines()[at] for at in shown]
    searcher.tell(baselines)
    record = search(searcher, 40, first=4)
    assert len(record) == 40
    for trial in record:
        Bitstrings().validate(trial.candidate)
    tried = {trial.candidate.fingerprint for trial in baselines}
    assert not tried & {trial.candidate.fingerprint for trial in record}


@pytest.mark.parametrize("name", sorted(set(NAMES) - LEARNS_FROM_EVERY_BASELINE))
@pytest.mark.parametrize("told", [1, 2, 3])
def test_a_baseline_that_is_no_start_changes_nothing_but_what_is_tried(name: str, told: int) -> None:
    if told == 3 and name in LEARNS_FROM_HUMAN_MADE:
        pytest.skip("a model learns from human-made points of its space")
    with_it, without = build(name), build(name)
    with_it.tell([told_baselines()[told]])
    one, other = (search(each, 30, first=4) for each in (with_it, without))
    tried = told_baselines()[told].candidate.fingerprint
    assert tried not in {trial.candidate.fingerprint for trial in other}  # else the comparison would say nothing
    assert [trial.suggestion for trial in one] == [trial.suggestion for trial in other]


@every_searcher
def test_a_study_with_a_start_is_resumed_as_it_would_have_gone_on(name: str) -> None:
    undisturbed, resumed = build(name), build(name)
    undisturbed.tell(told_baselines()[:1])
    record = search(undisturbed, 25, first=4)
    resumed.tell([*told_baselines()[:1], *record])
    assert resumed.ask(3, generator(0, 25)) == undisturbed.ask(3, generator(0, 25))


@every_searcher
def test_an_exhausted_space_gives_no_suggestions(name: str) -> None:
    searcher = build(name, bits=3)
    assert len(search(searcher, 12)) == 8
    assert searcher.ask(1, generator(9, 9)) == []


@every_searcher
@pytest.mark.parametrize(("sign", "is_followed"), [(1.0, True), (-1.0, False)])
def test_a_guide_is_followed_unless_it_surely_orders_no_better_than_chance(
    name: str, sign: float, is_followed: bool
) -> None:
    plugin = load_plugin("automl.searchers", name)
    if "guide" not in inspect.signature(plugin).parameters:
        pytest.skip("it takes no guide")
    searcher = plugin(Bitstrings(), OBJECTIVES, guide=Oracle(sign))
    searcher.tell(random_record(40))
    told = {one.memo["guided"] for one in searcher.ask(4, generator(0, 40)) if "predicted" in one.memo}
    assert told == {is_followed}


@every_searcher
def test_a_suggestion_survives_the_way_through_json(name: str) -> None:
    searcher = build(name)
    searcher.tell(random_record(30))
    for suggestion in searcher.ask(3, generator(0, 0)):
        assert Suggestion.from_dict(suggestion.to_dict()) == suggestion


@every_searcher
def test_parents_are_numbers_of_told_trials(name: str) -> None:
    record = search(build(name), 40)
    for trial in record:
        assert all(parent < trial.number for parent in trial.suggestion.parents)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(set(NAMES) - NOT_BETTER_THAN_RANDOM))
def test_it_beats_random_search_on_a_known_problem(name: str) -> None:
    bits, trials = RACES.get(name, (16, 100))
    searcher: type = load_plugin("automl.searchers", name)
    records = [search(searcher(Bitstrings(bits), OBJECTIVES[:1]), trials, seed=seed) for seed in range(2)]
    assert chance_together([chance_of_random_search(best(one), bits, trials) for one in records]) < 0.05


def test_random_search_finds_what_its_chances_say() -> None:
    space, trials = Bitstrings(10), 30
    found = [best(search(RandomSearch(space, OBJECTIVES[:1]), trials, seed=seed)) for seed in range(40)]
    chances = [chance_of_random_search(one, 10, trials) for one in found]
    assert np.mean(chances) == pytest.approx(0.5, abs=3.5 / sqrt(12 * len(chances)))
    assert np.quantile(chances, 0.9) > 0.75


def best(record: list[Trial]) -> float:
    return min(measured_loss(trial) for trial in record)


def measured_loss(trial: Trial) -> float:
    value = trial.value("ne")
    assert value is not None
    return value


def chance_of_random_search(value: float, bits: int, trials: int) -> float:
    """Probability that so many different strings, all equally likely, hold one that is as good or better.

    Known in closed form, so that nobody has to draw hundreds of random searches to compare with.
    """
    worse = int(np.sum(every_ne(bits) > value + 1e-9))
    return 1.0 - comb(worse, trials) / comb(2**bits, trials)


@cache
def every_ne(bits: int) -> NDArray[np.float64]:
    return 0.8 + losses((np.arange(2**bits)[:, None] >> np.arange(bits) & 1).astype(np.float64))


def chance_together(chances: list[float]) -> float:
    """Probability of a sum of chances that is as small or smaller, if each were even between 0 and 1; small ones only.

    Irwin (1927) and Hall (1927): up to 1 the distribution of the sum of n is its n-th power over n factorial.
    """
    return sum(chances) ** len(chances) / factorial(len(chances)) if sum(chances) < 1 else 1.0
