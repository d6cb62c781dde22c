"""Norms and hidden layers against torch and against numbers made by hand."""

import pytest
import torch
from torch import nn
from torch.nn.functional import layer_norm

from searchspaces import ArchitectureError, Cost, Options
from searchspaces.layers import BatchNorm, HiddenLayers, LayerNorm


def test_a_batch_norm_gives_what_that_of_torch_gives_on_the_batch() -> None:
    units = torch.randn(32, 5)
    ours, theirs = BatchNorm(5), nn.BatchNorm1d(5)
    assert torch.allclose(ours(units), theirs(units), atol=1e-6)


def test_running_statistics_are_means_over_the_first_batches() -> None:
    norm = BatchNorm(1)
    for batch in ([0.0, 2.0], [4.0, 8.0]):
        norm(torch.tensor(batch).unsqueeze(1))
    assert norm.running_mean.tolist() == [(1.0 + 6.0) / 2]
    assert norm.running_var.tolist() == [(2.0 + 8.0) / 2]


def test_running_statistics_forget_from_the_tenth_batch_on() -> None:
    norm = BatchNorm(1)
    for _ in range(10):
        norm(torch.tensor([[1.0], [1.0]]))
    for _ in range(3):
        norm(torch.zeros(2, 1))
    assert norm.running_mean.item() == pytest.approx(0.9**3)


def test_evaluation_uses_the_running_statistics_and_leaves_them() -> None:
    norm = BatchNorm(2)
    norm(torch.randn(16, 2))
    norm.eval()
    before = norm.running_mean.clone()
    row = torch.tensor([[3.0, -1.0]])
    expected = (row - norm.running_mean) / torch.sqrt(norm.running_var + norm.eps)
    assert torch.allclose(norm(row), expected, atol=1e-6)
    assert torch.equal(norm.running_mean, before)


def test_a_batch_of_one_row_takes_the_running_statistics() -> None:
    norm = BatchNorm(2)
    norm(torch.randn(16, 2))
    row = torch.tensor([[3.0, -1.0]])
    alone = norm(row)
    assert torch.equal(alone, norm.eval()(row))


def test_recent_statistics_are_means_over_the_batches_since_they_were_asked_for() -> None:
    norm = BatchNorm(1)
    for batches in ([[0.0, 2.0], [4.0, 8.0], [1.0, 1.0]], [[3.0, 5.0]]):
        for batch in batches:
            norm(torch.tensor(batch).unsqueeze(1))
        mean, var = norm.take_recent()
        assert mean.item() == pytest.approx(sum(sum(one) / 2 for one in batches) / len(batches))
        assert var.item() == pytest.approx(sum((one[1] - one[0]) ** 2 / 2 for one in batches) / len(batches))


def test_without_a_batch_the_recent_statistics_are_the_running_ones() -> None:
    norm = BatchNorm(1)
    norm(torch.tensor([[1.0], [3.0]]))
    norm.take_recent()
    assert [one.item() for one in norm.take_recent()] == [2.0, 2.0]


@pytest.mark.parametrize("norm", [BatchNorm(8), LayerNorm(8)])
def test_norms_compute_in_single_precision_whatever_they_take(norm: nn.Module) -> None:
    units = (100.0 + torch.randn(64, 8)).bfloat16()
    low = norm(units)
    assert low.dtype == torch.bfloat16
    assert torch.equal(low, norm(units.float()).bfloat16())


def test_a_layer_norm_is_the_one_of_torch() -> None:
    units = torch.randn(4, 3, 6)
    assert torch.equal(LayerNorm(6)(units), layer_norm(units, (6,)))


def test_hidden_layers_stand_in_the_order_of_the_benchmark() -> None:
    layers = HiddenLayers((8, 4), "batch", "silu", 0.5).build(3)
    kinds = [type(one).__name__ for one in layers]
    assert kinds == ["Linear", "BatchNorm", "SiLU", "Dropout"] * 2


def test_the_cost_of_hidden_layers_is_made_by_hand() -> None:
    # 3 * 8 + 8 and 8 * 4 + 4, and 2 * 12 for the norms
    assert HiddenLayers((8, 4), "layer").cost(3) == Cost(parameters=32 + 36 + 24, macs=24 + 32)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"width": 4, "norm": "group"}, "'norm' of block 'b' must be one of none, batch, layer, but is 'group'"),
        ({"width": 4, "activation": "elu"}, "'activation' of block 'b' must be one of relu, silu, .* but is 'elu'"),
        ({"widths": [4, 1], "norm": "layer"}, "can normalise a vector of two or more numbers, but got a width of 1"),
    ],
)
def test_a_wrong_option_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ArchitectureError, match=message):
        HiddenLayers.of("b", Options(options))
