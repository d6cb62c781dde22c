"""Which rows train weights and which judge them; what is asked changes nothing and is what the sub-network says."""

from __future__ import annotations

from itertools import chain
from pathlib import Path

import numpy as np
import pytest
import torch

from evaluators import EvaluatorError, ScoringSettings, SplitPlan, SupernetSettings, open_split_supernet
from evaluators._datasets import Part
from evaluators._training.examples import Examples
from evaluators._training.stream import Plan
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.split import Half, Split
from searchspaces import Architecture, Node, Options
from searchspaces.spaces.autoctr import AutoCTR
from tests.evaluators.small_data import SCHEMA, write_small_data
from tests.evaluators.training.supernet.spaces import batch

SPACE = AutoCTR(SCHEMA, blocks=2, widths=(4, 8), embedding_dim=4)
ROWS = 25


def half(*, is_odd: bool) -> Half:
    """Of rows whose number is their first value."""
    numbers = np.arange(ROWS, dtype=np.float32)
    part = Part((numbers % 3 == 0).astype(np.float32), numbers[:, None], np.zeros((ROWS, 0), np.int32))
    return Half(Examples(part, torch.device("cpu")), Plan(1, ROWS, 0, 4, 1), is_odd=is_odd)


def rows_of(one: Half, numbers: range) -> list[list[int]]:
    return [one.batch(number).numeric[:, 0].int().tolist() for number in numbers]


@pytest.mark.parametrize(("is_odd", "batches"), [(False, 4), (True, 3)])
def test_each_half_has_every_other_row_once_a_pass_in_another_order_each_time(is_odd: bool, batches: int) -> None:
    found = rows_of(half(is_odd=is_odd), range(2 * batches))
    passes = [list(chain(*found[:batches])), list(chain(*found[batches:]))]
    assert [sorted(one) for one in passes] == [list(range(is_odd, ROWS, 2))] * 2
    assert passes[0] != passes[1]


def test_a_batch_is_the_same_whether_it_is_reached_step_by_step_or_at_once() -> None:
    one = half(is_odd=True)
    found = rows_of(one, range(8))
    assert [rows_of(half(is_odd=True), range(at, at + 1))[0] for at in range(8)] == found
    assert rows_of(one, range(2, 4)) == found[2:4]


def model(width: int, *, norm: str = "none") -> Architecture:
    nodes = (
        Node("numeric"),
        Node("full", (), Options(dim=4)),
        Node("mlp", (0, 1), Options(width=width, norm=norm)),
        Node("logit", (2,)),
    )
    return Architecture(nodes)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small", rows=200).folder


def opened(folder: Path, *, seed: int = 1) -> Split:
    settings = SupernetSettings(rows=120, batch_size=20)
    scoring = ScoringSettings(calibration_rows=40, evaluation_rows=60)
    found = open_split_supernet(SplitPlan(folder, SPACE, seed, settings, 30, scoring, device="cpu"))
    assert isinstance(found, Split)
    return found


def test_it_says_what_the_subnetwork_says_and_stays_as_it_is(folder: Path) -> None:
    one, other = opened(folder), opened(folder)
    for net in (one, other):
        net.train(model(8))
    answers = one.ask([model(8), model(4)], number=2)
    rows = one._asked.batch(2)
    for said, architecture in zip(answers.logits, (model(8), model(4)), strict=True):
        expected = other.net.subnetwork(architecture).eval()(rows.numeric, rows.categorical)
        np.testing.assert_allclose(said, expected.detach().numpy(), atol=1e-6)
    assert answers.labels.tolist() == rows.label.tolist()
    assert one.train(model(8)) == other.train(model(8))
    assert one.score(model(8)) == other.score(model(8))


def test_a_model_that_is_asked_again_has_learnt_what_was_learnt_since(folder: Path) -> None:
    one, fresh = opened(folder), opened(folder)
    one.train(model(8))
    before = one.ask([model(4)], number=0).logits
    fresh.train(model(8))
    for net in (one, fresh):
        net.train(model(8))
    after = one.ask([model(4)], number=0).logits
    assert not np.array_equal(before, after)
    assert np.array_equal(after, fresh.ask([model(4)], number=0).logits)


def test_norms_see_the_rows_that_are_asked_about(folder: Path) -> None:
    one = opened(folder)
    answers = one.ask([model(8, norm="batch")], number=0)
    rows = one._asked.batch(0)
    expected = one.net.subnetwork(model(8, norm="batch")).train()(rows.numeric, rows.categorical)
    np.testing.assert_allclose(answers.logits[0], expected.detach().numpy(), atol=1e-6)


def test_it_goes_on_from_where_it_was_saved(folder: Path, tmp_path: Path) -> None:
    whole, first, second = (opened(folder) for _ in range(3))
    for net in (whole, first):
        for _ in range(3):
            net.train(model(8))
    first.save(tmp_path / "net")
    second.restore(tmp_path / "net")
    for net in (whole, second):
        net.train(model(4))
    assert second.steps == 4
    assert second.score(model(8)) == whole.score(model(8))


def test_weights_of_another_seed_are_refused(folder: Path, tmp_path: Path) -> None:
    one = opened(folder)
    one.save(tmp_path / "net")
    with pytest.raises(EvaluatorError, match="differs in seed"):
        opened(folder, seed=2).restore(tmp_path / "net")


def test_scoring_rows_are_those_of_evaluation_and_of_each_fit(folder: Path) -> None:
    assert opened(folder).scoring_rows == 60 + 2 * 40


def test_a_model_is_filled_again_with_the_weights_as_they_are() -> None:
    net = Supernet(SCHEMA, 1)
    found = net.subnetwork(model(8))
    for seed in range(2):
        net.step([model(8)], batch(seed=seed), SupernetSettings(rows=20, batch_size=10).rates(1), batch_size=32)
    again, fresh = net.subnetwork(model(8), again=found), net.subnetwork(model(8))
    assert again is found
    assert all(torch.equal(one, other) for one, other in zip(again.parameters(), fresh.parameters(), strict=True))


def test_what_is_asked_at_once_is_what_each_says(folder: Path) -> None:
    found = opened(folder)
    for _ in range(3):
        found.train(model(8))
    asked = [model(8), model(4), model(8, norm="batch"), model(8, norm="layer")]
    one_by_one = found.ask(asked, number=0).logits
    found.net.grouped = True
    np.testing.assert_allclose(found.ask(asked, number=0).logits, one_by_one, atol=1e-6)
