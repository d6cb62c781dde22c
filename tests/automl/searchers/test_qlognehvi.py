from __future__ import annotations

import re
from dataclasses import replace

import numpy as np
import pytest
import torch

from automl._errors import ConfigError
from automl.searchers.qlognehvi import QLogNEHVI
from evaluators import Evaluation, Failure, FailureKind, Metric, Objective, Suggestion, Trial
from evaluators._external.candidate_document import cost_metrics
from searchspaces import Candidate, FeatureSchema, Field, Kind
from searchspaces.spaces.autoctr import AutoCTR
from tests.automl._bitstrings import Bitstrings, finished, generator, loss, measured, search

NE = [Objective("ne")]
OBJECTIVES = [Objective("ne"), Objective("flops")]
SCHEMA = FeatureSchema((Field("age", Kind.NUMERIC), Field("city", Kind.CATEGORICAL, 10)))
SPACE = AutoCTR(SCHEMA, blocks=2)


def priced(number: int, candidate: Candidate) -> Trial:
    """NE falls with the logarithm of FLOPs, which are the closed form's."""
    flops = cost_metrics(Suggestion(candidate), SCHEMA)["flops"].value
    metrics = {"ne": Metric(1.0 - 0.02 * float(np.log10(flops))), "flops": Metric(flops)}
    return finished(number, Suggestion(candidate), Evaluation(metrics))


@pytest.mark.slow
def test_it_finds_the_optimum_of_a_small_space() -> None:
    record = search(QLogNEHVI(Bitstrings(8), NE, startup=8, pool=60), 30)
    assert min(loss(trial.candidate) for trial in record) == 0.0


def test_the_first_trials_are_random_and_later_ones_have_an_acquisition() -> None:
    record = search(QLogNEHVI(Bitstrings(8), NE, startup=4, pool=20, samples=16), 6)
    assert [trial.suggestion.origin for trial in record[:4]] == ["random"] * 4
    assert all("acquisition" in trial.suggestion.memo for trial in record[4:])


def test_the_memo_tells_what_is_predicted_in_the_units_of_the_metrics() -> None:
    objectives = [Objective("flops"), Objective("ne")]
    rng = np.random.default_rng(5)
    record = [finished(number, Suggestion(Bitstrings(8).sample(rng))) for number in range(40)]
    searcher = QLogNEHVI(Bitstrings(8), objectives, pool=40, samples=16)
    searcher.tell(record)
    for one in searcher.ask(3, generator(0, 0)):
        true = measured(one.candidate)
        assert isinstance(true, Evaluation)
        assert one.memo["predicted"] == pytest.approx(true.value("ne"), abs=0.1)
        assert one.memo["predicted_flops"] == pytest.approx(true.value("flops"), abs=1.5)
        assert 0 < float(str(one.memo["spread"])) < 0.2


def test_a_mutant_names_its_parent_on_the_front() -> None:
    rng = np.random.default_rng(5)
    record = [finished(number, Suggestion(Bitstrings(8).sample(rng))) for number in range(12)]
    searcher = QLogNEHVI(Bitstrings(8), NE, pool=20, samples=16)
    searcher.tell(record)
    best = min(record, key=lambda trial: loss(trial.candidate)).number
    parents = {one.parents for one in searcher.ask(3, generator(0, 0))}
    assert parents <= {(best,), ()}


def test_a_bound_on_a_known_cost_bounds_what_is_asked() -> None:
    rng = np.random.default_rng(4)
    record = [priced(number, SPACE.sample(rng)) for number in range(14)]
    bound = float(np.median([trial.value("flops") or 0.0 for trial in record]))
    searcher = QLogNEHVI(SPACE, [Objective("ne"), Objective("flops", bound=bound)], SCHEMA, pool=30, samples=16)
    searcher.tell(record)
    asked = searcher.ask(3, generator(0, 0))
    assert max(cost_metrics(one, SCHEMA)["flops"].value for one in asked) <= bound


def test_a_bound_on_a_learned_cost_weighs_against_what_will_break_it() -> None:
    rng = np.random.default_rng(5)
    record = [finished(number, Suggestion(Bitstrings(8).sample(rng))) for number in range(20)]
    ones = {}
    for bound in (None, 2.0):
        objectives = [Objective("ne"), Objective("flops", bound=bound)]
        searcher = QLogNEHVI(Bitstrings(8), objectives, pool=60, samples=16)
        searcher.tell(record)
        ones[bound] = np.mean([Bitstrings(8).encode(one.candidate).sum() for one in searcher.ask(3, generator(0, 0))])
    assert ones[2.0] < ones[None]


def test_failed_trials_are_data_at_the_worst_loss() -> None:
    """Where everything with the first bit failed, what is asked has it not."""
    space, rng = Bitstrings(6), np.random.default_rng(1)
    record = []
    for number in range(20):
        suggestion = Suggestion(space.sample(rng))
        failed = Failure(FailureKind.DIVERGED, "nan") if suggestion.candidate.training["bit00"] else None
        record.append(finished(number, suggestion, failed))
    searcher = QLogNEHVI(space, NE, pool=40, samples=32)
    searcher.tell(record)
    assert [one.candidate.training["bit00"] for one in searcher.ask(2, generator(0, 0))] == [0, 0]


def test_nobody_elses_random_numbers_change() -> None:
    searcher = QLogNEHVI(Bitstrings(8), NE, startup=2, pool=10, samples=8)
    searcher.tell([finished(number, one.suggestion) for number, one in enumerate(search(searcher, 3))])
    torch.manual_seed(3)
    before = torch.rand(1)
    torch.manual_seed(3)
    searcher.ask(1, generator(0, 0))
    assert torch.rand(1) == before


def test_pending_points_of_the_space_and_others_are_taken_account_of() -> None:
    searcher = QLogNEHVI(Bitstrings(8), OBJECTIVES, startup=2, pool=20, samples=16)
    rng = np.random.default_rng(5)
    searcher.tell([finished(number, Suggestion(Bitstrings(8).sample(rng))) for number in range(8)])
    [first] = searcher.ask(1, generator(0, 0))
    outside = replace(first, candidate=Candidate())
    [second] = searcher.ask(1, generator(0, 0), [first, outside])
    assert second.identity != first.identity


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pool": 0}, "pool must be at least 1, but is 0"),
        ({"startup": 0, "samples": 0}, "startup must be at least 1, but is 0"),
        ({"objectives": []}, "an objective is needed to tell better from worse"),
    ],
)
def test_options_that_make_no_sense_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        QLogNEHVI(Bitstrings(), **{"objectives": NE, **options})  # type: ignore[arg-type]  # one value at a time
