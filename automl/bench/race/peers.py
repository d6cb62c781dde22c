"""Other people's searchers in a race, each through its own ask and tell; they come with the extra `peers`.

Of Syne Tune its recommended one is here: Salinas, Golebiowski, Klein, Seeger and Archambeau 2023, Optimizing
Hyperparameters with Conformal Quantile Regression. Its MO-ASHA is not: it draws at random what to train and chooses
what to stop, and in a race every trial is a whole training.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.util import find_spec
from typing import Any

import numpy as np

from automl import plugins
from automl._errors import ConfigError
from automl._searcher import Searcher
from automl.proposals import (
    Identity,
    fitness,
    in_turn,
    is_measured_baseline,
    objective_mistakes,
    random_suggestion,
    unseen_mutant,
)
from evaluators import Objective, Suggestion, Trial, TrialState
from searchspaces import Choice, Decision, SearchSpace

NAME = "syne_tune_cqr"
NEEDED = ("syne_tune", "huggingface_hub")
"""Syne Tune imports the second one for this searcher, but does not depend on it."""

STARTUP = 5
"""Complete trials before its model is asked; Syne Tune's own number of first draws."""
RESAMPLES = 10
"""How often it is asked again where it proposes what was tried."""
MOST_SEED = 2**31 - 1
LONG_AGO = datetime(2000, 1, 1, tzinfo=UTC)


class SyneTuneCQR:
    """Asks a scheduler that is made from what was told, anew for each ask, as Optuna's are.

    It has one objective, the first that measures quality, and no way to be told what is pending. Every decision is a
    hyperparameter of its own, ordered numbers as integers; what does not count stands at its first choice. Failed
    trials stand at the worst loss so far.
    """

    def __init__(self, space: SearchSpace, objectives: Sequence[Objective]) -> None:
        """The race injects both.

        Raises:
            ConfigError: there is no objective, or Syne Tune is not installed.
        """
        mistakes = [*_missing(), *objective_mistakes(objectives)]
        if mistakes:
            raise ConfigError(f"the peer {NAME!r}", mistakes)
        self._space = space
        self._objective = fitness(objectives)
        self._open = [one for one in space.decisions() if len(one.choices) > 1]
        self._told: list[tuple[dict[str, Any], float | None]] = []
        self._seen: set[Identity] = set()

    def ask(self, n: int, rng: np.random.Generator, pending: Sequence[Suggestion] = ()) -> list[Suggestion]:
        """Up to `n` suggestions; fewer only when the space is exhausted."""
        taken = self._seen | {suggestion.identity for suggestion in pending}
        is_begun = sum(loss is not None for _, loss in self._told) >= STARTUP
        seed = int(rng.integers(MOST_SEED))
        with _global_seed(seed):
            scheduler = self._scheduler(seed) if is_begun else None

            def proposed(_: Sequence[Suggestion], gone: Set[Identity]) -> Suggestion | None:
                found = self._proposed(scheduler, gone, rng) if scheduler else None
                return found or random_suggestion(self._space, gone, rng)

            return in_turn(n, taken, proposed)

    def tell(self, trials: Sequence[Trial]) -> None:
        """Adds trials of the search and baselines that are points of the space; others are only remembered."""
        self._seen.update(trial.suggestion.identity for trial in trials)
        for trial in trials:
            if trial.stage == "search" or is_measured_baseline(trial, self._space):
                value = trial.value(self._objective.metric) if trial.state is TrialState.COMPLETE else None
                loss = None if value is None else self._objective.loss(value)
                self._told.append((self._setting(trial), loss))

    def _scheduler(self, seed: int) -> Any:
        # Imported here: an extra, and it takes seconds to load.
        from syne_tune.backend.trial_status import Trial as Reported
        from syne_tune.optimizer.baselines import CQR

        scheduler = CQR({one.slot: _domain(one) for one in self._open}, metric="loss", random_seed=seed)
        worst = max(loss for _, loss in self._told if loss is not None)
        for number, (setting, loss) in enumerate(self._told):
            reported = Reported(trial_id=number, config=setting, creation_time=LONG_AGO)
            scheduler.on_trial_complete(reported, {"loss": worst if loss is None else loss})
        return scheduler

    def _proposed(self, scheduler: Any, taken: Set[Identity], rng: np.random.Generator) -> Suggestion | None:
        for _ in range(RESAMPLES + 1):
            candidate = self._space.to_candidate(self._decided(scheduler.suggest().config))
            suggestion = Suggestion(candidate, origin=NAME)
            if suggestion.identity not in taken:
                return suggestion
        mutant = unseen_mutant(self._space, candidate, taken, rng)
        return None if mutant is None else Suggestion(mutant, origin="mutation")

    def _decided(self, setting: Mapping[str, Any]) -> dict[str, Choice]:
        made: dict[str, Choice] = {}
        for decision in self._space.decisions():
            if decision.counts(made):
                made[decision.slot] = decision.choices[int(setting.get(decision.slot, 0))]
        return made

    def _setting(self, trial: Trial) -> dict[str, Any]:
        assignment = self._space.to_assignment(trial.candidate)
        places = {one.slot: _place(one, assignment[one.slot]) if one.slot in assignment else 0 for one in self._open}
        return {one.slot: places[one.slot] if _is_ordered(one) else str(places[one.slot]) for one in self._open}


def peer_mistakes(spec: Mapping[str, Any], where: str) -> list[str]:
    """What is wrong with a searcher of a race, which may be a peer or a plug-in; one line each."""
    if spec.get("name") != NAME:
        return plugins.mistakes("searcher", spec, where)
    options = [f"{where}.{name}: unknown option; a peer runs as its authors advise" for name in spec if name != "name"]
    return [*options, *(f"{where}: {one}" for one in _missing())]


def entrant_searcher(spec: Mapping[str, Any], context: Mapping[str, Any]) -> Searcher:
    """The searcher of an entrant, with what the race injects.

    Raises:
        ConfigError: the options do not fit, or the extra is missing.
    """
    if spec.get("name") == NAME:
        return SyneTuneCQR(context["space"], context["objectives"])
    searcher: Searcher = plugins.construct("searcher", spec, context)
    return searcher


def _missing() -> list[str]:
    gone = [name for name in NEEDED if find_spec(name) is None]
    way_out = "install it with pip install 'ctr-automl[peers]'"
    return [f"the peer {NAME!r} needs {' and '.join(gone)}; {way_out}"] if gone else []


def _domain(decision: Decision) -> Any:
    """Over the places of the choices."""
    from syne_tune.config_space import choice, randint

    last = len(decision.choices) - 1
    return randint(0, last) if _is_ordered(decision) else choice([str(at) for at in range(last + 1)])


def _is_ordered(decision: Decision) -> bool:
    numbers = [one for one in decision.choices if isinstance(one, int | float) and not isinstance(one, bool)]
    return len(numbers) == len(decision.choices) > 2 and numbers == sorted(numbers)


def _place(decision: Decision, chosen: Choice) -> int:
    return next(place for place, choice in enumerate(decision.choices) if repr(choice) == repr(chosen))


@contextmanager
def _global_seed(seed: int) -> Iterator[None]:
    """Syne Tune draws from numpy's global generator, which is left as it was."""
    state = np.random.get_state()
    np.random.seed(seed)
    try:
        yield
    finally:
        np.random.set_state(state)
