"""One run of one searcher under one seed: a study's ask and tell, with outcomes that are looked up."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl import plugins
from automl._errors import AutomlError
from automl.bench.race.ground import Course, losses
from automl.bench.race.peers import entrant_searcher
from evaluators import Evaluation, Suggestion, Trial, TrialState
from predictors import Predictor

SALT = 20260101
"""Keeps the draws of the initial design apart from those of searchers, which begin at ask number 1."""

Context = Mapping[str, Any]


@dataclass(frozen=True)
class Entrant:
    """A searcher in the race: how it was named, which tells it apart, and its plug-in with options."""

    label: str
    spec: Mapping[str, Any]


@dataclass(frozen=True)
class Rules:
    """What is the same for all: trials of a run, the first of which are a design that all share.

    `judge` is a predictor by whose means winners are declared too, beside the best mean of what was observed.
    """

    trials: int = 100
    initial: int = 20
    judge: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Run:
    """What was asked, in order: numbers of candidates, replicates, and the losses that were told, None for failures.

    `judged` are candidates with the judge's losses at the end.

    `repeats` counts suggestions that had been told already: each costs a trial, whoever makes it.
    """

    searcher: str
    seed: int
    rows: tuple[int, ...]
    replicates: tuple[int, ...]
    losses: tuple[float | None, ...]
    origins: tuple[str, ...]
    ask_seconds: float
    repeats: int = 0
    judged: tuple[tuple[int, float], ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {
            "searcher": self.searcher,
            "seed": self.seed,
            "rows": list(self.rows),
            "replicates": list(self.replicates),
            "losses": list(self.losses),
            "origins": list(self.origins),
            "ask_seconds": self.ask_seconds,
            "repeats": self.repeats,
            "judged": [list(one) for one in self.judged],
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Run:
        """Reads what `to_dict` wrote."""
        return cls(
            content["searcher"],
            content["seed"],
            tuple(content["rows"]),
            tuple(content["replicates"]),
            tuple(content["losses"]),
            tuple(content["origins"]),
            content["ask_seconds"],
            content["repeats"],
            tuple((int(row), float(loss)) for row, loss in content["judged"]),
        )


def run(course: Course, entrant: Entrant, seed: int, rules: Rules) -> Run:
    """Runs to the last trial, or until the searcher finds nothing more to ask.

    The seed decides the design, every draw, and which of the stored replicates comes first.

    Raises:
        ConfigError: the options do not fit the searcher.
        AutomlError: it asked for a candidate from outside the table.
    """
    context = {**_context(course, seed), "budget_trials": rules.trials}
    searcher = entrant_searcher(entrant.spec, context)
    trials = [_trial(course, one, at, seed) for at, one in enumerate(design(course, seed, rules.initial))]
    searcher.tell(trials)
    told = {one.suggestion.identity for one in trials}
    spent, repeats = 0.0, 0
    while len(trials) < rules.trials:
        started = time.perf_counter()
        asked = searcher.ask(1, np.random.default_rng([seed, len(trials) + 1]))
        spent += time.perf_counter() - started
        if not asked:
            break
        repeats += asked[0].identity in told
        told.add(asked[0].identity)
        trials.append(_trial(course, asked[0], len(trials), seed))
        started = time.perf_counter()
        searcher.tell(trials[-1:])
        spent += time.perf_counter() - started
    return Run(
        entrant.label,
        seed,
        tuple(_number(course, one.candidate.fingerprint, entrant.label) for one in trials),
        tuple(one.suggestion.replicate for one in trials),
        tuple(_loss(course, one) for one in trials),
        tuple(one.suggestion.origin for one in trials),
        round(spent, 4),
        repeats,
        _judged(course, trials, rules, context),
    )


def design(course: Course, seed: int, count: int) -> list[Suggestion]:
    """Random candidates that every searcher is told before it asks.

    Raises:
        AutomlError: the table is too small.
    """
    every = course.space.candidates()
    if count > len(every):
        raise AutomlError(
            f"an initial design needs {count} different candidates, but the table has {len(every)}; ask for fewer"
        )
    chosen = np.random.default_rng([seed, SALT]).choice(len(every), count, replace=False)
    return [Suggestion(every[at], origin="random") for at in chosen]


def _context(course: Course, seed: int) -> Context:
    return {
        "space": course.space,
        "schema": course.schema,
        "objectives": course.ground.objectives,
        "study_seed": seed,
        "controls": (),
    }


def _trial(course: Course, suggestion: Suggestion, number: int, seed: int) -> Trial:
    outcome = course.lookup.outcome(suggestion, study_seed=seed)
    if isinstance(outcome, Evaluation):
        return Trial(number, "search", suggestion, TrialState.COMPLETE, evaluation=outcome, finish_order=number + 1)
    return Trial(number, "search", suggestion, TrialState.FAIL, failure=outcome, finish_order=number + 1)


def _loss(course: Course, trial: Trial) -> float | None:
    return None if trial.evaluation is None else losses(trial.evaluation, course.ground.objectives)[0]


def _number(course: Course, fingerprint: str, label: str) -> int:
    if fingerprint not in course.numbers:
        raise AutomlError(
            f"a race stays on its table, but {label} asked for {fingerprint}, which is none of its "
            f"{len(course.numbers)} candidates; the searcher must ask for points of its space"
        )
    return course.numbers[fingerprint]


def _judged(course: Course, trials: Sequence[Trial], rules: Rules, context: Context) -> tuple[tuple[int, float], ...]:
    if rules.judge is None:
        return ()
    judge: Predictor = plugins.construct("predictor", rules.judge, context)
    tried = {one.candidate.fingerprint: one.suggestion for one in trials if one.state is TrialState.COMPLETE}
    metric = course.ground.objectives[0].metric
    judge.fit(trials, metric, rng=np.random.default_rng(SALT))
    means: NDArray[np.float64] = judge.predict(list(tried.values())).mean
    return tuple((course.numbers[name], float(mean)) for name, mean in zip(tried, means, strict=True))
