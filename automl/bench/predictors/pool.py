"""Candidates with known labels, for predictors to learn from and to order: of a file of trials, or of a table."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from automl.bench.trial_files.reading import read_trials
from automl.bench.trial_files.source import Source
from automl.fidelity import Labels, ceiling_of_tau
from evaluators import Evaluation, Goal, Metric, Objective, Suggestion, Trial, TrialState
from evaluators._tabular.entries import SEARCH, Entry, read_entries, read_facts
from searchspaces import Candidate, FeatureSchema, SearchSpace
from searchspaces.spaces.tabled import Tabled

FEWEST = 10
"""Different candidates below which there is nothing to measure."""


@dataclass(frozen=True, eq=False)
class Pool:
    """Finished trials of different candidates, each with the mean of its labels.

    `space` encodes them; `metric` is the name by which predictors know the label. `ceiling` is the tau that the
    labels' own noise allows, None where they do not tell it; `about` says where the trials are from, in JSON types.
    `schema` is that of the data that they were trained on, where it is known: predictors get it as a study's do.
    """

    space: SearchSpace
    trials: tuple[Trial, ...]
    metric: str
    goal: Goal
    ceiling: float | None
    about: Mapping[str, Any]
    schema: FeatureSchema | None = None


def pool_of_file(source: Source) -> Pool:
    """The trials of a file, whose choices are settings without a space of their own.

    Raises:
        TrialFileError, SpaceError: it cannot be read, or has too few candidates.
    """
    found = read_trials(source, fewest=FEWEST)
    labels = _labels(found.entries, source.known_as)
    space = Tabled.of([candidate for candidate, _ in labels])
    return Pool(
        space, _trials(labels, source.known_as), source.known_as, source.wanted, _ceiling(labels), found.about()
    )


def pool_of_table(table: Path, metric: str) -> Pool:
    """The trainings of a table that searchers may see, as the space sees them that the candidates were drawn from.

    Raises:
        EvaluatorError, SpaceError: it cannot be read.
        ObjectiveError: the metric is unknown.
    """
    entries, facts = read_entries(table), read_facts(table)
    folder = table if table.is_dir() else table.parent
    schema = FeatureSchema.from_dict(facts["schema"])
    space = Tabled(schema, table=str(folder))
    searched = [one for one in entries if one.role == SEARCH]
    ended = [one for one in searched if isinstance(one.outcome, Evaluation)]
    labels = _labels(ended, metric)
    goal = Objective(metric).goal
    about = {
        "file": table.name,
        "space": facts["space"],
        "schema": "of the table",  # figures of before predictors got it answer another question
        "metric": metric,
        "goal": goal.value,
        "where": {"role": SEARCH},
        "rows": {
            "read": len(entries),
            "other": len(entries) - len(searched),
            "unfinished": len(searched) - len(ended),
            "without_metric": len(ended) - sum(len(values) for _, values in labels),
            "candidates": len(labels),
        },
        "choices": [],
        "dropped": {},
    }
    return Pool(space, _trials(labels, metric), metric, goal, _ceiling(labels), about, schema)


def ceiling_of(labels: Sequence[Sequence[float]]) -> float | None:
    """The tau that a predictor which knew the true order would reach with the means of noisy labels.

    Such a predictor has reliability 1, the means what their replicates tell (`automl.fidelity`). Only candidates with
    the most replicates say something; None where these are not two, or not of half of the candidates. Where others
    have fewer, their labels are noisier and the ceiling is too high for them.
    """
    most = max(map(len, labels), default=0)
    whole = [values for values in labels if len(values) == most]
    if most < 2 or len(whole) < max(FEWEST, len(labels) / 2):
        return None
    return float(ceiling_of_tau(Labels(whole).reliability()[0], 1.0))


_Label = tuple[Candidate, list[float]]


def _labels(entries: Iterable[Entry], metric: str) -> list[_Label]:
    """Different candidates with the values of their replicates."""
    found: dict[int, _Label] = {}
    for one in entries:
        if isinstance(one.outcome, Evaluation) and metric in one.outcome.metrics:
            found.setdefault(one.number, (one.candidate, []))[1].append(one.outcome.value(metric))
    return list(found.values())


def _ceiling(labels: Sequence[_Label]) -> float | None:
    return ceiling_of([values for _, values in labels])


def _trials(labels: Sequence[_Label], metric: str) -> tuple[Trial, ...]:
    return tuple(
        Trial(
            number,
            "search",
            Suggestion(candidate),
            TrialState.COMPLETE,
            Evaluation({metric: Metric(float(np.mean(values)))}),
        )
        for number, (candidate, values) in enumerate(labels)
    )
