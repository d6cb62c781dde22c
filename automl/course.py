"""How a study has gone: numbers over the count of its ended trials, and the Pareto rank of each.

Everything here is a function of the trials in the order in which they ended, so it can be told again at any time.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from automl.budget import Spent, spent
from automl.control import control_of, gain, quality_objective
from automl.front import hypervolume, is_feasible, losses_of, searched
from automl.ranks import ParetoRanks
from evaluators import Objective, Trial, TrialState
from predictors import rank_correlation
from storage import StudyReading

BOX_TRIALS = 10
"""So many feasible trials fix the box in which the hypervolume is measured."""

GUIDED_TRIALS = 100
"""The rank correlation of a guide is that of so many trials, the last ones."""

FEWEST_GUIDED, FEWEST_BLIND = 20, 5
"""With fewer guided trials, or fewer of them drawn blindly, a guide's rank correlation is not told."""

ENERGY = "energy_joules"
RANK_TAG = "pareto.rank"


class StudyCourse:
    """Readings and ranks of a study, brought up to date trial by trial.

    A reading is given where a number is another one than before. Those of the search:

    - `best/X`: the best value of objective X among the trials that keep all bounds.
    - `front/size`, `front/hypervolume`: of the front. The hypervolume is measured in a box that the first
      `BOX_TRIALS` feasible trials fix for good, from their worst (`front/reference/X`) to their best
      (`front/ideal/X`) value of each objective; 1 is the volume of that box, and a search that goes beyond it
      has more.
    - `winner/M`: every metric of the best trial by the first objective; `gain/X`: its gain over the control, in
      percent of the control's value.
    - `trials/finished`, `trials/failed`, `cost/seconds`, `cost/rows`, `cost/energy_joules`: what was used so far.
    - `predictor/cross_validated`, `predictor/cross_validated_upper`: where the searcher tells it, Kendall's tau of
      its guide out of fold, on what was known when it was last fitted, and the number that it lies below with 90 %.
    - `predictor/rank_correlation`: Kendall's tau-b between the place that a guide gave a mutant among its rivals,
      as a share, and how much worse it turned out than its parent. What a guide predicts compares within one ask
      alone; both of these compare over asks. It needs mutants that were taken blindly, against the guide's order.

    Each rung has a best, a box and ranks of its own, and `/rungN` at the end of their names: cheap measures do not
    compare with dear ones.
    """

    def __init__(self, objectives: Sequence[Objective]) -> None:
        self._objectives = tuple(objectives)
        self._latest: dict[str, float] = {}
        self._rungs: dict[int, _Rung] = {}
        self._guide = _Guide(self._objectives)
        self._winner = _Winner(self._objectives)
        self._spent = _Spent()
        self._changed: dict[int, int] = {}  # ranks that nobody has asked for yet
        self._pressing: set[int] = set()  # those among them that are new, or come or go at the front

    @property
    def latest(self) -> dict[str, float]:
        """The last value of each reading."""
        return dict(self._latest)

    def tell(self, trials: Sequence[Trial]) -> list[StudyReading]:
        """Adds ended trials, in the order in which they ended; what is new after each of them."""
        return [reading for trial in trials for reading in self._tell(trial)]

    def changed_tags(self, *, is_complete: bool) -> dict[int, dict[str, str]]:
        """Tags by number of the trials whose rank has changed since it was last given.

        Unless `is_complete`, only those of new trials and of trials that came to the front or left it.
        """
        numbers = sorted(self._changed) if is_complete else sorted(self._pressing)
        self._pressing.clear()
        return {number: {RANK_TAG: str(self._changed.pop(number))} for number in numbers}

    def _tell(self, trial: Trial) -> Iterator[StudyReading]:
        for name, value in self._numbers(trial):
            if math.isfinite(value) and self._latest.get(name) != value:
                self._latest[name] = value
                yield StudyReading(name, value, trial.finish_order or 0, trial.finished_at or 0.0)

    def _numbers(self, trial: Trial) -> Iterator[tuple[str, float]]:
        yield from self._winner.add(trial)
        if trial.stage != "search":
            return
        yield from self._spent.add(trial)
        yield from _trust_numbers(trial)
        yield from self._guide.add(trial)
        if is_feasible(trial, self._objectives):
            number = trial.suggestion.fidelity.rung
            rung = self._rungs.setdefault(number, _Rung(self._objectives))
            self._note(rung.add(trial), trial.number)
            for name, value in rung.numbers():
                yield (f"{name}/rung{number}" if number else name), value

    def _note(self, ranks: dict[int, int], new: int) -> None:
        self._changed |= ranks
        self._pressing.update(number for number, rank in ranks.items() if rank <= 2 or number == new)


def guide_readings(trials: Iterable[Trial], objectives: Sequence[Objective]) -> list[StudyReading]:
    """How good the guide was after each ended trial of the search, in the order in which they ended."""
    guide = _Guide(tuple(objectives))
    ended = [one for one in trials if one.stage == "search" and one.finish_order is not None]
    return [
        StudyReading(name, value, trial.finish_order or 0, trial.finished_at or 0.0)
        for trial in sorted(ended, key=lambda one: one.finish_order or 0)
        for name, value in (*_trust_numbers(trial), *guide.add(trial))
    ]


