"""What is known to fail before it runs: what memory cannot hold, and what is like all that failed."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl.proposals import SureFailures
from evaluators import Failure, FailureKind, Objective, Suggestion, Trial
from searchspaces import Candidate, Options
from searchspaces.spaces.codesign import Codesign
from searchspaces.spaces.run_settings import RunSettings
from tests.automl._bitstrings import Bitstrings, finished
from tests.evaluators.small_data import SCHEMA

SPACE = Bitstrings(8)
FELL = Failure(FailureKind.OUT_OF_MEMORY, "too large")


def drawn(count: int, seed: int = 0) -> list[Candidate]:
    rng = np.random.default_rng(seed)
    return [SPACE.sample(rng) for _ in range(count)]


def record(count: int = 40) -> list[Trial]:
    """Whatever has its first bit set fails."""
    return [
        finished(at, Suggestion(one), FELL if one.training["bit00"] else None) for at, one in enumerate(drawn(count))
    ]


def learned(trials: list[Trial]) -> SureFailures:
    failures = SureFailures(SPACE, Objective("ne"))
    failures.learn(trials)
    return failures


def test_what_is_like_all_that_failed_is_foretold_and_nothing_else() -> None:
    failures = learned(record())
    told = [(failures.foretells(one), bool(one.training["bit00"])) for one in drawn(60, seed=1)]
    assert [one for one, fails in told if not fails] == [False] * sum(not fails for _, fails in told)
    assert np.mean([one for one, fails in told if fails]) > 0.5


def test_nothing_is_foretold_before_anything_failed_or_where_everything_did() -> None:
    failed = [replace(finished(at, Suggestion(one), FELL)) for at, one in enumerate(drawn(20))]
    whole = [finished(at, Suggestion(one)) for at, one in enumerate(drawn(20))]
    for trials in ([], whole, failed):
        assert not any(learned(trials).foretells(one) for one in drawn(30, seed=1))


def test_baselines_teach_nothing() -> None:
    baselines = [replace(one, stage="baseline") for one in record()]
    assert not any(learned(baselines).foretells(one) for one in drawn(30, seed=1))


def test_a_layout_that_no_device_can_hold_is_foretold_without_a_record() -> None:
    huge = 2**31
    model = {"tables": [{"rows": 1_000_000, "dim": 64}], "dense": {"macs": 1_000_000}}
    space = Codesign(SCHEMA, model=model, cluster={}, knobs={"global_batch": [8_192, huge], "accumulation": [1]})
    failures = SureFailures(space, Objective("qps"))
    usual = space.to_assignment(space.sample(np.random.default_rng(0)))
    told = [failures.foretells(space.to_candidate({**usual, "global_batch": batch})) for batch in (8_192, huge)]
    assert told == [False, True]


def test_a_run_that_takes_no_less_than_one_out_of_memory_is_foretold() -> None:
    space = RunSettings(SCHEMA, knobs={"batch_size": [256, 512, 1024], "cohort": [1, 2], "accumulation": 1, "ranks": 1})
    some = space.sample(np.random.default_rng(0))

    def run(**changes: int) -> Candidate:
        return Candidate(None, system=Options({**some.system, **changes}))

    failures = SureFailures(space, Objective("speed_ratio"))
    failures.learn(
        [
            finished(0, Suggestion(run(batch_size=512, cohort=1)), FELL),
            finished(1, Suggestion(run(batch_size=256, cohort=2)), Failure(FailureKind.CRASHED, "a bug")),
        ]
    )
    assert failures.foretells(run(batch_size=1024, cohort=1))
    assert failures.foretells(run(batch_size=512, cohort=2))
    assert not failures.foretells(run(batch_size=256, cohort=2))
    other = 2 if some.system["threads"] == 1 else 1
    assert not failures.foretells(run(batch_size=1024, cohort=2, threads=other))
