"""Trains an architecture for a few steps under watch and says which of its blocks does not do its part.

The steps are plain ones of each parameter. A block is to blame where it cannot be built or run, where it gives
numbers that are not finite from such that are, where one of its parameters gets no gradient, and where it
passes none on.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum

import torch
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._training.evaluate import trainable
from evaluators._training.pacing import first_batch, is_finite
from evaluators._training.search_data import SearchData
from evaluators._training.settings import TrainingSettings
from searchspaces import Architecture, Candidate, FeatureSchema, canonical, load_plugin
from searchspaces.build import RankingModel, build
from searchspaces.cost import BLOCKS, EMBEDDINGS, shapes

STEPS = 3
"""A layer that begins at zero lets nothing through in the first step."""

LARGEST_BATCH = 256


def block_faults(candidate: Candidate, data: SearchData, settings: TrainingSettings, *, seed: int) -> dict[str, str]:
    """What is wrong, by block; empty where all work. The key is empty where no block can be told from the others.

    Raises:
        EvaluatorError: the candidate has no architecture.
    """
    schema = data.schema.capped(settings.hash_cap)
    architecture = canonical(trainable(candidate))
    try:
        model = build(architecture, schema, seed=seed).to(data.train.device)
    except Exception as error:  # noqa: BLE001  # a block may raise anything: that is what is looked for
        return _unbuildable(architecture, schema, error)
    size = min(settings.batch_size, LARGEST_BATCH)
    batch = first_batch(data.train, size)
    optimizer = torch.optim.AdamW(model.parameters(), lr=settings.learning_rate, weight_decay=0.0, fused=True)
    watch = _Watch(model)
    try:
        for _ in range(STEPS):
            optimizer.zero_grad()
            logits = model(batch.numeric, batch.categorical)
            binary_cross_entropy_with_logits(logits, batch.label).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
            watch.end_step()
    except Exception as error:  # noqa: BLE001  # the same
        return watch.faults() or {watch.running: _told(error)}
    return watch.faults()


def _unbuildable(architecture: Architecture, schema: FeatureSchema, error: Exception) -> dict[str, str]:
    """Builds node after node to find the one that cannot be."""
    for index, node in enumerate(architecture.nodes):
        try:
            plugin = load_plugin(BLOCKS if node.inputs else EMBEDDINGS, node.block)
            if node.inputs:
                known = shapes(Architecture(architecture.nodes), schema)
                plugin([known[at] for at in node.inputs], node.options)
            else:
                plugin(schema, node.options)
        except Exception as found:  # noqa: BLE001  # the same
            return {node.block: f"cannot be built as node {index}: {_told(found)}"}
    return {"": f"the model cannot be built: {_told(error)}"}


class Rank(IntEnum):
    """Kinds of faults; one of a lower rank brings those of higher ones with it in other blocks."""

    OUTPUT = 0
    GRADIENT = 1
    PARAMETER = 2
    SILENCE = 3


@dataclass
class _Seen:
    """What one node did over all steps."""

    block: str
    is_source: bool
    faults: dict[Rank, str] = field(default_factory=dict)
    moved: set[str] = field(default_factory=set)
    is_reached: bool = False
    is_spoiled: bool = False
    inputs_reached: dict[int, bool] = field(default_factory=dict)

    def blame(self, rank: Rank, text: str) -> None:
        """Notes the first fault of its rank, unless what came from above was not finite already."""
        if not self.is_spoiled:
            self.faults.setdefault(rank, text)


class _Watch:
    """Hooks on every node of a model; `running` is the block that was entered last."""

    def __init__(self, model: RankingModel) -> None:
        self.running = ""
        self._layers = list(model.nodes.values())
        self._seen = [_Seen(node.block, not node.inputs) for node in model.architecture.nodes]
        for seen, layer in zip(self._seen, self._layers, strict=True):
            layer.register_forward_pre_hook(self._enter(seen))
            layer.register_forward_hook(_leave(seen))

    def end_step(self) -> None:
        """Looks at the gradients and the parameters after an update."""
        for seen, layer in zip(self._seen, self._layers, strict=True):
            for name, parameter in layer.named_parameters():
                _look_at(seen, name, parameter)

    def faults(self) -> dict[str, str]:
        """The faults of the lowest rank that any block has, the first of each block."""
        for seen, layer in zip(self._seen, self._layers, strict=True):
            for text in _still(seen, layer):
                seen.blame(Rank.SILENCE, text)
        ranks = [rank for seen in self._seen for rank in seen.faults]
        found: dict[str, str] = {}
        for seen in self._seen:
            if ranks and min(ranks) in seen.faults:
                found.setdefault(seen.block, seen.faults[min(ranks)])
        return found

    def _enter(self, seen: _Seen) -> Callable[[nn.Module, tuple[object, ...]], tuple[object, ...]]:
        def entered(_layer: nn.Module, inputs: tuple[object, ...]) -> tuple[object, ...]:
            self.running = seen.block
            return tuple(_listened(seen, at, one) if isinstance(one, Tensor) else one for at, one in enumerate(inputs))

        return entered


def _listened(seen: _Seen, at: int, value: Tensor) -> Tensor:
    """The same tensor by a way of its own, so that this block's share of its gradient is seen."""
    if not value.requires_grad:
        return value
    seen.inputs_reached.setdefault(at, False)

    def passed(gradient: Tensor) -> None:
        seen.inputs_reached[at] |= bool(torch.count_nonzero(gradient))
        if not is_finite(gradient):
            seen.blame(Rank.GRADIENT, f"passes a gradient to its input {at} that is not finite")

    own = value.view_as(value)
    own.register_hook(passed)  # type: ignore[no-untyped-call]  # torch leaves it untyped
    return own


def _leave(seen: _Seen) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    def left(_layer: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        # a source takes NaN as missing
        if not is_finite(output.detach()) and (seen.is_source or all(is_finite(one.detach()) for one in inputs)):
            seen.blame(Rank.OUTPUT, "gives numbers that are not finite")
        if output.requires_grad:
            output.register_hook(reached)  # type: ignore[no-untyped-call]  # torch leaves it untyped

    def reached(gradient: Tensor) -> None:
        seen.is_reached |= bool(torch.count_nonzero(gradient))
        seen.is_spoiled |= not is_finite(gradient)

    return left


def _look_at(seen: _Seen, name: str, parameter: nn.Parameter) -> None:
    gradient = parameter.grad
    if gradient is not None:
        values = gradient.coalesce().values() if gradient.is_sparse else gradient
        if bool(torch.count_nonzero(values)):
            seen.moved.add(name)
        if not is_finite(values):
            seen.blame(Rank.GRADIENT, f"gets a gradient of its parameter {name!r} that is not finite")
    if not is_finite(parameter.detach()):
        seen.blame(Rank.PARAMETER, f"has a parameter {name!r} that is not finite after a step; lower the learning rate")


def _still(seen: _Seen, layer: nn.Module) -> list[str]:
    """What no gradient came to although one came to the block itself."""
    if not seen.is_reached:
        return []
    parameters = [name for name, _ in layer.named_parameters() if name not in seen.moved]
    inputs = [at for at, is_reached in seen.inputs_reached.items() if not is_reached]
    return [
        *(f"gets no gradient for its parameter {name!r} in {STEPS} steps" for name in parameters),
        *(f"passes no gradient on to its input {at} in {STEPS} steps" for at in inputs),
    ]


def _told(error: Exception) -> str:
    return f"{type(error).__name__}: {' '.join(str(error).split())}"
