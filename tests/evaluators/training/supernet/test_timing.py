from __future__ import annotations

from collections.abc import Iterator

import pytest
import torch
from torch import Tensor, nn

from evaluators._training.examples import Examples
from evaluators._training.supernet.timing import TURNS, relative_time
from tests.evaluators.small_data import part

DEVICE = torch.device("cpu")


class Pace(nn.Module):
    """Moves a clock by its seconds, times the pace of the machine, whenever it is asked."""

    def __init__(self, now: list[float], seconds: float, paces: Iterator[float], rows: list[int]) -> None:
        super().__init__()
        self.now, self.seconds, self.paces, self.rows = now, seconds, paces, rows

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        del categorical
        self.rows.append(len(numeric))
        self.now[0] += self.seconds * next(self.paces)
        return torch.zeros(len(numeric))


def busy() -> Iterator[float]:
    """A machine at half its pace that holds up every other request, and the model more often than the reference."""
    for turn in range(100):
        yield from (20.0, 2.0) if turn % 3 else (2.0, 9.0 if turn % 2 else 2.0)


@pytest.mark.parametrize(("metric", "rows"), [("latency_ms_p50", 64), ("qps", 512)])
def test_the_pace_of_the_machine_cancels_and_so_does_what_it_does_beside(metric: str, rows: int) -> None:
    now, paces, asked = [0.0], busy(), list[int]()
    model, reference = (Pace(now, seconds, paces, asked) for seconds in (0.003, 0.002))
    examples = Examples(part(100, 1), DEVICE)
    found = relative_time(model, reference, examples, metric=metric, clock=lambda: now[0])
    assert found == pytest.approx(1.5)
    assert set(asked) == {rows}
    assert len(asked) >= 2 * TURNS
