"""Each block is tried on data: whatever is wrong with it is told with its name."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from evaluators._training import block_check as module
from evaluators._training.block_check import block_faults
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from searchspaces import Candidate, Options, Shape
from searchspaces.blocks.mlp import MLP
from tests.evaluators.small_data import mlp


class Unbuildable(MLP):
    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        raise RuntimeError("no such kernel")


class Crashing(MLP):
    def forward(self, *inputs: Tensor) -> Tensor:
        raise RuntimeError("shapes differ")


class Endless(MLP):
    def forward(self, *inputs: Tensor) -> Tensor:
        return super().forward(*inputs) / 0.0


class Idle(MLP):
    def __init__(self, inputs: Sequence[Shape], options: Options) -> None:
        super().__init__(inputs, options)
        self.unused = nn.Parameter(torch.ones(3))


class Cutting(MLP):
    def forward(self, *inputs: Tensor) -> Tensor:
        return super().forward(*[one.detach() for one in inputs])


class Spoiling(MLP):
    def forward(self, *inputs: Tensor) -> Tensor:
        return super().forward(*[(one * 0.0).sqrt() + one for one in inputs])


WRONG = {
    Unbuildable: "cannot be built as node 2: RuntimeError: no such kernel",
    Crashing: "RuntimeError: shapes differ",
    Endless: "gives numbers that are not finite",
    Idle: "gets no gradient for its parameter 'unused' in 3 steps",
    Cutting: "passes no gradient on to its input",
    Spoiling: "passes a gradient to its input ",
}


@pytest.mark.parametrize("plugin", WRONG, ids=lambda plugin: plugin.__name__)
def test_a_wrong_block_is_named(plugin: type[MLP], data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    from searchspaces import _plugins, build, cost

    def load(room: str, name: str) -> type:
        return plugin if name == "mlp" else _plugins.load_plugin(room, name)

    for place in (module, build, cost):
        monkeypatch.setattr(place, "load_plugin", load)
    found = block_faults(mlp(), data, TrainingSettings(), seed=1)
    assert list(found) == ["mlp"]
    assert found["mlp"].startswith(WRONG[plugin])


def test_sound_blocks_have_no_fault(data: SearchData) -> None:
    assert block_faults(mlp(), data, TrainingSettings(batch_size=64), seed=1) == {}


def test_a_rate_that_blows_up_is_told(data: SearchData) -> None:
    found = block_faults(mlp(), data, TrainingSettings(learning_rate=1e38), seed=1)
    assert any("not finite" in text for text in found.values())


def test_a_candidate_without_an_architecture_is_refused(data: SearchData) -> None:
    with pytest.raises(ValueError, match="training needs an architecture"):
        block_faults(Candidate(), data, TrainingSettings(), seed=1)
