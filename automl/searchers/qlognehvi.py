"""qLogNEHVI: where the expected gain in hypervolume is largest, noise included; through BoTorch.

Sources: Daulton, Balandat and Bakshy 2021, Parallel Bayesian Optimization of Multiple Noisy Objectives with Expected
Hypervolume Improvement; Ament, Daulton, Eriksson, Balandat and Bakshy 2023, Unexpected Improvements to Expected
Improvement for Bayesian Optimization.

Letters: n trials, p candidates that may be asked, d the length of the encoding, m learned objectives, k known ones. To
BoTorch larger is better, and a point is its encoding, followed by its known objectives.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import partial
from math import isfinite

import numpy as np
import torch
from botorch.acquisition.acquisition import AcquisitionFunction
from botorch.acquisition.logei import qLogNoisyExpectedImprovement
from botorch.acquisition.multi_objective import logei
from botorch.acquisition.multi_objective.objective import MCMultiOutputObjective
from botorch.exceptions.errors import ModelFittingError
from botorch.exceptions.warnings import BotorchWarning
from botorch.fit import fit_gpytorch_mll
from botorch.models import SingleTaskGP
from botorch.models.transforms.input import FilterFeatures
from botorch.sampling.normal import SobolQMCNormalSampler
from botorch.utils.multi_objective.hypervolume import infer_reference_point
from botorch.utils.multi_objective.pareto import is_non_dominated
from gpytorch.mlls import ExactMarginalLogLikelihood
from gpytorch.utils.warnings import NumericalWarning
from numpy.typing import NDArray
from torch import Tensor

from automl._errors import ConfigError
from automl.proposals import (
    GainScale,
    Identity,
    KnownCosts,
    count_mistakes,
    dominance_ranks,
    fitness,
    in_turn,
    is_measured_baseline,
    objective_mistakes,
    prediction_memo,
    propose_pool,
    random_suggestion,
    why_outside,
)
from evaluators import Goal, Objective, Suggestion, Trial, TrialState
from predictors import Prediction
from searchspaces import Candidate, FeatureSchema, Options, SearchSpace, Value

__all__ = ["QLogNEHVI"]

FITTING_STEPS = 50
"""Of L-BFGS. Under the priors little changes after them, and they are most of what an ask takes."""

# BoTorch would compile a kernel of its own at the first acquisition, for this machine's processor alone: minutes where
# a compiler is there, a warning where none is, and for ever where a process was killed on the way and left its lock.
logei._load_attempted = True

Array = NDArray[np.float64]


class QLogNEHVI:
    """Fits a Gaussian process to the flat encoding and proposes the best of a pool by its acquisition.

    The pool holds neighbours of the front, mutants of it a few edits away, and random candidates. With one objective
    the acquisition is qLogNEI. A cost whose closed form agrees with what was told is computed for each candidate and
    never learned. Failed trials stand at the worst loss; bounds on costs that are known bound the pool, others weigh
    by their probability. Baselines that are points of the space, human-made ones too, are data like all trials.
    """

    def __init__(
        self,
        space: SearchSpace,
        objectives: Sequence[Objective],
        schema: FeatureSchema | None = None,
        *,
        startup: int = 10,
        pool: int = 200,
        samples: int = 128,
    ) -> None:
        """The first `startup` trials are random; `samples` are those of the posterior in each acquisition.

        Raises:
            ConfigError: an option below 1, or no objective.
        """
        mistakes = count_mistakes(startup=startup, pool=pool, samples=samples) + objective_mistakes(objectives)
        if mistakes:
            raise ConfigError("the searcher 'qlognehvi'", mistakes)
        self._space = space
        self._objectives = tuple(objectives)
        self._costs = KnownCosts(objectives, schema)
        self._startup = startup
        self._pool = pool
        self._samples = samples
        self._trials: list[Trial] = []
        self._encodings: list[Array] = []
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted.

        The memo holds the logarithm of the `acquisition`, comparable within one ask alone, and what the process has
        `predicted` (see `proposals.prediction_memo`).
        """
        taken = self._seen | {suggestion.identity for suggestion in pending}
        valued = [trial for trial in self._trials if self._has_values(trial)]
        if len(valued) < self._startup:
            return in_turn(n, taken, lambda _, gone: random_suggestion(self._space, gone, rng))
        ranks = dominance_ranks(valued, self._objectives)
        front = [trial for trial, rank in zip(valued, ranks, strict=True) if rank == 1]
        drawn = propose_pool(self._space, front, max(self._pool, n), taken=taken, rng=rng)
        pool = [one.suggestion() for one in drawn]
        if not pool:
            return []
        seed = int(rng.integers(2**31 - 1))
        with _seeded(seed):
            return self._chosen(n, pool, [one.candidate for one in pending], seed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Learns from trials of the search and from baselines that are points of the space."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        learned = [one for one in trials if one.stage == "search" or is_measured_baseline(one, self._space)]
        self._costs.check(learned)
        self._trials.extend(learned)
        self._encodings.extend(self._space.encode(trial.candidate) for trial in learned)

    def _chosen(self, n: int, pool: Sequence[Suggestion], pending: Sequence[Candidate], seed: int) -> list[Suggestion]:
        """The best of the pool one after the other, each with those before it pending."""
        inside = [candidate for candidate in pending if not why_outside(self._space, candidate)]
        data = self._data([*(one.candidate for one in pool), *inside])
        model = _fitted(data)
        underway = list(range(len(pool), len(pool) + len(inside)))
        left = [place for place in range(len(pool)) if data.keeps_bounds[place]] or list(range(len(pool)))
        suggestions: list[Suggestion] = []
        while left and len(suggestions) < n:
            acquisition = _acquisition(model, data, underway, samples=self._samples, seed=seed)
            with torch.no_grad():
                values = acquisition(data.asked[left].unsqueeze(1))
            best = int(values.argmax())
            chosen = pool[left[best]]
            memo = Options({"acquisition": float(values[best]), **_prediction_memo(model, data, left[best])})
            suggestions.append(Suggestion(chosen.candidate, parents=chosen.parents, origin=chosen.origin, memo=memo))
            underway.append(left.pop(best))
        return suggestions

    def _data(self, candidates: Sequence[Candidate]) -> _Data:
        """What was told and what may be asked, as tensors."""
        asked, told = self._encoded(candidates)
        costs = self._costs.losses(candidates)
        known = [one for one in self._objectives if costs is not None and one in self._costs.objectives]
        learned = [one for one in self._objectives if one not in known]
        if not learned:
            known, learned = [], known
        scales = [GainScale.of(self._losses(one), one, is_clipped=one in learned) for one in (*learned, *known)]
        gains = [scale.clipped_gains(self._losses(one)) for scale, one in zip(scales, (*learned, *known), strict=True)]
        m = len(learned)
        fixed = [scales[m + at].gains(costs[:, at]) for at in range(len(known)) if costs is not None]
        keeps = [gain >= scale.bound for gain, scale in zip(fixed, scales[m:], strict=True)]
        return _Data(
            asked=torch.from_numpy(np.column_stack([asked, *fixed])),
            told=torch.from_numpy(np.column_stack([told, *gains[m:]])),
            gains=torch.from_numpy(np.column_stack(gains[:m])),
            bounds=tuple(scale.bound for scale in scales[:m]),
            keeps_bounds=np.logical_and.reduce([np.ones(len(candidates), bool), *keeps]),
            known=len(known),
            learned=tuple(zip(learned, scales, strict=False)),
        )

    def _encoded(self, candidates: Sequence[Candidate]) -> tuple[Array, Array]:
        """Encodings of candidates `[p, d]` and of what was told `[n, d]`, each column between 0 and 1."""
        told = np.stack(self._encodings)
        asked = np.stack([self._space.encode(candidate) for candidate in candidates])
        low, high = (
            extreme([told.min(axis=0), told.max(axis=0), asked.min(axis=0), asked.max(axis=0)], axis=0)
            for extreme in (np.min, np.max)
        )
        width = np.where(high > low, high - low, 1.0)
        return (asked - low) / width, (told - low) / width

    def _losses(self, objective: Objective) -> Array:
        """Losses `[n]` of what was told, NaN where it failed."""
        values = [trial.value(objective.metric) if self._has_values(trial) else None for trial in self._trials]
        return np.array([np.nan if value is None else objective.loss(value) for value in values])

    def _has_values(self, trial: Trial) -> bool:
        has_all = all(trial.value(objective.metric) is not None for objective in self._objectives)
        return trial.state is TrialState.COMPLETE and has_all


@dataclass(frozen=True)
class _Data:
    asked: Tensor  # [p, d + k]
    told: Tensor  # [n, d + k]
    gains: Tensor  # [n, m], the learned ones
    bounds: tuple[float, ...]  # of the learned ones, least gains
    keeps_bounds: NDArray[np.bool_]  # [p], by the known ones
    known: int  # k
    learned: tuple[tuple[Objective, GainScale], ...]  # [m]

    @property
    def all_gains(self) -> Tensor:
        """Told gains `[n, m + k]`, known ones last."""
        return torch.cat([self.gains, self.told[:, self.told.shape[1] - self.known :]], dim=1)


class _WithKnown(MCMultiOutputObjective):
    """Appends the known objectives, which the point itself carries, to samples of the learned ones."""

    def __init__(self, known: int) -> None:
        super().__init__()
        self._known = known

    def forward(self, samples: Tensor, X: Tensor | None = None) -> Tensor:  # noqa: N803  # BoTorch's name
        """Samples `[samples, ..., q, m]` of points `[..., q, d + k]` as `[samples, ..., q, m + k]`."""
        if X is None or not self._known:
            return samples
        known = X[..., X.shape[-1] - self._known :]
        return torch.cat([samples, known.expand(*samples.shape[:-1], self._known)], dim=-1)


def _fitted(data: _Data) -> SingleTaskGP:
    """BoTorch's default process for unit cubes; where no scales can be fitted, with those that it begins with."""
    width = data.told.shape[1] - data.known
    only_encoding = FilterFeatures(torch.arange(width))
    model = SingleTaskGP(data.told, data.gains, outcome_transform=None, input_transform=only_encoding)
    with suppress(ModelFittingError):
        likelihood = ExactMarginalLogLikelihood(model.likelihood, model)
        fit_gpytorch_mll(likelihood, optimizer_kwargs={"options": {"maxiter": FITTING_STEPS}})
    model.eval()
    return model


def _prediction_memo(model: SingleTaskGP, data: _Data, place: int) -> dict[str, Value]:
    """What the process says of one that may be asked: of a quality where one is learned, then of the others."""
    with torch.no_grad():
        posterior = model.posterior(data.asked[place : place + 1])
    mean, std = posterior.mean[0].numpy(), posterior.variance[0].clamp(min=0).sqrt().numpy()
    losses = {
        one: scale.losses(Prediction(mean[at : at + 1], std[at : at + 1]))
        for at, (one, scale) in enumerate(data.learned)
    }
    first = fitness(list(losses))
    further = {
        one.metric: loss if one.goal is Goal.MINIMIZE else Prediction(-loss.mean, loss.std)
        for one, loss in losses.items()
        if one is not first
    }
    return prediction_memo(losses[first], further=further)


def _acquisition(
    model: SingleTaskGP, data: _Data, underway: Sequence[int], *, samples: int, seed: int
) -> AcquisitionFunction:
    sampler = SobolQMCNormalSampler(torch.Size([samples]), seed=seed)
    pending = data.asked[list(underway)] if underway else None
    constraints: list[Callable[[Tensor], Tensor]] = [
        partial(_excess, at=at, bound=bound) for at, bound in enumerate(data.bounds) if isfinite(bound)
    ]
    if data.all_gains.shape[1] == 1:
        return qLogNoisyExpectedImprovement(
            model, data.told, sampler=sampler, X_pending=pending, constraints=constraints or None, prune_baseline=True
        )
    gains = data.all_gains
    return logei.qLogNoisyExpectedHypervolumeImprovement(
        model,
        infer_reference_point(gains[is_non_dominated(gains)]),
        data.told,
        sampler=sampler,
        objective=_WithKnown(data.known),
        constraints=constraints or None,
        X_pending=pending,
        prune_baseline=True,
    )


def _excess(samples: Tensor, *, at: int, bound: float) -> Tensor:
    """Negative where the gain keeps its bound, as BoTorch wants its constraints."""
    return bound - samples[..., at]


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """Fitting and pruning draw from torch's own generator; nobody else's draws change."""
    with torch.random.fork_rng(devices=[]), warnings.catch_warnings():
        warnings.simplefilter("ignore", BotorchWarning)
        warnings.simplefilter("ignore", NumericalWarning)
        torch.manual_seed(seed)
        yield
