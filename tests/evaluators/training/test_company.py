"""Members of a cohort do not notice each other, whatever they are and whatever becomes of one of them."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pytest
import torch
from torch import Tensor

from evaluators import Evaluation, Failure, FailureKind
from evaluators._training.evaluate import Job, Trained, train_jobs
from evaluators._training.search_data import SearchData
from evaluators._training.session import Asked, Session
from evaluators._training.settings import TrainingSettings
from searchspaces import Architecture, Candidate, Node, Options, zoo
from searchspaces.build import RankingModel
from tests.evaluators.small_data import SCHEMA, mlp, suggest

SETTINGS = TrainingSettings(rows=1000, batch_size=96)


def _between(node: Node) -> Candidate:
    """A block between raw inputs and output."""
    return Candidate(Architecture((Node("numeric"), Node("full", (), Options(dim=4)), node, Node("logit", (2,)))))


NUMBERS_ALONE = Candidate(Architecture((Node("numeric"), Node("logit", (0,)))))
GUILTY_WIDTH = 17

MIXED = [
    mlp(),
    mlp(24, dim=8),
    mlp(learning_rate=0.02, weight_decay=0.1, embedding_weight_decay=0.01),
    NUMBERS_ALONE,
    zoo("dcnv2", SCHEMA),
    zoo("deepfm", SCHEMA),
    _between(Node("mlp", (0, 1), Options(width=16, norm="batch", dropout=0.1))),
    _between(Node("experts", (0, 1), Options(width=16, norm="layer", experts=3, top_k=2, balance=0.1))),
]


def jobs_of(candidates: list[Candidate]) -> list[Job]:
    return [Job(one, SETTINGS.overridden(one.training)) for one in candidates]


def sound(found: Mapping[int, Trained | Exception], at: int) -> Trained:
    one = found[at]
    assert isinstance(one, Trained)
    return one


def metrics(outcome: Evaluation | Failure) -> dict[str, object]:
    """Whatever does not depend on the clock or on the memory of the process."""
    assert isinstance(outcome, Evaluation)
    names = ("ne", "auc", "logloss", "calibration", "ne_calibrated", "ne_progressive", "flops", "params")
    return {name: outcome.metrics[name] for name in names} | {"curve": outcome.curve}


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_member_is_alone_what_it_is_in_company_bit_for_bit(data: SearchData, dtype: torch.dtype) -> None:
    jobs = jobs_of(MIXED)
    together = train_jobs(jobs, data, seed=3, dtype=dtype)
    for at, job in enumerate(jobs):
        alone, beside = sound(train_jobs([job], data, seed=3, dtype=dtype), 0), sound(together, at)
        assert np.array_equal(alone.logits, beside.logits)
        assert np.array_equal(alone.course.losses, beside.course.losses)


def test_the_order_of_a_cohort_changes_nothing(data: SearchData) -> None:
    jobs = jobs_of(MIXED)
    forth, back = train_jobs(jobs, data, seed=3), train_jobs(jobs[::-1], data, seed=3)
    for at in range(len(jobs)):
        assert np.array_equal(sound(forth, at).logits, sound(back, len(jobs) - 1 - at).logits)


def test_a_member_that_diverges_leaves_the_others_as_they_are_alone(data: SearchData) -> None:
    cohort = [mlp(), mlp(learning_rate=1e30), mlp(24, dim=8), zoo("dcnv2", SCHEMA)]
    found = _outcomes(cohort, data)
    assert _kinds(found) == [None, FailureKind.DIVERGED, None, None]
    for at in (0, 2, 3):
        assert metrics(found[at]) == metrics(_outcomes([cohort[at]], data)[0])


def test_an_output_that_is_no_number_fails_its_member_alone(data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = RankingModel.interact, [0]

    def poisoned(self: RankingModel, raw: Mapping[int, Tensor]) -> Tensor:
        logits = real(self, raw)
        if any(node.options.get("width") == GUILTY_WIDTH for node in self.architecture.nodes):
            calls[0] += 1
            return logits * torch.nan if calls[0] == 4 else logits
        return logits

    cohort = [mlp(), mlp(GUILTY_WIDTH), mlp(24, dim=8), zoo("dcnv2", SCHEMA)]
    monkeypatch.setattr(RankingModel, "interact", poisoned)
    found = _outcomes(cohort, data)
    assert _kinds(found) == [None, FailureKind.DIVERGED, None, None]
    monkeypatch.undo()
    for at in (0, 2, 3):
        assert metrics(found[at]) == metrics(_outcomes([cohort[at]], data)[0])


def test_a_member_that_cannot_be_built_fails_alone(data: SearchData) -> None:
    found = _outcomes([mlp(), mlp(-1), Candidate()], data)
    assert _kinds(found) == [None, FailureKind.INVALID, FailureKind.INVALID]
    assert metrics(found[0]) == metrics(_outcomes([mlp()], data)[0])


def _outcomes(cohort: list[Candidate], data: SearchData) -> list[Evaluation | Failure]:
    asked = [Asked(suggest(one), 5) for one in cohort]
    return [outcome for _, outcome in sorted(Session(SETTINGS, data).outcomes(asked), key=lambda one: one[0])]


def _kinds(found: list[Evaluation | Failure]) -> list[FailureKind | None]:
    return [one.kind if isinstance(one, Failure) else None for one in found]
