"""Two scores of a model at its start.

They were made for picture models, where they follow quality; of ranking models no public measurement says that they do,
so that they are features whose weight has to be earned, and no filter.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor
from torch.nn.functional import binary_cross_entropy_with_logits

from evaluators._training.examples import Batch
from searchspaces.build import RankingModel
from searchspaces.layers import BatchNorm, LayerNorm


def gradient_norm(model: RankingModel, batch: Batch) -> float:
    """Sum over the parameters outside tables of the length of each one's gradient of the mean log loss on a batch.

    Abdelfattah et al. (2021), Zero-cost proxies for lightweight NAS. Tables are left out: their gradients tell of the
    batch. The model is as it would be in training, dropout left out, and its gradients are gone afterwards.
    """
    model.eval()
    weights = _outside_tables(model)
    loss = binary_cross_entropy_with_logits(model(batch.numeric, batch.categorical), batch.label)
    gradients = torch.autograd.grad(loss, weights, materialize_grads=True)
    return float(torch.stack([one.norm() for one in gradients]).sum())


def log_synflow(model: RankingModel) -> float | None:
    """Logarithm of the sum of w dR/dw, where R is the output for ones, with the sizes of all weights and without norms.

    Tanaka et al. (2020), Pruning neural networks without any data by iteratively conserving synaptic flow; here ones
    stand for what the sources give, whose own weights do not count. In double precision, since R grows by a factor with
    every layer. None where nothing flows, or more than a number can hold. The model is of no use afterwards.
    """
    model.double().eval()
    model.dtype = torch.float64
    weights = [one for layer in _blocks(model) for one in layer.parameters()]
    with torch.no_grad():
        for one in weights:
            one.abs_()
    for layer in model.modules():
        if isinstance(layer, LayerNorm | BatchNorm):
            layer.register_forward_hook(lambda _, given, __: given[0])
    flow = model.interact(_ones(model)).sum()
    gradients = torch.autograd.grad(flow, weights, materialize_grads=True)
    pairs = zip(weights, gradients, strict=True)
    total = float(torch.stack([(weight.detach() * one).sum() for weight, one in pairs]).sum())
    return math.log(total) if 0.0 < total < math.inf else None


def _ones(model: RankingModel) -> dict[int, Tensor]:
    """What the sources would give to one example, all of it 1."""
    schema = model.schema
    numeric = torch.zeros(1, len(schema.numeric), dtype=torch.float64)
    categorical = torch.zeros(1, len(schema.categorical), dtype=torch.int64)
    with torch.no_grad():
        return {
            at: torch.ones_like(source(numeric, categorical, source.looked_up(numeric, categorical)))
            for at, source in model.sources().items()
        }


def _blocks(model: RankingModel) -> list[torch.nn.Module]:
    sources = model.sources()
    return [layer for at, layer in enumerate(model.nodes.values()) if at not in sources]


def _outside_tables(model: RankingModel) -> list[torch.nn.Parameter]:
    tables = {id(one.module.weight) for source in model.sources().values() for one in source.tables().values()}
    return [one for one in model.parameters() if id(one) not in tables]
