"""Running statistics are averaged like weights, and can be had back."""

from torch import nn

from evaluators._training.running_statistics import RunningStatistics
from searchspaces.layers import BatchNorm


def put(norm: BatchNorm, value: float) -> None:
    norm.running_mean.fill_(value)
    norm.running_var.fill_(10 * value)


def numbers(norm: BatchNorm) -> tuple[float, float]:
    return norm.running_mean.item(), norm.running_var.item()


def test_they_are_averaged_by_the_shares_of_the_weights() -> None:
    norm = BatchNorm(1)
    statistics = RunningStatistics(nn.Sequential(nn.Linear(1, 1), norm))
    for value, share in ((1.0, 1.0), (3.0, 0.5), (4.0, 0.25)):
        put(norm, value)
        statistics.add_to_average(share)
    statistics.use(averaged=True)
    assert numbers(norm) == (2.5, 25.0)  # 1, then 2, then 2 + (4 - 2) / 4
    statistics.use(averaged=False)
    assert numbers(norm) == (4.0, 40.0)


def test_without_an_average_the_last_ones_stay() -> None:
    norm = BatchNorm(1)
    statistics = RunningStatistics(norm)
    put(norm, 3.0)
    statistics.use(averaged=True)
    assert numbers(norm) == (3.0, 30.0)


def test_a_model_without_batch_norms_has_none() -> None:
    statistics = RunningStatistics(nn.Linear(1, 1))
    statistics.add_to_average(1.0)
    statistics.use(averaged=True)
