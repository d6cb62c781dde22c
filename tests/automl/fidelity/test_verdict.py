from __future__ import annotations

import math

import numpy as np
import pytest

from automl.bench.audits import Plant, planted
from automl.fidelity import Labels, Rule, Verdict, audited, look

RULE = Rule(resamples=300)


def _last(name: str, reliability: float, share: float, *, seed: int, rule: Rule = RULE) -> tuple[Verdict, str, int]:
    rng = np.random.default_rng(seed)
    rung, full = planted(Plant(name, reliability, share), rule.steps[-1], rng)
    looks = audited(rung, full, rule=rule, rngs=[rng] * len(rule.steps))
    return looks[-1].verdict, looks[-1].reason, len(looks)


def test_the_looks_spend_the_error_once() -> None:
    errors = Rule(steps=(12, 24, 36), confidence=0.9).errors()
    assert sum(errors) == pytest.approx(0.1)
    assert errors[0] == pytest.approx(0.1 * math.log(1 + (math.e - 1) / 3))
    assert all(error > 0 for error in errors)


def test_a_precise_but_wrong_rung_is_refused_in_19_of_20_audits() -> None:
    verdicts = [_last("wrong", 0.9, 0.0, seed=seed)[0] for seed in range(60)]
    assert verdicts.count(Verdict.REFUSED) >= 57


def test_a_rung_at_nine_tenths_of_its_ceiling_is_accepted_in_7_of_10_audits() -> None:
    verdicts = [_last("good", 0.75, 0.9, seed=seed)[0] for seed in range(60)]
    assert verdicts.count(Verdict.ACCEPTED) >= 42


def test_a_faithful_and_precise_rung_is_mostly_accepted_after_the_first_look() -> None:
    ends = [_last("same", 0.97, 1.0, seed=seed) for seed in range(10)]
    assert ends.count((Verdict.ACCEPTED, "tau reaches 0.8 of its ceiling", 1)) >= 5


def test_a_reversed_rung_is_refused_after_the_first_look() -> None:
    verdict, reason, looks = _last("reversed", 0.95, -0.9, seed=1)
    assert (verdict, looks) == (Verdict.REFUSED, 1)
    assert "another" in reason


def test_undecided_after_the_last_look_is_refused_in_words() -> None:
    noise = np.random.default_rng(2).standard_normal((36, 2))
    rung, full = Labels(noise), Labels(np.random.default_rng(3).standard_normal((36, 2)))
    looks = audited(rung, full, rule=RULE, rngs=[np.random.default_rng(4)] * 3)
    assert [one.verdict for one in looks] == [Verdict.UNDECIDED, Verdict.UNDECIDED, Verdict.REFUSED]
    assert looks[-1].reason.startswith("undecided after 36 candidates, which counts as refused")


def test_where_noise_leaves_no_order_the_reason_says_so() -> None:
    noise = np.random.default_rng(2).standard_normal(36)
    opposed = Labels(np.stack([noise, -noise], axis=1))
    looks = audited(opposed, opposed, rule=RULE, rngs=[np.random.default_rng(4)] * 3)
    assert looks[-1].verdict is Verdict.REFUSED
    assert looks[-1].reason.endswith("noise leaves no order to agree with")


def test_a_look_depends_on_its_generator_alone() -> None:
    rung, full = planted(Plant("some", 0.7, 0.8), 12, np.random.default_rng(5))
    one, other = (look(rung, full, at=0, rule=RULE, rng=np.random.default_rng(6)) for _ in range(2))
    assert one == other
