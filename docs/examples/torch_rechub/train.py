"""Trains one candidate with torch-rechub's layers: candidate JSON in, metrics JSON out.

    python train.py candidate.json metrics.json

Reads what the evaluator `external` or `automl ask` writes. Each node of the candidate's graph becomes a layer of
torch-rechub (EmbeddingLayer, MLP, FM, CrossNetV2, LR); a block that it has no layer for makes the candidate invalid.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
from sklearn.metrics import roc_auc_score
from torch import Tensor, nn
from torch_rechub.basic.features import SparseFeature
from torch_rechub.basic.layers import FM, LR, MLP, CrossNetV2, EmbeddingLayer

DATA = Path(__file__).resolve().parent / "clicks.npz"
BATCH = 512
Part = tuple[Tensor, Tensor, Tensor]
Shape = tuple[int, ...]
"""(width,) of a vector, (tokens, dim) of a set of vectors."""


class UnknownBlock(ValueError):
    """The candidate has a block that has no counterpart here."""


class Numeric(nn.Module):
    """All numeric columns, as they were prepared."""

    def forward(self, numeric: Tensor, _: Tensor) -> Tensor:
        """[batch, columns]."""
        return numeric


class Embedding(nn.Module):
    """One vector per categorical column, by rechub's embedding layer."""

    def __init__(self, fields: list[dict[str, Any]], dim: int) -> None:
        super().__init__()
        self.features = [SparseFeature(one["name"], one["vocabulary_size"], embed_dim=dim) for one in fields]
        self.layer = EmbeddingLayer(self.features)

    def forward(self, _: Tensor, categorical: Tensor) -> Tensor:
        """[batch, columns, dim]."""
        columns = {one.name: categorical[:, at] for at, one in enumerate(self.features)}
        return self.layer(columns, self.features)


class OnConcatenation(nn.Module):
    """A layer of rechub on everything that the node takes, side by side."""

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self.layer = layer

    def forward(self, *inputs: Tensor) -> Tensor:
        """[batch, width]."""
        return self.layer(torch.cat([one.flatten(1) for one in inputs], dim=1))


class Pairs(nn.Module):
    """First order and rechub's FM on all vectors; what is no vector of `dim` numbers is projected to one."""

    def __init__(self, widths: list[Shape], dim: int, *, first_order: bool) -> None:
        super().__init__()
        self.dim = dim
        dense = sum(one[0] for one in widths if len(one) == 1)
        tokens = sum(one[0] for one in widths if len(one) == 2) + (dense > 0)
        self.projection = nn.Linear(dense, dim) if dense else None
        self.pairs = FM(reduce_sum=True)
        self.first_order = LR(tokens * dim) if first_order else None

    def forward(self, *inputs: Tensor) -> Tensor:
        """[batch, 1]."""
        tokens = [one for one in inputs if one.dim() == 3]
        if self.projection is not None:
            dense = torch.cat([one for one in inputs if one.dim() == 2], dim=1)
            tokens.append(self.projection(dense).unsqueeze(1))
        vectors = torch.cat(tokens, dim=1)
        pairs = self.pairs(vectors)
        return pairs if self.first_order is None else pairs + self.first_order(vectors.flatten(1))


class Sum(nn.Module):
    """Adds everything that the node takes."""

    def forward(self, *inputs: Tensor) -> Tensor:
        """[batch, width]."""
        return torch.stack([one.sum(1) if one.dim() == 3 else one for one in inputs]).sum(0)


class Ranker(nn.Module):
    """The candidate's graph."""

    def __init__(self, nodes: list[dict[str, Any]], fields: list[dict[str, Any]]) -> None:
        super().__init__()
        self.inputs = [node["inputs"] for node in nodes]
        self.layers = nn.ModuleList()
        shapes: list[Shape] = []
        for node in nodes:
            layer, shape = built(node, [shapes[at] for at in node["inputs"]], fields)
            self.layers.append(layer)
            shapes.append(shape)

    def forward(self, numeric: Tensor, categorical: Tensor) -> Tensor:
        """Logits [batch]."""
        values: list[Tensor] = []
        for layer, inputs in zip(self.layers, self.inputs, strict=True):
            values.append(layer(*(values[at] for at in inputs)) if inputs else layer(numeric, categorical))
        return values[-1].squeeze(1)


