from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np
import pytest

from automl._errors import ConfigError
from automl.searchers.gp_sampler import GPSearch
from automl.searchers.nsga2 import NSGA2
from automl.searchers.tpe import TPE
from evaluators import Evaluation, Metric, Objective, Suggestion, Trial
from searchspaces import FeatureSchema, Field, Kind
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished, generator, loss, search

NE = [Objective("ne")]
OBJECTIVES = [Objective("ne"), Objective("flops")]
SCHEMA = FeatureSchema((Field("age", Kind.NUMERIC), Field("city", Kind.CATEGORICAL, 10)))


def test_the_first_trials_are_random_and_the_others_are_the_samplers() -> None:
    record = search(TPE(Bitstrings(), OBJECTIVES, startup=5), 9)
    assert [trial.suggestion.origin for trial in record] == ["random"] * 5 + ["tpe"] * 4


def test_a_generation_of_nsga2_is_random_and_its_children_descend_from_it() -> None:
    """Genes that no parent has can come by mutation alone, which is rare."""
    space = Bitstrings(24)
    zeros = [space.to_candidate({f"bit{at:02d}": int(at == one) for at in range(24)}) for one in range(10)]
    searcher = NSGA2(space, NE, population=10)
    searcher.tell([finished(number, Suggestion(one)) for number, one in enumerate(zeros)])
    children = searcher.ask(10, generator(0, 0))
    assert {one.origin for one in children} <= {"nsga2", "mutation"}
    assert np.mean([space.encode(one.candidate).sum() for one in children]) < 4  # random ones would have 12


def test_tpe_finds_the_optimum_of_a_small_space() -> None:
    record = search(TPE(Bitstrings(6), NE, startup=5), 30)
    assert min(loss(trial.candidate) for trial in record) == 0.0


@pytest.mark.slow
def test_the_gaussian_process_finds_the_optimum_of_a_small_space() -> None:
    record = search(GPSearch(Bitstrings(8), NE), 25)
    assert min(loss(trial.candidate) for trial in record) == 0.0


@pytest.mark.parametrize("name", ["tpe", "nsga2", "gp_sampler"])
def test_a_space_with_conditional_decisions_is_searched(name: str) -> None:
    space = AutoCTR(SCHEMA, blocks=2)
    made: dict[str, Callable[[], TPE | NSGA2 | GPSearch]] = {
        "tpe": lambda: TPE(space, OBJECTIVES, startup=4),
        "nsga2": lambda: NSGA2(space, OBJECTIVES, population=4),
        "gp_sampler": lambda: GPSearch(space, OBJECTIVES, startup=4),
    }
    searcher, rng = made[name](), np.random.default_rng(0)
    searcher.tell([told(number, space, rng) for number in range(6)])
    for suggestion in searcher.ask(1, generator(0, 0)):
        space.validate(suggestion.candidate)
        assert suggestion.origin in (name, "mutation")


def told(number: int, space: AutoCTR, rng: np.random.Generator) -> Trial:
    metrics = {"ne": Metric(float(rng.random())), "flops": Metric(float(rng.random()))}
    return finished(number, Suggestion(space.sample(rng)), Evaluation(metrics))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: TPE(Bitstrings(), NE, startup=0), "startup must be at least 1, but is 0"),
        (lambda: TPE(Bitstrings(), [], samples=0), "samples must be at least 1, but is 0"),
        (lambda: GPSearch(Bitstrings(), []), "an objective is needed to tell better from worse"),
        (lambda: NSGA2(Bitstrings(), NE, population=1), "a population has two members at least, but population is 1"),
        (lambda: NSGA2(Bitstrings(), NE, crossover=2.0), "crossover is a share between 0 and 1, but is 2.0"),
    ],
)
def test_options_that_make_no_sense_are_refused(build: Callable[[], object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        build()
