"""What a race is run on: known candidates, what searchers measure there, and what is true."""

from __future__ import annotations

import logging
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from automl._errors import AutomlError
from automl.bench.race.truth import truth_of
from automl.bench.trial_files.reading import read_trials
from automl.bench.trial_files.source import Source
from automl.bench.trial_files.words import told
from automl.front import hypervolume
from evaluators import Evaluation, Objective
from evaluators._tabular.entries import SEARCH, TRIALS_FILE, Entry, read_entries, read_facts
from evaluators._tabular.lookup import Lookup
from searchspaces import FeatureSchema, Field, Kind
from searchspaces.spaces.tabled import Tabled

LOG = logging.getLogger("automl")

QUANTILE = 0.95
"""Of the true losses of all candidates: the reference where the table has no logistic regression."""

REFERENCE = "zoo:logistic_regression"

OURS = Path(__file__).parents[1] / "tables" / "diabetes130"
"""The table that comes with the package."""

Values = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ground:
    """A table of known candidates. Losses are smaller when better; those of costs are their log10.

    truth       what candidates are judged by, [candidates, objectives]; not a number where they always failed
    reference   the point that hypervolumes are bounded by, fixed before any search
    """

    name: str
    objectives: tuple[Objective, ...]
    truth: Values
    reference: Values

    @cached_property
    def best(self) -> float:
        """The smallest true loss in the first objective."""
        return float(np.nanmin(self.truth[:, 0]))

    @cached_property
    def volume(self) -> float:
        """The hypervolume of all candidates."""
        return hypervolume(self.truth[np.isfinite(self.truth).all(axis=1)], self.reference)

    def to_dict(self) -> dict[str, Any]:
        """JSON types only; the inverse of `from_dict`."""
        return {
            "name": self.name,
            "objectives": [[one.metric, one.goal.value] for one in self.objectives],
            "truth": _listed(self.truth),
            "reference": _listed(self.reference),
        }

    @classmethod
    def from_dict(cls, content: Mapping[str, Any]) -> Ground:
        """Reads what `to_dict` wrote."""
        values = [np.array(content[name], dtype=np.float64) for name in ("truth", "reference")]
        objectives = tuple(Objective(metric, goal) for metric, goal in content["objectives"])
        return cls(content["name"], objectives, *values)


@dataclass(frozen=True, eq=False)
class Course:
    """A ground to run on: with the space that searchers ask in and the outcomes that they are told."""

    ground: Ground
    space: Tabled
    schema: FeatureSchema
    lookup: Lookup
    numbers: Mapping[str, int]
    """Of candidates, by fingerprint."""


def course_on(source: Source | None, table: Path | None, objectives: Sequence[str]) -> Course:
    """The course on a file of trials, on a table, or on the table that comes with the package.

    Raises:
        AutomlError, EvaluatorError, SpaceError: it cannot be read.
        ObjectiveError: a metric is unknown.
    """
    if source is not None:
        return course_on_trials(source)
    if table is None and not (OURS / TRIALS_FILE).is_file():
        raise AutomlError("a race needs a --table that 'automl bench table' made, or --trials FILE with its --metric")
    return course_on_table(table or OURS, [Objective(name) for name in objectives])


def course_on_table(table: Path, objectives: Sequence[Objective]) -> Course:
    """A table that `automl bench table` made.

    Raises:
        EvaluatorError, SpaceError: it cannot be read.
    """
    facts = read_facts(table)
    schema = FeatureSchema.from_dict(facts["schema"])
    entries = read_entries(table)
    numbers = list(dict.fromkeys(one.number for one in entries if one.role == SEARCH))
    beside = facts.get("controls", {}).get(REFERENCE)
    space = Tabled(schema, table=str(table))
    return _course(table.name, entries, numbers, objectives, space=space, schema=schema, beside=beside)


