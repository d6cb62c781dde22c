"""What a sub-network is worth: the same rows for all, its layers, its norms and its last layer fitted to them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from evaluators._datasets import Part, read_rows
from evaluators._evaluation import Metric
from evaluators._training.evaluate import checked_logits
from evaluators._training.examples import Batch, Examples
from evaluators._training.loop import scores
from evaluators._training.metrics import area_under_curve, normalised_entropy, row_losses
from evaluators._training.supernet.adapting import adapt
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.refit import refitted
from evaluators._training.supernet.settings import ScoringSettings, held_out_rows
from searchspaces import Architecture
from searchspaces.build import RankingModel
from searchspaces.layers import BatchNorm

OUTPUT = "logit"
CALIBRATION_BATCH = 1024


@dataclass(frozen=True, eq=False)
class Scorer:
    """Scores sub-networks one after the other; none of them changes the supernet, or what another is worth."""

    net: Supernet
    calibration: Examples
    evaluation: Examples
    settings: ScoringSettings

    @property
    def rows(self) -> int:
        """Of the evaluation, and of each fit to the calibration rows."""
        return len(self.evaluation) + len(self.calibration) * self.settings.fits

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        """`supernet_ne` with its error and `supernet_auc`, on the evaluation rows.

        Raises:
            DivergedError: a logit is not finite.
            EvaluatorError: the evaluation rows are all of one class.
            SearchSpaceError: the architecture cannot be built for the schema.
        """
        return self.measured(self.fitted(architecture))

    def measured(self, model: RankingModel) -> dict[str, Metric]:
        """The same of a model, as it is.

        Raises:
            DivergedError: a logit is not finite.
            EvaluatorError: the evaluation rows are all of one class.
        """
        (logits,) = scores([model], self.evaluation)
        labels = self.evaluation.labels
        ne = normalised_entropy(row_losses(checked_logits(logits), labels), labels).metric()
        return {"supernet_ne": ne, "supernet_auc": Metric(area_under_curve(logits, labels))}

    def fitted(self, architecture: Architecture) -> RankingModel:
        """The sub-network that is scored: its layers, its norms and its last layer fitted as the settings say.

        Raises:
            SearchSpaceError: the architecture cannot be built for the schema.
        """
        model = self.adapted(architecture)
        self.fit(model)
        return model

    def adapted(self, architecture: Architecture) -> RankingModel:
        """The sub-network with its layers trained on, as far as the settings say.

        Raises:
            SearchSpaceError: the architecture cannot be built for the schema.
        """
        model = self.net.subnetwork(architecture)
        if self.settings.adapt:
            adapt(model, self.calibration, passes=self.settings.adapt)
        return model

    def fit(self, model: RankingModel) -> None:
        """Fits norms and last layer of a sub-network, as far as the settings say."""
        if self.settings.recalibrate:
            self._recalibrate(model)
        if self.settings.refit and model.architecture.nodes[-1].block == OUTPUT:
            self._refit(model)

    def _recalibrate(self, model: RankingModel) -> None:
        """Running statistics anew: the shared ones are those of many candidates."""
        norms = [one for one in model.modules() if isinstance(one, BatchNorm)]
        if not norms:
            return
        model.eval()
        for norm in norms:
            norm.train()
            norm.step = 0
        for batch in self._batches():
            _logits(model, batch)
        model.eval()

    def _refit(self, model: RankingModel) -> None:
        layer = list(model.nodes.values())[-1].get_submodule("layer")
        assert isinstance(layer, nn.Linear)
        kept: list[Tensor] = []
        hook = layer.register_forward_pre_hook(lambda _, given: kept.append(given[0]))
        model.eval()
        labels = [self._after(model, batch) for batch in self._batches()]
        hook.remove()
        found = refitted(
            torch.cat(kept),
            torch.cat(labels),
            layer.weight.detach()[0],
            float(layer.bias.detach()),
            ridge=self.settings.ridge,
        )
        with torch.no_grad():
            layer.weight.copy_(found[0].unsqueeze(0))
            layer.bias.fill_(found[1])

    def _after(self, model: RankingModel, batch: Batch) -> Tensor:
        _logits(model, batch)
        return batch.label

    def _batches(self) -> Iterator[Batch]:
        """Of sizes as equal as can be: each counts as much as another for the statistics of a norm."""
        rows = len(self.calibration)
        yield from self.calibration.batches(np.arange(rows), math.ceil(rows / math.ceil(rows / CALIBRATION_BATCH)))


def first_rows(part: Part, rows: int | None) -> Part:
    """The first rows of a part, all of them where no number is given."""
    return read_rows(part, 0, len(part) if rows is None else min(rows, len(part)))


def held_out(part: Part, rows: int) -> tuple[Part, Part]:
    """What a supernet trains on, and the last rows, to calibrate with: so many, at most half of the part.

    What is fitted to rows that the tables have learnt by heart fits nothing else: with `rankitect_scratch` on
    kuairand_pure a refit on such rows made the order of a hundred candidates worse, and so did every step of `adapt`
    after ten passes.
    """
    first = len(part) - held_out_rows(rows, len(part))
    return read_rows(part, 0, first), read_rows(part, first, len(part))


def _logits(model: RankingModel, batch: Batch) -> Tensor:
    with torch.no_grad():
        found: Tensor = model(batch.numeric, batch.categorical)
    return found
