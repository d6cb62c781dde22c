"""Auto: the predictors, or the mean of some, that a study's own trials speak for."""

from __future__ import annotations

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from evaluators import Objective, Suggestion, Trial
from predictors._checks import check_fitted
from predictors._predictor import HeldOut, Prediction, Predictor, PredictorError
from predictors._rank_correlation import rank_correlation
from predictors._records import places
from searchspaces import FeatureSchema, SearchSpace, load_plugin

__all__ = ["Auto"]

ROOM = "predictors"


@dataclass(frozen=True)
class Choice:
    """Which predictors are averaged, after how many trials they were chosen, and why.

    `scale` holds mean and standard deviation of each one's predictions for candidates that it had not seen;
    `tau` the cross-validated rank correlation of each combination, its names joined by ' + '.
    """

    names: tuple[str, ...]
    trials: int = 0
    scale: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    tau: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Unseen:
    """What one predictor said of a fold's candidates, and their places: both `[n]`."""

    said: NDArray[np.float64]
    place: NDArray[np.float64]


class Auto:
    """Cross-validates predictors and their means inside the study, and goes with the one whose order holds.

    The first of `members` is chosen unless another, a pair's mean or the mean of all has a rank correlation that is
    better by more than the standard error of the difference over folds: the best of many would mostly be a lucky one.

    The choice is made anew after every `every` trials, from those alone: it depends on the record, and on neither
    the generator nor what was fitted before, and between two choices `fit` costs what the chosen ones cost. Folds
    keep the trials of a candidate together. Before the first choice the first of `members` predicts alone.

    Means are of standardised predictions. Source: Caruana, Niculescu-Mizil, Crew, Ksikes 2004,
    Ensemble Selection from Libraries of Models; here among single members, pairs and all alone: a record of a hundred
    trials cannot tell more of them apart. Predictions are standardised losses, smaller is better.
    """

    def __init__(
        self,
        space: SearchSpace,
        schema: FeatureSchema | None = None,
        *,
        members: Sequence[str] = ("forest", "gp", "lambdarank", "wl_gp"),
        every: int = 20,
        folds: int = 3,
    ) -> None:
        """`members` are names of predictors, with their default options; those that take a schema get it.

        Raises:
            PredictorError: no members, one twice or this one, fewer than 8 trials a choice, or fewer than 2 folds.
            PluginError: there is no predictor of that name.
        """
        if not members or len(set(members)) < len(members) or "auto" in members:
            raise PredictorError(f"members must be different predictors other than 'auto', but are {list(members)}")
        if every < 8:
            raise PredictorError(f"every must be at least 8, but is {every}")
        if folds < 2:
            raise PredictorError(f"folds must be at least 2, but is {folds}")
        self._members: dict[str, Predictor] = {name: _member(name, space, schema) for name in members}
        self._every, self._folds = every, folds
        self._choice = Choice((members[0],))
        self._held_out: tuple[HeldOut, ...] = ()
        self._chosen_by: Any = None
        self._is_fitted = False

    @property
    def choice(self) -> Choice:
        """What the last `fit` went with."""
        return self._choice

    def fit(self, trials: Sequence[Trial], metric: str, *, rng: np.random.Generator) -> Self:
        """Chooses anew where the record has grown enough, then fits what is chosen to all trials.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        self._look(trials, metric)
        for name, seed in zip(self._members, rng.integers(2**31, size=len(self._members)), strict=True):
            if name in self._choice.names:
                self._members[name].fit(trials, metric, rng=np.random.default_rng(seed))
        self._is_fitted = True
        return self

    def predict(self, suggestions: Sequence[Suggestion]) -> Prediction:
        """The mean of what the chosen ones say; the spread also holds how far they disagree.

        Raises:
            PredictorError: `fit` was never called.
        """
        check_fitted(is_fitted=self._is_fitted)
        found = [(self._members[name].predict(suggestions), *self._scale(name)) for name in self._choice.names]
        means = np.stack([(one.mean - centre) / spread for one, centre, spread in found])
        variances = np.stack([(one.std / spread) ** 2 for one, _, spread in found])
        return Prediction(means.mean(axis=0), np.sqrt(variances.mean(axis=0) + means.var(axis=0)))

    def held_out(self, trials: Sequence[Trial], metric: str) -> Sequence[HeldOut]:
        """What the chosen ones, or their mean, said in the cross-validation that chose them; see `CrossValidated`.

        A little better than what is to come, since the best was chosen by it.

        Raises:
            ObjectiveError: the metric is not a known one, so that its direction is unknown.
        """
        self._look(trials, metric)
        return self._held_out

    def _look(self, trials: Sequence[Trial], metric: str) -> None:
        """Chooses anew where the record has grown enough."""
        objective = Objective(metric)
        known = trials[: len(trials) // self._every * self._every]
        basis = (metric, [(trial.suggestion.identity, trial.state, trial.value(metric)) for trial in known])
        if basis != self._chosen_by:
            self._choice, self._held_out = Choice((next(iter(self._members)),)), ()
            if known:
                self._choice, self._held_out = self._chosen(known, objective)
            self._chosen_by = basis

    def _scale(self, name: str) -> tuple[float, float]:
        return self._choice.scale.get(name, (0.0, 1.0))

    def _chosen(self, trials: Sequence[Trial], objective: Objective) -> tuple[Choice, tuple[HeldOut, ...]]:
        unseen = {name: self._unseen(name, trials, objective) for name in self._members}
        options: list[tuple[str, ...]] = [(name,) for name in unseen]
        options += [pair for pair in combinations(unseen, 2) if len(unseen) > 2]
        options += [tuple(unseen)] if len(unseen) > 1 else []
        taus = {names: _taus([unseen[name] for name in names]) for names in options}
        best = options[0]
        for names in options[1:]:
            best = names if _is_surely_better(taus[names] - taus[best]) else best
        choice = Choice(
            best,
            len(trials),
            {name: _centre_and_spread(np.concatenate([fold.said for fold in unseen[name]])) for name in unseen},
            {" + ".join(names): float(found.mean()) for names, found in taus.items()},
        )
        folds = zip(*(unseen[name] for name in best), strict=True)
        return choice, tuple(HeldOut(_mean_said(fold), fold[0].place) for fold in folds)

    def _unseen(self, name: str, trials: Sequence[Trial], objective: Objective) -> list[_Unseen]:
        record = places(trials, objective)
        rng = np.random.default_rng(len(trials))
        fold_of = dict(
            zip(
                (candidate.fingerprint for candidate in record.candidates),
                rng.permutation(len(record.candidates)) % self._folds,
                strict=True,
            )
        )
        found = []
        for fold in range(self._folds):
            seen = [trial for trial in trials if fold_of[trial.candidate.fingerprint] != fold]
            held = [at for at, candidate in enumerate(record.candidates) if fold_of[candidate.fingerprint] == fold]
            predictor = self._members[name].fit(seen, objective.metric, rng=np.random.default_rng(fold))
            said = predictor.predict([Suggestion(record.candidates[at]) for at in held]).mean
            found.append(_Unseen(said, record.place[held]))
        return found


def _member(name: str, space: SearchSpace, schema: FeatureSchema | None) -> Predictor:
    """The predictor of that name with what its constructor takes of a study."""
    plugin = load_plugin(ROOM, name)
    injected = {"schema": schema} if "schema" in inspect.signature(plugin).parameters else {}
    member: Predictor = plugin(space, **injected)
    return member


def _taus(members: Sequence[Sequence[_Unseen]]) -> NDArray[np.float64]:
    """Rank correlation of the members' mean in each fold."""
    return np.array([_fold_tau(fold) for fold in zip(*members, strict=True)])


def _is_surely_better(gains: NDArray[np.float64]) -> bool:
    return bool(gains.mean() > gains.std(ddof=1) / len(gains) ** 0.5)


def _fold_tau(members: Sequence[_Unseen]) -> float:
    return rank_correlation(_mean_said(members), members[0].place)


def _mean_said(members: Sequence[_Unseen]) -> NDArray[np.float64]:
    """Of one fold's candidates by several predictors, each on its own scale, `[n]`."""
    mean: NDArray[np.float64] = np.mean([_standardised(one.said) for one in members], axis=0)
    return mean


def _standardised(said: NDArray[np.float64]) -> NDArray[np.float64]:
    centre, spread = _centre_and_spread(said)
    standardised: NDArray[np.float64] = (said - centre) / spread
    return standardised


def _centre_and_spread(said: NDArray[np.float64]) -> tuple[float, float]:
    if not len(said):
        return 0.0, 1.0
    return float(said.mean()), float(said.std()) or 1.0
