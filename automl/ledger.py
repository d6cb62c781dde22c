"""The ledger of a study: what each stage has cost, and what the search has paid for its gain over the control."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from automl._read_out import METHOD_STAGE
from automl.control import control_name, control_of, control_words, gain, quality_objective
from automl.front import best, front, searched
from evaluators import Objective, Trial, TrialState

ENERGY = "energy_joules"
STEP = 0.01
"""Costs are told for each so many percent gained."""


@dataclass(frozen=True)
class Cost:
    """What finished trials have used; rows and joules are sums over the trials that know them."""

    seconds: float = 0.0
    rows: int = 0
    joules: float | None = None

    def __add__(self, other: Cost) -> Cost:
        known = [one for one in (self.joules, other.joules) if one is not None]
        return Cost(self.seconds + other.seconds, self.rows + other.rows, sum(known) if known else None)

    def __truediv__(self, parts: float) -> Cost:
        return Cost(
            self.seconds / parts, round(self.rows / parts), None if self.joules is None else self.joules / parts
        )


@dataclass(frozen=True)
class StageCost:
    """One stage: trials by state, what they cost, what of that failed trials took.

    `rows_known` and `joules_known` count the finished trials whose rows and joules are in the sums: a trial
    that failed does not tell how far it came. `peak_bytes` is the most memory of one trial, `step_seconds` the time of
    one step of a method's training; None where nobody tells.
    """

    stage: str
    complete: int
    pruned: int
    failed: int
    unfinished: int
    losses: int
    cost: Cost
    lost: Cost
    rows_known: int
    joules_known: int
    peak_bytes: float | None = None
    step_seconds: float | None = None

    @property
    def finished(self) -> int:
        """Trials that have ended."""
        return self.complete + self.pruned + self.failed

    @property
    def failed_share(self) -> float | None:
        """Share of the seconds that failed trials took; None where nothing took time."""
        return self.lost.seconds / self.cost.seconds if self.cost.seconds else None


@dataclass(frozen=True)
class Ledger:
    """The stages in the order in which they began, and the search's gain over the control in percent."""

    stages: tuple[StageCost, ...]
    objective: Objective
    control: Trial | None
    winner: Trial | None
    gain: float | None

    @property
    def search(self) -> StageCost | None:
        """The search stage; None where it has not begun."""
        return next((one for one in self.stages if one.stage == "search"), None)

    @property
    def paid(self) -> Cost:
        """What the search has cost: its trials, and the run of its method where it has one."""
        return sum((one.cost for one in self.stages if one.stage in ("search", METHOD_STAGE)), Cost())

    @property
    def price(self) -> Cost | None:
        """What the whole search has paid for each `STEP` percent gained; None where nothing is gained yet."""
        if self.search is None or self.gain is None or self.gain <= 0:
            return None
        return self.paid / (self.gain / STEP)


def ledger_of(trials: Sequence[Trial], objectives: Sequence[Objective]) -> Ledger:
    """The costs by stage; the gain is that of the search's best feasible trial in quality over the control."""
    objective = quality_objective(objectives)
    control = control_of(trials, (objective,))
    winner = best(front(searched(trials), objectives), objective)
    stages = dict.fromkeys(trial.stage for trial in trials)
    return Ledger(
        tuple(_stage(name, [trial for trial in trials if trial.stage == name]) for name in stages),
        objective,
        control,
        winner,
        gain(winner, control, objective) if winner else None,
    )


def cost_of(trial: Trial) -> Cost:
    """What one trial has used, as far as it is known: a failure tells its seconds alone."""
    outcome = trial.evaluation or trial.failure
    return Cost(outcome.seconds if outcome else 0.0, _rows(trial) or 0, trial.value(ENERGY))


def ledger_rows(ledger: Ledger) -> list[dict[str, Any]]:
    """One row a stage as JSON types; the search's row has the gain and its price, null where there is none."""
    return [_row(stage, ledger) for stage in ledger.stages]


def ledger_words(ledger: Ledger) -> list[str]:
    """The sentences under the table: the price of the gain, what is not in the sums, what gains refer to."""
    return [_price_words(ledger), *_unknown_words(ledger), control_words(ledger.control, ledger.objective)]


