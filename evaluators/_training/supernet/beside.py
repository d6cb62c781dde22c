"""A supernet and a fixed model beside it on one stream, so that losses on the same batch can be compared.

Wen et al. 2023, Rankitect: Ranking Architecture Search Battling World-class Engineers at Meta Scale, train a baseline
in place: what makes a batch hard, or the stream drift, is in both losses and leaves their difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from evaluators._datasets import Part, open_dataset
from evaluators._errors import DivergedError
from evaluators._evaluation import Metric
from evaluators._training.device import choose_device
from evaluators._training.evaluate import checked_logits
from evaluators._training.examples import Batch, Examples
from evaluators._training.loop import score
from evaluators._training.memory import peak_bytes, reset_peak
from evaluators._training.metrics import row_losses
from evaluators._training.serving import measure_serving
from evaluators._training.supernet.checkpoint import restore, save
from evaluators._training.supernet.network import Supernet
from evaluators._training.supernet.plan import StepLosses, SupernetPlan
from evaluators._training.supernet.sampling import Sampler
from evaluators._training.supernet.scoring import Scorer, first_rows, held_out
from evaluators._training.supernet.settings import Rates
from evaluators._training.supernet.timing import relative_time
from evaluators._training.supernet.training import Training
from searchspaces import Architecture
from searchspaces.build import RankingModel


class Beside:
    """As `SupernetBesideBaseline` says. The baseline is a supernet of one candidate, so both train alike."""

    def __init__(self, plan: SupernetPlan) -> None:
        """Opens the data.

        Raises:
            DataError: it cannot be read.
            EvaluatorError: the device is not there.
        """
        found, device = open_dataset(plan.dataset), choose_device(plan.device)
        schema = found.schema.capped(plan.hash_cap)
        train, latest = held_out(found.part("train"), plan.scoring.calibration_rows)
        self._plan = plan
        self._sampler = Sampler(plan.space, plan.settings.sampling)
        self._net, self._baseline = (Supernet(schema, plan.seed, device=device) for _ in range(2))
        self._training = Training(self._net, plan.space, Examples(train, device), plan.settings)
        calibration = Examples(latest, device)
        self._evaluation = Examples(first_rows(found.part("valid"), plan.scoring.evaluation_rows), device)
        nets = (self._net, self._baseline)
        self._scorers = {one: Scorer(one, calibration, self._evaluation, plan.scoring) for one in nets}
        self.scoring_rows = self._scorers[self._net].rows
        self._batches = self._training.batches()
        self._device = device
        reset_peak(device)

    @property
    def steps(self) -> int:
        """How many have been done."""
        return self._net.steps

    def draw(self, rng: np.random.Generator, count: int, *, full_path: float) -> list[Architecture]:
        """`count` candidates or more, as the plan's sampling has them in one step."""
        found: list[Architecture] = []
        while len(found) < count:
            found += self._sampler.draw(rng, full_path=full_path)
        return found

    def step(self, architectures: Sequence[Architecture]) -> StepLosses:
        """One of each on the next batch.

        Raises:
            DivergedError: the baseline's loss is no finite number, or so were those of all candidates for long.
        """
        batch = next(self._batches)
        settings, rows = self._plan.settings, len(batch.label)
        rates = settings.rates(self.steps)
        slower = Rates(rates.weights * self._plan.baseline_rate, rates.tables * self._plan.baseline_rate)
        (baseline,) = self._baseline.step([self._plan.baseline], batch, slower, batch_size=settings.batch_size)
        if not bool(torch.isfinite(baseline)):
            raise DivergedError(
                f"a baseline beside a supernet must keep a finite loss, but it was {float(baseline)} in step "
                f"{self.steps}; lower the learning rate or 'baseline_rate', or name another baseline"
            )
        losses = self._net.step(architectures, batch, rates, batch_size=settings.batch_size)
        return StepLosses(tuple((losses / rows).tolist()), float(baseline) / rows, rows)

    def score(self, architecture: Architecture) -> dict[str, Metric]:
        """A sub-network's."""
        return self._scorers[self._net].score(architecture)

    def score_baseline(self) -> dict[str, Metric]:
        """The baseline's."""
        return self._scorers[self._baseline].score(self._plan.baseline)

    def serving_of_baseline(self) -> dict[str, Metric]:
        """As the evaluator `train` measures it, but of the rows that scores are of."""
        return measure_serving(self._reference, self._evaluation)

    def relative_time(self, architecture: Architecture, *, metric: str) -> float:
        """Of a sub-network over the baseline's, asked in turn.

        Raises:
            SearchSpaceError: the architecture cannot be built for the data.
        """
        return relative_time(self._net.subnetwork(architecture), self._reference, self._evaluation, metric=metric)

    @cached_property
    def _reference(self) -> RankingModel:
        """The baseline to be timed beside; its weights make no difference."""
        return self._baseline.subnetwork(self._plan.baseline)

    def ahead(self, batches: int) -> Part:
        """Rows of the next batches, one after the other; no step is taken on them, and they come again."""
        found = list(islice(self._training.batches(start=self.steps), batches))
        columns = [torch.cat(one).cpu().numpy() for one in zip(*(_columns(one) for one in found), strict=True)]
        return Part(columns[0], columns[1], columns[2].astype(np.int32))

    def row_losses(self, architecture: Architecture, part: Part) -> NDArray[np.float64]:
        """Log loss of a sub-network on each row, in nats, [rows]; the sub-network is as for its score.

        Raises:
            DivergedError: a logit is not finite.
            SearchSpaceError: the architecture cannot be built for the data.
        """
        return self._losses(self._net, architecture, part)

    def baseline_row_losses(self, part: Part) -> NDArray[np.float64]:
        """The same as `row_losses`, of the baseline that was trained in place."""
        return self._losses(self._baseline, self._plan.baseline, part)

    def peak_bytes(self) -> int:
        """Since it was opened."""
        return peak_bytes(self._device)

    def save(self, folder: Path) -> None:
        """In a folder each."""
        for name, net in self._nets().items():
            save(net, folder / name, self._identity())

    def restore(self, folder: Path) -> None:
        """Both, and the place in the stream."""
        for name, net in self._nets().items():
            restore(net, folder / name, self._identity())
        self._batches = self._training.batches(start=self.steps)

    def _losses(self, net: Supernet, architecture: Architecture, part: Part) -> NDArray[np.float64]:
        examples = Examples(part, self._device)
        logits = score(self._scorers[net].fitted(architecture), examples)
        return row_losses(checked_logits(logits), examples.labels)

    def _nets(self) -> dict[str, Supernet]:
        return {"supernet": self._net, "baseline": self._baseline}

    def _identity(self) -> dict[str, Any]:
        own = {"baseline": self._plan.baseline.to_json(), "baseline_rate": self._plan.baseline_rate}
        return {**self._training.identity(), **own}


def _columns(batch: Batch) -> tuple[Tensor, Tensor, Tensor]:
    return batch.label, batch.numeric, batch.categorical