def built(node: dict[str, Any], shapes: list[Shape], fields: list[dict[str, Any]]) -> tuple[nn.Module, Shape]:
    """A node's layer and the shape of its output."""
    if node["inputs"]:
        return built_block(node["block"], node["options"], shapes)
    categorical = [one for one in fields if one["kind"] == "categorical"]
    if node["block"] == "numeric":
        return Numeric(), (len(fields) - len(categorical),)
    if node["block"] == "full":
        return Embedding(categorical, node["options"]["dim"]), (len(categorical), node["options"]["dim"])
    raise UnknownBlock(f"torch-rechub has no layer for the source {node['block']!r}")


def built_block(block: str, options: dict[str, Any], shapes: list[Shape]) -> tuple[nn.Module, Shape]:
    """The same for a node that takes others."""
    flat = sum(int(np.prod(one)) for one in shapes)
    match block:
        case "mlp":
            widths = options.get("widths") or [options["width"]]
            layer = MLP(flat, output_layer=False, dims=widths, dropout=options.get("dropout", 0.0))
            return OnConcatenation(layer), (widths[-1],)
        case "cross":
            return OnConcatenation(CrossNetV2(flat, options["layers"])), (flat,)
        case "linear":
            width = options["width"]
            return OnConcatenation(nn.Linear(flat, width, bias=options.get("bias", True))), (width,)
        case "fm":
            dim = options.get("dim") or max(one[1] for one in shapes if len(one) == 2)
            return Pairs(shapes, dim, first_order=options.get("first_order", True)), (1,)
        case "sum" | "sum_logit":
            return Sum(), shapes[0][-1:]
        case "logit":
            return OnConcatenation(LR(flat)), (1,)
    raise UnknownBlock(f"torch-rechub has no layer for the block {block!r}")


def train(model: nn.Module, part: Part, *, learning_rate: float, seed: int) -> None:
    """One pass in an order that the seed decides."""
    numeric, categorical, label = part
    order = torch.randperm(len(label), generator=torch.Generator().manual_seed(seed))
    optimizer = torch.optim.Adam(model.parameters(), lr=learning_rate)
    model.train()
    for rows in order.split(BATCH):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(model(numeric[rows], categorical[rows]), label[rows])
        loss.backward()
        optimizer.step()


@torch.no_grad()
def measure(model: nn.Module, part: Part) -> dict[str, Any]:
    """Normalised entropy with its standard error, and AUC, on the validation part."""
    numeric, categorical, label = part
    model.eval()
    pieces = torch.arange(len(label)).split(8192)
    logits = torch.cat([model(numeric[rows], categorical[rows]) for rows in pieces]).double().numpy()
    clicks = label.double().numpy()
    losses = np.logaddexp(0.0, logits) - clicks * logits
    rate = clicks.mean()
    entropy = -(rate * np.log(rate) + (1.0 - rate) * np.log1p(-rate))
    ne = [losses.mean() / entropy, losses.std() / len(losses) ** 0.5 / entropy]
    return {"ne": ne, "auc": roc_auc_score(clicks, logits)}


def parts(rows: int | None) -> tuple[Part, Part]:
    """Training and validation rows; of the former the most recent ones."""
    with np.load(DATA) as arrays:
        kinds = ("numeric", "categorical", "label")
        both = [tuple(torch.from_numpy(arrays[f"{part}_{kind}"]) for kind in kinds) for part in ("train", "valid")]
    training, validation = both
    return tuple(one[-rows:] if rows else one for one in training), validation


def main() -> None:
    """Trains what the first file describes and writes what came out to the second."""
    source, target = Path(sys.argv[1]), Path(sys.argv[2])
    given = json.loads(source.read_text(encoding="utf-8"))
    given = given.get("candidate", given)  # `automl ask` puts the number of the trial beside it
    torch.manual_seed(given["seed"])
    try:
        model = Ranker(given["architecture"]["nodes"], given["schema"]["fields"])
    except UnknownBlock as error:
        target.write_text(json.dumps({"failure": {"kind": "invalid", "reason": str(error)}}), encoding="utf-8")
        return
    settings = {**given["training"], **given["fidelity"]["settings"]}
    training, validation = parts(settings.get("rows"))
    train(model, training, learning_rate=settings.get("learning_rate", 1e-3), seed=given["seed"])
    found = measure(model, validation)
    found["params"] = sum(one.numel() for one in model.parameters())  # rechub's MLP has batch norm: more than ours
    target.write_text(json.dumps({"metrics": found}), encoding="utf-8")


if __name__ == "__main__":
    main()