class _Rung:
    """Best values, front and box of the feasible trials of one rung."""

    def __init__(self, objectives: tuple[Objective, ...]) -> None:
        self._objectives = objectives
        self._ranks = ParetoRanks()
        self._first: list[tuple[float, ...]] = []
        self._best: tuple[float, ...] | None = None
        self._is_new_front = False

    def add(self, trial: Trial) -> dict[int, int]:
        """Takes one more trial; the ranks that are others now."""
        losses = losses_of(trial, self._objectives)
        ranks = self._ranks.add(trial.number, losses)
        self._is_new_front = ranks[trial.number] == 1
        self._best = losses if self._best is None else tuple(map(min, self._best, losses))
        if len(self._first) < BOX_TRIALS:
            self._first.append(losses)
            self._is_new_front = True  # or its box is new, which asks for the same
        return ranks

    def numbers(self) -> Iterator[tuple[str, float]]:
        """What the last trial may have changed."""
        if not self._is_new_front:
            return
        yield from self._named("best", self._best or ())
        front = self._ranks.front
        yield "front/size", float(len(np.unique(front, axis=0)))
        if len(self._first) == BOX_TRIALS and len(self._objectives) in (2, 3):
            ideal, reference = np.min(self._first, axis=0), np.max(self._first, axis=0)
            yield from self._named("front/ideal", ideal)
            yield from self._named("front/reference", reference)
            yield "front/hypervolume", _share(front, ideal, reference)

    def _named(self, prefix: str, losses: Iterable[float]) -> Iterator[tuple[str, float]]:
        for objective, loss in zip(self._objectives, losses, strict=True):
            yield f"{prefix}/{objective.metric}", float(objective.loss(loss))  # a loss of a loss is the value


def _share(front: NDArray[np.float64], ideal: NDArray[np.float64], reference: NDArray[np.float64]) -> float:
    """The hypervolume, in boxes; an axis along which the first trials were all equal counts in its own unit."""
    scale = np.where(reference > ideal, reference - ideal, 1.0)
    return float(hypervolume((front - ideal) / scale, (reference - ideal) / scale))


class _Winner:
    """The control, the best trial of the search, and what lies between them."""

    def __init__(self, objectives: tuple[Objective, ...]) -> None:
        self._objectives = objectives
        self._baselines: list[Trial] = []
        self._best: tuple[tuple[float, ...], int, Trial] | None = None

    def add(self, trial: Trial) -> Iterator[tuple[str, float]]:
        """Takes one more trial; metrics and gains where it changed them."""
        if trial.stage == "baseline":
            self._baselines.append(trial)
        elif searched([trial]) and is_feasible(trial, self._objectives):
            found = (losses_of(trial, self._objectives), trial.number, trial)
            if self._best is not None and self._best[:2] < found[:2]:
                return
            self._best = found
        else:
            return
        if self._best is not None:
            yield from self._numbers(self._best[2])

    def _numbers(self, winner: Trial) -> Iterator[tuple[str, float]]:
        for name, metric in (winner.evaluation.metrics if winner.evaluation else {}).items():
            yield f"winner/{name}", metric.value
        control = control_of(self._baselines, self._objectives)
        for objective in self._objectives:
            percent = gain(winner, control, objective)
            if percent is not None:
                yield f"gain/{objective.metric}", percent


class _Spent:
    """What the search has used so far."""

    def __init__(self) -> None:
        self._spent = Spent()
        self._failed = 0
        self._joules = 0.0

    def add(self, trial: Trial) -> Iterator[tuple[str, float]]:
        """Takes one more trial; the sums after it."""
        self._spent += spent([trial])
        yield "trials/finished", float(self._spent.trials)
        yield "cost/seconds", self._spent.seconds
        yield "cost/rows", float(self._spent.rows)
        if trial.failure:
            self._failed += 1
            yield "trials/failed", float(self._failed)
        joules = trial.value(ENERGY)
        if joules is not None:
            self._joules += joules
            yield f"cost/{ENERGY}", self._joules


class _Guide:
    """How well a guide's order of one parent's mutants agrees with what became of them."""

    def __init__(self, objectives: tuple[Objective, ...]) -> None:
        self._target = quality_objective(objectives)
        self._losses: dict[int, tuple[int, float]] = {}  # rung and loss of each complete trial
        self._guided: deque[tuple[float, float]] = deque(maxlen=GUIDED_TRIALS)

    def add(self, trial: Trial) -> Iterator[tuple[str, float]]:
        """Takes one more trial; the rank correlation where it can be told."""
        value = trial.value(self._target.metric)
        if trial.state is not TrialState.COMPLETE or value is None:
            return
        rung, loss = trial.suggestion.fidelity.rung, self._target.loss(value)
        self._losses[trial.number] = (rung, loss)
        share = _rank_share(trial)
        parent = self._losses.get(trial.suggestion.parents[0]) if len(trial.suggestion.parents) == 1 else None
        if share is None or parent is None or parent[0] != rung:
            return
        self._guided.append((share, loss - parent[1]))
        shares, worsenings = zip(*self._guided, strict=True)
        if len(shares) >= FEWEST_GUIDED and sum(one > 0 for one in shares) >= FEWEST_BLIND:
            yield "predictor/rank_correlation", rank_correlation(shares, worsenings)


def _trust_numbers(trial: Trial) -> Iterator[tuple[str, float]]:
    for key, name in (("tau", "predictor/cross_validated"), ("tau_upper", "predictor/cross_validated_upper")):
        value = trial.suggestion.memo.get(key)
        if isinstance(value, float):
            yield name, value


def _rank_share(trial: Trial) -> float | None:
    """The place among the mutants of its ask: 0 for the first, 1 for the last; None where nothing ranked it."""
    rank, mutants = trial.suggestion.memo.get("rank"), trial.suggestion.memo.get("mutants")
    if not isinstance(rank, int) or not isinstance(mutants, int) or mutants < 2:
        return None
    return (rank - 1) / (mutants - 1)