def _stage(name: str, trials: Sequence[Trial]) -> StageCost:
    finished = [trial for trial in trials if trial.state.is_finished]
    by_state = {state: sum(trial.state is state for trial in finished) for state in TrialState}
    return StageCost(
        stage=name,
        complete=by_state[TrialState.COMPLETE],
        pruned=by_state[TrialState.PRUNED],
        failed=by_state[TrialState.FAIL],
        unfinished=len(trials) - len(finished),
        losses=sum(trial.losses for trial in trials),
        cost=_total(finished),
        lost=_total(trial for trial in finished if trial.failure is not None),
        rows_known=sum(_rows(trial) is not None for trial in finished),
        joules_known=sum(trial.value(ENERGY) is not None for trial in finished),
        peak_bytes=_most(finished, "peak_memory_bytes"),
        step_seconds=_most(finished, "seconds_per_step"),
    )


def _most(trials: Iterable[Trial], metric: str) -> float | None:
    return max((value for one in trials if (value := one.value(metric)) is not None), default=None)


def _total(trials: Iterable[Trial]) -> Cost:
    return sum(map(cost_of, trials), Cost())


def _rows(trial: Trial) -> int | None:
    if trial.evaluation is None:
        return None
    return trial.evaluation.curve[-1].rows if trial.evaluation.curve else trial.evaluation.stopped_at


def _row(stage: StageCost, ledger: Ledger) -> dict[str, Any]:
    priced = ledger if stage.stage == "search" else None
    price = priced.price if priced else None
    return {
        "stage": stage.stage,
        "complete": stage.complete,
        "pruned": stage.pruned,
        "failed": stage.failed,
        "unfinished": stage.unfinished,
        "losses": stage.losses,
        "seconds": round(stage.cost.seconds, 3),
        "rows": stage.cost.rows,
        "rows_known_of": stage.rows_known,
        ENERGY: stage.cost.joules,
        "energy_known_of": stage.joules_known,
        "failed_seconds": round(stage.lost.seconds, 3),
        "failed_share": stage.failed_share,
        "peak_memory_bytes": None if stage.peak_bytes is None else round(stage.peak_bytes),
        "seconds_per_step": stage.step_seconds,
        "control": priced.control.suggestion.origin if priced and priced.control else None,
        "metric": priced.objective.metric if priced else None,
        "gain_percent": priced.gain if priced else None,
        "seconds_per_hundredth_percent": price.seconds if price else None,
        "rows_per_hundredth_percent": price.rows if price else None,
        "joules_per_hundredth_percent": price.joules if price else None,
    }


def _price_words(ledger: Ledger) -> str:
    metric = ledger.objective.metric
    if ledger.winner is None:
        return "no gain yet: the search has no feasible trial that is complete"
    if ledger.control is None or ledger.gain is None:
        return "no gain can be told: there is no control to compare with"
    price = ledger.price
    if price is None:
        worse = f"{abs(ledger.gain):.2f} % worse than" if ledger.gain < 0 else "as good as"
        return f"no gain yet: trial {ledger.winner.number} is {worse} the control, {control_name(ledger.control)}"
    joules = "" if price.joules is None else f", {price.joules:.4g} joules"
    return (
        f"each {STEP} % of {metric} gained has cost {price.seconds:.4g} seconds, {price.rows} rows{joules} of search: "
        f"{ledger.gain:.2f} % at trial {ledger.winner.number}"
    )


def _unknown_words(ledger: Ledger) -> list[str]:
    rows = sum(stage.finished - stage.rows_known for stage in ledger.stages)
    silent = sum(stage.finished - stage.joules_known for stage in ledger.stages)
    finished = sum(stage.finished for stage in ledger.stages)
    words = [f"the rows of {_trials(rows)} are not known and not in the sums"] if rows else []
    if finished and silent == finished:
        return [*words, "no energy is known: the device tells none, or not to this user"]
    return [*words, f"the energy of {_trials(silent)} is not known and not in the sums"] if silent else words


def _trials(count: int) -> str:
    return f"{count} finished trial{'s' * (count != 1)}"