def course_on_trials(source: Source) -> Course:
    """A file of finished trials, each of them true.

    Raises:
        SpaceError, TrialFileError: it cannot be read, or has too few candidates.
    """
    found = read_trials(source)
    for line in told(found.about()):
        LOG.info("%s", line)
    first = {one.number: one.candidate for one in found.entries}
    names = [source.known_as, *([source.cost_known_as] if source.cost_known_as else [])]
    objectives = [Objective(name) for name in names]
    schema = FeatureSchema((Field("any", Kind.NUMERIC),))  # trials say nothing of the data that they were trained on
    space = Tabled.of(list(first.values()))
    return _course(source.file.name, found.entries, list(first), objectives, space=space, schema=schema, beside=None)


def _course(
    name: str,
    entries: Sequence[Entry],
    numbers: Sequence[int],
    objectives: Sequence[Objective],
    *,
    space: Tabled,
    schema: FeatureSchema,
    beside: int | None,
) -> Course:
    places = {number: at for at, number in enumerate(numbers)}
    known = {one.candidate.fingerprint: places[one.number] for one in entries if one.role == SEARCH}
    observed = _observed([one for one in entries if one.role == SEARCH], known, objectives)
    if not np.isfinite(observed).all(axis=2).any():
        raise AutomlError(f"no training of {name} has all of {', '.join(one.metric for one in objectives)}")
    truth = truth_of(observed, [one for one in entries if one.role != SEARCH], known, objectives, loss=losses)
    floor = [one.outcome for one in entries if one.number == beside and isinstance(one.outcome, Evaluation)]
    reference = _reference(truth, [losses(one, objectives)[0] for one in floor])
    ground = Ground(name, tuple(objectives), truth, reference)
    return Course(ground, space, schema, Lookup.of(entries), known)


def losses(evaluation: Evaluation, objectives: Sequence[Objective]) -> list[float]:
    """Smaller is better: the first as it is, what a candidate costs in log10. Not a number where one is missing.

    Raises:
        AutomlError: a cost is not positive.
    """
    quality, *costs = objectives
    first = evaluation.metrics.get(quality.metric)
    found = [float("nan") if first is None else quality.loss(first.value)]
    for objective in costs:
        metric = evaluation.metrics.get(objective.metric)
        if metric is not None and not metric.value > 0:
            raise AutomlError(
                f"what a candidate costs is compared by its logarithm and must be above 0, but {objective.metric!r} "
                f"is {metric.value:g}; race without it, or on another metric"
            )
        found.append(float("nan") if metric is None else objective.loss(math.log10(metric.value)))
    return found


def _observed(entries: Sequence[Entry], known: Mapping[str, int], objectives: Sequence[Objective]) -> Values:
    rows: dict[int, list[list[float]]] = {}
    for one in sorted(entries, key=lambda one: one.replicate):
        failed = [np.nan] * len(objectives)
        found = losses(one.outcome, objectives) if isinstance(one.outcome, Evaluation) else failed
        rows.setdefault(known[one.candidate.fingerprint], []).append(found)
    most = max(len(found) for found in rows.values())
    # a candidate with fewer replicates than others gives them over again, as looking up does
    return np.array([[rows[at][k % len(rows[at])] for k in range(most)] for at in range(len(rows))])


def _reference(truth: Values, floor: Sequence[float]) -> Values:
    """Logistic regression, or a loss that most candidates beat, at the cost of the dearest candidate."""
    reference = np.nanmax(truth, axis=0)
    reference[0] = float(np.mean(floor)) if floor else float(np.nanquantile(truth[:, 0], QUANTILE))
    reference[1:] += 1e-9  # so that the dearest candidate may count
    return np.asarray(reference, np.float64)


def _listed(values: Values) -> Any:
    """Nested lists with None for what is not a number, which JSON does not know."""
    if values.ndim > 1:
        return [_listed(one) for one in values]
    return [float(value) if math.isfinite(value) else None for value in values]
