from __future__ import annotations

from dataclasses import replace

import numpy as np

from automl.fidelity import Agreement, AuditPlan, Ladder, Rule, RungAudit, Verdict, is_withdrawn, rechecks
from automl.fidelity._recheck import DRAWN, EVERY
from evaluators import Trial
from tests.automl.fidelity.ladders import NE, at_rung

LADDER = Ladder.of([{"rows": 10}, {}])
PLAN = AuditPlan(LADDER, NE, Rule(resamples=200))
CHEAP, FULL = LADDER.fidelities
AUDIT = RungAudit(CHEAP, Verdict.ACCEPTED, "", agreement=Agreement(36, 0.7, 0.5, 0.8, 0.8, 0.9, 0.9))


def _search(*, is_wrong: bool, trials: int = 8 * EVERY) -> list[Trial]:
    """A search in which every fourth candidate's full training follows: of the best three, or of those rechecked."""
    rng = np.random.default_rng(1)
    record: list[Trial] = []
    while len(record) < trials:
        new = [at_rung(len(record) + at, float(rng.random()), -1) for at in range(3)]
        record += new
        asked = [one.candidate.training["name"] for one in rechecks(record, CHEAP, FULL, seed=0)]
        waiting = [name for name in asked if not any(_is_full(one, name) for one in record)]
        names = waiting or [min(new, key=lambda one: one.value("ne") or 0.0).candidate.training["name"]]
        for name in names:
            below = next(one for one in record if one.candidate.training["name"] == name).value("ne") or 0.0
            value = float(rng.random()) if is_wrong else below - 0.5
            record.append(at_rung(len(record), value, name=int(str(name))))
    return record


def _is_full(trial: Trial, name: object) -> bool:
    return trial.suggestion.fidelity.is_full and trial.candidate.training["name"] == name


def test_two_stopped_candidates_are_drawn_after_every_thirty_trials() -> None:
    stopped = [at_rung(at, 0.5, -1) for at in range(2 * EVERY)]
    counts = [len(rechecks(stopped[:end], CHEAP, FULL, seed=0)) for end in (EVERY - 1, EVERY, 2 * EVERY)]
    assert counts == [0, DRAWN, 2 * DRAWN]


def test_what_was_drawn_never_changes() -> None:
    record = _search(is_wrong=False)
    early = rechecks(record[: 2 * EVERY], CHEAP, FULL, seed=0)
    assert rechecks(record, CHEAP, FULL, seed=0)[: len(early)] == early


def test_the_draw_is_of_candidates_that_have_not_reached_full_training() -> None:
    stopped = [at_rung(at, 0.5, -1) for at in range(EVERY - 2)]
    reached = [at_rung(EVERY + at, 0.5, name=at) for at in range(2)]
    drawn = rechecks([*stopped, *reached], CHEAP, FULL, seed=0)
    assert {one.fidelity for one in drawn} == {FULL}
    assert not {0, 1} & {one.candidate.training["name"] for one in drawn}


def test_a_rung_whose_order_full_training_does_not_bear_out_is_withdrawn() -> None:
    assert is_withdrawn(_search(is_wrong=True), AUDIT, PLAN)


def test_a_rung_whose_order_full_training_bears_out_is_kept() -> None:
    assert not is_withdrawn(_search(is_wrong=False), AUDIT, PLAN)


def test_a_few_trials_withdraw_nothing() -> None:
    assert not is_withdrawn(_search(is_wrong=True, trials=EVERY), AUDIT, PLAN)


def test_a_rung_without_an_audit_is_not_withdrawn() -> None:
    assert not is_withdrawn(_search(is_wrong=True), replace(AUDIT, agreement=None), PLAN)
